/* SPDX-License-Identifier: Apache-2.0 */

/* A node's start and end. */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capabilities/lines.h"
#include "dataplane/frame/neighbour.h"
#include "engine/mail/remote.h"
#include "engine/mail/bounce.h"

/* Frames on their way from one lcore's queue to another lcore. */
#define GIVEN_FRAMES 1024u

static int find_own(struct tern_node *node, const struct tern_config *config,
		    const struct tern_member *members, uint32_t count, struct tern_error *error)
{
	const struct tern_member *own = NULL;
	for (uint32_t i = 0; i < count; i++)
		if (members[i].node == config->node)
			own = &members[i];
	if (!own)
		return tern_error_set(error, -EINVAL,
				      "node.id is %u, which %.100s does not list; add a line for "
				      "it, or correct node.id",
				      config->node, config->members);
	node->own = own->endpoint;
	if (config->address[0] &&
	    !tern_address_read(node->own.carrier, config->address, node->own.address))
		return tern_error_set(error, -EINVAL,
				      "node.address is \"%.60s\", which is no address of "
				      "node.carrier",
				      config->address);
	memcpy(node->own.mac, node->port->mac, sizeof(node->own.mac));
	return 0;
}

static uint64_t first_mac(const struct tern_member *member)
{
	uint64_t mac = 0;
	memcpy(&mac, member->endpoint.mac, sizeof(member->endpoint.mac));
	if (member->has_mac)
		return mac | TERN_NODE_MAC_KNOWN;
	/* Nobody answers for a node over raw Ethernet: frames go to all until it has spoken. */
	return member->endpoint.carrier == TERN_CARRIER_ETHERNET ? TERN_NODE_MAC_ALL : 0;
}

static int add_peers(struct tern_node *node, const struct tern_member *members, uint32_t count)
{
	node->peers = tern_lines_make((count ? count : 1) * sizeof(*node->peers));
	if (!node->peers)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		if (members[i].node == node->id)
			continue;
		uint16_t index = (uint16_t)node->peer_count++;
		node->peers[index] = (struct tern_node_peer){.node = members[i].node,
							     .index = index,
							     .has_mac = members[i].has_mac,
							     .endpoint = members[i].endpoint,
							     .mac = first_mac(&members[i])};
		node->by_node[members[i].node] = (uint16_t)(index + 1);
	}
	return 0;
}

/* Neighbours have the peers' indexes: added in their order, each of an address of its own. */
static int add_neighbours(struct tern_node *node, struct tern_error *error)
{
	if (node->own.carrier == TERN_CARRIER_ETHERNET || node->peer_count == 0)
		return 0;
	struct tern_neighbour *entries = calloc(node->peer_count, sizeof(*entries));
	node->neighbours = calloc(1, sizeof(*node->neighbours));
	if (!entries || !node->neighbours) {
		free(entries);
		return -ENOMEM;
	}
	tern_neighbours_init(node->neighbours, &node->own, entries, node->peer_count);
	for (uint32_t i = 0; i < node->peer_count; i++) {
		struct tern_node_peer *peer = &node->peers[i];
		uint32_t index;
		const uint8_t *mac = peer->has_mac ? peer->endpoint.mac : NULL;
		int code =
			tern_neighbours_add(node->neighbours, peer->endpoint.address, mac, &index);
		if (code != 0)
			return tern_error_set(error, -EINVAL,
					      "node.members: node %u has an address or a MAC that "
					      "no other machine can have",
					      peer->node);
	}
	return 0;
}

static int make_given(struct rte_ring **ring)
{
	*ring = aligned_alloc(TERN_LINE, (size_t)rte_ring_get_memsize(GIVEN_FRAMES));
	return *ring ? rte_ring_init(*ring, "given", GIVEN_FRAMES, RING_F_SC_DEQ) : -ENOMEM;
}

static int make_waiting(struct tern_node_ring *ring, uint32_t size)
{
	ring->size = size;
	ring->entries = tern_lines_make(size * sizeof(*ring->entries));
	return ring->entries ? 0 : -ENOMEM;
}

static int make_lcore(struct tern_node *node, struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = &node->lcores[lcore->index];
	uint32_t peers = node->peer_count ? node->peer_count : 1;
	net->node = node;
	net->port = node->port;
	net->queue = (uint16_t)lcore->index;
	net->due_ticks = UINT64_MAX;
	net->gossip_ticks = lcore->index == 0 ? 0 : UINT64_MAX;
	net->outlet = (struct tern_outlet){.port = node->port, .queue = net->queue};
	net->to = calloc(peers, sizeof(struct tern_node_link *));
	net->of = calloc(peers, sizeof(struct tern_node_link **));
	if (!net->to || !net->of || make_waiting(&net->returns, TERN_NODE_RETURNS) != 0 ||
	    make_waiting(&net->forwards, TERN_NODE_FORWARDS) != 0 || make_given(&net->given) != 0 ||
	    tern_pressed_init(&net->refusing) != 0 || tern_pressed_init(&net->told) != 0)
		return -ENOMEM;
	net->frames = node->pools[lcore->index];
	net->lender.free = node->engine->config.frames / 2;
	return 0;
}

