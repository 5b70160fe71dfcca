/* SPDX-License-Identifier: Apache-2.0 */

/* What a peer tells, taken in. */
#include "gossip_state.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>

/* Of its own agents a peer can say only that they are there, or have gone. */
static bool can_know(const struct tern_update *update, uint16_t peer)
{
	return update->origin != peer || !update->address ||
	       tern_address_node(update->address) == peer;
}

static bool is_credible(const struct tern_gossip *gossip, uint16_t peer,
			const struct tern_payload *payload)
{
	bool provides = payload->kind == TERN_PAYLOAD_PROVIDERS;
	if (!provides && payload->kind != TERN_PAYLOAD_NEWS)
		return true;
	for (uint32_t i = 0; i < payload->count; i++) {
		const struct tern_update *update = &payload->updates[i];
		bool of_node = provides ? update->origin == peer && update->address
					: !payload->number || update->origin == payload->node;
		if (!of_node || !can_know(update, peer))
			return false;
	}
	return payload->node != gossip->node;
}

/* What is wrong, or late, is put right: in one letter. Returns whether all could be kept. */
static bool take_updates(struct tern_gossip *gossip, uint32_t place,
			 const struct tern_payload *payload)
{
	struct tern_payload reply = {.kind = TERN_PAYLOAD_NEWS};
	bool kept = true;
	for (uint32_t i = 0; i < payload->count; i++) {
		struct tern_update answer = {.version = 0};
		int code = tern_router_update(gossip->router, &payload->updates[i], &answer);
		kept &= code >= 0;
		if (code != TERN_REJECTED || answer.version == 0)
			continue;
		answer.source = TERN_ROUTE_GOSSIP;
		if (tern_payload_carries(&answer))
			reply.updates[reply.count++] = answer;
	}
	if (reply.count)
		tern_gossip_post(gossip, place, &reply);
	return kept;
}

/* The place of a telling: the one it has, a free one, or that of which was heard least lately. */
static struct gossip_reception *reception_of(struct tern_gossip *gossip, uint16_t peer,
					     const struct tern_payload *part)
{
	struct gossip_reception *oldest = &gossip->receptions[0];
	for (uint32_t i = 0; i < TERN_GOSSIP_RECEPTIONS; i++) {
		struct gossip_reception *reception = &gossip->receptions[i];
		if (reception->peer == peer && reception->number == part->number)
			return reception;
		if (reception->heard_at < oldest->heard_at)
			oldest = reception;
	}
	*oldest = (struct gossip_reception){.peer = peer,
					    .node = part->node,
					    .number = part->number,
					    .above = part->above,
					    .complete = part->complete};
	return oldest;
}

static bool note_part(struct gossip_reception *reception, const struct tern_payload *part)
{
	uint64_t bit = 1ull << part->part % 64, *word = &reception->came[part->part / 64];
	if (reception->node != part->node || reception->above != part->above ||
	    reception->complete != part->complete)
		reception->failed = true;
	if (!(*word & bit))
		reception->parts++;
	*word |= bit;
	if (part->last)
		reception->last = part->part + 1u;
	return reception->parts == reception->last && !reception->failed;
}

/* Nothing below was lacking, and all above has come: nothing is. */
static void take_part(struct tern_gossip *gossip, uint16_t peer, const struct tern_payload *part,
		      bool kept, uint64_t now)
{
	struct gossip_reception *reception = reception_of(gossip, peer, part);
	reception->heard_at = now + 1;
	reception->failed |= !kept;
	if (!note_part(reception, part))
		return;
	if (tern_router_complete(gossip->router, part->node) >= part->above) {
		tern_router_settle(gossip->router, part->node, part->complete);
		gossip->stats.settled++;
	}
	reception->heard_at = 0;
	reception->peer = 0;
	for (uint32_t i = 0; i < TERN_GOSSIP_ASKS; i++)
		if (gossip->asks[i].node == part->node && gossip->asks[i].above == part->above)
			gossip->asks[i].node = 0;
}

