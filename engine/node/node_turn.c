/* SPDX-License-Identifier: Apache-2.0 */

/* The two calls of a turn: frames in, at its beginning, and frames out, at its end. */
#include "node.h"

#include "engine/mail/outbox.h"

#define RX_BURST 32u
/* Agents that are looked at in a turn, of those that senders elsewhere were told of. */
#define LOOKS 32u

static void drop_frame(struct tern_node_lcore *net, struct rte_mbuf *mbuf, enum tern_drop why)
{
	net->drops[why]++;
	rte_pktmbuf_free(mbuf);
}

/* Over raw Ethernet nobody can be asked: who asks for a session, or grants one, says where it is.
 */
static void learn_mac(struct tern_node *node, const struct tern_frame *frame)
{
	uint16_t at = node->by_node[frame->header->from_node];
	uint64_t mac = 0;
	if (!at || frame->header->kind > TERN_WIRE_WELCOME || node->neighbours ||
	    node->peers[at - 1].has_mac)
		return;
	memcpy(&mac, frame->from.mac, sizeof(frame->from.mac));
	tern_store(&node->peers[at - 1].mac, mac | TERN_NODE_MAC_KNOWN);
}

static void take_frame(struct tern_lcore *lcore, const struct tern_frame *frame,
		       struct rte_mbuf *mbuf, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_node_link *link = tern_node_link_from(net, lcore, frame->header);
	if (!link) {
		drop_frame(net, mbuf, TERN_DROP_UNKNOWN_PEER);
		return;
	}
	tern_node_touch(net, link);
	tern_link_input(link->link, frame, mbuf, now);
}

/* What came at a queue of this lcore and is another's: there it is read again. */
static bool hand_over(struct tern_lcore *lcore, const struct tern_frame *frame,
		      struct rte_mbuf *mbuf)
{
	struct tern_node_lcore *net = lcore->net;
	uint32_t home = frame->header->to_lcore % lcore->engine->lcore_count;
	if (tern_likely(home == lcore->index))
		return false;
	if (rte_ring_mp_enqueue(net->node->lcores[home].given, mbuf) != 0)
		drop_frame(net, mbuf, TERN_DROP_NO_FRAME);
	return true;
}

static void take_arrival(struct tern_lcore *lcore, struct rte_mbuf *mbuf, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_frame frame;
	enum tern_drop why = tern_frame_read(&net->node->own, net->node->id, mbuf, &frame);
	if (tern_unlikely(why == TERN_DROP_NEIGHBOUR)) {
		tern_node_neighbour(lcore, mbuf, now);
	} else if (tern_unlikely(why != TERN_DROP_NONE)) {
		drop_frame(net, mbuf, why);
	} else {
		learn_mac(net->node, &frame);
		if (!hand_over(lcore, &frame, mbuf))
			take_frame(lcore, &frame, mbuf, now);
	}
}

/* Frames that another lcore has read, and found right: they begin with the Tern header. */
static unsigned take_given(struct tern_lcore *lcore, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct rte_mbuf *mbufs[RX_BURST];
	unsigned count = rte_ring_sc_dequeue_burst(net->given, (void **)mbufs, RX_BURST, NULL);
	for (unsigned i = 0; i < count; i++) {
		struct tern_frame frame;
		const void *bytes = rte_pktmbuf_mtod(mbufs[i], const void *);
		enum tern_drop why =
			tern_frame_check(bytes, mbufs[i]->data_len, net->node->id, &frame);
		if (why == TERN_DROP_NONE)
			take_frame(lcore, &frame, mbufs[i], now);
		else
			drop_frame(net, mbufs[i], why);
	}
	return count;
}

static unsigned take_burst(struct tern_lcore *lcore, uint64_t now)
{
	struct tern_node_lcore *net = lcore->net;
	struct rte_mbuf *mbufs[RX_BURST];
	uint16_t count = tern_port_rx(net->port, net->queue, mbufs, RX_BURST);
	for (uint16_t i = 0; i < count; i++)
		take_arrival(lcore, mbufs[i], now);
	return count;
}

/* Links whose time has come are looked at as the turn ends. */
static void touch_due(struct tern_node_lcore *net, uint64_t now)
{
	while (tern_deadlines_first(&net->deadlines) <= now)
		tern_node_touch(net, net->links[tern_deadlines_pop(&net->deadlines)]);
}

unsigned tern_node_receive(struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = lcore->net;
	uint64_t now = tern_node_now(lcore);
	unsigned work = take_burst(lcore, now);
	if (tern_unlikely(!rte_ring_empty(net->given)))
		work += take_given(lcore, now);
	if (tern_unlikely(lcore->turn.ticks >= net->connect_ticks))
		tern_node_connect(lcore, now);
	if (tern_unlikely(lcore->turn.ticks >= net->due_ticks))
		touch_due(net, now);
	if (tern_unlikely(net->told.count))
		tern_node_look_pressed(lcore, LOOKS);
	if (tern_unlikely(net->backs.count))
		work += tern_node_give_backs(lcore);
	if (tern_unlikely(net->forwards.count))
		work += tern_node_send_forwards(lcore);
	if (tern_unlikely(net->returns.count))
		work += tern_node_send_returns(lcore);
	return work;
}

static void set_due(struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = lcore->net;
	uint64_t first = tern_deadlines_first(&net->deadlines);
	net->due_ticks = first == UINT64_MAX
				 ? UINT64_MAX
				 : lcore->clock->base + tern_clock_from_ns(lcore->clock, first);
}

/* A link may touch others, or itself, while it is asked: they come in the same round. */
static void look_at_links(struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = lcore->net;
	uint64_t now = tern_clock_ns(lcore->clock);
	while (net->touched_count) {
		struct tern_node_link *link = net->links[net->touched[--net->touched_count]];
		if (tern_unlikely(link->mac != tern_load(&link->peer->mac)))
			tern_node_rewrap(link);
		uint64_t due = tern_link_poll(link->link, now);
		link->is_touched = false;
		if (tern_unlikely(link->note))
			tern_node_look_at_note(link, false);
		tern_deadlines_set(&net->deadlines, link->number, due);
	}
	set_due(lcore);
}

void tern_node_flush(struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = lcore->net;
	if (lcore->turn.ticks >= net->gossip_ticks)
		tern_node_gossip_send(lcore);
	if (net->touched_count)
		look_at_links(lcore);
	if (net->outlet.count)
		tern_outlet_flush(&net->outlet);
}
