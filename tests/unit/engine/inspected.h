/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECTED_H
#define INSPECTED_H

/* Engines that are looked into, and clients by hand: what they send, and what comes back. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/inspect/inspect.h"
#include "engine/inspect/inspect_wire.h"
#include "engine/lcore/engine.h"
#include "tests/unit/support.h"

static inline int client_open(uint32_t number)
{
	struct sockaddr_un address;
	socklen_t length = tern_inspect_address(&address, getpid(), number);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/** What has come: its size; 0: the inspector has let this client go; -1: nothing yet. */
static inline ssize_t client_recv(int fd, union tern_inspect_reply *reply)
{
	ssize_t size = recv(fd, reply, sizeof(*reply), MSG_TRUNC);
	/* Where it left a request unread, the kernel says so once, ahead of what came before. */
	if (size < 0 && errno == ECONNRESET)
		size = recv(fd, reply, sizeof(*reply), MSG_TRUNC);
	return size;
}

static inline bool client_send(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/** A client of a polled engine's inspector, which says what status it is greeted with. */
static inline int client_greeted(struct tern_engine *engine, int status)
{
	union tern_inspect_reply reply;
	int fd = client_open(0);
	ssize_t size = -1;
	/* Whoever lists the engines of the machine may come between: one is greeted at a time. */
	for (int tries = 0; size < 0 && tries < 1000; tries++) {
		tern_inspect_poll(engine, 0);
		size = recv(fd, &reply, sizeof(reply), MSG_TRUNC | MSG_DONTWAIT);
	}
	assert_int_equal(size, sizeof(reply.head));
	assert_int_equal(reply.head.magic, TERN_INSPECT_MAGIC);
	assert_int_equal(reply.head.version, TERN_INSPECT_VERSION);
	assert_int_equal(reply.head.kind, TERN_INSPECT_HELLO);
	assert_int_equal(reply.head.status, status);
	return fd;
}

/** Whether a client is still served. */
static inline bool client_served(struct tern_engine *engine, int fd)
{
	const union tern_inspect_request request = {
		.head = tern_inspect_request_head(TERN_INSPECT_STAT)};
	union tern_inspect_reply reply;
	if (!client_send(fd, &request, request.head.size))
		return false;
	assert_true(tern_inspect_poll(engine, 0));
	ssize_t size = client_recv(fd, &reply);
	return size > 0 && tern_inspect_reply_ok(&reply, (size_t)size, TERN_INSPECT_STAT);
}

/** A world polled by the test, and its inspector too, which no engine in polled mode starts. */
static inline int inspected_setup_polled(void **state)
{
	world_setup_polled(state);
	struct world *world = *state;
	assert_null(world->engine->inspector);
	assert_int_equal(tern_inspect_listen(world->engine), 0);
	return 0;
}

/** A thread that polls the inspector, for as long as a function waits for its answers. */
struct server {
	struct tern_engine *engine;
	pthread_t thread;
	bool over;
};

static inline void *server_main(void *argument)
{
	struct server *server = argument;
	while (!seen(&server->over) && tern_inspect_poll(server->engine, 1))
		;
	return NULL;
}

static inline void server_start(struct server *server, struct tern_engine *engine)
{
	*server = (struct server){.engine = engine};
	assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static inline void server_stop(struct server *server)
{
	put(&server->over, true);
	pthread_join(server->thread, NULL);
}

static inline struct tern_inspect *inspect_open(uint32_t number)
{
	struct tern_inspect *inspect;
	struct tern_error error;
	if (tern_inspect_open(&inspect, getpid(), number, &error) != 0)
		fail_msg("%s", error.text);
	return inspect;
}

#define INSPECTED(body)                                                              \
	{                                                                            \
#body ", polled", body, inspected_setup_polled, world_teardown, NULL \
	}

#endif
