/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming agent keeps its rate where some lcores keep none: nobody takes it there, nor
 * sends it, whoever wakes it and wherever it waits; to an lcore that keeps rates it may go.
 * Method: three polled lcores, of which the second runs by priority; its signals' times are held
 * against the rate while it is flooded from everywhere, asked to move, and its lcore looks stuck.
 */
#include "tests/unit/engine/roamers.h"

enum { RATE = 10000, INTERVAL_NS = 100000, FREE = 1, STEP_NS = 7000, TIMES = 400 };

/* Keeps when it ran. */
struct rated {
	struct roamer roamer; /* first */
	uint64_t at[TIMES];
};

TERN_HANDLER(static, rated_handle)
{
	struct rated *rated = state;
	if (rated->roamer.probe.handled < TIMES)
		rated->at[rated->roamer.probe.handled] = tern_now(self);
	roamer_handle(self, &rated->roamer, signal);
}

static const struct tern_behaviour rated_behaviour = {.name = "rated",
						      .handler = rated_handle,
						      .on_start = probe_start,
						      .on_event = probe_event,
						      .on_stop = probe_stop};

static tern_address spawn_rated(struct world *world, struct rated **rated)
{
	struct tern_spawn_options options = {
		.lcore = 0, .roaming = true, .rate = RATE, .rate_burst = 1};
	tern_address agent = TERN_ADDRESS_NONE;
	*rated = world_memory(world, sizeof(**rated));
	assert_int_equal(tern_spawn(world->self, &rated_behaviour, *rated, &options, &agent), 0);
	world_settle(world);
	return agent;
}

static void assert_rate(const struct rated *rated, uint64_t least)
{
	uint64_t handled = rated->roamer.probe.handled;
	assert_in_range(handled, least, TIMES);
	for (uint64_t i = 1; i < handled; i++)
		if (rated->at[i] - rated->at[i - 1] < INTERVAL_NS)
			fail_msg("signal %" PRIu64 " came %" PRIu64 " ns after the one before", i,
				 rated->at[i] - rated->at[i - 1]);
	assert_false(rated->roamer.lcores >> FREE & 1);
	assert_int_equal(rated->roamer.twice, 0);
}

static void open_mixed(struct world *world, bool rebalance)
{
	struct tern_config config;
	struct tern_error error = {""};
	roaming_config(&config, 3);
	config.metrics_interval_ms = rebalance;
	config.rebalance = rebalance;
	config.steal = !rebalance;
	if (tern_config_set(&config, "scheduler.policy=rate_based,priority,rate_based", &error))
		fail_msg("%s", error.text);
	world_open(world, &config);
}

static int mixed_setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	open_mixed(world, false);
	*state = world;
	return 0;
}

/* Its wait ends by time, not by work. */
static void let_handle(struct world *world, const struct rated *rated, uint64_t handled)
{
	while (rated->roamer.probe.handled < handled) {
		assert_true(rated->roamer.probe.handled < TIMES);
		world_settle(world);
		tern_engine_advance(world->engine, STEP_NS);
	}
}

/* From a thread, from its own lcore (the slot of who was woken last) and from another one. */
static void whoever_wakes_it(void **state)
{
	struct world *world = *state;
	struct rated *rated;
	struct roamer *roamers = world_roamers(world, 3);
	tern_address agent = spawn_rated(world, &rated), senders[3];
	senders[0] = spawn_roaming(world, 0, &roamer_behaviour, &roamers[0]);
	senders[1] = spawn_on(world->self, 0, &roamer_behaviour, &roamers[1]);
	senders[2] = spawn_on(world->self, FREE, &roamer_behaviour, &roamers[2]);
	world_settle(world);
	for (uint32_t i = 0; i < 3; i++)
		roamers[i].to = agent;
	for (int i = 0; i < 200; i++) {
		if (i % 10 == 0)
			wake_all(world, &senders[i / 10 % 3], 1);
		if (i % 35 == 0)
			wake_all(world, &agent, 1);
		for (uint32_t lcore = 3; lcore-- > 0;)
			poll_one(world, (lcore + (uint32_t)i) % 3);
		tern_engine_advance(world->engine, STEP_NS);
	}
	uint64_t sent = 6 + roamers[0].sent + roamers[1].sent + roamers[2].sent;
	let_handle(world, rated, sent);
	assert_rate(rated, sent);
}

