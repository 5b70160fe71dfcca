/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "capabilities/lines.h"
#include "poison.h"

#if TERN_DEBUG_BLOCKS
#define CLASS_MIN 3 /* whole pages, so that a departed block can be made untouchable */
#else
#define CLASS_MIN 0
#endif

#define SHORTEN_BATCH 64
_Static_assert(SHORTEN_BATCH <= TERN_HEAP_LISTED_MAX, "the lists hold what they are shortened by");

static size_t class_bytes(uint32_t class)
{
	return (size_t)1 << (class + TERN_BLOCK_SHIFT_MIN);
}

static uint32_t class_of(size_t size)
{
	size_t last = (size + TERN_BLOCK_OFFSET - 1) | (class_bytes(CLASS_MIN) - 1);
	return 64 - (uint32_t)__builtin_clzl(last) - TERN_BLOCK_SHIFT_MIN;
}

static unsigned char *block_payload(struct tern_block *block)
{
	return (unsigned char *)block + TERN_BLOCK_OFFSET;
}

static size_t payload_room(const struct tern_block *block)
{
	return class_bytes(block->class) - TERN_BLOCK_OFFSET;
}

/* As many blocks of the class as can be listed: one over the limit is, before it is seen. */
static size_t list_room(const struct tern_heap *heap, uint32_t class)
{
	return RTE_MIN(heap->buddy.units >> class, (size_t)TERN_HEAP_LISTED_MAX + 1);
}

static int make_lists(struct tern_heap *heap)
{
	size_t entries = 0;
	for (uint32_t class = 0; class < TERN_BLOCK_CLASSES; class ++)
		entries += 1 + list_room(heap, class);
	heap->lists = tern_lines_make(RTE_ALIGN_CEIL(entries * sizeof(*heap->lists), TERN_LINE));
	if (!heap->lists)
		return -ENOMEM;
	struct tern_block **list = heap->lists;
	for (uint32_t class = 0; class < TERN_BLOCK_CLASSES; class ++) {
		heap->top[class] = list;
		list += 1 + list_room(heap, class);
	}
	return 0;
}

int tern_heap_init(struct tern_heap *heap, uint32_t index, uint32_t heaps, struct tern_span memory,
		   struct tern_block_chain *away)
{
	*heap = (struct tern_heap){.index = index,
				   .heaps = heaps,
				   .away = away,
				   .in_use_min = -(int64_t)TERN_HEAP_LISTED_MAX};
	tern_quarantine_init(heap);
	int code = tern_buddy_init(&heap->buddy, memory, CLASS_MIN ? TERN_PAGE_4K : TERN_LINE);
	return code ? code : make_lists(heap);
}

void tern_heap_fini(struct tern_heap *heap)
{
	tern_quarantine_fini(heap);
	tern_buddy_fini(&heap->buddy);
	free(heap->lists);
	heap->lists = NULL;
}

static struct tern_block *pop_listed(struct tern_heap *heap, uint32_t class)
{
	struct tern_block *block = *heap->top[class];
	if (block)
		heap->top[class]--;
	return block;
}

/* Touches of what is free are seen in all of it now, the header included. */
static void join_block(struct tern_heap *heap, struct tern_block *block, uint32_t class)
{
	TERN_POISON(block, class_bytes(class));
	tern_buddy_put(&heap->buddy, block, class);
	heap->in_use_min--;
}

static struct tern_block *cut_block(struct tern_heap *heap, uint32_t class)
{
	struct tern_block *block = tern_buddy_take(&heap->buddy, class);
	if (block) {
		TERN_UNPOISON(block, TERN_BLOCK_OFFSET);
		TERN_POISON(block_payload(block), class_bytes(class) - TERN_BLOCK_OFFSET);
		block->home = heap;
		block->class = class;
		heap->in_use_min++;
	}
	return block;
}

static struct tern_block *split_listed(struct tern_heap *heap, uint32_t class)
{
	for (uint32_t larger = class + 1; larger < TERN_BLOCK_CLASSES; larger++) {
		struct tern_block *block = pop_listed(heap, larger);
		if (block) {
			join_block(heap, block, larger);
			return cut_block(heap, class);
		}
	}
	return NULL;
}

