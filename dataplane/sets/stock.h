/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STOCK_H
#define STOCK_H

#include <stdint.h>

#include "capabilities/memory/region.h"

/**
 * Things of one size, each known by a number from 1 on, in memory that grows and never moves.
 * The first 32 bits of a thing are the stock's while it is free. Context: one thread at a time.
 */
struct tern_stock {
	struct tern_region memory;
	uint32_t unit; /* bytes of one */
	uint32_t most; /* numbers there may be */
	uint32_t used; /* numbers ever given */
	uint32_t free; /* the one put back last; 0: none */
};

/** Reserve what `most` things of `unit` bytes need. 0; -ENOMEM. */
int tern_stock_init(struct tern_stock *stock, uint32_t unit, uint32_t most, bool huge_wanted);

void tern_stock_fini(struct tern_stock *stock);

/** A number; 0: all are given, or no memory. Its thing is zero, or as it was put back. */
uint32_t tern_stock_take(struct tern_stock *stock);

/** Put one back, which the next take gives again. */
void tern_stock_put(struct tern_stock *stock, uint32_t number);

/** Bytes held when so many things have been taken. Any thread. */
uint64_t tern_stock_bytes(uint32_t unit, uint64_t count);

/** A thing by its number. */
static inline void *tern_stock_at(const struct tern_stock *stock, uint32_t number)
{
	return stock->memory.base + (size_t)stock->unit * number;
}

#endif
