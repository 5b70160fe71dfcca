/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: senders that share a bottleneck keep its queue near the target, share it, and use it whole;
 * where it is off it does nothing. Method: examples; a fluid bottleneck of 16 senders.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/congestion.h"

static void test_off(void **state)
{
	struct tern_congestion congestion;
	(void)state;
	tern_congestion_init(&congestion, 0, 0, 64);
	tern_congestion_acknowledge(&congestion, 1, 1000000, 1, 1000000, 5000000);
	assert_int_equal(tern_congestion_window(&congestion), 64);
	tern_congestion_init(&congestion, 10, 2000, 64);
	tern_congestion_acknowledge(&congestion, 1, 1999, 1, 1999, 5000000);
	assert_int_equal(tern_congestion_window(&congestion), 64);
}

static void test_shrinks_once_a_round_trip_and_not_below_the_least(void **state)
{
	struct tern_congestion congestion;
	(void)state;
	tern_congestion_init(&congestion, 10000, 0, 64);
	tern_congestion_acknowledge(&congestion, 1, 1000000, 5000, 1000000, 2000000);
	assert_int_equal(tern_congestion_window(&congestion), 32);
	tern_congestion_acknowledge(&congestion, 1, 1000000, 5000, 1000000, 2900000);
	assert_int_equal(tern_congestion_window(&congestion), 32);
	for (uint64_t i = 3; i < 20; i++)
		tern_congestion_acknowledge(&congestion, 1, 1000000, 5000, 1000000, i * 1000000);
	assert_int_equal(tern_congestion_window(&congestion), TERN_CONGESTION_MIN);
}

/* Each frame takes 1 us of the bottleneck; what is under way beyond 10 us of wire queues. */
static void test_incast(void **state)
{
	enum { SENDERS = 16, ROUNDS = 4000, WIRE_NS = 100000, TARGET_NS = 20000 };
	struct tern_congestion congestion[SENDERS];
	uint64_t now = 0, queued_ns = 0;
	(void)state;
	for (int i = 0; i < SENDERS; i++)
		tern_congestion_init(&congestion[i], TARGET_NS, 0, 256);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t sum = 0;
		for (int i = 0; i < SENDERS; i++)
			sum += tern_congestion_window(&congestion[i]);
		uint64_t need_ns = sum * US;
		queued_ns = need_ns > WIRE_NS ? need_ns - WIRE_NS : 0;
		now += WIRE_NS + queued_ns;
		for (int i = 0; i < SENDERS; i++)
			tern_congestion_acknowledge(
				&congestion[i], tern_congestion_window(&congestion[i]),
				WIRE_NS + queued_ns, WIRE_NS, WIRE_NS + queued_ns, now);
		if (round > 100) {
			assert_true(queued_ns <= 4 * TARGET_NS);
			assert_true(need_ns >= WIRE_NS / 2);
		}
	}
	uint32_t least = UINT32_MAX, most = 0;
	for (int i = 0; i < SENDERS; i++) {
		least = RTE_MIN(least, tern_congestion_window(&congestion[i]));
		most = RTE_MAX(most, tern_congestion_window(&congestion[i]));
	}
	assert_true(most <= 2 * least + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_shrinks_once_a_round_trip_and_not_below_the_least),
		cmocka_unit_test(test_incast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
