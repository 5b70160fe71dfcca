/* SPDX-License-Identifier: Apache-2.0 */

/* The network: what an lcore's port sends passes a fault object and arrives after a while. */
#include "sim.h"

#include <string.h>

#include "tests/unit/dataplane/mbufs.h"

enum { NETWORK_MBUFS = 16383, HELD_MAX = 64, RX_MAX = 32 };

static struct rte_mempool *network_pool; /* of frames on the wire and as received */

void sim_network_start(void)
{
	mbufs_start();
	network_pool = mbufs_pool("network", NETWORK_MBUFS, SIM_FRAME_ROOM, 0);
}

void sim_network_check(const struct sim *sim)
{
	unsigned free_count = rte_mempool_avail_count(network_pool);
	if (free_count != NETWORK_MBUFS)
		sim_fail(sim, "%u frames of the network leaked", NETWORK_MBUFS - free_count);
}

/* Addresses are 2:0:0:0:node:lcore. */
static struct sim_core *core_of(struct sim *sim, const uint8_t *mac)
{
	static const uint8_t head[4] = {2};
	if (memcmp(mac, head, sizeof(head)) != 0 || mac[4] >= sim->plan.nodes ||
	    mac[5] >= sim->plan.lcores)
		return NULL;
	return &sim->cores[mac[4] * sim->plan.lcores + mac[5]];
}

static void insert_arrival(struct sim_port *port, struct rte_mbuf *mbuf, uint64_t at_ns)
{
	uint32_t at = port->count++;
	while (at > 0 && port->arrivals[at - 1].at_ns > at_ns) {
		port->arrivals[at] = port->arrivals[at - 1];
		at--;
	}
	port->arrivals[at] = (struct sim_arrival){mbuf, at_ns};
}

/* A frame that has passed the faults: to whom its address says, if there is one and has a place. */
static void carry(struct sim *sim, struct rte_mbuf *mbuf)
{
	struct sim_core *core = core_of(sim, rte_pktmbuf_mtod(mbuf, const uint8_t *));
	uint64_t at_ns = sim->now_ns + sim->plan.latency_ns;
	if (sim->plan.jitter_ns)
		at_ns += tern_rng_next(&sim->rng) % sim->plan.jitter_ns;
	if (!core || !sim->nodes[core->node].is_up || core->port.count == SIM_ARRIVALS) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	insert_arrival(&core->port, mbuf, at_ns);
}

/* By reference the receiver gets what the sender still holds; else a copy, as a NIC makes one. */
static struct rte_mbuf *put_on_wire(struct sim *sim, struct rte_mbuf *mbuf)
{
	if (sim->plan.by_reference)
		return mbuf;
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, network_pool, 0, UINT32_MAX);
	rte_pktmbuf_free(mbuf);
	return copy;
}

static void send_frame(struct sim_core *core, struct rte_mbuf *mbuf)
{
	struct sim *sim = core->sim;
	const uint8_t *mac = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint32_t to = core_of(sim, mac)->node;
	struct rte_mbuf *out[TERN_FAULT_OUT];
	struct tern_injector *fault = &sim->faults[core->node][to];
	sim->totals.frames++;
	sim_note(sim, 1, (uint64_t)core->number << 32 | rte_pktmbuf_pkt_len(mbuf));
	mbuf = put_on_wire(sim, mbuf);
	if (!mbuf)
		return;
	if (sim->is_cut[core->node][to]) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	if (!tern_injector_is_on(fault)) {
		carry(sim, mbuf);
		return;
	}
	unsigned count = tern_injector_pass(fault, mbuf, sim->now_ns, out);
	for (unsigned i = 0; i < count; i++)
		carry(sim, out[i]);
}

/* Sometimes a queue is full. */
static uint16_t sim_tx(struct tern_port *base, uint16_t queue, struct rte_mbuf **frames,
		       uint16_t count)
{
	struct sim_core *core = ((struct sim_port *)base)->core;
	struct sim *sim = core->sim;
	(void)queue;
	if (!sim->is_healing && sim_chance(sim, 20))
		count = (uint16_t)sim_pick(sim, count + 1u);
	for (uint16_t i = 0; i < count; i++)
		send_frame(core, frames[i]);
	return count;
}

static uint16_t sim_rx(struct tern_port *base, uint16_t queue, struct rte_mbuf **frames,
		       uint16_t count)
{
	struct sim_port *port = (struct sim_port *)base;
	uint16_t taken = 0;
	(void)queue;
	while (taken < count && taken < port->count &&
	       port->arrivals[taken].at_ns <= port->core->sim->now_ns) {
		frames[taken] = port->arrivals[taken].mbuf;
		taken++;
	}
	port->count -= taken;
	memmove(&port->arrivals[0], &port->arrivals[taken],
		port->count * sizeof(port->arrivals[0]));
	return taken;
}

static const struct tern_port_ops sim_port_ops = {.rx_burst = sim_rx, .tx_burst = sim_tx};

void sim_port_init(struct sim_core *core)
{
	core->port = (struct sim_port){.base = {.ops = &sim_port_ops, .queues = 1}, .core = core};
	core->outlet = (struct tern_outlet){.port = &core->port.base};
}

void sim_port_drop(struct sim_core *core)
{
	for (uint32_t i = 0; i < core->port.count; i++)
		rte_pktmbuf_free(core->port.arrivals[i].mbuf);
	core->port.count = 0;
	tern_outlet_drop(&core->outlet);
}

uint64_t sim_port_due(const struct sim_core *core)
{
	return core->port.count ? core->port.arrivals[0].at_ns : UINT64_MAX;
}

void sim_faults_init(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->plan.nodes; i++)
		for (uint32_t j = 0; j < sim->plan.nodes; j++)
			if (tern_injector_init(&sim->faults[i][j], tern_rng_next(&sim->rng), HELD_MAX,
					    network_pool) != 0)
				sim_fail(sim, "no memory for faults");
}

void sim_faults_fini(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		for (uint32_t j = 0; j < sim->plan.nodes; j++) {
			sim->totals.fault_lost += sim->faults[i][j].stats.lost;
			sim->totals.corrupted += sim->faults[i][j].stats.corrupted;
			tern_injector_fini(&sim->faults[i][j]);
		}
	}
}

uint64_t sim_faults_poll(struct sim *sim)
{
	struct rte_mbuf *out[RX_MAX];
	uint64_t due = UINT64_MAX;
	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		for (uint32_t j = 0; j < sim->plan.nodes; j++) {
			struct tern_injector *fault = &sim->faults[i][j];
			if (!tern_injector_is_on(fault))
				continue;
			unsigned count = tern_injector_due(fault, sim->now_ns, out, RX_MAX);
			for (unsigned at = 0; at < count; at++)
				carry(sim, out[at]);
			due = RTE_MIN(due, tern_injector_next_ns(fault));
		}
	}
	return due;
}
