/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "capabilities/memory/heap.h"
#include "dataplane/frame/frame.h"
#include "dataplane/port/port.h"
#include "tern_slot.h"

struct tern_lender;

/*
 * One end of a link: what an lcore of this node and one of another have between them. Signals that
 * are taken here are handed over there exactly once and, for each sender and receiver, in order;
 * or, where the session ends first, given back here, marked. One lcore's, without a lock; time is
 * what the caller says it is.
 *
 * Sessions. The node with the lower number asks (HELLO), the other grants (WELCOME), and the
 * session holds for it once a frame of that session comes: an old HELLO that the network kept ends
 * nothing. Who meets a session that it does not know says so (RESET). A session ends when nothing
 * was heard of the other *node* for dead_ns, by RESET, by BYE, or by a new one; all that was not
 * acknowledged is given back then, and the next one starts from position 1.
 */
struct tern_link;

/** What became of a signal that is given back. */
enum tern_fate {
	TERN_FATE_NOT_SENT, /* it never left */
	TERN_FATE_UNKNOWN,  /* it left, and nobody has said that it arrived */
};

/** Why a link has no session any more. */
enum tern_link_end {
	TERN_LINK_SILENT, /* nothing heard for dead_ns */
	TERN_LINK_RESET,  /* the other side knows nothing of it: it started anew */
	TERN_LINK_LEFT,	  /* the other side said goodbye */
	TERN_LINK_CLOSED, /* this side did */
	TERN_LINK_BROKEN, /* the other side broke the protocol: drop.h says how, in the counters */
};

/** What the link asks of the engine above it. Each may call tern_link_send(), none any other. */
struct tern_link_ops {
	/**
	 * A signal has arrived; `from` has the sender's node. A block is the engine's own then.
	 * Returned ones are marked (TERN_KIND_RETURNED), `from` being who could not take it.
	 *
	 * @return false: there is no place for it now; asked again at the next tern_link_poll(),
	 *         and what follows it in its flow class waits
	 */
	bool (*deliver)(void *owner, struct tern_link *link, struct tern_signal *signal,
			uint64_t key);
	/** So many signals are in the other node's memory. Their blocks have been dropped. */
	void (*settle)(void *owner, struct tern_link *link, uint64_t count);
	/** A signal comes back with its block: the session ended. In the order of sending. */
	void (*give_back)(void *owner, struct tern_link *link, struct tern_signal *signal,
			  enum tern_fate fate);
	/** A session began. */
	void (*opened)(void *owner, struct tern_link *link);
	/** A session is over, after the last give_back(). @param acknowledged  positions below it
	 */
	void (*closed)(void *owner, struct tern_link *link, enum tern_link_end why,
		       uint64_t acknowledged);
	/** tern_link_send() has refused, and there is room again: once for each spell. */
	void (*relieved)(void *owner, struct tern_link *link);
};

/** Constant for the life of a link. */
struct tern_link_config {
	uint16_t node, peer;	   /* this node, the other */
	uint8_t lcore, peer_lcore; /* the larger is the link's number: nodes may differ in lcores */
	uint8_t lcores;		   /* of this node */
	uint16_t frame_max;	   /* longest Tern frame that the port carries */
	uint16_t credit_max;	   /* data frames that may be on their way to here, 4 .. 4096 */
	uint16_t window_max; /* ... that this end keeps until they are acknowledged; a power of 2 */
	uint64_t incarnation;
	uint64_t cluster;
	uint64_t heartbeat_ns;	    /* between signs of life, 10 us and more */
	uint64_t dead_ns;	    /* more than heartbeat_ns */
	uint64_t congestion_ns;	    /* of queueing, above which less is sent; 0: no matter */
	uint64_t congestion_off_ns; /* not on paths with a round trip below */
	uint64_t seed;		    /* of nonces */
	struct tern_wrap wrap;	    /* before each frame */
	uint32_t offloads;	    /* of the port */
	struct tern_outlet *outlet;
	struct rte_mempool *frames; /* private area: TERN_LINK_PRIVATE bytes */
	struct tern_lender *lender; /* what credit comes from: credit.h; NULL: credit_max for good
				     */
	struct tern_heap *heap;	    /* where blocks that arrive are made, and those sent dropped */
	uint64_t *heard_ns;	    /* of the peer: when any of its links heard of it; shared by
				     * lcores, written eight times a heartbeat at most */
	const struct tern_link_ops *ops;
	void *owner;
};

