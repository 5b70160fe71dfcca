/* SPDX-License-Identifier: Apache-2.0 */
#include "order_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX_LEAST 32

/* Fibonacci hashing: references are counters, which it spreads evenly. */
static size_t home_of(const struct order_index *index, uint64_t reference)
{
	return (size_t)(reference * UINT64_C(0x9E3779B97F4A7C15) >> index->shift);
}

static size_t mask_of(const struct order_index *index)
{
	return index->count_max * 2 - 1;
}

static int allocate(struct order_index *index, size_t count_max)
{
	if (count_max > SIZE_MAX / (2 * sizeof(struct order)))
		return -ENOMEM;
	size_t size = count_max * 2 * sizeof(struct order);
	struct order *table = aligned_alloc(64, size);
	if (!table)
		return -ENOMEM;
	memset(table, 0, size);
	*index = (struct order_index){
		.table = table,
		.count_max = count_max,
		.shift = 64 - (unsigned int)__builtin_ctzll(count_max * 2),
	};
	return 0;
}

int order_index_init(struct order_index *index, size_t expected_count)
{
	size_t count_max = COUNT_MAX_LEAST;
	while (count_max < expected_count && count_max < SIZE_MAX / 4)
		count_max *= 2;
	return allocate(index, count_max);
}

void order_index_fini(struct order_index *index)
{
	free(index->table);
	index->table = NULL;
}

void order_index_clear(struct order_index *index)
{
	memset(index->table, 0, index->count_max * 2 * sizeof(struct order));
	index->count = 0;
}

/* The place where a reference is, or would go. */
static struct order *place_of(const struct order_index *index, uint64_t reference)
{
	size_t at = home_of(index, reference);
	while (index->table[at].shares && index->table[at].reference != reference)
		at = (at + 1) & mask_of(index);
	return &index->table[at];
}

int order_index_reserve(struct order_index *index)
{
	if (index->count < index->count_max)
		return 0;
	struct order_index grown;
	if (allocate(&grown, index->count_max * 2) < 0)
		return -ENOMEM;
	for (size_t i = 0; i <= mask_of(index); i++) {
		if (index->table[i].shares)
			order_index_insert(&grown, &index->table[i]);
	}
	free(index->table);
	*index = grown;
	return 0;
}

struct order *order_index_find(const struct order_index *index, uint64_t reference)
{
	struct order *place = place_of(index, reference);
	return place->shares ? place : NULL;
}

void order_index_insert(struct order_index *index, const struct order *order)
{
	*place_of(index, order->reference) = *order;
	index->count++;
}

/* Close the hole by moving back each later order of the run whose home is not behind the hole. */
void order_index_remove(struct order_index *index, struct order *order)
{
	struct order *table = index->table;
	size_t mask = mask_of(index);
	size_t hole = (size_t)(order - table);
	for (size_t at = (hole + 1) & mask; table[at].shares; at = (at + 1) & mask) {
		size_t home = home_of(index, table[at].reference);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			table[hole] = table[at];
			hole = at;
		}
	}
	table[hole].shares = 0;
	index->count--;
}
