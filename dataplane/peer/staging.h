/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STAGING_H
#define STAGING_H

#include <stdbool.h>

#include "capabilities/memory/heap.h"
#include "dataplane/frame/frame.h"
#include "tern_slot.h"

/*
 * The open frame of a flow class: where signals are written that leave together. The frame has no
 * position yet, and its header is written when it leaves. Blocks that its entries stand for are
 * kept in the mbuf's private area until they are dropped or given back.
 */

/** Private area of an mbuf that holds a DATA frame of this node. */
#define TERN_STAGE_BLOCKS 31u
struct tern_stage_private {
	uint64_t count;
	struct tern_block *blocks[TERN_STAGE_BLOCKS]; /* in the order of their entries */
};

struct tern_stage {
	struct rte_mbuf *mbuf; /* NULL: none is open */
	unsigned char *at;     /* where the next entry goes */
	uint32_t left;	       /* bytes there */
	uint16_t count;	       /* entries */
	uint16_t signals;      /* that are whole with this frame */
};

/** A signal as it is written. */
struct tern_parcel {
	struct tern_wire_entry fixed;
	uint64_t key;
	const void *payload;
	struct tern_block *block; /* NULL: by value, or a tag */
	uint32_t size;		  /* of the payload */
};

/** Bytes before the first entry. */
#define TERN_STAGE_HEAD (sizeof(struct tern_wire_header) + sizeof(struct tern_wire_data))

/** Describe a signal. The parcel borrows it. */
void tern_parcel_make(struct tern_parcel *parcel, const struct tern_signal *signal, uint64_t key);

/** The signal that an entry of an own frame was written from. @param block  NULL: none */
void tern_parcel_undo(struct tern_signal *signal, const struct tern_wire_entry *fixed,
		      const void *payload, struct tern_block *block);

/** Open a frame in an mbuf just allocated. Consumes it. @param frame_max  bytes it may be long */
void tern_stage_open(struct tern_stage *stage, struct rte_mbuf *mbuf, uint32_t frame_max);

/** Whether the open frame has room for a whole parcel. */
bool tern_stage_takes(const struct tern_stage *stage, const struct tern_parcel *parcel);

/** Write a whole parcel. Context: it is taken. Consumes the block. */
void tern_stage_put(struct tern_stage *stage, const struct tern_parcel *parcel);

/**
 * Write a signal by value into the open frame: as tern_stage_put(), the short way.
 *
 * @param signal  its kind is 0 .. TERN_INLINE_MAX, without flags
 * @return false: its frame may be too full for it, tern_stage_takes() tells
 */
bool tern_stage_put_value(struct tern_stage *stage, const struct tern_signal *signal);

/**
 * Write a fragment into a frame just opened: as much as it takes from `offset` on. The last one
 * consumes the block. Returns the offset of the next.
 */
uint32_t tern_stage_put_fragment(struct tern_stage *stage, const struct tern_parcel *parcel,
				 uint32_t offset);

/** Close the frame: count and lengths are written, all else of its headers is not. Yields it. */
struct rte_mbuf *tern_stage_close(struct tern_stage *stage, uint8_t flow_class);

static inline struct tern_stage_private *tern_stage_private(struct rte_mbuf *mbuf)
{
	return rte_mbuf_to_priv(mbuf);
}

#endif
