/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stop drains what was accepted, reports truly what it could not, ends every agent once
 * and leaves nothing of the engine in the process; engines do not notice each other.
 * Method: stops under load, with a deadline that agents will not meet, and with blocks kept;
 * threads, mappings and files of the process are counted around many starts and failed starts.
 */
#include "tests/unit/support.h"

#include <dirent.h>
#include <sys/resource.h>

/* Sanitizers map so much address space, and at any time, that it can be neither limited nor
 * compared. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

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

static uint64_t mappings(void)
{
	char line[512];
	uint64_t lines = 0;
	FILE *file = fopen("/proc/self/maps", "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		lines++;
	fclose(file);
	return lines;
}

static void a_stop_drains_under_load(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		uint64_t sent[2] = {0};
		world_config(&config, polled);
		world_open(&world, &config);
		struct sink *sinks[2];
		tern_address agents[2];
		for (uint32_t i = 0; i < 2; i++) {
			sinks[i] = world_memory(&world, sizeof(*sinks[i]));
			agents[i] = spawn_on(world.self, i % tern_engine_lcores(world.engine),
					     &sink_behaviour, sinks[i]);
		}
		for (int i = 0; i < 1500; i++)
			for (int j = 0; j < 2; j++)
				sent[j] += send_number(world.self, agents[j], 1, sent[j]) == 0;
		assert_int_equal(world_stop(&world, UINT64_MAX, &report), 0); /* for ever */
		assert_true(report.drained);
		assert_int_equal(report.undelivered, 0);
		assert_int_equal(report.listed, 0);
		assert_int_equal(report.blocks_leaked, 0);
		assert_int_equal(report.agents_ended, 2);
		for (int i = 0; i < 2; i++) {
			assert_true(sent[i] > 0);
			assert_int_equal(sinks[i]->expected, sent[i]);
			assert_int_equal(sinks[i]->wrong, 0);
		}
		world_forget(&world);
	}
}

static void what_was_not_delivered_is_listed(void **state)
{
	(void)state;
	for (uint64_t count = 0; count <= 3 * TERN_STOP_LIST_MAX; count += 24) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, true);
		world_open(&world, &config);
		struct probe *probe = world_probes(&world, 1);
		tern_address to = spawn_on(world.self, 1, &probe_behaviour, probe);
		tern_address from = tern_self(world.self);
		world_settle(&world);
		for (uint64_t i = 0; i < count; i++) {
			tern_iso *iso = tern_iso_create(tern_heap(world.self), 100);
			assert_null(tern_signal_iso(world.self, to, (uint16_t)i, iso));
		}
		/* No time to drain. */
		int code = tern_engine_stop(world.engine, 0, &report);
		assert_int_equal(code, count ? -ETIMEDOUT : 0);
		assert_int_equal(report.drained, count == 0);
		assert_int_equal(report.undelivered, count);
		assert_int_equal(report.listed,
				 count < TERN_STOP_LIST_MAX ? count : TERN_STOP_LIST_MAX);
		for (uint32_t i = 0; i < report.listed; i++) {
			assert_int_equal(report.list[i].to, to);
			assert_int_equal(report.list[i].from, from);
			assert_int_equal(report.list[i].type, i);
		}
		assert_int_equal(report.blocks_leaked, 0);
		assert_int_equal(probe->handled, 0);
		assert_int_equal(probe->stopped, 1);
		assert_int_equal(probe->why, TERN_END_SHUTDOWN);
		world_forget(&world);
	}
}

/* Two agents that never stop answering each other. */
TERN_HANDLER(static, player_handle)
{
	tern_address *peer = state;
	(void)!send_number(self, *peer ? *peer : tern_signal_from(signal), 1, 0);
}

static const struct tern_behaviour player_behaviour = {.name = "player", .handler = player_handle};

