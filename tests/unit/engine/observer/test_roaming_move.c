/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what an agent has on its lcore holds it there or comes along: armed timers keep thieves
 * away and move with a rebalance, in time; fibers go on where they left, whatever they wait for;
 * the rebalance evens out the load and then leaves it.
 * Method: polled lcores under a virtual clock, with the observer's forecasts and with its decisions
 * made by the test; fibers moved between any two of their waits, in both modes; an lcore stuck in
 * a handler.
 */
#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/roamers.h"

#include "engine/agent/timer.h"
#include "engine/lcore/agent_state.h"
#include "engine/schedule/roaming.h"

enum { TICK_NS = 10000, ROUNDS = 400, NUMBERS = 2000 };

/* Arms a periodic timer when told, and keeps when it fired. */
struct ticking {
	struct roamer roamer; /* first */
	uint64_t expired, early, late_ns;
};

TERN_HANDLER(static, ticking_handle)
{
	struct ticking *ticking = state;
	roamer_enter(self, &ticking->roamer);
	if (tern_signal_type(signal) == TICK) {
		const struct tern_timeout *timeout = tern_signal_data(signal);
		uint64_t now = tern_now(self);
		ticking->early += now < timeout->due_ns;
		uint64_t late = now - timeout->due_ns;
		ticking->late_ns = late > ticking->late_ns ? late : ticking->late_ns;
		ticking->expired += timeout->expired;
		note(&ticking->roamer.timeouts);
	} else if (tern_signal_type(signal) != PLAIN) {
		tern_timer_start(self, &ticking->roamer.timer, TICK_NS, TICK_NS, TICK);
	}
	put(&ticking->roamer.inside, 0);
	probe_handle(self, &ticking->roamer.probe, signal);
}

static const struct tern_behaviour ticking_behaviour = {.name = "ticking",
							.handler = ticking_handle,
							.on_start = probe_start,
							.on_stop = probe_stop};

static void armed_timers_keep_thieves_away(void **state)
{
	struct world *world = *state;
	struct ticking *ticking = world_memory(world, sizeof(*ticking));
	tern_address hogs[TERN_ROAMING_ADMITTED];
	tern_address agent = spawn_roaming(world, 0, &ticking_behaviour, ticking);
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, hogs);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	poll_one(world, 0);
	assert_true(ticking->roamer.timer.armed);
	for (int i = 0; i < 20; i++) {
		wake_all(world, hogs, TERN_ROAMING_ADMITTED);
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		poll_one(world, 0);
		assert_int_equal(ring_of(world, 0), 0);
		poll_one(world, 1);
	}
	assert_int_equal(stats_of(world, 1).stolen, 0);
	assert_int_equal(lcore_of(world, agent), 0);
	world_settle(world);
}

/* Its last timer just fired: its signal waits, and with it the agent stays. */
static void a_fired_timer_holds_it_till_it_ran(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	/* Low, or the slot of the agent woken last would have it run next. */
	struct tern_spawn_options options = {
		.lcore = 0, .roaming = true, .priority = TERN_PRIORITY_LOW};
	tern_address hogs[2 * TERN_ROAMING_ADMITTED];
	tern_address agent = spawn_with(world, &roamer_behaviour, roamer, &options);
	spawn_hogs(world, 0, 2 * TERN_ROAMING_ADMITTED, hogs);
	struct tern_agent *self = agent_of(world, agent);
	wake_all(world, hogs, 2 * TERN_ROAMING_ADMITTED);
	poll_one(world, 0);
	tern_agent_set(self, TERN_AGENT_TIED); /* as after a run that armed it */
	tern_timer_arm(self, &roamer->timer, 10, 0, TICK);
	tern_engine_advance(world->engine, HOG_NS);
	poll_one(world, 0);
	assert_int_equal(roamer->timeouts, 0);
	assert_true(roamer->timer.fired);
	for (int i = 0; i < 20; i++)
		poll_one(world, 1);
	assert_int_equal(lcore_of(world, agent), 0);
	world_settle(world);
	assert_int_equal(roamer->timeouts, 1);
	assert_int_equal(roamer->lcores, 1);
}

