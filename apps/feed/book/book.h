/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BOOK_H
#define FEED_BOOK_H

#include "format/feed_anomaly.h"
#include "format/itch.h"
#include "order_index.h"

#include <stddef.h>
#include <stdint.h>

enum book_side_index { BOOK_BID, BOOK_ASK };

/** The sum of all orders at one price. Four to a cache line. */
struct book_level {
	uint64_t shares;
	uint32_t price;	 /* 1/10000 dollar */
	uint32_t orders; /* number of them, never 0 */
};

/** One side of a book: levels from the worst price to the best, so the best is the last. */
struct book_side {
	struct book_level *levels;
	uint32_t count;
	uint32_t capacity;
};

/** The book of one instrument: one cache line, plus the lines of the levels that are read. */
struct book {
	_Alignas(64) char stock[8]; /* space padded; zeros until a message names it */
	uint16_t locate;
	uint32_t orders;	   /* resting, both sides */
	struct book_side sides[2]; /* by enum book_side_index */
};

_Static_assert(sizeof(struct book) == 64, "a book is one cache line");

/**
 * The books of any number of instruments and the index of their orders.
 *
 * Problem: follow every book from an order-level feed, fast enough for a trading agent. Idea: one
 * hash table finds an order by reference (1-2 cache lines); levels are sorted arrays whose best end
 * is last, as nearly all changes happen there, so a change searches a few entries and moves fewer.
 * A message costs about three cache lines: order, book, level. It allocates only when an instrument
 * is new, a side grows beyond the levels it ever had, or the index grows; give `expected_orders` to
 * keep the index from growing. A new level d places from the best moves d x 16 bytes.
 *
 * Sharding: a set holds nothing global. Give each agent a set of its own and the messages of its
 * instruments; every message that touches a book carries the stock locate.
 *
 * Rule: a message that is wrong in any way (unknown reference, too many shares, ...) changes
 * nothing and is named. All functions: the thread that owns the set.
 */
struct book_set;

/**
 * Create an empty set.
 *
 * @param expected_orders  resting orders to hold before the index grows
 * @param created          out: owned by the caller, who ends it with book_set_destroy()
 * @return 0 or -ENOMEM
 */
int book_set_create(size_t expected_orders, struct book_set **created);

/** Free the set and its books; NULL is fine. Consumes `set`. */
void book_set_destroy(struct book_set *set);

/** Empty all books, as for a new session, and forget their symbols; memory is kept. */
void book_set_clear(struct book_set *set);

/**
 * Apply one message.
 *
 * @param message  borrows; types R, A, F, E, C, X, D and U have effect, all others none
 * @return FEED_OK; else nothing has changed: FEED_REFERENCE_UNKNOWN, _REFERENCE_DUPLICATE,
 *         _LOCATE_WRONG, _STOCK_WRONG, _SIDE_WRONG, _PRICE_WRONG, _SHARES_ZERO, _SHARES_EXCESS,
 *         _NO_MEMORY
 *
 * Source: Nasdaq TotalView-ITCH 5.0, sections 1.3 and 1.4: E and C deduct, X deducts, D removes, U
 * removes and adds under a new reference, P and Q leave the book alone.
 */
enum feed_anomaly book_set_apply(struct book_set *set, const struct itch_message *message);

/** The book of a stock locate, or NULL if no message named it. Yields. */
const struct book *book_set_get(const struct book_set *set, uint16_t locate);

/**
 * The book of a symbol, or NULL. Walks all instruments: not for a hot path.
 *
 * @param symbol  borrows; 1..8 letters, not padded
 */
const struct book *book_set_find(const struct book_set *set, const char *symbol);

/** Number of instruments that have a book. */
size_t book_set_count(const struct book_set *set);

/** Number of resting orders in all books. */
size_t book_set_orders(const struct book_set *set);

/**
 * The level at a depth.
 *
 * @param depth  0 is the best
 * @return the level, or NULL if the side is not that deep. Yields, valid until the next message.
 */
static inline const struct book_level *book_level_at(const struct book *book,
						     enum book_side_index side, uint32_t depth)
{
	const struct book_side *levels = &book->sides[side];
	return depth < levels->count ? &levels->levels[levels->count - 1 - depth] : NULL;
}

/** The best level of a side, or NULL if the side is empty. Yields, as book_level_at(). */
static inline const struct book_level *book_best(const struct book *book, enum book_side_index side)
{
	return book_level_at(book, side, 0);
}

#endif
