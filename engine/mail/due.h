/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DUE_H
#define DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

/*
 * What comes to an agent beside its mailbox: firings of its timers, descriptors that are ready,
 * ends that it watches, releases. A pinned handler at rest is run at once; for one that is paused,
 * roams or is a fiber it waits in the agent's reserve and in memory that whoever started the timer,
 * the wait or the watch has given for it, so that none is refused, and comes ahead of its mailbox
 * when it runs. TERN_AGENT_DUE says that something waits so.
 */

/** Something waits for an agent in its reserve: have it run. */
void tern_due_wake(struct tern_lcore *lcore, struct tern_agent *agent);

static inline struct tern_reserve *tern_reserve_of(const struct tern_lcore *lcore,
						   const struct tern_agent *agent)
{
	return &lcore->reserves[tern_address_slot(agent->address)];
}

/** A signal of an agent to itself, to be completed with its payload; counted as sent. */
struct tern_signal tern_due_signal(struct tern_lcore *lcore, const struct tern_agent *agent,
				   uint16_t type, const void *payload, size_t size);

#endif
