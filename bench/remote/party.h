/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARTY_H
#define PARTY_H

#include <semaphore.h>

#include "bench/bench.h"
#include "dataplane/port/port.h"

/*
 * Benchmarks across a network. The program starts itself anew for each: a near process, which
 * measures, and a far one, each with a node of one lcore on a CPU of its own and, beside it, a bare
 * port of the same kind. Between ports of rings both nodes are in the near process. Rounds of Tern
 * alternate with rounds of bare DPDK on the same two threads.
 */

#define BENCH_PARTY "--party"
#define PARTY_FD 3 /* the near process reports there, the far one finds shared memory */
#define PARTY_SINKS 64u
#define PARTY_BLOCK_BYTES (60u * 1024u)
#define PARTY_VALUE_BYTES 40u
#define PARTY_MTU 1500u
#define PARTY_EXIT_NO_NET 77 /* no namespace, or no interfaces in it */

/** What a pair of ports is. */
enum party_port { PARTY_RING, PARTY_MEMIF, PARTY_VHOST, PARTY_PACKET, PARTY_XDP, PARTY_PORTS };

/** What is measured. */
enum party_task {
	PARTY_RTT,
	PARTY_CALL,
	PARTY_RATE,
	PARTY_RATE_64,
	PARTY_BLOCK,
	PARTY_LOSS,
	PARTY_TAIL,
	PARTY_TASKS,
};

/** What a process is told, by its arguments. */
struct party_plan {
	enum party_port port;
	enum party_task task;
	uint32_t cpus[2]; /* of the near side, of the far one */
	bool smoke;
	uint32_t rounds;
	uint32_t seed;
	char folder[64]; /* for sockets and the list of members; the caller's to remove */
	char fault[64];	 /* node.fault of both sides */
};

/** What the near process answers, behind it `count` pairs of values: floor, figure. */
struct party_report {
	char reason[200]; /* why it did not run; "": it ran */
	struct tern_histogram figure, floor;
	double frames; /* a second, of signals, as the node sent them; 0: not counted */
	uint32_t count;
};

/** Memory of both processes. */
struct party_shared {
	sem_t ready; /* the far side is open, or says in `trouble` why not */
	sem_t begun; /* a far agent has the order */
	sem_t ended; /* what was ordered is done */
	char trouble[200];
	/* the far side's agents */
	tern_address pong, bare, judge, sinks[PARTY_SINKS];
	/* of the last order */
	uint64_t received, to; /* and when the last one came, in ticks */
	struct tern_histogram latency, undisturbed;
};

/** One side: a node, and a port of its own beside it. */
struct party_side {
	struct bench bench; /* with the node's engine */
	const struct party_plan *plan;
	struct party_shared *shared;
	uint32_t index; /* 0 near, 1 far */
	struct rte_mempool *frames;
	struct tern_port *bare;
	struct tern_port *own; /* of the node, where it does not open one itself; else NULL */
	uint16_t bare_id;      /* DPDK's */
};

/** Run a near or far process, as its arguments say. Returns its exit code. */
int bench_party_main(int argc, char **argv);

/** Read what party_spawn() has written. false: the arguments are others. */
bool party_plan_read(int argc, char **argv, struct party_plan *plan, uint32_t *side);

/**
 * Start this program as one side of a plan.
 *
 * @param fds  what becomes its standard input and its descriptor PARTY_FD
 * @return its id; -1: it cannot be started, and errno says why
 */
int party_spawn(const struct party_plan *plan, uint32_t side, const int fds[2]);

/**
 * Open one side. Between ports of rings the near one is opened first, and the far one gets its
 * ends.
 *
 * @param near  the other side, where this is the far side of a ring; else NULL
 * @return 0; negative errno
 */
int party_side_open(struct party_side *side, const struct party_side *near,
		    struct tern_error *error);
void party_side_close(struct party_side *side);

/** Wait on a semaphore of both processes; ends the program when it takes longer than 20 s. */
void party_wait(sem_t *sem, const char *what);

/* The far side's agents, and what they are told. */

enum party_order { PARTY_VALUE, PARTY_ECHO, PARTY_SINK, PARTY_EXPECT };

/** An order: what, how many, frames of which length. */
struct party_told {
	uint32_t count;
	uint32_t length;
};

enum party_how { PARTY_OPEN_LOOP, PARTY_LONE, PARTY_LONE_LOST };

/** A signal whose way is timed. */
struct party_sent {
	uint64_t ticks; /* at which it was to be sent */
	uint64_t how;	/* enum party_how; lone ones are sent back */
};

/** Spawn them, and write their addresses into the shared memory. */
void party_agents_spawn(struct party_side *side);
/** Tell one of them, from the near side, and wait until it has begun. */
void party_tell(struct party_side *near, tern_address agent, enum party_order order,
		struct party_told told);

/* Bare DPDK. Each runs on the lcore's thread. */

/** Send so many frames of 64 bytes there and back. */
void party_bare_ping(struct party_side *side, struct tern_histogram *ps, uint32_t trips);
/** Send so many frames; returns when it began, in ticks. */
uint64_t party_bare_send(struct party_side *side, struct party_told told);
void party_bare_echo(struct party_side *side, struct party_told told);
/** Receive so many; shared memory yields how many came, and when the last one did. */
void party_bare_sink(struct party_side *side, struct party_told told);

/* Rounds, each one of the figure and one of the floor; near side. */
void party_rate_round(struct party_side *near, struct party_report *report, uint64_t pair[2]);
void party_loss_round(struct party_side *near, struct party_report *report);
void party_tail_round(struct party_side *near, struct party_report *report);

/** A port that loses one data frame, when told to, between a node and `inner`. */
struct tern_port *party_lossy_create(struct tern_port *inner);
/** Lose the next data frame. Context: the lcore's thread. */
void party_lossy_arm(void);

#endif
