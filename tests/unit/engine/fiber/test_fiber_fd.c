/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber, or a handler's agent, waits for any kind of descriptor while its lcore serves
 * others; it is told what came, once, and of this wait; a wait that ends otherwise leaves the
 * descriptor to others; what cannot be waited for is refused.
 * Method: pipes, sockets, eventfds and timerfds that the test makes ready; as many waits as there
 * may be.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, READY, LAST, CROWD = 500 };

/* Waits for fds[0] and reads what is there. */
TERN_FIBER(static, wait_and_read)
{
	struct actor *actor = state;
	char bytes[64];
	for (uint64_t i = 0; i < 3; i++) {
		uint32_t ready = 0;
		put(&actor->step, 2 * i + 1);
		EXPECT(tern_wait_fd(self, actor->fds[0], EPOLLIN, TERN_FOREVER, &ready) == 0);
		EXPECT(ready == EPOLLIN);
		EXPECT(read(actor->fds[0], bytes, sizeof(bytes)) > 0);
		put(&actor->step, 2 * i + 2);
	}
	return 0;
}
ACTOR(wait_and_read);

static void open_timer(int fds[2])
{
	fds[0] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	fds[1] = fds[0];
}

static void make_ready(bool timer, int fd)
{
	struct itimerspec soon = {.it_value = {.tv_nsec = 1000}};
	const uint64_t one = 1;
	if (timer)
		assert_int_equal(timerfd_settime(fd, 0, &soon, NULL), 0);
	else
		assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	if (fds[1] != fds[0])
		close(fds[1]);
}

static void every_kind_is_waited_for(void **state)
{
	struct world *world = *state;
	for (int kind = 0; kind < 4; kind++) {
		struct actor *actor = world_actors(world, 1);
		int *fds = actor->fds;
		if (kind == 0)
			assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
		else if (kind == 1)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		else if (kind == 2)
			fds[0] = fds[1] = eventfd(0, EFD_NONBLOCK);
		else
			open_timer(fds);
		spawn_on(world->self, 0, &wait_and_read_behaviour, actor);
		for (uint64_t i = 0; i < 3; i++) {
			UNTIL(world, seen(&actor->step) == 2 * i + 1);
			make_ready(kind == 3, fds[1]);
			UNTIL(world, seen(&actor->step) >= 2 * i + 2);
		}
		ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
		close_both(fds);
	}
}

/* What is ready already, what can be written, and what was closed at the other end. */
TERN_FIBER(static, see_events)
{
	struct actor *actor = state;
	uint32_t ready = 0;
	int fd = actor->fds[0];
	EXPECT(tern_wait_fd(self, fd, EPOLLOUT, TERN_FOREVER, &ready) == 0);
	EXPECT(ready == EPOLLOUT);
	EXPECT(write(actor->fds[1], "x", 1) == 1);
	EXPECT(tern_wait_fd(self, fd, EPOLLIN | EPOLLOUT, TERN_FOREVER, &ready) == 0);
	EXPECT(ready == (EPOLLIN | EPOLLOUT));
	EXPECT(tern_wait_fd(self, fd, EPOLLIN, TERN_FOREVER, NULL) == 0);
	EXPECT(read(fd, &ready, 1) == 1);
	ready = 77;
	EXPECT(tern_wait_fd(self, fd, EPOLLIN, ACTOR_MS, &ready) == -ETIMEDOUT && ready == 77);
	EXPECT(tern_wait_fd(self, fd, EPOLLIN, 0, &ready) == -ETIMEDOUT && ready == 77);
	close(actor->fds[1]);
	EXPECT(tern_wait_fd(self, fd, EPOLLIN | EPOLLRDHUP, TERN_FOREVER, &ready) == 0);
	EXPECT(ready == (EPOLLIN | EPOLLRDHUP | EPOLLHUP));
	/* Nobody asked for it. */
	EXPECT(tern_wait_fd(self, fd, 0, TERN_FOREVER, &ready) == 0 && ready == EPOLLHUP);
	return 0;
}
ACTOR(see_events);

static void the_events_are_reported(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, actor->fds), 0);
	spawn_on(world->self, 0, &see_events_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	close(actor->fds[0]);
}

