/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a set of positions holds what was put in and not taken out, in order, within its bound.
 * Method: random steps beside a table of flags.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/ranges.h"

enum { SPAN = 200, MAX = 16 };

static void check_same(const struct tern_ranges *ranges, const bool *has)
{
	uint64_t end = 0;
	for (uint64_t i = 0; i < SPAN; i++)
		assert_int_equal(tern_ranges_has(ranges, i), has[i]);
	for (uint32_t i = 0; i < ranges->count; i++) {
		assert_true(ranges->at[i].from >= end && ranges->at[i].from < ranges->at[i].to);
		end = ranges->at[i].to;
	}
	assert_true(ranges->count <= MAX);
}

static void test_model(void **state)
{
	struct tern_rng rng = seeded(1);
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct tern_range memory[MAX];
		struct tern_ranges ranges;
		bool has[SPAN] = {false};
		uint64_t end = 0;
		tern_ranges_init(&ranges, memory, MAX);
		for (int step = 0; step < 300; step++) {
			uint64_t from = end + draw(&rng, 3), to = from + 1 + draw(&rng, 4);
			uint64_t position = draw(&rng, SPAN);
			if (draw(&rng, 3) == 0 && to < SPAN) {
				if (tern_ranges_append(&ranges, from, to, 0)) {
					memset(has + from, 1, to - from);
					end = to;
				} else {
					assert_int_equal(ranges.count, MAX);
				}
			} else if (has[position]) {
				has[position] = !tern_ranges_take(&ranges, position);
				assert_true(!has[position] || ranges.count == MAX);
			}
			check_same(&ranges, has);
		}
	}
}

static void test_words_stay_with_both_halves(void **state)
{
	struct tern_range memory[3];
	struct tern_ranges ranges;
	(void)state;
	tern_ranges_init(&ranges, memory, 3);
	assert_true(tern_ranges_append(&ranges, 5, 10, 77));
	ranges.at[0].asked = 2;
	assert_true(tern_ranges_take(&ranges, 7));
	assert_int_equal(ranges.count, 2);
	assert_int_equal(ranges.at[1].from, 8);
	assert_int_equal(ranges.at[1].since_ns, 77);
	assert_int_equal(ranges.at[1].asked, 2);
	/* One that was asked for is not joined with one that was not, as long as there is a place.
	 */
	assert_true(tern_ranges_append(&ranges, 10, 11, 80));
	assert_int_equal(ranges.count, 3);
	assert_true(tern_ranges_append(&ranges, 11, 12, 81));
	assert_int_equal(ranges.count, 3);
	assert_false(tern_ranges_append(&ranges, 20, 21, 82));
	assert_false(tern_ranges_has(&ranges, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_words_stay_with_both_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
