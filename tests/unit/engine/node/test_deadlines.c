/* SPDX-License-Identifier: Apache-2.0 */

/* Deadlines: random settings, moves and takings agree with a plain array, at every step. */
#include "tests/unit/support.h"

#include "capabilities/rng.h"
#include "engine/node/deadlines.h"

#define NUMBERS 100u

static uint64_t model_first(const uint64_t *model)
{
	uint64_t first = UINT64_MAX;
	for (uint32_t i = 0; i < NUMBERS; i++)
		first = model[i] < first ? model[i] : first;
	return first;
}

static void test_agrees_with_an_array(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 0);
		struct tern_deadlines deadlines = {0};
		uint64_t model[NUMBERS];
		memset(model, 0xFF, sizeof(model));
		assert_int_equal(tern_deadlines_grow(&deadlines, 7), 0);
		uint32_t room = 7;
		for (int step = 0; step < 3000; step++) {
			uint32_t number = (uint32_t)(tern_rng_next(&rng) % room);
			uint64_t draw = tern_rng_next(&rng) % 100;
			if (draw < 60) {
				model[number] = draw < 10 ? UINT64_MAX : tern_rng_next(&rng) % 500;
				tern_deadlines_set(&deadlines, number, model[number]);
			} else if (draw < 95 && deadlines.count) {
				uint64_t first = tern_deadlines_first(&deadlines);
				uint32_t taken = tern_deadlines_pop(&deadlines);
				assert_int_equal(model[taken], first);
				model[taken] = UINT64_MAX;
			} else if (room < NUMBERS) {
				room = room * 2 < NUMBERS ? room * 2 : NUMBERS;
				assert_int_equal(tern_deadlines_grow(&deadlines, room), 0);
			}
			assert_int_equal(tern_deadlines_first(&deadlines), model_first(model));
		}
		tern_deadlines_fini(&deadlines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees_with_an_array)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
