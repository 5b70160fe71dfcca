/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NODES_H
#define NODES_H

/*
 * Whole nodes in one thread on virtual clocks: engines with lcores, agents that send to agents of
 * all nodes, a network with faults between the engines' ports, nodes that crash, start again, and
 * stand still. One seed decides everything.
 */
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "capabilities/rng.h"
#include "dataplane/fault/injector.h"
#include "dataplane/port/port.h"
#include "tern.h"

enum {
	NODES_MAX = 6,
	LCORES_MAX = 3,
	AGENTS_MAX = NODES_MAX * LCORES_MAX, /* that receive: one an lcore; and as many that send */
	LIVES_MAX = 8,
	ARRIVALS_MAX = 2048,
};

#define US 1000ull
#define MS 1000000ull

struct nodes;

struct arrival {
	struct rte_mbuf *frame;
	uint64_t at_ns;
};

/** The port of a node: what arrives for it, by queue. */
struct nodes_port {
	struct tern_port base;
	struct nodes *nodes;
	uint32_t node;
	struct arrival arrivals[LCORES_MAX][ARRIVALS_MAX]; /* by time */
	uint32_t count[LCORES_MAX];
};

/** What became of a signal that was accepted. */
enum mark { MARK_HANDLED = 1, MARK_RETURNED = 2, MARK_UNKNOWN = 4 };

/** All signals of one sender to one receiver, of a life each. */
struct stream {
	uint8_t *marks; /* by number */
	uint64_t count, room, last;
	bool has_last, is_excused; /* one of the two nodes crashed: what is open stays so */
};

/** An agent: it sends, receives, or both by two structs. Lives until its node crashes. */
struct actor {
	struct nodes *nodes;
	uint32_t node, life, id; /* id: among all of all lives */
	tern_address address;
	uint64_t handled, sent, refused;
};

struct node {
	struct tern_engine *engine; /* NULL: down */
	struct tern_agent *self;
	struct nodes_port port;
	uint32_t life, lcores;
	uint64_t paused_until_ns, down_until_ns;
};

struct nodes {
	uint64_t seed, now_ns, hash;
	struct tern_rng rng;
	uint32_t count;
	struct node node[NODES_MAX];
	struct tern_injector faults[NODES_MAX][NODES_MAX];
	bool is_cut[NODES_MAX][NODES_MAX];
	uint64_t latency_ns;
	bool is_healing;
	struct actor *actors; /* of all lives */
	uint32_t actor_count;
	struct actor *receivers[AGENTS_MAX]; /* those that live; NULL */
	struct actor *senders[AGENTS_MAX];
	struct stream *streams; /* by sender's id, receiver's id */
	uint64_t accepted, crashes, pauses, frames;
};

enum { ACTORS_MAX = 256 };

/* nodes.c */
_Noreturn void nodes_fail(const struct nodes *nodes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline uint32_t nodes_pick(struct nodes *nodes, uint32_t below)
{
	return (uint32_t)(tern_rng_next(&nodes->rng) % below);
}
static inline bool nodes_chance(struct nodes *nodes, uint32_t in_1000)
{
	return nodes_pick(nodes, 1000) < in_1000;
}
static inline void nodes_note(struct nodes *nodes, uint64_t what)
{
	struct tern_rng mix = {.state = nodes->hash ^ what ^ nodes->now_ns << 8};
	nodes->hash = tern_rng_next(&mix);
}

/* nodes_network.c */
void nodes_network_start(void); /* once a process */
void nodes_network_check(const struct nodes *nodes);
void nodes_network_init(struct nodes *nodes, const struct tern_fault_rule *worst);
void nodes_network_fini(struct nodes *nodes);
void nodes_network_heal(struct nodes *nodes);
void nodes_network_poll(struct nodes *nodes);
void nodes_port_init(struct nodes *nodes, uint32_t node);
void nodes_port_drop(struct node *node);

/* nodes_agents.c */
void nodes_agents_spawn(struct nodes *nodes, uint32_t node);
void nodes_agents_crash(struct nodes *nodes, uint32_t node);
/** Have some of a node's senders send. */
void nodes_agents_send(struct nodes *nodes, uint32_t node);
/** Signals that nobody has handled, nor got back, nor lost with a node. */
uint64_t nodes_agents_open(const struct nodes *nodes);
void nodes_agents_free(struct nodes *nodes);

#endif
