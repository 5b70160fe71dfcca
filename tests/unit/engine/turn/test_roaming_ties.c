/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent that has something on its lcore which cannot come along stays there, whether a
 * thief would take it or an idle lcore that helps one that is stuck; others are helped, not before
 * it is time.
 * Method: polled lcores and agents brought into each such state, which then wait where a loose one
 * is taken; an lcore that is stuck by the looks of it; endless fibers under the timer signal.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/roamers.h"

enum { ARM = 1, WATCH, SEND };
enum { THIEF = 1, AWAY = 2, STUCK_NS = 4 * AFTER_US * 1000 };

/* Why an agent stays on lcore 0. */
enum tie { LOOSE, TIMER, DESCRIPTOR, UNREAD, PAUSED, ROOM, TIES };

struct tied {
	struct roamer roamer; /* first */
	int fd;
};

TERN_HANDLER(static, tied_handle)
{
	struct tied *tied = state;
	roamer_enter(self, &tied->roamer);
	if (tern_signal_type(signal) == ARM)
		tern_timer_start(self, &tied->roamer.timer, 1000000000, 0, TICK);
	else if (tern_signal_type(signal) == WATCH)
		(void)tern_watch_fd(self, tied->fd, EPOLLIN, PLAIN);
	else if (tern_signal_type(signal) == SEND)
		roamer_send(self, &tied->roamer);
	put(&tied->roamer.inside, 0);
	probe_handle(self, &tied->roamer.probe, signal);
}

static const struct tern_behaviour tied_behaviour = {.name = "tied",
						     .handler = tied_handle,
						     .on_start = probe_start,
						     .on_event = probe_event,
						     .on_stop = probe_stop};

/* Sends until it has to wait, and on. */
TERN_FIBER(static, sender)
{
	struct actor *actor = state;
	for (uint64_t i = 1; seen(&actor->go) == 0; i++) {
		put(&actor->step, actor->step | 1ull << tern_lcore_index(self));
		EXPECT(tern_send(self, actor->peer, 1, &i, sizeof(i), TERN_FOREVER) == 0);
	}
	return 0;
}
ACTOR(sender);

struct case_of {
	struct world *world;
	struct tied *tied;
	struct actor *actor; /* of a fiber, or NULL */
	struct roamer *peer;
	tern_address to;
	tern_address agent;
	tern_address hogs[TERN_ROAMING_ADMITTED];
};

/* To a paused receiver on another lcore, which refuses from high water on. */
static void wait_for_room(struct case_of *it)
{
	struct tern_spawn_options options = {.lcore = 0, .roaming = true};
	it->actor = world_actors(it->world, 1);
	it->actor->peer = it->to;
	it->agent = spawn_with(it->world, &sender_behaviour, it->actor, &options);
}

static void tie(struct case_of *it, enum tie how)
{
	static const uint16_t types[TIES] = {
		[LOOSE] = PLAIN, [TIMER] = ARM, [DESCRIPTOR] = WATCH, [UNREAD] = SEND};
	struct world *world = it->world;
	if (how == PAUSED)
		assert_int_equal(tern_agent_pause(world->self, it->agent), 0);
	else if (how == ROOM)
		wait_for_room(it);
	else
		assert_int_equal(send_number(world->self, it->agent, types[how], 0), 0);
	for (int i = 0; i < 5; i++) {
		poll_one(world, 0);
		if (how != UNREAD)
			world_settle(world);
	}
}

static void open_case(void **state, struct case_of *it, enum tie how)
{
	struct tern_spawn_options options = {
		.lcore = AWAY, .policy = TERN_POLICY_BLOCK, .capacity = 10};
	*it = (struct case_of){0};
	roaming_setup(state, 3);
	struct world *world = it->world = *state;
	it->tied = world_memory(world, sizeof(*it->tied));
	it->peer = world_roamers(world, 1);
	it->to = spawn_with(world, &roamer_behaviour, it->peer, &options);
	it->agent = spawn_roaming(world, 0, &tied_behaviour, it->tied);
	it->tied->roamer.number = 1;
	it->tied->roamer.to = it->to;
	it->tied->fd = eventfd(0, EFD_NONBLOCK);
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, it->hogs);
	wake_all(world, &it->agent, 1);
	world_settle(world);
	if (how == ROOM) {
		assert_int_equal(tern_agent_pause(world->self, it->to), 0);
		world_settle(world);
	}
	tie(it, how);
}

static void close_case(void **state, struct case_of *it, enum tie how)
{
	struct world *world = it->world;
	uint64_t lcores = it->actor ? it->actor->step : it->tied->roamer.lcores;
	assert_int_equal(lcores, how == LOOSE ? 1 | 1 << THIEF : 1);
	if (it->actor)
		put(&it->actor->go, 1);
	(void)tern_agent_resume(world->self, it->agent);
	(void)tern_agent_resume(world->self, it->to);
	world_settle(world);
	(void)tern_agent_stop(world->self, it->agent);
	close(it->tied->fd);
	world_teardown(state);
}