static void timers_move_along_in_time(void **state)
{
	struct world *world = *state;
	struct ticking *ticking = world_memory(world, sizeof(*ticking));
	tern_address agent = spawn_roaming(world, 0, &ticking_behaviour, ticking);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	world_settle(world);
	uint64_t from = tern_engine_now(world->engine);
	for (int i = 0; i < ROUNDS; i++) {
		move_to(world, agent, (uint32_t)i % 3);
		for (int step = 0; step < 10; step++) {
			tern_engine_advance(world->engine, 1000);
			world_settle(world);
		}
	}
	uint64_t periods = (tern_engine_now(world->engine) - from) / TICK_NS;
	assert_in_range(ticking->expired, periods - 1, periods);
	assert_int_equal(ticking->early, 0);
	assert_true(ticking->late_ns <= 3000);
	assert_int_equal(ticking->roamer.lcores, 7);
	assert_int_equal(ticking->roamer.twice, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(world->engine->lcores[i].wheel.armed, i == lcore_of(world, agent));
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	world_settle(world);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(world->engine->lcores[i].wheel.armed, 0);
}

/* Asked to move, then paused, finished or stopped before it is there. */
static void on_its_way_it_can_be_asked_anything(void **state)
{
	struct world *world = *state;
	struct ticking *ticking = world_memory(world, 2 * sizeof(*ticking));
	for (int way = 0; way < 2; way++) {
		tern_address agent = spawn_roaming(world, 0, &ticking_behaviour, &ticking[way]);
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		world_settle(world);
		move_to(world, agent, 1);
		assert_int_equal(send_number(world->self, agent, PLAIN, 0), 0);
		poll_one(world, 0);
		assert_true(agent_of(world, agent)->flags & TERN_AGENT_PARKED);
		assert_int_equal(world->engine->lcores[0].wheel.armed, 0);
		uint64_t before = ticking[way].roamer.timeouts;
		if (way == 0) {
			assert_int_equal(tern_agent_pause(world->self, agent), 0);
			tern_engine_advance(world->engine, 10 * TICK_NS);
			world_settle(world);
			assert_int_equal(ticking[way].roamer.timeouts, before);
			assert_int_equal(world->engine->lcores[1].wheel.armed, 0);
			assert_int_equal(tern_agent_resume(world->self, agent), 0);
			world_settle(world);
			tern_engine_advance(world->engine, TICK_NS);
			world_settle(world);
			assert_true(ticking[way].roamer.timeouts > before);
			assert_true(ticking[way].expired >= 10);
		}
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		world_settle(world);
		assert_int_equal(ticking[way].roamer.probe.stopped, 1);
		assert_int_equal(world->engine->lcores[1].wheel.armed, 0);
	}
}

/* Two that use half a CPU each, both on lcore 0. */
static void the_rebalance_evens_out_and_rests(void **state)
{
	struct world world;
	struct tern_config config;
	(void)state;
	roaming_config(&config, 2);
	config.metrics_interval_ms = 1;
	config.rebalance = true;
	config.steal = false;
	world_open(&world, &config);
	struct roamer *roamers = world_roamers(&world, 2);
	tern_address agents[2];
	for (uint32_t i = 0; i < 2; i++)
		agents[i] = spawn_hog(&world, 0, &roamers[i]);
	world_settle(&world);
	for (int i = 0; i < 300; i++) {
		wake_all(&world, agents, 2);
		world_settle(&world);
		tern_engine_advance(world.engine, HOG_NS / 2);
	}
	struct tern_lcore_stats all = stats_of_all(&world);
	assert_true(all.sent_away >= 1);
	assert_true(lcore_of(&world, agents[0]) != lcore_of(&world, agents[1]));
	/* No swinging to and fro. */
	assert_true(all.sent_away <= 3);
	assert_int_equal(roamers[0].probe.handled + roamers[1].probe.handled, 600);
	assert_int_equal(all.stolen, 0);
	world_close(&world);
}

/* Hogs on lcore 0, one signal each, then a pause: moving one would not help, or not by much. */
static void check_rest(uint32_t hogs, uint64_t pause_ns)
{
	struct world world;
	struct tern_config config;
	tern_address agents[2];
	roaming_config(&config, 2);
	config.metrics_interval_ms = 1;
	config.rebalance = true;
	config.steal = false;
	world_open(&world, &config);
	struct roamer *roamers = world_roamers(&world, hogs);
	for (uint32_t i = 0; i < hogs; i++)
		agents[i] = spawn_hog(&world, 0, &roamers[i]);
	world_settle(&world);
	for (int i = 0; i < 300; i++) {
		wake_all(&world, agents, hogs);
		world_settle(&world);
		tern_engine_advance(world.engine, pause_ns);
	}
	assert_int_equal(stats_of_all(&world).sent_away, 0);
	world_close(&world);
}

static void the_rebalance_moves_nobody_in_vain(void **state)
{
	(void)state;
	/* All of the load is one agent's; a gap of 0.16. */
	check_rest(1, HOG_NS / 10);
	check_rest(2, 21 * HOG_NS / 2);
}

/* On its old lcore it had run for long: under fair_share it does not pay for that here. */
static void it_has_its_share_where_it_comes_to(void **state)
{
	struct world world;
	struct tern_config config;
	(void)state;
	roaming_config(&config, 2);
	config.schedules[0] = TERN_SCHEDULE_FAIR_SHARE;
	config.steal = false;
	config.turn_signals = 1;
	world_open(&world, &config);
	struct roamer *roamers = world_roamers(&world, 2);
	struct tern_spawn_options options = {.lcore = 0, .roaming = true};
	tern_address agents[2];
	agents[0] = spawn_costly(&world, &roamers[0], &options);
	options = (struct tern_spawn_options){.lcore = 1};
	agents[1] = spawn_costly(&world, &roamers[1], &options);
	for (int i = 0; i < 200; i++) {
		wake_all(&world, agents, 1);
		world_settle(&world);
	}
	roamers[0].probe.handled = 0;
	for (int i = 0; i < 50; i++)
		wake_all(&world, agents, 2);
	poll_one(&world, 1);
	move_to(&world, agents[0], 1);
	poll_one(&world, 0);
	assert_int_equal(lcore_of(&world, agents[0]), 1);
	while (roamers[1].probe.handled < 20)
		poll_one(&world, 1);
	assert_true(roamers[0].probe.handled >= 15);
	world_settle(&world);
	world_close(&world);
}

/* Waits in every way, and keeps what it was sent. */
TERN_FIBER(static, wanderer)
{
	struct actor *actor = state;
	uint64_t next = 1;
	while (next <= NUMBERS) {
		put(&actor->step, actor->step | 1ull << tern_lcore_index(self));
		if (next % 3 == 0)
			EXPECT(tern_sleep(self, 500) == 0);
		if (next % 5 == 0)
			EXPECT(tern_yield(self) == 0);
		struct tern_signal *signal =
			next % 7 ? tern_recv(self, TERN_FOREVER) : tern_recv_type(self, 1, 3000);
		if (!signal) {
			EXPECT(tern_errno == ETIMEDOUT);
			continue;
		}
		uint64_t number = number_of(signal);
		EXPECT(number == next);
		EXPECT(tern_send(self, actor->peer, 1, &number, 8, TERN_FOREVER) == 0);
		put(&actor->count, next++);
	}
	return 17;
}
ACTOR(wanderer);

static void fibers_go_on_where_they_left(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct sink *sink = world_memory(world, sizeof(*sink));
	uint32_t lcores = tern_engine_lcores(world->engine);
	struct tern_spawn_options options = {
		.lcore = 0, .roaming = true, .policy = TERN_POLICY_BLOCK, .capacity = 40};
	/* Where its lcore is late, its senders wait. */
	struct tern_spawn_options patient = {.lcore = lcores - 1, .policy = TERN_POLICY_BLOCK};
	actor->peer = spawn_with(world, &sink_behaviour, sink, &patient);
	sink->expected = 1;
	tern_address agent = spawn_with(world, &wanderer_behaviour, actor, &options);
	for (uint64_t i = 1; i <= NUMBERS; i++) {
		send_surely(world, agent, 1, i);
		/* It moves when its mailbox is empty. */
		if (i % 9 == 0)
			UNTIL(world, seen(&actor->count) == i);
		if (i % 3 == 0)
			move_to(world, agent, (uint32_t)(i / 9) % lcores);
	}
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 17);
	UNTIL(world, seen(&sink->expected) == NUMBERS + 1);
	assert_int_equal(sink->wrong, 0);
	assert_int_equal(actor->step, (1ull << lcores) - 1);
	UNTIL(world, tern_stacks_used(&world->engine->stacks) == 0);
}

