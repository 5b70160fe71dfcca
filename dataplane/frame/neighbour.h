/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "frame.h"

/*
 * Which MAC an IP address has: asked by ARP over IPv4, by neighbour discovery over IPv6, and
 * answered. Only peers that were added are learnt of; everybody is answered. Frames come from and
 * go into mbufs of the caller, who sends them; time is what the caller says it is. One thread's.
 *
 * ARP and neighbour discovery prove nothing: whoever is on the same network can claim an address.
 * A MAC that was given by hand is never replaced.
 *
 * Source: RFC 826, RFC 5227 (ARP), RFC 4861 (neighbour discovery)
 */

enum tern_neighbour_state {
	TERN_NEIGHBOUR_ASKED, /* no MAC: asked of all, less and less often */
	TERN_NEIGHBOUR_KNOWN, /* it answered lately */
	TERN_NEIGHBOUR_STALE, /* has a MAC, which is used and asked by itself whether it is right */
	TERN_NEIGHBOUR_STATIC, /* given by hand */
};

#define TERN_NEIGHBOUR_RETRY_NS_MIN 1000000u	/* first time between two questions; doubles */
#define TERN_NEIGHBOUR_RETRY_NS_MAX 1000000000u /* last one */
#define TERN_NEIGHBOUR_KNOWN_NS 30000000000u	/* from an answer to the next question */
#define TERN_NEIGHBOUR_PROBES 5u		/* questions to a MAC before all are asked again */

/** One peer. Only the functions below write it. */
struct tern_neighbour {
	uint8_t address[16]; /* as in struct tern_endpoint */
	uint8_t mac[6];
	uint8_t state; /* enum tern_neighbour_state */
	uint8_t tries; /* questions since the last answer, at most 255 */
	uint64_t due_ns;
};

struct tern_resolver;

/** All peers of one endpoint. Only the functions below write it. */
struct tern_neighbours {
	const struct tern_resolver *resolver;
	struct tern_endpoint own;
	struct tern_neighbour *peers;
	uint32_t capacity;
	uint32_t count;
	uint32_t next;	 /* whom tern_neighbours_ask() looks at first */
	uint64_t due_ns; /* nothing is to be asked before; a new one may be due later */
};

/**
 * @param own       this end, over IPv4 or IPv6; copied
 * @param peers     room for `capacity` of them; kept
 */
void tern_neighbours_init(struct tern_neighbours *neighbours, const struct tern_endpoint *own,
			  struct tern_neighbour *peers, uint32_t capacity);

/**
 * Add a peer, to be asked for at once.
 *
 * @param address  its address, or that of the router to it; 4 or 16 bytes, as own has
 * @param mac      its MAC, which then stays; NULL: to be found
 * @param index    filled in on success: what it is called here
 * @return 0; -EEXIST: is there, *index is filled in; -ENOSPC: capacity is reached; -EINVAL: an
 *         address or a MAC that no station has, or the own one
 */
int tern_neighbours_add(struct tern_neighbours *neighbours, const uint8_t *address,
			const uint8_t *mac, uint32_t *index);

/** A peer's MAC. Returns NULL where it is not known; borrowed until the next call. */
const uint8_t *tern_neighbours_mac(const struct tern_neighbours *neighbours, uint32_t index);

/**
 * Nothing is heard of a peer where it is thought to be: all are asked for it, at once. One whose
 * MAC was given by hand, or that is being asked for, stays as it is.
 */
void tern_neighbours_doubt(struct tern_neighbours *neighbours, uint32_t index, uint64_t now_ns);

/** Whether tern_neighbours_ask() may have something to ask. */
static inline bool tern_neighbours_is_due(const struct tern_neighbours *neighbours, uint64_t now_ns)
{
	return now_ns >= neighbours->due_ns;
}

/**
 * Write the next question that is due. Called until it returns false.
 *
 * @param frame  empty mbuf, borrowed
 * @return false: nothing is due, or the frame is too small for it: it is as it was
 */
bool tern_neighbours_ask(struct tern_neighbours *neighbours, uint64_t now_ns,
			 struct rte_mbuf *frame);

/**
 * Write the news that this endpoint has its address: to be sent once it is up, so that those who
 * know another MAC of it learn of this one.
 *
 * @param frame  empty mbuf, borrowed
 * @return false: the frame is too small for it
 */
bool tern_neighbours_announce(const struct tern_neighbours *neighbours, struct rte_mbuf *frame);

/** What came of a frame. */
struct tern_neighbour_news {
	bool is_answered; /* `answer` was written and is to be sent */
	bool is_changed;  /* tern_neighbours_mac() of `index` has changed */
	uint32_t index;
};

/**
 * Read a frame that tern_frame_read() called TERN_DROP_NEIGHBOUR, learn from it, and answer it.
 *
 * @param mbuf    borrowed; changed as tern_frame_read() may
 * @param answer  empty mbuf, borrowed; NULL: no answer is given, and the other side asks again
 * @param news    filled in where the result is TERN_DROP_NONE
 * @return TERN_DROP_NONE, or why it was of no use
 */
enum tern_drop tern_neighbours_read(struct tern_neighbours *neighbours, struct rte_mbuf *mbuf,
				    uint64_t now_ns, struct rte_mbuf *answer,
				    struct tern_neighbour_news *news);

#endif