static void poll_thief(struct case_of *it)
{
	for (int i = 0; i < 40; i++)
		poll_one(it->world, THIEF);
}

static void a_thief_takes_what_is_loose(void **state)
{
	for (enum tie how = LOOSE; how < TIES; how++) {
		struct case_of it;
		open_case(state, &it, how);
		wake_all(it.world, it.hogs, TERN_ROAMING_ADMITTED);
		wake_all(it.world, &it.agent, 1);
		poll_one(it.world, 0);
		/* What it sent shows when a thief looks, all else by where it waits. */
		assert_int_equal(ring_of(it.world, 0), how == LOOSE || how == UNREAD);
		poll_thief(&it);
		assert_int_equal(stats_of(it.world, THIEF).stolen, how == LOOSE);
		close_case(state, &it, how);
	}
}

/* As if a function of one of its agents held it. */
static void look_stuck(struct world *world)
{
	struct tern_lcore *lcore = &world->engine->lcores[0];
	tern_store(&lcore->turn.ticks, tern_clock_ticks(lcore->clock));
	tern_store(&lcore->turn.is_on, true);
}

static void a_stuck_lcore_is_helped_with_what_is_loose(void **state)
{
	for (enum tie how = LOOSE; how < TIES; how++) {
		struct case_of it;
		open_case(state, &it, how);
		look_stuck(it.world);
		wake_all(it.world, &it.agent, 1);
		tern_engine_advance(it.world->engine, 2 * STUCK_NS);
		poll_thief(&it);
		assert_int_equal(stats_of(it.world, THIEF).stolen, how == LOOSE);
		assert_int_equal(lcore_of(it.world, it.agent), how == LOOSE ? THIEF : 0);
		tern_store(&it.world->engine->lcores[0].turn.is_on, false);
		poll_one(it.world, 0);
		close_case(state, &it, how);
	}
}

static void help_comes_when_it_is_time(void **state)
{
	struct case_of it;
	open_case(state, &it, LOOSE);
	struct tern_lcore *lcore = &it.world->engine->lcores[0];
	look_stuck(it.world);
	wake_all(it.world, &it.agent, 1);
	tern_engine_advance(it.world->engine, STUCK_NS);
	poll_thief(&it);
	assert_int_equal(stats_of(it.world, THIEF).stolen, 0);
	/* Between two turns it is not stuck, however long ago the last one began. */
	tern_store(&lcore->turn.is_on, false);
	tern_engine_advance(it.world->engine, STUCK_NS);
	poll_thief(&it);
	assert_int_equal(stats_of(it.world, THIEF).stolen, 0);
	tern_store(&lcore->turn.is_on, true);
	poll_thief(&it);
	assert_int_equal(stats_of(it.world, THIEF).stolen, 1);
	tern_store(&lcore->turn.is_on, false);
	close_case(state, &it, LOOSE);
}

/* Instrumented own text is not own text all the time. */
#define AGENT TERN_TEXT __attribute__((no_sanitize("thread", "undefined")))

/* Never waits: what becomes of it, the timer signal does. */
AGENT static int64_t spin(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	uint32_t lcore = tern_lcore_index(self);
	put(&actor->count, lcore);
	put(&actor->step, 1);
	while (!seen(&actor->go)) {
		EXPECT(tern_lcore_index(self) == lcore);
		for (volatile int spins = 0; spins < 1000; spins = spins + 1)
			; /* it is suspended in own text only */
	}
	return 0;
}
ACTOR(spin);

static uint64_t suspended(const struct world *world)
{
	uint64_t all = 0;
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++)
		all += tern_load(&world->engine->lcores[i].guard.preempt.preempted);
	return all;
}

static void suspended_fibers_stay(void **state)
{
	enum { SPINNERS = 5 };
	struct world *world = *state;
	if (TERN_SIGNALS_DELAYED || tern_engine_lcores(world->engine) < 2)
		skip();
	struct actor *actors = world_actors(world, SPINNERS);
	struct tern_spawn_options options = {.roaming = true, .preempt = true};
	for (int i = 0; i < SPINNERS; i++)
		spawn_with(world, &spin_behaviour, &actors[i], &options);
	for (int i = 0; i < SPINNERS; i++)
		UNTIL(world, seen(&actors[i].step));
	uint64_t before = suspended(world);
	UNTIL(world, suspended(world) > before + 40);
	/* One lcore's have ended: it has time to steal the other's. */
	for (int i = 0; i < SPINNERS; i++)
		if (actors[i].count == 1)
			put(&actors[i].go, 1);
	before = suspended(world);
	UNTIL(world, suspended(world) > before + 20);
	for (int i = 0; i < SPINNERS; i++)
		put(&actors[i].go, 1);
	for (int i = 0; i < SPINNERS; i++)
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thief_takes_what_is_loose),
		cmocka_unit_test(a_stuck_lcore_is_helped_with_what_is_loose),
		cmocka_unit_test(help_comes_when_it_is_time),
		THREADED(suspended_fibers_stay),
	};
	return cmocka_run_group_tests_name("roaming: ties", tests, NULL, NULL);
}
