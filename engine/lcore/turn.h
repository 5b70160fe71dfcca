/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stdint.h>

struct tern_agent;
struct tern_fiber;
struct tern_signal;

/* Why signals do not run in place. */
#define TERN_HOLD_LATE 1u   /* the slice is used up, for the rest of this turn */
#define TERN_HOLD_HIGHER 2u /* an agent of higher priority than normal is ready */
#define TERN_HOLD_POLICY 4u /* the scheduling policy wants to see every signal */

#define TERN_HOLD_GONE 8u /* a stop has given the lcore up; it writes this bit alone */

/** The turn that an lcore is in, or was in last. Its thread writes, but for what is said. */
struct tern_turn {
	uint64_t ticks;	   /* clock ticks at its start; any thread reads */
	uint32_t stamp;	   /* of what is sent in it */
	uint32_t running;  /* slot of the agent that runs now; any thread reads */
	uint32_t in_place; /* signals handled from the lane that is being drained */
	bool is_on;	   /* any thread reads */
	uint8_t hold;	   /* TERN_HOLD_*: why signals go to mailboxes; 0: they run in place */
	bool wet;	   /* a lane had more than this turn took */
	bool gone;	   /* who stops the engine writes: call no function of an agent any more */
};

/** Signals as an lcore counts them. Its thread writes. */
struct tern_signal_counts {
	uint64_t accepted;    /* slots put on their way; any thread reads */
	uint64_t settled;     /* slots done with; any thread reads */
	uint64_t forwarded;   /* of accepted: control and returned signals */
	uint64_t own_handled; /* of stats.handled: control, and signals that a thread dropped */
};

/** What an lcore has in hand, so that it is found after a fault. Its thread writes. */
struct tern_hand {
	struct tern_signal *signal; /* being handled, out of place */
	struct tern_agent *agent;   /* from a queue, and not put back yet */
	struct tern_fiber *fiber;   /* that runs now */
};

#endif