TERN_FIBER(static, be_refused)
{
	struct actor *actor = state;
	uint32_t ready = 7;
	int file = memfd_create("file", 0);
	for (int i = 0; i < 5000; i++) {
		EXPECT(tern_wait_fd(self, -1, EPOLLIN, TERN_FOREVER, &ready) == -EBADF);
		EXPECT(tern_wait_fd(self, file, EPOLLIN, TERN_FOREVER, &ready) == -EPERM);
		EXPECT(tern_watch_fd(self, -1, EPOLLIN, PLAIN) == -EBADF);
		/* Somebody waits for it. */
		EXPECT(tern_wait_fd(self, actor->fds[0], EPOLLIN, 1000, &ready) == -EEXIST);
	}
	EXPECT(tern_watch_fd(self, actor->fds[0], EPOLLIN, UINT16_MAX) == -EINVAL);
	close(file);
	EXPECT(tern_wait_fd(self, file, EPOLLIN, TERN_FOREVER, &ready) == -EBADF);
	EXPECT(ready == 7);
	return 0;
}
ACTOR(be_refused);

static struct actor *open_waiter(struct world *world, tern_address *agent, const int fds[2],
				 uint32_t lcore)
{
	struct actor *actor = world_actors(world, 1);
	struct tern_spawn_options options = {.lcore = lcore, .watch = true};
	enum tern_agent_state at = TERN_STATE_NEW;
	memcpy(actor->fds, fds, sizeof(actor->fds));
	*agent = spawn_with(world, &wait_and_read_behaviour, actor, &options);
	UNTIL(world, seen(&actor->step) == 1 && tern_agent_state(world->self, *agent, &at) == 0 &&
			     at == TERN_STATE_IDLE);
	return actor;
}

/* Its waits are over when its end is told. */
static void stop_it(struct world *world, tern_address agent)
{
	struct tern_ended ended;
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
}

