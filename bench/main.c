/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "bench.h"
#include "remote/party.h"

#define EXIT_FOUND 1
#define EXIT_USAGE 2
#define ROUNDS 31
#define ROUNDS_MAX 10000
#define SMOKE_ROUNDS 2
#define NAMES_MAX 32
#define TRIES_MAX 100

enum {
	OPTION_SMOKE = 256,
	OPTION_HGRM,
	OPTION_ROUNDS,
	OPTION_STRICT,
	OPTION_MATRIX,
	OPTION_SLACK,
	OPTION_TRIES
};

struct options {
	const char *names[NAMES_MAX];
	int count;
	bool json;
	bool smoke;
	bool strict;
	bool matrix;
	const char *hgrm;
	uint32_t rounds;
	uint32_t tries;
	double slack;
};

/* What runs in one engine, since two would share the CPUs. */
static const struct group {
	const struct bench_case *cases;
	uint32_t slice_us;
	uint32_t max_agents;
	bool apart; /* an engine for each benchmark: its agents end with it */
	bool alone; /* no engine here: the benchmark has processes of its own */
} groups[] = {
	/* A slice that no floor reaches: the floors block their lcore on purpose. */
	{bench_latency_cases, 10000, 65536, false, false},
	{bench_rate_cases, 10000, 65536, false, false},
	{bench_memory_cases, 10000, 65536, false, false},
	/* The default: the scheduler is what is measured. */
	{bench_scheduler_cases, 20, 65536, false, false},
	{bench_roaming_cases, 20, 65536, false, false},
	{bench_lookup_cases, 10000, 65536, false, false},
	{bench_capability_cases, 10000, 65536, false, false},
	{bench_signal_id_cases, 10000, 1u << 20, true, false},
	{bench_remote_cases, 10000, 65536, false, true},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct bench_case *find_case(const char *name)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct bench_case *c = groups[g].cases; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

static const struct bench_matrix *find_matrix(const char *name)
{
	for (const struct bench_matrix *m = bench_lookup_matrices; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static void list_cases(FILE *file)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct bench_case *c = groups[g].cases; c->name; c++)
			fprintf(file, "  %-20s %s\n", c->name, c->note);
	fputs("\nwith --matrix:\n", file);
	for (const struct bench_matrix *m = bench_lookup_matrices; m->name; m++)
		fprintf(file, "  %-20s %s\n", m->name, m->note);
}

/* When all options are known. */
static void check_names(const struct options *options, struct argp_state *state)
{
	const char *kind = options->matrix ? "matrix" : "benchmark";
	for (int i = 0; i < options->count; i++)
		if (options->matrix ? !find_matrix(options->names[i])
				    : !find_case(options->names[i]))
			app_argument_fail(state, "no %s '%s'; tern bench --list names them", kind,
					  options->names[i]);
}

static uint32_t parse_count(struct argp_state *state, const char *option, const char *text,
			    uint32_t most)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);
	if (*end || count < 1 || count > most)
		app_argument_fail(state, "--%s takes 1 to %u, not '%s'", option, most, text);
	return (uint32_t)count;
}

static double parse_factor(struct argp_state *state, const char *option, const char *text)
{
	char *end;
	double factor = strtod(text, &end);
	if (*end || !(factor > 0) || !isfinite(factor))
		app_argument_fail(state, "--%s takes a factor above 0, not '%s'", option, text);
	return factor;
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'l':
		list_cases(stdout);
		exit(0);
	case OPTION_SMOKE:
		options->smoke = true;
		return 0;
	case OPTION_STRICT:
		options->strict = true;
		return 0;
	case OPTION_HGRM:
		options->hgrm = argument;
		return 0;
	case OPTION_ROUNDS:
		options->rounds = parse_count(state, "rounds", argument, ROUNDS_MAX);
		return 0;
	case OPTION_TRIES:
		options->tries = parse_count(state, "tries", argument, TRIES_MAX);
		return 0;
	case OPTION_SLACK:
		options->slack = parse_factor(state, "slack", argument);
		return 0;
	case OPTION_MATRIX:
		options->matrix = true;
		return 0;
	case ARGP_KEY_END:
		check_names(options, state);
		return 0;
	case ARGP_KEY_ARG:
		if (options->count == NAMES_MAX)
			argp_error(state, "at most %d names", NAMES_MAX);
		options->names[options->count++] = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "Print one JSON object (schema tern.bench/1)", 0},
	{"hgrm", OPTION_HGRM, "DIR", 0, "Write each distribution to DIR/NAME.hgrm, in ns", 0},
	{"list", 'l', NULL, 0, "List the benchmarks", 0},
	{"matrix", OPTION_MATRIX, NULL, 0,
	 "Run whole tables of figures, without budgets, instead of the benchmarks", 0},
	{"rounds", OPTION_ROUNDS, "N", 0, "Rounds of figure and floor, 1 to 10000 (default 31)", 0},
	{"smoke", OPTION_SMOKE, NULL, 0,
	 "Run everything briefly: proves that it runs, not how fast", 0},
	{"slack", OPTION_SLACK, "FACTOR", 0,
	 "With --strict: a ratio may be so much worse than it is held to (default 1)", 0},
	{"strict", OPTION_STRICT, NULL, 0,
	 "Exit 1 when a ratio to a floor is worse than it is held to, and name it", 0},
	{"tries", OPTION_TRIES, "N", 0,
	 "With --strict: what misses its ratio runs again, 1 to 100 times in all; one run that "
	 "holds "
	 "it will do (default 1)",
	 0},
	{0},
};

