/* SPDX-License-Identifier: Apache-2.0 */

/* The lanes of an lcore: made at first use, opened by who is sent to. */
#include "lanes.h"

#include "engine.h"

void tern_lcore_adopt(struct tern_lcore *lcore)
{
	for (uint32_t i = 0; i < 2 * lcore->engine->system_count; i++) {
		struct tern_lane *lane =
			__atomic_load_n(&lcore->arrivals.lanes[i], __ATOMIC_ACQUIRE);
		if (!lane || lcore->lanes.open[i])
			continue;
		struct tern_lane_set *set = i & 1 ? &lcore->lanes.express : &lcore->lanes.data;
		lcore->lanes.open[i] = true;
		if (i >> 1 == lcore->index)
			lcore->lanes.self[i & 1] = set->count;
		tern_lane_open_in(lane, &set->lanes[set->count++]);
	}
}

struct tern_lane *tern_lane_take(struct tern_lcore *lcore, uint32_t route)
{
	uint32_t depth = tern_lane_depth(lcore->engine, lcore->index, route);
	struct tern_lane *lane =
		tern_span_take(&lcore->lanes.span, tern_lane_bytes(depth), TERN_LINE);
	if (!lane)
		return NULL;
	tern_lane_init(lane, depth);
	tern_count(&lcore->lanes.bytes, tern_lane_bytes(depth));
	return lane;
}

static bool make_lane(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_lcore *target = &engine->lcores[route >> 1];
	struct tern_lane *lane = tern_lane_take(lcore, route);
	if (!lane)
		return false;
	tern_lane_open_out(lane, &lcore->out[route]);
	__atomic_store_n(&target->arrivals.lanes[2 * lcore->index + (route & 1)], lane,
			 __ATOMIC_RELEASE);
	__atomic_fetch_add(&target->arrivals.news, 1, __ATOMIC_RELEASE);
	if (target == lcore)
		tern_lcore_adopt(lcore);
	return true;
}

bool tern_lcore_has_credit(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_lane_out *out = &lcore->out[route];
	if (tern_unlikely(route == lcore->roam_route))
		return false; /* no lane leads there */
	if (!out->lane)
		return make_lane(lcore, route);
	return !tern_lane_spent(out) || tern_lane_refresh(out);
}

uint32_t tern_lane_depth(const struct tern_engine *engine, uint32_t from, uint32_t route)
{
	const struct tern_config *config = &engine->config;
	uint32_t depth = route & 1 ? config->express_depth : config->data_depth;
	bool between_lcores = from < engine->lcore_count && route >> 1 < engine->lcore_count;
	/* A thread sends and receives less than an lcore: its lanes may be shorter. */
	return between_lcores || depth < TERN_THREAD_LANE_DEPTH ? depth : TERN_THREAD_LANE_DEPTH;
}
