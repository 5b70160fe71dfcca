/* SPDX-License-Identifier: Apache-2.0 */

/* Nodes: their pools, links and turns. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

enum { RX_BURST = 32 };

static struct tern_endpoint endpoint_of(const struct sim_core *core)
{
	return (struct tern_endpoint){
		.carrier = TERN_CARRIER_ETHERNET,
		.mac = {2, 0, 0, 0, (uint8_t)core->node, (uint8_t)core->index}};
}

static void open_link(struct sim_core *core, const struct sim_core *other)
{
	struct sim *sim = core->sim;
	struct sim_node *node = &sim->nodes[core->node];
	struct tern_endpoint from = endpoint_of(core), to = endpoint_of(other);
	struct tern_link_config config = {.node = (uint16_t)(core->node + 1),
					  .peer = (uint16_t)(other->node + 1),
					  .lcore = (uint8_t)core->index,
					  .peer_lcore = (uint8_t)other->index,
					  .lcores = (uint8_t)sim->plan.lcores,
					  .frame_max = sim->plan.frame_max,
					  .credit_max = sim->plan.credit_max,
					  .window_max = sim->plan.window_max,
					  .incarnation = node->life,
					  .cluster = 77,
					  .heartbeat_ns = SIM_MS,
					  .dead_ns = 20 * SIM_MS,
					  .congestion_ns = sim->plan.congestion_ns,
					  .seed = tern_rng_next(&sim->rng),
					  .outlet = &core->outlet,
					  .frames = core->pool,
					  .lender = sim->plan.lend ? &core->lender : NULL,
					  .heap = &core->heap,
					  .heard_ns = &node->heard_ns[other->node],
					  .ops = &sim_ops,
					  .owner = core};
	tern_wrap_init(&config.wrap, &from, &to, 0);
	core->links[other->number] = tern_link_create(&config, sim->now_ns);
	if (!core->links[other->number])
		sim_fail(sim, "a link cannot be made");
	core->due_ns[other->number] = sim->now_ns;
	sim_agents_begin(core, other->number);
}

static void make_pool(struct sim_core *core)
{
	char name[32];
	struct sim *sim = core->sim;
	unsigned links = sim->core_count - sim->plan.lcores;
	uint32_t life = sim->nodes[core->node].life;
	snprintf(name, sizeof(name), "core%u.%u", core->number, life);
	core->pool = rte_pktmbuf_pool_create(name, links + sim->plan.pool_mbufs, 0,
					     TERN_LINK_PRIVATE, SIM_FRAME_ROOM, 0);
	if (!core->pool)
		sim_fail(sim, "no pool");
	core->pools[life] = core->pool;
}

static void start_core(struct sim_core *core)
{
	struct sim *sim = core->sim;
	make_pool(core);
	core->lender.free = sim->plan.lend;
	core->refuses_until_ns = 0;
	for (uint32_t i = 0; i < sim->core_count; i++)
		if (sim->cores[i].node != core->node)
			open_link(core, &sim->cores[i]);
}

void sim_node_start(struct sim *sim, uint32_t node)
{
	sim->nodes[node].is_up = true;
	sim->nodes[node].life++;
	sim->nodes[node].paused_until_ns = 0;
	for (uint32_t i = 0; i < sim->core_count; i++)
		if (sim->cores[i].node == node)
			start_core(&sim->cores[i]);
	sim_note(sim, 2, node);
}

static void add_stats(struct sim *sim, const struct tern_link *link)
{
	struct tern_link_stats stats;
	tern_link_stats(link, &stats);
	sim->totals.sessions += stats.sessions;
	sim->totals.retransmitted += stats.retransmitted;
	sim->totals.naks += stats.naks_sent;
	sim->totals.probes += stats.probes;
	sim->totals.duplicates += stats.duplicates;
	for (int i = 0; i < TERN_DROPS; i++)
		sim->totals.drops += stats.drops[i];
}

static void close_links(struct sim_core *core)
{
	for (uint32_t i = 0; i < core->sim->core_count; i++) {
		if (!core->links[i])
			continue;
		add_stats(core->sim, core->links[i]);
		tern_link_destroy(core->links[i], core->sim->now_ns);
		core->links[i] = NULL;
	}
	sim_port_drop(core);
}

/* Memory goes, and nobody is told: the goodbyes stay in the outlet. */
void sim_node_crash(struct sim *sim, uint32_t node)
{
	sim->nodes[node].is_up = false;
	sim_agents_excuse(sim, node);
	for (uint32_t i = 0; i < sim->core_count; i++)
		if (sim->cores[i].node == node)
			close_links(&sim->cores[i]);
	sim->totals.crashes++;
	sim_note(sim, 3, node);
}

