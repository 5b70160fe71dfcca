/* SPDX-License-Identifier: Apache-2.0 */

/* The network between engines: frames go where their MAC says, through an injector, after a while.
 */
#include "nodes.h"

#include <string.h>

#include "tests/unit/dataplane/mbufs.h"

enum { WIRE_MBUFS = 32767, HELD_MAX = 64, DUE_MAX = 32, MTU = 1500 };

static struct rte_mempool *wire_pool;

void nodes_network_start(void)
{
	mbufs_start();
	wire_pool = mbufs_pool("wire", WIRE_MBUFS, MTU + 18, 0);
}

void nodes_network_check(const struct nodes *nodes)
{
	unsigned left = WIRE_MBUFS - rte_mempool_avail_count(wire_pool);
	if (left)
		nodes_fail(nodes, "%u frames of the network leaked", left);
}

/* Addresses are 2:0:0:0:0:node. */
static uint32_t node_of(const struct nodes *nodes, const struct rte_mbuf *frame)
{
	static const uint8_t head[5] = {2};
	const uint8_t *mac = rte_pktmbuf_mtod(frame, const uint8_t *);
	return memcmp(mac, head, 5) == 0 && mac[5] < nodes->count ? mac[5] : NODES_MAX;
}

/* Any queue, as a NIC spreads flows; but what is no flow comes to the first. */
static void arrive(struct nodes *nodes, uint32_t to, struct rte_mbuf *frame, uint32_t queue)
{
	struct nodes_port *port = &nodes->node[to].port;
	if (!nodes->node[to].engine || port->count[queue] == ARRIVALS_MAX) {
		rte_pktmbuf_free(frame);
		return;
	}
	uint64_t at_ns = nodes->now_ns + nodes->latency_ns + nodes_pick(nodes, 2000);
	struct arrival *arrivals = port->arrivals[queue];
	uint32_t at = port->count[queue]++;
	for (; at > 0 && arrivals[at - 1].at_ns > at_ns; at--)
		arrivals[at] = arrivals[at - 1];
	arrivals[at] = (struct arrival){frame, at_ns};
}

static void carry(struct nodes *nodes, struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint32_t to = node_of(nodes, frame);
	bool is_arp = bytes[12] == 0x08 && bytes[13] == 0x06;
	if (to == NODES_MAX)
		rte_pktmbuf_free(frame);
	else
		arrive(nodes, to, frame, is_arp ? 0 : nodes_pick(nodes, nodes->node[to].lcores));
}

static void send_to(struct nodes *nodes, uint32_t from, uint32_t to, const struct rte_mbuf *frame)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(frame, wire_pool, 0, UINT32_MAX);
	struct rte_mbuf *out[TERN_FAULT_OUT];
	if (!copy || nodes->is_cut[from][to]) {
		rte_pktmbuf_free(copy);
		return;
	}
	if (rte_pktmbuf_mtod(copy, uint8_t *)[0] & 1) {
		arrive(nodes, to, copy, 0);
		return;
	}
	unsigned count = tern_injector_pass(&nodes->faults[from][to], copy, nodes->now_ns, out);
	for (unsigned i = 0; i < count; i++)
		carry(nodes, out[i]);
}

static uint16_t nodes_tx(struct tern_port *base, uint16_t queue, struct rte_mbuf **frames,
			 uint16_t count)
{
	struct nodes_port *port = (struct nodes_port *)base;
	struct nodes *nodes = port->nodes;
	(void)queue;
	for (uint16_t i = 0; i < count; i++) {
		uint32_t only = node_of(nodes, frames[i]);
		nodes->frames++;
		nodes_note(nodes, (uint64_t)port->node << 32 | rte_pktmbuf_pkt_len(frames[i]));
		for (uint32_t to = 0; to < nodes->count; to++)
			if (to != port->node && (only == NODES_MAX || only == to))
				send_to(nodes, port->node, to, frames[i]);
		rte_pktmbuf_free(frames[i]);
	}
	return count;
}

static uint16_t nodes_rx(struct tern_port *base, uint16_t queue, struct rte_mbuf **frames,
			 uint16_t count)
{
	struct nodes_port *port = (struct nodes_port *)base;
	struct arrival *arrivals = port->arrivals[queue];
	uint16_t taken = 0;
	while (taken < count && taken < port->count[queue] &&
	       arrivals[taken].at_ns <= port->nodes->now_ns) {
		frames[taken] = arrivals[taken].frame;
		taken++;
	}
	port->count[queue] -= taken;
	memmove(arrivals, arrivals + taken, port->count[queue] * sizeof(*arrivals));
	return taken;
}

static bool nodes_is_up(struct tern_port *port)
{
	(void)port;
	return true;
}

static void nodes_destroy(struct tern_port *port)
{
	(void)port;
}

static const struct tern_port_ops ops = {
	.rx_burst = nodes_rx, .tx_burst = nodes_tx, .is_up = nodes_is_up, .destroy = nodes_destroy};

void nodes_port_init(struct nodes *nodes, uint32_t node)
{
	nodes->node[node].port.nodes = nodes;
	nodes->node[node].port.node = node;
	nodes->node[node].port.base =
		(struct tern_port){.ops = &ops,
				   .queues = (uint16_t)nodes->node[node].lcores,
				   .frame_max = MTU,
				   .mac = {2, 0, 0, 0, 0, (uint8_t)node},
				   .name = "simulated"};
}

void nodes_port_drop(struct node *node)
{
	for (uint32_t queue = 0; queue < LCORES_MAX; queue++) {
		for (uint32_t i = 0; i < node->port.count[queue]; i++)
			rte_pktmbuf_free(node->port.arrivals[queue][i].frame);
		node->port.count[queue] = 0;
	}
}

void nodes_network_init(struct nodes *nodes, const struct tern_fault_rule *worst)
{
	for (uint32_t i = 0; i < nodes->count; i++)
		for (uint32_t j = 0; j < nodes->count; j++) {
			struct tern_injector *fault = &nodes->faults[i][j];
			if (tern_injector_init(fault, tern_rng_next(&nodes->rng), HELD_MAX,
					       wire_pool) != 0)
				nodes_fail(nodes, "no memory for faults");
			tern_injector_set(fault, TERN_FAULT_OUTWARD, worst, 1);
		}
}

void nodes_network_heal(struct nodes *nodes)
{
	memset(nodes->is_cut, 0, sizeof(nodes->is_cut));
	for (uint32_t i = 0; i < nodes->count; i++)
		for (uint32_t j = 0; j < nodes->count; j++)
			tern_injector_set(&nodes->faults[i][j], TERN_FAULT_OUTWARD, NULL, 0);
}

void nodes_network_fini(struct nodes *nodes)
{
	for (uint32_t i = 0; i < nodes->count; i++) {
		nodes_port_drop(&nodes->node[i]);
		for (uint32_t j = 0; j < nodes->count; j++)
			tern_injector_fini(&nodes->faults[i][j]);
	}
}

void nodes_network_poll(struct nodes *nodes)
{
	struct rte_mbuf *out[DUE_MAX];
	for (uint32_t i = 0; i < nodes->count; i++)
		for (uint32_t j = 0; j < nodes->count; j++) {
			unsigned count = tern_injector_due(&nodes->faults[i][j], nodes->now_ns, out,
							   DUE_MAX);
			for (unsigned at = 0; at < count; at++)
				carry(nodes, out[at]);
		}
}
