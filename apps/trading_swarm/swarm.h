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
#include "tern_engine.h"

#include <signal.h>

/** One agent of the swarm, as people and counters know it. */
struct swarm_member {
	char name[24];
	uint32_t lcore;
	tern_address address;
};

/** The engine, all agents, and the thread that reads the feed. */
struct swarm {
	const struct options *options;
	struct tern_config config;
	struct tern_engine *engine;
	struct tern_agent *self; /* of the reading thread */
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
 * @param signals  borrows; blocked in the calling thread
 * @param swarm    out: end it with swarm_destroy()
 * @return 0, -ENOMEM, or what tern_engine_start() and tern_spawn() return; nothing runs then
 *
 * Context: the main thread, as all functions here.
 */
int swarm_create(const struct options *options, const struct tern_config *config,
		 const sigset_t *signals, struct swarm **swarm, struct tern_error *error);

/**
 * Play the whole feed and wait until every agent has finished, or a signal came and they have.
 *
 * @param reader  borrows
 * @return 0; -ETIMEDOUT: agents did not finish within 30 s of the end of the feed
 */
int swarm_run(struct swarm *swarm, struct reader *reader);

/** Stop the engine; the states stay readable. Returns as tern_engine_stop(). */
int swarm_stop(struct swarm *swarm, struct tern_stop_report *report);

/** Free everything; stops the engine where it still runs. Consumes `swarm`; NULL is fine. */
void swarm_destroy(struct swarm *swarm);

#endif