#define TERN_LINK_PRIVATE 256u

/** Memory of a link, bytes, all that it ever takes beside frames and one mbuf of its own. */
size_t tern_link_bytes(const struct tern_link_config *config);

/**
 * Make a link. It begins to ask for a session where it is the one to ask.
 *
 * @param config  copied; what it points to is kept
 * @return NULL: no memory, no mbuf, or not even the least credit
 */
struct tern_link *tern_link_create(const struct tern_link_config *config, uint64_t now_ns);

/**
 * Give all back that is under way, say goodbye where there is a session, and free the link. Signals
 * that came and that deliver() refused are dropped with it.
 */
void tern_link_destroy(struct tern_link *link, uint64_t now_ns);

/**
 * Take a signal to be sent. It leaves with tern_link_flush(), with others of its flow class.
 * `to_slot` and `to_generation` are the other node's; of `from` the node counts as this one.
 * Consumes the block of an iso, and one count of a val: freed when it is acknowledged.
 *
 * @param key  idempotency key, 0: none
 * @return 0; -ENOTCONN: no session; -EAGAIN: as much is under way as the other side lends, or as
 *         window_max; -ENOBUFS: no free frame. Then nothing is consumed, and relieved() follows
 */
int tern_link_send(struct tern_link *link, const struct tern_signal *signal, uint64_t key);

/**
 * Take a frame that is for this link. Consumes the mbuf.
 *
 * @return TERN_DROP_NONE, or why the frame was of no use
 */
enum tern_drop tern_link_input(struct tern_link *link, const struct tern_frame *frame,
			       struct rte_mbuf *mbuf, uint64_t now_ns);

/** End of a turn: what was taken leaves, and what came is acknowledged where that is due. What the
 * outlet does not take stays, in order. The caller flushes the outlet. */
void tern_link_flush(struct tern_link *link, uint64_t now_ns);

/**
 * What is due by now: heartbeat, probe, NAKs again, an end for want of a sign of life, signals that
 * found no place. It flushes, too.
 *
 * @return when it wants to be asked next, ns; UINT64_MAX: when a frame has come. After
 *         tern_link_input(), tern_link_send() or tern_link_flush() that may be sooner than was
 *         said: ask once at the end of a turn that had one of them
 */
uint64_t tern_link_poll(struct tern_link *link, uint64_t now_ns);

/** Whether tern_link_flush() has something to do. Inline at need. */
bool tern_link_is_due(const struct tern_link *link);

/** Whether a send that was refused may be tried again: there is room, or no session any more. */
bool tern_link_has_room(const struct tern_link *link);

/** Lcores of the other node, as it said when the session began. */
uint32_t tern_link_peer_lcores(const struct tern_link *link);

/** Position that the next data frame gets; 0: a signal that was taken is in no frame yet. */
uint64_t tern_link_next(const struct tern_link *link);

/** Positions below it are in the other node's memory. */
uint64_t tern_link_acknowledged(const struct tern_link *link);

/** Put another wrap before frames from now on: the peer is elsewhere. Copies it. */
void tern_link_rewrap(struct tern_link *link, const struct tern_wrap *wrap);

/** What a link has done and is at. Any thread: a hint. */
struct tern_link_stats {
	uint64_t is_open; /* 0 or 1 */
	uint64_t session;
	uint64_t frames_sent, frames_received; /* of data */
	uint64_t signals_sent, signals_received;
	uint64_t retransmitted, naks_sent, naks_received, ranges_sent, probes;
	uint64_t duplicates; /* data frames that had come before */
	uint64_t sessions;
	uint64_t srtt_ns;
	uint64_t under_way;	    /* data frames not acknowledged */
	uint64_t held;		    /* data frames that wait for one before them, or for a place */
	uint64_t credit;	    /* lent by the other side now */
	uint64_t peer_lcores;	    /* of the other node, as it said last */
	uint64_t drops[TERN_DROPS]; /* by reason */
};
void tern_link_stats(const struct tern_link *link, struct tern_link_stats *stats);

#endif
