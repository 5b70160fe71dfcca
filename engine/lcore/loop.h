/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

#include "engine/queue/ends.h"
#include "tern_agent.h"

/** Empty turns before TERN_IDLE_BACKOFF sleeps, and sleeps before they double. */
#define TERN_IDLE_SPINS 4096
#define TERN_IDLE_SLEEPS_EACH 8
/** A timer nearer than this is waited for awake. */
#define TERN_IDLE_SLEEP_NS_MIN 10000u

/** How far an lcore's thread is; only moves down. By CAS: the thread writes, and who stops it. */
enum tern_lcore_phase {
	TERN_PHASE_TURNS,
	TERN_PHASE_CLOSED, /* it takes nothing more, and has ended its pinned agents */
	TERN_PHASE_LOST,   /* given up: when it comes back it lets go of the engine */
	TERN_PHASE_LEFT,   /* it touches nothing more */
};

/** Who takes an lcore's turns. That thread writes, but for `phase`. */
struct tern_loop {
	uintptr_t polled_by;   /* thread that polls it now, or for good: poller.h; 0: none */
	uint64_t oversleep_ns; /* in all; any thread reads */
	uint32_t phase;	       /* enum tern_lcore_phase */
};

/** Of an attached thread's lcore: thread.c. The thread writes. */
struct tern_attached {
	const struct tern_behaviour *behaviour;
	struct tern_ends ends; /* that the thread has not asked for yet: watch.h */
	uint32_t reader_depth; /* reader.h */
};

#endif
