/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: as many agents as the configuration promises can be made, whatever they need beside a slot:
 * names, bounds, rates, fibers, histograms; and what one left in its slot is not found in the next.
 * Method: engines are filled to max_agents by one maker, a thread or a handler, emptied, and filled
 * again; what is known of each agent is looked at from outside.
 */
#include "tests/unit/support.h"

enum { MANY = 30000 };

/* ThreadSanitizer knows of no more than 8,128 fibers. */
#ifdef __SANITIZE_THREAD__
enum { FIBERS = 4000 };
#else
enum { FIBERS = 15000 };
#endif

TERN_HANDLER(static, idle_handle)
{
	(void)self;
	(void)state;
	(void)signal;
}

static const struct tern_behaviour idle_behaviour = {.name = "idle", .handler = idle_handle};

TERN_FIBER(static, waiting_fiber)
{
	(void)state;
	while (tern_recv(self, TERN_FOREVER))
		;
	return 0;
}

static const struct tern_behaviour waiting_behaviour = {.name = "waiting", .fiber = waiting_fiber};

/* Makes agents until it has made all, or one is refused. */
struct maker {
	const struct tern_behaviour *behaviour;
	struct tern_spawn_options options;
	bool named;
	uint32_t wanted;
	uint64_t made; /* in this round */
	int code;
	uint64_t rounds;
	tern_address *agents;
};

static void make_all(struct tern_agent *self, struct maker *maker)
{
	char name[32];
	maker->code = 0;
	maker->made = 0;
	while (maker->made < maker->wanted && maker->code == 0) {
		struct tern_spawn_options options = maker->options;
		snprintf(name, sizeof(name), "agent-%u", (unsigned)maker->made);
		if (maker->named)
			options.name = name;
		maker->code = tern_spawn(self, maker->behaviour, NULL, &options,
					 &maker->agents[maker->made]);
		maker->made += maker->code == 0;
	}
	note(&maker->rounds);
}

TERN_HANDLER(static, maker_handle)
{
	(void)signal;
	make_all(self, state);
}

static const struct tern_behaviour maker_behaviour = {.name = "maker", .handler = maker_handle};

static void end_all(struct world *world, const struct maker *maker)
{
	for (uint64_t i = 0; i < maker->made; i++) {
		assert_int_equal(tern_agent_stop(world->self, maker->agents[i]), 0);
		if (i % 256 == 255)
			world_poll(world);
	}
	for (uint64_t i = 0; i < maker->made; i++)
		UNTIL(world, !tern_agent_alive(world->self, maker->agents[i]));
}

static void check_names(struct world *world, const struct maker *maker)
{
	struct tern_agent_stats stats;
	char name[32];
	for (uint64_t i = 0; i < maker->made; i += 97) {
		tern_address found = TERN_ADDRESS_NONE;
		snprintf(name, sizeof(name), "agent-%u", (unsigned)i);
		assert_int_equal(tern_agent_stats(world->engine, maker->agents[i], &stats), 0);
		assert_string_equal(stats.name, maker->named ? name : "");
		if (maker->named)
			assert_int_equal(tern_find(world->self, name, &found), 0);
		if (maker->named)
			assert_int_equal(found, maker->agents[i]);
	}
}

/* Filled twice, so that every slot's second life is seen as well. */
static void fill_twice(struct world *world, struct maker *maker, bool by_handler)
{
	tern_address agent = TERN_ADDRESS_NONE;
	if (by_handler)
		agent = spawn_on(world->self, 0, &maker_behaviour, maker);
	for (uint64_t round = 1; round <= 2; round++) {
		if (by_handler)
			assert_int_equal(send_number(world->self, agent, 0, 0), 0);
		else
			make_all(world->self, maker);
		UNTIL(world, seen(&maker->rounds) == round);
		assert_int_equal(maker->code, 0);
		assert_int_equal(maker->made, maker->wanted);
		check_names(world, maker);
		end_all(world, maker);
	}
}

static void run(struct maker maker, uint32_t wanted, bool by_handler, uint32_t trace_every)
{
	struct tern_config config;
	struct world world;
	world_config(&config, true);
	config.trace_every = trace_every;
	config.max_agents = wanted + by_handler;
	world_open(&world, &config);
	maker.wanted = wanted;
	maker.options.lcore = TERN_LCORE_ANY;
	maker.agents = world_memory(&world, wanted * sizeof(*maker.agents));
	fill_twice(&world, &maker, by_handler);
	world_close(&world);
}

static void as_many_names_as_agents(void **state)
{
	struct tern_config defaults;
	(void)state;
	tern_config_init(&defaults);
	run((struct maker){.behaviour = &idle_behaviour, .named = true}, defaults.max_agents, false,
	    0);
	run((struct maker){.behaviour = &idle_behaviour, .named = true}, MANY, true, 0);
}

static void as_many_bounds_and_slices_as_agents(void **state)
{
	(void)state;
	run((struct maker){.behaviour = &idle_behaviour,
			   .options = {.policy = TERN_POLICY_DROP_OLDEST, .slice_us = 7}},
	    MANY, true, 0);
}

static void as_many_fibers_as_agents(void **state)
{
	(void)state;
	run((struct maker){.behaviour = &waiting_behaviour, .options = {.stack_bytes = 16384}},
	    FIBERS, false, 0);
	run((struct maker){.behaviour = &waiting_behaviour,
			   .named = true,
			   .options = {.stack_bytes = 16384}},
	    FIBERS, true, 0);
}

static void as_many_histograms_as_agents(void **state)
{
	(void)state;
	run((struct maker){.behaviour = &idle_behaviour}, 5000, false, 1);
}

/* What a signal left in a slot's histograms is not its next agent's. */
static void a_slot_that_is_used_again_has_measured_nothing(void **state)
{
	struct tern_histogram hops[TERN_HOPS];
	struct tern_config config;
	struct world world;
	(void)state;
	world_config(&config, true);
	config.trace_every = 1;
	config.max_agents = 1;
	world_open(&world, &config);
	for (int life = 0; life < 2000; life++) {
		struct tern_spawn_options options = {.name = life % 2 ? "odd" : NULL};
		struct tern_agent_stats stats;
		tern_address agent;
		assert_int_equal(tern_spawn(world.self, &idle_behaviour, NULL, &options, &agent),
				 0);
		assert_int_equal(tern_agent_anatomy(world.engine, agent, hops), 0);
		assert_int_equal(hops[TERN_HOP_HANDLER].count, 0);
		assert_int_equal(tern_agent_stats(world.engine, agent, &stats), 0);
		assert_string_equal(stats.name, life % 2 ? "odd" : "");
		assert_int_equal(send_number(world.self, agent, 0, 0), 0);
		world_settle(&world);
		assert_int_equal(tern_agent_anatomy(world.engine, agent, hops), 0);
		assert_int_equal(hops[TERN_HOP_HANDLER].count, 1);
		assert_int_equal(tern_agent_stop(world.self, agent), 0);
		world_settle(&world);
		assert_false(tern_agent_alive(world.self, agent));
	}
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_names_as_agents),
		cmocka_unit_test(as_many_bounds_and_slices_as_agents),
		cmocka_unit_test(as_many_fibers_as_agents),
		cmocka_unit_test(as_many_histograms_as_agents),
		cmocka_unit_test(a_slot_that_is_used_again_has_measured_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
