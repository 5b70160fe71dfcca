/* SPDX-License-Identifier: Apache-2.0 */

/* spawn, spawn_fiber, idle_agent_bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "bench.h"
#include "fenced.h"
#include "tern_fiber.h"

#define SPAWN_BATCH 10000
#define SPAWN_FIBERS 500
#define IDLE_AGENTS 1000000u

TERN_HANDLER(static, on_nothing)
{
}

static const struct tern_behaviour nothing = {.name = "idle", .handler = on_nothing};

TERN_FIBER(static, does_nothing)
{
	return 0;
}

static const struct tern_behaviour nothing_fiber = {.name = "fiber", .fiber = does_nothing};

/* Spawns in a handler, as programs do: half the batch timed as a whole, half call by call. */
struct spawner {
	struct bench *bench;
	const struct tern_behaviour *behaviour;
	struct bench_result *result;
	tern_address agents[2 * SPAWN_BATCH];
	uint32_t count;
	uint64_t amortised_ps;
};

static tern_address spawn_one(struct tern_agent *self, const struct tern_behaviour *behaviour)
{
	tern_address agent;
	int code = tern_spawn(self, behaviour, NULL, NULL, &agent);
	if (code != 0)
		bench_die("spawn refused: %s", strerror(-code));
	return agent;
}

TERN_HANDLER(static, on_spawn)
{
	struct spawner *spawner = state;
	uint32_t count = spawner->count;
	uint64_t pair = spawner->bench->clock_pair_ps;
	uint64_t from = rte_rdtsc();
	for (uint32_t i = 0; i < count; i++)
		spawner->agents[i] = spawn_one(self, spawner->behaviour);
	uint64_t ps = bench_to_ps(spawner->bench, rte_rdtsc() - from);
	spawner->amortised_ps = (uint64_t)((double)ps / count);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = fenced_ticks();
		spawner->agents[count + i] = spawn_one(self, spawner->behaviour);
		uint64_t one = bench_to_ps(spawner->bench, fenced_ticks() - start);
		tern_histogram_record(&spawner->result->figure, one > pair ? one - pair : 0);
	}
	sem_post(&spawner->bench->done);
}

static const struct tern_behaviour spawner_behaviour = {.name = "spawner", .handler = on_spawn};

static struct spawner *make_spawner(struct bench *bench, struct bench_result *result,
				    uint32_t count)
{
	struct spawner *spawner = calloc(1, sizeof(*spawner));
	if (!spawner)
		bench_die("no memory for the spawner");
	spawner->bench = bench;
	spawner->result = result;
	spawner->count = bench->smoke ? 100 : count;
	return spawner;
}

/* Picoseconds a spawn, amortised. */
static uint64_t spawn_round(struct bench *bench, struct spawner *spawner,
			    const struct tern_behaviour *behaviour)
{
	spawner->behaviour = behaviour;
	bench->clock_pair_ps = bench_to_ps(bench, bench_clock_pair());
	tern_address agent = bench_spawn(bench, &spawner_behaviour, spawner, bench->near);
	bench_send(bench, agent, 0, 0);
	bench_wait(bench);
	bench_stop(bench, &agent, 1);
	bench_stop(bench, spawner->agents, 2 * spawner->count);
	return spawner->amortised_ps;
}

static void spawn(struct bench *bench, struct bench_result *result)
{
	struct spawner *spawner = make_spawner(bench, result, SPAWN_BATCH);
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = bench_floor_random_line_ps(bench, 1u << 23, spawner->count);
		bench_round(result, floor, spawn_round(bench, spawner, &nothing));
	}
	free(spawner);
}

/* Stacks come from the engine's pool from the second round on. */
static void spawn_fiber(struct bench *bench, struct bench_result *result)
{
	struct bench_result *plain = calloc(1, sizeof(*plain));
	struct spawner *spawner = make_spawner(bench, result, SPAWN_FIBERS);
	if (!plain)
		bench_die("no memory for a result");
	for (uint32_t i = 0; i < bench->rounds; i++) {
		spawner->result = plain;
		uint64_t floor = spawn_round(bench, spawner, &nothing);
		spawner->result = result;
		bench_round(result, floor, spawn_round(bench, spawner, &nothing_fiber));
	}
	free(spawner);
	free(plain);
}

static uint64_t resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file || fscanf(file, "%llu %llu", &size, &resident) != 2)
		bench_die("cannot read /proc/self/statm");
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Resident memory before and after, in an engine of its own with 4 KiB pages. */
static void idle_bytes(struct bench *bench, struct bench_result *result)
{
	uint32_t count = bench->smoke ? 10000 : IDLE_AGENTS;
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	tern_config_init(&config);
	config.mode = TERN_MODE_POLLED;
	config.lcores[0] = 0;
	config.lcore_count = 1;
	config.max_agents = count;
	config.pages = TERN_PAGES_4K;
	if (tern_engine_start(&engine, &config, &error) != 0)
		bench_die("%s", error.text);
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	tern_address agent;
	uint64_t before = resident_bytes();
	for (uint32_t i = 0; i < count; i++)
		if (tern_spawn(self, &nothing, NULL, NULL, &agent) != 0)
			bench_die("spawn %u of %u refused", i, count);
	tern_engine_poll(engine);
	tern_histogram_record(&result->figure, (resident_bytes() - before) / count);
	tern_histogram_record(&result->floor, sizeof(struct tern_signal));
	tern_thread_detach(self);
	tern_engine_stop(engine, 0, NULL);
}

const struct bench_case bench_memory_cases[] = {
	{.name = "spawn",
	 .unit = "ns",
	 .floor_name = "one random line written in 8 MiB",
	 .note = "value: mean of a batch, median over rounds; percentiles: single fenced calls; "
		 "id registered in the table",
	 .budget = 80,
	 .budget_p99 = 500,
	 .ratio = 15,
	 .run = spawn},
	{.name = "spawn_fiber",
	 .unit = "ns",
	 .floor_name = "spawn of an agent with a handler",
	 .note = "value: mean of a batch, median over rounds; percentiles: single fenced calls; "
		 "with a stack of 64 KiB",
	 .run = spawn_fiber},
	{.name = "idle_agent_bytes",
	 .unit = "bytes",
	 .floor_name = "one cache line",
	 .note = "resident memory of a million idle agents, beside their state, per agent",
	 .budget = 256,
	 .ratio = 4,
	 .run = idle_bytes},
	{0},
};