/* Ended by force in any wait, on any lcore, a fiber gives its stack back. */
TERN_FIBER(static, sleeper)
{
	struct actor *actor = state;
	while (tern_sleep(self, 1000) == 0) {
		(void)tern_recv(self, 1000);
		note(&actor->count);
	}
	return 1;
}
ACTOR(sleeper);

static void moved_fibers_end_by_force(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	struct actor *actors = world_actors(world, 40);
	for (uint32_t i = 0; i < 40; i++) {
		struct tern_spawn_options options = {.lcore = i % lcores, .roaming = true};
		tern_address agent = spawn_with(world, &sleeper_behaviour, &actors[i], &options);
		UNTIL(world, seen(&actors[i].count) > i % 5);
		move_to(world, agent, (i + 1) % lcores);
		for (uint32_t polls = i % 4; polls; polls--)
			world_poll(world);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		ASSERT_ENDED(world, &actors[i], TERN_END_STOPPED, 0);
	}
	UNTIL(world, tern_stacks_used(&world->engine->stacks) == 0);
}

/* Holds its lcore until it is let go. */
TERN_HANDLER(static, stuck_handle)
{
	struct probe *probe = state;
	put(&probe->started, 2);
	while (seen(&probe->early) == 0)
		sched_yield();
	note(&probe->handled);
}

