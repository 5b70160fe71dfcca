/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the virtual clock shows what its owner says; the real one keeps pace with the kernel's;
 * a span turned into ticks is never shorter than asked for, however long.
 * Method: random spans of all magnitudes there and back; 50 ms beside CLOCK_MONOTONIC.
 */
#include "capability_test.h"

#include <time.h>

#include "capabilities/clock.h"

static void test_virtual(void **state)
{
	struct tern_clock clock;
	(void)state;
	tern_clock_init(&clock, true);
	assert_int_equal(tern_clock_ns(&clock), 0);
	assert_int_equal(tern_clock_ns(&clock), 0);
	tern_clock_advance(&clock, 1);
	assert_int_equal(tern_clock_ns(&clock), 1);
	tern_clock_advance(&clock, 1000000000);
	assert_int_equal(tern_clock_ns(&clock), 1000000001);
	assert_int_equal(tern_clock_to_ns(&clock, 12345), 12345);
	assert_int_equal(tern_clock_from_ns(&clock, 12345), 12345);
}

/* Spans up to 2^53 ns, over a hundred days; late by at most 1 ns and one tick in 10^6 s. */
static void check_round_trip(const struct tern_clock *clock, struct tern_rng *rng)
{
	uint64_t tick_ns = 1 + (clock->ns_per_tick >> 32);
	for (int i = 0; i < 200000; i++) {
		uint64_t ns = tern_rng_next(rng) >> (11 + draw(rng, 53));
		uint64_t back = tern_clock_to_ns(clock, tern_clock_from_ns(clock, ns));
		assert_true(back >= ns);
		assert_true(back - ns <= tick_ns + (ns >> 31));
	}
}

static void test_never_early(void **state)
{
	struct tern_rng rng = test_rng(21);
	struct tern_clock clock;
	(void)state;
	tern_clock_init(&clock, true);
	check_round_trip(&clock, &rng);
	tern_clock_init(&clock, false);
	check_round_trip(&clock, &rng);
}

/* A deadline is now plus a span: "for ever" must not wrap round into the past. */
static void test_for_ever(void **state)
{
	(void)state;
	for (int is_virtual = 0; is_virtual <= 1; is_virtual++) {
		struct tern_clock clock;
		tern_clock_init(&clock, is_virtual);
		uint64_t before = 0;
		for (int bit = 0; bit < 64; bit++) {
			uint64_t ticks = tern_clock_from_ns(&clock, 1ull << bit);
			assert_true(ticks > before || (ticks == before && ticks == INT64_MAX));
			before = ticks;
		}
		assert_true(tern_clock_from_ns(&clock, UINT64_MAX) == INT64_MAX);
	}
}

static void test_monotonic(void **state)
{
	struct tern_clock clock;
	(void)state;
	tern_clock_init(&clock, false);
	uint64_t before = tern_clock_ns(&clock);
	assert_true(before < 1000000000u);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = tern_clock_ns(&clock);
		assert_true(now >= before);
		before = now;
	}
}

static uint64_t kernel_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Both clocks at one moment: again where something came between the two readings. */
static void read_both(const struct tern_clock *clock, uint64_t *kernel, uint64_t *ours)
{
	uint64_t before, after;
	do {
		before = kernel_ns();
		*ours = tern_clock_ns(clock);
		after = kernel_ns();
	} while (after - before > 50000);
	*kernel = before;
}

static void test_pace(void **state)
{
	struct tern_clock clock;
	uint64_t kernel_from, from, kernel_to, to;
	(void)state;
	tern_clock_init(&clock, false);
	read_both(&clock, &kernel_from, &from);
	while (kernel_ns() - kernel_from < 50000000)
		;
	read_both(&clock, &kernel_to, &to);
	double pace = (double)(to - from) / (double)(kernel_to - kernel_from);
	print_message("%.1f MHz; %.4f ns for each of the kernel's\n", (double)clock.hz / 1e6, pace);
	assert_true(pace > 0.99 && pace < 1.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual),	 cmocka_unit_test(test_never_early),
		cmocka_unit_test(test_for_ever), cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
