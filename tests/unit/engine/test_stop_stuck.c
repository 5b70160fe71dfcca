/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stop ends in time though a function of an agent does not return. It names the agent,
 * ends the others properly, counts what it can see, and leaves one thread and no descriptor. When
 * the function returns after all, its thread ends and calls nothing of the user's any more.
 * Method: each function that an agent can have is made to wait for the test; agents on the same
 * lcore and on the other are counted before and after it may go on; threads and descriptors of the
 * process are counted.
 */
#include "tests/unit/support.h"

#include <dirent.h>
#include <pthread.h>

enum { NEIGHBOURS = 6, GO = 1, DRAIN_NS = 20000000, STUCK_NS_MAX = 10000000000ull };

/* In which of its functions the agent waits. */
enum where { IN_HANDLER, IN_START, IN_EVENT, IN_ERROR, IN_STOP, IN_FIBER, IN_RECEIVE, PLACES };

struct trap {
	enum where where;
	uint64_t free; /* the test says that it may go on */
	uint64_t entered;
	uint64_t left;
	uint64_t after; /* functions called after it had left */
	tern_address peer;
};

static void wait_in(struct trap *trap, enum where where)
{
	if (trap->left)
		note(&trap->after);
	if (trap->where != where || trap->left)
		return;
	put(&trap->entered, 1);
	while (!seen(&trap->free))
		breathe();
	put(&trap->left, 1);
}

static void trap_start(struct tern_agent *self, void *state)
{
	(void)self;
	wait_in(state, IN_START);
}

static void trap_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)self, (void)event;
	wait_in(state, IN_EVENT);
}

static void trap_error(struct tern_agent *self, void *state, const struct tern_error *error)
{
	(void)self, (void)error;
	wait_in(state, IN_ERROR);
}

static void trap_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)self, (void)why, (void)result;
	wait_in(state, IN_STOP);
}

TERN_HANDLER(static, trap_handle)
{
	struct trap *trap = state;
	enum where where = trap->where; /* the test may free the trap once it has been left */
	wait_in(trap, IN_HANDLER);
	if (where == IN_ERROR)
		tern_fail(self, -EIO, "to hear of it");
	if (where == IN_EVENT && tern_watch(self, trap->peer) == 0)
		tern_agent_stop(self, trap->peer);
}

TERN_FIBER(static, trap_fiber)
{
	struct trap *trap = state;
	enum where where = trap->where;
	while (tern_recv(self, TERN_FOREVER)) {
		if (trap->left)
			note(&trap->after);
		wait_in(trap, IN_FIBER);
		/* It receives on and on, and so comes by the engine, but never leaves. */
		if (where == IN_RECEIVE) {
			put(&trap->entered, 1);
			while (!seen(&trap->free))
				breathe();
			put(&trap->left, 1);
		}
	}
	note(&trap->after);
	return 0;
}

static const struct tern_behaviour trap_behaviour = {.name = "trap",
						     .handler = trap_handle,
						     .on_start = trap_start,
						     .on_event = trap_event,
						     .on_error = trap_error,
						     .on_stop = trap_stop};
static const struct tern_behaviour trap_fiber_behaviour = {
	.name = "fiber trap", .fiber = trap_fiber, .on_stop = trap_stop};

static uint64_t entries_of(const char *path)
{
	uint64_t entries = 0;
	DIR *directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory))
		entries++;
	closedir(directory);
	return entries;
}

/* A thread that has ended may stay listed for a moment. */
static void wait_for_tasks(uint64_t tasks)
{
	struct patience patience = {0};
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (entries_of("/proc/self/task") != tasks) {
		if (patience_ns(&patience) > PATIENCE_NS)
			fail_msg("a thread stays behind");
		breathe();
	}
}

static uint64_t since(const struct timespec *from)
{
	struct patience patience = {.from = *from};
	return patience_ns(&patience);
}

/* An engine with agents on each lcore, and one of lcore 0 that is about to get stuck. */
struct scene {
	struct world world;
	struct trap *trap;
	struct probe *near; /* on the trap's lcore */
	struct probe *far;
	tern_address trapped;
	uint32_t lcores;
};