static const struct argp argp = {
	.options = option_list,
	.parser = on_option,
	.args_doc = "[NAME...]",
	.doc = "Measure the engine against its floors, interleaved in one process."
	       "\vEach figure comes with the floor measured in the same run: on shared and noisy "
	       "machines the ratio counts. Two CPUs are needed for what crosses lcores; without "
	       "them those benchmarks are skipped and say so.\n\nExit codes: 0 done, 1 a ratio is "
	       "missed (--strict), 2 usage, 69 an engine or an output is not to be had."};

static void run_case(struct bench *bench, const struct bench_case *bench_case,
		     struct bench_result *result)
{
	*result = (struct bench_result){.name = bench_case->name,
					.unit = bench_case->unit,
					.floor_name = bench_case->floor_name,
					.budget_p99 = bench_case->budget_p99,
					.note = bench_case->note};
	if (bench_case->needs_two && bench->near == bench->far) {
		result->skipped = "needs two CPUs";
		return;
	}
	bench_case->run(bench, result);
	if (!result->skipped)
		bench_result_fill(bench_case, result);
}

static void open_engine(struct bench *bench, const struct group *group)
{
	bench->slice_us = group->slice_us;
	bench->max_agents = group->max_agents;
	bench->engine = bench_engine(2, group->max_agents, group->slice_us);
	bench->self = tern_thread_attach(bench->engine, NULL, NULL);
	if (!bench->self)
		bench_die("cannot attach to the engine");
	bench->far = tern_engine_lcores(bench->engine) - 1;
}

static void close_engine(struct bench *bench)
{
	struct tern_stop_report stop;
	if (!bench->engine)
		return;
	tern_thread_detach(bench->self);
	if (tern_engine_stop(bench->engine, 1000000000, &stop) != 0 || stop.blocks_leaked)
		bench_die("the engine did not stop clean: %llu signals left",
			  (unsigned long long)stop.undelivered);
	bench->engine = NULL;
}

static void open_bench(struct bench *bench, const struct options *options)
{
	*bench = (struct bench){.smoke = options->smoke, .rounds = options->rounds};
	if (sem_init(&bench->done, 0, 0) != 0)
		bench_die("no semaphore: %s", strerror(errno));
	open_engine(bench, &groups[0]);
	bench->ps_per_tick = bench_ps_per_tick();
}

static bool wanted(const struct options *options, const char *name)
{
	bool found = options->count == 0;
	for (int i = 0; i < options->count; i++)
		found = found || strcmp(options->names[i], name) == 0;
	return found;
}

/* In an engine as its group needs it. */
static void run_one(struct bench *bench, const struct options *options, const struct group *group,
		    const struct bench_case *bench_case, struct bench_result *result)
{
	if (group->alone) {
		close_engine(bench);
	} else if (!bench->engine || group->apart || group->slice_us != bench->slice_us ||
		   group->max_agents != bench->max_agents) {
		close_engine(bench);
		open_engine(bench, group);
	}
	run_case(bench, bench_case, result);
	bench_report_hgrm(options->hgrm, result);
}

/* Once; under --strict again while its ratio is missed. The last run is what is shown. */
static bool run_tries(struct bench *bench, const struct options *options, const struct group *group,
		      const struct bench_case *bench_case, struct bench_result *result)
{
	uint32_t tries = 0, most = options->strict ? options->tries : 1;
	bool held;
	do {
		run_one(bench, options, group, bench_case, result);
		held = bench_result_holds(result, options->slack);
		result->tries = ++tries;
	} while (!held && tries < most);
	return held;
}

/* Run what is wanted; returns whether every ratio was held. */
static bool run_all(struct bench *bench, const struct options *options, json_t *results)
{
	bool all_held = true;
	struct bench_result *result = malloc(sizeof(*result));
	if (!result)
		bench_die("no memory for a result");
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct bench_case *c = groups[g].cases; c->name; c++) {
			if (!wanted(options, c->name))
				continue;
			bool held = run_tries(bench, options, &groups[g], c, result);
			bench_report_result(result, results);
			if (options->strict && !held)
				bench_report_miss(result, options->slack);
			all_held &= held;
		}
	free(result);
	return all_held;
}

static void run_matrices(struct bench *bench, const struct options *options, json_t *results)
{
	for (const struct bench_matrix *m = bench_lookup_matrices; m->name; m++) {
		if (!wanted(options, m->name))
			continue;
		json_t *rows = results ? json_array() : NULL;
		m->run(bench, rows);
		if (results)
			json_array_append_new(results, json_pack("{s:s, s:s, s:s, s:o}", "name",
								 m->name, "unit", "ns", "note",
								 m->note, "rows", rows));
	}
}

int main(int argc, char **argv)
{
	struct options options = {.tries = 1, .slack = 1};
	struct bench bench;
	if (argc > 1 && strcmp(argv[1], BENCH_PARTY) == 0)
		return bench_party_main(argc, argv);
	argp_err_exit_status = EXIT_USAGE;
	app_parse(&argp, argc, argv, 0, &options);
	if (options.rounds == 0)
		options.rounds = options.smoke ? SMOKE_ROUNDS : ROUNDS;
	open_bench(&bench, &options);
	json_t *results = options.json ? json_array() : NULL;
	if (!results)
		bench_report_head(&bench, !options.matrix);
	bool all_held = true;
	if (options.matrix)
		run_matrices(&bench, &options, results);
	else
		all_held = run_all(&bench, &options, results);
	if (!bench.engine)
		open_engine(&bench, &groups[0]);
	bench_report_tail(&bench, results);
	close_engine(&bench);
	bench_eal_stop(&bench);
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_die("cannot write the results: %s", strerror(errno));
	return options.strict && !all_held ? EXIT_FOUND : 0;
}
