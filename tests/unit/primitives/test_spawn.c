/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: spawn makes exactly what was asked for or nothing, on the lcore asked for, started
 * before its first signal; slots, names and ids come and go as documented.
 * Method: probes that count their starts, signals and ends; each body runs with polled lcores
 * and with threads where it makes sense; max_agents is approached from every spawner.
 */
#include "tests/unit/support.h"

static void one_agent_starts_and_handles(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, NULL, &agent), 0);
	assert_int_not_equal(agent, TERN_ADDRESS_NONE);
	assert_true(tern_agent_alive(world->self, agent));
	assert_int_equal(send_number(world->self, agent, 7, 1), 0);
	UNTIL(world, seen(&probe->handled) == 1);
	assert_int_equal(probe->started, 1);
	assert_int_equal(probe->early, 0);
	assert_int_equal(probe->type, 7);
}

static void a_batch_has_distinct_living_agents(void **state)
{
	enum { COUNT = 300 };
	struct world *world = *state;
	struct probe *probes = world_probes(world, COUNT);
	void *states[COUNT];
	tern_address agents[COUNT];
	for (int i = 0; i < COUNT; i++)
		states[i] = &probes[i];
	assert_int_equal(
		tern_spawn_batch(world->self, &probe_behaviour, states, COUNT, NULL, agents),
		COUNT);
	for (int i = 0; i < COUNT; i++) {
		for (int j = 0; j < i; j++)
			assert_int_not_equal(agents[i], agents[j]);
		assert_int_equal(send_number(world->self, agents[i], 1, 0), 0);
	}
	for (int i = 0; i < COUNT; i++) {
		UNTIL(world, seen(&probes[i].handled) == 1);
		assert_int_equal(probes[i].early, 0);
		assert_int_equal(probes[i].lcore, (uint32_t)i % tern_engine_lcores(world->engine));
	}
}

static void a_batch_by_name_makes_one(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address agents[2] = {0};
	options.name = "only";
	struct probe *probes = world_probes(world, 2);
	void *states[2] = {&probes[0], &probes[1]};
	assert_int_equal(
		tern_spawn_batch(world->self, &probe_behaviour, states, 0, &options, agents), 0);
	assert_int_equal(
		tern_spawn_batch(world->self, &probe_behaviour, states, 2, &options, agents), 1);
	assert_int_equal(tern_errno, EEXIST);
	assert_int_equal(agents[1], TERN_ADDRESS_NONE);
	assert_int_equal(tern_agent_stop(world->self, agents[0]), 0);
	UNTIL(world, seen(&probes[0].stopped) == 1);
}

static void a_name_is_unique_and_freed_by_the_end(void **state)
{
	struct world *world = *state;
	struct probe first = {0}, second = {0};
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address agent, other = 42, found;
	char name[64];
	memset(name, 'n', 63);
	name[63] = '\0';
	options.name = name;
	assert_int_equal(tern_find(world->self, name, &other), -ENOENT);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, &first, &options, &agent), 0);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, &second, &options, &other),
			 -EEXIST);
	assert_int_equal(other, 42);
	assert_int_equal(tern_find(world->self, name, &found), 0);
	assert_int_equal(found, agent);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, tern_find(world->self, name, &found) == -ENOENT);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, &second, &options, &other), 0);
	assert_int_not_equal(agent, other);
	assert_int_equal(tern_find(world->self, name, &found), 0);
	assert_int_equal(found, other);
	assert_int_equal(send_number(world->self, agent, 0, 0), -ESRCH);
	struct tern_agent_stats stats;
	assert_int_equal(tern_agent_stats(world->engine, other, &stats), 0);
	assert_string_equal(stats.name, name);
	UNTIL(world, seen(&first.stopped) == 1);
	assert_int_equal(tern_agent_stop(world->self, other), 0);
	UNTIL(world, seen(&second.stopped) == 1);
}

static void each_lcore_can_be_chosen(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	struct probe *probes = world_probes(world, WORLD_LCORES);
	tern_address none = 42;
	for (uint32_t i = 0; i < lcores; i++)
		spawn_on(world->self, i, &probe_behaviour, &probes[i]);
	for (uint32_t i = 0; i < lcores; i++) {
		UNTIL(world, seen(&probes[i].started) == 1);
		assert_int_equal(seen(&probes[i].lcore), i);
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
		options.lcore = (uint32_t[]){lcores, lcores + 1, UINT32_MAX - 1}[i];
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, NULL, &options, &none),
				 -ENODEV);
	}
	assert_int_equal(none, 42);
}

