/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIBER_STATE_H
#define FIBER_STATE_H

#include "engine/text/context.h"
#include "lcore.h"

/** What a fiber that is not running waits for. */
enum tern_fiber_wait {
	TERN_FIBER_RUN,	   /* nothing but its turn */
	TERN_FIBER_SIGNAL, /* any signal */
	TERN_FIBER_TYPE,   /* one of `type` */
	TERN_FIBER_TIME,
	TERN_FIBER_ENDED, /* of `peer`, or of any */
	TERN_FIBER_ROOM,  /* as `waiter` says */
	TERN_FIBER_FD,
};

/** A fiber, at the top of its own stack. Only the lcore that runs its agent touches it. */
struct tern_fiber {
	struct tern_signal current;  /* received last; a line that a spawn does not touch */
	struct tern_context context; /* from here on zeroed by the spawn */
	struct tern_stack stack;     /* all of it, this included */
	struct tern_agent *agent;
	struct tern_timer timer;   /* ends the wait */
	struct tern_ends ends;	   /* that it has not asked for yet */
	struct tern_waiter waiter; /* for its receiver to take signals */
	tern_iso *sending;	   /* waits for room with it: dropped if it ends there */
	tern_address peer;
	int64_t result; /* its function's */
	enum tern_fiber_wait wait;
	uint32_t before;  /* cell before the next to be looked at for `type`; none before it is */
	uint32_t left;	  /* signals it may still take in this run */
	uint32_t handled; /* in this run */
	uint32_t traced_at;
	uint32_t fd_ready; /* events; 0: none yet */
	uint16_t type;
	bool holds;	/* `current` is being handled */
	bool unsettled; /* and not yet counted as done with */
	bool timed_out;
	bool cancelled; /* it was asked to finish, and nothing is left to handle */
	bool preemptible;
};

/** Give an agent about to be made a fiber with a stack of `size` bytes. 0; -EINVAL; -ENOMEM. */
int tern_fiber_make(struct tern_lcore *lcore, struct tern_agent *agent, size_t size);

/** Release what an agent's fiber holds. Context: it does not run, and never will. */
void tern_fiber_end(struct tern_lcore *lcore, struct tern_agent *agent);

/** Run an agent's fiber if what it waits for is there. Returns signals handled. Runs the agent. */
unsigned tern_fiber_run(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget);

/** Whether an agent's fiber could go on. */
bool tern_fiber_is_ready(const struct tern_lcore *lcore, const struct tern_agent *agent);

/** The fiber that calls, or NULL: no fiber runs here, or another's. */
struct tern_fiber *tern_fiber_current(const struct tern_agent *self);

/** Suspend the running fiber until `wait` is over. 0; -ETIMEDOUT; -ECANCELED. */
int tern_fiber_wait_for(struct tern_fiber *fiber, enum tern_fiber_wait wait, uint64_t timeout_ns);

/**
 * Wait for room at `to`, up to a time of the engine's clock. As tern_fiber_wait_for().
 *
 * @param in_lane  the lane was full; an agent that refuses now is an answer, too
 */
int tern_fiber_wait_room(struct tern_fiber *fiber, tern_address to, uint64_t deadline_ns,
			 bool in_lane);

/** Leave a fiber whose agent is about to end. Does not return. */
void tern_fiber_leave_for_good(struct tern_fiber *fiber) __attribute__((noreturn));

/** A cell has left its mailbox. */
void tern_fiber_cell_left(struct tern_agent *agent, uint32_t cell);

/** The time of a fiber's timer has come. */
void tern_fiber_timeout(struct tern_lcore *lcore, struct tern_agent *agent);

/** Behaviour's handler of an agent that is a fiber: never called. */
void tern_fiber_signal(struct tern_agent *self, void *state, struct tern_signal *signal);

#endif
