/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RISK_AGENT_H
#define RISK_AGENT_H

#include "outbox.h"
#include "risk_limits.h"

/** What risk knows of one symbol. */
struct risk_symbol {
	uint32_t reference;   /* price; 0: none yet, so that no order passes the collar */
	int32_t position;     /* shares, negative: short */
	uint32_t working_buy; /* shares in orders under way */
	uint32_t working_sell;
};

/**
 * Risk: every order passes here on its way to the executor, every report on its way back.
 *
 * It trusts no strategy: positions come from reports, the reference price from the books. An order
 * is refused by the first limit it would break, counting all that is under way as if it were
 * filled.
 */
struct risk_agent {
	/* the swarm writes these before the first signal */
	_Alignas(64) struct risk_limits limits;
	tern_address strategies[SWARM_STRATEGIES_MAX];
	uint32_t strategy_count;
	tern_address executor;

	/* the agent's own */
	struct risk_symbol *symbols; /* by stock locate */
	struct tern_outbox outbox;   /* orders, reports, END */
	uint64_t open_count;
	uint64_t exposure; /* positions and working orders at their prices, 1/10000 dollar */
	uint64_t tokens;   /* of the rate limit: ns of credit */
	uint64_t tokens_at_ns;
	uint32_t ended_strategies;

	/* counters; others read them once the run is over */
	uint64_t order_count;
	uint64_t passed_count;
	uint64_t refused[RISK_LIMIT_COUNT];
	uint64_t report_count;
	uint64_t reference_count;
};

extern const struct tern_behaviour risk_agent_behaviour;

/**
 * Prepare the state.
 *
 * @param working_max  orders that can be working in the whole swarm
 * @return 0 or -ENOMEM; either way risk_agent_fini() frees what there is
 */
int risk_agent_init(struct risk_agent *risk, uint32_t working_max);

/** Free the state's memory. Context: after the agent has ended. */
void risk_agent_fini(struct risk_agent *risk);

#endif
