/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

#include "engine/lcore/agent_state.h"
#include "engine/schedule/roaming.h"

void tern_due_wake(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_set(agent, TERN_AGENT_DUE);
	if (agent->status != TERN_PAUSED)
		tern_ready_wake(lcore, agent);
}

struct tern_signal tern_due_signal(struct tern_lcore *lcore, const struct tern_agent *agent,
				   uint16_t type, const void *payload, size_t size)
{
	struct tern_signal signal = {.type = type,
				     .stamp = lcore->turn.stamp,
				     .to_slot = tern_address_slot(agent->address),
				     .from = agent->address,
				     .kind = (uint8_t)size};
	signal.to_generation =
		tern_address_generation(agent->address) & TERN_ADDRESS_GENERATION_MASK;
	memcpy(signal.payload.bytes, payload, size);
	tern_count(&lcore->signals.accepted, 1);
	tern_count(&lcore->stats.timers, 1);
	return signal;
}
