/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who may take which roaming agent, when, and how many at a time; who runs after whom where
 * nobody steals.
 * Method: polled lcores and a virtual clock, with hogs that end a turn, so that agents stay in the
 * run ring, the LIFO slot, the policy or the global queue; counters and the engine's own queues
 * say what was taken. A threaded engine with an lcore that is stuck.
 */
#include "tests/unit/engine/roamers.h"
#include "engine/schedule/roaming.h"

/* Hogs that the policy takes from the ring at once, then `count` agents that wait in the ring. */
static void fill_ring(struct world *world, tern_address *agents, uint32_t count)
{
	tern_address hogs[TERN_ROAMING_ADMITTED];
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, hogs);
	wake_all(world, hogs, TERN_ROAMING_ADMITTED);
	wake_all(world, agents, count);
	poll_one(world, 0);
	assert_int_equal(ring_of(world, 0), count);
}

static void spawn_quick(struct world *world, tern_address *agents, uint32_t count)
{
	struct roamer *roamers = world_roamers(world, count);
	for (uint32_t i = 0; i < count; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(world);
}

static void what_waited_long_is_taken_by_half_and_eight_at_most(void **state)
{
	static const struct {
		uint32_t waiting, taken;
	} cases[] = {{1, 1}, {2, 1}, {3, 2}, {8, 4}, {15, 8}, {16, 8}, {40, 8}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tern_address agents[40];
		roaming_setup_two(state);
		struct world *world = *state;
		spawn_quick(world, agents, cases[i].waiting);
		fill_ring(world, agents, cases[i].waiting);
		poll_one(world, 1);
		struct tern_lcore_stats stats = stats_of(world, 1);
		assert_int_equal(stats.stolen, cases[i].taken);
		assert_int_equal(ring_of(world, 1), cases[i].taken);
		assert_int_equal(ring_of(world, 0), cases[i].waiting - cases[i].taken);
		/* The throttle's two, and one for each agent. */
		assert_int_equal(stats.steal_atomics, 2 + cases[i].taken);
		world_settle(world);
		assert_int_equal(stats_of(world, 1).migrated, stats_of(world, 1).stolen);
		world_teardown(state);
	}
}

static void an_agent_just_woken_is_not_taken(void **state)
{
	struct world *world = *state;
	tern_address hogs[TERN_ROAMING_ADMITTED + 1];
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED + 1, hogs);
	wake_all(world, hogs, TERN_ROAMING_ADMITTED);
	poll_one(world, 0);
	/* After the hog that ran: the policy has room for one, a second one waits in the ring. */
	wake_all(world, hogs, 1);
	wake_all(world, hogs + TERN_ROAMING_ADMITTED, 1);
	struct tern_lcore *lcore = &world->engine->lcores[0];
	tern_store(&lcore->turn.ticks, tern_clock_ticks(lcore->clock));
	tern_roaming_admit(lcore);
	assert_int_equal(ring_of(world, 0), 1);
	poll_one(world, 1);
	assert_int_equal(stats_of(world, 1).stolen, 0);
	/* Stamps are kept in units of 1,024 ticks. */
	tern_engine_advance(world->engine, AFTER_US * 1000 - 1024);
	poll_one(world, 1);
	assert_int_equal(stats_of(world, 1).stolen, 0);
	tern_engine_advance(world->engine, 3 * 1024);
	poll_one(world, 1);
	assert_int_equal(stats_of(world, 1).stolen, 1);
}

static void nothing_is_taken_where_stealing_is_off(void **state)
{
	struct world world;
	struct tern_config config;
	tern_address agents[20];
	(void)state;
	roaming_config(&config, 2);
	config.steal = false;
	world_open(&world, &config);
	spawn_quick(&world, agents, 20);
	fill_ring(&world, agents, 20);
	tern_engine_advance(world.engine, 10 * HOG_NS);
	poll_one(&world, 1);
	world_settle(&world);
	assert_int_equal(stats_of_all(&world).stolen, 0);
	assert_int_equal(stats_of_all(&world).migrated, 0);
	assert_int_equal(stats_of_all(&world).steal_atomics, 0);
	world_close(&world);
}

static void half_of_the_lcores_steal_at_once(void **state)
{
	(void)state;
	for (uint32_t lcores = 2; lcores <= 6; lcores++) {
		struct world world;
		struct tern_config config;
		tern_address agents[20];
		uint32_t most = lcores > 2 ? lcores / 2 : 1;
		roaming_config(&config, lcores);
		world_open(&world, &config);
		spawn_quick(&world, agents, 20);
		fill_ring(&world, agents, 20);
		world.engine->thieves = most;
		for (uint32_t i = 1; i < lcores; i++)
			for (int tries = 0; tries < 20; tries++)
				poll_one(&world, i);
		assert_int_equal(stats_of_all(&world).stolen, 0);
		assert_int_equal(world.engine->thieves, most);
		world.engine->thieves = most - 1;
		for (int tries = 0; tries < 20; tries++)
			poll_one(&world, 1);
		assert_true(stats_of(&world, 1).stolen > 0);
		assert_int_equal(world.engine->thieves, most - 1);
		world.engine->thieves = 0;
		world_close(&world);
	}
}