static void make_heap(struct sim_core *core)
{
	struct tern_arena_request request = {.size = SIM_HEAP_BYTES,
					     .page_bytes_max = TERN_PAGE_4K};
	memset(core->away, 0, sizeof(core->away));
	if (tern_arena_map(&core->arena, &request, NULL) != 0)
		sim_fail(core->sim, "no memory for blocks");
	struct tern_span span = {core->arena.base, core->arena.base + SIM_HEAP_BYTES};
	if (tern_heap_init(&core->heap, 0, 1, span, core->away) != 0)
		sim_fail(core->sim, "no heap");
}

void sim_cluster_start(struct sim *sim)
{
	sim->core_count = sim->plan.nodes * sim->plan.lcores;
	for (uint32_t i = 0; i < sim->core_count; i++) {
		struct sim_core *core = &sim->cores[i];
		core->sim = sim;
		core->number = i;
		core->node = i / sim->plan.lcores;
		core->index = i % sim->plan.lcores;
		make_heap(core);
		sim_port_init(core);
	}
	for (uint32_t i = 0; i < sim->plan.nodes; i++)
		sim_node_start(sim, i);
}

static void free_core(struct sim_core *core)
{
	tern_heap_settle(&core->heap);
	if (core->heap.in_use)
		sim_fail(core->sim, "lcore %u: %lu blocks leaked", core->number,
			 (unsigned long)core->heap.in_use);
	for (uint32_t i = 0; i < SIM_LIVES_MAX; i++) {
		if (core->pools[i] && rte_mempool_in_use_count(core->pools[i]))
			sim_fail(core->sim, "lcore %u: %u mbufs leaked", core->number,
				 rte_mempool_in_use_count(core->pools[i]));
		rte_mempool_free(core->pools[i]);
	}
	tern_heap_fini(&core->heap);
	tern_arena_unmap(&core->arena);
}

void sim_cluster_stop(struct sim *sim)
{
	sim->is_over = true;
	for (uint32_t i = 0; i < sim->core_count; i++)
		close_links(&sim->cores[i]);
	for (uint32_t i = 0; i < sim->core_count; i++)
		sim_port_drop(&sim->cores[i]);
	sim_faults_fini(sim);
	for (uint32_t i = 0; i < sim->core_count; i++)
		free_core(&sim->cores[i]);
	sim_network_check(sim);
}

static void take_frame(struct sim_core *core, struct rte_mbuf *mbuf)
{
	struct tern_endpoint own = endpoint_of(core);
	struct tern_frame frame;
	struct sim *sim = core->sim;
	enum tern_drop why = tern_frame_read(&own, (uint16_t)(core->node + 1), mbuf, &frame);
	uint32_t from = why == TERN_DROP_NONE ? frame.header->from_node - 1u : 0;
	if (why != TERN_DROP_NONE || from >= sim->plan.nodes ||
	    frame.header->from_lcore >= sim->plan.lcores) {
		sim_note(sim, 4, why);
		rte_pktmbuf_free(mbuf);
		return;
	}
	uint32_t number = from * sim->plan.lcores + frame.header->from_lcore;
	why = tern_link_input(core->links[number], &frame, mbuf, sim->now_ns);
	core->due_ns[number] = sim->now_ns;
	sim_note(sim, 5, (uint64_t)number << 8 | why);
}

static void check_bounds(struct sim_core *core, const struct tern_link *link)
{
	struct tern_link_stats stats;
	tern_link_stats(link, &stats);
	if (stats.under_way > core->sim->plan.window_max)
		sim_fail(core->sim, "%lu frames are under way, of %u",
			 (unsigned long)stats.under_way, core->sim->plan.window_max);
	if (stats.held > core->sim->plan.credit_max)
		sim_fail(core->sim, "%lu frames are held, of %u", (unsigned long)stats.held,
			 core->sim->plan.credit_max);
}

bool sim_core_turn(struct sim_core *core)
{
	struct rte_mbuf *frames[RX_BURST];
	struct sim *sim = core->sim;
	uint16_t count = tern_port_rx(&core->port.base, 0, frames, RX_BURST);
	bool is_busy = count > 0;
	for (uint16_t i = 0; i < count; i++)
		take_frame(core, frames[i]);
	for (uint32_t i = 0; i < sim->core_count; i++) {
		struct tern_link *link = core->links[i];
		if (!link || (core->due_ns[i] > sim->now_ns && !tern_link_is_due(link)))
			continue;
		if (sim_chance(sim, 500))
			tern_link_flush(link, sim->now_ns);
		core->due_ns[i] = tern_link_poll(link, sim->now_ns);
		check_bounds(core, link);
		is_busy = true;
	}
	tern_outlet_flush(&core->outlet);
	return is_busy || core->outlet.count;
}

uint64_t sim_core_due(const struct sim_core *core)
{
	uint64_t due = sim_port_due(core);
	for (uint32_t i = 0; i < core->sim->core_count; i++)
		if (core->links[i])
			due = RTE_MIN(due, core->due_ns[i]);
	return due;
}
