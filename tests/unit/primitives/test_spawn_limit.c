/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: max_agents is kept exactly, whoever spawns and however often, and an agent that ends
 * gives place to exactly one more.
 * Method: agents on each lcore and two attached threads spawn in turns of random length up to
 * the limit of an engine; the model is a count.
 */
#include "tests/unit/support.h"

enum { LIMIT = 500 };

/* Spawns as many agents as its signal says, on lcore 0, and counts what became of it. */
struct spawner {
	uint64_t made;
	uint64_t refused;
	uint64_t other; /* failed otherwise */
	tern_address address;
	tern_address *list;
	uint64_t *listed;
	struct probe *probe;
};

static void spawn_some(struct tern_agent *self, struct spawner *spawner, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
		tern_address agent;
		options.lcore = (uint32_t)i % WORLD_LCORES;
		int code = tern_spawn(self, &probe_behaviour, spawner->probe, &options, &agent);
		if (code == 0) {
			spawner->made++;
			spawner->list[(*spawner->listed)++] = agent;
		} else if (code == -EAGAIN) {
			spawner->refused++;
		} else {
			spawner->other++;
		}
	}
}

TERN_HANDLER(static, spawner_handle)
{
	spawn_some(self, state, number_of(signal));
}

static const struct tern_behaviour spawner_behaviour = {.name = "spawner",
							.handler = spawner_handle};

static void the_limit_is_exact_for_every_spawner(void **state)
{
	static tern_address list[LIMIT + 64];
	static struct probe probe;
	struct tern_rng rng = {.state = test_seed(5)};
	struct tern_config config;
	struct world world;
	uint64_t alive = 0;
	(void)state;
	world_config(&config, true);
	config.max_agents = LIMIT;
	world_open(&world, &config);
	struct tern_agent *second = tern_thread_attach(world.engine, NULL, NULL);
	struct spawner spawners[4] = {0};
	for (int i = 0; i < 4; i++) {
		spawners[i].list = list;
		spawners[i].listed = &alive;
		spawners[i].probe = &probe;
		if (i < 2)
			spawners[i].address =
				spawn_on(world.self, (uint32_t)i, &spawner_behaviour, &spawners[i]);
	}
	world_settle(&world);
	for (int round = 0; round < 400; round++) {
		uint32_t who = pick(&rng, 4), count = pick(&rng, 120);
		struct spawner *spawner = &spawners[who];
		uint64_t before = alive, refused = spawner->refused;
		uint64_t room = LIMIT - 2 - alive, fits = count < room ? count : room;
		if (who < 2)
			assert_int_equal(send_number(world.self, spawner->address, 0, count), 0);
		else
			spawn_some(who == 2 ? world.self : second, spawner, count);
		world_settle(&world);
		assert_int_equal(alive - before, fits);
		assert_int_equal(spawner->refused - refused, count - fits);
		assert_int_equal(spawner->other, 0);
		for (uint32_t ends = pick(&rng, 60); ends && alive; ends--) {
			uint32_t at = pick(&rng, (uint32_t)alive);
			assert_int_equal(tern_agent_stop(world.self, list[at]), 0);
			list[at] = list[--alive];
		}
		world_settle(&world);
	}
	tern_thread_detach(second);
	world_close(&world);
}

/* What one lcore was once allowed must not be left to it when others have used up the rest. */
static void early_spawners_keep_no_claim(void **state)
{
	struct tern_config config;
	struct world world;
	tern_address list[LIMIT + 1];
	uint64_t alive = 0;
	(void)state;
	world_config(&config, true);
	config.max_agents = LIMIT;
	world_open(&world, &config);
	struct tern_agent *second = tern_thread_attach(world.engine, NULL, NULL);
	struct spawner first = {.list = list, .listed = &alive, .probe = world_probes(&world, 1)};
	struct spawner others = first;
	spawn_some(world.self, &first, 1);
	spawn_some(second, &others, LIMIT);
	assert_int_equal(others.made, LIMIT - 1);
	spawn_some(world.self, &first, 1);
	assert_int_equal(first.refused, 1);
	/* And the other way round: what the other holds unused is there for the asking. */
	assert_int_equal(tern_agent_stop(second, list[0]), 0);
	UNTIL(&world, (tern_thread_poll(second), !tern_agent_alive(second, list[0])));
	spawn_some(world.self, &first, 2);
	assert_int_equal(first.made, 2);
	assert_int_equal(first.refused, 2);
	tern_thread_detach(second);
	world_close(&world);
}

static void a_full_engine_recovers_one_for_one(void **state)
{
	static struct probe probe;
	struct tern_config config;
	struct world world;
	tern_address agents[10], more;
	(void)state;
	world_config(&config, true);
	config.max_agents = 10;
	world_open(&world, &config);
	assert_int_equal(tern_spawn_batch(world.self, &probe_behaviour,
					  (void *[10]){&probe, &probe, &probe, &probe, &probe,
						       &probe, &probe, &probe, &probe, &probe},
					  10, NULL, agents),
			 10);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probe, NULL, &more),
				 -EAGAIN);
		assert_int_equal(tern_agent_stop(world.self, agents[i % 10]), 0);
		world_settle(&world);
		assert_int_equal(
			tern_spawn(world.self, &probe_behaviour, &probe, NULL, &agents[i % 10]), 0);
	}
	world_close(&world);
}

/* A spawn refused for its name must not count, nor use up a place. */
static void a_refused_name_uses_up_nothing(void **state)
{
	static struct probe probe;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	struct tern_config config;
	struct world world;
	struct tern_lcore_stats stats;
	tern_address agent;
	(void)state;
	world_config(&config, true);
	config.max_agents = 2;
	world_open(&world, &config);
	options.name = "taken";
	assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probe, &options, &agent), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probe, &options, &agent),
				 -EEXIST);
	tern_lcore_stats(world.engine, tern_lcore_index(world.self), &stats);
	assert_int_equal(stats.spawned, 1);
	assert_int_equal(stats.agents_ended, 0);
	options.name = NULL;
	assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probe, &options, &agent), 0);
	assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probe, &options, &agent),
			 -EAGAIN);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_is_exact_for_every_spawner),
		cmocka_unit_test(early_spawners_keep_no_claim),
		cmocka_unit_test(a_full_engine_recovers_one_for_one),
		cmocka_unit_test(a_refused_name_uses_up_nothing),
	};
	return cmocka_run_group_tests_name("spawn limit", tests, NULL, NULL);
}
