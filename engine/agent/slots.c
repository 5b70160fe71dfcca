/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"

#include <rte_ring_elem.h>

#include "answer.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/mail/outbox.h"
#include "watch.h"

#define BATCH (TERN_SLOT_CACHE / 2)
#define AHEAD 4
#define RESTING 4096

static void cache_push(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_spawns *spawns = &lcore->spawns;
	spawns->slots[(spawns->slot_first + spawns->slot_count++) % TERN_SLOT_CACHE] = slot;
}

static uint32_t cache_pop(struct tern_lcore *lcore)
{
	struct tern_spawns *spawns = &lcore->spawns;
	uint32_t slot = spawns->slots[spawns->slot_first];
	spawns->slot_first = (spawns->slot_first + 1) % TERN_SLOT_CACHE;
	spawns->slot_count--;
	/* The agent to be made a few spawns from now: lines that nobody touched lately. */
	uint32_t later = spawns->slots[(spawns->slot_first + AHEAD) % TERN_SLOT_CACHE];
	__builtin_prefetch(&lcore->agents[later], 1);
	__builtin_prefetch(&lcore->engine->extras[later], 1);
	__builtin_prefetch(&lcore->engine->extras[later].slice_ticks, 1);
	__builtin_prefetch(&lcore->agents[later].behaviour, 1);
	__builtin_prefetch(&lcore->engine->asked[later], 1);
	__builtin_prefetch(&lcore->directory[later], 1);
	return slot;
}

static void take_fresh(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	if (tern_load(&engine->slot_cursor) >= engine->slots)
		return;
	uint32_t from = __atomic_fetch_add(&engine->slot_cursor, BATCH, __ATOMIC_RELAXED);
	for (uint32_t i = from; i < from + BATCH && i < engine->slots; i++)
		cache_push(lcore, i);
}

static void take_rested(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	uint32_t slots[BATCH];
	tern_pools_lock(engine);
	uint32_t got = rte_ring_dequeue_burst_elem(engine->slot_ring, slots, sizeof(slots[0]),
						   BATCH, NULL);
	tern_count(&engine->slots_resting, -got);
	tern_pools_unlock(engine);
	for (uint32_t i = 0; i < got; i++)
		cache_push(lcore, slots[i]);
}

/*
 * Never used slots while few rest, so that one rests for a while before its next life; then those
 * that have rested longest: their memory is there, and what is mapped stays as small as what lives.
 */
static void refill_cache(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	uint32_t before = lcore->spawns.slot_count;
	if (tern_load(&engine->slots_resting) >= RESTING)
		take_rested(lcore);
	/* Others may have taken those that rested. */
	if (lcore->spawns.slot_count == before)
		take_fresh(lcore);
	if (!lcore->spawns.slot_count)
		take_rested(lcore);
}

static void spill_cache(struct tern_lcore *lcore)
{
	uint32_t slots[BATCH];
	for (uint32_t i = 0; i < BATCH; i++)
		slots[i] = cache_pop(lcore);
	tern_pools_lock(lcore->engine);
	rte_ring_enqueue_bulk_elem(lcore->engine->slot_ring, slots, sizeof(slots[0]), BATCH, NULL);
	tern_count(&lcore->engine->slots_resting, BATCH);
	tern_pools_unlock(lcore->engine);
}

/* Take one permit where there is one. Relaxed: it is a count and guards no memory. */
static bool permit_take(uint32_t *permits)
{
	uint32_t left = tern_load(permits);
	while (left && !__atomic_compare_exchange_n(permits, &left, left - 1, true,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return left != 0;
}

/* Of those that no lcore holds, some for the next agents, too. Under the pool lock. */
static bool permits_refill(struct tern_lcore *lcore)
{
	uint32_t *pool = &lcore->engine->permits;
	uint32_t taken = *pool < BATCH ? *pool : BATCH;
	tern_store(pool, *pool - taken);
	if (taken > 1)
		__atomic_fetch_add(&lcore->spawns.permits, taken - 1, __ATOMIC_RELAXED);
	return taken != 0;
}

/*
 * One of the pool, or of another lcore. Under the lock under which they move between the two: one
 * that is on its way would be seen in neither, and an agent refused though fewer are alive.
 */
static bool permit_find(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	tern_pools_lock(engine);
	bool found = permits_refill(lcore);
	for (uint32_t i = 0; i < engine->system_count && !found; i++)
		found = permit_take(&engine->lcores[i].spawns.permits);
	tern_pools_unlock(engine);
	return found;
}

/*
 * max_agents is exact: an agent lives on a permit, and there are max_agents of them. Each lcore
 * holds a few, so that spawning shares nothing; when the pool is empty, it takes another's.
 */
static bool within_limit(struct tern_lcore *lcore)
{
	return permit_take(&lcore->spawns.permits) || permit_find(lcore);
}

void tern_slots_allow(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	if (__atomic_add_fetch(&lcore->spawns.permits, 1, __ATOMIC_RELAXED) < 2 * BATCH)
		return;
	tern_pools_lock(engine);
	/* Others take under the lock only. */
	if (tern_load(&lcore->spawns.permits) >= BATCH) {
		__atomic_fetch_sub(&lcore->spawns.permits, BATCH, __ATOMIC_RELAXED);
		tern_store(&engine->permits, engine->permits + BATCH);
	}
	tern_pools_unlock(engine);
}

uint32_t tern_slots_take(struct tern_lcore *lcore)
{
	if (!within_limit(lcore))
		return TERN_SLOT_NONE;
	if (lcore->spawns.slot_count <= TERN_IDS_AHEAD)
		refill_cache(lcore);
	if (lcore->spawns.slot_count)
		return cache_pop(lcore);
	tern_slots_allow(lcore);
	return TERN_SLOT_NONE;
}

void tern_slots_put(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_ask_close(lcore, tern_address_slot(agent->address)))
		tern_slots_reuse(lcore, agent);
}

void tern_slots_put_unlisted(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (!tern_ask_close(lcore, slot))
		tern_lcore_settle(lcore, 1);
	/* After the close: who came to its reserve is found here, who comes later is told. */
	tern_returned_forget(lcore, slot);
	tern_watch_drop_late(lcore, slot);
	tern_slots_reuse(lcore, agent);
}

void tern_slots_reuse(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	uint32_t generation = tern_address_generation(agent->address) + 1;
	tern_dir_set(&lcore->directory[slot], TERN_DIR_VACANT);
	if (generation > TERN_ADDRESS_GENERATION_MASK)
		return;
	tern_store(&agent->address, tern_lcore_address_of(lcore, slot, generation));
	tern_store(&lcore->directory[slot],
		   generation | TERN_DIR_VACANT | (tern_dir_load(lcore, slot) & ~0xFFFFFFFFull));
	if (lcore->spawns.slot_count == TERN_SLOT_CACHE)
		spill_cache(lcore);
	cache_push(lcore, slot);
}
