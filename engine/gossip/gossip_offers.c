/* SPDX-License-Identifier: Apache-2.0 */

/* Capabilities: which of the agents here have one that a peer asks for, and which of its own. */
#include "gossip_state.h"

#include <errno.h>

static bool is_same(struct tern_id a, struct tern_id b)
{
	return a.high == b.high && a.low == b.low;
}

void tern_gossip_watch(struct tern_gossip *gossip, struct tern_id capability)
{
	uint32_t count = gossip->watched_count;
	for (uint32_t i = 0; i < count && i < TERN_GOSSIP_WATCHED; i++)
		if (is_same(gossip->watched[i], capability))
			return;
	gossip->watched[count % TERN_GOSSIP_WATCHED] = capability;
	/* Past the first round the oldest gives way. */
	gossip->watched_count =
		count + 1 < 2 * TERN_GOSSIP_WATCHED ? count + 1 : TERN_GOSSIP_WATCHED;
}

static bool is_watched(const struct tern_gossip *gossip, struct tern_id capability)
{
	for (uint32_t i = 0; i < gossip->watched_count && i < TERN_GOSSIP_WATCHED; i++)
		if (is_same(gossip->watched[i], capability))
			return true;
	return false;
}

/* Those of this node, whether they can take signals now or not. */
static uint32_t keep_own(void *context, tern_address *addresses, uint32_t count)
{
	uint32_t kept = 0;
	(void)context;
	for (uint32_t i = 0; i < count; i++)
		if (tern_address_node(addresses[i]) == 0)
			addresses[kept++] = addresses[i];
	return kept;
}

/* Its id, if it lives; who ended is said by nobody. A thread's agent has none. */
static bool say_agent(struct tern_gossip *gossip, tern_address address, struct tern_update *update)
{
	uint32_t slot = tern_address_slot(address);
	if (slot >= gossip->engine->slots)
		return false;
	struct tern_id id = tern_agent_load_id(&gossip->engine->agents[slot]);
	return tern_router_say(gossip->router, id, update) == 0 &&
	       tern_address_slot(update->address) == slot &&
	       tern_address_generation(update->address) == tern_address_generation(address);
}

void tern_gossip_say_providers(struct tern_gossip *gossip, uint32_t peer, struct tern_id capability)
{
	static const struct tern_sets_query query = {.keep = keep_own};
	struct tern_payload payload = {.kind = TERN_PAYLOAD_PROVIDERS, .capability = capability};
	tern_address found[TERN_PAYLOAD_UPDATES_MAX + 1];
	uint32_t count = tern_sets_find(gossip->router->sets, capability, &query, found,
					TERN_PAYLOAD_UPDATES_MAX + 1);
	payload.last = count <= TERN_PAYLOAD_UPDATES_MAX;
	for (uint32_t i = 0; i < count && payload.count < TERN_PAYLOAD_UPDATES_MAX; i++) {
		struct tern_update *update = &payload.updates[payload.count];
		if (!say_agent(gossip, found[i], update))
			continue;
		update->source = TERN_ROUTE_DISCOVERY;
		payload.count++;
	}
	gossip->stats.answered += payload.count;
	tern_gossip_post(gossip, peer, &payload);
}

/* It may live here by now, and offer the same. */
static void drop_member(struct tern_gossip *gossip, struct gossip_member *member)
{
	tern_sets_remove_remote(gossip->router->sets, member->capability, member->agent);
	member->node = 0;
}

static struct gossip_member *member_of(struct tern_gossip *gossip, struct tern_id capability,
				       struct tern_id agent)
{
	struct gossip_member *vacant = NULL;
	for (uint32_t i = 0; i < TERN_GOSSIP_MEMBERS; i++) {
		struct gossip_member *member = &gossip->members[i];
		if (member->node == 0)
			vacant = vacant ? vacant : member;
		else if (is_same(member->capability, capability) && is_same(member->agent, agent))
			return member;
	}
	return vacant;
}

/* What is offered here is remembered, or it could not be taken back. */
static void hear_member(struct tern_gossip *gossip, uint16_t peer, struct tern_id capability,
			struct tern_id agent)
{
	tern_address address = tern_table_find(gossip->router->table, agent);
	struct gossip_member *member = member_of(gossip, capability, agent);
	if (tern_address_node(address) != peer)
		return;
	int code = member ? tern_router_offer(gossip->router, capability, agent, address) : -1;
	if (code != 0 && code != -EEXIST) {
		gossip->stats.crowded++;
		return;
	}
	*member = (struct gossip_member){
		.capability = capability, .agent = agent, .node = peer, .confirmed = true};
}

void tern_gossip_hear_providers(struct tern_gossip *gossip, uint16_t peer,
				const struct tern_payload *payload)
{
	struct tern_id capability = payload->capability;
	if (!is_watched(gossip, capability))
		return;
	for (uint32_t i = 0; i < payload->count; i++)
		hear_member(gossip, peer, capability, payload->updates[i].id);
	for (uint32_t i = 0; i < TERN_GOSSIP_MEMBERS; i++) {
		struct gossip_member *member = &gossip->members[i];
		if (member->node != peer || !is_same(member->capability, capability))
			continue;
		if (payload->last && !member->confirmed)
			drop_member(gossip, member);
		member->confirmed = false;
	}
}

void tern_gossip_forget_members(struct tern_gossip *gossip, uint16_t peer)
{
	for (uint32_t i = 0; i < TERN_GOSSIP_MEMBERS; i++)
		if (gossip->members[i].node == peer)
			drop_member(gossip, &gossip->members[i]);
}
