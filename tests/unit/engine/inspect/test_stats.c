/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: counters add up, the latency anatomy says where a signal's time went, and the memory
 * report is plausible for any size of engine.
 * Method: known loads under a virtual clock; traced signals whose hops the test sets with the
 * clock; engines of many sizes.
 */
#include "tests/unit/engine/slow.h"

static struct tern_lcore_stats all_stats(const struct world *world)
{
	struct tern_lcore_stats all = {0};
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine) + 4; i++) {
		struct tern_lcore_stats one;
		tern_lcore_stats(world->engine, i, &one);
		all.sent += one.sent;
		all.handled += one.handled;
		all.in_place += one.in_place;
		all.queued += one.queued;
		all.dropped += one.dropped;
		all.returned += one.returned;
		all.lost += one.lost;
		all.timers += one.timers;
		all.spawned += one.spawned;
		all.agents_ended += one.agents_ended;
		all.blocks_out += one.blocks_out;
	}
	return all;
}

static void assert_adds_up(const struct tern_lcore_stats *all)
{
	assert_int_equal(all->sent + all->timers,
			 all->handled + all->dropped + all->returned + all->lost);
}

static void counters_add_up(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.policy = TERN_POLICY_DROP_OLDEST, .capacity = 10};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	struct probe *probe = world_probes(world, 1);
	tern_address other = spawn_on(world->self, 0, &probe_behaviour, probe);
	struct tern_lcore_stats before = all_stats(world);
	assert_adds_up(&before);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(send_number(world->self, other, 1, 0), 0);
	world_settle(world);
	for (int i = 0; i < 30; i++)
		assert_int_equal(send_number(world->self, other, 1, 0), 0);
	assert_int_equal(tern_agent_stop(world->self, other), 0);
	assert_int_equal(send_number(world->self, tern_self(world->self), 1, 0), 0);
	world_settle(world);
	struct tern_lcore_stats all = all_stats(world);
	assert_int_equal(all.sent - before.sent, 181);
	assert_int_equal(all.handled - before.handled, slow->count + 50);
	assert_int_equal(all.dropped - before.dropped, 100 - slow->count);
	assert_int_equal(all.returned - before.returned, 30);
	assert_int_equal(all.lost - before.lost, 1); /* the thread has no behaviour */
	assert_int_equal(all.spawned, 2);
	assert_int_equal(all.agents_ended, 1);
	assert_adds_up(&all);
}

static void threads_count_alike(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address agent = spawn_on(world->self, 0, &sink_behaviour, sink);
	struct tern_agent_stats stats;
	for (uint64_t i = 0; i < 10000; i++)
		UNTIL(world, send_number(world->self, agent, 1, i) == 0);
	UNTIL(world, seen(&sink->expected) == 10000);
	UNTIL(world, (tern_agent_stats(world->engine, agent, &stats), stats.queued == 0));
	assert_int_equal(stats.signals_in, 10000);
	assert_int_equal(stats.signals_out, 0);
	assert_int_equal(stats.lcore, 0);
	assert_int_equal(stats.address, agent);
	assert_string_equal(stats.behaviour, "sink");
	assert_string_equal(stats.name, "");
	assert_int_equal(tern_agent_stats(world->engine, tern_self(world->self), &stats), 0);
	assert_int_equal(stats.signals_out, 10000);
	/* The batch in hand is counted when it is done. */
	struct tern_lcore_stats all = {0};
	UNTIL(world, (all = all_stats(world), all.handled == 10000));
	assert_int_equal(all.sent, 10000);
	assert_adds_up(&all);
	assert_true(all.in_place <= all.handled + 8);
}

