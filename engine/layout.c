/* SPDX-License-Identifier: Apache-2.0 */

/* How an engine's one arena is cut: shared tables first, then one region per lcore. */
#include "layout.h"

#include <errno.h>
#include <stdlib.h>
#include <numa.h>
#include <sys/mman.h>

#include <rte_rcu_qsbr.h>

#include "capabilities/lines.h"
#include "engine/agent/registry.h"
#include "engine/agent/routing.h"
#include "engine/lcore/asked.h"
#include "engine/mail/control.h"
#include "engine/schedule/global_queue.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"
#include "engine/turn/rooms.h"

#define MIB ((size_t)1 << 20)

static size_t page_bytes_max(enum tern_pages pages)
{
	switch (pages) {
	case TERN_PAGES_AUTO:
	case TERN_PAGES_1G:
		return TERN_PAGE_1G;
	case TERN_PAGES_2M:
		return TERN_PAGE_2M;
	default:
		return TERN_PAGE_4K;
	}
}

static uint32_t ring_entries(uint32_t slots)
{
	uint32_t entries = 2 * TERN_SLOT_CACHE;
	while (entries <= slots)
		entries *= 2;
	return entries;
}

/* Lanes to every lcore and thread, and spares for the ones to itself. */
static size_t lane_bytes(const struct tern_engine *engine, uint32_t index)
{
	size_t bytes = 0;
	for (uint32_t route = 0; route < 2 * engine->system_count; route++)
		bytes += tern_lane_bytes(tern_lane_depth(engine, index, route));
	for (uint32_t express = 0; express < 2; express++)
		bytes += tern_lane_bytes(tern_lane_depth(engine, index, 2 * index + express));
	return bytes;
}

static size_t mailbox_bytes(const struct tern_engine *engine, uint32_t index)
{
	return index < engine->lcore_count ? engine->config.mailbox_mib * MIB : MIB;
}

static size_t region_bytes(const struct tern_engine *engine, uint32_t index)
{
	size_t bytes = lane_bytes(engine, index) + engine->config.block_mib * MIB +
		       mailbox_bytes(engine, index);
	return (bytes + TERN_PAGE_2M - 1) & ~(TERN_PAGE_2M - 1);
}

static size_t ring_bytes(uint32_t element, uint32_t entries)
{
	return (size_t)rte_ring_get_memsize_elem(element, entries);
}

