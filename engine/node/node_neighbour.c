/* SPDX-License-Identifier: Apache-2.0 */

/* Where peers are: ARP and neighbour discovery, on lcore 0. Its queue is where such frames come. */
#include "node.h"

#include "dataplane/frame/neighbour.h"

/* Without a connection for so long a peer is asked for again. */
#define DOUBT_NS 100000000u

static void publish_mac(struct tern_node *node, uint32_t index)
{
	const uint8_t *known = tern_neighbours_mac(node->neighbours, index);
	uint64_t mac = 0;
	if (!known)
		return;
	memcpy(&mac, known, 6);
	tern_store(&node->peers[index].mac, mac | TERN_NODE_MAC_KNOWN);
}

/* Said once: it comes as often as the other one asks for a peer. */
static void say_conflict(const struct tern_lcore *lcore)
{
	const struct tern_node_lcore *net = lcore->net;
	if (net->drops[TERN_DROP_CONFLICT] == 1)
		tern_log_write(&lcore->engine->log, TERN_LOG_ERROR,
			       "another machine has this node's address",
			       "node=%u fix=\"give each node a number of its own in node.id\"",
			       net->node->id);
}

void tern_node_neighbour(struct tern_lcore *lcore, struct rte_mbuf *mbuf, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_neighbours *neighbours = net->node->neighbours;
	struct tern_neighbour_news news;
	if (lcore->index != 0 || !neighbours) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	struct rte_mbuf *answer = rte_pktmbuf_alloc(net->frames);
	enum tern_drop why = tern_neighbours_read(neighbours, mbuf, now, answer, &news);
	net->drops[why]++;
	if (why == TERN_DROP_CONFLICT)
		say_conflict(lcore);
	bool is_answered = why == TERN_DROP_NONE && answer && news.is_answered;
	if (!is_answered || !tern_outlet_push(&net->outlet, answer, true))
		rte_pktmbuf_free(answer);
	if (why == TERN_DROP_NONE && news.is_changed)
		publish_mac(net->node, news.index);
	rte_pktmbuf_free(mbuf);
}

/* It may have come up elsewhere, or somebody has claimed its address. */
static void doubt_peer(struct tern_node *node, struct tern_node_peer *peer, uint64_t now)
{
	if (tern_load(&peer->open))
		peer->doubt_ns = now + DOUBT_NS;
	if (now < peer->doubt_ns || peer->has_mac)
		return;
	peer->doubt_ns = now + DOUBT_NS;
	if (node->neighbours)
		tern_neighbours_doubt(node->neighbours, peer->index, now);
	else
		tern_store(&peer->mac, TERN_NODE_MAC_ALL);
}

void tern_node_resolve(struct tern_lcore *lcore, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_neighbours *neighbours = net->node->neighbours;
	for (uint32_t i = 0; i < net->node->peer_count; i++)
		doubt_peer(net->node, &net->node->peers[i], now);
	while (neighbours && tern_neighbours_is_due(neighbours, now)) {
		struct rte_mbuf *question = rte_pktmbuf_alloc(net->frames);
		if (!question)
			return;
		if (!tern_neighbours_ask(neighbours, now, question) ||
		    !tern_outlet_push(&net->outlet, question, true)) {
			rte_pktmbuf_free(question);
			return;
		}
	}
}
