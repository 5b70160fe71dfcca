/* SPDX-License-Identifier: Apache-2.0 */

/* The inspector's thread, its socket and its clients. */
#include "inspect.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "engine/lcore/engine.h"
#include "inspect_wire.h"

#define NS_PER_MS 1000000u
#define CLIENTS_MAX 8u
/* A client that says nothing for so long gives way to another. */
#define IDLE_NS (10000ull * NS_PER_MS)
/* Where none can be accepted (no descriptor left), the next try is so much later. */
#define DEAF_NS (100ull * NS_PER_MS)

struct client {
	int fd;
	uint64_t idle_until; /* clock ns */
};

struct tern_inspector {
	pthread_t thread;
	bool started;
	int listener, wake;
	uint64_t deaf_until; /* clock ns */
	uint32_t client_count;
	struct client clients[CLIENTS_MAX];
	union tern_inspect_reply reply;
};

static bool send_reply(int fd, const void *reply, size_t size)
{
	return send(fd, reply, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	return tern_inspect_peer(fd, &peer) && (peer.uid == 0 || peer.uid == geteuid());
}

/* Who is not welcome is told so, and why. */
static void welcome_client(struct tern_inspector *inspector, uint64_t now)
{
	int fd = accept4(inspector->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		inspector->deaf_until = now + DEAF_NS;
		return;
	}
	struct tern_inspect_head hello = tern_inspect_reply_head(TERN_INSPECT_HELLO);
	hello.size = sizeof(hello);
	if (!may_ask(fd))
		hello.status = -EPERM;
	else if (inspector->client_count == CLIENTS_MAX)
		hello.status = -EBUSY;
	if (!send_reply(fd, &hello, sizeof(hello)) || hello.status != 0) {
		close(fd);
		return;
	}
	inspector->clients[inspector->client_count++] =
		(struct client){.fd = fd, .idle_until = now + IDLE_NS};
}

/* False: it is to go. It does not read, has gone itself, or talks nonsense. */
static bool serve_client(struct tern_engine *engine, struct client *client, uint64_t now)
{
	union tern_inspect_reply *reply = &engine->inspector->reply;
	union tern_inspect_request request;
	ssize_t size = recv(client->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	if (size <= 0 || !tern_inspect_request_ok(&request, (size_t)size))
		return false;
	client->idle_until = now + IDLE_NS;
	tern_inspect_answer(engine, &request, reply);
	return send_reply(client->fd, reply, reply->head.size);
}

static void drop_client(struct tern_inspector *inspector, uint32_t index)
{
	close(inspector->clients[index].fd);
	inspector->clients[index] = inspector->clients[--inspector->client_count];
}

/* Until the first client's time is up, or the inspector hears again. */
static int wait_ms(const struct tern_inspector *inspector, uint64_t now, int ms_max)
{
	uint64_t until = inspector->deaf_until > now ? inspector->deaf_until : UINT64_MAX;
	for (uint32_t i = 0; i < inspector->client_count; i++)
		until = RTE_MIN(until, inspector->clients[i].idle_until);
	if (until == UINT64_MAX)
		return ms_max;
	uint64_t ms = until > now ? (until - now) / NS_PER_MS + 1 : 0;
	return ms_max >= 0 && (uint64_t)ms_max < ms ? ms_max : (int)ms;
}

bool tern_inspect_poll(struct tern_engine *engine, int ms_max)
{
	struct tern_inspector *inspector = engine->inspector;
	uint32_t count = inspector->client_count;
	uint64_t now = tern_clock_ns(&engine->clock);
	struct pollfd fds[2 + CLIENTS_MAX] = {
		{.fd = inspector->wake, .events = POLLIN},
		{.fd = now < inspector->deaf_until ? -1 : inspector->listener, .events = POLLIN}};
	for (uint32_t i = 0; i < count; i++)
		fds[2 + i] = (struct pollfd){.fd = inspector->clients[i].fd, .events = POLLIN};
	if (poll(fds, 2 + count, wait_ms(inspector, now, ms_max)) < 0)
		return errno == EINTR;
	if (fds[0].revents)
		return false;
	now = tern_clock_ns(&engine->clock);
	/* From the last: who takes the place of one that is dropped has had its turn. */
	for (uint32_t i = count; i-- > 0;) {
		struct client *client = &inspector->clients[i];
		bool stays = fds[2 + i].revents ? serve_client(engine, client, now)
						: now < client->idle_until;
		if (!stays)
			drop_client(inspector, i);
	}
	if (fds[1].revents)
		welcome_client(inspector, now);
	return true;
}

static void *inspector_main(void *argument)
{
	while (tern_inspect_poll(argument, -1))
		;
	return NULL;
}

/* Of the first number that no other engine of this process has. */
static int bind_name(int fd)
{
	struct sockaddr_un address;
	int code = -EADDRINUSE;
	for (uint32_t i = 0; i < TERN_INSPECT_NUMBERS && code == -EADDRINUSE; i++) {
		socklen_t length = tern_inspect_address(&address, getpid(), i);
		code = bind(fd, (struct sockaddr *)&address, length) == 0 ? 0 : -errno;
	}
	return code;
}

int tern_inspect_listen(struct tern_engine *engine)
{
	struct tern_inspector *inspector = calloc(1, sizeof(*inspector));
	if (!inspector)
		return -ENOMEM;
	engine->inspector = inspector;
	inspector->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	inspector->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inspector->listener < 0 || inspector->wake < 0)
		return -errno;
	int code = bind_name(inspector->listener);
	if (code != 0)
		return code;
	/* Who only looks whether it is there waits in this queue while the engine is stopped. */
	return listen(inspector->listener, SOMAXCONN) == 0 ? 0 : -errno;
}

/* It blocks all signals: those of the process are for the program's threads. */
static int start_thread(struct tern_engine *engine)
{
	struct tern_inspector *inspector = engine->inspector;
	pthread_attr_t attributes;
	sigset_t all;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	int code = pthread_attr_setsigmask_np(&attributes, &all);
	if (code == 0)
		code = pthread_create(&inspector->thread, &attributes, inspector_main, engine);
	pthread_attr_destroy(&attributes);
	if (code != 0)
		return -code;
	pthread_setname_np(inspector->thread, "tern-inspector");
	inspector->started = true;
	return 0;
}

void tern_inspect_start(struct tern_engine *engine)
{
	if (!engine->config.inspect || engine->config.mode == TERN_MODE_POLLED)
		return;
	int code = tern_inspect_listen(engine);
	if (code == 0)
		code = start_thread(engine);
	if (code == 0)
		return;
	tern_log_write(&engine->log, TERN_LOG_INFO, "no inspection", "reason=\"%s\"",
		       strerror(-code));
	tern_inspect_free(engine);
}

void tern_inspect_stop(struct tern_engine *engine)
{
	struct tern_inspector *inspector = engine->inspector;
	uint64_t one = 1;
	if (!inspector || !inspector->started)
		return;
	ssize_t written = write(inspector->wake, &one, sizeof(one));
	(void)written; /* nobody else writes: there is space */
	pthread_join(inspector->thread, NULL);
	inspector->started = false;
}

void tern_inspect_free(struct tern_engine *engine)
{
	struct tern_inspector *inspector = engine->inspector;
	if (!inspector)
		return;
	while (inspector->client_count)
		drop_client(inspector, inspector->client_count - 1);
	if (inspector->listener >= 0) {
		/* A child of this process may have the socket, too: nobody is to wait at it. */
		shutdown(inspector->listener, SHUT_RDWR);
		close(inspector->listener);
	}
	if (inspector->wake >= 0)
		close(inspector->wake);
	free(inspector);
	engine->inspector = NULL;
}