static const struct tern_behaviour stuck_behaviour = {.name = "stuck", .handler = stuck_handle};

static void a_stuck_lcore_is_relieved(void **state)
{
	struct world *world = *state;
	struct probe *stuck = world_probes(world, 1);
	struct roamer *roamers = world_roamers(world, 10);
	tern_address agents[10];
	if (tern_engine_lcores(world->engine) < 2)
		skip();
	for (uint32_t i = 0; i < 10; i++) {
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
		UNTIL(world, seen(&roamers[i].probe.started));
		move_to(world, agents[i], 0);
		UNTIL(world, send_number(world->self, agents[i], PLAIN, 0) == 0);
		UNTIL(world, seen(&roamers[i].probe.handled) == 1);
	}
	tern_address holder = spawn_on(world->self, 0, &stuck_behaviour, stuck);
	assert_int_equal(send_number(world->self, holder, 1, 0), 0);
	UNTIL(world, seen(&stuck->started) == 2);
	wake_all(world, agents, 10);
	for (uint32_t i = 0; i < 10; i++)
		UNTIL(world, seen(&roamers[i].probe.handled) == 2);
	assert_int_equal(seen(&stuck->handled), 0);
	put(&stuck->early, 1);
	UNTIL(world, seen(&stuck->handled) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_TWO(armed_timers_keep_thieves_away),
		ON_TWO(a_fired_timer_holds_it_till_it_ran),
		ON_THREE(timers_move_along_in_time),
		ON_THREE(on_its_way_it_can_be_asked_anything),
		cmocka_unit_test(the_rebalance_evens_out_and_rests),
		cmocka_unit_test(the_rebalance_moves_nobody_in_vain),
		cmocka_unit_test(it_has_its_share_where_it_comes_to),
		BOTH(fibers_go_on_where_they_left),
		BOTH(moved_fibers_end_by_force),
		THREADED(a_stuck_lcore_is_relieved),
	};
	return cmocka_run_group_tests_name("roaming: moves", tests, NULL, NULL);
}
