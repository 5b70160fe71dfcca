/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENT_H
#define SENT_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/*
 * The sender's map from position to frame, from when it is given a position until it is
 * acknowledged. A ring; the memory is the caller's. Pure: it never looks into a frame.
 *
 *   acked .. sent - 1   have left at least once, and nobody has said that they arrived
 *   sent .. next - 1    wait for a place in the outlet, in order
 */
struct tern_sent_frame {
	struct rte_mbuf *mbuf; /* with a reference of the link's own */
	uint64_t first_ns;     /* when it left first, and last */
	uint64_t last_ns;
	uint16_t offset;  /* of the first byte on the wire, in the mbuf's buffer; 0: not complete */
	uint16_t bytes;	  /* on the wire */
	uint16_t signals; /* that are settled with it */
	uint8_t times;	  /* it has left, 255: as many or more */
	bool is_lost;	  /* the other side asks for it, and it has not left since */
};

struct tern_sent {
	struct tern_sent_frame *frames;
	uint64_t acked;	    /* positions below it are done with */
	uint64_t sent;	    /* the next to leave first */
	uint64_t next;	    /* the next to be given */
	uint64_t lost_from; /* nothing is lost below it */
	uint32_t lost;	    /* so many are */
	uint32_t mask;
};

/** Start at position 1. @param memory  `window` places, kept; @param window  a power of 2 */
void tern_sent_init(struct tern_sent *sent, struct tern_sent_frame *memory, uint32_t window);

static inline struct tern_sent_frame *tern_sent_at(const struct tern_sent *sent, uint64_t position)
{
	return &sent->frames[position & sent->mask];
}

/** Frames that are kept. */
static inline uint32_t tern_sent_kept(const struct tern_sent *sent)
{
	return (uint32_t)(sent->next - sent->acked);
}

/** Whether something has left and is not acknowledged. */
static inline bool tern_sent_is_under_way(const struct tern_sent *sent)
{
	return sent->sent != sent->acked;
}

/** Give the next position to a frame. Context: fewer are kept than the window. Keeps `mbuf`. */
uint64_t tern_sent_push(struct tern_sent *sent, struct rte_mbuf *mbuf, uint16_t signals);

/** The frame of a position that has just left, once more or, where it is `sent`, for the first
 * time. */
void tern_sent_note(struct tern_sent *sent, uint64_t position, uint64_t now_ns);

/** Take the oldest frame out. Context: it has left. Yields the mbuf and its reference. */
struct tern_sent_frame tern_sent_pop(struct tern_sent *sent);

/**
 * The other side asks for positions: those that are kept, and have not left within `quiet_ns`,
 * are lost.
 *
 * @param from, to  anything
 */
void tern_sent_lose(struct tern_sent *sent, uint64_t from, uint64_t to, uint64_t now_ns,
		    uint64_t quiet_ns);

/** The lowest position that is lost; 0: none is. */
uint64_t tern_sent_lost(struct tern_sent *sent);

#endif
