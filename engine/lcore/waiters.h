/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAITERS_H
#define WAITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "reserve.h"
#include "tern_agent.h"

struct tern_lcore;

/**
 * Refusals of handlers that an lcore keeps apart; whoever is refused beyond is told to try all
 * again, after as many turns as it takes to look at all that are kept.
 */
#define TERN_WAITERS_MAX 4096u
#define TERN_WAITER_HEADS 1024u

/** Who was refused, and waits for its receiver to take signals again: a fiber, or a handler. */
struct tern_waiter {
	struct tern_waiter *next, *previous; /* in the lcore's round */
	struct tern_agent *agent;
	tern_address to;
	bool in_lane;  /* the lane was full, not the mailbox */
	bool is_fiber; /* part of a fiber that waits; else an entry of the lcore's */

	/* of entries */
	uint32_t by_agent; /* entry + 1: the next of its agent, or free */
	uint32_t before;   /* entry + 1: the one before it, of its agent's that wait */
	uint32_t by_pair;  /* entry + 1: the next of its hash */
	bool released;	   /* over; the agent is still to be told */
};

/**
 * Those of one lcore. Waiting costs its senders nothing: once a turn the lcore reads the directory
 * entry of some receivers, in turn, which is a line that is hardly ever written.
 */
struct tern_waiters {
	struct tern_waiter *round;	/* the next to look at; NULL: nobody waits */
	uint32_t count;			/* in the round */
	struct tern_waiter *entries;	/* TERN_WAITERS_MAX */
	struct tern_slot_list retrying; /* agents that found no entry */
	uint32_t retry_left;		/* looks until they are told to try again */
	uint32_t fresh;			/* entries from here on were never used */
	uint32_t free;			/* entry + 1 */
	uint32_t refused_why;		/* enum tern_pressure_source, of the last refused send */
	tern_address refused_to;	/* its receiver */
	uint32_t heads[TERN_WAITER_HEADS];
};

/** A fiber begins to wait. Keeps the waiter until it is over or tern_waiter_cancel(). */
void tern_waiter_add(struct tern_lcore *lcore, struct tern_waiter *waiter);

/** It waits no longer. Nothing happens to one that is not in the round. */
void tern_waiter_cancel(struct tern_lcore *lcore, struct tern_waiter *waiter);

/** An agent's send was refused: have it told, once, when the receiver takes signals again. */
void tern_waiter_refused(struct tern_lcore *lcore, struct tern_agent *agent, tern_address to,
			 bool in_lane);

static inline bool tern_waiters_any(const struct tern_waiters *waiters)
{
	return waiters->round || waiters->retrying.count;
}

/** Look at some of those who wait. Returns how many waits are over. */
unsigned tern_waiters_look(struct tern_lcore *lcore);

/** Tell an agent which of its refusals are over, some of them. Runs the agent. */
void tern_waiters_tell(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t most);

/** An agent ends: nothing is to be told any more. */
void tern_waiters_forget(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
