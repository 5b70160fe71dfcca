/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

#include "dataplane/fault/injector.h"
#include "dataplane/peer/credit.h"
#include "dataplane/peer/link.h"
#include "deadlines.h"
#include "engine/lcore/engine.h"
#include "members.h"
#include "pressed.h"
#include "tern_node.h"

/*
 * The engine as a node of a cluster: its port, and the links of its lcores to those of other nodes.
 *
 * An lcore sends on a link of its own to each peer. A link joins lcore k mod A of one node with
 * lcore k mod B of the other, for each k below the larger of A and B. The node with the lower
 * number makes those below its own A at the start, and the rest once it has been told B.
 */
struct tern_node;

#define TERN_NODE_MAC_KNOWN (1ull << 63)
#define TERN_NODE_MAC_ALL (TERN_NODE_MAC_KNOWN | 0xFFFFFFFFFFFFull)

/** A node of the cluster. Each word is written by any lcore, seldom. */
struct tern_node_peer {
	uint16_t node;
	uint16_t index;		       /* among the peers */
	bool has_mac;		       /* its list says which */
	struct tern_endpoint endpoint; /* constant but for the MAC, which is in `mac` */
	uint64_t mac;		       /* 0: not known yet; else bit 63 and the address */
	uint64_t heard_ns;	       /* when any link heard of it */
	uint64_t doubt_ns; /* without a connection until then it may be elsewhere; lcore 0's */
	uint32_t lcores;   /* that it has; 0: never connected */
	uint32_t open;	   /* links that are connected */
	uint64_t lost;	   /* sessions that ended */
};

/** A link, and what its lcore has to do for it. */
struct tern_node_link {
	struct tern_link *link;
	struct tern_lcore *lcore;
	struct tern_node_peer *peer;
	uint64_t mac;	 /* of the peer, as frames go there now */
	uint32_t number; /* in its lcore's links */
	uint8_t k;	 /* which of the links to that peer */
	bool is_touched; /* in the list of this turn */
	uint64_t note;	 /* that acknowledgements have to pass (passage.h); 0: none */
};

/** Signals of this node that lost links gave back, and that are to be told. */
struct tern_node_backs {
	struct tern_signal *signals;
	uint32_t next, count, room;
};

/** A signal for another node. */
struct tern_node_waiting {
	tern_address to;
	struct tern_signal signal;
};

/** Signals that wait, in order, while their links take none. */
struct tern_node_ring {
	struct tern_node_waiting *entries;
	uint32_t size, head;
	uint32_t count; /* threads read that of forwards */
};

/** Signals that came from other nodes and go back: of more the last ones are lost. */
#define TERN_NODE_RETURNS 1024u

/**
 * Signals that threads have for other nodes: they are refused from half of so many on, and what
 * lies in their lanes by then is no more than the other half.
 */
#define TERN_NODE_FORWARDS 4096u

/** What an lcore has of it. Its thread writes, but for `given`. */
struct tern_node_lcore {
	struct tern_node *node;
	struct tern_port *port;
	uint16_t queue;		       /* nobody else's */
	uint64_t due_ticks;	       /* clock ticks at which a link is due; UINT64_MAX: none */
	uint64_t connect_ticks;	       /* the same of links that are to be made */
	uint64_t gossip_ticks;	       /* the same of what routers tell each other; lcore 0's */
	struct tern_node_link **to;    /* by peer: on which signals leave; NULL: none yet */
	struct tern_node_link ***of;   /* by peer, by k; NULL: none yet */
	struct tern_node_link **links; /* by number */
	uint32_t link_count, link_room;
	uint32_t *touched; /* numbers of links to look at before the turn ends */
	uint32_t touched_count;
	struct tern_deadlines deadlines; /* of links, by number */
	struct tern_pressed refusing;	 /* of other nodes' agents: their addresses */
	struct tern_pressed told;	 /* agents of this node, by the link that was told */
	struct tern_node_ring returns;	 /* TERN_NODE_RETURNS */
	struct tern_node_ring forwards;	 /* TERN_NODE_FORWARDS */
	struct tern_node_backs backs;
	struct rte_ring *given; /* frames that arrived at another lcore's queue */
	struct rte_mempool *frames;
	struct tern_lender lender;     /* half of them may be on their way from other nodes */
	bool keeps_frames;	       /* its thread is one that DPDK knows */
	struct tern_node_fault *fault; /* to be put before the port; NULL: none yet */
	uint64_t fault_era;	       /* of the rules that are in effect here */
	struct tern_outlet outlet;
	uint64_t drops[TERN_DROPS]; /* frames that no link was asked about, by reason */
};

