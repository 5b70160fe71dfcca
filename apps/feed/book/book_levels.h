/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BOOK_LEVELS_H
#define FEED_BOOK_LEVELS_H

#include "book.h"

/*
 * The sorted price levels of one side of a book. Context: the thread that owns the book.
 */

/** Make room for one more level. Returns 0 or -ENOMEM, then nothing has changed. */
int book_levels_reserve(struct book *book, enum book_side_index side);

/** Add an order to its level, new if need be; book_levels_reserve() came before. Borrows `order`.
 */
void book_levels_add(struct book *book, const struct order *order);

/**
 * Take shares from the level of an order.
 *
 * @param order   borrows; an order in this book, as it was before
 * @param shares  1..order->shares; all of them take the order out of its level too
 */
void book_levels_take(struct book *book, const struct order *order, uint32_t shares);

#endif
