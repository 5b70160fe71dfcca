/* SPDX-License-Identifier: Apache-2.0 */
#include "partner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TALK_S 30
#define LEAVE_NAPS 500
#define NAP_NS 10000000

/* Files that the first process has open are its own. */
static void partner_keep_only(int fd)
{
	int nothing = open("/dev/null", O_RDWR);
	if (nothing >= 0) {
		dup2(nothing, STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
	}
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
}

static int partner_limit_waits(int fd)
{
	const struct timeval limit = {.tv_sec = TALK_S};
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

int partner_start(struct partner *partner)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	int code = partner_limit_waits(ends[0]);
	if (code == 0)
		code = partner_limit_waits(ends[1]);
	pid_t pid = code == 0 ? fork() : -1;
	if (pid < 0) {
		code = code == 0 ? -errno : code;
		close(ends[0]);
		close(ends[1]);
		return code;
	}
	if (pid == 0) {
		partner_keep_only(ends[1]);
		*partner = (struct partner){.node = 2, .fd = ends[1]};
		return 0;
	}
	close(ends[1]);
	*partner = (struct partner){.node = 1, .pid = pid, .fd = ends[0]};
	return 0;
}

static int partner_failure(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -EPIPE;
}

int partner_send(struct partner *partner, const void *data, size_t size)
{
	const char *at = data;
	while (size) {
		ssize_t sent = send(partner->fd, at, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return partner_failure();
		at += sent;
		size -= (size_t)sent;
	}
	return 0;
}

int partner_say(struct partner *partner, enum partner_word word)
{
	const unsigned char byte = (unsigned char)word;
	return partner_send(partner, &byte, 1);
}

int partner_peek(const struct partner *partner)
{
	unsigned char byte;
	ssize_t seen = recv(partner->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (seen == 1)
		return byte;
	return seen < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

int partner_receive(struct partner *partner, void *data, size_t size)
{
	char *at = data;
	while (size) {
		ssize_t taken = recv(partner->fd, at, size, 0);
		if (taken < 0 && errno == EINTR)
			continue;
		if (taken < 0)
			return partner_failure();
		if (taken == 0)
			return -EPIPE;
		at += taken;
		size -= (size_t)taken;
	}
	return 0;
}

int partner_hear(struct partner *partner)
{
	unsigned char byte;
	int code = partner_receive(partner, &byte, 1);
	return code < 0 ? code : byte;
}

static void partner_wait(struct partner *partner)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	for (int i = 0; i < LEAVE_NAPS; i++) {
		if (waitpid(partner->pid, &partner->status, WNOHANG) != 0)
			return;
		nanosleep(&nap, NULL);
	}
	kill(partner->pid, SIGKILL);
	waitpid(partner->pid, &partner->status, 0);
}

int partner_reap(struct partner *partner, char *text, size_t size)
{
	if (partner->pid)
		partner_wait(partner);
	partner->pid = 0;
	if (WIFSIGNALED(partner->status))
		snprintf(text, text ? size : 0, "was killed by signal %d",
			 WTERMSIG(partner->status));
	else
		snprintf(text, text ? size : 0, "has ended with exit code %d",
			 WEXITSTATUS(partner->status));
	return WIFEXITED(partner->status) && WEXITSTATUS(partner->status) == 0 ? 0 : -EPIPE;
}

void partner_end(struct partner *partner)
{
	if (partner->fd >= 0) {
		partner_say(partner, PARTNER_QUIT);
		close(partner->fd);
	}
	partner->fd = -1;
	if (partner->pid)
		partner_reap(partner, NULL, 0);
}
