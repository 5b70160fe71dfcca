/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include <errno.h>

#include "poison.h"

#if TERN_DEBUG_BLOCKS
#define CLASS_MIN 3 /* whole pages, so that a departed block can be made untouchable */
#else
#define CLASS_MIN 0
#endif

static size_t class_bytes(uint32_t class)
{
	return (size_t)1 << (class + TERN_BLOCK_SHIFT_MIN);
}

static uint32_t class_of(size_t size)
{
	size_t bytes = size + TERN_BLOCK_OFFSET;
	uint32_t class = CLASS_MIN;
	if (bytes > class_bytes(CLASS_MIN))
		class = 64 - (uint32_t)__builtin_clzl(bytes - 1) - TERN_BLOCK_SHIFT_MIN;
	return class;
}

static unsigned char *payload(struct tern_block *block)
{
	return (unsigned char *)block + TERN_BLOCK_OFFSET;
}

static size_t payload_room(const struct tern_block *block)
{
	return class_bytes(block->class) - TERN_BLOCK_OFFSET;
}

void tern_heap_init(struct tern_heap *heap, uint32_t index, uint32_t heaps, struct tern_span memory,
		    struct tern_block_chain *away)
{
	*heap = (struct tern_heap){.span = memory, .index = index, .heaps = heaps, .away = away};
	tern_quarantine_init(heap);
}

void tern_heap_fini(struct tern_heap *heap)
{
	tern_quarantine_fini(heap);
}

static struct tern_block *carve(struct tern_heap *heap, uint32_t class)
{
	size_t align = CLASS_MIN ? TERN_PAGE_4K : TERN_LINE;
	struct tern_block *block = tern_span_take(&heap->span, class_bytes(class), align);
	if (block) {
		block->home = heap;
		block->class = class;
		TERN_POISON(payload(block), payload_room(block));
	}
	return block;
}

static struct tern_block *take_free(struct tern_heap *heap, uint32_t class)
{
	for (; class < TERN_BLOCK_CLASSES; class ++) {
		struct tern_block *block = heap->free[class];
		if (block) {
			heap->free[class] = block->next;
			return block;
		}
	}
	return NULL;
}

/* A used-up span falls back on a larger class, then on what debug builds hold untouchable. */
static struct tern_block *take_slow(struct tern_heap *heap, uint32_t class)
{
	struct tern_block *block = carve(heap, class);
	if (!block)
		block = take_free(heap, class + 1);
	if (block)
		return block;
	tern_heap_settle(heap);
	return take_free(heap, class);
}

tern_iso *tern_iso_create(struct tern_heap *heap, size_t size)
{
	if (tern_unlikely(size > TERN_BLOCK_SIZE_MAX)) {
		tern_errno = EMSGSIZE;
		return NULL;
	}
	uint32_t class = class_of(size);
	struct tern_block *block = heap->free[class];
	if (tern_likely(block != NULL))
		heap->free[class] = block->next;
	else if (!(block = take_slow(heap, class))) {
		tern_errno = ENOMEM;
		return NULL;
	}
	TERN_UNPOISON(payload(block), size);
	block->next = NULL;
	block->size = (uint32_t)size;
	block->count = 1;
	block->live = TERN_BLOCK_LIVE;
	tern_count(&heap->in_use, 1);
	return (tern_iso *)(void *)block;
}

static void put_back(struct tern_heap *heap, struct tern_block *block)
{
	block->next = heap->free[block->class];
	heap->free[block->class] = block;
	tern_count(&heap->in_use, (uint64_t)-1);
}

static void free_block(struct tern_heap *heap, struct tern_block *block)
{
	if (block->live != TERN_BLOCK_LIVE)
		tern_block_die(heap, block, "freed twice");
	block->live = 0;
	TERN_POISON(payload(block), payload_room(block));
	if (block->home == heap) {
		put_back(heap, block);
		return;
	}
	struct tern_block_chain *chain = &heap->away[block->home->index];
	block->next = chain->first;
	chain->first = block;
	if (!chain->last)
		chain->last = block;
	chain->count++;
	heap->away_count++;
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
