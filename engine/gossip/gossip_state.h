/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOSSIP_STATE_H
#define GOSSIP_STATE_H

#include "dataplane/router/questions.h"
#include "dataplane/router/router.h"
#include "engine/lcore/engine.h"
#include "gossip.h"

/* What gossip.c, gossip_take.c, gossip_tell.c and gossip_offers.c share. */

#define TERN_GOSSIP_OUTBOX 64u
#define TERN_GOSSIP_TELLINGS 16u
#define TERN_GOSSIP_RECEPTIONS 16u
#define TERN_GOSSIP_ASKS 32u
#define TERN_GOSSIP_WATCHED 256u
#define TERN_GOSSIP_MEMBERS 1024u
/** In no peer's place. */
#define TERN_GOSSIP_NOBODY UINT32_MAX
/** A telling that has not gone on for so many comparisons gives up its place; and an ask. */
#define TERN_GOSSIP_PATIENCE 8u

struct gossip_peer {
	uint16_t node;		/* 0: the place is free */
	bool compares;		/* VERSIONS are being sent: from `versions_from` on */
	uint32_t versions_from; /* node */
	uint32_t watched_from;	/* of the watched capabilities, the next to be asked; their count:
				   none */
	uint64_t asked;		/* questions up to this one */
	uint64_t pushed;	/* own changes told up to this version */
	uint64_t push_at, tell_at, compare_at;
};

/** Changes of a node on their way to a peer. */
struct gossip_telling {
	uint32_t peer; /* place; TERN_GOSSIP_NOBODY: free */
	uint32_t number;
	uint16_t node, part;
	bool walked; /* all are in `news`, or have left */
	uint64_t above, complete;
	struct tern_news_cursor cursor;
	uint32_t count;
	struct tern_update news[64]; /* less than a payload's, and a step's */
};

/** A telling on its way here: which parts have come. */
struct gossip_reception {
	uint16_t peer; /* node; 0: free */
	uint16_t node;
	uint32_t number;
	uint32_t parts; /* that have come */
	uint32_t last;	/* parts in all; 0: not known yet */
	bool failed;	/* something of it could not be kept */
	uint64_t above, complete, heard_at;
	uint64_t came[TERN_PAYLOAD_PARTS_MAX / 64];
};

/** What is lacking of a node, asked for. */
struct gossip_ask {
	uint16_t node; /* 0: free */
	uint32_t peer; /* place */
	bool sent;
	uint64_t above, until;
};

/** An agent of a peer that has a capability, by its word. */
struct gossip_member {
	struct tern_id capability, agent;
	uint16_t node; /* 0: free */
	bool confirmed;
};

struct gossip_letter {
	uint32_t peer; /* place */
	uint16_t size;
	uint8_t bytes[TERN_PAYLOAD_MAX];
};

struct tern_gossip {
	struct tern_engine *engine;
	struct tern_router *router;
	struct tern_questions *questions;
	uint64_t tell_ns, compare_ns;
	uint16_t node;
	uint32_t peers_max;
	uint32_t turn;			   /* place of the peer that is served next */
	uint32_t number;		   /* of the last telling */
	uint32_t telling_turn;		   /* of the tellings, the one that goes on next */
	uint64_t due;			   /* nothing is by time before */
	uint64_t asked_seen, version_seen; /* all peers know, as far as they may by now */
	uint64_t ends_at;
	struct tern_table_cursor ends;
	uint64_t letter_first, letter_end;
	uint32_t watched_count;
	struct tern_gossip_stats stats;
	uint16_t *places; /* by node: 1 + place of its peer */
	struct gossip_peer *peers;
	struct gossip_letter letters[TERN_GOSSIP_OUTBOX]; /* a ring */
	struct gossip_telling tellings[TERN_GOSSIP_TELLINGS];
	struct gossip_reception receptions[TERN_GOSSIP_RECEPTIONS];
	struct gossip_ask asks[TERN_GOSSIP_ASKS];
	struct tern_id watched[TERN_GOSSIP_WATCHED]; /* capabilities asked for, a ring */
	struct gossip_member members[TERN_GOSSIP_MEMBERS];
};

_Static_assert(sizeof(struct tern_gossip) + 8192 * sizeof(uint16_t) <= TERN_GOSSIP_BYTES(0) + 65536,
	       "TERN_GOSSIP_BYTES");

/** Put a payload among those that leave first. Where there is no place it is lost, and counted. */
void tern_gossip_post(struct tern_gossip *gossip, uint32_t peer,
		      const struct tern_payload *payload);

/** Begin to tell a peer of a node's changes above a version. False: there is no place for it. */
bool tern_gossip_tell(struct tern_gossip *gossip, uint32_t peer, uint16_t node, uint64_t above);

/** The next part of a telling that is under way; bytes, 0: none is. */
size_t tern_gossip_tell_next(struct tern_gossip *gossip, uint32_t *peer,
			     uint8_t bytes[TERN_PAYLOAD_MAX]);

/** Ask again for a capability from time to time. */
void tern_gossip_watch(struct tern_gossip *gossip, struct tern_id capability);

/** Say which agents of this node have a capability. */
void tern_gossip_say_providers(struct tern_gossip *gossip, uint32_t peer,
			       struct tern_id capability);

/** Take in which agents of a peer's have one; what it says of them was taken in. */
void tern_gossip_hear_providers(struct tern_gossip *gossip, uint16_t peer,
				const struct tern_payload *payload);

/** Forget what a peer's agents have. */
void tern_gossip_forget_members(struct tern_gossip *gossip, uint16_t peer);

#endif
