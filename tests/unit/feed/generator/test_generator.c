/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the generated day is the same for the same seed, consistent, and as long as asked. Method:
 * replay it through books, which must accept every message and end equal to the generator's own
 * orders.
 */
#include "generator/generator.h"

#include "book/book.h"
#include "tests/unit/feed/feed_test.h"

static uint64_t seed;

static struct generator *make_generator(uint64_t a_seed, uint64_t messages, uint32_t symbols)
{
	struct generator *generator;
	struct generator_options options = {a_seed, messages, symbols};
	assert_int_equal(generator_create(&options, &generator), 0);
	return generator;
}

static void compare_side(const struct generator *generator, const struct book *book,
			 uint32_t symbol, enum book_side_index side)
{
	uint32_t count;
	uint32_t depth = 0;
	const struct generator_order *orders = generator_orders(generator, symbol, side, &count);
	while (count) {
		const struct book_level *level = book_level_at(book, side, depth++);
		assert_non_null(level);
		uint64_t shares = 0;
		uint32_t price = orders[count - 1].price;
		for (; count && orders[count - 1].price == price; count--)
			shares += orders[count - 1].shares;
		assert_int_equal(level->price, price);
		assert_int_equal(level->shares, shares);
	}
	assert_null(book_level_at(book, side, depth));
}

static void check_uncrossed(const struct book *book)
{
	const struct book_level *bid = book_best(book, BOOK_BID);
	const struct book_level *ask = book_best(book, BOOK_ASK);
	if (bid && ask)
		assert_true(bid->price < ask->price);
}

static void books_accept_every_message(void **state)
{
	(void)state;
	const uint32_t symbols = 7;
	struct generator *generator = make_generator(seed, 200000, symbols);
	struct book_set *set;
	struct itch_message message;
	uint64_t types[128] = {0};
	uint64_t count = 0;
	uint64_t last_ns = 0;
	assert_int_equal(book_set_create(1000, &set), 0);
	for (; generator_next(generator, &message); count++) {
		assert_int_equal(book_set_apply(set, &message), FEED_OK);
		assert_true(message.timestamp_ns >= last_ns);
		last_ns = message.timestamp_ns;
		types[(int)message.type]++;
		if (message.locate)
			check_uncrossed(book_set_get(set, message.locate));
	}
	assert_int_equal(count, 200000);
	assert_true(last_ns < UINT64_C(86400000000000));
	for (const char *type = "SRHYAFECXDUPQ"; *type; type++)
		assert_true(types[(int)*type] > 0);
	for (uint32_t symbol = 0; symbol < symbols; symbol++) {
		const struct book *book = book_set_get(set, (uint16_t)(symbol + 1));
		compare_side(generator, book, symbol, BOOK_BID);
		compare_side(generator, book, symbol, BOOK_ASK);
	}
	assert_false(generator_next(generator, &message));
	book_set_destroy(set);
	generator_destroy(generator);
}

static void same_seed_same_day(void **state)
{
	(void)state;
	struct generator *one = make_generator(seed, 5000, 3);
	struct generator *two = make_generator(seed, 5000, 3);
	struct generator *other = make_generator(seed + 1, 5000, 3);
	struct itch_message a;
	struct itch_message b;
	struct itch_message c;
	int different = 0;
	while (generator_next(one, &a)) {
		assert_true(generator_next(two, &b));
		assert_true(generator_next(other, &c));
		assert_memory_equal(&a, &b, sizeof(a));
		different += memcmp(&a, &c, sizeof(a)) != 0;
	}
	assert_true(different > 2500);
	generator_destroy(one);
	generator_destroy(two);
	generator_destroy(other);
}

static void every_length_is_met(void **state)
{
	(void)state;
	for (uint64_t messages = 0; messages < 60; messages++) {
		struct generator *generator = make_generator(seed, messages, 4);
		struct itch_message message;
		uint64_t count = 0;
		while (generator_next(generator, &message))
			count++;
		assert_int_equal(count, messages);
		generator_destroy(generator);
	}
}

static void symbol_count_is_checked(void **state)
{
	(void)state;
	struct generator *generator = NULL;
	struct generator_options none = {1, 1, 0};
	struct generator_options many = {1, 1, GENERATOR_SYMBOLS_MAX + 1};
	assert_true(generator_create(&none, &generator) < 0);
	assert_true(generator_create(&many, &generator) < 0);
	assert_null(generator);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(books_accept_every_message),
		cmocka_unit_test(same_seed_same_day),
		cmocka_unit_test(every_length_is_met),
		cmocka_unit_test(symbol_count_is_checked),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