/** Which faults lcores are to have. Who sets them writes, one thread at a time; `era` last. */
struct tern_node_rules {
	uint64_t era;
	uint32_t count;
	struct tern_fault_rule rules[TERN_FAULT_RULES];
};

/** A ping of another node, one at a time: node_ping.c. A word of it is `number << 16 | node`. */
struct tern_node_ping {
	alignas(TERN_LINE) uint64_t asked; /* the thread that asks writes these two */
	uint64_t asked_ns;
	alignas(TERN_LINE) uint64_t taken; /* lcore 0 writes these: the last one it took up */
	uint64_t sent_ns;
	int64_t result;	   /* ns there and back, or a negative errno ... */
	uint64_t answered; /* ... of this one; written last */
};

struct tern_node {
	struct tern_engine *engine;
	uint16_t id;
	struct tern_port *port;
	bool owns_port;
	struct tern_endpoint own;
	struct tern_neighbours *neighbours; /* lcore 0's */
	struct tern_gossip *gossip;	    /* lcore 0's */
	uint64_t incarnation;
	uint64_t cluster;
	uint16_t by_node[TERN_WIRE_NODES_MAX + 1]; /* index + 1 among the peers; 0: no member */
	struct tern_node_peer *peers;
	uint32_t peer_count;
	struct rte_mempool **pools; /* by lcore */
	struct tern_node_lcore *lcores;
	struct tern_node_rules rules;
	struct tern_node_ping ping;
};

/** Make an engine a node, where its configuration says so. 0; negative errno. */
int tern_node_start(struct tern_engine *engine, struct tern_error *error);

/** The thread of an lcore begins, and ends: whether it keeps frames for itself. */
void tern_node_enter(struct tern_node_lcore *net);
void tern_node_leave(struct tern_node_lcore *net);

/**
 * Links say goodbye and give back what is under way, but those of lcores that were given up.
 * Context: the lcores have ended; before their mailboxes are swept up.
 */
void tern_node_stop(struct tern_engine *engine);

/** Free what is left. */
void tern_node_fini(struct tern_engine *engine);

/** Take what has arrived, and have links do what is due. Returns work done. Part of a turn. */
unsigned tern_node_receive(struct tern_lcore *lcore);

/** End of a turn: what was sent leaves. Part of a turn. */
void tern_node_flush(struct tern_lcore *lcore);

/* What follows is the room's own. */

/** The link of this lcore that a frame belongs to, made where there is none; NULL: from nobody. */
struct tern_node_link *tern_node_link_from(struct tern_node_lcore *net, struct tern_lcore *lcore,
					   const struct tern_wire_header *header);

/**
 * A look, each 5 ms: links that are to be made, to peers whose MAC is known, or that have more
 * lcores; and what others asked for meanwhile, faults and pings.
 */
void tern_node_connect(struct tern_lcore *lcore, uint64_t now);

/** The port that the configuration names. 0; negative errno. */
int tern_node_open_port(struct tern_node *node, struct tern_error *error);
void tern_node_close_port(struct tern_node *node);

/** Look at a peer, by its place. Context: any thread. */
void tern_node_peer_look(const struct tern_engine *engine, uint32_t index, struct tern_peer *peer);

/** Have the faults that the configuration names from the start. 0; negative errno. */
int tern_node_fault_open(struct tern_node *node, struct tern_error *error);
void tern_node_fault_close(struct tern_node_lcore *net);

/**
 * Have other faults. Each lcore takes the rules up at its next look, within some ms.
 *
 * @return 0; -EBUSY: an lcore has not taken up those before; -ENOMEM
 *
 * Context: any thread that is no lcore's, one at a time. Borrows `rules`.
 */
int tern_node_fault_set(struct tern_node *node, const struct tern_fault_rule *rules,
			uint32_t count);

/** What was done so far in one way, by all lcores. Context: as tern_node_fault_set(). */
void tern_node_fault_counts(const struct tern_node *node, enum tern_fault_way way,
			    struct tern_injector_stats *counts);

/** Whether all lcores have the rules that were set last. Context: any thread. */
bool tern_node_fault_is_set(const struct tern_node *node);

/** Take up rules that were set, or the port itself where there are none. Part of a look. */
void tern_node_fault_look(struct tern_node_lcore *net);

/** A ping that takes longer is lost, ns. */
#define TERN_NODE_PING_NS 1000000000u

