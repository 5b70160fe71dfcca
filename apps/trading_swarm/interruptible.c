/* SPDX-License-Identifier: Apache-2.0 */
#include "interruptible.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct interruptible {
	int file;
	int signals;
};

static ssize_t read_some(void *cookie, char *bytes, size_t size)
{
	const struct interruptible *both = cookie;
	struct pollfd ready[2] = {{.fd = both->file, .events = POLLIN},
				  {.fd = both->signals, .events = POLLIN}};
	if (poll(ready, 2, -1) < 0)
		return -1;
	if (ready[1].revents) {
		errno = EINTR;
		return -1;
	}
	return read(both->file, bytes, size);
}

static int close_both(void *cookie)
{
	struct interruptible *both = cookie;
	close(both->file);
	close(both->signals);
	free(both);
	return 0;
}

FILE *interruptible_open(const char *path, const sigset_t *signals)
{
	const cookie_io_functions_t functions = {.read = read_some, .close = close_both};
	struct interruptible *both = malloc(sizeof(*both));
	FILE *stream = NULL;
	if (!both)
		return NULL;
	both->file = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					    : open(path, O_RDONLY | O_CLOEXEC);
	both->signals = signalfd(-1, signals, SFD_CLOEXEC);
	if (both->file >= 0 && both->signals >= 0)
		stream = fopencookie(both, "rb", functions);
	if (!stream) {
		int code = errno;
		close_both(both);
		errno = code;
	}
	return stream;
}
