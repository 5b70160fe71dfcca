/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <rte_cycles.h>

#include "bench.h"

#define EXIT_FOUND 1
#define EXIT_USAGE 2
#define ROUNDS 31
#define SMOKE_ROUNDS 2
#define NAMES_MAX 32

enum { OPTION_SMOKE = 256, OPTION_HGRM, OPTION_ROUNDS, OPTION_STRICT };

struct options {
	const char *names[NAMES_MAX];
	int count;
	bool json;
	bool smoke;
	bool strict;
	const char *hgrm;
	uint32_t rounds;
};

/* What runs in one engine, since two would share the CPUs. */
static const struct group {
	const struct bench_case *cases;
	uint32_t slice_us;
} groups[] = {
	/* A slice that no floor reaches: the floors block their lcore on purpose. */
	{bench_latency_cases, 10000},
	{bench_rate_cases, 10000},
	{bench_memory_cases, 10000},
	/* The default: the scheduler is what is measured. */
	{bench_scheduler_cases, 20},
	{bench_roaming_cases, 20},
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

static void list_cases(FILE *file)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct bench_case *c = groups[g].cases; c->name; c++)
			fprintf(file, "  %-18s %s\n", c->name, c->note);
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;
	char *end;
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
		options->rounds = (uint32_t)strtoul(argument, &end, 10);
		if (*end || options->rounds < 1 || options->rounds > 10000)
			argp_error(state, "--rounds takes 1 to 10000, not '%s'", argument);
		return 0;
	case ARGP_KEY_ARG:
		if (!find_case(argument))
			argp_error(state, "no benchmark '%s'; tern bench --list names them",
				   argument);
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
	{"rounds", OPTION_ROUNDS, "N", 0, "Rounds of figure and floor, 1 to 10000 (default 31)", 0},
	{"smoke", OPTION_SMOKE, NULL, 0,
	 "Run everything briefly: proves that it runs, not how fast", 0},
	{"strict", OPTION_STRICT, NULL, 0, "Exit 1 when a budget is missed", 0},
	{0},
};

static const struct argp argp = {
	.options = option_list,
	.parser = on_option,
	.args_doc = "[NAME...]",
	.doc = "Measure the engine against its floors, interleaved in one process."
	       "\vEach figure comes with the floor measured in the same run: on shared and noisy "
	       "machines the ratio counts. Two CPUs are needed for what crosses lcores; without "
	       "them those benchmarks are skipped and say so.\n\nExit codes: 0 done, 1 a budget is "
	       "missed (--strict), 2 usage, 69 an engine or an output is not to be had."};

static double percentile(const struct tern_histogram *histogram, double percent, double scale)
{
	return (double)tern_histogram_percentile(histogram, percent) / scale;
}

static bool is_met(const struct bench_result *result, bool is_rate)
{
	if (result->budget > 0 &&
	    (is_rate ? result->value < result->budget : result->value > result->budget))
		return false;
	return result->budget_p99 <= 0 || result->p99 <= result->budget_p99;
}

static void fill_histogram(struct tern_histogram *histogram, const uint64_t *values, uint32_t count)
{
	for (uint32_t i = 0; i < count && histogram->count < count; i++)
		tern_histogram_record(histogram, values[i]);
}

/* Rounds as samples where there are no others; then their medians as what is compared. */
static void compare_rounds(struct bench_result *result, double scale)
{
	struct bench_rounds *rounds = &result->rounds;
	bool only = result->figure.count == 0;
	if (only) {
		fill_histogram(&result->figure, rounds->figures, rounds->count);
		fill_histogram(&result->floor, rounds->floors, rounds->count);
	}
	result->value = (double)bench_median(rounds->figures, rounds->count) / scale;
	result->floor_value = (double)bench_median(rounds->floors, rounds->count) / scale;
	if (only)
		result->p50 = result->value;
	free(rounds->figures);
	free(rounds->floors);
}

