/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READY_LISTS_H
#define READY_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/queue/order.h"
#include "tern_scheduler.h"

struct tern_agent;
struct tern_lcore;

/** Agents one after the other, linked by slot through agent->ready_next: no memory of its own. */
struct tern_ready_list {
	uint32_t head; /* slot; TERN_SLOT_NONE: empty */
	uint32_t tail;
};

/** One scheduling policy: which of the ready agents of an lcore runs next. */
struct tern_ready_policy {
	void (*push)(struct tern_lcore *lcore, struct tern_agent *agent);
	struct tern_agent *(*pop)(struct tern_lcore *lcore);
	/* Any agent, also one that is not to run yet; NULL: none is given. NULL: as pop. */
	struct tern_agent *(*take)(struct tern_lcore *lcore);
	/* After a run: clock ticks it took, signals it handled. NULL: not of interest. */
	void (*ran)(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		    uint32_t signals);
	/* An agent, whose function runs, cost so many ticks beside its time. NULL: as above. */
	void (*charge)(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks);
	/* A listed agent is to end. NULL: it may wait for its turn like any other. */
	void (*hurry)(struct tern_lcore *lcore, struct tern_agent *agent);
	bool queues_all; /* nothing runs in place: every signal goes through the policy */
};

/** The ready agents of an lcore. Only its owner touches them. */
struct tern_ready {
	const struct tern_ready_policy *policy;
	struct tern_ready_list levels[TERN_PRIORITIES]; /* low first */
	uint32_t filled;				/* bit per level: not empty */
	uint32_t passed[TERN_PRIORITIES]; /* others run in a row while this level waits */
	uint32_t count;			  /* agents the policy holds */
	uint32_t pinned;		  /* of them, no roaming ones */
	struct tern_order order;	/* fair share: by time run; rate: by time of eligibility */
	uint64_t floor;			/* fair share: least time run among those ready lately */
	struct tern_ready_list waiting; /* for a permit of max_concurrent */
	const struct tern_scheduler *custom;
	void *custom_state;
	size_t custom_bytes;
	uint32_t era; /* which choice of a policy this is: times run count from there */
};

/** A policy that an lcore is to choose by, and the memory it takes there. */
struct tern_reschedule {
	const struct tern_ready_policy *policy;
	const struct tern_scheduler *custom;
	void *custom_state;
	size_t custom_bytes;
	struct tern_order_entry *entries; /* NULL: none needed, or the lcore has them */
	uint32_t era;
};

/** Take all out that can be taken, permits or not: the engine ends, and runs nobody any more. */
void tern_ready_empty(struct tern_lcore *lcore);

#endif
