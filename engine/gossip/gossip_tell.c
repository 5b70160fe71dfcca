/* SPDX-License-Identifier: Apache-2.0 */

/* Tellings: a node's changes above a version, in as many payloads as they take. */
#include "gossip_state.h"

#include <string.h>

#include <rte_common.h>

_Static_assert(RTE_DIM(((struct gossip_telling *)0)->news) >= TERN_PAYLOAD_UPDATES_MAX + 32,
	       "a step of tern_router_news() fits");

static struct gossip_telling *place_for(struct tern_gossip *gossip, uint32_t peer, uint16_t node)
{
	struct gossip_telling *vacant = NULL;
	for (uint32_t i = 0; i < TERN_GOSSIP_TELLINGS; i++) {
		struct gossip_telling *telling = &gossip->tellings[i];
		if (telling->peer == peer && telling->node == node)
			return NULL;
		if (telling->peer == TERN_GOSSIP_NOBODY)
			vacant = telling;
	}
	return vacant;
}

/* What is complete is read first: what comes meanwhile may be told or not. */
bool tern_gossip_tell(struct tern_gossip *gossip, uint32_t peer, uint16_t node, uint64_t above)
{
	struct gossip_telling *telling = place_for(gossip, peer, node);
	if (!telling) {
		gossip->stats.crowded++;
		return false;
	}
	gossip->number += gossip->number == UINT32_MAX ? 2 : 1;
	telling->peer = peer;
	telling->number = gossip->number;
	telling->node = node;
	telling->part = 0;
	telling->walked = false;
	telling->above = above;
	telling->complete = tern_router_complete(gossip->router, node);
	telling->cursor = (struct tern_news_cursor){0};
	telling->count = 0;
	gossip->stats.tellings++;
	return true;
}

static void keep_news(void *context, const struct tern_update *news)
{
	struct gossip_telling *telling = context;
	if (tern_payload_carries(news))
		telling->news[telling->count++] = *news;
}

/* One step of the walk for each call. Returns whether there is a payload's worth, or the end. */
static bool collect_part(struct tern_gossip *gossip, struct gossip_telling *telling)
{
	if (!telling->walked && telling->count < TERN_PAYLOAD_UPDATES_MAX)
		telling->walked = !tern_router_news(gossip->router, telling->node, telling->above,
						    &telling->cursor, keep_news, telling);
	return telling->walked || telling->count >= TERN_PAYLOAD_UPDATES_MAX;
}

static size_t write_part(struct gossip_telling *telling, uint8_t bytes[TERN_PAYLOAD_MAX])
{
	struct tern_payload payload = {.kind = TERN_PAYLOAD_NEWS,
				       .node = telling->node,
				       .part = telling->part,
				       .number = telling->number,
				       .above = telling->above,
				       .complete = telling->complete};
	payload.count = (uint16_t)RTE_MIN(telling->count, TERN_PAYLOAD_UPDATES_MAX);
	memcpy(payload.updates, telling->news, payload.count * sizeof(telling->news[0]));
	telling->count -= payload.count;
	memmove(telling->news, telling->news + payload.count,
		telling->count * sizeof(telling->news[0]));
	payload.last = telling->walked && telling->count == 0;
	telling->part++;
	if (payload.last || telling->part == TERN_PAYLOAD_PARTS_MAX)
		telling->peer = TERN_GOSSIP_NOBODY;
	return tern_payload_write(&payload, bytes);
}

size_t tern_gossip_tell_next(struct tern_gossip *gossip, uint32_t *peer,
			     uint8_t bytes[TERN_PAYLOAD_MAX])
{
	for (uint32_t i = 0; i < TERN_GOSSIP_TELLINGS; i++) {
		uint32_t at = gossip->telling_turn++ % TERN_GOSSIP_TELLINGS;
		struct gossip_telling *telling = &gossip->tellings[at];
		if (telling->peer == TERN_GOSSIP_NOBODY || !collect_part(gossip, telling))
			continue;
		*peer = telling->peer;
		return write_part(telling, bytes);
	}
	return 0;
}