static void options_out_of_range_make_nothing(void **state)
{
	struct world *world = *state;
	static const struct tern_behaviour empty = {.name = "empty"};
	char name[65];
	memset(name, 'n', 64);
	name[64] = '\0';
	const enum tern_policy conflate = TERN_POLICY_CONFLATE;
	const struct tern_spawn_options refused[] = {
		{.name = ""},
		{.name = name},
		{.priority = TERN_PRIORITY_CRITICAL + 1},
		{.priority = TERN_PRIORITY_LOW - 1},
		{.slice_us = 1000001},
		{.rate = 1000}, /* nobody keeps it under this policy */
		{.policy = TERN_POLICY_BLOCK + 1},
		{.capacity = (1u << 24) + 1},
		{.capacity = 10, .high_water = 11},
		{.capacity = 10, .high_water = 5, .low_water = 5},
		{.capacity = 10, .low_water = 9},
		{.high_water = 1001},
		{.policy = conflate},
		{.policy = conflate, .key_length = 9},
		{.policy = conflate, .key_length = 8, .key_offset = 33},
		{.policy = conflate, .key_length = 8, .key_offset = UINT32_MAX},
		{.policy = conflate, .key_length = 8, .capacity = TERN_CONFLATE_MAX + 1},
	};
	tern_address agent = 42;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int code = tern_spawn(world->self, &probe_behaviour, NULL, &refused[i], &agent);
		if (code != -EINVAL)
			fail_msg("options %zu: %d", i, code);
	}
	assert_int_equal(tern_spawn(world->self, &empty, NULL, NULL, &agent), -EINVAL);
	assert_int_equal(agent, 42);
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, tern_lcore_index(world->self), &stats);
	assert_int_equal(stats.spawned, 0);
}

static void options_at_their_limits_are_taken(void **state)
{
	struct world *world = *state;
	const struct tern_spawn_options taken[] = {
		{.capacity = 1},
		{.capacity = 1u << 24},
		{.capacity = 2, .high_water = 2, .low_water = 1},
		{.high_water = 1},
		{.policy = TERN_POLICY_CONFLATE, .key_length = 8, .key_offset = 32},
		{.policy = TERN_POLICY_CONFLATE, .key_length = 1, .capacity = TERN_CONFLATE_MAX},
	};
	struct probe probes[6] = {0};
	for (size_t i = 0; i < 6; i++) {
		tern_address agent;
		assert_int_equal(
			tern_spawn(world->self, &probe_behaviour, &probes[i], &taken[i], &agent),
			0);
		assert_int_equal(send_number(world->self, agent, 0, 0), 0);
		UNTIL(world, seen(&probes[i].handled) == 1);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		UNTIL(world, seen(&probes[i].stopped) == 1);
	}
}

static void ids_are_unique_and_end_with_their_agent(void **state)
{
	enum { COUNT = 200 };
	struct world *world = *state;
	tern_address agents[COUNT], found = 42;
	struct tern_id ids[COUNT], id = {1, 2};
	struct probe *probe = world_probes(world, 1);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, NULL, &agents[i]),
				 0);
		assert_int_equal(tern_agent_id(world->self, agents[i], &ids[i]), 0);
		for (int j = 0; j < i; j++)
			assert_false(ids[i].high == ids[j].high && ids[i].low == ids[j].low);
	}
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(tern_find_id(world->self, ids[i], &found), 0);
		assert_int_equal(found, agents[i]);
		assert_int_equal(tern_agent_stop(world->self, agents[i]), 0);
	}
	UNTIL(world, seen(&probe->stopped) == COUNT);
	for (int i = 0; i < COUNT; i++) {
		UNTIL(world, tern_find_id(world->self, ids[i], &found) == -ENOENT);
		assert_int_equal(tern_agent_id(world->self, agents[i], &id), -ESRCH);
		assert_int_equal(tern_agent_stop(world->self, agents[i]), -ESRCH);
		assert_int_equal(send_number(world->self, agents[i], 0, 0), -ESRCH);
	}
	assert_int_equal(id.high, 1);
}

