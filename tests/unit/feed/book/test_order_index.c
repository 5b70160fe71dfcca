/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the index finds exactly the orders that are in it, through growth and any order of
 * removals. Method: random inserts and removals over few references, against an array.
 */
#include "book/order_index.h"

#include "tests/unit/feed/feed_test.h"

#define REFERENCES 3000

static uint64_t seed;

static void check_all(const struct order_index *index, const uint32_t *shares)
{
	size_t count = 0;
	for (uint64_t reference = 0; reference < REFERENCES; reference++) {
		const struct order *order = order_index_find(index, reference);
		assert_int_equal(order != NULL, shares[reference] != 0);
		if (order)
			assert_int_equal(order->shares, shares[reference]);
		count += shares[reference] != 0;
	}
	assert_int_equal(index->count, count);
}

static void random_orders(void **state)
{
	(void)state;
	struct generator_random random = {seed};
	static uint32_t shares[REFERENCES];
	struct order_index index;
	assert_int_equal(order_index_init(&index, 1), 0);
	for (int step = 0; step < 100000; step++) {
		uint32_t reference = random_below(&random, REFERENCES);
		struct order *order = order_index_find(&index, reference);
		if (order && (step / 10000) % 2) {
			order_index_remove(&index, order);
			shares[reference] = 0;
		} else if (!order) {
			struct order added = {.reference = reference,
					      .shares = 1 + random_below(&random, 1000)};
			assert_int_equal(order_index_reserve(&index), 0);
			order_index_insert(&index, &added);
			shares[reference] = added.shares;
		}
		if (step % 5000 == 0)
			check_all(&index, shares);
	}
	check_all(&index, shares);
	order_index_clear(&index);
	memset(shares, 0, sizeof(shares));
	check_all(&index, shares);
	order_index_fini(&index);
}

static void expected_count_needs_no_growth(void **state)
{
	(void)state;
	struct order_index index;
	assert_int_equal(order_index_init(&index, 1000), 0);
	const struct order *table = index.table;
	for (uint64_t reference = 1; reference <= 1000; reference++) {
		struct order order = {.reference = reference, .shares = 1};
		assert_int_equal(order_index_reserve(&index), 0);
		order_index_insert(&index, &order);
	}
	assert_ptr_equal(index.table, table);
	order_index_fini(&index);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_orders),
		cmocka_unit_test(expected_count_needs_no_growth),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("order_index", tests, NULL, NULL);
}
