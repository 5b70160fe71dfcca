/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: books follow the rules of the feed, and wrong messages change nothing. Method: each rule by
 * example; then random messages, right and wrong, against a model that is a plain list of orders.
 */
#include "book/book.h"

#include "tests/unit/feed/feed_test.h"

#define STOCKS 3
#define ORDERS 64

static uint64_t seed;

static struct book_set *make_set(void **state)
{
	(void)state;
	struct book_set *set;
	assert_int_equal(book_set_create(0, &set), 0);
	return set;
}

static enum feed_anomaly add(struct book_set *set, uint64_t reference, char side, uint32_t shares,
			     uint32_t price)
{
	struct itch_message message = {
		.type = 'A',
		.locate = 7,
		.add_order = {
			.reference = reference, .side = side, .shares = shares, .price = price}};
	memcpy(message.add_order.stock, "TERN    ", 8);
	return book_set_apply(set, &message);
}

static enum feed_anomaly deduct(struct book_set *set, char type, uint64_t reference,
				uint32_t shares)
{
	struct itch_message message = {.type = type, .locate = 7};
	if (type == 'E')
		message.executed = (struct itch_executed){.reference = reference, .shares = shares};
	else if (type == 'C')
		message.executed_price =
			(struct itch_executed_price){.reference = reference, .shares = shares};
	else if (type == 'X')
		message.cancel = (struct itch_cancel){.reference = reference, .shares = shares};
	else
		message.delete_order = (struct itch_delete_order){.reference = reference};
	return book_set_apply(set, &message);
}

static enum feed_anomaly replace(struct book_set *set, uint64_t reference, uint64_t new_reference,
				 uint32_t shares, uint32_t price)
{
	struct itch_message message = {.type = 'U',
				       .locate = 7,
				       .replace = {.reference = reference,
						   .new_reference = new_reference,
						   .shares = shares,
						   .price = price}};
	return book_set_apply(set, &message);
}

static void assert_level(const struct book_set *set, enum book_side_index side, uint32_t depth,
			 uint32_t price, uint64_t shares)
{
	const struct book *book = book_set_get(set, 7);
	assert_non_null(book);
	const struct book_level *level = book_level_at(book, side, depth);
	if (shares == 0) {
		assert_null(level);
		return;
	}
	assert_non_null(level);
	assert_int_equal(level->price, price);
	assert_int_equal(level->shares, shares);
}

static void levels_are_sorted_and_summed(void **state)
{
	struct book_set *set = make_set(state);
	assert_int_equal(add(set, 1, 'B', 100, 5000), FEED_OK);
	assert_int_equal(add(set, 2, 'B', 10, 5100), FEED_OK);
	assert_int_equal(add(set, 3, 'B', 1, 5000), FEED_OK);
	assert_int_equal(add(set, 4, 'S', 7, 5300), FEED_OK);
	assert_int_equal(add(set, 5, 'S', 8, 5200), FEED_OK);
	assert_level(set, BOOK_BID, 0, 5100, 10);
	assert_level(set, BOOK_BID, 1, 5000, 101);
	assert_level(set, BOOK_BID, 2, 0, 0);
	assert_level(set, BOOK_ASK, 0, 5200, 8);
	assert_level(set, BOOK_ASK, 1, 5300, 7);
	assert_int_equal(book_set_get(set, 7)->orders, 5);
	assert_int_equal(book_set_orders(set), 5);
	assert_ptr_equal(book_set_find(set, "TERN"), book_set_get(set, 7));
	assert_null(book_set_find(set, "TERNS"));
	assert_null(book_set_find(set, "NINELONGS"));
	book_set_destroy(set);
}

static void executions_cancels_and_deletes_deduct(void **state)
{
	struct book_set *set = make_set(state);
	add(set, 1, 'B', 100, 5000);
	add(set, 2, 'B', 50, 5000);
	assert_int_equal(deduct(set, 'E', 1, 30), FEED_OK);
	assert_int_equal(deduct(set, 'C', 1, 20), FEED_OK);
	assert_int_equal(deduct(set, 'X', 1, 10), FEED_OK);
	assert_level(set, BOOK_BID, 0, 5000, 90);
	assert_int_equal(deduct(set, 'E', 1, 40), FEED_OK); /* to 0: gone without a delete */
	assert_int_equal(deduct(set, 'D', 1, 0), FEED_REFERENCE_UNKNOWN);
	assert_level(set, BOOK_BID, 0, 5000, 50);
	assert_int_equal(deduct(set, 'D', 2, 0), FEED_OK);
	assert_level(set, BOOK_BID, 0, 0, 0);
	assert_int_equal(book_set_orders(set), 0);
	book_set_destroy(set);
}

