/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLOTS_H
#define SLOTS_H

#include <stdint.h>

#include "engine/lcore/lcore.h"

/*
 * Slots of the agent table. Each lcore keeps up to TERN_SLOT_CACHE free ones; the rest wait in
 * one ring, first in, first out, and slots never used follow a cursor: they are taken while few
 * wait in the ring. Taking and giving touch shared lines once per TERN_SLOT_CACHE / 2 slots.
 *
 * An agent lives on a slot and a permit. There are max_agents permits, and more slots than permits
 * by what the caches may hold and what is on its way back: so whoever has a permit finds a slot.
 * The permit goes back first, before anybody is told of the end.
 */

/** A free slot and a permit, or TERN_SLOT_NONE: max_agents are alive. */
uint32_t tern_slots_take(struct tern_lcore *lcore);

/** The slot that will be taken so many from now (0: next), most likely; that of the lcore if none.
 */
static inline uint32_t tern_slots_ahead(const struct tern_lcore *lcore, uint32_t ahead)
{
	const struct tern_spawns *spawns = &lcore->spawns;
	return ahead < spawns->slot_count
		       ? spawns->slots[(spawns->slot_first + ahead) % TERN_SLOT_CACHE]
		       : lcore->index;
}

/** Give the permit of an agent back: another may be made in its place. */
void tern_slots_allow(struct tern_lcore *lcore);

/** Give the slot of an ended agent back, as soon as nothing is asked of it any more. */
void tern_slots_put(struct tern_lcore *lcore, struct tern_agent *agent);

/** As tern_slots_put(), but nothing asked of the agent will be taken from any list. */
void tern_slots_put_unlisted(struct tern_lcore *lcore, struct tern_agent *agent);

/** Make a given-back slot free under its next generation; retire it at the last. */
void tern_slots_reuse(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
