/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIFE_H
#define LIFE_H

#include <stdbool.h>

#include "engine/lcore/agent.h"

/*
 * What happens to an agent on its home lcore, outside the fast path. No function here but those
 * marked "runs the agent" calls into user code, so that an agent is never entered twice: a
 * handler that floods its own lcore makes signals move to mailboxes, not handlers nest.
 */

/**
 * Take a signal that could not run in place: its agent is new, busy, ending or dead, the turn is
 * late, or the signal is traced or returned. Runs the agent, but with `queue_only`.
 *
 * @return whether it was taken, always without `queue_only`; false: no cell is left to queue it
 */
bool tern_life_deliver(struct tern_lcore *lcore, const struct tern_signal *signal, bool queue_only);

/** Take a signal that comes back to an agent of this lcore, out of a cell that is free now. Runs
 * it. */
void tern_life_deliver_back(struct tern_lcore *lcore, const struct tern_signal *signal);

/**
 * Run the agent on a slot and drop a block that it did not take; a returned or control signal
 * becomes an event.
 */
void tern_life_handle(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal);

/** Run on_start of a new agent, once. Runs the agent. */
void tern_life_start(struct tern_lcore *lcore, struct tern_agent *agent);

/** Suspend an agent: signals queue up, its timers stand still. Runs the agent, if it is new. */
void tern_life_pause(struct tern_lcore *lcore, struct tern_agent *agent);

/** Let a paused agent go on. */
void tern_life_resume(struct tern_lcore *lcore, struct tern_agent *agent);

/** What messages call an agent: its name, else its behaviour's. Any thread. */
void tern_agent_label(const struct tern_agent *agent, char label[TERN_NAME_MAX]);

/** End an agent as failed: on_error now, on_stop when its turn comes. Runs the agent. */
void tern_life_fail(struct tern_lcore *lcore, struct tern_agent *agent, int code,
		    const struct tern_error *error);

/** Tell the engine's hooks that an agent's on_stop ran, if it has one; once. Runs the agent. */
void tern_life_see_off(struct tern_lcore *lcore, struct tern_agent *agent, int64_t result);

#endif
