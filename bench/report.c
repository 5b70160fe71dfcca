/* SPDX-License-Identifier: Apache-2.0 */

/* Results, as text or as JSON. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "capabilities/tern_plain.h"

static json_t *result_json(const struct bench_result *result)
{
	if (result->skipped)
		return json_pack("{s:s, s:s, s:s}", "name", result->name, "unit", result->unit,
				 "skipped", result->skipped);
	json_t *budget = result->budget > 0 ? json_real(result->budget) : json_null();
	json_t *held = result->ratio_held > 0 ? json_real(result->ratio_held) : json_null();
	json_t *json = json_pack(
		"{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:b, s:f, s:i, s:s, s:s}",
		"name", result->name, "unit", result->unit, "p50", result->p50, "p99", result->p99,
		"p999", result->p999, "value", result->value, "floor", result->floor_value, "ratio",
		result->ratio, "ratio_held", held, "budget", budget, "met", result->met, "mean",
		tern_histogram_mean(&result->figure) /
			(strcmp(result->unit, "ns") == 0 ? BENCH_PS_PER_NS : 1),
		"tries", (int)result->tries, "floor_is", result->floor_name, "note", result->note);
	if (result->beside.name)
		json_object_set_new(json, "beside",
				    json_pack("{s:f}", result->beside.name, result->beside.value));
	if (result->pages)
		json_object_set_new(json, "pages", json_string(result->pages));
	return json;
}

static void print_result(const struct bench_result *result)
{
	double scale = bench_result_is_rate(result) ? 1e6 : 1;
	const char *unit = scale == 1 ? result->unit : result->unit[0] == 'b' ? "MB/s" : "M/s";
	if (result->skipped) {
		printf("%-20s skipped: %s\n", result->name, result->skipped);
		return;
	}
	printf("%-20s %9.1f %9.1f %9.1f %9.1f  %-5s %9.1f %6.2f ", result->name,
	       result->value / scale, result->p50 / scale, result->p99 / scale,
	       result->p999 / scale, unit, result->floor_value / scale, result->ratio);
	if (result->budget > 0)
		printf("%9.1f  %s", result->budget / scale, result->met ? "met" : "MISSED");
	else
		printf("%9s", "-");
	if (result->beside.name)
		printf("  %s %.1f", result->beside.name, result->beside.value / scale);
	if (result->pages)
		printf("  %s pages", result->pages);
	putchar('\n');
	fflush(stdout);
}

void bench_report_result(const struct bench_result *result, json_t *results)
{
	if (results)
		json_array_append_new(results, result_json(result));
	else
		print_result(result);
}

/* The path is the caller's, so any bytes. */
static void cannot(const char *what, const char *path)
{
	char shown[TERN_PLAIN_MAX(PATH_MAX)];
	int code = errno;
	bench_die("cannot %s %s: %s", what, tern_plain_text(shown, sizeof(shown), path),
		  strerror(code));
}

void bench_report_miss(const struct bench_result *result, double slack)
{
	bool is_rate = bench_result_is_rate(result);
	fprintf(stderr,
		"tern-bench: %s: %.4g %s is %.3g of its floor, %.4g %s (%s); --strict takes at %s "
		"%.3g\n",
		result->name, result->value, result->unit, result->ratio, result->floor_value,
		result->unit, result->floor_name, is_rate ? "least" : "most",
		is_rate ? result->ratio_held / slack : result->ratio_held * slack);
}

void bench_report_hgrm(const char *folder, const struct bench_result *result)
{
	char path[4096];
	if (!folder || result->skipped || strcmp(result->unit, "ns") != 0)
		return;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		cannot("make folder", folder);
	snprintf(path, sizeof(path), "%s/%s.hgrm", folder, result->name);
	FILE *file = fopen(path, "we");
	if (!file)
		cannot("write", path);
	tern_histogram_dump(&result->figure, 1.0 / BENCH_PS_PER_NS, file);
	if (fclose(file) != 0)
		cannot("write", path);
}

void bench_report_head(const struct bench *bench, bool columns)
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
	putchar('\n');
	if (columns)
		printf("\n%-20s %9s %9s %9s %9s  %-5s %9s %6s %9s\n", "benchmark", "value", "p50",
		       "p99", "p99.9", "unit", "floor", "ratio", "budget");
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
	return (struct raw_floors){.line = bench_percentile(&line, 50, BENCH_PS_PER_NS),
				   .ring = bench_percentile(&ring, 50, BENCH_PS_PER_NS)};
}

/* What comes after the results: the floors, and in JSON everything at once. */
void bench_report_tail(struct bench *bench, json_t *results)
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