static void a_game_without_end_meets_the_deadline(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++)
		for (uint32_t home = 0; home < WORLD_LCORES; home++) {
			struct world world;
			struct tern_config config;
			struct tern_stop_report report;
			world_config(&config, polled);
			world_open(&world, &config);
			tern_address *peers = world_memory(&world, 2 * sizeof(*peers));
			tern_address a = spawn_on(world.self, 0, &player_behaviour, &peers[0]);
			tern_address b =
				spawn_on(world.self, home % tern_engine_lcores(world.engine),
					 &player_behaviour, &peers[1]);
			peers[0] = b;
			peers[1] = a;
			assert_int_equal(send_number(world.self, a, 1, 0), 0);
			if (polled)
				world_poll(&world);
			assert_int_equal(world_stop(&world, 5000000, &report), -ETIMEDOUT);
			assert_false(report.drained);
			/* On threads the peer may be gone when the last answer is tried. */
			assert_true(report.undelivered == 1 || (!polled && !report.undelivered));
			assert_int_equal(report.listed, report.undelivered);
			assert_int_equal(report.agents_ended, 2);
			world_forget(&world);
		}
}

/* Nobody resumes it: what it was sent is neither handled nor lost. */
static void what_waits_for_a_paused_agent_is_reported(void **state)
{
	enum { COUNT = 7 };
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		enum tern_agent_state at = TERN_STATE_NEW;
		struct tern_spawn_options options = {.lcore = 0, .roaming = way / 2};
		world_config(&config, way % 2);
		world_open(&world, &config);
		struct probe *probe = world_probes(&world, 1);
		tern_address agent;
		assert_int_equal(tern_spawn(world.self, &probe_behaviour, probe, &options, &agent),
				 0);
		assert_int_equal(tern_agent_pause(world.self, agent), 0);
		UNTIL(&world,
		      tern_agent_state(world.self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
		for (uint64_t i = 0; i < COUNT; i++)
			assert_int_equal(send_number(world.self, agent, 1, i), 0);
		for (int i = 0; i < 3; i++)
			world_poll(&world);
		assert_int_equal(world_stop(&world, 1000000, &report), -ETIMEDOUT);
		assert_false(report.drained);
		assert_int_equal(report.undelivered, COUNT);
		assert_int_equal(report.list[0].to, agent);
		assert_int_equal(probe->handled, 0);
		assert_int_equal(probe->why, TERN_END_SHUTDOWN);
		world_forget(&world);
	}
}

/* Keeps every block it is sent. */
struct keeper {
	uint64_t kept;
	tern_iso *isos[64];
	const tern_val *vals[64];
};

TERN_HANDLER(static, keeper_handle)
{
	struct keeper *keeper = state;
	if (tern_signal_has_iso(signal))
		keeper->isos[keeper->kept] = tern_signal_take_iso(signal);
	else
		keeper->vals[keeper->kept] = tern_signal_take_val(signal);
	note(&keeper->kept);
}

static void blocks_kept_by_agents_are_counted(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "keeper", .handler = keeper_handle};
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, polled);
		world_open(&world, &config);
		struct keeper *keeper = world_memory(&world, sizeof(*keeper));
		tern_address to = spawn_on(world.self, 0, &behaviour, keeper);
		for (int i = 0; i < 5; i++) {
			tern_iso *iso = tern_iso_create(tern_heap(world.self), 100);
			assert_null(tern_signal_iso(world.self, to, 0, iso));
			iso = tern_iso_create(tern_heap(world.self), 3000);
			assert_null(tern_signal_val(world.self, to, 0, tern_iso_freeze(iso)));
		}
		UNTIL(&world, seen(&keeper->kept) == 10);
		assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
		assert_int_equal(report.blocks_leaked, 10);
		assert_int_equal(report.undelivered, 0);
		world_forget(&world);
	}
}

/* What on_stop sends has nobody to go to any more, and is reported. */
static void last_words_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	tern_address *to = state;
	(void)why, (void)result;
	(void)!send_number(self, *to, 77, 0);
}

static void last_words_are_reported(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "last words", .handler = player_handle, .on_stop = last_words_stop};
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, polled);
		world_open(&world, &config);
		tern_address *to = world_memory(&world, sizeof(*to));
		*to = tern_self(world.self);
		spawn_on(world.self, 0, &behaviour, to);
		if (polled)
			world_settle(&world);
		assert_int_equal(tern_engine_stop(world.engine, PATIENCE_NS, &report), 0);
		assert_true(report.drained);
		assert_int_equal(report.undelivered, 1);
		assert_int_equal(report.list[0].type, 77);
		assert_int_equal(report.list[0].to, *to);
		world_forget(&world);
	}
}

