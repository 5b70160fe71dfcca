/* SPDX-License-Identifier: Apache-2.0 */

/* The lanes of an lcore: made at first use, opened by who is sent to, spilled when full. */
#include "engine.h"
#include "engine/agent/life.h"

void tern_lcore_adopt(struct tern_lcore *lcore)
{
	lcore->lanes.seen = __atomic_load_n(&lcore->inbox.lanes_made, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < 2 * lcore->engine->system_count; i++) {
		struct tern_lane *lane = __atomic_load_n(&lcore->inbox.lanes[i], __ATOMIC_ACQUIRE);
		if (!lane || lcore->lanes.open[i])
			continue;
		struct tern_lane_set *set = i & 1 ? &lcore->lanes.express : &lcore->lanes.data;
		lcore->lanes.open[i] = true;
		if (i >> 1 == lcore->index)
			lcore->lanes.self[i & 1] = set->count;
		tern_lane_open_in(lane, &set->lanes[set->count++]);
	}
}

static struct tern_lane_in *self_lane(struct tern_lcore *lcore, bool express)
{
	struct tern_lane_set *set = express ? &lcore->lanes.express : &lcore->lanes.data;
	return &set->lanes[lcore->lanes.self[express]];
}

static struct tern_lane *take_lane(struct tern_lcore *lcore, uint32_t route)
{
	uint32_t depth = tern_layout_depth(lcore->engine, lcore->index, route);
	struct tern_lane *lane =
		tern_span_take(&lcore->lanes.span, tern_lane_bytes(depth), TERN_LINE);
	if (!lane)
		return NULL;
	tern_lane_init(lane, depth);
	tern_count(&lcore->lanes.bytes, tern_lane_bytes(depth));
	return lane;
}

/* A handler stands on a slot of this lane, which must stay as it is: go on in other memory. */
static void change_lane(struct tern_lcore *lcore, struct tern_lane_in *in, bool express)
{
	struct tern_lane *stands_on = in->lane;
	struct tern_lane *lane = lcore->lanes.spare[express];
	if (!lane)
		lane = take_lane(lcore, 2 * lcore->index + express);
	if (!lane)
		return;
	lcore->lanes.spare[express] = stands_on;
	tern_lane_move(&lcore->out[2 * lcore->index + express], in, lane);
}

void tern_lcore_spill(struct tern_lcore *lcore, bool express)
{
	struct tern_lane_in *in = self_lane(lcore, express);
	struct tern_signal *signal;
	while ((signal = tern_lane_peek(in)) != NULL && tern_life_deliver(lcore, signal, true))
		tern_lane_next(in);
	if (!tern_lane_in_use(in))
		tern_lane_publish(in);
	else if (!signal)
		change_lane(lcore, in, express);
}

static bool make_lane(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_lcore *target = &engine->lcores[route >> 1];
	struct tern_lane *lane = take_lane(lcore, route);
	if (!lane)
		return false;
	tern_lane_open_out(lane, &lcore->out[route]);
	__atomic_store_n(&target->inbox.lanes[2 * lcore->index + (route & 1)], lane,
			 __ATOMIC_RELEASE);
	__atomic_fetch_add(&target->inbox.lanes_made, 1, __ATOMIC_RELEASE);
	if (target == lcore)
		tern_lcore_adopt(lcore);
	return true;
}

bool tern_lcore_has_room(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_lane_out *out = &lcore->out[route];
	if (tern_unlikely(route == lcore->roam_route))
		return false; /* no lane leads there */
	if (!out->lane)
		return make_lane(lcore, route);
	return !tern_lane_spent(out) || tern_lane_refresh(out);
}

bool tern_lcore_make_room(struct tern_lcore *lcore, uint32_t route)
{
	if (tern_lcore_has_room(lcore, route))
		return true;
	if (route >> 1 != lcore->index || !lcore->out[route].lane)
		return false;
	tern_lcore_spill(lcore, route & 1);
	return tern_lane_refresh(&lcore->out[route]);
}
