/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTING_H
#define ROUTING_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/router/router.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/reader.h"

/** Make an engine's router. 0; negative errno. */
int tern_routing_init(struct tern_engine *engine, size_t page_bytes_max, struct tern_error *error);
void tern_routing_fini(struct tern_engine *engine);

/*
 * The router knows agents of this node by addresses without a node, so that what it holds does not
 * depend on the number that the node has.
 */

/** An own agent's address, as the router has it. */
static inline tern_address tern_routing_bare(tern_address address)
{
	return tern_address_make(0, tern_address_slot(address), tern_address_generation(address));
}

/** An address that the router gave, as agents have it; none stays none. */
static inline tern_address tern_routing_full(const struct tern_lcore *lcore, tern_address address)
{
	return address && tern_address_node(address) == 0 ? address | lcore->node_bits : address;
}

/** Where an id most likely leads: to whoever lives in the slot that it ends with. Always an
 * address, for slot 0 is an lcore's own. As the router has it. */
static inline tern_address tern_routing_expected(const struct tern_lcore *lcore, struct tern_id id)
{
	uint32_t slot = (uint32_t)id.low & (TERN_AGENTS_MAX - 1);
	uint64_t entry = tern_load(&lcore->directory[slot < lcore->slots ? slot : 0]);
	return tern_address_make(0, slot, (uint32_t)entry & TERN_ADDRESS_GENERATION_MASK);
}

/** Where an id leads, as the router has it; TERN_ADDRESS_NONE. A thread is quiet whenever it is not
 * looking (reader.h).
 */
static inline tern_address tern_routing_find(const struct tern_agent *self, struct tern_id id)
{
	struct tern_lcore *lcore = self->lcore;
	tern_reader_enter(lcore);
	tern_address address =
		tern_router_find_near(lcore->engine->router, &lcore->finder, lcore->lookups, id);
	tern_reader_leave(lcore);
	return address;
}

static inline void tern_routing_find_batch(const struct tern_agent *self, const struct tern_id *ids,
					   uint32_t count, tern_address *addresses)
{
	struct tern_lcore *lcore = self->lcore;
	tern_reader_enter(lcore);
	tern_router_find_batch(lcore->engine->router, lcore->index, ids, count, addresses);
	tern_reader_leave(lcore);
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
	tern_agent_clear(agent, TERN_AGENT_OFFERS);
}

#endif
