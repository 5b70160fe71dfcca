/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect_wire.h"

/* In the flags of /proc/net/unix: a socket that others connect to. */
#define ACCEPTS 0x10000u

/* A line such as `0000000000000000: 00000002 00000000 00010000 0005 01 123456 @tern.1234.0`. */
static bool line_read(const char *line, struct tern_inspect_engine *engine)
{
	unsigned flags, type;
	int pid, end = 0;
	if (sscanf(line, "%*s %*s %*s %x %x %*s %*s @tern.%d.%u%n", &flags, &type, &pid,
		   &engine->number, &end) != 4 ||
	    !end || line[end] != '\n')
		return false;
	engine->pid = pid;
	return flags & ACCEPTS && type == SOCK_SEQPACKET && pid > 0;
}

/* What is asked of the kernel needs no answer of the engine's: it may be stopped, or hang. */
static bool is_vouched_for(struct tern_inspect_engine *engine)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t length = tern_inspect_address(&address, engine->pid, engine->number);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool vouched = fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0 &&
		       tern_inspect_peer(fd, &peer) && peer.pid == engine->pid;
	if (fd >= 0)
		close(fd);
	if (vouched)
		engine->uid = peer.uid;
	return vouched;
}

/* What runs there; a name may have newlines, and ends with one more. False: the process is gone. */
static bool program_read(struct tern_inspect_engine *engine)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)engine->pid);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(engine->program, 1, sizeof(engine->program) - 1, file) : 0;
	if (file)
		fclose(file);
	engine->program[length ? length - 1 : 0] = '\0';
	return length != 0;
}

static int by_pid_and_number(const void *one, const void *other)
{
	const struct tern_inspect_engine *a = one, *b = other;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

int tern_inspect_list(struct tern_inspect_engine *engines, uint32_t room)
{
	FILE *file = fopen("/proc/net/unix", "re");
	size_t size = 0;
	char *line = NULL;
	uint32_t count = 0;
	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		struct tern_inspect_engine found = {0};
		if (!line_read(line, &found) || !is_vouched_for(&found) || !program_read(&found))
			continue;
		if (count < room)
			engines[count] = found;
		count++;
	}
	free(line);
	fclose(file);
	if (room)
		qsort(engines, count < room ? count : room, sizeof(*engines), by_pid_and_number);
	return (int)count;
}
