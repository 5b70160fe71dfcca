/* SPDX-License-Identifier: Apache-2.0 */

/* What an engine knows about itself: agents of different load, their lcores, the memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <tern.h>

#define PERIOD_NS 500000u
#define RUN_US 300000u
#define LOOKS_MAX 10

/* Three workers, and a ticker that gives each something to do twice a millisecond. */
enum { LIGHT, MEDIUM, HEAVY, TICKER, AGENTS };

static struct load {
	const char *name;
	uint64_t work_ns;
	tern_address address;
	struct tern_agent_profile profile;
} loads[AGENTS] = {{.name = "light", .work_ns = 2000},
		   {.name = "medium", .work_ns = 20000},
		   {.name = "heavy", .work_ns = 250000},
		   {.name = "ticker"}};

TERN_HANDLER(static, on_work)
{
	const struct load *load = state;
	uint64_t end = tern_now(self) + load->work_ns;

	while (tern_now(self) < end)
		; /* work */
}

TERN_HANDLER(static, on_tick)
{
	for (int i = LIGHT; i <= HEAVY; i++)
		if (tern_signal_bytes(self, loads[i].address, 0, NULL, 0) != 0)
			tern_fail(self, -EAGAIN, "%s does not keep up", loads[i].name);
}

static void start_ticking(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	static struct tern_timer timer;
	(void)state;
	tern_timer_start(self, &timer, PERIOD_NS, PERIOD_NS, 0);
}

static const struct tern_behaviour working = {.name = "worker", .handler = on_work};
static const struct tern_behaviour ticking = {
	.name = "ticker", .handler = on_tick, .on_start = start_ticking};

static int spawn_all(struct tern_agent *self)
{
	struct tern_spawn_options options = {.lcore = 0};
	int refused = 0;

	for (int i = 0; i < AGENTS && !refused; i++)
		refused = tern_spawn(self, i == TICKER ? &ticking : &working, &loads[i], &options,
				     &loads[i].address);
	return refused;
}

/* Read the load of all; whether it is known, and grows from worker to worker. */
static bool look(const struct tern_engine *engine)
{
	for (int i = 0; i < AGENTS; i++)
		if (tern_agent_profile(engine, loads[i].address, &loads[i].profile) != 0)
			return false;
	return 0 < loads[LIGHT].profile.cpu &&
	       loads[LIGHT].profile.cpu < loads[MEDIUM].profile.cpu &&
	       loads[MEDIUM].profile.cpu < loads[HEAVY].profile.cpu;
}

static void print_agents(void)
{
	printf("%-8s %9s %9s %9s %9s %9s %9s %9s\n", "agent", "in", "out", "mean us", "longest",
	       "a second", "CPU %", "next %");
	for (int i = 0; i < AGENTS; i++) {
		const struct tern_agent_profile *profile = &loads[i].profile;
		printf("%-8s %9" PRIu64 " %9" PRIu64 " %9.1f %9.1f %9.0f %9.1f %9.1f\n",
		       loads[i].name, profile->signals_in, profile->signals_out,
		       profile->execution_ns / 1e3, profile->longest_ns / 1e3,
		       profile->signals_per_s, profile->cpu * 100, profile->cpu_next * 100);
	}
}

static void print_lcores(const struct tern_engine *engine)
{
	printf("\n%-8s %9s %9s %9s %9s %9s %9s\n", "lcore", "turns", "idle", "timers", "handled",
	       "sleeps", "wake us");
	for (uint32_t i = 0; i < tern_engine_lcores(engine); i++) {
		struct tern_lcore_stats stats;
		tern_lcore_stats(engine, i, &stats);
		printf("%-8u %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
		       " %9.1f\n",
		       i, stats.turns, stats.idle_turns, stats.timers, stats.handled, stats.sleeps,
		       (double)stats.wake_ns / 1e3);
	}
}

int main(void)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	struct tern_agent_stats stats = {0};
	struct tern_memory memory;
	bool grows = false;

	tern_config_init(&config);
	config.metrics_interval_ms = 25;
	config.slice_us = 1000; /* the heavy one is meant to be */
	if (tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "metrics: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	if (spawn_all(self) != 0)
		return fputs("metrics: spawn refused\n", stderr), 1;
	for (int i = 0; i < LOOKS_MAX && !grows; i++) { /* a busy machine may need another */
		usleep(RUN_US);
		grows = look(engine);
	}
	print_agents();
	print_lcores(engine);
	if (tern_agent_stats(engine, loads[HEAVY].address, &stats) == 0)
		printf("\nheavy    %u queued, %" PRIu64 " times under pressure, %" PRIu64
		       " dropped\n",
		       stats.queued, stats.pressured, stats.dropped);
	tern_engine_memory(engine, &memory);
	printf("memory   %.1f MiB in pages of %" PRIu64 " KiB, %.1f MiB of it lanes, %" PRIu64
	       " bytes an agent\n",
	       (double)memory.bytes / 1048576, memory.page_bytes / 1024,
	       (double)memory.lane_bytes / 1048576, memory.bytes_per_agent);
	tern_thread_detach(self);
	return tern_engine_stop(engine, 1000000000, NULL) != 0 || !grows;
}
