/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STUCK_H
#define STUCK_H

/* Receivers that make their senders wait. */
#include "tests/unit/engine/actor.h"

enum { CAPACITY = 20, HIGH = 16, LOW = 4 };

static const struct tern_spawn_options blocking __attribute__((unused)) = {
	.policy = TERN_POLICY_BLOCK, .capacity = CAPACITY, .high_water = HIGH, .low_water = LOW};

/** A receiver on lcore 1 that is paused before anybody sends. */
static inline tern_address open_stuck(struct world *world, enum tern_policy policy,
				      struct probe **probe)
{
	struct tern_spawn_options options = blocking;
	enum tern_agent_state at = TERN_STATE_NEW;
	options.policy = policy;
	options.lcore = 1;
	*probe = world_probes(world, 1);
	tern_address agent = spawn_with(world, &probe_behaviour, *probe, &options);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	UNTIL(world, tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
	return agent;
}

#endif