/* Only now do lcores see it: their threads begin later. */
static void connect_lcores(struct tern_node *node)
{
	struct tern_engine *engine = node->engine;
	for (uint32_t i = 0; i < engine->system_count; i++) {
		engine->lcores[i].remote = &tern_node_remote;
		if (i < engine->lcore_count)
			engine->lcores[i].net = &node->lcores[i];
	}
}

static int make_node(struct tern_node *node, const struct tern_member *members, uint32_t count,
		     struct tern_error *error)
{
	struct tern_engine *engine = node->engine;
	int code = tern_node_open_port(node, error);
	if (code == 0)
		code = find_own(node, &engine->config, members, count, error);
	if (code == 0)
		code = add_peers(node, members, count);
	if (code == 0)
		code = add_neighbours(node, error);
	if (code == 0)
		code = tern_node_gossip_open(node, error);
	node->lcores =
		code == 0 ? tern_lines_make(engine->lcore_count * sizeof(*node->lcores)) : NULL;
	if (code == 0 && !node->lcores)
		code = -ENOMEM;
	for (uint32_t i = 0; code == 0 && i < engine->lcore_count; i++)
		code = make_lcore(node, &engine->lcores[i]);
	if (code == 0)
		code = tern_node_fault_open(node, error);
	return code == -ENOMEM ? tern_error_set(error, code, "node: no memory for links") : code;
}

int tern_node_start(struct tern_engine *engine, struct tern_error *error)
{
	const struct tern_config *config = &engine->config;
	struct tern_member *members = NULL;
	if (!config->device[0] && !config->port)
		return 0;
	int count = tern_members_read(config, &members, error);
	if (count < 0)
		return count;
	struct tern_node *node = tern_lines_make(sizeof(*node));
	if (!node) {
		free(members);
		return tern_error_set(error, -ENOMEM, "node: no memory");
	}
	engine->node = node;
	node->engine = engine;
	node->id = (uint16_t)config->node;
	node->incarnation = tern_engine_draw(engine);
	node->cluster = tern_name_id(config->cluster).low;
	int code = make_node(node, members, (uint32_t)count, error);
	free(members);
	if (code == 0)
		connect_lcores(node);
	return code;
}

static void end_lcore(struct tern_lcore *lcore, struct tern_node_lcore *net)
{
	uint64_t now = tern_clock_ns(lcore->clock);
	struct rte_mbuf *mbuf;
	for (uint32_t i = 0; i < net->link_count; i++) {
		tern_link_destroy(net->links[i]->link, now);
		free(net->links[i]);
	}
	net->link_count = 0;
	tern_node_give_backs(lcore);
	for (struct tern_node_ring *ring = &net->forwards; ring->count; ring->count--) {
		tern_engine_undelivered(lcore, &ring->entries[ring->head++ % ring->size].signal);
		tern_lcore_settle(lcore, 1);
	}
	for (struct tern_node_ring *ring = &net->returns; ring->count; ring->count--)
		tern_signal_lose(lcore, &ring->entries[ring->head++ % ring->size].signal);
	if (net->outlet.port) {
		tern_outlet_flush(&net->outlet);
		tern_outlet_drop(&net->outlet);
	}
	while (net->given && rte_ring_sc_dequeue(net->given, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	lcore->net = NULL;
}

static void free_lcore(struct tern_node_lcore *net, uint32_t peers)
{
	for (uint32_t i = 0; net->of && i < peers; i++)
		free(net->of[i]);
	free(net->of);
	free(net->to);
	free(net->links);
	free(net->touched);
	tern_deadlines_fini(&net->deadlines);
	tern_pressed_fini(&net->refusing);
	tern_pressed_fini(&net->told);
	free(net->backs.signals);
	free(net->forwards.entries);
	free(net->returns.entries);
	free(net->given);
	tern_node_fault_close(net);
}

void tern_node_stop(struct tern_engine *engine)
{
	struct tern_node *node = engine->node;
	for (uint32_t i = 0; node && node->lcores && i < engine->lcore_count; i++)
		if (!tern_load(&engine->lcores[i].turn.gone))
			end_lcore(&engine->lcores[i], &node->lcores[i]);
}

void tern_node_fini(struct tern_engine *engine)
{
	struct tern_node *node = engine->node;
	if (!node)
		return;
	for (uint32_t i = 0; node->lcores && i < engine->lcore_count; i++)
		free_lcore(&node->lcores[i], node->peer_count);
	if (node->neighbours)
		free(node->neighbours->peers);
	free(node->neighbours);
	tern_node_gossip_close(node);
	tern_node_close_port(node);
	free(node->lcores);
	free(node->peers);
	free(node);
	engine->node = NULL;
}
