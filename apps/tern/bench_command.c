/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "app.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder of this program; empty where it cannot be known. */
static void own_folder(char *folder, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", folder, size - 1);

	folder[length < 0 ? 0 : length] = '\0';
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
}

static bool absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/*
 * The benchmarks see private headers, so they are a program of their own: beside this one, in a
 * build tree two folders up, installed in libexec, or on the path.
 */
int bench_command(int argc, char **argv)
{
	static char name[] = "tern-bench";
	static const char *const places[] = {"", "../../bench/"};
	char folder[PATH_MAX], path[PATH_MAX + 32];

	(void)argc;
	const char *program = argv[0];
	argv[0] = name;
	own_folder(folder, sizeof(folder));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", folder, places[i], name);
		execv(path, argv);
		if (!absent(errno))
			break;
	}
	if (absent(errno))
		execv(TERN_LIBEXECDIR "/tern-bench", argv);
	if (absent(errno))
		execvp(name, argv);
	if (absent(errno))
		return (int)app_fail(
			APP_UNAVAILABLE, program,
			"no benchmarks are installed: %s is neither in %s, in %s nor on "
			"PATH",
			name, folder, TERN_LIBEXECDIR);
	return (int)app_fail(errno == EACCES ? APP_PERMISSION : APP_UNAVAILABLE, program,
			     "cannot run %s: %m", name);
}
