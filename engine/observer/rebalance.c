/* SPDX-License-Identifier: Apache-2.0 */

/* Where roaming agents start, and which of them had better be elsewhere. */
#include "rebalance.h"

#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"

/* A move must even out this much of a CPU at least. */
#define REBALANCE_MIN 0.1f

/* The largest agent that helps: moving it must not make the other lcore the busier one. */
static uint32_t choose_agent(struct tern_engine *engine, const struct tern_lcore *from,
			     const struct tern_lcore *to, float most)
{
	uint32_t best = TERN_SLOT_NONE, slots = tern_slots_used(engine);
	float best_load = REBALANCE_MIN / 2;
	for (uint32_t slot = engine->system_count; slot < slots; slot++) {
		const struct tern_agent *agent = &engine->agents[slot];
		uint64_t entry = tern_load(&engine->directory[slot]);
		float load = tern_profile_next(engine, slot);
		if (tern_dir_inhabited(entry) && tern_dir_route(entry) == engine->roam_route &&
		    tern_load(&agent->lcore) == from && load > best_load && load < most &&
		    tern_roaming_suits(to, agent)) {
			best = slot;
			best_load = load;
		}
	}
	return best;
}

void tern_roaming_rebalance(struct tern_engine *engine)
{
	struct tern_lcore *most = engine->lcores, *least = engine->lcores;
	for (uint32_t i = 1; i < engine->lcore_count; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		most = tern_lcore_load(lcore) > tern_lcore_load(most) ? lcore : most;
		least = tern_lcore_load(lcore) < tern_lcore_load(least) ? lcore : least;
	}
	float gap = tern_lcore_load(most) - tern_lcore_load(least);
	if (gap < 2 * REBALANCE_MIN)
		return;
	uint32_t slot = choose_agent(engine, most, least, gap);
	if (slot != TERN_SLOT_NONE)
		tern_store(&engine->profiles[slot].move_to, least->index + 1);
}

uint32_t tern_roaming_place(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	uint32_t best = lcore->spawns.home_turn++ % engine->lcore_count;
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		if (tern_lcore_load(&engine->lcores[i]) + REBALANCE_MIN <
		    tern_lcore_load(&engine->lcores[best]))
			best = i;
	return best;
}
