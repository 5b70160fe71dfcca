/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one seed gives one sequence, on every machine, and the sequence looks random.
 * Method: the published values of SplitMix64 for one seed; equal and unequal seeds; each bit is
 * set about as often as not, and changes about as often as not.
 */
#include "capability_test.h"

static void test_known_values(void **state)
{
	static const uint64_t known[] = {6457827717110365317u, 3203168211198807973u,
					 9817491932198370423u, 4593380528125082431u,
					 16408922859458223821u};
	struct tern_rng rng = {.state = 1234567};
	(void)state;
	for (size_t i = 0; i < RTE_DIM(known); i++)
		assert_true(tern_rng_next(&rng) == known[i]);
}

static void test_seeds(void **state)
{
	struct tern_rng one = {.state = 7}, same = {.state = 7}, other = {.state = 8};
	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t number = tern_rng_next(&one);
		assert_true(number == tern_rng_next(&same));
		assert_true(number != tern_rng_next(&other));
	}
}

static void test_bits(void **state)
{
	enum { COUNT = 40000, SLACK = 1000 /* ten standard deviations */ };
	struct tern_rng rng = test_rng(11);
	int set[64] = {0}, changed[64] = {0};
	uint64_t before = tern_rng_next(&rng);
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		uint64_t number = tern_rng_next(&rng);
		for (int bit = 0; bit < 64; bit++) {
			set[bit] += (int)(number >> bit & 1);
			changed[bit] += (int)((number ^ before) >> bit & 1);
		}
		before = number;
	}
	for (int bit = 0; bit < 64; bit++) {
		assert_in_range(set[bit], COUNT / 2 - SLACK, COUNT / 2 + SLACK);
		assert_in_range(changed[bit], COUNT / 2 - SLACK, COUNT / 2 + SLACK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
