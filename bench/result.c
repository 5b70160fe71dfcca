/* SPDX-License-Identifier: Apache-2.0 */

/* From rounds and histograms to the figures that are shown and judged. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static int compare_values(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

uint64_t bench_median(uint64_t *values, uint32_t count)
{
	qsort(values, count, sizeof(values[0]), compare_values);
	return values[count / 2];
}

double bench_percentile(const struct tern_histogram *histogram, double percent, double scale)
{
	return (double)tern_histogram_percentile(histogram, percent) / scale;
}

bool bench_result_is_rate(const struct bench_result *result)
{
	return strstr(result->unit, "/s") != NULL;
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

static double budget_of(const struct bench_case *bench_case, double floor)
{
	if (bench_case->budget_beyond > 0)
		return floor + bench_case->budget_beyond;
	return bench_case->budget < 0 ? -bench_case->budget * floor : bench_case->budget;
}

static double ratio_held(const struct bench_case *bench_case)
{
	if (bench_case->ratio > 0)
		return bench_case->ratio;
	return bench_case->budget < 0 ? -bench_case->budget : 0;
}

bool bench_result_holds(const struct bench_result *result, double slack)
{
	if (result->skipped || result->ratio_held <= 0)
		return true;
	if (!(result->ratio > 0))
		return false;
	return bench_result_is_rate(result) ? result->ratio * slack >= result->ratio_held
					    : result->ratio <= result->ratio_held * slack;
}

void bench_result_fill(const struct bench_case *bench_case, struct bench_result *result)
{
	bool is_rate = bench_result_is_rate(result);
	double scale = strcmp(result->unit, "ns") == 0 ? BENCH_PS_PER_NS : 1;
	if (result->rounds.count)
		compare_rounds(result, scale);
	/* Of rates the slow tail is the low one. */
	if (result->p50 == 0)
		result->p50 = bench_percentile(&result->figure, 50, scale);
	result->p99 = bench_percentile(&result->figure, is_rate ? 1 : 99, scale);
	result->p999 = bench_percentile(&result->figure, is_rate ? 0.1 : 99.9, scale);
	if (!result->rounds.count) {
		result->value = result->p50;
		result->floor_value = bench_percentile(&result->floor, 50, scale);
	}
	result->ratio = result->floor_value > 0 ? result->value / result->floor_value : 0;
	result->ratio_held = ratio_held(bench_case);
	result->budget = budget_of(bench_case, result->floor_value);
	result->met = is_met(result, is_rate);
}
