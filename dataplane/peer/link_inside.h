/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_INSIDE_H
#define LINK_INSIDE_H

/*
 * What a link is made of. Its files include this, nobody else. All of it is of the lcore that owns
 * the link; counters in `stats` are stored whole, so that others may look.
 */
#include "link.h"

#include "capabilities/counter.h"
#include "capabilities/rng.h"
#include "congestion.h"
#include "credit.h"
#include "gaps.h"
#include "grants.h"
#include "inflow.h"
#include "rtt.h"
#include "sent.h"
#include "staging.h"

#define TERN_LINK_ACK_NS 10000u	  /* data is acknowledged after this at the latest */
#define TERN_LINK_RETRY_NS 10000u /* what found no place or no mbuf is tried again after this */
#define TERN_LINK_BEAT_MIN_NS 10000u
#define TERN_LINK_BACKOFF_MAX 16u

/** What is to be said, as soon as there is an mbuf and a place for it. */
enum tern_link_want {
	TERN_LINK_WANT_ACK = 1 << 0,
	TERN_LINK_WANT_HEARTBEAT = 1 << 1,
	TERN_LINK_WANT_RESET = 1 << 2, /* of link->unknown */
};

/** Body of a NAK or GONE. */
union tern_link_ranges {
	struct tern_wire_ranges ranges;
	unsigned char bytes[sizeof(struct tern_wire_ranges) +
			    TERN_WIRE_RANGES_MAX * sizeof(struct tern_wire_range)];
};

static inline size_t tern_link_ranges_size(const union tern_link_ranges *body)
{
	return sizeof(body->ranges) + body->ranges.count * sizeof(body->ranges.range[0]);
}

/** Sending, by flow class. */
struct tern_outflow {
	struct tern_stage stage;
	struct tern_parcel cut; /* a block that is being cut into fragments; no block: none is */
	uint32_t cut_at;	/* offset of the next fragment */
	uint64_t last;		/* position of the class's last frame; 0: none */
};

/** Receiving, by flow class. */
struct tern_intake {
	struct tern_entry entry; /* the next of the frame that is being handed over */
	uint16_t left;		 /* entries of it; 0: none is */
	bool is_refused;	 /* there was no place for it */
	uint32_t filled;	 /* bytes of the block */
	uint32_t session;	 /* that the block is of */
	tern_iso *block;	 /* of which fragments have come; NULL: none */
};

struct tern_link {
	struct tern_link_config config;
	struct tern_rng rng;
	struct rte_mbuf *reserved; /* for control frames when the pool has none */
	uint64_t now_ns;	   /* as told last */

	/* The handshake. */
	uint64_t nonce; /* asked with, 0: not asking */
	uint64_t hello_ns, hello_wait_ns, hello_sent_ns;
	uint32_t hello_times;
	struct tern_grants grants;
	uint64_t peer_nonce; /* of the session */
	uint64_t unknown;    /* session that is not known here */

	/* The session. */
	bool is_open;
	bool is_confirmed; /* the other side has sent a frame of it */
	uint8_t peer_lcores;
	uint16_t frame_max;
	uint16_t peer_credit_max;
	uint64_t session;
	uint64_t beat_ns; /* between signs of life */
	uint64_t opened_ns;
	uint32_t wants; /* enum tern_link_want */

	/* Sending. */
	struct tern_sent sent;
	struct tern_rtt rtt;
	struct tern_congestion congestion;
	uint64_t limit;	       /* the other side takes positions below it */
	uint64_t last_ns;      /* when a frame left last */
	uint64_t progress_ns;  /* when data left, or was acknowledged, last */
	uint32_t backoff;      /* probes without progress */
	uint32_t stages, cuts; /* bit n: class n has one */
	bool is_refusing;      /* tern_link_send() has refused */
	uint64_t polled_ns, stalled_ns;

	/* Receiving. */
	struct tern_gaps gaps;
	struct tern_credit credit;
	struct tern_inflow inflow;
	uint64_t told;	  /* positions below it have been acknowledged */
	uint64_t ack_ns;  /* when to, at the latest; UINT64_MAX: nothing to acknowledge */
	uint32_t refused; /* bit n: deliver() refused class n, or there was no block for it */
	uint64_t retry_ns;

	struct tern_link_stats stats;
	struct tern_outflow out[TERN_WIRE_CLASSES];
	struct tern_intake in[TERN_WIRE_CLASSES];
};

static inline bool tern_link_asks(const struct tern_link *link)
{
	return link->config.node < link->config.peer;
}

/* link_session.c */
enum tern_drop tern_link_hello(struct tern_link *link, const struct tern_frame *frame);
enum tern_drop tern_link_welcome(struct tern_link *link, const struct tern_frame *frame);
/** Open the session of a grant, if it is one. */
bool tern_link_open_granted(struct tern_link *link, const struct tern_wire_header *header);
void tern_link_end(struct tern_link *link, enum tern_link_end why);
/** Begin to ask for a session, not before `at_ns`. */
void tern_link_ask(struct tern_link *link, uint64_t at_ns);

/* link_send.c */
/** Write fragments of blocks that are being cut, as far as there is room. */
void tern_link_cut(struct tern_link *link);
/** Give the open frames their positions. */
void tern_link_close_stages(struct tern_link *link);
/** Say so where tern_link_send() has refused and there is room again. */
void tern_link_relieve(struct tern_link *link);

/* link_deliver.c */
/** Hand over what a class has ready. False: the other side broke the protocol. */
bool tern_link_deliver(struct tern_link *link, uint8_t flow_class);
/** The same of all classes: of those in `classes`. */
bool tern_link_deliver_all(struct tern_link *link, uint32_t classes);
/** Forget blocks whose rest never comes. */
void tern_link_drop_parts(struct tern_link *link);

/* link_control.c */
/** Positions below it may come. */
uint64_t tern_link_limit(const struct tern_link *link);
/** Write the header of a frame of this session. */
void tern_link_header(struct tern_link *link, struct tern_wire_header *header, uint8_t kind,
		      uint16_t length);
/** Have the other side told of its limit early, so that it need not stop. */
void tern_link_note_limit(struct tern_link *link);
/** A frame with this header has left. */
void tern_link_told(struct tern_link *link, uint64_t ack, uint64_t limit);
/** Send what `wants` says, handshakes and NAKs. */
void tern_link_control(struct tern_link *link);
/** Send a frame without a body, or with ranges. False: no mbuf, or no place. */
bool tern_link_say(struct tern_link *link, uint8_t kind, const void *body, size_t size);

static inline void tern_link_drop(struct tern_link *link, enum tern_drop why)
{
	tern_count(&link->stats.drops[why], 1);
}

#endif