static int make_ring(struct rte_ring **ring, struct tern_span *span, uint32_t element,
		     uint32_t entries)
{
	*ring = tern_span_take(span, ring_bytes(element, entries), TERN_PAGE_4K);
	return rte_ring_init(*ring, "tern", entries, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static size_t shared_bytes(const struct tern_engine *engine)
{
	size_t slot = sizeof(struct tern_agent) + sizeof(uint64_t) + sizeof(struct tern_asked);
	size_t bytes = engine->slots * slot +
		       ring_bytes(sizeof(uint32_t), ring_entries(engine->slots)) + 5 * TERN_PAGE_4K;
	return (bytes + TERN_PAGE_2M - 1) & ~(TERN_PAGE_2M - 1);
}

static int cut_shared(struct tern_engine *engine, struct tern_span *span)
{
	engine->agents =
		tern_span_take(span, engine->slots * sizeof(struct tern_agent), TERN_PAGE_4K);
	engine->directory = tern_span_take(span, engine->slots * sizeof(uint64_t), TERN_PAGE_4K);
	engine->asked =
		tern_span_take(span, engine->slots * sizeof(struct tern_asked), TERN_PAGE_4K);
	return make_ring(&engine->slot_ring, span, sizeof(uint32_t), ring_entries(engine->slots));
}

/* Tables indexed by lcore: small, and private to their lcore, so ordinary memory will do. */
static int make_tables(struct tern_engine *engine, struct tern_lcore *lcore)
{
	size_t systems = engine->system_count, routes = 2 * systems + 1;
	lcore->out = calloc(routes, sizeof(*lcore->out));
	lcore->arrivals.lanes = calloc(routes, sizeof(struct tern_lane *));
	lcore->lanes.open = calloc(routes, sizeof(bool));
	lcore->lanes.express.lanes = calloc(systems, sizeof(struct tern_lane_in));
	lcore->lanes.data.lanes = calloc(systems, sizeof(struct tern_lane_in));
	lcore->heap.away = calloc(systems, sizeof(struct tern_block_chain));
	lcore->outboxes.returns = calloc(routes, sizeof(struct tern_mailbox));
	lcore->outboxes.ends = calloc(routes, sizeof(struct tern_note_list));
	lcore->waiters.entries = calloc(TERN_WAITERS_MAX, sizeof(struct tern_waiter));
	lcore->roaming.passage.positions = calloc(routes, sizeof(uint32_t));
	for (size_t i = 0; lcore->outboxes.returns && i < routes; i++)
		lcore->outboxes.returns[i] = TERN_MAILBOX_EMPTY;
	bool made = lcore->outboxes.ends && lcore->waiters.entries && lcore->out &&
		    lcore->arrivals.lanes && lcore->lanes.open && lcore->lanes.express.lanes &&
		    lcore->lanes.data.lanes && lcore->heap.away && lcore->outboxes.returns &&
		    lcore->roaming.passage.positions;
	return made ? 0 : -ENOMEM;
}

/* Of the lcores before it: roaming agents know cells by their number among all. */
static uint32_t cells_before(const struct tern_engine *engine, uint32_t index)
{
	if (index == 0)
		return 0;
	const struct tern_lcore *before = &engine->lcores[index - 1];
	return before->mail.cells_from + before->mail.cells.count;
}

static int cut_region(struct tern_engine *engine, struct tern_lcore *lcore, unsigned char *base)
{
	const struct tern_config *config = &engine->config;
	size_t cells = mailbox_bytes(engine, lcore->index), blocks = config->block_mib * MIB;
	unsigned char *end = base + region_bytes(engine, lcore->index);
	if (!lcore->is_thread && numa_available() >= 0)
		tern_arena_bind(&engine->arena, base, (size_t)(end - base),
				numa_node_of_cpu(config->lcores[lcore->index]));
	tern_cells_init(&lcore->mail.cells, base, cells);
	lcore->mail.cells_from = cells_before(engine, lcore->index);
	struct tern_span block_span = {.next = base + cells, .end = base + cells + blocks};
	lcore->lanes.span = (struct tern_span){.next = base + cells + blocks, .end = end};
	return tern_heap_init(&lcore->heap, lcore->index, engine->system_count, block_span,
			      lcore->heap.away);
}

static void init_system_agent(struct tern_lcore *lcore)
{
	static const struct tern_behaviour system = {.name = "lcore",
						     .handler = tern_control_handle};
	struct tern_agent *agent = &lcore->agents[lcore->index];
	tern_agent_on_boot(agent);
	agent->behaviour = &system;
	agent->handler = system.handler;
	agent->lcore = lcore;
	uint32_t generation = lcore->engine->first_generation;
	agent->address = tern_lcore_address_of(lcore, lcore->index, generation);
	agent->mailbox = TERN_MAILBOX_EMPTY;
	agent->high_water = lcore->engine->config.high_water;
	agent->low_water = lcore->engine->config.low_water;
	lcore->directory[lcore->index] = tern_dir_make(generation, 2 * lcore->index);
}

static int init_lcore(struct tern_engine *engine, uint32_t index, unsigned char *region)
{
	struct tern_lcore *lcore = &engine->lcores[index];
	const struct tern_config *config = &engine->config;
	*lcore = (struct tern_lcore){
		.agents = engine->agents,
		.directory = engine->directory,
		.profiles = engine->profiles,
		.rooms = engine->rooms,
		.reserves = engine->reserves,
		.roam_route = engine->roam_route,
		.slots = engine->slots,
		.index = index,
		.engine = engine,
		.finder = engine->table->finder,
		.lookups = &engine->router->readers[index],
		.clock = &engine->clock,
		.node_bits = tern_address_make(config->node, 0, 0),
		.trace_every = config->trace_every,
		.trace_left = config->trace_every,
		.stamp_each = config->stamp_each_signal || index >= engine->lcore_count,
		.is_thread = index >= engine->lcore_count,
		.mail = {.credit = UINT32_MAX,
			 .depth_max = tern_lane_depth(engine, index, 2 * index)},
		.pending = {.asks = TERN_SLOT_NONE, .fds = TERN_SLOT_NONE},
		.arrivals = {.asked = TERN_SLOT_NONE,
			     .fds = TERN_SLOT_NONE,
			     .woken = TERN_SLOT_NONE},
		.rng = tern_rng_stream(config->seed, index),
	};
	tern_sampler_init(&lcore->sampler,
			  tern_clock_from_ns(&engine->clock, config->slice_us * 1000ull));
	for (int i = 0; i < TERN_IDS_AHEAD; i++)
		tern_engine_draw_id(lcore, &lcore->spawns.ids[i]);
	if (make_tables(engine, lcore) != 0 || cut_region(engine, lcore, region) != 0)
		return -ENOMEM;
	tern_wheel_init(&lcore->wheel, tern_clock_ticks(&engine->clock), engine->clock.hz);
	init_system_agent(lcore);
	lcore->guard.scope = &lcore->guard.own;
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++)
		tern_run_ring_init(&lcore->roaming.rings[level]);
	rte_rcu_qsbr_thread_register(engine->quiet, index);
	if (!lcore->is_thread)
		rte_rcu_qsbr_thread_online(engine->quiet, index);
	return tern_ready_init(lcore);
}

/* Beside the arena, by slot, and untouched: most agents need none of it, and cost no page here. */
static void *reserve_by_slots(const struct tern_engine *engine, size_t each)
{
	void *memory = mmap(NULL, engine->slots * each, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void give_up(const struct tern_engine *engine, void *memory, size_t each)
{
	if (memory)
		munmap(memory, engine->slots * each);
}

static size_t hops_bytes(void)
{
	return TERN_HOPS * sizeof(struct tern_histogram);
}

/* What only some agents need. */
static int reserve_by_slot(struct tern_engine *engine)
{
	engine->profiles = reserve_by_slots(engine, sizeof(struct tern_profile));
	engine->rooms = reserve_by_slots(engine, sizeof(struct tern_room *));
	engine->reserves = reserve_by_slots(engine, sizeof(struct tern_reserve));
	engine->extras = reserve_by_slots(engine, sizeof(struct tern_extras));
	/* Slots come round, so that one after the other is touched: a page fault for each 21 would
	 * cost as much as the rest of a spawn of a fiber. */
	if (engine->extras && engine->config.pages != TERN_PAGES_4K)
		madvise(engine->extras, engine->slots * sizeof(struct tern_extras), MADV_HUGEPAGE);
	if (engine->config.trace_every)
		engine->hops = reserve_by_slots(engine, hops_bytes());
	bool traces = engine->hops || !engine->config.trace_every;
	bool made = engine->profiles && engine->rooms && engine->reserves && engine->extras;
	return made && traces ? 0 : -ENOMEM;
}

static void give_up_by_slot(struct tern_engine *engine)
{
	give_up(engine, engine->profiles, sizeof(struct tern_profile));
	give_up(engine, engine->rooms, sizeof(struct tern_room *));
	give_up(engine, engine->reserves, sizeof(struct tern_reserve));
	give_up(engine, engine->extras, sizeof(struct tern_extras));
	give_up(engine, engine->hops, hops_bytes());
	engine->profiles = NULL;
	engine->rooms = NULL;
	engine->reserves = NULL;
	engine->extras = NULL;
	engine->hops = NULL;
}

static struct rte_rcu_qsbr *make_quiet(const struct tern_engine *engine)
{
	uint32_t readers = engine->system_count + 1;
	struct rte_rcu_qsbr *quiet = aligned_alloc(TERN_LINE, rte_rcu_qsbr_get_memsize(readers));
	if (!quiet)
		return NULL;
	rte_rcu_qsbr_init(quiet, readers);
	rte_rcu_qsbr_thread_register(quiet, engine->system_count); /* the inspector: offline */
	return quiet;
}

/* What a reading of the clock adds to a measured span, ticks. */
static uint64_t clock_cost(const struct tern_clock *clock)
{
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < 64; i++) {
		uint64_t from = tern_clock_ticks(clock), took = tern_clock_ticks(clock) - from;
		least = took < least ? took : least;
	}
	return least;
}

/*
 * Alone, 1. Of a node, drawn from the lower half, so that an address of its life before, which
 * other nodes may still have, hardly means anybody: one in 2^23.
 */
static uint32_t first_generation(struct tern_engine *engine)
{
	if (engine->config.node == 0)
		return 1;
	return 1 + (uint32_t)(tern_engine_draw(engine) % (TERN_ADDRESS_GENERATION_MASK / 2));
}

int tern_layout_map(struct tern_engine *engine, struct tern_error *error)
{
	const struct tern_config *config = &engine->config;
	engine->lcore_count = config->lcore_count;
	engine->system_count = config->lcore_count + config->max_threads;
	/* Slack: what the slot caches hold back from others. */
	engine->slots = engine->system_count * (1 + 2 * TERN_SLOT_CACHE) + config->max_agents;
	engine->slot_cursor = engine->system_count;
	engine->roam_route = 2 * engine->system_count;
	engine->permits = config->max_agents;
	engine->runnable_left = config->max_concurrent;
	engine->rng = tern_rng_stream(config->seed, engine->system_count);
	engine->first_generation = first_generation(engine);
	engine->clock_cost = clock_cost(&engine->clock);
	size_t shared = shared_bytes(engine), regions = 0;
	for (uint32_t i = 0; i < engine->system_count; i++)
		regions += region_bytes(engine, i);
	struct tern_arena_request request = {
		.size = shared + regions,
		.page_bytes_max = page_bytes_max(config->pages),
		.transparent = config->pages != TERN_PAGES_4K,
		.required = config->pages_required,
	};
	int error_code = tern_arena_map(&engine->arena, &request, error);
	if (error_code != 0)
		return error_code;
	engine->lcores = tern_lines_make(engine->system_count * sizeof(struct tern_lcore));
	struct tern_span span = {.next = engine->arena.base, .end = engine->arena.base + shared};
	engine->quiet = make_quiet(engine);
	if (!engine->lcores || !engine->quiet || reserve_by_slot(engine) != 0 ||
	    tern_global_init(engine) != 0 || cut_shared(engine, &span) != 0)
		return tern_error_set(error, -ENOMEM, "memory: the shared tables do not fit");
	error_code = tern_routing_init(engine, page_bytes_max(config->pages), error);
	if (error_code != 0)
		return error_code;
	unsigned char *region = engine->arena.base + shared;
	for (uint32_t i = 0; i < engine->system_count; i++) {
		if (init_lcore(engine, i, region) != 0)
			return tern_error_set(error, -ENOMEM, "memory: no room for lcore %u", i);
		region += region_bytes(engine, i);
	}
	return 0;
}

void tern_layout_unmap(struct tern_engine *engine)
{
	for (uint32_t i = 0; engine->lcores && i < engine->system_count; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		tern_heap_fini(&lcore->heap);
		tern_ready_fini(lcore);
		free(lcore->out);
		free(lcore->arrivals.lanes);
		free(lcore->lanes.open);
		free(lcore->lanes.express.lanes);
		free(lcore->lanes.data.lanes);
		free(lcore->heap.away);
		free(lcore->outboxes.returns);
		free(lcore->outboxes.ends);
		free(lcore->waiters.entries);
		free(lcore->roaming.passage.positions);
	}
	give_up_by_slot(engine);
	tern_rooms_fini(engine);
	tern_global_fini(engine);
	tern_routing_fini(engine);
	free(engine->quiet);
	engine->quiet = NULL;
	free(engine->lcores);
	engine->lcores = NULL;
	tern_arena_unmap(&engine->arena);
}
