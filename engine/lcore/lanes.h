/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANES_H
#define LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "capabilities/memory/arena.h"
#include "capabilities/lane.h"

struct tern_engine;
struct tern_lcore;

/** Signals a turn takes from one lane before it looks at the next. */
#define TERN_LANE_BURST 128
/** Signals between two looks at the express lanes while others are handled. */
#define TERN_EXPRESS_EVERY 8

/** Inbound lanes of one kind, those that exist. */
struct tern_lane_set {
	struct tern_lane_in *lanes;
	uint32_t count;
};

/** The lanes that an lcore reads, and memory of those that it makes. Its thread writes. */
struct tern_lanes {
	struct tern_lane_set express;
	struct tern_lane_set data;
	uint32_t seen;		    /* of arrivals.news, at the last look of a turn */
	uint32_t self[2];	    /* place of the lane to itself in data, express */
	struct tern_lane *spare[2]; /* memory for the lane to itself, to change over to */
	bool *open;		    /* of arrivals.lanes: those already in a set */
	uint64_t bytes;		    /* of lanes made by this lcore; any thread reads */
	struct tern_span span;	    /* exactly what its lanes need */
};

/** Open lanes that others made to this lcore since the last look. */
void tern_lcore_adopt(struct tern_lcore *lcore);

/** Whether the lane to `route` has credit, made first where there is none. Runs no one. */
bool tern_lcore_has_credit(struct tern_lcore *lcore, uint32_t route);

/** Slots of the lane from one lcore to a route. */
uint32_t tern_lane_depth(const struct tern_engine *engine, uint32_t from, uint32_t route);

/** Memory of a lane from this lcore to a route; NULL: there is none left. */
struct tern_lane *tern_lane_take(struct tern_lcore *lcore, uint32_t route);

#endif
