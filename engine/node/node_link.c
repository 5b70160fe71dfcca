/* SPDX-License-Identifier: Apache-2.0 */

/* Links: which there are to be, and how they are found. */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks for peers that no link leads to. */
#define CONNECT_EVERY_NS 5000000u

static bool asks_for(const struct tern_node *node, const struct tern_node_peer *peer)
{
	return node->id < peer->node;
}

/* Frames to a peer: its MAC as it is known by now, or to all, of which only it will listen. */
static struct tern_endpoint endpoint_of(const struct tern_node_peer *peer)
{
	struct tern_endpoint endpoint = peer->endpoint;
	uint64_t mac = tern_load(&peer->mac);
	if (mac)
		memcpy(endpoint.mac, &mac, sizeof(endpoint.mac));
	else
		memset(endpoint.mac, 0xFF, sizeof(endpoint.mac));
	return endpoint;
}

static uint16_t frame_max(const struct tern_node *node)
{
	uint32_t around = node->own.carrier == TERN_CARRIER_IPV4   ? 20 + 8
			  : node->own.carrier == TERN_CARRIER_IPV6 ? 40 + 8
								   : 0;
	return (uint16_t)(node->port->frame_max - around);
}

static void wrap_make(struct tern_node_link *link, struct tern_wrap *wrap)
{
	const struct tern_node *node = link->lcore->net->node;
	link->mac = tern_load(&link->peer->mac);
	struct tern_endpoint to = endpoint_of(link->peer);
	tern_wrap_init(wrap, &node->own, &to, node->own.udp_port);
}

void tern_node_rewrap(struct tern_node_link *link)
{
	struct tern_wrap wrap;
	wrap_make(link, &wrap);
	tern_link_rewrap(link->link, &wrap);
}

static void fill_config(struct tern_node_link *link, uint8_t peer_lcore,
			struct tern_link_config *config)
{
	struct tern_lcore *lcore = link->lcore;
	struct tern_node_lcore *net = lcore->net;
	const struct tern_node *node = net->node;
	const struct tern_config *settings = &lcore->engine->config;
	*config = (struct tern_link_config){.node = node->id,
					    .peer = link->peer->node,
					    .lcore = (uint8_t)lcore->index,
					    .peer_lcore = peer_lcore,
					    .lcores = (uint8_t)lcore->engine->lcore_count,
					    .frame_max = frame_max(node),
					    .credit_max = (uint16_t)settings->credit,
					    .window_max = (uint16_t)settings->window,
					    .incarnation = node->incarnation,
					    .cluster = node->cluster,
					    .heartbeat_ns = settings->heartbeat_us * 1000ull,
					    .dead_ns = settings->dead_us * 1000ull,
					    .seed = tern_rng_next(&lcore->rng),
					    .offloads = node->port->offloads,
					    .outlet = &net->outlet,
					    .frames = net->frames,
					    .lender = &net->lender,
					    .heap = &lcore->heap,
					    .heard_ns = &link->peer->heard_ns,
					    .ops = &tern_node_link_ops,
					    .owner = link};
	wrap_make(link, &config->wrap);
}

static int links_grow(struct tern_node_lcore *net)
{
	uint32_t room = net->link_room ? 2 * net->link_room : 16;
	struct tern_node_link **links = realloc(net->links, room * sizeof(struct tern_node_link *));
	if (!links)
		return -ENOMEM;
	net->links = links;
	uint32_t *touched = realloc(net->touched, room * sizeof(uint32_t));
	if (!touched)
		return -ENOMEM;
	net->touched = touched;
	if (tern_deadlines_grow(&net->deadlines, room) != 0)
		return -ENOMEM;
	net->link_room = room;
	return 0;
}

static struct tern_node_link *link_make(struct tern_lcore *lcore, struct tern_node_peer *peer,
					uint8_t k, uint8_t peer_lcore)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_link_config config;
	if (net->link_count == net->link_room && links_grow(net) != 0)
		return NULL;
	struct tern_node_link *link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	*link = (struct tern_node_link){
		.lcore = lcore, .peer = peer, .number = net->link_count, .k = k};
	fill_config(link, peer_lcore, &config);
	link->link = tern_link_create(&config, tern_clock_ns(lcore->clock));
	if (!link->link) {
		free(link);
		return NULL;
	}
	net->links[net->link_count++] = link;
	tern_node_touch(net, link);
	return link;
}

static struct tern_node_link *link_find(const struct tern_node_lcore *net,
					const struct tern_node_peer *peer, uint32_t k)
{
	return net->of[peer->index] ? net->of[peer->index][k] : NULL;
}

/*
 * Frames that come for link k say so by the larger of the two lcores' numbers in them. Release
 * pairs with the acquire of link_at() in node_peers.c: who looks on finds it complete.
 */
static struct tern_node_link *link_add(struct tern_lcore *lcore, struct tern_node_peer *peer,
				       uint8_t k, uint8_t peer_lcore)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_node_link **of_peer = net->of[peer->index];
	if (!of_peer)
		of_peer = calloc(TERN_LCORES_MAX, sizeof(struct tern_node_link *));
	if (!of_peer)
		return NULL;
	__atomic_store_n(&net->of[peer->index], of_peer, __ATOMIC_RELEASE);
	struct tern_node_link *link = link_make(lcore, peer, k, peer_lcore);
	__atomic_store_n(&of_peer[k], link, __ATOMIC_RELEASE);
	if (k == lcore->index)
		net->to[peer->index] = link;
	return link;
}

struct tern_node_link *tern_node_link_from(struct tern_node_lcore *net, struct tern_lcore *lcore,
					   const struct tern_wire_header *header)
{
	uint8_t from = header->from_lcore, to = header->to_lcore, k = from > to ? from : to;
	uint16_t at = net->node->by_node[header->from_node];
	if (!at || k >= TERN_LCORES_MAX)
		return NULL;
	struct tern_node_peer *peer = &net->node->peers[at - 1];
	struct tern_node_link *link = link_find(net, peer, k);
	/* Of a node that is asked from here no link is made by what it sends. */
	if (tern_likely(link != NULL) || asks_for(net->node, peer))
		return link;
	return link_add(lcore, peer, k, from);
}

static void connect_peer(struct tern_lcore *lcore, struct tern_node_peer *peer)
{
	uint32_t own = lcore->engine->lcore_count, theirs = tern_load(&peer->lcores);
	if (!asks_for(lcore->net->node, peer) || !tern_load(&peer->mac))
		return;
	for (uint32_t k = lcore->index; k < own || k < theirs; k += own)
		if (!link_find(lcore->net, peer, k))
			link_add(lcore, peer, (uint8_t)k, (uint8_t)k);
}

void tern_node_connect(struct tern_lcore *lcore, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	for (uint32_t i = 0; i < net->node->peer_count; i++)
		connect_peer(lcore, &net->node->peers[i]);
	tern_node_fault_look(net);
	if (lcore->index == 0) {
		tern_node_resolve(lcore, now);
		tern_node_ping_look(lcore);
	}
	net->connect_ticks = lcore->turn.ticks + tern_clock_from_ns(lcore->clock, CONNECT_EVERY_NS);
}