static void nobody_has_no_stats(void **state)
{
	struct world *world = *state;
	struct tern_agent_stats stats = {.queued = 42};
	struct tern_lcore_stats lcore = {.sent = 42};
	struct tern_histogram hops[TERN_HOPS];
	const tern_address nobody[] = {TERN_ADDRESS_NONE, UINT64_MAX, tern_address_make(0, 99, 1),
				       tern_address_make(0, 60000000, 1)};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(tern_agent_stats(world->engine, nobody[i], &stats), -ESRCH);
		assert_int_equal(tern_agent_anatomy(world->engine, nobody[i], hops), -ESRCH);
	}
	assert_int_equal(stats.queued, 42);
	tern_lcore_stats(world->engine, 1000, &lcore);
	assert_int_equal(lcore.sent, 0);
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	assert_int_equal(tern_agent_anatomy(world->engine, agent, hops), -ENODATA);
}

/* Takes as long as its signal says. */
TERN_HANDLER(static, timed_handle)
{
	uint64_t *count = state;
	tern_engine_advance(tern_engine_of(self), number_of(signal));
	++*count;
}

static const struct tern_behaviour timed_behaviour = {.name = "timed", .handler = timed_handle};

static void open_traced(struct world *world, uint32_t trace_every)
{
	struct tern_config config;
	world_config(&config, true);
	config.trace_every = trace_every;
	world_open(world, &config);
}

static bool near(uint64_t value, uint64_t expected)
{
	uint64_t slack = expected / 25 + 32; /* a bucket, and a stamp of 16 ns at either end */
	return value + slack >= expected && value <= expected + slack;
}

static void one_in_trace_every_is_timed(void **state)
{
	(void)state;
	for (uint32_t every = 1; every <= 10; every += 3) {
		struct world world;
		struct tern_histogram hops[TERN_HOPS];
		open_traced(&world, every);
		uint64_t *count = world_memory(&world, sizeof(*count));
		tern_address agent = spawn_on(world.self, 0, &timed_behaviour, count);
		for (int i = 0; i < 300; i++)
			assert_int_equal(send_number(world.self, agent, 1, 100), 0);
		world_settle(&world);
		assert_int_equal(*count, 300);
		assert_int_equal(tern_agent_anatomy(world.engine, agent, hops), 0);
		for (int hop = 0; hop < TERN_HOPS; hop++)
			assert_int_equal(hops[hop].count, 300 / every);
		world_close(&world);
	}
}

/* Delays of every size go through the packing between drain and handler. */
static void the_hops_add_up_at_every_scale(void **state)
{
	(void)state;
	for (uint64_t scale = 64; scale < 10000000000u; scale *= 7) {
		struct world world;
		struct tern_histogram hops[TERN_HOPS];
		open_traced(&world, 1);
		uint64_t *count = world_memory(&world, sizeof(*count));
		tern_address agent = spawn_on(world.self, 0, &timed_behaviour, count);
		world_settle(&world);
		assert_int_equal(send_number(world.self, agent, 1, 3 * scale), 0);
		tern_engine_advance(world.engine, scale);
		world_settle(&world);
		assert_int_equal(tern_agent_anatomy(world.engine, agent, hops), 0);
		assert_true(near(hops[TERN_HOP_LANE].max, scale));
		/* The drain's delay is kept to 0.05 %: what it is short of shows here. */
		assert_true(hops[TERN_HOP_QUEUE].max <= 64 + scale / 1024);
		assert_true(near(hops[TERN_HOP_HANDLER].max, 3 * scale));
		world_close(&world);
	}
}

/* Two waits in a mailbox while the first one's handler runs. */
static void time_in_a_mailbox_is_queue_time(void **state)
{
	struct world world;
	struct tern_histogram hops[TERN_HOPS];
	(void)state;
	open_traced(&world, 1);
	uint64_t *count = world_memory(&world, sizeof(*count));
	tern_address agent = spawn_on(world.self, 0, &timed_behaviour, count);
	world_settle(&world);
	for (int i = 0; i < 70; i++) /* until the lcore looks at the clock each time */
		assert_int_equal(send_number(world.self, agent, 1, 1000000), 0);
	world_settle(&world);
	assert_int_equal(tern_agent_anatomy(world.engine, agent, hops), 0);
	assert_int_equal(hops[TERN_HOP_QUEUE].count, 70);
	/* Nothing is counted twice: hop for hop, the sum is send to end. */
	uint64_t sum = 0;
	for (int i = 0; i < TERN_HOPS; i++)
		sum += hops[i].sum;
	assert_true(near(sum / 1000, 70ull * 71 / 2 * 1000));
	assert_true(hops[TERN_HOP_QUEUE].max > 1000000);
	world_close(&world);
}

