/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOK_AGENT_H
#define BOOK_AGENT_H

#include "book/book.h"
#include "outbox.h"

/** What others were told of one symbol. */
struct book_view {
	struct swarm_top top; /* as it is; its release is that of the message that made it so */
	uint32_t reference;   /* price that risk was told */
	bool stale;	      /* the strategy was not told yet: it waits in `stale_locates` */
	bool halted;
};

/**
 * The books of one shard: every symbol whose stock locate leaves the shard's index when divided
 * by the number of shards.
 *
 * It applies messages, tells the symbol's strategy each new top of book, tells risk a reference
 * price now and then, and answers the executor's matches from the best price.
 *
 * A top that a full lane refuses stays marked as stale, at most once for each symbol, and leaves
 * with the values of that later moment.
 */
struct book_agent {
	/* the swarm writes these before the first signal */
	_Alignas(64) tern_address strategies[SWARM_STRATEGIES_MAX];
	uint32_t strategy_count;
	tern_address risk;
	tern_address executor;

	/* the agent's own */
	struct book_set *set;
	struct book_view *views; /* by stock locate */
	uint16_t *stale_locates; /* a ring of all locates */
	uint32_t stale_head;
	uint32_t stale_count;
	struct tern_outbox outbox; /* MATCHED to the executor, END to the strategies */
	bool ending;

	/* counters; others read them once the run is over */
	uint64_t received_count;
	uint64_t applied_count;
	struct feed_counters anomalies;
	uint64_t top_count;	   /* new tops of book */
	uint64_t told_count;	   /* of these, sent to a strategy */
	uint64_t superseded_count; /* of these, replaced before they could be sent */
	uint64_t unfollowed_count; /* of these, of a symbol beyond what a strategy follows */
	uint64_t match_count;
};

extern const struct tern_behaviour book_agent_behaviour;

/**
 * Prepare the state.
 *
 * @param working_max  orders that can be working in the whole swarm
 * @return 0 or -ENOMEM; either way book_agent_fini() frees what there is
 */
int book_agent_init(struct book_agent *agent, uint32_t working_max);

/** Free the state's memory. Context: after the agent has ended. */
void book_agent_fini(struct book_agent *agent);

#endif
