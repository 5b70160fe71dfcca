/* SPDX-License-Identifier: Apache-2.0 */
#include "stock.h"

#include <rte_common.h>

#include "capabilities/memory/arena.h"

/* Bytes up to the end of the thing of a number; that of 0 is never used. */
static size_t end_of(uint32_t unit, uint64_t number)
{
	return unit * (number + 1);
}

int tern_stock_init(struct tern_stock *stock, uint32_t unit, uint32_t most, bool huge_wanted)
{
	*stock = (struct tern_stock){.unit = unit, .most = most};
	return tern_region_reserve(&stock->memory, end_of(unit, most), huge_wanted);
}

void tern_stock_fini(struct tern_stock *stock)
{
	tern_region_release(&stock->memory);
}

static uint32_t take_new(struct tern_stock *stock)
{
	struct tern_region *memory = &stock->memory;
	size_t next = tern_region_next(memory->size, memory->huge_wanted);
	if (stock->used == stock->most)
		return 0;
	if (end_of(stock->unit, stock->used + 1) > memory->size &&
	    tern_region_extend(memory, RTE_MIN(next, memory->reserved)) != 0)
		return 0;
	return ++stock->used;
}

uint32_t tern_stock_take(struct tern_stock *stock)
{
	uint32_t number = stock->free;
	if (!number)
		return take_new(stock);
	stock->free = *(uint32_t *)tern_stock_at(stock, number);
	return number;
}

void tern_stock_put(struct tern_stock *stock, uint32_t number)
{
	*(uint32_t *)tern_stock_at(stock, number) = stock->free;
	stock->free = number;
}

uint64_t tern_stock_bytes(uint32_t unit, uint64_t count)
{
	uint64_t bytes = 0;
	while (count && bytes < end_of(unit, count))
		bytes = tern_region_next(bytes, false);
	return bytes;
}
