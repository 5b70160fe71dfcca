/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the smoothed round trip follows RFC 6298, a stall does not spoil it, a longer path is
 * followed. Method: examples.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/rtt.h"

static void test_as_in_the_rfc(void **state)
{
	struct tern_rtt rtt = {0};
	(void)state;
	assert_int_equal(tern_rtt_smoothed(&rtt), TERN_RTT_UNKNOWN_NS);
	tern_rtt_sample(&rtt, 8000);
	assert_int_equal(rtt.srtt_ns, 8000);
	assert_int_equal(rtt.variance_ns, 4000);
	tern_rtt_sample(&rtt, 16000);
	assert_int_equal(rtt.srtt_ns, 9000);
	assert_int_equal(rtt.variance_ns, 5000);
	assert_int_equal(rtt.min_ns, 8000);
	assert_int_equal(tern_rtt_retry(&rtt), 20000);
	assert_int_equal(tern_rtt_probe(&rtt), 20000);
	for (int i = 0; i < 100; i++)
		tern_rtt_sample(&rtt, 40000);
	assert_in_range(tern_rtt_retry(&rtt), 78000, 80000);
	assert_in_range(tern_rtt_probe(&rtt), 58000, 60000);
}

static void test_jumps(void **state)
{
	struct tern_rtt rtt = {0};
	(void)state;
	tern_rtt_sample(&rtt, 5000);
	tern_rtt_sample(&rtt, 50000000);
	assert_true(rtt.srtt_ns < 10000);
	for (int i = 0; i < 24; i++)
		tern_rtt_sample(&rtt, 5000000);
	assert_in_range(rtt.srtt_ns, 4000000, 5000000);
	tern_rtt_sample(&rtt, UINT64_MAX);
	tern_rtt_sample(&rtt, 0);
	assert_true(rtt.srtt_ns < 50000000 && rtt.min_ns >= 1);
}

static void test_least_of_two_spans(void **state)
{
	struct tern_rtt rtt = {0};
	(void)state;
	tern_rtt_sample(&rtt, 3000);
	for (uint32_t i = 0; i < 2 * TERN_RTT_SPAN; i++)
		tern_rtt_sample(&rtt, 9000);
	assert_int_equal(rtt.min_ns, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_in_the_rfc),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_least_of_two_spans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