static void a_slot_rests_longest_before_its_next_life(void **state)
{
	struct world *world = *state;
	struct probe probe = {0};
	tern_address agent;
	uint32_t last[4096] = {0}; /* generation in which a slot was seen last */
	uint32_t order[4096], lives = 0;
	for (; lives < 1000; lives++) {
		agent = spawn_on(world->self, 0, &probe_behaviour, &probe);
		uint32_t slot = tern_address_slot(agent);
		assert_true(slot < 4096);
		assert_int_equal(tern_address_generation(agent), last[slot] + 1);
		last[slot]++;
		order[lives] = slot;
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		UNTIL(world, seen(&probe.stopped) == lives + 1);
		UNTIL(world, !tern_agent_alive(world->self, agent));
		assert_int_equal(send_number(world->self, agent, 0, 0), -ESRCH);
	}
	for (uint32_t i = 1; i < lives; i++)
		for (uint32_t j = i > 16 ? i - 16 : 0; j < i; j++)
			assert_int_not_equal(order[i], order[j]);
}

/* Spawns one child on every lcore at its first signal, and signals them at once. */
struct parent {
	struct probe children[WORLD_LCORES];
	tern_address addresses[WORLD_LCORES];
	uint64_t failures;
};

TERN_HANDLER(static, parent_handle)
{
	struct parent *parent = state;
	uint32_t lcores = tern_engine_lcores(tern_engine_of(self));
	for (uint32_t i = 0; i < lcores; i++) {
		struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
		options.lcore = i;
		if (tern_spawn(self, &probe_behaviour, &parent->children[i], &options,
			       &parent->addresses[i]) != 0 ||
		    send_number(self, parent->addresses[i], 3, i) != 0)
			note(&parent->failures);
	}
}

static const struct tern_behaviour parent_behaviour = {.name = "parent", .handler = parent_handle};

static void a_handler_spawns_at_home_and_abroad(void **state)
{
	struct world *world = *state;
	struct parent *parent = world_memory(world, sizeof(*parent));
	tern_address agent = spawn_on(world->self, 0, &parent_behaviour, parent);
	assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++) {
		UNTIL(world, seen(&parent->children[i].handled) == 1);
		assert_int_equal(parent->children[i].started, 1);
		assert_int_equal(parent->children[i].early, 0);
		assert_int_equal(parent->children[i].lcore, i);
	}
	assert_int_equal(parent->failures, 0);
}

/*
 * Spawns more agents on lcore 2 than its express lane holds, so that most of them wait to be
 * adopted while a relay on lcore 1 already signals them.
 */
enum { CROWD = 40 };
struct crowd {
	struct probe members[CROWD];
	tern_address relay;
};

TERN_HANDLER(static, relay_handle)
{
	assert_int_equal(send_number(self, number_of(signal), 1, 0), 0);
}

TERN_HANDLER(static, crowd_handle)
{
	struct crowd *crowd = state;
	for (int i = 0; i < CROWD; i++) {
		tern_address member = spawn_on(self, 2, &probe_behaviour, &crowd->members[i]);
		assert_int_equal(send_number(self, crowd->relay, 0, member), 0);
	}
}

static void a_signal_that_overtakes_the_start_waits_for_it(void **state)
{
	static const struct tern_behaviour relay = {.name = "relay", .handler = relay_handle};
	static const struct tern_behaviour behaviour = {.name = "crowd", .handler = crowd_handle};
	struct world world;
	struct tern_config config;
	(void)state;
	world_config(&config, true);
	config.lcore_count = 3;
	config.lcores[2] = 2;
	config.express_depth = 16;
	world_open(&world, &config);
	struct crowd *crowd = world_memory(&world, sizeof(*crowd));
	crowd->relay = spawn_on(world.self, 1, &relay, NULL);
	tern_address agent = spawn_on(world.self, 0, &behaviour, crowd);
	assert_int_equal(send_number(world.self, agent, 0, 0), 0);
	world_settle(&world);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(crowd->members[i].started, 1);
		assert_int_equal(crowd->members[i].handled, 1);
		assert_int_equal(crowd->members[i].early, 0);
	}
	world_close(&world);
}

#define DRAWN 400u

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tern_id));
}

struct drawer {
	struct tern_id ids[DRAWN];
	uint64_t drawn;
};

