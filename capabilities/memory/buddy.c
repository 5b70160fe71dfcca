/* SPDX-License-Identifier: Apache-2.0 */
#include "buddy.h"

#include <errno.h>
#include <stdlib.h>

#include "capabilities/lines.h"

#define SLAB_UNITS (1u << (TERN_ORDERS - 1))
#define ORDER_MAX (TERN_ORDERS - 1)
#define NONE UINT32_MAX
#define BOTH(word) ((tern_units)(word) << 64 | (word))

static tern_units run_mask(uint32_t order)
{
	return order == ORDER_MAX ? ~(tern_units)0 : ((tern_units)1 << (1u << order)) - 1;
}

/* Where free runs of the next order start, from where those of `order` do. */
static tern_units pair_up(tern_units starts, uint32_t order)
{
	static const tern_units aligned[TERN_ORDERS] = {BOTH(UINT64_MAX),
							BOTH(0x5555555555555555),
							BOTH(0x1111111111111111),
							BOTH(0x0101010101010101),
							BOTH(0x0001000100010001),
							BOTH(0x0000000100000001),
							BOTH(1),
							1};
	return starts & starts >> (1u << order) & aligned[order + 1];
}

static uint32_t lowest_unit(tern_units units)
{
	uint64_t low = (uint64_t)units;
	if (low)
		return (uint32_t)__builtin_ctzl(low);
	return 64 + (uint32_t)__builtin_ctzl((uint64_t)(units >> 64));
}

static int32_t largest_run(tern_units free)
{
	int32_t order = -1;
	for (tern_units starts = free; starts; starts = pair_up(starts, (uint32_t)order)) {
		order++;
		if (order == ORDER_MAX)
			break;
	}
	return order;
}

/* The smallest run of at least this order; the caller knows that there is one. */
static uint32_t find_run(tern_units free, uint32_t order)
{
	tern_units starts = free;
	for (uint32_t below = 0; below < order; below++)
		starts = pair_up(starts, below);
	for (; order < ORDER_MAX; order++) {
		tern_units pairs = pair_up(starts, order);
		tern_units single = starts & ~(pairs | pairs << (1u << order));
		if (single)
			return lowest_unit(single);
		starts = pairs;
	}
	return 0;
}

int tern_buddy_init(struct tern_buddy *buddy, struct tern_span memory, size_t align)
{
	uintptr_t from = ((uintptr_t)memory.next + align - 1) & ~(uintptr_t)(align - 1);
	uintptr_t end = (uintptr_t)memory.end;
	size_t units = end > from ? (end - from) >> TERN_UNIT_SHIFT : 0;
	size_t count = (units + SLAB_UNITS - 1) / SLAB_UNITS;
	*buddy = (struct tern_buddy){
		.base = (unsigned char *)from, .units = units, .count = (uint32_t)count};
	for (uint32_t order = 0; order < TERN_ORDERS; order++)
		buddy->first[order] = NONE;
	/* In whole lines, so that the table of no other heap shares one. */
	size_t bytes = (count * sizeof(struct tern_slab) + TERN_LINE) & ~(size_t)(TERN_LINE - 1);
	buddy->slabs = tern_lines_make(bytes);
	return buddy->slabs ? 0 : -ENOMEM;
}

void tern_buddy_fini(struct tern_buddy *buddy)
{
	free(buddy->slabs);
	*buddy = (struct tern_buddy){0};
}

static void link_slab(struct tern_buddy *buddy, uint32_t index)
{
	struct tern_slab *slab = &buddy->slabs[index];
	if (slab->largest < 0)
		return;
	uint32_t *first = &buddy->first[slab->largest];
	slab->prev = NONE;
	slab->next = *first;
	if (*first != NONE)
		buddy->slabs[*first].prev = index;
	*first = index;
	buddy->listed |= 1u << slab->largest;
}

static void unlink_slab(struct tern_buddy *buddy, uint32_t index)
{
	const struct tern_slab *slab = &buddy->slabs[index];
	if (slab->largest < 0)
		return;
	uint32_t *first = &buddy->first[slab->largest];
	if (slab->next != NONE)
		buddy->slabs[slab->next].prev = slab->prev;
	if (slab->prev != NONE)
		buddy->slabs[slab->prev].next = slab->next;
	else
		*first = slab->next;
	if (*first == NONE)
		buddy->listed &= ~(1u << slab->largest);
}

static void set_largest(struct tern_buddy *buddy, uint32_t index, int32_t largest)
{
	struct tern_slab *slab = &buddy->slabs[index];
	if (largest == slab->largest)
		return;
	unlink_slab(buddy, index);
	slab->largest = largest;
	link_slab(buddy, index);
}

/* The last slab may be shorter than the others. */
static void open_fresh(struct tern_buddy *buddy)
{
	uint32_t index = buddy->fresh++;
	size_t left = buddy->units - (size_t)index * SLAB_UNITS;
	struct tern_slab *slab = &buddy->slabs[index];
	slab->free = left < SLAB_UNITS ? ((tern_units)1 << left) - 1 : run_mask(ORDER_MAX);
	slab->largest = largest_run(slab->free);
	link_slab(buddy, index);
}

void *tern_buddy_take(struct tern_buddy *buddy, uint32_t order)
{
	uint32_t fitting = buddy->listed >> order;
	if (!fitting && buddy->fresh < buddy->count) {
		open_fresh(buddy);
		fitting = buddy->listed >> order;
	}
	if (!fitting)
		return NULL;
	uint32_t index = buddy->first[order + (uint32_t)__builtin_ctz(fitting)];
	struct tern_slab *slab = &buddy->slabs[index];
	uint32_t at = find_run(slab->free, order);
	slab->free &= ~(run_mask(order) << at);
	set_largest(buddy, index, largest_run(slab->free));
	size_t unit = (size_t)index * SLAB_UNITS + at;
	return buddy->base + (unit << TERN_UNIT_SHIFT);
}

void tern_buddy_put(struct tern_buddy *buddy, const void *run, uint32_t order)
{
	size_t unit = (size_t)((const unsigned char *)run - buddy->base) >> TERN_UNIT_SHIFT;
	uint32_t index = (uint32_t)(unit / SLAB_UNITS), at = unit % SLAB_UNITS;
	struct tern_slab *slab = &buddy->slabs[index];
	slab->free |= run_mask(order) << at;
	for (; order < ORDER_MAX; order++) {
		uint32_t pair = at & ~(1u << order);
		tern_units both = run_mask(order + 1) << pair;
		if ((slab->free & both) != both)
			break;
		at = pair;
	}
	if ((int32_t)order > slab->largest)
		set_largest(buddy, index, (int32_t)order);
}
