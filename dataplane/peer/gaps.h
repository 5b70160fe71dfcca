/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GAPS_H
#define GAPS_H

#include "dataplane/frame/wire.h"
#include "ranges.h"

/*
 * The receiver's view of positions: which are missing, and which of these to ask for, when. Pure.
 *
 * A position is missing once a higher one has come, or was announced. It is asked for (NAK) when it
 * has been missing for the reorder extent of the path, and again each retry_ns. The extent is
 * measured: by how much frames were late that came without having been asked for. It is 0 on a path
 * that keeps the order.
 */
struct tern_gaps {
	struct tern_ranges missing; /* since_ns: when it was found missing, or asked for last */
	uint64_t next;		    /* positions from here on are not known of */
	uint64_t reorder_ns;
};

/** Runs that are needed for so many positions at once: each second one is missing. */
#define TERN_GAPS_RANGES(window) ((window) / 2 + 1)

/** What a data frame is, by its position. */
enum tern_arrival {
	TERN_ARRIVAL_NEW,
	TERN_ARRIVAL_AGAIN, /* it has come before */
	TERN_ARRIVAL_FULL,  /* no place to note what is missing: as if it had not come */
};

/** Nothing has come, and nothing is missing: position 1 is next. @param memory  `max` runs, kept */
void tern_gaps_init(struct tern_gaps *gaps, struct tern_range *memory, uint32_t max);

/** All positions below it have come. */
static inline uint64_t tern_gaps_base(const struct tern_gaps *gaps)
{
	return gaps->missing.count ? gaps->missing.at[0].from : gaps->next;
}

/** Positions below `upto` have been given away: those that did not come are missing. */
void tern_gaps_announce(struct tern_gaps *gaps, uint64_t upto, uint64_t now_ns);

/** What a frame of this position is; a new one counts as come. */
enum tern_arrival tern_gaps_arrive(struct tern_gaps *gaps, uint64_t position, uint64_t now_ns,
				   uint64_t rtt_ns);

/** When the next gap is to be asked for, ns; UINT64_MAX: none is. */
uint64_t tern_gaps_due(const struct tern_gaps *gaps, uint64_t retry_ns);

/**
 * Yield the gaps that are to be asked for now, and take them as asked for.
 *
 * @param wire  `max` runs, rising and apart
 * @return how many; the same again after retry_ns
 */
uint16_t tern_gaps_ask(struct tern_gaps *gaps, uint64_t now_ns, uint64_t retry_ns,
		       struct tern_wire_range *wire, uint16_t max);

/** Whether one of the positions from .. to - 1 is missing. */
bool tern_gaps_misses(const struct tern_gaps *gaps, uint64_t from, uint64_t to);

#endif
