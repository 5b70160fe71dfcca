/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEAP_H
#define HEAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buddy.h"
#include "capabilities/counter.h"
#include "tern_block.h"

#define TERN_BLOCK_CLASSES TERN_ORDERS /* 512 bytes to 64 KiB, doubling */
#define TERN_BLOCK_SHIFT_MIN TERN_UNIT_SHIFT

/** Blocks for another heap collect up to this many before they are worth a signal. */
#define TERN_HEAP_BATCH 32

/** Header line of a block; the payload starts TERN_BLOCK_OFFSET further on. */
struct tern_block {
	alignas(TERN_LINE) struct tern_block *next; /* in a chain; who freed it writes */
	struct tern_heap *home;			    /* the pool it came from; owner writes */
	uint32_t size;				    /* payload bytes; creator writes */
	uint32_t class;				    /* owner writes, when it cuts the block */
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

/** No more blocks than this are listed in all; what is above goes back to be joined. */
#define TERN_HEAP_LISTED_MAX 4096

/**
 * The block pools of one lcore or thread. Only its owner touches it.
 *
 * Allocation pops the free list of the class; freeing a block of one's own pushes it back; freeing
 * another's chains it in `away`, for the owner to hand over in batches.
 *
 * An empty list takes a block from the buddy allocator, which splits what it has. When that has
 * nothing large enough, a listed block of a larger class goes back to be split, else listed ones of
 * smaller classes go back to be joined, until one is. So ENOMEM says that no free memory of the
 * pool lies together, and a call moves at most TERN_HEAP_LISTED_MAX blocks to know it. A list is a
 * stack of pointers, so that moving a block does not wait for its memory.
 */
struct tern_heap {
	struct tern_block **top[TERN_BLOCK_CLASSES]; /* of each list; NULL lies at the bottom */
	uint64_t in_use;			     /* blocks of these pools not yet back */
	/*
	 * Blocks cut and not joined again, less TERN_HEAP_LISTED_MAX: with fewer in use than this
	 * too many are listed. So the lists need no counter of their own.
	 */
	int64_t in_use_min;
	uint32_t index; /* position in the `away` table of every heap */
	uint32_t heaps;
	uint32_t away_count;		    /* blocks in all chains */
	uint32_t shortened;		    /* the class whose list was shortened last */
	struct tern_block_chain *away;	    /* one per heap */
	struct tern_quarantine *quarantine; /* debug builds */
	struct tern_block **lists;	    /* memory of all */
	struct tern_buddy buddy;
};

/**
 * Set a heap up.
 *
 * @param memory  payload memory, touched when it is first used
 * @param away    zeroed, `heaps` entries, kept
 * @return 0; -ENOMEM: no memory for the lists and the table of what is free, 260 KiB and 32 bytes
 *         for each 64 KiB at most
 *
 * After either, tern_heap_fini().
 */
int tern_heap_init(struct tern_heap *heap, uint32_t index, uint32_t heaps, struct tern_span memory,
		   struct tern_block_chain *away);

/** Release what is kept beside the arena. */
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

/** The send was refused: the block that departed last stays where it was, and its sender's. */
void tern_block_stay(struct tern_heap *heap, const struct tern_block *block,
		     struct tern_block *departed);

#endif