static void replace_keeps_the_side(void **state)
{
	struct book_set *set = make_set(state);
	add(set, 1, 'S', 100, 5000);
	assert_int_equal(replace(set, 1, 9, 60, 4900), FEED_OK);
	assert_level(set, BOOK_ASK, 0, 4900, 60);
	assert_level(set, BOOK_ASK, 1, 0, 0);
	assert_int_equal(deduct(set, 'D', 1, 0), FEED_REFERENCE_UNKNOWN);
	assert_int_equal(deduct(set, 'D', 9, 0), FEED_OK);
	book_set_destroy(set);
}

static void wrong_messages_change_nothing(void **state)
{
	struct book_set *set = make_set(state);
	add(set, 1, 'S', 100, 5000);
	add(set, 2, 'S', 100, 5000);
	assert_int_equal(add(set, 1, 'S', 1, 1), FEED_REFERENCE_DUPLICATE);
	assert_int_equal(add(set, 3, 'x', 1, 1), FEED_SIDE_WRONG);
	assert_int_equal(add(set, 3, 'S', 0, 1), FEED_SHARES_ZERO);
	assert_int_equal(add(set, 3, 'S', 1, 0), FEED_PRICE_WRONG);
	assert_int_equal(add(set, 3, 'S', 1, ITCH_PRICE_MAX + 1), FEED_PRICE_WRONG);
	assert_int_equal(deduct(set, 'E', 1, 101), FEED_SHARES_EXCESS);
	assert_int_equal(deduct(set, 'X', 1, 0), FEED_SHARES_ZERO);
	assert_int_equal(deduct(set, 'E', 3, 1), FEED_REFERENCE_UNKNOWN);
	assert_int_equal(replace(set, 3, 4, 1, 1), FEED_REFERENCE_UNKNOWN);
	assert_int_equal(replace(set, 1, 2, 1, 1), FEED_REFERENCE_DUPLICATE);
	assert_int_equal(replace(set, 1, 3, 0, 1), FEED_SHARES_ZERO);
	assert_int_equal(replace(set, 1, 3, 1, 0), FEED_PRICE_WRONG);
	struct itch_message message = {.type = 'D', .locate = 8, .delete_order = {.reference = 1}};
	assert_int_equal(book_set_apply(set, &message), FEED_LOCATE_WRONG);
	message = (struct itch_message){
		.type = 'A',
		.locate = 7,
		.add_order = {.reference = 9, .side = 'B', .shares = 1, .price = 1}};
	assert_int_equal(book_set_apply(set, &message), FEED_STOCK_WRONG);
	message.locate = 0;
	assert_int_equal(book_set_apply(set, &message), FEED_LOCATE_WRONG);
	assert_level(set, BOOK_ASK, 0, 5000, 200);
	assert_int_equal(book_set_orders(set), 2);
	book_set_destroy(set);
}

static void other_types_have_no_effect(void **state)
{
	struct book_set *set = make_set(state);
	add(set, 1, 'S', 100, 5000);
	for (const char *type = "SHYLVWKJhPQBINO"; *type; type++) {
		struct itch_message message = {.type = *type, .locate = 7};
		assert_int_equal(book_set_apply(set, &message), FEED_OK);
	}
	assert_level(set, BOOK_ASK, 0, 5000, 100);
	book_set_destroy(set);
}

static void clear_forgets_orders_and_symbols(void **state)
{
	struct book_set *set = make_set(state);
	add(set, 1, 'S', 100, 5000);
	book_set_clear(set);
	assert_level(set, BOOK_ASK, 0, 0, 0);
	assert_null(book_set_find(set, "TERN"));
	assert_int_equal(add(set, 1, 'S', 5, 5000), FEED_OK);
	assert_level(set, BOOK_ASK, 0, 5000, 5);
	book_set_destroy(set);
}

/* The model: orders in an array by reference; shares 0 is no order. */
struct model_order {
	uint32_t shares;
	uint32_t price;
	uint16_t locate;
	enum book_side_index side;
};

static uint64_t model_level(const struct model_order *orders, uint16_t locate,
			    enum book_side_index side, uint32_t price, uint32_t *count)
{
	uint64_t shares = 0;
	*count = 0;
	for (int i = 0; i < ORDERS; i++) {
		if (orders[i].shares && orders[i].locate == locate && orders[i].side == side &&
		    orders[i].price == price) {
			shares += orders[i].shares;
			++*count;
		}
	}
	return shares;
}

