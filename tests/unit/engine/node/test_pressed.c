/* SPDX-License-Identifier: Apache-2.0 */

/* Agents that refuse: random additions and removals agree with a plain list, full and empty. */
#include "tests/unit/support.h"

#include "capabilities/rng.h"
#include "engine/node/pressed.h"

#define AGENTS 40u
#define LINKS 3u

static void test_agrees_with_a_list(void **state)
{
	(void)state;
	struct tern_pressed pressed;
	struct tern_rng rng = tern_rng_stream(7, 0);
	bool model[AGENTS][LINKS] = {0};
	uint32_t count = 0;
	assert_int_equal(tern_pressed_init(&pressed), 0);
	for (uint32_t step = 0; step < 200000; step++) {
		/* Few addresses far apart and near: their places collide. */
		uint32_t agent = (uint32_t)(tern_rng_next(&rng) % AGENTS);
		uint32_t link = (uint32_t)(tern_rng_next(&rng) % LINKS), draw = step % 1000;
		tern_address address = tern_address_make(1, agent * 2048, 1 + agent % 3);
		if (draw == 999) {
			tern_pressed_forget(&pressed, link);
			for (uint32_t i = 0; i < AGENTS; i++) {
				count -= model[i][link];
				model[i][link] = false;
			}
		} else if (tern_rng_next(&rng) % 2) {
			assert_int_equal(tern_pressed_add(&pressed, address, link),
					 !model[agent][link]);
			count += !model[agent][link];
			model[agent][link] = true;
		} else {
			tern_pressed_remove(&pressed, address, link);
			count -= model[agent][link];
			model[agent][link] = false;
		}
		assert_int_equal(pressed.count, count);
		assert_int_equal(tern_pressed_has(&pressed, address, link), model[agent][link]);
	}
	for (uint32_t agent = 0; agent < AGENTS; agent++)
		for (uint32_t link = 0; link < LINKS; link++)
			assert_int_equal(
				tern_pressed_has(&pressed,
						 tern_address_make(1, agent * 2048, 1 + agent % 3),
						 link),
				model[agent][link]);
	tern_pressed_fini(&pressed);
}

static void test_takes_so_many_and_goes_round_them(void **state)
{
	(void)state;
	struct tern_pressed pressed;
	static bool seen[TERN_PRESSED_MAX + 1];
	assert_int_equal(tern_pressed_init(&pressed), 0);
	for (uint32_t i = 1; i <= TERN_PRESSED_MAX; i++)
		assert_true(tern_pressed_add(&pressed, i, 0));
	assert_false(tern_pressed_add(&pressed, TERN_PRESSED_MAX + 1, 0));
	assert_false(tern_pressed_has(&pressed, TERN_PRESSED_MAX + 1, 0));
	for (uint32_t i = 0; i < TERN_PRESSED_MAX; i++) {
		tern_address agent = tern_pressed_next(&pressed).agent;
		assert_false(seen[agent]);
		seen[agent] = true;
	}
	tern_pressed_forget(&pressed, 0);
	assert_int_equal(pressed.count, 0);
	tern_pressed_fini(&pressed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_a_list),
		cmocka_unit_test(test_takes_so_many_and_goes_round_them)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
