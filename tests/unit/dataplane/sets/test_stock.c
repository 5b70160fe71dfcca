/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stock gives each number once until it is put back, from 1 on, with memory that is zero
 * at first and stays where it is; it gives no more than it was made for, and holds what it says.
 * Method: take all, put some back, take them again.
 */
#include "tests/unit/support.h"

#include "dataplane/sets/stock.h"

struct thing {
	uint32_t next, name;
	uint64_t rest[2];
};

enum { MOST = 5000 };

static struct thing *thing_at(const struct tern_stock *stock, uint32_t number)
{
	return tern_stock_at(stock, number);
}

static void numbers_are_given_once(void **state)
{
	struct tern_stock stock;
	(void)state;
	assert_int_equal(tern_stock_init(&stock, sizeof(struct thing), MOST, false), 0);
	for (uint32_t i = 1; i <= MOST; i++) {
		assert_int_equal(tern_stock_take(&stock), i);
		assert_int_equal(thing_at(&stock, i)->name, 0);
		thing_at(&stock, i)->name = i;
		assert_int_equal(stock.memory.size, tern_stock_bytes(sizeof(struct thing), i));
	}
	assert_int_equal(tern_stock_take(&stock), 0);
	for (uint32_t i = 10; i <= 30; i++)
		tern_stock_put(&stock, i);
	for (uint32_t i = 30; i >= 10; i--) {
		assert_int_equal(tern_stock_take(&stock), i);
		assert_int_equal(thing_at(&stock, i)->name, i);
	}
	assert_int_equal(tern_stock_take(&stock), 0);
	tern_stock_fini(&stock);
}

static void an_empty_one_holds_nothing(void **state)
{
	struct tern_stock stock;
	(void)state;
	assert_int_equal(tern_stock_init(&stock, sizeof(struct thing), MOST, true), 0);
	assert_int_equal(stock.memory.size, 0);
	assert_int_equal(tern_stock_bytes(sizeof(struct thing), 0), 0);
	tern_stock_fini(&stock);
	tern_stock_fini(&stock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_given_once),
		cmocka_unit_test(an_empty_one_holds_nothing),
	};
	return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
