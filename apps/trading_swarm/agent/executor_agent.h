/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXECUTOR_AGENT_H
#define EXECUTOR_AGENT_H

#include "outbox.h"
#include "tern_histogram.h"

/**
 * The executor: accepts the orders that risk has passed, which ends tick-to-trade, has the symbol's
 * book say what its best price offers, and reports the outcome through risk.
 *
 * Simulation: an order is filled at once at the best price as far as its size and the limit allow;
 * the rest is cancelled. The books are the feed's and stay as they are.
 */
struct executor_agent {
	/* the swarm writes these before the first signal */
	_Alignas(64) tern_address books[SWARM_BOOKS_MAX];
	uint32_t book_count;
	tern_address risk;

	/* the agent's own */
	struct tern_outbox outbox;  /* MATCH to the books, reports and END to risk */
	struct swarm_order *orders; /* by handle */
	uint32_t *free_handles;	    /* a stack */
	uint32_t free_count;
	uint32_t working_max;
	bool ending;

	/* counters; others read them once the run is over */
	uint64_t accepted_count;
	uint64_t outcomes[SWARM_OUTCOME_LIMIT];
	uint64_t bought_shares;
	uint64_t sold_shares;
	uint64_t turnover;		     /* 1/10000 dollar */
	struct tern_histogram tick_to_trade; /* ns */
};

extern const struct tern_behaviour executor_agent_behaviour;

/**
 * Prepare the state.
 *
 * @param working_max  orders that can be working in the whole swarm
 * @return 0 or -ENOMEM; either way executor_agent_fini() frees what there is
 */
int executor_agent_init(struct executor_agent *executor, uint32_t working_max);

/** Free the state's memory. Context: after the agent has ended. */
void executor_agent_fini(struct executor_agent *executor);

#endif
