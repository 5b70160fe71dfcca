/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_ORDER_INDEX_H
#define FEED_ORDER_INDEX_H

#include <stddef.h>
#include <stdint.h>

/** A resting order. Half a cache line, aligned to it, so that it never straddles two lines. */
struct order {
	_Alignas(32) uint64_t reference;
	uint32_t shares; /* 0 marks a free place in the table */
	uint32_t price;
	uint16_t locate;
	uint8_t side; /* enum book_side_index */
};

_Static_assert(sizeof(struct order) == 32, "two orders in a cache line");

/**
 * Orders by reference: open addressing with linear probing, at most half full, no tombstones.
 * Lookup, insert and remove touch 1 cache line in most cases, 2 now and then; nothing is allocated
 * but when it grows (doubling, all orders moved).
 */
struct order_index {
	struct order *table;
	size_t count;
	size_t count_max;   /* half of the table */
	unsigned int shift; /* 64 - log2 of the table's size */
};

/**
 * Prepare an index.
 *
 * @param expected_count  orders it holds before it grows for the first time; memory for them is
 *                        touched here, so that later no page fault comes
 * @return 0 or -ENOMEM
 *
 * Context: any one thread, as all functions here.
 */
int order_index_init(struct order_index *index, size_t expected_count);

/** Free the index's memory. */
void order_index_fini(struct order_index *index);

/** Forget all orders, keep the memory. */
void order_index_clear(struct order_index *index);

/**
 * Make room for one more order.
 *
 * @return 0 or -ENOMEM, then nothing has changed
 *
 * May move all orders.
 */
int order_index_reserve(struct order_index *index);

/** The order with this reference, or NULL. Yields, valid until the next reserve or remove. */
struct order *order_index_find(const struct order_index *index, uint64_t reference);

/**
 * Add an order.
 *
 * @param order  borrows; copied; its reference is not in the index and its shares are not 0
 *
 * order_index_reserve() has been called since the last insert.
 */
void order_index_insert(struct order_index *index, const struct order *order);

/** Remove an order that order_index_find() has just yielded. May move others. */
void order_index_remove(struct order_index *index, struct order *order);

#endif
