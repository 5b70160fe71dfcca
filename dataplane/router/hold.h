/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOLD_H
#define HOLD_H

#include "router.h"

/* What is held of an id, and how it is replaced. Context of all: the router's lock is held. */

/** What is held of an id: a route, or a missing one's memory. */
struct tern_held {
	struct tern_route route;   /* address NONE: none */
	struct tern_update update; /* the same, as others are told; version 0: nothing is held */
	tern_address was;	   /* where a missing one was before its time was up, or NONE */
	uint64_t gone_until;	   /* that it has gone is remembered so long; 0: it is not */
	bool lives_here;
};

/** An address as other nodes are told it. */
static inline tern_address tern_held_address(const struct tern_router *router, tern_address address)
{
	return address && tern_address_node(address) == 0
		       ? address | tern_address_make(router->node, 0, 0)
		       : address;
}

/** Yields what is held of an id. */
void tern_held_look_up(const struct tern_router *router, struct tern_id id, struct tern_held *held);

/**
 * Hold a route to another node in place of what is held.
 *
 * @return 0; -EEXIST: an agent of this process came, or went, meanwhile; -ENOSPC, -ENOMEM: all is
 * as before
 */
int tern_hold_route(struct tern_router *router, const struct tern_held *held,
		    const struct tern_update *joined);

/** Hold that an agent of another node has gone. 0; -ENOSPC, -ENOMEM: all is as before. */
int tern_hold_gone(struct tern_router *router, const struct tern_held *held,
		   const struct tern_update *joined);

/** Hold that an agent of this process lives, as told with a version. As tern_hold_route(). */
int tern_hold_life(struct tern_router *router, const struct tern_held *held, tern_address address,
		   uint64_t version);

/** Hold that an agent, of this process or said to be, has gone. As tern_hold_gone(). */
int tern_hold_end(struct tern_router *router, const struct tern_held *held, uint64_t version);

/**
 * Tell that an agent of this process lives at an address, or has gone, with a version above `base`
 * if that can be followed. What is told is held first.
 *
 * @param update  yields it
 * @return as tern_hold_life() and tern_hold_end(): then nothing is told
 */
int tern_router_tell(struct tern_router *router, const struct tern_held *held, tern_address address,
		     uint64_t base, struct tern_update *update);

#endif
