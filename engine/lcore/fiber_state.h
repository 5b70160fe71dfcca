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
	TERN_FIBER_ENDED,    /* of `peer`, or of any */
	TERN_FIBER_RECEIVER, /* as `waiter` says */
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
	tern_iso *sending;	   /* waits for a receiver with it: dropped if it ends there */
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

/** A cell has left its mailbox: nothing is looked for behind it any more. */
static inline void tern_fiber_cell_left(struct tern_fiber *fiber, uint32_t cell)
{
	if (fiber->before == cell)
		fiber->before = TERN_CELL_NONE;
}

#endif