static bool is_fiber(enum where where)
{
	return where == IN_FIBER || where == IN_RECEIVE;
}

static void open_scene(struct scene *scene, enum where where,
		       const struct tern_spawn_options *options)
{
	struct tern_config config;
	world_config(&config, false);
	config.steal = config.rebalance = false; /* who roams stays where it is */
	world_open(&scene->world, &config);
	struct world *world = &scene->world;
	scene->lcores = tern_engine_lcores(world->engine);
	scene->near = world_probes(world, NEIGHBOURS);
	scene->far = world_probes(world, NEIGHBOURS);
	scene->trap = world_memory(world, sizeof(*scene->trap));
	scene->trap->where = where;
	scene->trap->peer = spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
	for (int i = 0; i < NEIGHBOURS; i++) {
		spawn_on(world->self, 0, &probe_behaviour, &scene->near[i]);
		spawn_on(world->self, scene->lcores - 1, &probe_behaviour, &scene->far[i]);
	}
	UNTIL(world, seen(&scene->near[NEIGHBOURS - 1].started) &&
			     seen(&scene->far[NEIGHBOURS - 1].started));
	const struct tern_behaviour *behaviour =
		is_fiber(where) ? &trap_fiber_behaviour : &trap_behaviour;
	assert_int_equal(tern_spawn(world->self, behaviour, scene->trap, options, &scene->trapped),
			 0);
	if (where == IN_STOP)
		return;
	if (where != IN_START)
		assert_int_equal(send_number(world->self, scene->trapped, GO, 0), 0);
	UNTIL(world, seen(&scene->trap->entered));
}

static uint64_t calls(const struct probe *probes)
{
	uint64_t sum = 0;
	for (int i = 0; i < NEIGHBOURS; i++)
		sum += seen(&probes[i].started) + seen(&probes[i].handled) +
		       seen(&probes[i].stopped) + seen(&probes[i].returned);
	return sum;
}

static void assert_stuck(struct scene *scene, const struct tern_stop_report *report,
			 const char *name)
{
	assert_int_equal(report->stuck, 1);
	assert_string_equal(report->stuck_list[0].name, name);
	assert_true(report->stuck_list[0].agent == scene->trapped);
	assert_int_equal(report->stuck_list[0].lcore, 0);
	for (int i = 0; i < NEIGHBOURS && scene->lcores > 1; i++) {
		assert_int_equal(seen(&scene->far[i].stopped), 1);
		assert_int_equal(scene->far[i].why, TERN_END_SHUTDOWN);
	}
}

/* It goes on, and with it nothing else of the user's. */
static void let_go(struct scene *scene, uint64_t tasks)
{
	uint64_t before = calls(scene->near);
	put(&scene->trap->free, 1);
	wait_for_tasks(tasks);
	assert_int_equal(seen(&scene->trap->left), 1);
	assert_int_equal(seen(&scene->trap->after), 0);
	assert_int_equal(calls(scene->near), before);
	world_forget(&scene->world);
}

static void stop_is_stuck_in(enum where where, const struct tern_spawn_options *options)
{
	struct scene scene;
	struct tern_stop_report report;
	struct timespec from;
	uint64_t tasks = entries_of("/proc/self/task"), files = entries_of("/proc/self/fd");
	open_scene(&scene, where, options);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(world_stop(&scene.world, DRAIN_NS, &report), -ETIMEDOUT);
	assert_true(since(&from) < STUCK_NS_MAX);
	assert_int_equal(seen(&scene.trap->entered), 1);
	assert_stuck(&scene, &report, is_fiber(where) ? "fiber trap" : "trap");
	assert_int_equal(entries_of("/proc/self/fd"), files);
	assert_int_equal(entries_of("/proc/self/task"), tasks + 1);
	let_go(&scene, tasks);
}

static void each_function_may_be_the_stuck_one(void **state)
{
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	(void)state;
	options.lcore = 0;
	for (enum where where = 0; where < PLACES; where++)
		stop_is_stuck_in(where, &options);
}

