/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTING_H
#define ROUTING_H

#include "engine.h"
#include "roaming.h"

/** Make an engine's router. 0; negative errno. */
int tern_routing_init(struct tern_engine *engine, size_t page_bytes_max, struct tern_error *error);
void tern_routing_fini(struct tern_engine *engine);

/** Where an id leads; TERN_ADDRESS_NONE. A thread is quiet whenever it is not looking (rooms.c). */
static inline tern_address tern_routing_find(const struct tern_agent *self, struct tern_id id)
{
	struct tern_lcore *lcore = self->lcore;
	tern_address address;
	tern_rooms_enter(lcore);
	tern_router_find(lcore->engine->router, lcore->index, id, &address);
	tern_rooms_leave(lcore);
	return address;
}

static inline void tern_routing_find_batch(const struct tern_agent *self, const struct tern_id *ids,
					   uint32_t count, tern_address *addresses)
{
	struct tern_lcore *lcore = self->lcore;
	tern_rooms_enter(lcore);
	tern_router_find_batch(lcore->engine->router, lcore->index, ids, count, addresses);
	tern_rooms_leave(lcore);
}

/** What an agent is in sets of agents: attached threads have no id of their own. */
static inline struct tern_id tern_routing_member(const struct tern_agent *agent)
{
	struct tern_id of_thread = {.high = 0, .low = agent->address};
	return agent->lcore->is_thread ? of_thread : agent->id;
}

/** An agent ends: whoever looks for what it offers finds it no more. */
static inline void tern_routing_forget(struct tern_agent *agent)
{
	if (tern_unlikely(agent->flags & TERN_AGENT_OFFERS))
		tern_router_forget(agent->lcore->engine->router, tern_routing_member(agent));
	agent->flags &= ~TERN_AGENT_OFFERS;
}

#endif
