/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUDDY_H
#define BUDDY_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define TERN_UNIT_SHIFT 9 /* 512 bytes */
#define TERN_SLAB_SHIFT 16
#define TERN_ORDERS (TERN_SLAB_SHIFT - TERN_UNIT_SHIFT + 1)

/** One bit for each unit of a slab. */
typedef unsigned __int128 tern_units;

/** 64 KiB of a pool, and which of it is free. */
struct tern_slab {
	tern_units free;
	uint32_t next; /* in the list of its order, by index */
	uint32_t prev;
	int32_t largest; /* order of its largest free run; -1: nothing is free, in no list */
};

/**
 * A buddy allocator: a pool cut into runs of 2^order units, each aligned to its size from the
 * start of the pool. A run put back joins its free buddy at once, up to a whole slab.
 *
 * What is free stands in a table beside the pool: the memory of a free run is not touched, so it
 * may be poisoned. Called by heap.c, on the thread that owns the heap, when a free list is empty or
 * the lists have grown long; each call takes constant time, whatever the size of the pool.
 */
struct tern_buddy {
	unsigned char *base;
	struct tern_slab *slabs;
	size_t units;		     /* of the pool */
	uint32_t count;		     /* of slabs */
	uint32_t fresh;		     /* slabs from here on were never used, and are in no list */
	uint32_t listed;	     /* bit for each order whose list is not empty */
	uint32_t first[TERN_ORDERS]; /* list of the slabs whose largest run is of this order */
};

/**
 * Set up, everything free; the table is allocated here and nothing later.
 *
 * @param memory  the pool, kept; what is less than a unit at its end stays unused
 * @param align   of its start: a power of two, no more than a unit
 * @return 0; -ENOMEM
 */
int tern_buddy_init(struct tern_buddy *buddy, struct tern_span memory, size_t align);

void tern_buddy_fini(struct tern_buddy *buddy);

/** A free run of 2^order units, out of the smallest that will do; NULL: there is none. */
void *tern_buddy_take(struct tern_buddy *buddy, uint32_t order);

/** Give a run back whole, or a part of it that is a run itself. */
void tern_buddy_put(struct tern_buddy *buddy, const void *run, uint32_t order);

#endif
