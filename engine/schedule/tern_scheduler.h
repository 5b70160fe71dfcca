/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_SCHEDULER_H
#define TERN_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"

/**
 * How much an agent matters. Its signals are sent and handled by this rank under every policy
 * that looks at it; a critical agent is also reached by express lanes.
 */
enum tern_priority {
	TERN_PRIORITY_LOW = -1, /**< never runs in place, always behind the others */
	TERN_PRIORITY_NORMAL,
	TERN_PRIORITY_HIGH,	/**< before waiting normal agents */
	TERN_PRIORITY_CRITICAL, /**< express lanes: looked at between any two signals of others */
};
#define TERN_PRIORITIES 4

/** Which of its ready agents an lcore runs next; tern_engine_reschedule() changes it later. */
enum tern_schedule {
	TERN_SCHEDULE_PRIORITY,	   /**< highest priority first, with a starvation bound; default */
	TERN_SCHEDULE_FAIR_SHARE,  /**< who has cost least so far, in time run and charged */
	TERN_SCHEDULE_ROUND_ROBIN, /**< in turn, whatever their priority */
	TERN_SCHEDULE_RATE,	   /**< as priority, but nobody above its signals per second */
	TERN_SCHEDULE_CUSTOM,	   /**< tern_config.scheduler */
};

/**
 * Starvation bound of TERN_SCHEDULE_PRIORITY: the first agent waiting at a priority runs at the
 * latest after this many others in a row of higher priority.
 */
#define TERN_STARVATION_HIGH 16u
#define TERN_STARVATION_NORMAL 64u
#define TERN_STARVATION_LOW 256u

/** What a custom policy learns about an agent that became ready. */
struct tern_task {
	tern_address agent;
	enum tern_priority priority;
	uint32_t queued; /**< signals waiting */
	uint64_t ran_ns; /**< time it has run, and charged, in all, measured under this policy */
	uint32_t rate;	 /**< signals a second given at spawn; 0: none */
	uint32_t weight; /**< given at spawn, 1 or more */
};

/**
 * A policy of one's own, registered in tern_config.scheduler before the start, or given to
 * tern_engine_reschedule(), and used by the lcores whose policy is `custom`.
 *
 * Each lcore has its own state and calls from its own thread alone. A `place` names a ready
 * agent: a number below `places`, each in the policy at most once. What was pushed must be
 * popped in the end; the engine takes an agent that ended meanwhile like any other. No function
 * may block or call into the engine.
 */
struct tern_scheduler {
	const char *name;
	/** Bytes of state one lcore needs. NULL: none. */
	size_t (*bytes)(uint32_t places);
	/** Start from zeroed memory. NULL: nothing to do. `seed` differs from lcore to lcore. */
	void (*init)(void *state, uint32_t places, uint64_t seed);
	/** An agent is ready. Borrows `task`. */
	void (*push)(void *state, uint32_t place, const struct tern_task *task);
	/**
	 * The agent to run now. False: none should. Where `now_ns` is UINT64_MAX another policy is
	 * to take over: any agent is asked for, and false leaves this one in effect.
	 */
	bool (*pop)(void *state, uint64_t now_ns, uint32_t *place);
	/** A popped agent ran for `ns` and handled `signals`. NULL: not of interest. */
	void (*ran)(void *state, uint32_t place, uint64_t ns, uint32_t signals);
};

#endif
