/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROAMING_QUEUES_H
#define ROAMING_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/queue/passage.h"
#include "engine/queue/run_ring.h"

struct tern_agent;

/** Priorities with a run ring of their own: low and normal. Others never wait to be stolen. */
#define TERN_ROAMING_LEVELS 2
/** Waking times are kept in clock ticks >> this. */
#define TERN_STEAL_STAMP_SHIFT 10

/** Roaming agents that wait on an lcore: room.h. Its thread writes, but for what is said. */
struct tern_roaming_queues {
	struct tern_passage passage;
	struct tern_agent *lifo;		/* woken last from here */
	uint32_t lifo_runs;			/* of the LIFO slot in a row */
	uint32_t refills;			/* looks for an agent */
	uint32_t admitted[TERN_ROAMING_LEVELS]; /* of the run rings, among the policy's */
	uint64_t graves; /* rooms were left: look when this token is quiet; 0: none. Any thread */
	bool any;	 /* some have been queued here */
	struct tern_run_ring rings[TERN_ROAMING_LEVELS]; /* low, normal; thieves take */
};

#endif
