/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: while an engine drains, a fiber that sleeps or waits with a timeout goes on in time, so
 * that all it had accepted is handled; what no agent waits for, its own timers, is silent.
 * Method: fibers that wait between two signals in every way there is, stopped with all of their
 * signals waiting; handlers and fibers with a timer of a short period beside them.
 */
#include "actor.h"

#include <sys/epoll.h>

enum { SIGNALS = 20, TICK = 7, GO = 8, PAUSE_NS = 1000000 };

TERN_FIBER(static, sleep_between)
{
	struct actor *actor = state;
	while (tern_recv(self, TERN_FOREVER)) {
		note(&actor->count);
		EXPECT(tern_sleep(self, PAUSE_NS) == 0);
	}
	return 0;
}
ACTOR(sleep_between);

/* Waits in vain for a signal of another type. */
TERN_FIBER(static, listen_between)
{
	struct actor *actor = state;
	while (tern_recv(self, TERN_FOREVER)) {
		note(&actor->count);
		EXPECT(!tern_recv_type(self, GO, PAUSE_NS));
		EXPECT(tern_errno == ETIMEDOUT);
	}
	return 0;
}
ACTOR(listen_between);

/* Waits in vain for a descriptor on which nothing comes. */
TERN_FIBER(static, watch_between)
{
	struct actor *actor = state;
	while (tern_recv(self, TERN_FOREVER)) {
		note(&actor->count);
		EXPECT(tern_wait_fd(self, actor->fds[0], EPOLLIN, PAUSE_NS, NULL) == -ETIMEDOUT);
	}
	return 0;
}
ACTOR(watch_between);

/* Waits in vain for the end of somebody else. */
TERN_FIBER(static, join_between)
{
	struct actor *actor = state;
	struct tern_ended ended;
	while (tern_recv(self, TERN_FOREVER)) {
		note(&actor->count);
		EXPECT(tern_wait(self, actor->peer, PAUSE_NS, &ended) == -ETIMEDOUT);
	}
	return 0;
}
ACTOR(join_between);

static void stop_with_all_waiting(const struct tern_behaviour *behaviour, bool polled, bool roaming)
{
	struct world world;
	struct tern_config config;
	struct tern_stop_report report;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address agent;
	world_config(&config, polled);
	world_open(&world, &config);
	struct actor *actor = world_actors(&world, 1);
	assert_int_equal(pipe(actor->fds), 0);
	options.roaming = roaming;
	options.lcore = 0;
	actor->peer = spawn_on(world.self, 0, &sink_behaviour, world_memory(&world, 64));
	assert_int_equal(tern_spawn(world.self, behaviour, actor, &options, &agent), 0);
	for (uint64_t i = 0; i < SIGNALS; i++)
		assert_int_equal(send_number(world.self, agent, 1, i), 0);
	assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
	assert_true(report.drained);
	assert_int_equal(report.undelivered, 0);
	assert_int_equal(actor->count, SIGNALS);
	assert_int_equal(actor->wrong, 0);
	assert_int_equal(actor->probe.stopped, 1);
	close(actor->fds[0]);
	close(actor->fds[1]);
	world_forget(&world);
}

static void waits_with_a_timeout_go_on_while_it_drains(void **state)
{
	static const struct tern_behaviour *const ways[] = {
		&sleep_between_behaviour, &listen_between_behaviour, &watch_between_behaviour,
		&join_between_behaviour};
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (int way = 0; way < 4; way++)
			stop_with_all_waiting(ways[i], way % 2, way / 2);
}

/* A timer of its own, much shorter than the sleeps beside it. */
struct ticker {
	struct tern_timer timer;
	uint64_t ticks;
	uint64_t late; /* after the stop began */
	const uint64_t *stopping;
};

static void ticker_start(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	struct ticker *ticker = state;
	tern_timer_start(self, &ticker->timer, 10000, 10000, TICK);
}

TERN_HANDLER(static, ticker_handle)
{
	struct ticker *ticker = state;
	note(&ticker->ticks);
	ticker->late += seen(ticker->stopping) != 0;
}

static const struct tern_behaviour ticker_behaviour = {
	.name = "ticker", .handler = ticker_handle, .on_start = ticker_start};

/* Knows that the engine drains when it may not spawn any more. */
TERN_FIBER(static, drain_slowly)
{
	struct actor *actor = state;
	tern_address agent;
	while (tern_recv(self, TERN_FOREVER)) {
		int code = tern_spawn(self, &probe_behaviour, &actor->probe, NULL, &agent);
		if (code == -ESHUTDOWN)
			note(&actor->step);
		else if (code == 0)
			EXPECT(tern_agent_stop(self, agent) == 0);
		note(&actor->count);
		tern_sleep(self, PAUSE_NS);
	}
	return 0;
}
ACTOR(drain_slowly);

static void timers_of_agents_are_silent_while_it_drains(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, polled);
		world_open(&world, &config);
		struct actor *actor = world_actors(&world, 1);
		struct ticker *ticker = world_memory(&world, sizeof(*ticker));
		ticker->stopping = &actor->step;
		tern_address slow = spawn_on(world.self, 0, &drain_slowly_behaviour, actor);
		/* On the same lcore, so that what it sees of the stop is in order. */
		spawn_on(world.self, 0, &ticker_behaviour, ticker);
		UNTIL(&world, seen(&ticker->ticks) > 2);
		for (uint64_t i = 0; i < SIGNALS; i++)
			assert_int_equal(send_number(world.self, slow, 1, i), 0);
		assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
		assert_int_equal(report.undelivered, 0);
		assert_int_equal(actor->count, SIGNALS);
		assert_true(actor->step > 0);
		assert_int_equal(actor->wrong, 0);
		assert_int_equal(ticker->late, 0);
		world_forget(&world);
	}
}

/* A fiber that sends at each end of a sleep keeps the engine busy, but is quiet in between. */
TERN_FIBER(static, send_for_ever)
{
	struct actor *actor = state;
	while (tern_sleep(self, PAUSE_NS) == 0)
		if (send_number(self, actor->peer, 1, actor->count) == 0)
			put(&actor->count, actor->count + 1);
	return 0;
}
ACTOR(send_for_ever);

static void a_fiber_that_goes_on_does_not_hold_the_stop_up(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, polled);
		world_open(&world, &config);
		struct actor *actor = world_actors(&world, 1);
		struct sink *sink = world_memory(&world, sizeof(*sink));
		actor->peer = spawn_on(world.self, 0, &sink_behaviour, sink);
		spawn_on(world.self, 0, &send_for_ever_behaviour, actor);
		UNTIL(&world, seen(&sink->expected) > 2);
		assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
		assert_int_equal(sink->expected + report.undelivered, actor->count);
		assert_int_equal(sink->wrong, 0);
		world_forget(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_with_a_timeout_go_on_while_it_drains),
		cmocka_unit_test(timers_of_agents_are_silent_while_it_drains),
		cmocka_unit_test(a_fiber_that_goes_on_does_not_hold_the_stop_up),
	};
	return cmocka_run_group_tests_name("stop_fiber", tests, NULL, NULL);
}
