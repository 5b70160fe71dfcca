/* SPDX-License-Identifier: Apache-2.0 */
#include "book.h"

#include "book_levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCATE_LIMIT 65536

struct book_set {
	struct order_index orders;
	size_t book_count;
	size_t locate_limit;		  /* above all locates that have a book */
	struct book *books[LOCATE_LIMIT]; /* by locate; pages are touched as instruments appear */
};

int book_set_create(size_t expected_orders, struct book_set **created)
{
	struct book_set *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	if (order_index_init(&set->orders, expected_orders) < 0) {
		free(set);
		return -ENOMEM;
	}
	*created = set;
	return 0;
}

void book_set_destroy(struct book_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->locate_limit; i++) {
		if (set->books[i]) {
			free(set->books[i]->sides[BOOK_BID].levels);
			free(set->books[i]->sides[BOOK_ASK].levels);
			free(set->books[i]);
		}
	}
	order_index_fini(&set->orders);
	free(set);
}

void book_set_clear(struct book_set *set)
{
	for (size_t i = 0; i < set->locate_limit; i++) {
		if (set->books[i]) {
			set->books[i]->sides[BOOK_BID].count = 0;
			set->books[i]->sides[BOOK_ASK].count = 0;
			set->books[i]->orders = 0;
			memset(set->books[i]->stock, 0, sizeof(set->books[i]->stock));
		}
	}
	order_index_clear(&set->orders);
}

/* The book of a locate, made on first sight. */
static enum feed_anomaly obtain_book(struct book_set *set, uint16_t locate, const char *stock,
				     struct book **obtained)
{
	struct book *book = set->books[locate];
	if (locate == 0)
		return FEED_LOCATE_WRONG;
	if (!book) {
		book = aligned_alloc(_Alignof(struct book), sizeof(*book));
		if (!book)
			return FEED_NO_MEMORY;
		*book = (struct book){.locate = locate};
		set->books[locate] = book;
		set->book_count++;
		if (locate >= set->locate_limit)
			set->locate_limit = (size_t)locate + 1;
	}
	if (book->stock[0] == 0)
		memcpy(book->stock, stock, sizeof(book->stock));
	if (memcmp(book->stock, stock, sizeof(book->stock)) != 0)
		return FEED_STOCK_WRONG;
	*obtained = book;
	return FEED_OK;
}

/* A directory entry names the locate; it may rename one without orders, as a new day does. */
static enum feed_anomaly apply_directory(struct book_set *set, const struct itch_message *message)
{
	struct book *book = set->books[message->locate];
	const char *stock = message->stock_directory.stock;
	if (book && book->orders == 0)
		memcpy(book->stock, stock, sizeof(book->stock));
	return obtain_book(set, message->locate, stock, &book);
}

static enum feed_anomaly check_order(uint32_t shares, uint32_t price)
{
	if (shares == 0)
		return FEED_SHARES_ZERO;
	return price == 0 || price > ITCH_PRICE_MAX ? FEED_PRICE_WRONG : FEED_OK;
}

static enum feed_anomaly apply_add(struct book_set *set, uint16_t locate,
				   const struct itch_add_order *add)
{
	enum feed_anomaly anomaly = check_order(add->shares, add->price);
	if (anomaly != FEED_OK)
		return anomaly;
	if (add->side != 'B' && add->side != 'S')
		return FEED_SIDE_WRONG;
	if (order_index_find(&set->orders, add->reference))
		return FEED_REFERENCE_DUPLICATE;
	struct book *book;
	anomaly = obtain_book(set, locate, add->stock, &book);
	if (anomaly != FEED_OK)
		return anomaly;
	struct order order = {
		.reference = add->reference,
		.shares = add->shares,
		.price = add->price,
		.locate = locate,
		.side = add->side == 'B' ? BOOK_BID : BOOK_ASK,
	};
	if (book_levels_reserve(book, order.side) < 0 || order_index_reserve(&set->orders) < 0)
		return FEED_NO_MEMORY;
	order_index_insert(&set->orders, &order);
	book_levels_add(book, &order);
	return FEED_OK;
}

