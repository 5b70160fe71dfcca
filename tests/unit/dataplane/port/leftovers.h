/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* What a test has open, so that it can see that nothing is left behind. */

static inline unsigned leftovers_entries(const char *path)
{
	DIR *folder = opendir(path);
	unsigned count = 0;
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

/** Open descriptors of this process. */
static inline unsigned leftovers_descriptors(void)
{
	return leftovers_entries("/proc/self/fd");
}

/** Threads of this process. */
static inline unsigned leftovers_threads(void)
{
	return leftovers_entries("/proc/self/task");
}

/** A folder of the test's own for sockets. */
static inline void leftovers_folder(char path[32])
{
	strcpy(path, "/tmp/tern-port-XXXXXX");
	if (!mkdtemp(path))
		abort();
}

/** Remove it: false where something is still in it. */
static inline bool leftovers_folder_is_empty(const char *path)
{
	return rmdir(path) == 0;
}

#endif
