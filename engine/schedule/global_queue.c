/* SPDX-License-Identifier: Apache-2.0 */
#include "global_queue.h"

#include <errno.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_ring_elem.h>

#include "engine/lcore/engine.h"

#define SLOT_BYTES ((unsigned)sizeof(uint32_t))

static uint32_t queue_places(const struct tern_engine *engine)
{
	return rte_align32pow2(engine->slots + 1);
}

static size_t ring_bytes(const struct tern_engine *engine)
{
	return (size_t)rte_ring_get_memsize_elem(SLOT_BYTES, queue_places(engine));
}

/* Reserved and not touched: an engine without roaming agents pays address space. */
int tern_global_init(struct tern_engine *engine)
{
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++) {
		void *memory = mmap(NULL, ring_bytes(engine), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED)
			return -ENOMEM;
		engine->global[level] = memory;
		rte_ring_init(engine->global[level], "global", queue_places(engine),
			      RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ);
		rte_ring_set_prod_htd_max(engine->global[level], queue_places(engine) - 1);
		rte_ring_set_cons_htd_max(engine->global[level], queue_places(engine) - 1);
	}
	return 0;
}

void tern_global_fini(struct tern_engine *engine)
{
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++) {
		if (engine->global[level])
			munmap(engine->global[level], ring_bytes(engine));
		engine->global[level] = NULL;
	}
}

static TERN_HIDDEN unsigned enqueue_slot(struct rte_ring *ring, const uint32_t *slot)
{
	return rte_ring_mp_rts_enqueue_bulk_elem(ring, slot, SLOT_BYTES, 1, NULL);
}

static TERN_HIDDEN unsigned dequeue_slot(struct rte_ring *ring, uint32_t *slot)
{
	return rte_ring_mc_rts_dequeue_bulk_elem(ring, slot, SLOT_BYTES, 1, NULL);
}

bool tern_global_put(struct tern_engine *engine, uint32_t level, uint32_t slot)
{
	tern_sanitizer_unlocking(engine->global[level]);
	return enqueue_slot(engine->global[level], &slot) == 1;
}

bool tern_global_take(struct tern_engine *engine, uint32_t level, uint32_t *slot)
{
	struct rte_ring *ring = engine->global[level];
	if (tern_load(&ring->prod.tail) == tern_load(&ring->cons.tail) ||
	    dequeue_slot(ring, slot) == 0)
		return false;
	tern_sanitizer_locked(ring);
	return true;
}

uint32_t tern_global_count(const struct tern_engine *engine)
{
	uint32_t count = 0;
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++)
		count += tern_load(&engine->global[level]->prod.tail) -
			 tern_load(&engine->global[level]->cons.tail);
	return count;
}