static void while_it_waits_no_thief_takes_it(void **state)
{
	struct world *world = *state;
	struct rated *rated;
	tern_address agent = spawn_rated(world, &rated), hogs[TERN_ROAMING_ADMITTED];
	spawn_hogs(world, 0, TERN_ROAMING_ADMITTED, hogs);
	for (int i = 0; i < 20; i++) {
		wake_all(world, hogs, TERN_ROAMING_ADMITTED);
		wake_all(world, &agent, 1);
		poll_one(world, 0);
		assert_int_equal(ring_of(world, 0), 0);
		poll_one(world, FREE);
		poll_one(world, FREE);
	}
	assert_int_equal(stats_of(world, FREE).stolen, 0);
	let_handle(world, rated, 20);
	assert_rate(rated, 20);
}

/* What waited while it was paused is in its mailbox, not in its ring. */
static void after_a_pause_it_makes_nothing_up(void **state)
{
	struct world *world = *state;
	struct rated *rated;
	tern_address agent = spawn_rated(world, &rated);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	world_settle(world);
	for (int i = 0; i < 30; i++) {
		wake_all(world, &agent, 1);
		world_settle(world);
		tern_engine_advance(world->engine, STEP_NS);
	}
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	let_handle(world, rated, 30);
	assert_rate(rated, 30);
}

static void it_goes_only_where_rates_are_kept(void **state)
{
	struct world *world = *state;
	struct rated *rated;
	tern_address agent = spawn_rated(world, &rated);
	for (int i = 0; i < 30; i++)
		wake_all(world, &agent, 1);
	for (uint64_t handled = 1; handled <= 30; handled++) {
		move_to(world, agent, FREE);
		let_handle(world, rated, handled);
		move_to(world, agent, handled < 15 ? 0 : 2);
		world_settle(world);
	}
	assert_rate(rated, 30);
	settle_fully(world);
	wake_all(world, &agent, 1);
	let_handle(world, rated, 31);
	assert_rate(rated, 31);
	assert_int_equal(rated->roamer.lcores, 5);
}

/* Of those handed to an lcore that does not look, one that keeps no rates takes the others. */
static void a_stuck_lcore_keeps_it(void **state)
{
	struct world *world = *state;
	struct rated *rated;
	struct roamer *roamer = world_roamers(world, 1);
	struct tern_lcore *stuck = &world->engine->lcores[0];
	tern_address agents[] = {spawn_rated(world, &rated),
				 spawn_roaming(world, 0, &roamer_behaviour, roamer)};
	settle_fully(world);
	for (int i = 0; i < 20; i++)
		wake_all(world, agents, 2);
	tern_store(&stuck->turn.is_on, true);
	tern_engine_advance(world->engine, 100 * AFTER_US * 1000);
	for (int i = 0; i < 40; i++)
		poll_one(world, FREE);
	assert_int_equal(roamer->probe.handled, 20);
	assert_int_equal(roamer->lcores, 1u << FREE);
	assert_int_equal(rated->roamer.probe.handled, 0);
	/* Who keeps rates may help. */
	while (rated->roamer.probe.handled < 5) {
		poll_one(world, 2);
		tern_engine_advance(world->engine, STEP_NS);
	}
	tern_store(&stuck->turn.is_on, false);
	let_handle(world, rated, 20);
	assert_rate(rated, 20);
}

/* The busiest agent of all has a rate: another one goes to where none is kept. */
static void the_rebalance_passes_it_over(void **state)
{
	struct world world;
	struct rated *rated;
	(void)state;
	open_mixed(&world, true);
	struct roamer *other = world_roamers(&world, 1);
	tern_address agent = spawn_rated(&world, &rated), hog = spawn_hog(&world, 0, other);
	/* Lcore 2 is never the one with the lowest load. */
	tern_address busy = spawn_pinned_hog(&world, 2);
	rated->roamer.cost_ns = 2 * HOG_NS;
	for (int i = 0; i < 300; i++) {
		wake_all(&world, &agent, 1);
		wake_all(&world, &hog, 1);
		if (i % 2)
			wake_all(&world, &busy, 1);
		world_settle(&world);
		tern_engine_advance(world.engine, HOG_NS);
	}
	assert_int_equal(lcore_of(&world, hog), FREE);
	assert_int_equal(lcore_of(&world, agent), 0);
	assert_rate(rated, 300);
	world_close(&world);
}

#define MIXED(body) cmocka_unit_test_setup_teardown(body, mixed_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIXED(whoever_wakes_it),
		MIXED(while_it_waits_no_thief_takes_it),
		MIXED(after_a_pause_it_makes_nothing_up),
		MIXED(it_goes_only_where_rates_are_kept),
		MIXED(a_stuck_lcore_keeps_it),
		cmocka_unit_test(the_rebalance_passes_it_over),
	};
	return cmocka_run_group_tests_name("roaming: rates", tests, NULL, NULL);
}
