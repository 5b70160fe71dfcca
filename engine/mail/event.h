/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVENT_H
#define EVENT_H

#include <stdint.h>

#include "tern_agent.h"

struct tern_agent;

struct tern_lcore;

/** Tell an agent something. Runs the agent. */
void tern_life_event(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_event *event);

/**
 * Call on_event for something that counts as under way: settled afterwards, also where the agent
 * fails in it. Runs the agent.
 *
 * @param signal  what it came as; its block is dropped
 */
void tern_life_tell(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_signal *signal,
		    const struct tern_event *event);

/** Let an agent end when the ready queue reaches it; signals to it come back from now on. */
void tern_life_ask_end(struct tern_lcore *lcore, struct tern_agent *agent, enum tern_end why,
		       int64_t result);

/** Send back all that waits in an agent's mailbox. */
void tern_life_return_mailbox(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
