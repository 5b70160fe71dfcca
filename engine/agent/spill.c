/* SPDX-License-Identifier: Apache-2.0 */

/* An lcore sends to itself: what is in that lane goes to mailboxes when it is full. */
#include "spill.h"

#include "engine/lcore/lcore.h"
#include "life.h"

static struct tern_lane_in *self_lane(struct tern_lcore *lcore, bool express)
{
	struct tern_lane_set *set = express ? &lcore->lanes.express : &lcore->lanes.data;
	return &set->lanes[lcore->lanes.self[express]];
}

/* A handler stands on a slot of this lane, which must stay as it is: go on in other memory. */
static void change_lane(struct tern_lcore *lcore, struct tern_lane_in *in, bool express)
{
	struct tern_lane *stands_on = in->lane;
	struct tern_lane *lane = lcore->lanes.spare[express];
	if (!lane)
		lane = tern_lane_take(lcore, 2 * lcore->index + express);
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

bool tern_lcore_find_credit(struct tern_lcore *lcore, uint32_t route)
{
	if (tern_lcore_has_credit(lcore, route))
		return true;
	if (route >> 1 != lcore->index || !lcore->out[route].lane)
		return false;
	tern_lcore_spill(lcore, route & 1);
	return tern_lane_refresh(&lcore->out[route]);
}
