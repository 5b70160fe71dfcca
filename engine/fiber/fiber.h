/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIBER_H
#define FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/lcore/fiber_state.h"

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
 * Wait until `to` takes signals, up to a time of the engine's clock. As tern_fiber_wait_for().
 *
 * @param in_lane  the lane was full; an agent that refuses now is an answer, too
 */
int tern_fiber_wait_receiver(struct tern_fiber *fiber, tern_address to, uint64_t deadline_ns,
			     bool in_lane);

/** Leave a fiber whose agent is about to end. Does not return. */
void tern_fiber_leave_for_good(struct tern_fiber *fiber) __attribute__((noreturn));

/** The time of a fiber's timer has come. */
void tern_fiber_timeout(struct tern_lcore *lcore, struct tern_agent *agent);

/** Behaviour's handler of an agent that is a fiber: never called. */
void tern_fiber_signal(struct tern_agent *self, void *state, struct tern_signal *signal);

#endif