/* The policy has more of a ring at a time while it has pinned ones to weigh them against. */
static void thieves_see_all_but_those_whose_turn_comes_next(void **state)
{
	struct world *world = *state;
	tern_address agents[8];
	spawn_quick(world, agents, 8);
	fill_ring(world, agents, 8);
	world_settle(world);
	tern_address hog = spawn_pinned_hog(world, 0);
	wake_all(world, &hog, 1);
	wake_all(world, agents, 8);
	poll_one(world, 0);
	assert_int_equal(ring_of(world, 0), 8 - TERN_ROAMING_BESIDE);
}

static void high_and_critical_agents_are_not_taken(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 20);
	tern_address agents[20], hogs[1];
	spawn_hogs(world, 0, 1, hogs);
	for (uint32_t i = 0; i < 20; i++) {
		struct tern_spawn_options options = {.lcore = 0,
						     .roaming = true,
						     .slice_us = 20,
						     .priority = i % 2 ? TERN_PRIORITY_HIGH
								       : TERN_PRIORITY_CRITICAL};
		roamers[i].cost_ns = HOG_NS;
		assert_int_equal(tern_spawn(world->self, &roamer_behaviour, &roamers[i], &options,
					    &agents[i]),
				 0);
	}
	world_settle(world);
	wake_all(world, agents, 20);
	for (int i = 0; i < 10; i++) {
		poll_one(world, 0);
		poll_one(world, 1);
	}
	assert_int_equal(stats_of_all(world).stolen, 0);
	world_settle(world);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(roamers[i].lcores, 1);
}

/* Low ones are, after the normal ones: eight at most, half of each ring. */
static void check_low(void **state, uint32_t normal, uint32_t low, uint32_t low_taken)
{
	tern_address agents[32], hogs[TERN_ROAMING_ADMITTED];
	roaming_setup_two(state);
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, normal + low);
	for (uint32_t i = 0; i < normal + low; i++) {
		struct tern_spawn_options options = {.lcore = 0,
						     .roaming = true,
						     .priority = i < low ? TERN_PRIORITY_LOW
									 : TERN_PRIORITY_NORMAL};
		agents[i] = TERN_ADDRESS_NONE;
		assert_int_equal(tern_spawn(world->self, &roamer_behaviour, &roamers[i], &options,
					    &agents[i]),
				 0);
	}
	world_settle(world);
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, hogs);
	wake_all(world, hogs, TERN_ROAMING_ADMITTED);
	wake_all(world, agents, normal + low);
	poll_one(world, 0);
	struct tern_run_ring *rings = world->engine->lcores[0].roaming.rings;
	uint32_t waiting = low - TERN_ROAMING_ADMITTED;
	assert_int_equal(tern_run_ring_count(&rings[0]), waiting);
	assert_int_equal(tern_run_ring_count(&rings[1]), normal);
	poll_one(world, 1);
	assert_int_equal(tern_run_ring_count(&rings[1]), normal / 2);
	assert_int_equal(tern_run_ring_count(&rings[0]), waiting - low_taken);
	world_teardown(state);
}

static void low_agents_are_taken_last(void **state)
{
	check_low(state, 8, 8, 4);
	check_low(state, 16, 16, 0);
}

/* An order of runs: who ran as which. */
static void the_agent_woken_last_runs_next(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 4);
	uint64_t clock = 0;
	tern_address agents[4];
	for (uint32_t i = 0; i < 4; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(world);
	for (uint32_t i = 0; i < 4; i++)
		roamers[i].clock = &clock;
	/* 0 wakes 3; 1 and 2 were queued before. */
	roamers[0].to = agents[3];
	wake_all(world, agents, 3);
	poll_one(world, 0);
	assert_int_equal(roamers[0].ran_at, 0);
	assert_int_equal(roamers[3].ran_at, 1);
	assert_int_equal(roamers[1].ran_at, 2);
	assert_int_equal(roamers[2].ran_at, 3);
}