static void so_it_is_for_agents_of_every_kind(void **state)
{
	struct tern_spawn_options critical = {.lcore = 0, .priority = TERN_PRIORITY_CRITICAL};
	struct tern_spawn_options roaming = {.lcore = 0, .roaming = true};
	(void)state;
	stop_is_stuck_in(IN_HANDLER, &critical);
	stop_is_stuck_in(IN_HANDLER, &roaming);
}

/* What waits behind the signal in hand, in the lane and in mailboxes, is counted from outside. */
static void what_waits_behind_it_is_counted(void **state)
{
	enum { WAITING = 50 };
	struct tern_spawn_options options = {.lcore = 0};
	(void)state;
	for (int fiber = 0; fiber < 2; fiber++) {
		struct scene scene;
		struct tern_stop_report report;
		uint64_t tasks = entries_of("/proc/self/task");
		open_scene(&scene, fiber ? IN_FIBER : IN_HANDLER, &options);
		for (uint16_t i = 0; i < WAITING; i++)
			assert_int_equal(send_number(scene.world.self, scene.trapped, i, 0), 0);
		tern_iso *iso = tern_iso_create(tern_heap(scene.world.self), 100);
		assert_null(tern_signal_iso(scene.world.self, scene.trapped, WAITING, iso));
		assert_int_equal(world_stop(&scene.world, 0, &report), -ETIMEDOUT);
		assert_false(report.drained);
		assert_int_equal(report.undelivered, WAITING + 1);
		assert_int_equal(report.listed, TERN_STOP_LIST_MAX);
		for (uint32_t i = 0; i < report.listed; i++) {
			assert_true(report.list[i].to == scene.trapped);
			assert_int_equal(report.list[i].type, i);
		}
		assert_int_equal(report.blocks_leaked, 1);
		/* The trap, its neighbours and its peer. */
		uint32_t lost = scene.lcores > 1 ? NEIGHBOURS + 2 : 2 * NEIGHBOURS + 2;
		assert_int_equal(report.agents_lost, lost);
		assert_int_equal(report.agents_ended, 2 * NEIGHBOURS + 2 - lost);
		let_go(&scene, tasks);
	}
}

/* Agents that roam end elsewhere, though the stuck lcore ran them last. */
static void what_roams_ends_elsewhere(void **state)
{
	enum { ROAMERS = 20 };
	struct tern_spawn_options options = {.lcore = 0}, roaming = {.lcore = 0, .roaming = true};
	struct tern_config config;
	struct scene scene = {0};
	struct tern_stop_report report;
	tern_address agents[ROAMERS];
	uint64_t tasks = entries_of("/proc/self/task");
	(void)state;
	world_config(&config, false);
	config.steal = config.rebalance = false;
	world_open(&scene.world, &config);
	scene.lcores = tern_engine_lcores(scene.world.engine);
	if (scene.lcores < 2) {
		world_close(&scene.world);
		print_message("one CPU: there is no other lcore\n");
		skip();
	}
	struct world *world = &scene.world;
	struct probe *probes = world_probes(world, ROAMERS);
	for (int i = 0; i < ROAMERS; i++) {
		assert_int_equal(
			tern_spawn(world->self, &probe_behaviour, &probes[i], &roaming, &agents[i]),
			0);
		assert_int_equal(send_number(world->self, agents[i], 1, 0), 0);
	}
	for (int i = 0; i < ROAMERS; i++)
		UNTIL(world, seen(&probes[i].handled) == 1);
	scene.near = world_probes(world, NEIGHBOURS);
	scene.trap = world_memory(world, sizeof(*scene.trap));
	scene.trapped = spawn_on(world->self, options.lcore, &trap_behaviour, scene.trap);
	assert_int_equal(send_number(world->self, scene.trapped, GO, 0), 0);
	UNTIL(world, seen(&scene.trap->entered));
	assert_int_equal(world_stop(world, DRAIN_NS, &report), -ETIMEDOUT);
	assert_int_equal(report.agents_lost, 1);
	assert_int_equal(report.agents_ended, ROAMERS);
	for (int i = 0; i < ROAMERS; i++) {
		assert_int_equal(seen(&probes[i].stopped), 1);
		assert_int_equal(probes[i].lcore, 0);
	}
	let_go(&scene, tasks);
}

