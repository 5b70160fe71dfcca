/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_H
#define SWARM_H

#include "agent/book_agent.h"
#include "agent/executor_agent.h"
#include "agent/feed_agent.h"
#include "options.h"
#include "reader.h"
#include "agent/risk_agent.h"
#include "agent/strategy_agent.h"
#include "node/pair.h"
#include "node/partner.h"
#include "tern_engine.h"

#include <signal.h>

/** Of two processes: what of the other one counts. */
enum swarm_phase {
	SWARM_STARTS, /* an interrupt ends the wait for it */
	SWARM_RUNS,   /* its loss ends the run */
	SWARM_LEAVES, /* it may be gone */
};

/** One agent of the swarm, as people and counters know it. */
struct swarm_member {
	char name[24];
	uint32_t node; /* 0: there is one process */
	uint32_t lcore;
	tern_address address;
};

/**
 * The engine, all agents, and the thread that reads the feed.
 *
 * With two processes each has one: node 1 with feed, risk and executor, and the reading thread;
 * node 2 with books and strategies. The states of the others' agents are there and stay as made.
 */
struct swarm {
	const struct options *options;
	struct tern_config config;
	struct tern_engine *engine;
	struct tern_agent *self; /* of the reading thread; of node 2 its main thread */
	tern_address reader;	 /* of the reading thread */
	struct partner *partner; /* the other process; NULL: there is none */
	enum swarm_phase phase;
	uint64_t returned_count; /* signals that came back, once `lost` says so */
	int lost;		 /* 0, or why the other process's part is: see swarm_run() */
	sigset_t signals;	 /* that end the run; the caller has blocked them */

	struct feed_agent *feed;
	struct book_agent *books;
	struct strategy_agent *strategies;
	struct risk_agent *risk;
	struct executor_agent *executor;
	struct swarm_member *members;
	uint32_t member_count;

	tern_iso *outgoing;  /* block that the feed handler has not accepted yet */
	bool going;	     /* the feed's clock runs */
	bool fed;	     /* the feed handler has released everything */
	uint32_t done_count; /* strategies that have all their reports */
	int signal_number;   /* that ended the run; 0: none */
	uint32_t idle_steps;
};

/**
 * Make the states and start the engine with all agents.
 *
 * @param options  keeps until destroy
 * @param config   borrows; checked
 * With a partner, wait until its agents run too, and the nodes are connected.
 *
 * @param signals  borrows; blocked in the calling thread
 * @param partner  keeps until destroy; NULL: all agents live here
 * @param swarm    out: end it with swarm_destroy()
 * @return 0, -ENOMEM, or what tern_engine_start() and tern_spawn() return; nothing runs then.
 *         With a partner also -EPIPE: it is gone; -ETIMEDOUT: no connection; -EINTR: a signal came;
 *         -ECANCELED: it was told to leave
 *
 * Context: the main thread, as all functions here.
 */
int swarm_create(const struct options *options, const struct tern_config *config,
		 const sigset_t *signals, struct partner *partner, struct swarm **swarm,
		 struct tern_error *error);

/**
 * Play the whole feed and wait until every agent has finished, or a signal came and they have.
 *
 * @param reader  borrows
 * @return 0; -ETIMEDOUT: agents did not finish within 30 s of the end of the feed; -EPIPE: the
 *         other process is gone; -ECONNRESET: the connection to it was lost, or signals came back
 */
int swarm_run(struct swarm *swarm, struct reader *reader);

/** Let time pass: lcores work, signals of the thread are handled, a lost partner is noticed. */
void swarm_step(struct swarm *swarm);

/**
 * Wait for a word of the other process, 60 s at most.
 *
 * @return 0; -EPIPE, -ETIMEDOUT, -EINTR, -ECANCELED: as swarm_create(); -EPROTO: another word
 */
int swarm_await_word(struct swarm *swarm, enum partner_word word);

/** Exchange the agents' addresses with the other process. Returns as swarm_await_word(). */
int swarm_meet(struct swarm *swarm);

/** Wait until both nodes are connected, as both see it. Returns as swarm_await_word(). */
int swarm_connect(struct swarm *swarm);

/** Look whether the other process, or the connection to it, is lost: then `swarm->lost` says so. */
void swarm_watch_partner(struct swarm *swarm);

/**
 * Once all agents have finished: wait until the other node has all that was sent to it. From then
 * on it may leave. Returns 0 or `swarm->lost`.
 */
int swarm_settle(struct swarm *swarm);

/** Stop the engine; the states stay readable. Returns as tern_engine_stop(). */
int swarm_stop(struct swarm *swarm, struct tern_stop_report *report);

/** Free everything; stops the engine where it still runs. Consumes `swarm`; NULL is fine. */
void swarm_destroy(struct swarm *swarm);

#endif
