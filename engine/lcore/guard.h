/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>

#include "capabilities/tern_slot.h"
#include "engine/text/fault.h"
#include "engine/text/preempt.h"

/** Faults and preemption of what an lcore runs. Its thread and its signal handlers write. */
struct tern_guard {
	struct tern_fault_scope own;
	struct tern_fault_scope *scope; /* its thread's: its own, or the poller's */
	struct tern_preempt preempt;
	bool preempts;		    /* the timer is there */
	bool preempts_not;	    /* it could not be had */
	struct tern_signal rescued; /* what was in hand at a fault */
};

#endif
