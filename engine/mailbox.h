/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "capabilities/arena.h"
#include "capabilities/counter.h"
#include "tern_slot.h"

#define TERN_CHUNK_NONE UINT32_MAX
#define TERN_CHUNK_SIGNALS 15

/** Storage of a mailbox: a line of its own and 15 slots, 1 KiB. */
struct tern_chunk {
	alignas(TERN_LINE) uint32_t next; /* newer chunk, or next free one */
	struct tern_signal signals[TERN_CHUNK_SIGNALS];
};
_Static_assert(sizeof(struct tern_chunk) == 1024, "a chunk is 1 KiB");

/** The chunks of one lcore: touched first when needed, reused last in first out. */
struct tern_chunks {
	struct tern_chunk *base;
	uint32_t free;	/* head of the free list; TERN_CHUNK_NONE: empty */
	uint32_t fresh; /* chunks from here on were never used */
	uint32_t count;
	uint32_t used;
};

/** A queue of slots in chunks, oldest first. Start from TERN_MAILBOX_EMPTY. */
struct tern_mailbox {
	uint32_t chunk_head;
	uint32_t chunk_tail;
	uint32_t queued;
	uint8_t head_index;
	uint8_t tail_index;
};

#define TERN_MAILBOX_EMPTY \
	((struct tern_mailbox){.chunk_head = TERN_CHUNK_NONE, .chunk_tail = TERN_CHUNK_NONE})

void tern_chunks_init(struct tern_chunks *chunks, struct tern_chunk *base, uint32_t count);

/** Number of a slot among all slots of all chunks. */
static inline uint32_t tern_chunks_place(const struct tern_chunks *chunks,
					 const struct tern_signal *signal)
{
	size_t bytes =
		(size_t)((const unsigned char *)signal - (const unsigned char *)chunks->base);
	return (uint32_t)(bytes / sizeof(struct tern_signal));
}

/** The slot with that number. */
static inline struct tern_signal *tern_chunks_at(const struct tern_chunks *chunks, uint32_t place)
{
	return (struct tern_signal *)(void *)((unsigned char *)chunks->base +
					      (size_t)place * sizeof(struct tern_signal));
}

/** Chunks kept back for control, which is never refused. */
#define TERN_CHUNKS_RESERVED 16u

/** Whether one more signal can be queued for an agent. */
static inline bool tern_chunks_left(const struct tern_chunks *chunks)
{
	return chunks->used + TERN_CHUNKS_RESERVED < chunks->count;
}

/** Append a copy of a slot; its place, or NULL: no chunk is left. */
struct tern_signal *tern_mailbox_push(struct tern_chunks *chunks, struct tern_mailbox *mailbox,
				      const struct tern_signal *signal);

/** The oldest slot, or NULL. */
struct tern_signal *tern_mailbox_front(const struct tern_chunks *chunks,
				       const struct tern_mailbox *mailbox);

/**
 * Place of the first signal of a type in the queue, counted from the oldest.
 *
 * @param from  place to start at
 * @return the place; `queued` where there is none
 */
uint32_t tern_mailbox_find(const struct tern_chunks *chunks, const struct tern_mailbox *mailbox,
			   uint16_t type, uint32_t from);

/** The oldest slot that is not the engine's (TERN_KIND_RETURNED); queued: there is none. */
uint32_t tern_mailbox_oldest(const struct tern_chunks *chunks, const struct tern_mailbox *mailbox);

/** Remove the oldest slot. */
void tern_mailbox_pop(struct tern_chunks *chunks, struct tern_mailbox *mailbox);

#endif
