/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEAP_H
#define HEAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "counter.h"
#include "tern_block.h"

#define TERN_BLOCK_CLASSES 8 /* 512 bytes to 64 KiB, doubling */
#define TERN_BLOCK_SHIFT_MIN 9

/** Blocks for another heap collect up to this many before they are worth a signal. */
#define TERN_HEAP_BATCH 32

/** Header line of a block; the payload starts TERN_BLOCK_OFFSET further on. */
struct tern_block {
	alignas(TERN_LINE) struct tern_block *next; /* in a free list or a chain; holder writes */
	struct tern_heap *home;			    /* constant: the pool it came from */
	uint32_t size;				    /* payload bytes; creator writes */
	uint32_t class;				    /* constant */
	uint32_t count;				    /* holders of a val; any holder writes */
	uint32_t live;				    /* TERN_BLOCK_LIVE while in use */
};
_Static_assert(sizeof(struct tern_block) == TERN_LINE, "header of one line");
_Static_assert(TERN_BLOCK_SIZE_MAX + TERN_BLOCK_OFFSET == 1u << 16, "largest class is 64 KiB");

#define TERN_BLOCK_LIVE 0x6576696Cu

/** Blocks on their way to one heap. */
struct tern_block_chain {
	struct tern_block *first;
	struct tern_block *last;
	uint32_t count;
};

/**
 * The block pools of one lcore or thread. Only its owner touches it.
 *
 * Allocation pops a free list or carves the span; freeing a block of one's own pushes it back;
 * freeing another's chains it in `away`, for the owner to hand over in batches.
 */
struct tern_heap {
	struct tern_block *free[TERN_BLOCK_CLASSES];
	struct tern_span span;
	uint64_t in_use; /* blocks of these pools not yet back */
	uint32_t index;	 /* position in the `away` table of every heap */
	uint32_t heaps;
	uint32_t away_count;		    /* blocks in all chains */
	struct tern_block_chain *away;	    /* one per heap */
	struct tern_quarantine *quarantine; /* debug builds */
};

/**
 * Set a heap up.
 *
 * @param memory  payload memory, carved lazily
 * @param away    zeroed, `heaps` entries, kept
 */
void tern_heap_init(struct tern_heap *heap, uint32_t index, uint32_t heaps, struct tern_span memory,
		    struct tern_block_chain *away);

/** Release what debug builds keep beside the arena. */
void tern_heap_fini(struct tern_heap *heap);

/** Bring back what debug builds hold untouchable, so that `in_use` counts what users hold. */
void tern_heap_settle(struct tern_heap *heap);

/** Take back a chain of this heap's own blocks. */
void tern_heap_collect(struct tern_heap *heap, struct tern_block *first);

/** Free a block whatever its capability, one count of it where it is shared. */
void tern_block_release(struct tern_heap *heap, struct tern_block *block);

/**
 * Whether an address lies in a block that was sent or dropped, which debug builds keep untouchable:
 * the fault is then reported with the sender's name, whoever else would handle it. Others: false.
 *
 * Context: signal handlers, too.
 */
bool tern_block_departed(const void *address);

/**
 * Debug builds: move a block to a fresh place at a send and leave the old place untouchable, so
 * that a touch after the send stops the program with the sender's name. Others: return `block`.
 *
 * @param name  behaviour of the sender; outlives the heap
 */
struct tern_block *tern_block_depart(struct tern_heap *heap, struct tern_block *block,
				     const char *name, tern_address sender);

#endif
