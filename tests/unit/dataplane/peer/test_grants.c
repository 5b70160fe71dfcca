/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a session that was granted opens with its first frame, and no older one after it. Method:
 * examples.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/grants.h"

static void grant(struct tern_grants *grants, uint64_t nonce)
{
	struct tern_wire_hello hello = {.nonce = nonce};
	tern_grants_add(grants, &hello, 100 + nonce, 200 + nonce);
}

static void test_older_ones_go_newer_ones_stay(void **state)
{
	struct tern_grants grants = {0};
	(void)state;
	grant(&grants, 1);
	grant(&grants, 2);
	grant(&grants, 3);
	assert_int_equal(tern_grants_by_nonce(&grants, 2)->session, 102);
	assert_true(tern_grants_by_nonce(&grants, 2)->is_due);
	struct tern_grant taken = tern_grants_take(&grants, tern_grants_by_session(&grants, 102));
	assert_int_equal(taken.hello.nonce, 2);
	assert_int_equal(taken.own_nonce, 202);
	assert_null(tern_grants_by_session(&grants, 101));
	assert_null(tern_grants_by_session(&grants, 102));
	assert_non_null(tern_grants_by_session(&grants, 103));
}

static void test_the_oldest_gives_way(void **state)
{
	struct tern_grants grants = {0};
	(void)state;
	for (uint64_t i = 1; i <= TERN_GRANTS_MAX + 1; i++)
		grant(&grants, i);
	assert_int_equal(grants.count, TERN_GRANTS_MAX);
	assert_null(tern_grants_by_nonce(&grants, 1));
	for (uint64_t i = 2; i <= TERN_GRANTS_MAX + 1; i++)
		assert_non_null(tern_grants_by_nonce(&grants, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_older_ones_go_newer_ones_stay),
		cmocka_unit_test(test_the_oldest_gives_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
