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

#endif
