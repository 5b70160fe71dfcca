/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOSSIP_H
#define GOSSIP_H

#include <stddef.h>
#include <stdint.h>

#include "payload.h"
#include "tern_error.h"

struct tern_engine;

/*
 * What an engine and its peers tell each other of where agents are, so that their routers agree.
 * Whoever moves payloads between nodes calls it: when a peer comes and goes, for each payload that
 * came, and for those that are to leave. Payloads may be lost, doubled, and overtake each other.
 *
 * - An agent that is missing here is asked for at each peer, once while it counts as missing; a
 *   peer that has it publishes it and answers. Capabilities likewise; those asked for are asked
 *   again every tell_ms, so that what a peer's agents no longer offer is forgotten.
 * - Each peer is told of this node's changes soon after they were made, and of all its published
 *   agents every tell_ms. Agents that ended are published as gone.
 * - Versions are sent to each peer when it comes, and every compare_ms. Who lacks something by more
 *   than drift_max, or for longer than drift_ms, asks for it.
 *
 * A payload is believed of its sender: one that says of its own node that an agent lives elsewhere
 * is refused, and so is one that is malformed. Bounded: TERN_GOSSIP_BYTES() for all that is kept.
 *
 * Context of all: one thread at a time that reads the router: an lcore, or an attached thread
 * between tern_reader_begin() and tern_reader_end(). `now` is the engine's clock, ns.
 */
struct tern_gossip;

/** Memory of one for so many peers, about; the routes themselves are in the router. */
#define TERN_GOSSIP_BYTES(peers) (256u * 1024u + (peers)*64u)

/** What came and what left. */
struct tern_gossip_stats {
	uint64_t taken, refused;  /* payloads */
	uint64_t sent;		  /* payloads */
	uint64_t asked, answered; /* ids, and capabilities */
	uint64_t tellings;	  /* of a node's changes, begun */
	uint64_t settled;	  /* received whole */
	uint64_t reconciled;	  /* asked for */
	uint64_t crowded;	  /* left out for want of a place: it comes again */
};

/**
 * Make one without peers.
 *
 * @param engine     keeps; its configuration has a router.node
 * @param peers_max  1..8191
 * @return 0; -EINVAL: the engine has no number, or peers_max is out of range; -ENOMEM
 */
int tern_gossip_create(struct tern_gossip **gossip, struct tern_engine *engine, uint32_t peers_max,
		       struct tern_error *error);
void tern_gossip_destroy(struct tern_gossip *gossip);

/** A peer has come. 0; -EINVAL: no other node's number; -EEXIST; -ENOSPC: peers_max are there. */
int tern_gossip_add(struct tern_gossip *gossip, uint16_t peer, uint64_t now);

/** It has gone: its routes go in time, unless it comes back. 0; -ENOENT */
int tern_gossip_remove(struct tern_gossip *gossip, uint16_t peer);

/**
 * Take a payload from a peer.
 *
 * @return 0; -ENOENT: no such peer; -EPROTO: another version; -EBADMSG: no payload, or one that
 * its sender cannot know. Refused ones change nothing
 */
int tern_gossip_take(struct tern_gossip *gossip, uint16_t peer, const uint8_t *bytes, size_t size,
		     uint64_t now);

/**
 * The next payload that is to leave. Costs a few loads where there is nothing to do.
 *
 * @param peer   yields whom it is for
 * @param bytes  yields it
 * @return its bytes; 0: there is none now; where tern_gossip_due() is not later than `now`, there
 * may be one at the next call: a long walk over what is told goes on by steps
 */
size_t tern_gossip_next(struct tern_gossip *gossip, uint64_t now, uint16_t *peer,
			uint8_t bytes[TERN_PAYLOAD_MAX]);

/**
 * When there is something to do by time alone, ns, as of the last tern_gossip_next() that yielded
 * none; what is looked up in vain, changes and payloads that come are looked at in each call.
 */
uint64_t tern_gossip_due(const struct tern_gossip *gossip);

const struct tern_gossip_stats *tern_gossip_stats(const struct tern_gossip *gossip);

#endif