static void a_new_engine_works_beside_what_is_stuck(void **state)
{
	struct tern_spawn_options options = {.lcore = 0};
	struct scene scene;
	struct tern_stop_report report;
	uint64_t tasks = entries_of("/proc/self/task");
	(void)state;
	open_scene(&scene, IN_HANDLER, &options);
	assert_int_equal(world_stop(&scene.world, DRAIN_NS, &report), -ETIMEDOUT);
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		world_config(&config, polled);
		world_open(&world, &config);
		struct sink *sink = world_memory(&world, sizeof(*sink));
		tern_address agent = spawn_on(world.self, 0, &sink_behaviour, sink);
		for (uint64_t i = 0; i < 100; i++)
			assert_int_equal(send_number(world.self, agent, 1, i), 0);
		UNTIL(&world, seen(&sink->expected) == 100);
		world_close(&world);
	}
	let_go(&scene, tasks);
}

static void every_lcore_may_be_stuck(void **state)
{
	struct world world;
	struct tern_config config;
	struct tern_stop_report report;
	struct trap *traps[WORLD_LCORES];
	tern_address agents[WORLD_LCORES];
	uint64_t tasks = entries_of("/proc/self/task");
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	uint32_t lcores = tern_engine_lcores(world.engine);
	for (uint32_t i = 0; i < lcores; i++) {
		struct tern_spawn_options options = {.lcore = i, .name = i ? "one" : "zero"};
		traps[i] = world_memory(&world, sizeof(*traps[i]));
		assert_int_equal(
			tern_spawn(world.self, &trap_behaviour, traps[i], &options, &agents[i]), 0);
		assert_int_equal(send_number(world.self, agents[i], GO, 0), 0);
		UNTIL(&world, seen(&traps[i]->entered));
	}
	assert_int_equal(world_stop(&world, 0, &report), -ETIMEDOUT);
	assert_int_equal(report.stuck, lcores);
	assert_int_equal(report.agents_lost, lcores);
	for (uint32_t i = 0; i < lcores; i++) {
		assert_int_equal(report.stuck_list[i].lcore, i);
		assert_true(report.stuck_list[i].agent == agents[i]);
		assert_string_equal(report.stuck_list[i].name, i ? "one" : "zero");
	}
	for (uint32_t i = 0; i < lcores; i++)
		put(&traps[i]->free, 1);
	wait_for_tasks(tasks);
	for (uint32_t i = 0; i < lcores; i++)
		assert_int_equal(seen(&traps[i]->left), 1);
	world_forget(&world);
}

/* Slow is not stuck: each on_stop has a grace of its own. */
static void slow_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)self, (void)why, (void)result;
	struct timespec from;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (since(&from) < 300000000)
		breathe();
	note((uint64_t *)state);
}

static void slow_is_not_stuck(void **state)
{
	enum { SLOW = 6 };
	static const struct tern_behaviour slow = {
		.name = "slow", .handler = probe_handle, .on_stop = slow_stop};
	struct world world;
	struct tern_config config;
	struct tern_stop_report report;
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	uint64_t *stopped = world_memory(&world, sizeof(*stopped));
	for (int i = 0; i < SLOW; i++)
		spawn_on(world.self, 0, &slow, stopped);
	assert_int_equal(world_stop(&world, PATIENCE_NS / 1000, &report), 0);
	assert_int_equal(*stopped, SLOW);
	assert_int_equal(report.stuck, 0);
	assert_int_equal(report.agents_lost, 0);
	assert_int_equal(report.agents_ended, SLOW);
	world_forget(&world);
}

/* Sanitizers start a thread of their own with the first other one. */
static int start_helpers(void **state)
{
	struct world world;
	struct tern_config config;
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	world_close(&world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_function_may_be_the_stuck_one),
		cmocka_unit_test(so_it_is_for_agents_of_every_kind),
		cmocka_unit_test(what_waits_behind_it_is_counted),
		cmocka_unit_test(what_roams_ends_elsewhere),
		cmocka_unit_test(a_new_engine_works_beside_what_is_stuck),
		cmocka_unit_test(every_lcore_may_be_stuck),
		cmocka_unit_test(slow_is_not_stuck),
	};
	return cmocka_run_group_tests_name("stop stuck", tests, start_helpers, NULL);
}
