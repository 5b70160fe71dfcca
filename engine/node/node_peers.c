/* SPDX-License-Identifier: Apache-2.0 */

/* Other nodes as programs see them. */
#include "tern_node.h"

#include "node.h"

uint32_t tern_node_id(const struct tern_engine *engine)
{
	return engine->node ? engine->node->id : 0;
}

/* Acquire pairs with the release of link_add() in node_link.c: the link is complete. */
static const struct tern_node_link *link_at(const struct tern_node_lcore *net, uint32_t peer,
					    uint32_t k)
{
	struct tern_node_link **of_peer = __atomic_load_n(&net->of[peer], __ATOMIC_ACQUIRE);
	return of_peer ? __atomic_load_n(&of_peer[k], __ATOMIC_ACQUIRE) : NULL;
}

static void add_link(struct tern_peer *peer, const struct tern_node_link *link, uint32_t *timed)
{
	struct tern_link_stats stats;
	tern_link_stats(link->link, &stats);
	peer->signals_out += stats.signals_sent;
	peer->signals_in += stats.signals_received;
	peer->frames_out += stats.frames_sent;
	peer->frames_in += stats.frames_received;
	peer->retransmitted += stats.retransmitted;
	peer->duplicates += stats.duplicates;
	peer->under_way += stats.under_way;
	peer->held += stats.held;
	peer->srtt_ns += stats.srtt_ns;
	*timed += stats.srtt_ns != 0;
}

/* One link for each lcore of the node that has more. */
static uint32_t links_to(const struct tern_engine *engine, const struct tern_node_peer *peer)
{
	uint32_t theirs = tern_load(&peer->lcores);
	return theirs ? RTE_MAX(theirs, engine->lcore_count) : 0;
}

void tern_node_peer_look(const struct tern_engine *engine, uint32_t index, struct tern_peer *peer)
{
	const struct tern_node_peer *from = &engine->node->peers[index];
	uint64_t heard = tern_load(&from->heard_ns), now = tern_clock_ns(&engine->clock);
	uint32_t timed = 0;
	*peer = (struct tern_peer){.node = from->node,
				   .lcores = tern_load(&from->lcores),
				   .links_open = tern_load(&from->open),
				   .links = links_to(engine, from),
				   .lost = tern_load(&from->lost),
				   .quiet_ns = !heard	     ? UINT64_MAX
					       : now > heard ? now - heard
							     : 0};
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		for (uint32_t k = i; k < TERN_LCORES_MAX; k += engine->lcore_count) {
			const struct tern_node_link *link =
				link_at(&engine->node->lcores[i], from->index, k);
			if (link)
				add_link(peer, link, &timed);
		}
	if (timed)
		peer->srtt_ns /= timed;
}

uint32_t tern_node_peers(const struct tern_engine *engine, struct tern_peer *peers, uint32_t max)
{
	const struct tern_node *node = engine->node;
	for (uint32_t i = 0; node && i < node->peer_count && i < max; i++)
		tern_node_peer_look(engine, i, &peers[i]);
	return node ? node->peer_count : 0;
}

bool tern_node_connected(const struct tern_engine *engine, uint32_t node)
{
	if (!engine->node || node > TERN_WIRE_NODES_MAX || !engine->node->by_node[node])
		return false;
	const struct tern_node_peer *peer = &engine->node->peers[engine->node->by_node[node] - 1];
	uint32_t links = links_to(engine, peer);
	return links && tern_load(&peer->open) == links;
}