TERN_HANDLER(static, drawer_handle)
{
	struct drawer *drawer = state;
	for (uint32_t i = 0; i < DRAWN; i++) {
		tern_address agent = spawn_on(self, tern_lcore_index(self), &sink_behaviour, NULL);
		assert_int_equal(tern_agent_id(self, agent, &drawer->ids[i]), 0);
	}
	put(&drawer->drawn, DRAWN);
}

/* Each spawner draws ids of its own: lcores and threads, for several seeds, 0 among them. */
static void ids_of_all_spawners_differ(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "drawer", .handler = drawer_handle};
	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct world world;
		struct tern_config config;
		world_config(&config, true);
		config.seed = seed;
		config.lcore_count = 4;
		config.lcores[2] = 2;
		config.lcores[3] = 3;
		world_open(&world, &config);
		struct drawer *drawers = world_memory(&world, 5 * sizeof(*drawers));
		for (uint32_t i = 0; i < 4; i++) {
			tern_address agent = spawn_on(world.self, i, &behaviour, &drawers[i]);
			assert_int_equal(send_number(world.self, agent, 0, 0), 0);
		}
		world_settle(&world);
		for (uint32_t i = 0; i < DRAWN; i++) {
			tern_address agent = spawn_on(world.self, 0, &sink_behaviour, NULL);
			assert_int_equal(tern_agent_id(world.self, agent, &drawers[4].ids[i]), 0);
		}
		struct tern_id *all = world_memory(&world, 5 * sizeof(drawers->ids));
		for (uint32_t i = 0; i < 5; i++)
			memcpy(&all[i * DRAWN], drawers[i].ids, sizeof(drawers->ids));
		qsort(all, 5 * DRAWN, sizeof(*all), compare_ids);
		for (uint32_t i = 1; i < 5 * DRAWN; i++)
			assert_int_not_equal(compare_ids(&all[i - 1], &all[i]), 0);
		world_close(&world);
	}
}

/* Names, bounds and slots come back wherever their agent lived, refused spawns among them. */
static void names_can_be_had_for_ever(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.name = "again", .lcore = 1};
	struct tern_spawn_options taken = {.name = "taken", .lcore = 1};
	tern_address agent, other;
	assert_int_equal(tern_spawn(world->self, &sink_behaviour, NULL, &taken, &other), 0);
	for (uint32_t i = 0; i < 40000; i++) {
		assert_int_equal(tern_spawn(world->self, &sink_behaviour, NULL, &options, &agent),
				 0);
		assert_int_equal(tern_spawn(world->self, &sink_behaviour, NULL, &taken, &other),
				 -EEXIST);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		world_settle(world);
	}
}

/* One that ends by itself while a stop is asked of it, and whose slot a refused spawn takes next.
 */
TERN_HANDLER(static, leaver_handle)
{
	(void)!tern_agent_stop(self, tern_self(self));
	tern_exit(self, 0);
}

static void slots_come_back_from_every_end(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "leaver", .handler = leaver_handle};
	(void)state;
	struct world world;
	struct tern_config config;
	world_config(&config, true);
	config.max_agents = 8;
	world_open(&world, &config);
	struct tern_spawn_options taken = {.name = "taken", .lcore = 0};
	tern_address agent;
	assert_int_equal(tern_spawn(world.self, &sink_behaviour, NULL, &taken, &agent), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		agent = spawn_on(world.self, 0, &behaviour, NULL);
		assert_int_equal(send_number(world.self, agent, 0, 0), 0);
		world_settle(&world);
		assert_int_equal(tern_spawn(world.self, &sink_behaviour, NULL, &taken, &agent),
				 -EEXIST);
	}
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(one_agent_starts_and_handles),
		BOTH(a_batch_has_distinct_living_agents),
		BOTH(a_batch_by_name_makes_one),
		BOTH(a_name_is_unique_and_freed_by_the_end),
		BOTH(each_lcore_can_be_chosen),
		POLLED(options_out_of_range_make_nothing),
		BOTH(options_at_their_limits_are_taken),
		BOTH(ids_are_unique_and_end_with_their_agent),
		POLLED(a_slot_rests_longest_before_its_next_life),
		BOTH(a_handler_spawns_at_home_and_abroad),
		cmocka_unit_test(a_signal_that_overtakes_the_start_waits_for_it),
		cmocka_unit_test(ids_of_all_spawners_differ),
		POLLED(names_can_be_had_for_ever),
		cmocka_unit_test(slots_come_back_from_every_end),
	};
	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
