/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READY_LISTS_H
#define READY_LISTS_H

#include <stdbool.h>
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
	/* After a run: clock ticks it took, signals it handled. NULL: not of interest. */
	void (*ran)(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		    uint32_t signals);
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
};

/** Set up the ready agents of an lcore under its policy. 0; -ENOMEM. */
int tern_ready_init(struct tern_lcore *lcore);
void tern_ready_fini(struct tern_lcore *lcore);

/** Put an agent among the ready ones, once. A paused agent stays out. */
void tern_ready_push(struct tern_lcore *lcore, struct tern_agent *agent);

/** Take the agent to run next; NULL: none. */
struct tern_agent *tern_ready_pop(struct tern_lcore *lcore);

/** Take all out that can be taken, permits or not: the engine ends, and runs nobody any more. */
void tern_ready_empty(struct tern_lcore *lcore);

/** Whether the lcore's policy holds agents to their rate. Any lcore or thread. */
bool tern_ready_keeps_rates(const struct tern_lcore *lcore);

/** Signals that an agent may handle in one run now: its policy's word. */
uint32_t tern_ready_budget(struct tern_lcore *lcore, const struct tern_agent *agent);

/** An agent ran. */
void tern_ready_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		    uint32_t signals);

/** An agent has nothing left to do, or ended: give back its permit of max_concurrent. */
void tern_ready_rest(struct tern_lcore *lcore, struct tern_agent *agent);

/** Clock ticks at which the policy lets an agent run again; UINT64_MAX: nobody waits for time. */
uint64_t tern_ready_due(const struct tern_lcore *lcore);

/** The policies, by enum tern_schedule. */
extern const struct tern_ready_policy tern_ready_policies[];

void tern_ready_list_push(struct tern_lcore *lcore, struct tern_ready_list *list,
			  struct tern_agent *agent);
struct tern_agent *tern_ready_list_pop(struct tern_lcore *lcore, struct tern_ready_list *list);

#endif