/* One question for a node at a time, whoever is asked. */
static void ask_peer(struct tern_gossip *gossip, uint32_t place, uint16_t node, uint64_t have,
		     uint64_t now)
{
	struct gossip_ask *vacant = NULL;
	for (uint32_t i = 0; i < TERN_GOSSIP_ASKS; i++) {
		struct gossip_ask *ask = &gossip->asks[i];
		if (ask->node && ask->until <= now)
			ask->node = 0;
		if (ask->node == node)
			return;
		if (ask->node == 0)
			vacant = ask;
	}
	if (!vacant) {
		gossip->stats.crowded++;
		return;
	}
	*vacant = (struct gossip_ask){.node = node,
				      .peer = place,
				      .above = have,
				      .until = now + TERN_GOSSIP_PATIENCE * gossip->compare_ns};
}

static void take_versions(struct tern_gossip *gossip, uint32_t place,
			  const struct tern_payload *payload, uint64_t now)
{
	for (uint32_t i = 0; i < payload->count; i++) {
		const struct tern_payload_version *told = &payload->versions[i];
		struct tern_drift drift =
			tern_router_hear_version(gossip->router, told->node, told->version);
		if (drift.is_due)
			ask_peer(gossip, place, told->node, drift.have, now);
	}
}

static void take_questions(struct tern_gossip *gossip, uint32_t place,
			   const struct tern_payload *payload)
{
	struct tern_payload reply = {.kind = TERN_PAYLOAD_NEWS};
	for (uint32_t i = 0; i < payload->count; i++) {
		struct tern_update *update = &reply.updates[reply.count];
		if (tern_router_say(gossip->router, payload->ids[i], update) != 0)
			continue;
		update->source = TERN_ROUTE_DISCOVERY;
		gossip->stats.answered++;
		if (++reply.count < TERN_PAYLOAD_UPDATES_MAX)
			continue;
		tern_gossip_post(gossip, place, &reply);
		reply.count = 0;
	}
	if (reply.count)
		tern_gossip_post(gossip, place, &reply);
}

static void take_payload(struct tern_gossip *gossip, uint32_t place,
			 const struct tern_payload *payload, uint64_t now)
{
	uint16_t peer = gossip->peers[place].node;
	bool kept = true;
	switch (payload->kind) {
	case TERN_PAYLOAD_VERSIONS:
		take_versions(gossip, place, payload, now);
		break;
	case TERN_PAYLOAD_NEWS:
		kept = take_updates(gossip, place, payload);
		if (payload->number)
			take_part(gossip, peer, payload, kept, now);
		break;
	case TERN_PAYLOAD_ASK:
		tern_gossip_tell(gossip, place, payload->node, payload->above);
		break;
	case TERN_PAYLOAD_WHO:
		take_questions(gossip, place, payload);
		break;
	case TERN_PAYLOAD_OFFERS:
		for (uint32_t i = 0; i < payload->count; i++)
			tern_gossip_say_providers(gossip, place, payload->ids[i]);
		break;
	default:
		take_updates(gossip, place, payload);
		tern_gossip_hear_providers(gossip, peer, payload);
	}
}

int tern_gossip_take(struct tern_gossip *gossip, uint16_t peer, const uint8_t *bytes, size_t size,
		     uint64_t now)
{
	uint32_t place = peer <= TERN_NODE_MAX ? gossip->places[peer] : 0;
	struct tern_payload payload;
	if (place == 0)
		return -ENOENT;
	int code = tern_payload_read(&payload, bytes, size);
	if (code == 0 && !is_credible(gossip, peer, &payload))
		code = -EBADMSG;
	if (code != 0) {
		gossip->stats.refused++;
		return code;
	}
	gossip->stats.taken++;
	take_payload(gossip, place - 1, &payload, now);
	gossip->due = 0;
	return 0;
}
