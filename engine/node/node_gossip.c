/* SPDX-License-Identifier: Apache-2.0 */

/* What routers tell each other, carried by the links of lcore 0. What finds no place comes again.
 */
#include "node.h"

#include "engine/gossip/gossip.h"
#include "engine/mail/control.h"

/* Between two looks for what is to be told: a turn in between pays one comparison. */
#define GOSSIP_EVERY_NS 20000u
/* Payloads that leave in one turn. */
#define PAYLOADS 8u

int tern_node_gossip_open(struct tern_node *node, struct tern_error *error)
{
	uint32_t peers = node->peer_count ? node->peer_count : 1;
	return tern_gossip_create(&node->gossip, node->engine, peers, error);
}

void tern_node_gossip_close(struct tern_node *node)
{
	if (node->gossip)
		tern_gossip_destroy(node->gossip);
	node->gossip = NULL;
}

static bool is_for_gossip(const struct tern_node_link *link)
{
	return link->lcore->index == 0 && link->k == 0;
}

void tern_node_gossip_peer(struct tern_node_link *link, bool is_here)
{
	struct tern_gossip *gossip = link->lcore->net->node->gossip;
	if (!is_for_gossip(link))
		return;
	if (is_here)
		tern_gossip_add(gossip, link->peer->node, tern_clock_ns(link->lcore->clock));
	else
		tern_gossip_remove(gossip, link->peer->node);
}

void tern_node_gossip_take(struct tern_node_link *link, const struct tern_signal *signal)
{
	struct tern_lcore *lcore = link->lcore;
	if (is_for_gossip(link) && signal->kind == TERN_KIND_ISO)
		tern_gossip_take(lcore->net->node->gossip, link->peer->node,
				 tern_iso_data(signal->payload.iso),
				 tern_block_size(signal->payload.iso), tern_node_now(lcore));
}

static void send_payload(struct tern_lcore *lcore, uint16_t peer, const uint8_t *bytes, size_t size)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_node_link *link = net->to[net->node->by_node[peer] - 1];
	tern_iso *iso = link ? tern_iso_create(&lcore->heap, size) : NULL;
	if (!iso)
		return;
	memcpy(tern_iso_data(iso), bytes, size);
	struct tern_signal signal = {.type = TERN_CONTROL_GOSSIP,
				     .kind = TERN_KIND_ISO,
				     .from = tern_lcore_address(lcore),
				     .payload.iso = iso};
	if (tern_link_send(link->link, &signal, 0) != 0) {
		tern_iso_drop(&lcore->heap, iso);
		return;
	}
	tern_lcore_owe(lcore, 1);
	tern_node_touch(net, link);
}

void tern_node_gossip_send(struct tern_lcore *lcore)
{
	struct tern_gossip *gossip = lcore->net->node->gossip;
	uint64_t now = tern_node_now(lcore);
	uint8_t bytes[TERN_PAYLOAD_MAX];
	uint16_t peer;
	size_t size;
	lcore->net->gossip_ticks =
		lcore->turn.ticks + tern_clock_from_ns(lcore->clock, GOSSIP_EVERY_NS);
	for (unsigned i = 0; i < PAYLOADS; i++) {
		size = tern_gossip_next(gossip, now, &peer, bytes);
		if (size == 0)
			return;
		send_payload(lcore, peer, bytes, size);
	}
}
