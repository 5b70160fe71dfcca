/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONGESTION_H
#define CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

/*
 * How many frames a sender keeps under way, by how long they queue. Pure.
 *
 * Delay is a round trip less the least one seen. Below the target the window grows by one frame a
 * round trip; above it shrinks, once a round trip, in proportion to the excess and by no more than
 * half. A path whose round trip is below `off_below_ns` is left alone.
 *
 * Source: Kumar et al., "Swift: Delay is Simple and Effective for Congestion Control in the
 * Datacenter", SIGCOMM 2020, without its scaling by hops and flows.
 */
#define TERN_CONGESTION_MIN 2u	     /* frames */
#define TERN_CONGESTION_UNIT 1024u   /* of the window's fraction */
#define TERN_CONGESTION_BETA_PART 5u /* an excess of all the delay takes 4/5, capped at half */

struct tern_congestion {
	uint64_t target_ns;    /* of queueing; 0: no window but the maximum */
	uint64_t off_below_ns; /* of a smoothed round trip */
	uint64_t window;       /* frames times TERN_CONGESTION_UNIT */
	uint64_t max;	       /* the same */
	uint64_t shrunk_ns;
};

/** @param max  frames, at least TERN_CONGESTION_MIN */
static inline void tern_congestion_init(struct tern_congestion *congestion, uint64_t target_ns,
					uint64_t off_below_ns, uint32_t max)
{
	uint64_t units = (uint64_t)max * TERN_CONGESTION_UNIT;
	*congestion = (struct tern_congestion){.target_ns = target_ns,
					       .off_below_ns = off_below_ns,
					       .window = units,
					       .max = units};
}

/** Frames that may be under way now. */
static inline uint32_t tern_congestion_window(const struct tern_congestion *congestion)
{
	return (uint32_t)(congestion->window / TERN_CONGESTION_UNIT);
}

static inline void tern_congestion_shrink(struct tern_congestion *congestion, uint64_t delay_ns)
{
	uint64_t excess_ns = delay_ns - congestion->target_ns;
	uint64_t part =
		congestion->window / TERN_CONGESTION_BETA_PART * (TERN_CONGESTION_BETA_PART - 1);
	uint64_t less = (uint64_t)((double)part * (double)excess_ns / (double)delay_ns);
	less = RTE_MIN(less, congestion->window / 2);
	congestion->window = RTE_MAX(congestion->window - less,
				     (uint64_t)TERN_CONGESTION_MIN * TERN_CONGESTION_UNIT);
}

/**
 * Frames were acknowledged, the last of them after a round trip.
 *
 * @param frames   acknowledged at once
 * @param rtt_ns   of the last; @param least_ns  of the path
 * @param srtt_ns  smoothed
 */
static inline void tern_congestion_acknowledge(struct tern_congestion *congestion, uint32_t frames,
					       uint64_t rtt_ns, uint64_t least_ns, uint64_t srtt_ns,
					       uint64_t now_ns)
{
	if (congestion->target_ns == 0)
		return;
	uint64_t delay_ns = rtt_ns > least_ns ? rtt_ns - least_ns : 0;
	if (srtt_ns < congestion->off_below_ns) {
		congestion->window = congestion->max;
	} else if (delay_ns <= congestion->target_ns) {
		congestion->window += (uint64_t)frames * TERN_CONGESTION_UNIT *
				      TERN_CONGESTION_UNIT / congestion->window;
		congestion->window = RTE_MIN(congestion->window, congestion->max);
	} else if (now_ns - congestion->shrunk_ns >= srtt_ns) {
		tern_congestion_shrink(congestion, delay_ns);
		congestion->shrunk_ns = now_ns;
	}
}

#endif
