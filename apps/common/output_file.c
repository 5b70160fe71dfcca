/* SPDX-License-Identifier: Apache-2.0 */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0666 /* less the umask */
#define NAME_TRIES 100

static int refuse(struct tern_error *error, const char *path, int code)
{
	return tern_error_set(error, code,
			      "%s: cannot be written: %s: needs a writable folder with enough room",
			      path, strerror(-code));
}

/* A name beside `path` that no other file is likely to have. */
static char *temporary_name(const char *path, int attempt)
{
	char *name;
	if (asprintf(&name, "%s.tmp-%d-%d", path, (int)getpid(), attempt) < 0)
		return NULL;
	return name;
}

static int open_nameless(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	int descriptor = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
	int code = descriptor < 0 ? -errno : descriptor;
	free(copy);
	return code;
}

/* Make `claim` take the first temporary name that is free; its result, or a negative errno. */
static int claim_name(struct output_file *output,
		      int (*claim)(const struct output_file *output, const char *name))
{
	for (int attempt = 0; attempt < NAME_TRIES; attempt++) {
		char *name = temporary_name(output->path, attempt);
		if (!name)
			return -ENOMEM;
		int result = claim(output, name);
		if (result >= 0) {
			output->temporary = name;
			return result;
		}
		free(name);
		if (result != -EEXIST)
			return result;
	}
	return -EEXIST;
}

static int open_named(const struct output_file *output, const char *name)
{
	(void)output;
	int descriptor = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, MODE);
	return descriptor < 0 ? -errno : descriptor;
}

static int link_nameless(const struct output_file *output, const char *name)
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(output->file));
	return linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int open_regular(struct output_file *output, const char *path)
{
	char *existing = realpath(path, NULL); /* through symbolic links */
	output->path = existing ? existing : strdup(path);
	if (!output->path)
		return -ENOMEM;
	int descriptor = open_nameless(output->path);
	if (descriptor == -EOPNOTSUPP || descriptor == -EISDIR || descriptor == -EINVAL)
		descriptor = claim_name(output, open_named);
	return descriptor;
}

static int open_output(struct output_file *output, const char *path)
{
	struct stat status;
	if (strcmp(path, "-") == 0) {
		int descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
		return descriptor < 0 ? -errno : descriptor;
	}
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		int descriptor = open(path, O_WRONLY | O_CLOEXEC);
		return descriptor < 0 ? -errno : descriptor;
	}
	return open_regular(output, path);
}

int output_file_create(struct output_file *output, const char *path, struct tern_error *error)
{
	const char *name = strcmp(path, "-") == 0 ? "standard output" : path;
	struct output_file opened = {.name = strdup(name)};
	int descriptor = opened.name ? open_output(&opened, path) : -ENOMEM;
	if (descriptor >= 0) {
		opened.file = fdopen(descriptor, "wb");
		if (!opened.file) {
			int code = -errno;
			close(descriptor);
			descriptor = code;
		}
	}
	if (descriptor < 0) {
		output_file_abandon(&opened);
		return refuse(error, name, descriptor);
	}
	*output = opened;
	return 0;
}

static int put_in_place(struct output_file *output)
{
	if (fflush(output->file) != 0)
		return -errno;
	if (!output->path)
		return 0;
	if (!output->temporary) {
		int code = claim_name(output, link_nameless);
		if (code < 0)
			return code;
	}
	if (rename(output->temporary, output->path) < 0)
		return -errno;
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

int output_file_commit(struct output_file *output, struct tern_error *error)
{
	int code = ferror(output->file) ? -EIO : put_in_place(output);
	if (code < 0)
		refuse(error, output->name, code);
	output_file_abandon(output);
	return code;
}

void output_file_abandon(struct output_file *output)
{
	if (output->file)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->path);
	free(output->name);
	*output = (struct output_file){.file = NULL};
}
