/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what --strict judges: a figure as a part of the floor of its own run, and nothing else.
 * Method: rounds with figures and floors that are made up, computed as those of a benchmark.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/bench.h"

static const struct bench_case cost_case = {.name = "cost", .unit = "ns", .ratio = 2};
static const struct bench_case rate_case = {.name = "rate", .unit = "signals/s", .ratio = 0.5};
static const struct bench_case multiple_case = {.name = "multiple", .unit = "ns", .budget = -1.5};
static const struct bench_case absolute_case = {.name = "absolute", .unit = "ns", .budget = 1};

/* As after three rounds: the middle one counts. */
static void fill_result(const struct bench_case *bench_case, uint64_t figure, uint64_t floor,
			struct bench_result *result)
{
	struct bench_rounds rounds = {.figures = malloc(3 * sizeof(uint64_t)),
				      .floors = malloc(3 * sizeof(uint64_t)),
				      .count = 3};
	*result = (struct bench_result){
		.name = bench_case->name, .unit = bench_case->unit, .rounds = rounds};
	for (uint64_t i = 0; i < 3; i++) {
		rounds.figures[i] = figure + i * 1000000 - 1000000;
		rounds.floors[i] = floor + i * 1000000 - 1000000;
	}
	bench_result_fill(bench_case, result);
}

static bool holds(const struct bench_case *bench_case, uint64_t figure, uint64_t floor,
		  double slack)
{
	static struct bench_result result; /* its histograms are large */
	fill_result(bench_case, figure, floor, &result);
	return bench_result_holds(&result, slack);
}

static void a_cost_is_at_most_so_many_floors(void **state)
{
	(void)state;
	assert_true(holds(&cost_case, 19000000, 10000000, 1));
	assert_true(holds(&cost_case, 20000000, 10000000, 1));
	assert_false(holds(&cost_case, 21000000, 10000000, 1));
	/* It is the ratio that counts: both are ten times as slow. */
	assert_true(holds(&cost_case, 190000000, 100000000, 1));
	assert_false(holds(&cost_case, 210000000, 100000000, 1));
}

static void a_rate_is_at_least_so_much_of_its_floor(void **state)
{
	(void)state;
	assert_true(holds(&rate_case, 60000000, 100000000, 1));
	assert_true(holds(&rate_case, 50000000, 100000000, 1));
	assert_false(holds(&rate_case, 49000000, 100000000, 1));
}

static void slack_is_a_factor_of_the_worse(void **state)
{
	(void)state;
	assert_true(holds(&cost_case, 29000000, 10000000, 1.5));
	assert_false(holds(&cost_case, 31000000, 10000000, 1.5));
	assert_false(holds(&cost_case, 19000000, 10000000, 0.9));
	assert_true(holds(&rate_case, 26000000, 100000000, 2));
	assert_false(holds(&rate_case, 24000000, 100000000, 2));
	assert_false(holds(&rate_case, 60000000, 100000000, 0.8));
}

static void a_budget_in_floors_is_a_ratio(void **state)
{
	static struct bench_result result;
	(void)state;
	fill_result(&multiple_case, 14000000, 10000000, &result);
	assert_true(result.met && bench_result_holds(&result, 1));
	fill_result(&multiple_case, 16000000, 10000000, &result);
	assert_false(result.met || bench_result_holds(&result, 1));
}

static void a_budget_in_ns_is_shown_and_not_held(void **state)
{
	static struct bench_result result;
	(void)state;
	fill_result(&absolute_case, 16000000, 10000000, &result);
	assert_false(result.met);
	assert_true(bench_result_holds(&result, 1));
}

static void without_a_floor_there_is_nothing_to_hold_it_by(void **state)
{
	static struct bench_result result;
	(void)state;
	fill_result(&cost_case, 2000000, 1000000, &result);
	assert_true(bench_result_holds(&result, 1));
	result.ratio = 0;
	assert_false(bench_result_holds(&result, 1));
	result.skipped = "needs two CPUs";
	assert_true(bench_result_holds(&result, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cost_is_at_most_so_many_floors),
		cmocka_unit_test(a_rate_is_at_least_so_much_of_its_floor),
		cmocka_unit_test(slack_is_a_factor_of_the_worse),
		cmocka_unit_test(a_budget_in_floors_is_a_ratio),
		cmocka_unit_test(a_budget_in_ns_is_shown_and_not_held),
		cmocka_unit_test(without_a_floor_there_is_nothing_to_hold_it_by),
	};
	return cmocka_run_group_tests_name("bench: results", tests, NULL, NULL);
}
