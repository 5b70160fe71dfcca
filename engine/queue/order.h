/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORDER_H
#define ORDER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Agents in the order of a key: a binary heap in memory that is touched as it grows. Equal keys
 * leave in the order they came, so that a run repeats.
 */
struct tern_order_entry {
	uint64_t key;
	uint32_t sequence;
	uint32_t slot;
};

struct tern_order {
	struct tern_order_entry *entries; /* the owner's, a place for every slot */
	uint32_t count;
	uint32_t sequence;
};

/** Add a slot. Context: not in it already. */
void tern_order_push(struct tern_order *order, uint64_t key, uint32_t slot);

/** The least key; only where count is not 0. */
static inline uint64_t tern_order_first(const struct tern_order *order)
{
	return order->entries[0].key;
}

/** Give a slot the least key of all, where it is in the heap. Looks at every entry. */
void tern_order_hurry(struct tern_order *order, uint32_t slot);

/** Remove and return the slot of the least key; only where count is not 0. */
uint32_t tern_order_pop(struct tern_order *order);

#endif
