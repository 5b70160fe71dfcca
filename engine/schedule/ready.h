/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READY_H
#define READY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/room.h"

/** Set up the ready agents of an lcore under its policy. 0; -ENOMEM. */
int tern_ready_init(struct tern_lcore *lcore);

void tern_ready_fini(struct tern_lcore *lcore);

/** Put an agent among the ready ones, once. A paused agent stays out. */
void tern_ready_push(struct tern_lcore *lcore, struct tern_agent *agent);

/** Take the agent to run next; NULL: none. */
struct tern_agent *tern_ready_pop(struct tern_lcore *lcore);

/** Whether the lcore's policy holds agents to their rate. Any lcore or thread. */
bool tern_ready_keeps_rates(const struct tern_lcore *lcore);

/** Signals that an agent may handle in one run now: its policy's word. */
uint32_t tern_ready_budget(struct tern_lcore *lcore, const struct tern_agent *agent);

/** An agent ran. */
void tern_ready_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		    uint32_t signals);

/** An agent, whose function runs, cost so many clock ticks beside the time that it runs. */
void tern_ready_charge(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks);

/** An agent has nothing left to do, or ended: give back its permit of max_concurrent. */
void tern_ready_rest(struct tern_lcore *lcore, struct tern_agent *agent);

/** Clock ticks at which the policy lets an agent run again; UINT64_MAX: nobody waits for time. */
uint64_t tern_ready_due(const struct tern_lcore *lcore);

/**
 * A policy of the user's is no agent's: a fault in it ends the process, and says where it was.
 */
#define TERN_POLICY_BESIDE "the scheduling policy, which cannot be left"

/** The policies, by enum tern_schedule. */
extern const struct tern_ready_policy tern_ready_policies[];

void tern_ready_list_push(struct tern_lcore *lcore, struct tern_ready_list *list,
			  struct tern_agent *agent);

struct tern_agent *tern_ready_list_pop(struct tern_lcore *lcore, struct tern_ready_list *list);

/** Whether what is due is told at once: to a pinned handler that is not suspended. */
static inline bool tern_ready_is_at_hand(const struct tern_agent *agent)
{
	return !(agent->flags & TERN_AGENT_FIBER) && !tern_is_roaming(agent) &&
	       agent->status != TERN_PAUSED;
}

#endif