/* Larger ones first, of which fewer are needed. */
static struct tern_block *join_listed(struct tern_heap *heap, uint32_t class)
{
	struct tern_block *listed, *block;
	for (uint32_t smaller = class; smaller-- > CLASS_MIN;)
		while ((listed = pop_listed(heap, smaller)) != NULL) {
			join_block(heap, listed, smaller);
			if ((block = cut_block(heap, class)) != NULL)
				return block;
		}
	return NULL;
}

static struct tern_block *take_slow(struct tern_heap *heap, uint32_t class)
{
	struct tern_block *block = cut_block(heap, class);
	if (!block)
		block = split_listed(heap, class);
	return block ? block : join_listed(heap, class);
}

static tern_iso *hand_out(struct tern_heap *heap, struct tern_block *block, size_t size)
{
	TERN_UNPOISON(block_payload(block), size);
	block->size = (uint32_t)size;
	block->count = 1;
	block->live = TERN_BLOCK_LIVE;
	tern_count(&heap->in_use, 1);
	return (tern_iso *)(void *)block;
}

static __attribute__((noinline)) tern_iso *refuse_block(int code)
{
	tern_errno = code;
	return NULL;
}

/* The list of the class is empty. The last resort is what debug builds hold untouchable. */
static __attribute__((noinline)) tern_iso *create_slow(struct tern_heap *heap, size_t size)
{
	uint32_t class = class_of(size);
	struct tern_block *block = take_slow(heap, class);
	if (!block) {
		tern_heap_settle(heap);
		block = pop_listed(heap, class);
		if (!block)
			block = take_slow(heap, class);
	}
	return block ? hand_out(heap, block, size) : refuse_block(ENOMEM);
}

tern_iso *tern_iso_create(struct tern_heap *heap, size_t size)
{
	if (tern_unlikely(size > TERN_BLOCK_SIZE_MAX))
		return refuse_block(EMSGSIZE);
	uint32_t class = class_of(size);
	struct tern_block *block = pop_listed(heap, class);
	if (tern_unlikely(!block))
		return create_slow(heap, size);
	/* No load has fetched its line: the stores to it would each wait. */
	__builtin_prefetch(block, 1);
	return hand_out(heap, block, size);
}

/*
 * The lists are too long: so many blocks less, from one class after the other, so that those which
 * nobody asks for any more do not stay.
 */
static __attribute__((noinline)) void shorten_lists(struct tern_heap *heap)
{
	uint32_t left = SHORTEN_BATCH;
	while (left) {
		heap->shortened = (heap->shortened + 1) % TERN_BLOCK_CLASSES;
		struct tern_block *block;
		while (left && (block = pop_listed(heap, heap->shortened)) != NULL) {
			join_block(heap, block, heap->shortened);
			left--;
		}
	}
}

static void put_back(struct tern_heap *heap, struct tern_block *block)
{
	uint64_t in_use = tern_load(&heap->in_use) - 1;
	*++heap->top[block->class] = block;
	tern_store(&heap->in_use, in_use);
	if (tern_unlikely((int64_t)in_use < heap->in_use_min))
		shorten_lists(heap);
}

static void chain_away(struct tern_heap *heap, struct tern_block *block)
{
	struct tern_block_chain *chain = &heap->away[block->home->index];
	block->next = chain->first;
	chain->first = block;
	if (!chain->last)
		chain->last = block;
	chain->count++;
	heap->away_count++;
}

static void free_block(struct tern_heap *heap, struct tern_block *block)
{
	if (tern_unlikely(block->live != TERN_BLOCK_LIVE))
		tern_block_die(heap, block, "freed twice");
	block->live = 0;
	TERN_POISON(block_payload(block), payload_room(block));
	if (tern_likely(block->home == heap))
		put_back(heap, block);
	else
		chain_away(heap, block);
}

void tern_heap_collect(struct tern_heap *heap, struct tern_block *first)
{
	while (first) {
		struct tern_block *next = first->next;
		put_back(heap, first);
		first = next;
	}
}

void tern_block_release(struct tern_heap *heap, struct tern_block *block)
{
	/*
	 * A lone holder skips the atomic subtraction: nobody else can add a count to a block it
	 * does not hold. Acquire pairs with the release of the other holders' subtractions, so
	 * that their reads of the payload come before its reuse.
	 */
	if (__atomic_load_n(&block->count, __ATOMIC_ACQUIRE) == 1 ||
	    __atomic_fetch_sub(&block->count, 1, __ATOMIC_ACQ_REL) == 1)
		free_block(heap, block);
}
