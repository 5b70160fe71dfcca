/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: credit grows while it is used up, shrinks while nothing comes, never exceeds what there is,
 * and all of it comes back. Method: examples; random links on one lender.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/credit.h"

static void test_doubles_and_shrinks(void **state)
{
	struct tern_lender lender = {.free = 100};
	struct tern_credit credit;
	(void)state;
	assert_true(tern_credit_init(&credit, &lender, 64, 0));
	assert_int_equal(credit.lent, 4);
	assert_int_equal(tern_credit_poll(&credit, 0), UINT64_MAX);
	credit.told = 5;
	tern_credit_use(&credit, 1, 0);
	assert_int_equal(credit.lent, 4);
	for (uint32_t wanted = 8; wanted <= 64; wanted *= 2) {
		tern_credit_use(&credit, credit.told - 1, 10);
		assert_int_equal(credit.lent, wanted);
		credit.told += wanted;
	}
	tern_credit_use(&credit, credit.told - 1, 10);
	assert_int_equal(credit.lent, 64);
	assert_int_equal(lender.free, 36);
	uint64_t due = tern_credit_poll(&credit, 11);
	assert_int_equal(credit.lent, 64);
	assert_int_equal(due, 10 + TERN_CREDIT_IDLE_NS);
	for (int i = 0; i < 10 && due != UINT64_MAX; i++)
		due = tern_credit_poll(&credit, due);
	assert_int_equal(credit.lent, 4);
	assert_int_equal(lender.free, 96);
	tern_credit_fini(&credit);
	assert_int_equal(lender.free, 100);
}

static void test_without_a_lender_all_is_lent(void **state)
{
	struct tern_credit credit;
	(void)state;
	assert_true(tern_credit_init(&credit, NULL, 32, 0));
	tern_credit_use(&credit, 1000, 0);
	assert_int_equal(credit.lent, 32);
	assert_int_equal(tern_credit_poll(&credit, UINT64_MAX / 2), UINT64_MAX);
	tern_credit_fini(&credit);
}

static void test_many_share(void **state)
{
	enum { LINKS = 20, FRAMES = 300 };
	struct tern_rng rng = seeded(3);
	struct tern_lender lender = {.free = FRAMES};
	struct tern_credit credit[LINKS];
	(void)state;
	for (int i = 0; i < LINKS; i++)
		assert_true(tern_credit_init(&credit[i], &lender, 128, 0));
	for (uint64_t now = 0; now < 100000; now++) {
		struct tern_credit *one = &credit[draw(&rng, LINKS)];
		uint32_t sum = lender.free;
		one->told += one->lent;
		if (draw(&rng, 3))
			tern_credit_use(one, one->told - 1, now * 1000);
		else
			tern_credit_poll(one, now * 1000);
		for (int i = 0; i < LINKS; i++) {
			assert_in_range(credit[i].lent, TERN_CREDIT_MIN, 128);
			sum = i ? sum : lender.free;
			sum += credit[i].lent;
		}
		assert_int_equal(sum, FRAMES);
	}
	for (int i = 0; i < LINKS; i++)
		tern_credit_fini(&credit[i]);
	assert_int_equal(lender.free, FRAMES);
	lender.free = 3;
	assert_false(tern_credit_init(&credit[0], &lender, 128, 0));
	assert_int_equal(lender.free, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_and_shrinks),
		cmocka_unit_test(test_without_a_lender_all_is_lent),
		cmocka_unit_test(test_many_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