static void fill_result(const struct bench_case *bench_case, struct bench_result *result)
{
	bool is_rate = strcmp(result->unit, "signals/s") == 0;
	double scale = strcmp(result->unit, "ns") == 0 ? BENCH_PS_PER_NS : 1;
	if (result->rounds.count)
		compare_rounds(result, scale);
	/* Of rates the slow tail is the low one. */
	if (result->p50 == 0)
		result->p50 = percentile(&result->figure, 50, scale);
	result->p99 = percentile(&result->figure, is_rate ? 1 : 99, scale);
	result->p999 = percentile(&result->figure, is_rate ? 0.1 : 99.9, scale);
	if (!result->rounds.count) {
		result->value = result->p50;
		result->floor_value = percentile(&result->floor, 50, scale);
	}
	result->ratio = result->floor_value > 0 ? result->value / result->floor_value : 0;
	result->budget = bench_case->budget < 0 ? -bench_case->budget * result->floor_value
						: bench_case->budget;
	result->met = is_met(result, is_rate);
}

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
	fill_result(bench_case, result);
}

static json_t *result_json(const struct bench_result *result)
{
	if (result->skipped)
		return json_pack("{s:s, s:s, s:s}", "name", result->name, "unit", result->unit,
				 "skipped", result->skipped);
	json_t *budget = result->budget > 0 ? json_real(result->budget) : json_null();
	return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:b, s:f, s:s, s:s}",
			 "name", result->name, "unit", result->unit, "p50", result->p50, "p99",
			 result->p99, "p999", result->p999, "value", result->value, "floor",
			 result->floor_value, "ratio", result->ratio, "budget", budget, "met",
			 result->met, "mean",
			 tern_histogram_mean(&result->figure) /
				 (strcmp(result->unit, "ns") == 0 ? BENCH_PS_PER_NS : 1),
			 "floor_is", result->floor_name, "note", result->note);
}

static void print_result(const struct bench_result *result)
{
	double scale = strcmp(result->unit, "signals/s") == 0 ? 1e6 : 1;
	const char *unit = scale > 1 ? "M/s" : result->unit;
	if (result->skipped) {
		printf("%-18s skipped: %s\n", result->name, result->skipped);
		return;
	}
	printf("%-18s %9.1f %9.1f %9.1f %9.1f  %-5s %9.1f %6.2f ", result->name,
	       result->value / scale, result->p50 / scale, result->p99 / scale,
	       result->p999 / scale, unit, result->floor_value / scale, result->ratio);
	if (result->budget > 0)
		printf("%9.1f  %s\n", result->budget / scale, result->met ? "met" : "MISSED");
	else
		printf("%9s\n", "-");
	fflush(stdout);
}

/* Round trips of the raw machine between the two lcores, ns; 0 where there is one lcore. */
struct raw_floors {
	double line;
	double ring;
};

static struct raw_floors measure_floors(struct bench *bench)
{
	struct tern_histogram ring = {0}, line = {0};
	uint32_t trips = bench->smoke ? 1000 : 20000;
	for (uint32_t i = 0; bench->near != bench->far && i < bench->rounds; i++) {
		bench_floor_line(bench, &line, trips);
		bench_floor_ring_rtt(bench, &ring, trips);
	}
	return (struct raw_floors){.line = percentile(&line, 50, BENCH_PS_PER_NS),
				   .ring = percentile(&ring, 50, BENCH_PS_PER_NS)};
}

static void write_hgrm(const struct options *options, const struct bench_result *result)
{
	char path[4096];
	if (!options->hgrm || result->skipped || strcmp(result->unit, "ns") != 0)
		return;
	if (mkdir(options->hgrm, 0777) != 0 && errno != EEXIST)
		bench_die("cannot make folder %s: %s", options->hgrm, strerror(errno));
	snprintf(path, sizeof(path), "%s/%s.hgrm", options->hgrm, result->name);
	FILE *file = fopen(path, "we");
	if (!file)
		bench_die("cannot write %s: %s", path, strerror(errno));
	tern_histogram_dump(&result->figure, 1.0 / BENCH_PS_PER_NS, file);
	if (fclose(file) != 0)
		bench_die("cannot write %s: %s", path, strerror(errno));
}

static void open_engine(struct bench *bench, uint32_t slice_us)
{
	bench->slice_us = slice_us;
	bench->engine = bench_engine(2, 65536, slice_us);
	bench->self = tern_thread_attach(bench->engine, NULL, NULL);
	if (!bench->self)
		bench_die("cannot attach to the engine");
	bench->far = tern_engine_lcores(bench->engine) - 1;
}

