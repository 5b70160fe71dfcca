/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAITER_H
#define WAITER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

/** A fiber begins to wait. Keeps the waiter until it is over or tern_waiter_cancel(). */
void tern_waiter_add(struct tern_lcore *lcore, struct tern_waiter *waiter);

/** It waits no longer. Nothing happens to one that is not in the round. */
void tern_waiter_cancel(struct tern_lcore *lcore, struct tern_waiter *waiter);

/** An agent's send was refused: have it told, once, when the receiver takes signals again. */
void tern_waiter_refused(struct tern_lcore *lcore, struct tern_agent *agent, tern_address to,
			 bool in_lane);

/** Look at some of those who wait. Returns how many waits are over. */
unsigned tern_waiters_look(struct tern_lcore *lcore);

/** Tell an agent which of its refusals are over, some of them. Runs the agent. */
void tern_waiters_tell(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t most);

/** An agent ends: nothing is to be told any more. */
void tern_waiters_forget(struct tern_lcore *lcore, struct tern_agent *agent);

static inline bool tern_waiters_any(const struct tern_waiters *waiters)
{
	return waiters->round || waiters->retrying.count;
}

#endif
