/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no more waits for an agent than tern_config_bounds() says, and nearly so much may.
 * Method: floods from each lcore and several threads at an agent that does not get to run, of
 * several capacities, lane depths and priorities; polled, so that its lcore stands still or takes
 * its lanes in between.
 */
#include "tests/unit/support.h"

enum { THREADS = 3 };

struct flood {
	tern_address to;
	uint64_t accepted;
	uint64_t done;
};

static uint64_t flood(struct tern_agent *self, tern_address to)
{
	uint64_t accepted = 0;
	int code;
	while ((code = send_number(self, to, 1, accepted)) == 0)
		accepted++;
	assert_int_equal(code, -EAGAIN);
	return accepted;
}

TERN_HANDLER(static, flood_handle)
{
	struct flood *mine = state;
	(void)signal;
	mine->accepted += flood(self, mine->to);
	mine->done++;
}

static const struct tern_behaviour flood_behaviour = {.name = "flood", .handler = flood_handle};

struct scene {
	struct world world;
	struct tern_config config;
	struct tern_config_bounds bounds;
	struct tern_agent *threads[THREADS];
	struct flood flood;
	struct probe *probe;
};

/* The agent lives on lcore 1, who floods on lcore 0; it handles nothing while it is paused. */
static void open_scene(struct scene *scene, const struct tern_spawn_options *options,
		       uint32_t depth)
{
	struct world *world = &scene->world;
	*scene = (struct scene){0};
	world_config(&scene->config, true);
	scene->config.max_threads = THREADS + 1;
	scene->config.data_depth = depth;
	scene->config.express_depth = depth;
	world_open(world, &scene->config);
	tern_config_bounds(&scene->config, options->capacity, &scene->bounds);
	scene->probe = world_probes(world, 1);
	assert_int_equal(
		tern_spawn(world->self, &probe_behaviour, scene->probe, options, &scene->flood.to),
		0);
	for (int i = 0; i < THREADS; i++)
		scene->threads[i] = tern_thread_attach(world->engine, NULL, NULL);
	assert_int_equal(tern_agent_pause(world->self, scene->flood.to), 0);
	world_settle(world);
}

static void flood_by_all(struct scene *scene, tern_address handler)
{
	uint64_t before = scene->flood.done;
	assert_int_equal(send_number(scene->world.self, handler, 0, 0), 0);
	while (scene->flood.done == before)
		tern_lcore_poll(tern_engine_lcore(scene->world.engine, 0));
	scene->flood.accepted += flood(scene->world.self, scene->flood.to);
	for (int i = 0; i < THREADS; i++)
		scene->flood.accepted += flood(scene->threads[i], scene->flood.to);
}

static uint64_t most_that_waits(const struct tern_spawn_options *options, uint32_t depth,
				struct tern_config_bounds *bounds)
{
	struct scene scene;
	open_scene(&scene, options, depth);
	tern_address handler = spawn_on(scene.world.self, 0, &flood_behaviour, &scene.flood);
	world_settle(&scene.world);
	/* Full lanes, then a full mailbox, then what the lanes take until that is known. */
	for (int i = 0; i < 5; i++) {
		flood_by_all(&scene, handler);
		tern_lcore_poll(tern_engine_lcore(scene.world.engine, 1));
	}
	flood_by_all(&scene, handler);
	assert_int_equal(scene.probe->handled, 0);
	uint64_t most = scene.flood.accepted;
	assert_int_equal(tern_agent_resume(scene.world.self, scene.flood.to), 0);
	UNTIL(&scene.world, scene.probe->handled == most);
	for (int i = 0; i < THREADS; i++)
		tern_thread_detach(scene.threads[i]);
	world_close(&scene.world);
	*bounds = scene.bounds;
	return most;
}

static void a_pinned_agent_keeps_its_bound(void **state)
{
	static const uint32_t capacities[] = {1, 10, 500}, depths[] = {64, 1024, 2048};
	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct tern_spawn_options options = {.lcore = 1, .capacity = capacities[i % 3]};
		struct tern_config_bounds bounds;
		uint64_t most = most_that_waits(&options, depths[i / 3], &bounds);
		assert_in_range(most, bounds.pinned / 4, bounds.pinned);
		options.priority = TERN_PRIORITY_CRITICAL;
		most = most_that_waits(&options, depths[i / 3], &bounds);
		assert_in_range(most, bounds.critical / 4, bounds.critical);
	}
}

static void a_roaming_agent_keeps_its_bound(void **state)
{
	static const uint32_t capacities[] = {1, 10, 500};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tern_spawn_options options = {
			.lcore = 1, .capacity = capacities[i], .roaming = true};
		struct tern_config_bounds bounds;
		uint64_t most = most_that_waits(&options, 1024, &bounds);
		assert_in_range(most, capacities[i] - capacities[i] / 5, bounds.roaming);
		assert_int_equal(bounds.roaming, 2 * capacities[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pinned_agent_keeps_its_bound),
		cmocka_unit_test(a_roaming_agent_keeps_its_bound),
	};
	return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
