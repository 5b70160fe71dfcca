/* SPDX-License-Identifier: Apache-2.0 */
#include "book_levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_LEAST 64
#define LINEAR_STEPS 8

/* Levels ascend by this key on both sides: a bid's price, an ask's price inverted. */
static uint32_t key_mask(enum book_side_index side)
{
	return side == BOOK_ASK ? UINT32_MAX : 0;
}

/* The first position whose key is not below `price`'s; most prices are near the end. */
static uint32_t position_of(const struct book_side *levels, uint32_t mask, uint32_t price)
{
	uint32_t key = price ^ mask;
	uint32_t high = levels->count;
	for (int i = 0; i < LINEAR_STEPS && high > 0; i++, high--) {
		if ((levels->levels[high - 1].price ^ mask) < key)
			return high;
	}
	uint32_t low = 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if ((levels->levels[middle].price ^ mask) < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int book_levels_reserve(struct book *book, enum book_side_index side)
{
	struct book_side *levels = &book->sides[side];
	if (levels->count < levels->capacity)
		return 0;
	uint32_t capacity = levels->capacity ? levels->capacity * 2 : CAPACITY_LEAST;
	struct book_level *grown = realloc(levels->levels, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	levels->levels = grown;
	levels->capacity = capacity;
	return 0;
}

void book_levels_add(struct book *book, const struct order *order)
{
	struct book_side *levels = &book->sides[order->side];
	uint32_t at = position_of(levels, key_mask(order->side), order->price);
	struct book_level *level = &levels->levels[at];
	if (at == levels->count || level->price != order->price) {
		memmove(level + 1, level, (levels->count - at) * sizeof(*level));
		*level = (struct book_level){.price = order->price};
		levels->count++;
	}
	level->shares += order->shares;
	level->orders++;
	book->orders++;
}

void book_levels_take(struct book *book, const struct order *order, uint32_t shares)
{
	struct book_side *levels = &book->sides[order->side];
	uint32_t at = position_of(levels, key_mask(order->side), order->price);
	struct book_level *level = &levels->levels[at];
	level->shares -= shares;
	if (shares < order->shares)
		return;
	book->orders--;
	if (--level->orders)
		return;
	levels->count--;
	memmove(level, level + 1, (levels->count - at) * sizeof(*level));
}
