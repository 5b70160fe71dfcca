/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STRATEGY_AGENT_H
#define STRATEGY_AGENT_H

#include "outbox.h"

/** What a strategy knows of one symbol. */
struct strategy_symbol {
	int32_t position;  /* shares, negative: short */
	int32_t pressure;  /* smoothed imbalance of the best prices, 1/1000 x PRESSURE_ONE */
	uint32_t cooldown; /* tops to let pass before the next order */
	bool working;	   /* an order is under way */
};

/**
 * A strategy: follows the symbols whose stock locate leaves its index when divided by the number
 * of strategies, and has at most one order working in each.
 *
 * The rule: where shares at the best bid outweigh those at the best ask for some time, the price
 * tends to rise. It buys at the ask when the smoothed imbalance is above a threshold, and sells at
 * the bid when it is below minus the threshold; what it holds moves both thresholds, so that it
 * gives shares back rather than pile them up. Integers only: the same tops make the same orders.
 */
struct strategy_agent {
	/* the swarm writes these before the first signal */
	_Alignas(64) uint32_t index;
	uint32_t strategy_count;
	uint32_t book_count;
	tern_address risk;
	tern_address reader;

	/* the agent's own */
	struct strategy_symbol *symbols; /* by stock locate / strategy_count */
	struct tern_outbox outbox;	 /* END to risk, DONE to the reader */
	uint32_t working_count;
	uint32_t ended_books;

	/* counters; others read them once the run is over */
	uint64_t top_count;
	uint64_t order_count;
	uint64_t held_count; /* orders not sent as risk pushed back */
	uint64_t report_count;
	uint64_t bought_shares;
	uint64_t sold_shares;
	int64_t cash; /* 1/10000 dollar */
};

extern const struct tern_behaviour strategy_agent_behaviour;

/** Prepare the state. Returns 0 or -ENOMEM; either way strategy_agent_fini() frees what there is.
 */
int strategy_agent_init(struct strategy_agent *strategy);

/** Free the state's memory. Context: after the agent has ended. */
void strategy_agent_fini(struct strategy_agent *strategy);

#endif