static void idle_agents_stay_small(void **state)
{
	const uint32_t sizes[] = {1,	 1000,	4096,	30000,	65535,
				  65536, 70000, 130000, 262144, 1000000};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct world world;
		struct tern_config config;
		struct tern_memory memory;
		world_config(&config, true);
		config.max_agents = sizes[i];
		world_open(&world, &config);
		tern_engine_memory(world.engine, &memory);
		if (memory.bytes_per_agent > 256)
			fail_msg("max_agents %u: %" PRIu64 " bytes an agent", sizes[i],
				 memory.bytes_per_agent);
		assert_true(memory.bytes_per_agent >= 128);
		assert_int_equal(memory.page_bytes, 4096);
		assert_false(memory.transparent);
		/* Blocks and mailboxes of two lcores and four threads are all in it. */
		assert_true(memory.bytes >= (2ull * 8 + 4 * 5) << 20);
		assert_true(memory.bytes >= (uint64_t)sizes[i] * memory.bytes_per_agent);
		assert_int_equal(memory.lane_bytes, 0);
		world_close(&world);
	}
}

static void lanes_are_counted_when_made(void **state)
{
	struct world *world = *state;
	struct tern_memory memory;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 1, &probe_behaviour, probe);
	tern_engine_memory(world->engine, &memory);
	assert_int_equal(memory.lane_bytes, 0); /* a spawn needs none */
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	tern_engine_memory(world->engine, &memory);
	assert_true(memory.lane_bytes >= 1024 * 64 && memory.lane_bytes < 1024 * 64 + 256);
}

/* Lets time pass in its turn, then sends. */
struct dawdler {
	tern_address to;
	uint64_t age; /* of what it was sent, ns */
};

TERN_HANDLER(static, dawdler_handle)
{
	struct dawdler *dawdler = state;
	dawdler->age = tern_signal_age(self, signal);
	tern_engine_advance(tern_engine_of(self), 1600);
	if (dawdler->to)
		assert_int_equal(send_number(self, dawdler->to, 0, 0), 0);
}

static uint64_t age_of_second(bool stamp_each)
{
	static const struct tern_behaviour behaviour = {.name = "dawdler",
							.handler = dawdler_handle};
	struct world world;
	struct tern_config config;
	world_config(&config, true);
	config.stamp_each_signal = stamp_each;
	world_open(&world, &config);
	struct dawdler *dawdlers = world_memory(&world, 2 * sizeof(*dawdlers));
	dawdlers[0].to = spawn_on(world.self, 0, &behaviour, &dawdlers[1]);
	tern_address first = spawn_on(world.self, 0, &behaviour, &dawdlers[0]);
	assert_int_equal(send_number(world.self, first, 0, 0), 0);
	world_settle(&world);
	uint64_t age = dawdlers[1].age;
	world_close(&world);
	return age;
}

/* A stamp is the turn's, or the signal's own on request; both to 16 ticks. */
static void stamps_are_of_the_turn_or_the_signal(void **state)
{
	(void)state;
	assert_in_range(age_of_second(false), 1600 - 16, 1600 + 16);
	assert_in_range(age_of_second(true), 0, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(counters_add_up),
		BOTH(threads_count_alike),
		POLLED(nobody_has_no_stats),
		cmocka_unit_test(one_in_trace_every_is_timed),
		cmocka_unit_test(the_hops_add_up_at_every_scale),
		cmocka_unit_test(time_in_a_mailbox_is_queue_time),
		cmocka_unit_test(idle_agents_stay_small),
		POLLED(lanes_are_counted_when_made),
		cmocka_unit_test(stamps_are_of_the_turn_or_the_signal),
	};
	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
