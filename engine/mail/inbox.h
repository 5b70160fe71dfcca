/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INBOX_H
#define INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

struct tern_agent;
struct tern_lcore;
struct tern_signal;

/** Whether a mailbox of a policy, when it is full, sends senders away: others drop, or end. */
static inline bool tern_policy_refuses(uint8_t policy)
{
	return policy == TERN_POLICY_REFUSE || policy == TERN_POLICY_BLOCK;
}

/** Make space for a signal under the policy. Returns whether it still wants a place. */
bool tern_policy_make_room(struct tern_lcore *lcore, struct tern_agent *agent,
			   const struct tern_signal *signal);

/** Append a signal to an agent's mailbox under its policy. False: no cell is left for it. */
bool tern_policy_queue(struct tern_lcore *lcore, struct tern_agent *agent,
		       const struct tern_signal *signal);

/** How many of `count` signals of a roaming agent's ring its mailbox may take. */
unsigned tern_policy_may_take(const struct tern_lcore *lcore, const struct tern_agent *agent,
			      unsigned count);

/** Append one of them, for which the policy has made space. */
void tern_policy_take_in(struct tern_lcore *lcore, struct tern_agent *agent,
			 const struct tern_signal *signal);

/** Take the oldest signal out of an agent's mailbox, which is not empty. */
void tern_policy_take(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal);

/** Take the signal out that follows a cell of an agent's mailbox. O(1). */
void tern_policy_take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
			    struct tern_signal *signal);

/** Have a roaming agent run when there is memory again for what waits in its ring. */
void tern_policy_await_memory(struct tern_lcore *lcore, struct tern_agent *agent);

/** An agent that refused, or waited, for want of memory ends, or does so no longer. */
void tern_policy_forget(struct tern_lcore *lcore, struct tern_agent *agent);

/** How many signals each lane to this lcore may have under way, by the memory left for them. */
void tern_policy_set_credit(struct tern_lcore *lcore);

/** Let senders in again to agents that refuse for want of memory, once there is enough. */
void tern_policy_relieve(struct tern_lcore *lcore);

/** Tell an agent that it crossed a water mark, where it did. Runs the agent. */
void tern_policy_tell(struct tern_lcore *lcore, struct tern_agent *agent);

/**
 * Send a complete signal to the roaming agent of `entry`.
 *
 * @return 0; -EAGAIN: its mailbox is full; -ESRCH: it has ended
 */
int tern_roaming_send(struct tern_lcore *lcore, const struct tern_signal *signal);

#endif
