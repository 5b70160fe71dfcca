/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_H
#define SIM_H

/*
 * A cluster in one thread on a virtual clock: nodes with lcores, links between all lcores of
 * different nodes, a network with faults, agents that send. One seed decides everything; the same
 * seed gives the same run to the last event.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_mbuf.h>

#include "capabilities/memory/heap.h"
#include "capabilities/rng.h"
#include "dataplane/fault/injector.h"
#include "dataplane/peer/credit.h"
#include "dataplane/peer/link.h"

enum {
	SIM_NODES_MAX = 16,
	SIM_LCORES_MAX = 3,
	SIM_CORES_MAX = 16, /* lcores of all nodes */
	SIM_AGENTS = 2,	    /* of an lcore that send, and others that receive */
	SIM_ARRIVALS = 512, /* frames on their way to one lcore */
	SIM_HEAP_BYTES = 1 << 20,
	SIM_LIVES_MAX = 8, /* of a node */
	SIM_FRAME_ROOM = 2048,
};

#define SIM_US 1000ull
#define SIM_MS 1000000ull

/** What the seed chose for a run. */
struct sim_plan {
	uint32_t nodes, lcores;
	uint16_t frame_max, credit_max, window_max;
	uint32_t pool_mbufs; /* beside those that links keep */
	uint32_t lend;	     /* frames an lcore lends; 0: credit_max for good */
	uint64_t latency_ns, jitter_ns;
	uint64_t congestion_ns;
	uint64_t load_ns;				     /* how long agents send */
	uint32_t sends;					     /* in 1,000 turns */
	uint32_t loss, duplicate, reorder, delayed, corrupt; /* worst rates, millionths */
	uint64_t delay_ns;
	uint32_t blocks, fragments; /* of 1,000 signals */
	uint32_t refusals;	    /* of 1,000 deliveries that begin a spell */
	uint32_t replies;	    /* of 1,000 callbacks that send */
	bool by_reference;	    /* the receiver gets the sender's own mbuf, as from net_ring */
	bool has_crashes, has_pauses, has_partitions;
};

struct sim;
struct sim_core;

struct sim_arrival {
	struct rte_mbuf *mbuf;
	uint64_t at_ns;
};

struct sim_port {
	struct tern_port base;
	struct sim_core *core;
	uint32_t count;
	struct sim_arrival arrivals[SIM_ARRIVALS]; /* by time */
};

/** One lcore of a node. */
struct sim_core {
	struct sim *sim;
	uint32_t node, index, number; /* node from 0; number among all */
	struct sim_port port;
	struct tern_outlet outlet;
	struct rte_mempool *pool; /* of this life; others may hold mbufs of earlier ones */
	struct rte_mempool *pools[SIM_LIVES_MAX]; /* by life of the node */
	struct tern_heap heap;
	struct tern_block_chain away[1];
	struct tern_arena arena;
	struct tern_lender lender;
	struct tern_link *links[SIM_CORES_MAX]; /* by number of the other */
	uint64_t due_ns[SIM_CORES_MAX];
	bool owes_relief[SIM_CORES_MAX]; /* a send was refused, relieved() is due */
	uint64_t refuses_until_ns;
	uint64_t accepted[SIM_CORES_MAX], settled[SIM_CORES_MAX], back[SIM_CORES_MAX];
	bool is_calling; /* in a callback that sends */
};

struct sim_node {
	bool is_up;
	uint32_t life;
	uint64_t paused_until_ns;
	uint64_t heard_ns[SIM_NODES_MAX];
};

/* What became of a signal, beside that it was accepted. */
enum sim_mark {
	SIM_DELIVERED = 1 << 0,
	SIM_NOT_SENT = 1 << 1,
	SIM_UNKNOWN = 1 << 2,
};

/** All signals of one life of a sender to one receiver. */
struct sim_stream {
	uint8_t *marks; /* by number */
	uint32_t count, room;
	uint32_t first_open; /* below it nobody waits for any */
	int64_t last;	     /* number delivered last; -1: none */
	int64_t last_back;   /* given back last; -1: none */
};

struct sim_totals {
	uint64_t accepted, refused, delivered, not_sent, unknown, excused;
	uint64_t frames, sessions, crashes, pauses, blocks, large;
	uint64_t retransmitted, naks, probes, duplicates, fault_lost, corrupted, drops;
};

struct sim {
	uint64_t seed, now_ns, hash;
	struct sim_plan plan;
	struct tern_rng rng;
	bool is_healing, is_over;
	uint32_t core_count;
	struct sim_core cores[SIM_CORES_MAX];
	struct sim_node nodes[SIM_NODES_MAX];
	struct tern_injector faults[SIM_NODES_MAX][SIM_NODES_MAX];
	bool is_cut[SIM_NODES_MAX][SIM_NODES_MAX];
	uint64_t chaos_ns;
	struct sim_stream *streams;
	struct sim_totals totals;
};

/* sim.c */
/** The run breaks a promise: say which and how to see it again, and end. */
_Noreturn void sim_fail(const struct sim *sim, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline uint32_t sim_pick(struct sim *sim, uint32_t below)
{
	return (uint32_t)(tern_rng_next(&sim->rng) % below);
}
static inline bool sim_chance(struct sim *sim, uint32_t in_1000)
{
	return in_1000 && sim_pick(sim, 1000) < in_1000;
}
static inline void sim_note(struct sim *sim, uint64_t what, uint64_t value)
{
	struct tern_rng mix = {.state = sim->hash ^ (what << 56) ^ value ^ sim->now_ns << 8};
	sim->hash = tern_rng_next(&mix);
}

/* network.c */
void sim_network_start(void); /* once a process */
void sim_network_check(const struct sim *sim);
void sim_port_init(struct sim_core *core);
void sim_port_drop(struct sim_core *core);
void sim_faults_init(struct sim *sim);
void sim_faults_fini(struct sim *sim);
/** Frames held back whose time has come go on. Returns when the next is due. */
uint64_t sim_faults_poll(struct sim *sim);
uint64_t sim_port_due(const struct sim_core *core);

/* cluster.c */
void sim_cluster_start(struct sim *sim);
void sim_cluster_stop(struct sim *sim);
void sim_node_start(struct sim *sim, uint32_t node);
void sim_node_crash(struct sim *sim, uint32_t node);
/** One turn of an lcore. Returns whether it found something to do. */
bool sim_core_turn(struct sim_core *core);
uint64_t sim_core_due(const struct sim_core *core);

/* chaos.c */
void sim_plan_make(struct sim *sim);
void sim_chaos(struct sim *sim);
void sim_heal(struct sim *sim);

/* agents.c */
extern const struct tern_link_ops sim_ops;
void sim_agents_start(struct sim *sim);
/** A link begins anew, to the lcore of this number. */
void sim_agents_begin(struct sim_core *core, uint32_t number);
void sim_agents_stop(struct sim *sim);
void sim_agent_send(struct sim_core *core);
/** Nobody waits for what was sent by or to this node until now. */
void sim_agents_excuse(struct sim *sim, uint32_t node);
/** Whether all that was accepted has been delivered, given back or excused. */
bool sim_agents_are_done(struct sim *sim);
void sim_agents_check(struct sim *sim);

#endif