static void run_one(bool polled)
{
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

static void fifty_engines_leave_nothing(void **state)
{
	(void)state;
	run_one(true);
	run_one(false);
	uint64_t maps = mappings(), files = entries_of("/proc/self/fd");
	uint64_t tasks = entries_of("/proc/self/task");
	for (int i = 0; i < 50; i++)
		run_one(i % 2);
	assert_int_equal(entries_of("/proc/self/task"), tasks);
	assert_int_equal(entries_of("/proc/self/fd"), files);
	/* The C library may keep a thread's stack or an arena of its own. */
	assert_true(SANITIZED || mappings() <= maps + 4);
}

static void two_engines_keep_apart(void **state)
{
	struct world worlds[2];
	struct sink *sinks[2];
	tern_address agents[2], found;
	struct tern_config config;
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		for (int i = 0; i < 2; i++) {
			struct tern_spawn_options options = {.name = "same"};
			world_config(&config, polled);
			world_open(&worlds[i], &config);
			sinks[i] = world_memory(&worlds[i], sizeof(*sinks[i]));
			assert_int_equal(tern_spawn(worlds[i].self, &sink_behaviour, sinks[i],
						    &options, &agents[i]),
					 0);
			assert_int_equal(tern_find(worlds[i].self, "same", &found), 0);
			assert_int_equal(found, agents[i]);
		}
		for (uint64_t n = 0; n < 500; n++)
			for (int i = 0; i < 2; i++)
				assert_int_equal(send_number(worlds[i].self, agents[i], 1, n), 0);
		for (int i = 0; i < 2; i++) {
			UNTIL(&worlds[i], seen(&sinks[i]->expected) == 500);
			assert_int_equal(sinks[i]->wrong, 0);
			world_close(&worlds[i]);
		}
	}
}

static int try_start(const struct tern_config *config)
{
	struct tern_engine *engine = (struct tern_engine *)-1;
	struct tern_error error = {""};
	int code = tern_engine_start(&engine, config, &error);
	assert_ptr_equal(engine, (struct tern_engine *)-1);
	assert_true(error.text[0] != '\0');
	return code;
}

/* More memory than there are addresses for. */
static void start_without_memory(void)
{
	struct tern_config config;
	struct rlimit limit, narrow;
	world_config(&config, true);
	config.block_mib = 65536;
	config.mailbox_mib = 65536;
	config.max_threads = 64;
	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	narrow = limit;
	narrow.rlim_cur = (rlim_t)1 << 40;
	assert_int_equal(setrlimit(RLIMIT_AS, &narrow), 0);
	assert_int_equal(try_start(&config), -ENOMEM);
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void a_failed_start_leaves_nothing(void **state)
{
	struct tern_config config;
	(void)state;
	world_config(&config, true);
	config.max_agents = 0;
	assert_int_equal(try_start(&config), -EINVAL);
	world_config(&config, false);
	config.clock = TERN_CLOCK_VIRTUAL;
	assert_int_equal(try_start(&config), -EINVAL);
	uint64_t maps = mappings(), files = entries_of("/proc/self/fd");
	uint64_t tasks = entries_of("/proc/self/task");
	for (int i = 0; i < 10; i++) {
		if (!SANITIZED)
			start_without_memory();
		world_config(&config, false);
		config.pages = TERN_PAGES_1G;
		config.pages_required = true;
		config.block_mib = 1024;
		struct tern_engine *engine = NULL;
		/* Where the machine has such pages, it starts: then it must stop, too. */
		if (tern_engine_start(&engine, &config, NULL) == 0)
			assert_int_equal(tern_engine_stop(engine, PATIENCE_NS, NULL), 0);
	}
	assert_int_equal(entries_of("/proc/self/task"), tasks);
	assert_int_equal(entries_of("/proc/self/fd"), files);
	assert_true(SANITIZED || mappings() <= maps + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_drains_under_load),
		cmocka_unit_test(what_was_not_delivered_is_listed),
		cmocka_unit_test(a_game_without_end_meets_the_deadline),
		cmocka_unit_test(what_waits_for_a_paused_agent_is_reported),
		cmocka_unit_test(blocks_kept_by_agents_are_counted),
		cmocka_unit_test(last_words_are_reported),
		cmocka_unit_test(fifty_engines_leave_nothing),
		cmocka_unit_test(two_engines_keep_apart),
		cmocka_unit_test(a_failed_start_leaves_nothing),
	};
	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