static void compare(const struct book_set *set, const struct model_order *orders)
{
	size_t resting = 0;
	for (int i = 0; i < ORDERS; i++)
		resting += orders[i].shares != 0;
	assert_int_equal(book_set_orders(set), resting);
	size_t in_levels = 0;
	for (uint16_t locate = 1; locate <= STOCKS; locate++) {
		const struct book *book = book_set_get(set, locate);
		for (enum book_side_index side = BOOK_BID; book && side <= BOOK_ASK; side++) {
			uint32_t before = side == BOOK_BID ? UINT32_MAX : 0;
			const struct book_level *level;
			for (uint32_t k = 0; (level = book_level_at(book, side, k)); k++) {
				uint32_t count;
				uint64_t shares =
					model_level(orders, locate, side, level->price, &count);
				assert_int_equal(level->shares, shares);
				assert_int_equal(level->orders, count);
				assert_true(side == BOOK_BID ? level->price < before
							     : level->price > before);
				before = level->price;
				in_levels += count;
			}
		}
	}
	assert_int_equal(in_levels, resting);
}

static struct itch_message random_message(struct generator_random *random)
{
	struct itch_message message = {.type = "AAAFECXDUU"[random_below(random, 10)],
				       .locate = (uint16_t)(1 + random_below(random, STOCKS))};
	uint64_t reference = random_below(random, ORDERS);
	uint32_t shares = random_below(random, 4);
	uint32_t price = random_below(random, 40);
	if (message.type == 'A' || message.type == 'F') {
		message.add_order = (struct itch_add_order){.reference = reference,
							    .side = "BSS?"[random_below(random, 4)],
							    .shares = shares,
							    .price = price};
		memset(message.add_order.stock, 'a' + message.locate, 8);
	} else if (message.type == 'U') {
		message.replace =
			(struct itch_replace){.reference = reference,
					      .new_reference = random_below(random, ORDERS),
					      .shares = shares,
					      .price = price};
	} else {
		message.executed = (struct itch_executed){.reference = reference, .shares = shares};
	}
	return message;
}

/* Apply to the model what the book has accepted; a refusal must have a reason there too. */
static void apply_to_model(struct model_order *orders, const struct itch_message *message,
			   enum feed_anomaly anomaly)
{
	struct model_order *order = &orders[message->executed.reference];
	int known = order->shares && order->locate == message->locate;
	const struct itch_replace *replacement = &message->replace;
	const struct itch_add_order *added = &message->add_order;
	switch (message->type) {
	case 'A':
	case 'F':
		assert_int_equal(anomaly == FEED_OK, !order->shares && added->shares &&
							     added->price && added->side != '?');
		if (anomaly == FEED_OK)
			*order = (struct model_order){added->shares, added->price, message->locate,
						      added->side == 'B' ? BOOK_BID : BOOK_ASK};
		break;
	case 'U':
		assert_int_equal(anomaly == FEED_OK,
				 known && replacement->shares && replacement->price &&
					 !orders[replacement->new_reference].shares);
		if (anomaly == FEED_OK) {
			orders[replacement->new_reference] =
				(struct model_order){replacement->shares, replacement->price,
						     message->locate, order->side};
			order->shares = 0;
		}
		break;
	case 'D':
		assert_int_equal(anomaly == FEED_OK, known);
		if (anomaly == FEED_OK)
			order->shares = 0;
		break;
	default:
		assert_int_equal(anomaly == FEED_OK,
				 known && message->executed.shares &&
					 message->executed.shares <= order->shares);
		if (anomaly == FEED_OK)
			order->shares -= message->executed.shares;
	}
}

static void random_messages(void **state)
{
	struct generator_random random = {seed};
	struct model_order orders[ORDERS] = {{0}};
	struct book_set *set = make_set(state);
	for (int i = 0; i < 100000; i++) {
		struct itch_message message = random_message(&random);
		apply_to_model(orders, &message, book_set_apply(set, &message));
		if (i % 16 == 0)
			compare(set, orders);
	}
	book_set_destroy(set);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_sorted_and_summed),
		cmocka_unit_test(executions_cancels_and_deletes_deduct),
		cmocka_unit_test(replace_keeps_the_side),
		cmocka_unit_test(wrong_messages_change_nothing),
		cmocka_unit_test(other_types_have_no_effect),
		cmocka_unit_test(clear_forgets_orders_and_symbols),
		cmocka_unit_test(random_messages),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("book", tests, NULL, NULL);
}
