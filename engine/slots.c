/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"

#include <rte_ring_elem.h>

#include "engine.h"

#define BATCH (TERN_SLOT_CACHE / 2)

static void cache_push(struct tern_lcore *lcore, uint32_t slot)
{
	lcore->slot_cache[(lcore->slot_first + lcore->slot_count++) % TERN_SLOT_CACHE] = slot;
}

static uint32_t cache_pop(struct tern_lcore *lcore)
{
	uint32_t slot = lcore->slot_cache[lcore->slot_first];
	lcore->slot_first = (lcore->slot_first + 1) % TERN_SLOT_CACHE;
	lcore->slot_count--;
	return slot;
}

/* Never used slots first, so that a slot rests as long as possible before its next life. */
static void refill(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	if (tern_load(&engine->slot_cursor) < engine->slots) {
		uint32_t from = __atomic_fetch_add(&engine->slot_cursor, BATCH, __ATOMIC_RELAXED);
		for (uint32_t i = from; i < from + BATCH && i < engine->slots; i++)
			cache_push(lcore, i);
	}
	if (lcore->slot_count)
		return;
	uint32_t slots[BATCH];
	uint32_t got = rte_ring_dequeue_burst_elem(engine->slot_ring, slots, sizeof(slots[0]),
						   BATCH, NULL);
	for (uint32_t i = 0; i < got; i++)
		cache_push(lcore, slots[i]);
}

static void spill(struct tern_lcore *lcore)
{
	uint32_t slots[BATCH];
	for (uint32_t i = 0; i < BATCH; i++)
		slots[i] = cache_pop(lcore);
	rte_ring_enqueue_bulk_elem(lcore->engine->slot_ring, slots, sizeof(slots[0]), BATCH, NULL);
}

/*
 * max_agents is exact as long as one lcore spawns at a time; when all spawn at the same instant
 * near the limit, each may pass it by one. Away from it nobody looks: an lcore may make its
 * share of what was left at the last look.
 */
static bool within_limit(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	if (lcore->spawn_credit == 0) {
		uint64_t spawned = 0, ended = 0;
		for (uint32_t i = 0; i < engine->system_count; i++) {
			spawned += tern_load(&engine->lcores[i].stats.spawned);
			ended += tern_load(&engine->lcores[i].stats.agents_ended);
		}
		uint64_t alive = spawned - ended;
		if (alive >= engine->config.max_agents)
			return false;
		uint64_t left = engine->config.max_agents - alive;
		lcore->spawn_credit = (uint32_t)(left / engine->system_count) + 1;
	}
	lcore->spawn_credit--;
	return true;
}

uint32_t tern_slots_take(struct tern_lcore *lcore)
{
	if (!within_limit(lcore))
		return TERN_SLOT_NONE;
	if (lcore->slot_count == 0)
		refill(lcore);
	return lcore->slot_count ? cache_pop(lcore) : TERN_SLOT_NONE;
}

void tern_slots_put(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	uint32_t generation = tern_address_generation(agent->address) + 1;
	if (generation > TERN_ADDRESS_GENERATION_MASK)
		return;
	tern_store(&agent->address, tern_address_make(0, slot, generation));
	tern_store(&lcore->directory[slot], generation | TERN_DIR_VACANT |
						    (tern_dir_load(lcore, slot) & ~0xFFFFFFFFull));
	if (lcore->slot_count == TERN_SLOT_CACHE)
		spill(lcore);
	cache_push(lcore, slot);
}