static enum feed_anomaly find_order(const struct book_set *set, uint16_t locate, uint64_t reference,
				    struct order **found)
{
	struct order *order = order_index_find(&set->orders, reference);
	if (!order)
		return FEED_REFERENCE_UNKNOWN;
	if (order->locate != locate)
		return FEED_LOCATE_WRONG;
	*found = order;
	return FEED_OK;
}

static void take(struct book_set *set, struct order *order, uint32_t shares)
{
	book_levels_take(set->books[order->locate], order, shares);
	if (shares == order->shares)
		order_index_remove(&set->orders, order);
	else
		order->shares -= shares;
}

/* E, C and X. */
static enum feed_anomaly apply_deduct(struct book_set *set, uint16_t locate, uint64_t reference,
				      uint32_t shares)
{
	struct order *order;
	enum feed_anomaly anomaly = find_order(set, locate, reference, &order);
	if (anomaly != FEED_OK)
		return anomaly;
	if (shares == 0)
		return FEED_SHARES_ZERO;
	if (shares > order->shares)
		return FEED_SHARES_EXCESS;
	take(set, order, shares);
	return FEED_OK;
}

static enum feed_anomaly apply_delete(struct book_set *set, uint16_t locate, uint64_t reference)
{
	struct order *order;
	enum feed_anomaly anomaly = find_order(set, locate, reference, &order);
	if (anomaly == FEED_OK)
		take(set, order, order->shares);
	return anomaly;
}

static enum feed_anomaly apply_replace(struct book_set *set, uint16_t locate,
				       const struct itch_replace *replace)
{
	struct order *old;
	enum feed_anomaly anomaly = find_order(set, locate, replace->reference, &old);
	if (anomaly == FEED_OK)
		anomaly = check_order(replace->shares, replace->price);
	if (anomaly != FEED_OK)
		return anomaly;
	if (order_index_find(&set->orders, replace->new_reference))
		return FEED_REFERENCE_DUPLICATE;
	struct order order = *old;
	order.reference = replace->new_reference;
	order.shares = replace->shares;
	order.price = replace->price;
	if (book_levels_reserve(set->books[locate], order.side) < 0)
		return FEED_NO_MEMORY;
	take(set, old, old->shares);
	order_index_insert(&set->orders, &order); /* into the room that the old one left */
	book_levels_add(set->books[locate], &order);
	return FEED_OK;
}

enum feed_anomaly book_set_apply(struct book_set *set, const struct itch_message *message)
{
	uint16_t locate = message->locate;
	switch (message->type) {
	case 'A':
	case 'F': /* begins with the fields of A */
		return apply_add(set, locate, &message->add_order);
	case 'E':
	case 'C': /* begins with the fields of E */
		return apply_deduct(set, locate, message->executed.reference,
				    message->executed.shares);
	case 'X':
		return apply_deduct(set, locate, message->cancel.reference, message->cancel.shares);
	case 'D':
		return apply_delete(set, locate, message->delete_order.reference);
	case 'U':
		return apply_replace(set, locate, &message->replace);
	case 'R':
		return apply_directory(set, message);
	default:
		return FEED_OK;
	}
}

const struct book *book_set_get(const struct book_set *set, uint16_t locate)
{
	return set->books[locate];
}

const struct book *book_set_find(const struct book_set *set, const char *symbol)
{
	char stock[8];
	size_t length = strlen(symbol);
	if (length == 0 || length > sizeof(stock))
		return NULL;
	memset(stock, ' ', sizeof(stock));
	memcpy(stock, symbol, length);
	for (size_t i = 0; i < set->locate_limit; i++) {
		if (set->books[i] && memcmp(set->books[i]->stock, stock, sizeof(stock)) == 0)
			return set->books[i];
	}
	return NULL;
}

size_t book_set_count(const struct book_set *set)
{
	return set->book_count;
}

size_t book_set_orders(const struct book_set *set)
{
	return set->orders.count;
}