/* Whoever waited in the slot when another is woken goes behind those that wait. */
static void the_slot_holds_one(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 4);
	uint64_t clock = 0;
	tern_address agents[4];
	for (uint32_t i = 0; i < 4; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(world);
	struct tern_lcore *lcore = &world->engine->lcores[0];
	tern_store(&lcore->turn.ticks, tern_clock_ticks(lcore->clock));
	for (uint32_t i = 0; i < 4; i++) {
		roamers[i].clock = &clock;
		tern_roaming_wake(lcore, agent_of(world, agents[i]));
		assert_ptr_equal(lcore->roaming.lifo, agent_of(world, agents[i]));
		assert_int_equal(ring_of(world, 0), i);
		tern_roaming_wake(lcore, agent_of(world, agents[i])); /* it is queued already */
		assert_int_equal(ring_of(world, 0), i);
	}
	/* They are run without a signal: nobody notices but the state word. */
	wake_all(world, agents, 4);
	poll_one(world, 0);
	assert_int_equal(roamers[3].ran_at, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(roamers[i].ran_at, i + 1);
}

/* Two that wake each other for ever let a third one run after three in a row. */
static void the_slot_runs_three_in_a_row(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 3);
	uint64_t clock = 0;
	tern_address agents[3];
	for (uint32_t i = 0; i < 3; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(world);
	for (uint32_t i = 0; i < 3; i++)
		roamers[i].clock = &clock;
	roamers[0].to = agents[1];
	roamers[1].to = agents[0];
	assert_int_equal(send_number(world->self, agents[0], PLAIN, 0), 0);
	assert_int_equal(send_number(world->self, agents[2], PLAIN, 0), 0);
	poll_one(world, 0);
	/* 0, then 1, 0, 1 by the slot, then 2. */
	assert_int_equal(roamers[2].probe.handled, 1);
	assert_int_equal(roamers[2].ran_at, 1 + TERN_LIFO_RUNS);
	roamers[0].to = roamers[1].to = TERN_ADDRESS_NONE;
	world_settle(world);
}

static void more_than_a_ring_holds_waits_for_anybody(void **state)
{
	enum { COUNT = TERN_RUN_RING_SIZE + 200 };
	struct world *world = *state;
	static tern_address agents[COUNT];
	struct roamer *roamers = world_roamers(world, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(world);
	tern_address hogs[TERN_ROAMING_ADMITTED];
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, hogs);
	wake_all(world, hogs, TERN_ROAMING_ADMITTED);
	wake_all(world, agents, COUNT);
	poll_one(world, 0);
	assert_int_equal(ring_of(world, 0), TERN_RUN_RING_SIZE - TERN_ROAMING_ADMITTED);
	assert_int_equal(tern_global_count(world->engine), 200 + TERN_ROAMING_ADMITTED);
	/* No theft: what overflowed is nobody's. */
	poll_one(world, 1);
	assert_int_equal(stats_of(world, 1).stolen, 0);
	poll_one(world, 1);
	assert_true(stats_of(world, 1).migrated >= 200);
	assert_int_equal(tern_global_count(world->engine), 0);
	world_settle(world);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(roamers[i].probe.handled, 1);
}

/* Those of the ring wake themselves for ever, and never leave it. */
static void who_waits_for_anybody_is_not_forgotten(void **state)
{
	enum { COUNT = TERN_RUN_RING_SIZE + 40 };
	struct world world;
	struct tern_config config;
	static tern_address agents[COUNT];
	(void)state;
	roaming_config(&config, 1);
	world_open(&world, &config);
	struct roamer *roamers = world_roamers(&world, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		agents[i] = spawn_roaming(&world, 0, &roamer_behaviour, &roamers[i]);
	world_settle(&world);
	for (uint32_t i = 0; i < COUNT; i++)
		roamers[i].to = agents[i];
	wake_all(&world, agents, COUNT);
	for (int i = 0; i < 100; i++)
		poll_one(&world, 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_true(roamers[i].probe.handled > 0);
		roamers[i].to = TERN_ADDRESS_NONE;
	}
	world_close(&world);
}

/* Far more ready at once, before anyone has run: each starts once and handles its signal. */
static void a_thousand_spawned_at_once_run_once_each(void **state)
{
	enum { COUNT = 1000 };
	struct world *world = *state;
	static tern_address agents[COUNT];
	struct roamer *roamers = world_roamers(world, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		agents[i] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[i]);
	wake_all(world, agents, COUNT);
	for (int i = 0; i < 50; i++)
		for (uint32_t lcore = 3; lcore-- > 0;)
			poll_one(world, lcore);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(roamers[i].probe.started, 1);
		assert_int_equal(roamers[i].probe.handled, 1);
		assert_int_equal(roamers[i].probe.early, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waited_long_is_taken_by_half_and_eight_at_most),
		ON_TWO(an_agent_just_woken_is_not_taken),
		cmocka_unit_test(nothing_is_taken_where_stealing_is_off),
		cmocka_unit_test(half_of_the_lcores_steal_at_once),
		ON_TWO(thieves_see_all_but_those_whose_turn_comes_next),
		ON_TWO(high_and_critical_agents_are_not_taken),
		cmocka_unit_test(low_agents_are_taken_last),
		ON_TWO(the_agent_woken_last_runs_next),
		ON_TWO(the_slot_holds_one),
		ON_TWO(the_slot_runs_three_in_a_row),
		ON_TWO(more_than_a_ring_holds_waits_for_anybody),
		cmocka_unit_test(who_waits_for_anybody_is_not_forgotten),
		ON_THREE(a_thousand_spawned_at_once_run_once_each),
	};
	return cmocka_run_group_tests_name("roaming: theft", tests, NULL, NULL);
}