/* More refusals than there are waits: they cost none. */
static void what_cannot_be_waited_for_is_refused(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address waiter;
	assert_int_equal(pipe2(actor->fds, O_NONBLOCK), 0);
	struct actor *other = open_waiter(world, &waiter, actor->fds, 1);
	spawn_on(world->self, 0, &be_refused_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	assert_int_equal(tern_agent_stop(world->self, waiter), 0);
	ASSERT_ENDED(world, other, TERN_END_STOPPED, 0);
	close_both(actor->fds);
}

static void an_ended_wait_leaves_the_descriptor_to_others(void **state)
{
	struct world *world = *state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	for (uint32_t i = 0; i < 20; i++) {
		tern_address agent;
		struct actor *actor = open_waiter(world, &agent, fds, i % 2);
		stop_it(world, agent);
		ASSERT_ENDED(world, actor, TERN_END_STOPPED, 0);
	}
	tern_address agent;
	struct actor *actor = open_waiter(world, &agent, fds, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		UNTIL(world, seen(&actor->step) == 2 * i - 1);
		make_ready(false, fds[1]);
		UNTIL(world, seen(&actor->step) >= 2 * i);
	}
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	close_both(fds);
}

/* All at once, on both lcores; half of them are stopped meanwhile. */
static void a_crowd_waits_while_others_run(void **state)
{
	struct world *world = *state;
	struct probe *other = world_probes(world, 1);
	tern_address echo = spawn_on(world->self, 0, &probe_behaviour, other);
	struct actor *actors[CROWD];
	tern_address agents[CROWD];
	int fds[2];
	fds[0] = fds[1] = eventfd(0, EFD_NONBLOCK);
	for (uint32_t i = 0; i < CROWD; i++) {
		int own[2] = {eventfd(0, EFD_NONBLOCK), 0};
		assert_true(own[0] >= 0);
		own[1] = own[0];
		actors[i] = open_waiter(world, &agents[i], own, i % 2);
	}
	for (uint64_t i = 1; i <= 100; i++) {
		send_surely(world, echo, PLAIN, 0);
		UNTIL(world, seen(&other->handled) == i);
	}
	for (uint32_t i = 0; i < CROWD; i += 2)
		assert_int_equal(tern_agent_stop(world->self, agents[i]), 0);
	for (uint64_t lap = 1; lap <= 3; lap++) {
		for (uint32_t i = 1; i < CROWD; i += 2)
			make_ready(false, actors[i]->fds[0]);
		for (uint32_t i = 1; i < CROWD; i += 2)
			UNTIL(world, seen(&actors[i]->step) >= (lap < 3 ? 2 * lap + 1 : 6));
	}
	for (uint32_t i = 0; i < CROWD; i++) {
		ASSERT_ENDED(world, actors[i], i % 2 ? TERN_END_EXIT : TERN_END_STOPPED, 0);
		close(actors[i]->fds[0]);
	}
	close(fds[0]);
}

/* An agent with a handler: told by a signal, once for each time that it asked. */
struct watcher {
	struct actor actor;
	int fds[TERN_FD_WAITS_MAX + 1];
	uint64_t wanted;
	uint64_t ready;
	int64_t last; /* of the calls */
};

TERN_HANDLER(static, watcher_handle)
{
	struct watcher *watcher = state;
	struct tern_fd_ready ready;
	if (tern_signal_type(signal) == PLAIN) {
		uint64_t i = 0;
		while (i < watcher->wanted &&
		       tern_watch_fd(self, watcher->fds[i], EPOLLIN, READY) == 0)
			i++;
		put(&watcher->actor.step, i);
	} else {
		memcpy(&ready, tern_signal_data(signal), sizeof(ready));
		expect(&watcher->actor,
		       tern_signal_from(signal) == tern_self(self) &&
			       tern_signal_type(signal) == READY && ready.events == EPOLLIN,
		       __LINE__);
		uint64_t count;
		expect(&watcher->actor, read(ready.fd, &count, sizeof(count)) == sizeof(count),
		       __LINE__);
		note(&watcher->ready);
	}
}

static const struct tern_behaviour watcher_behaviour = {.name = "watcher",
							.handler = watcher_handle,
							.on_start = probe_start,
							.on_stop = probe_stop};

static void a_handler_is_told_by_a_signal(void **state)
{
	struct world *world = *state;
	struct watcher *watcher = world_memory(world, sizeof(*watcher));
	tern_address agent = spawn_on(world->self, 1, &watcher_behaviour, watcher);
	watcher->wanted = 50;
	for (int i = 0; i < 50; i++)
		watcher->fds[i] = eventfd(0, EFD_NONBLOCK);
	for (uint64_t lap = 1; lap <= 5; lap++) {
		put(&watcher->actor.step, 0);
		send_surely(world, agent, PLAIN, 0);
		UNTIL(world, seen(&watcher->actor.step) == 50);
		for (int i = 0; i < 50; i++)
			make_ready(false, watcher->fds[i]);
		UNTIL(world, seen(&watcher->ready) == 50 * lap);
	}
	/* Nobody asked again. */
	make_ready(false, watcher->fds[0]);
	send_surely(world, agent, PLAIN, 0);
	UNTIL(world, seen(&watcher->ready) == 251);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	ASSERT_ENDED(world, &watcher->actor, TERN_END_STOPPED, 0);
	for (int i = 0; i < 50; i++)
		close(watcher->fds[i]);
}

static void there_is_an_end_to_waits(void **state)
{
	enum { WAITS = TERN_FD_WAITS_MAX };
	struct world *world = *state;
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < WAITS + 100) {
		print_message("needs %d descriptors, has %d\n", WAITS + 100, (int)limit.rlim_cur);
		skip();
	}
	struct watcher *watcher = world_memory(world, sizeof(*watcher));
	tern_address agent = spawn_on(world->self, 0, &watcher_behaviour, watcher);
	watcher->wanted = WAITS + 1;
	for (int i = 0; i <= WAITS; i++)
		assert_true((watcher->fds[i] = eventfd(0, EFD_NONBLOCK)) >= 0);
	send_surely(world, agent, PLAIN, 0);
	UNTIL(world, seen(&watcher->actor.step) == WAITS);
	for (int i = 0; i < WAITS; i += 2)
		make_ready(false, watcher->fds[i]);
	UNTIL(world, seen(&watcher->ready) == WAITS / 2);
	/* The others end with the agent, and all are to be had again. */
	assert_int_equal(tern_watch(world->self, agent), 0);
	stop_it(world, agent);
	ASSERT_ENDED(world, &watcher->actor, TERN_END_STOPPED, 0);
	struct watcher *next = world_memory(world, sizeof(*next));
	*next = (struct watcher){.wanted = WAITS + 1};
	memcpy(next->fds, watcher->fds, sizeof(next->fds));
	agent = spawn_on(world->self, 1, &watcher_behaviour, next);
	send_surely(world, agent, PLAIN, 0);
	UNTIL(world, seen(&next->actor.step) == WAITS);
	for (int i = 0; i <= WAITS; i++)
		close(watcher->fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(every_kind_is_waited_for),
		BOTH(the_events_are_reported),
		BOTH(what_cannot_be_waited_for_is_refused),
		BOTH(an_ended_wait_leaves_the_descriptor_to_others),
		BOTH(a_crowd_waits_while_others_run),
		BOTH(a_handler_is_told_by_a_signal),
		BOTH(there_is_an_end_to_waits),
	};
	return cmocka_run_group_tests_name("fiber fd", tests, NULL, NULL);
}
