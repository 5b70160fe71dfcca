/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Goal: links lose, repeat, reorder and forge nothing without a report, leak nothing and come to an
 * end, whatever the network does and whoever crashes. Method: sim.h; one run for each seed.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* All has arrived so long after the last fault: a node is given up after 20 ms, asked for a session
 * again within as much, and the slowest receiver has its window filled some hundred times. */
#define HEALED_NS (400 * SIM_MS)
#define TURN_NS_MAX 2000u

static const char *program = "sim";

_Noreturn void sim_fail(const struct sim *sim, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("seed %" PRIu64 ", after %" PRIu64 " ns: ", sim->seed, sim->now_ns);
	vprintf(format, args);
	va_end(args);
	printf("\nto see it again: %s --seeds 1 --from %" PRIu64 "\n", program, sim->seed);
	fflush(stdout);
	_Exit(1);
}

static uint64_t find_next(struct sim *sim, uint64_t faults_due_ns)
{
	uint64_t next = faults_due_ns;
	for (uint32_t i = 0; i < sim->core_count; i++) {
		const struct sim_node *node = &sim->nodes[sim->cores[i].node];
		if (node->is_up)
			next = RTE_MIN(
				next, RTE_MAX(sim_core_due(&sim->cores[i]), node->paused_until_ns));
	}
	return RTE_MAX(next, sim->now_ns);
}

/* Each lcore gets a turn, beginning with any, and time passes; idle time passes at once. */
static void run_round(struct sim *sim)
{
	uint32_t first = sim_pick(sim, sim->core_count);
	bool is_busy = false;
	for (uint32_t i = 0; i < sim->core_count; i++) {
		struct sim_core *core = &sim->cores[(first + i) % sim->core_count];
		const struct sim_node *node = &sim->nodes[core->node];
		if (!node->is_up || node->paused_until_ns > sim->now_ns)
			continue;
		if (!sim->is_healing && sim_chance(sim, sim->plan.sends))
			for (uint32_t n = 1 + sim_pick(sim, 8); n > 0; n--)
				sim_agent_send(core);
		is_busy |= sim_core_turn(core);
		sim->now_ns += sim_pick(sim, 300);
	}
	uint64_t next = find_next(sim, sim_faults_poll(sim));
	uint64_t step = 1 + sim_pick(sim, TURN_NS_MAX);
	if (!is_busy && next > sim->now_ns + step && next != UINT64_MAX)
		step = sim->is_healing ? next - sim->now_ns
				       : RTE_MIN(next - sim->now_ns, 20 * SIM_US);
	sim->now_ns += step;
}

static void run_load(struct sim *sim)
{
	uint64_t end_ns = sim->now_ns + sim->plan.load_ns;
	while (sim->now_ns < end_ns) {
		sim_chaos(sim);
		run_round(sim);
	}
	sim_heal(sim);
	end_ns = sim->now_ns + HEALED_NS;
	while (!sim_agents_are_done(sim) && sim->now_ns < end_ns)
		for (int i = 0; i < 16; i++)
			run_round(sim);
}

static struct sim_totals run_seed(uint64_t seed, uint64_t *hash)
{
	static struct sim sim;
	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.rng = tern_rng_stream(seed, 1);
	sim.now_ns = SIM_MS;
	sim_plan_make(&sim);
	sim.core_count = sim.plan.nodes * sim.plan.lcores;
	sim_faults_init(&sim);
	sim_agents_start(&sim);
	sim_cluster_start(&sim);
	run_load(&sim);
	sim_agents_check(&sim);
	sim_cluster_stop(&sim);
	sim_agents_stop(&sim);
	*hash = sim.hash;
	return sim.totals;
}

static void print_totals(uint64_t seed, uint64_t hash, const struct sim_totals *t)
{
	printf("seed %" PRIu64 " hash %016" PRIx64 ": accepted %" PRIu64 " refused %" PRIu64
	       " delivered %" PRIu64 " not sent %" PRIu64 " unknown %" PRIu64 " excused %" PRIu64
	       " blocks %" PRIu64 " large %" PRIu64 "\n\tframes %" PRIu64 " sessions %" PRIu64
	       " crashes %" PRIu64 " pauses %" PRIu64 " sent again %" PRIu64 " naks %" PRIu64
	       " probes %" PRIu64 " duplicates %" PRIu64 " lost %" PRIu64 " corrupted %" PRIu64
	       " drops %" PRIu64 "\n",
	       seed, hash, t->accepted, t->refused, t->delivered, t->not_sent, t->unknown,
	       t->excused, t->blocks, t->large, t->frames, t->sessions, t->crashes, t->pauses,
	       t->retransmitted, t->naks, t->probes, t->duplicates, t->fault_lost, t->corrupted,
	       t->drops);
}

static void add_totals(struct sim_totals *sum, const struct sim_totals *more)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)more;
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static _Noreturn void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: %s [--seeds N] [--from S] [--twice] [--verbose]\n"
		"  N runs, of the seeds S, S + 1, ... (default 200 from 1)\n"
		"  --twice    each seed twice: both runs must be the same to the last event\n"
		"  --verbose  a line for each seed\n",
		program);
	exit(code);
}

int main(int count, char **arguments)
{
	uint64_t seeds = 200, from = 1, hash = 0, again;
	bool twice = false, verbose = false;
	struct sim_totals sum = {0}, totals;
	program = arguments[0];
	for (int i = 1; i < count; i++) {
		if (!strcmp(arguments[i], "--twice"))
			twice = true;
		else if (!strcmp(arguments[i], "--verbose"))
			verbose = true;
		else if (!strcmp(arguments[i], "--help"))
			usage(0);
		else if (!strcmp(arguments[i], "--seeds") && i + 1 < count)
			seeds = strtoull(arguments[++i], NULL, 0);
		else if (!strcmp(arguments[i], "--from") && i + 1 < count)
			from = strtoull(arguments[++i], NULL, 0);
		else
			usage(2);
	}
	sim_network_start();
	for (uint64_t seed = from; seed < from + seeds; seed++) {
		totals = run_seed(seed, &hash);
		if (verbose)
			print_totals(seed, hash, &totals);
		add_totals(&sum, &totals);
		if (!twice)
			continue;
		run_seed(seed, &again);
		if (again != hash) {
			printf("seed %" PRIu64 ": two runs differ\n", seed);
			return 1;
		}
	}
	print_totals(from, hash, &sum);
	printf("%" PRIu64 " seeds from %" PRIu64 ": passed\n", seeds, from);
	return 0;
}