static void close_engine(struct bench *bench)
{
	struct tern_stop_report stop;
	tern_thread_detach(bench->self);
	if (tern_engine_stop(bench->engine, 1000000000, &stop) != 0 || stop.blocks_leaked)
		bench_die("the engine did not stop clean: %llu signals left",
			  (unsigned long long)stop.undelivered);
}

static void open_bench(struct bench *bench, const struct options *options)
{
	*bench = (struct bench){.smoke = options->smoke, .rounds = options->rounds};
	if (sem_init(&bench->done, 0, 0) != 0)
		bench_die("no semaphore: %s", strerror(errno));
	open_engine(bench, groups[0].slice_us);
	struct timespec from, to, pause = {.tv_nsec = 20000000};
	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t ticks = rte_rdtsc();
	nanosleep(&pause, NULL);
	ticks = rte_rdtsc() - ticks;
	clock_gettime(CLOCK_MONOTONIC_RAW, &to);
	double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	bench->ps_per_tick = ns * BENCH_PS_PER_NS / (double)ticks;
}

static bool wanted(const struct options *options, const char *name)
{
	bool found = options->count == 0;
	for (int i = 0; i < options->count; i++)
		found = found || strcmp(options->names[i], name) == 0;
	return found;
}

static void print_head(const struct bench *bench)
{
	json_t *machine = bench_machine(bench);
	const char *key;
	json_t *value;
	json_object_foreach(machine, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
		printf("%s=%s ", key, text);
		free(text);
	}
	json_decref(machine);
	printf("\n\n%-18s %9s %9s %9s %9s  %-5s %9s %6s %9s\n", "benchmark", "value", "p50", "p99",
	       "p99.9", "unit", "floor", "ratio", "budget");
}

/* In an engine as its group needs it. Returns whether its budget was met, where it has one. */
static bool run_one(struct bench *bench, const struct options *options, const struct group *group,
		    const struct bench_case *bench_case, struct bench_result *result)
{
	if (group->slice_us != bench->slice_us) {
		close_engine(bench);
		open_engine(bench, group->slice_us);
	}
	run_case(bench, bench_case, result);
	write_hgrm(options, result);
	return result->skipped || result->met;
}

/* Run what is wanted; returns whether every budget was met. */
static bool run_all(struct bench *bench, const struct options *options, json_t *results)
{
	bool all_met = true;
	struct bench_result *result = malloc(sizeof(*result));
	if (!result)
		bench_die("no memory for a result");
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct bench_case *c = groups[g].cases; c->name; c++) {
			if (!wanted(options, c->name))
				continue;
			all_met &= run_one(bench, options, &groups[g], c, result);
			if (results)
				json_array_append_new(results, result_json(result));
			else
				print_result(result);
		}
	free(result);
	return all_met;
}

/* What comes after the results: the floors, and in JSON everything at once. */
static void report(struct bench *bench, json_t *results)
{
	struct raw_floors floors = measure_floors(bench);
	if (!results) {
		printf("\nfloors: raw cache line %.0f ns, raw rte_ring %.0f ns (p50 of a round "
		       "trip "
		       "between the two lcores)\n",
		       floors.line, floors.ring);
		return;
	}
	json_t *report = json_pack("{s:s, s:o, s:{s:f, s:f}, s:o}", "schema", "tern.bench/1",
				   "machine", bench_machine(bench), "floors", "cache_line_rtt_ns",
				   floors.line, "rte_ring_rtt_ns", floors.ring, "results", results);
	json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(report);
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct bench bench;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (options.rounds == 0)
		options.rounds = options.smoke ? SMOKE_ROUNDS : ROUNDS;
	open_bench(&bench, &options);
	json_t *results = options.json ? json_array() : NULL;
	if (!results)
		print_head(&bench);
	bool all_met = run_all(&bench, &options, results);
	report(&bench, results);
	close_engine(&bench);
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_die("cannot write the results: %s", strerror(errno));
	return options.strict && !all_met ? EXIT_FOUND : 0;
}
