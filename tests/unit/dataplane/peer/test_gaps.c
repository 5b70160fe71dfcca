/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each missing position is asked for when it is due, all that are due at once, and none that
 * has come; a path that reorders is given its time. Method: examples with times.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/gaps.h"

enum { MAX = 65 };
static struct tern_range memory[MAX];
static struct tern_wire_range asked[TERN_WIRE_RANGES_MAX];

static void test_in_order_nothing_is_missing(void **state)
{
	struct tern_gaps gaps;
	(void)state;
	tern_gaps_init(&gaps, memory, MAX);
	for (uint64_t i = 1; i < 1000; i++)
		assert_int_equal(tern_gaps_arrive(&gaps, i, i, 1), TERN_ARRIVAL_NEW);
	assert_int_equal(tern_gaps_base(&gaps), 1000);
	assert_int_equal(tern_gaps_due(&gaps, 1), UINT64_MAX);
	assert_int_equal(tern_gaps_arrive(&gaps, 500, 0, 1), TERN_ARRIVAL_AGAIN);
}

static void test_all_gaps_at_once_and_again_later(void **state)
{
	struct tern_gaps gaps;
	(void)state;
	tern_gaps_init(&gaps, memory, MAX);
	for (uint64_t i = 2; i <= 100; i += 2)
		assert_int_equal(tern_gaps_arrive(&gaps, i, 1000, 500), TERN_ARRIVAL_NEW);
	assert_int_equal(tern_gaps_base(&gaps), 1);
	assert_int_equal(tern_gaps_due(&gaps, 300), 1000);
	assert_int_equal(tern_gaps_ask(&gaps, 1000, 300, asked, TERN_WIRE_RANGES_MAX), 50);
	assert_int_equal(asked[49].from, 99);
	assert_int_equal(asked[49].to, 100);
	assert_int_equal(tern_gaps_due(&gaps, 300), 1300);
	assert_int_equal(tern_gaps_ask(&gaps, 1299, 300, asked, TERN_WIRE_RANGES_MAX), 0);
	assert_int_equal(tern_gaps_arrive(&gaps, 1, 1300, 500), TERN_ARRIVAL_NEW);
	assert_int_equal(tern_gaps_base(&gaps), 3);
	assert_int_equal(tern_gaps_ask(&gaps, 1300, 300, asked, TERN_WIRE_RANGES_MAX), 49);
	assert_int_equal(asked[0].from, 3);
}

static void test_announced_is_missing(void **state)
{
	struct tern_gaps gaps;
	(void)state;
	tern_gaps_init(&gaps, memory, MAX);
	tern_gaps_announce(&gaps, 4, 10);
	tern_gaps_announce(&gaps, 2, 10);
	assert_int_equal(tern_gaps_ask(&gaps, 10, 5, asked, 1), 1);
	assert_int_equal(asked[0].from, 1);
	assert_int_equal(asked[0].to, 4);
	assert_true(tern_gaps_misses(&gaps, 3, 9));
	assert_false(tern_gaps_misses(&gaps, 4, 9));
	/* What adjoins is asked for in one range. */
	tern_gaps_announce(&gaps, 6, 15);
	assert_int_equal(tern_gaps_ask(&gaps, 15, 5, asked, 1), 1);
	assert_int_equal(asked[0].to, 6);
}

static void test_a_path_that_reorders_is_given_time(void **state)
{
	struct tern_gaps gaps;
	(void)state;
	tern_gaps_init(&gaps, memory, MAX);
	tern_gaps_arrive(&gaps, 2, 1000, 100000);
	assert_int_equal(tern_gaps_due(&gaps, 9), 1000);
	tern_gaps_arrive(&gaps, 1, 1400, 100000);
	assert_int_equal(gaps.reorder_ns, 400);
	tern_gaps_arrive(&gaps, 4, 2000, 100000);
	assert_int_equal(tern_gaps_due(&gaps, 9), 2400);
	/* True losses take it back. */
	for (uint64_t i = 6; i < 200; i += 2) {
		tern_gaps_ask(&gaps, 1 << 20, 0, asked, TERN_WIRE_RANGES_MAX);
		tern_gaps_arrive(&gaps, i - 3, 1 << 22, 100);
		tern_gaps_arrive(&gaps, i, 1 << 19, 100);
	}
	assert_true(gaps.reorder_ns < 10);
}

static void test_no_place_is_as_if_it_had_not_come(void **state)
{
	struct tern_gaps gaps;
	(void)state;
	tern_gaps_init(&gaps, memory, 2);
	tern_gaps_arrive(&gaps, 4, 0, 1);
	tern_gaps_arrive(&gaps, 6, 0, 1);
	assert_int_equal(tern_gaps_arrive(&gaps, 8, 0, 1), TERN_ARRIVAL_FULL);
	assert_int_equal(gaps.next, 7);
	assert_int_equal(tern_gaps_arrive(&gaps, 2, 0, 1), TERN_ARRIVAL_FULL);
	assert_int_equal(tern_gaps_arrive(&gaps, 1, 0, 1), TERN_ARRIVAL_NEW);
	assert_int_equal(tern_gaps_arrive(&gaps, 2, 0, 1), TERN_ARRIVAL_NEW);
	assert_int_equal(tern_gaps_base(&gaps), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_nothing_is_missing),
		cmocka_unit_test(test_all_gaps_at_once_and_again_later),
		cmocka_unit_test(test_announced_is_missing),
		cmocka_unit_test(test_a_path_that_reorders_is_given_time),
		cmocka_unit_test(test_no_place_is_as_if_it_had_not_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
