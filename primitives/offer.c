/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_offer.h"

#include <errno.h>

#include "engine/lcore/agent_state.h"
#include "engine/agent/life.h"
#include "engine/agent/routing.h"

static bool is_name(const char *capability)
{
	return capability[0] && strnlen(capability, TERN_CAPABILITY_MAX + 1) <= TERN_CAPABILITY_MAX;
}

int tern_offer(struct tern_agent *self, const char *capability)
{
	if (!is_name(capability))
		return -EINVAL;
	struct tern_router *router = self->lcore->engine->router;
	struct tern_id id = tern_name_id(capability);
	int code = tern_router_offer(router, id, tern_routing_member(self),
				     tern_routing_bare(self->address));
	if (code != 0)
		return code;
	tern_agent_set(self, TERN_AGENT_OFFERS);
	tern_router_label(router, id, capability);
	return 0;
}

int tern_withdraw(struct tern_agent *self, const char *capability)
{
	if (!is_name(capability))
		return -EINVAL;
	return tern_router_withdraw(self->lcore->engine->router, tern_name_id(capability),
				    tern_routing_member(self));
}

uint32_t tern_providers(const struct tern_agent *self, const char *capability, tern_address *agents,
			uint32_t count_max)
{
	if (!is_name(capability))
		return 0;
	tern_reader_enter(self->lcore);
	uint32_t count = tern_router_providers(self->lcore->engine->router, self->lcore->index,
					       tern_name_id(capability), agents, count_max);
	tern_reader_leave(self->lcore);
	for (uint32_t i = 0; i < count; i++)
		agents[i] = tern_routing_full(self->lcore, agents[i]);
	return count;
}

uint32_t tern_node_agents(const struct tern_agent *self, uint16_t node, tern_address *agents,
			  uint32_t count_max)
{
	tern_reader_enter(self->lcore);
	uint32_t count = tern_router_on_node(self->lcore->engine->router, node, agents, count_max);
	tern_reader_leave(self->lcore);
	for (uint32_t i = 0; i < count; i++)
		agents[i] = tern_routing_full(self->lcore, agents[i]);
	return count;
}
