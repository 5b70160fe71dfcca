/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_OFFER_H
#define TERN_OFFER_H

#include "tern_agent.h"

/*
 * Capabilities by name: what an agent can do for others, so that they find it by that and not by
 * its name. (What may be done with a block is something else: tern_block.h.)
 */

/** Bytes of a capability's name, at most. */
#define TERN_CAPABILITY_MAX 63u

/**
 * Offer a capability, until it is withdrawn or the agent ends.
 *
 * @param self        who offers
 * @param capability  1..TERN_CAPABILITY_MAX bytes. Borrows
 * @return 0; -EINVAL: no such name; -EEXIST: it is offered already; -ENOSPC: as many are offered as
 *         there is space for; -ENOMEM: no memory, or a set that changed keeps too much of it for
 *         those who may still read it (as much as is in use, and 1 MiB), because an lcore has been
 * in one handler for long: offer again when that has returned
 *
 * Context: an agent in its own functions, or an attached thread. Takes a lock that others who
 * offer, withdraw, or end having offered take: seldom, not for each signal.
 */
TERN_API int tern_offer(struct tern_agent *self, const char *capability);

/** Offer it no longer. Returns 0; -EINVAL; -ENOENT: it was not offered. As tern_offer(). */
TERN_API int tern_withdraw(struct tern_agent *self, const char *capability);

/**
 * Find who offers a capability and can take signals now: neither paused, nor above high water, nor
 * ending. In the order in which they came. Wait-free.
 *
 * @param agents  yields up to `count_max` addresses
 * @return how many; 0 also where nobody offers it or the name is none
 *
 * Context: an agent in its own functions, or an attached thread.
 */
TERN_API uint32_t tern_providers(const struct tern_agent *self, const char *capability,
				 tern_address *agents, uint32_t count_max);

/**
 * Find the agents that are known to live on another node. Nobody is asked.
 *
 * @param node    its number, 1..8191; of this node none are found
 * @param agents  yields up to `count_max` addresses
 * @return how many
 *
 * Context: as tern_providers().
 */
TERN_API uint32_t tern_node_agents(const struct tern_agent *self, uint16_t node,
				   tern_address *agents, uint32_t count_max);

#endif