/**
 * Ask lcore 0 to ping another node: a control signal there, and one back.
 *
 * @param word  yields what tern_node_ping_result() is asked by
 * @return 0; -ENOENT: no such node; -EBUSY: one is under way
 *
 * Context: any thread that is no lcore's, one at a time.
 */
int tern_node_ping_begin(struct tern_node *node, uint64_t to, uint64_t *word);

/**
 * What became of a ping: ns there and back; -EINPROGRESS; -EHOSTUNREACH: not connected to that
 * node; -ETIME: lost; -ENOENT: it was not the last one. Context: as tern_node_ping_begin().
 */
int64_t tern_node_ping_result(const struct tern_node *node, uint64_t word);

/** Send the ping that was asked for. Part of a look of lcore 0. */
void tern_node_ping_look(struct tern_lcore *lcore);

/** Answer a PING, or take a PONG. What cannot be answered now is lost. */
void tern_node_ping_control(struct tern_lcore *lcore, struct tern_node_link *link,
			    const struct tern_signal *signal);

/** Ask for the MACs of peers that are not known. Context: lcore 0. */
void tern_node_resolve(struct tern_lcore *lcore, uint64_t now);

/** Frames of a link go where its peer is by now. */
void tern_node_rewrap(struct tern_node_link *link);

/** What routers tell each other: 0; negative errno. */
int tern_node_gossip_open(struct tern_node *node, struct tern_error *error);
void tern_node_gossip_close(struct tern_node *node);

/** A link has a session, or has none any more. */
void tern_node_gossip_peer(struct tern_node_link *link, bool is_here);

/** Another node's router tells something. Borrows its block. */
void tern_node_gossip_take(struct tern_node_link *link, const struct tern_signal *signal);

/** Tell other nodes' routers what is due. Context: lcore 0. Costs a few loads where nothing is. */
void tern_node_gossip_send(struct tern_lcore *lcore);

/** Answer, or learn from, ARP and neighbour discovery. Consumes the frame. */
void tern_node_neighbour(struct tern_lcore *lcore, struct rte_mbuf *mbuf, uint64_t now);

/** A note of what lcores of this node have sent is about to be taken: of the links' part. */
void tern_node_note(struct tern_lcore *lcore);

/** A link may have passed its note. */
void tern_node_look_at_note(struct tern_node_link *link, bool is_closed);

/** Send what threads have given to this lcore. Returns how many. */
unsigned tern_node_send_forwards(struct tern_lcore *lcore);

/** Tell senders of what lost links gave back, as far as there are cells. Returns how many. */
unsigned tern_node_give_backs(struct tern_lcore *lcore);

/** Send what waits to go back to other nodes. Returns how many. */
unsigned tern_node_send_returns(struct tern_lcore *lcore);

/** Tell senders on other nodes, of `most` agents that they were told refuse, which do no more. */
void tern_node_look_pressed(struct tern_lcore *lcore, uint32_t most);

/** Tell a sender's node that an agent of this one refuses, once. */
void tern_node_tell_pressed(struct tern_lcore *lcore, struct tern_node_link *link,
			    tern_address agent);

/** Another node says whether one of its agents refuses. */
void tern_node_take_pressure(struct tern_lcore *lcore, const struct tern_node_link *link,
			     const struct tern_signal *signal);

/** What another node's engine has to say. Consumes its block. */
void tern_node_control(struct tern_lcore *lcore, struct tern_node_link *link,
		       struct tern_signal *signal);

/**
 * Send a signal of the engine's own, which no user's figure counts: settled by the link as others
 * are. Borrows `payload`, of TERN_INLINE_MAX bytes at most. false: the link takes none now.
 */
bool tern_node_send_control(struct tern_lcore *lcore, struct tern_node_link *link, uint16_t type,
			    const void *payload, size_t size);

/** Have a link looked at before the turn ends. */
static inline void tern_node_touch(struct tern_node_lcore *net, struct tern_node_link *link)
{
	if (link->is_touched)
		return;
	link->is_touched = true;
	net->touched[net->touched_count++] = link->number;
}

extern const struct tern_link_ops tern_node_link_ops;
extern const struct tern_remote tern_node_remote;

/** Time of a turn's beginning, ns, as links count it. */
static inline uint64_t tern_node_now(const struct tern_lcore *lcore)
{
	return tern_clock_to_ns(lcore->clock, lcore->turn.ticks - lcore->clock->base);
}

#endif
