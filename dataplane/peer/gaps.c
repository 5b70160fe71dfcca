/* SPDX-License-Identifier: Apache-2.0 */

/* What is missing and when to ask for it. The link calls it, on the lcore that owns it. */
#include "gaps.h"

#include "capabilities/counter.h"

#include <rte_common.h>

#define REORDER_DECAY 8u /* a true loss takes one part of so many off the extent */

void tern_gaps_init(struct tern_gaps *gaps, struct tern_range *memory, uint32_t max)
{
	*gaps = (struct tern_gaps){.next = 1};
	tern_ranges_init(&gaps->missing, memory, max);
}

void tern_gaps_announce(struct tern_gaps *gaps, uint64_t upto, uint64_t now_ns)
{
	if (upto > gaps->next && tern_ranges_append(&gaps->missing, gaps->next, upto, now_ns))
		gaps->next = upto;
}

/*
 * A frame that nobody asked for, or that comes sooner than an answer could, was late on its way.
 * One that was asked for had been lost: then the extent shrinks, so that it follows the path.
 */
static void note_lateness(struct tern_gaps *gaps, const struct tern_range *range, uint64_t now_ns,
			  uint64_t rtt_ns)
{
	uint64_t late_ns = now_ns - range->since_ns;
	if (range->asked == 0)
		gaps->reorder_ns = RTE_MIN(RTE_MAX(gaps->reorder_ns, late_ns), rtt_ns);
	else if (range->asked == 1 && late_ns < rtt_ns / 2)
		gaps->reorder_ns = RTE_MIN(gaps->reorder_ns + late_ns, rtt_ns);
	else
		gaps->reorder_ns -= (gaps->reorder_ns + REORDER_DECAY - 1) / REORDER_DECAY;
}

enum tern_arrival tern_gaps_arrive(struct tern_gaps *gaps, uint64_t position, uint64_t now_ns,
				   uint64_t rtt_ns)
{
	if (tern_likely(position == gaps->next)) {
		gaps->next++;
		return TERN_ARRIVAL_NEW;
	}
	if (position > gaps->next) {
		tern_gaps_announce(gaps, position, now_ns);
		if (gaps->next != position)
			return TERN_ARRIVAL_FULL;
		gaps->next++;
		return TERN_ARRIVAL_NEW;
	}
	uint32_t at = tern_ranges_find(&gaps->missing, position);
	if (at == gaps->missing.count || gaps->missing.at[at].from > position)
		return TERN_ARRIVAL_AGAIN;
	struct tern_range found = gaps->missing.at[at];
	if (!tern_ranges_take(&gaps->missing, position))
		return TERN_ARRIVAL_FULL;
	note_lateness(gaps, &found, now_ns, rtt_ns);
	return TERN_ARRIVAL_NEW;
}

static uint64_t due_of(const struct tern_gaps *gaps, const struct tern_range *range,
		       uint64_t retry_ns)
{
	return range->since_ns + (range->asked ? retry_ns : gaps->reorder_ns);
}

uint64_t tern_gaps_due(const struct tern_gaps *gaps, uint64_t retry_ns)
{
	uint64_t due = UINT64_MAX;
	for (uint32_t i = 0; i < gaps->missing.count; i++)
		due = RTE_MIN(due, due_of(gaps, &gaps->missing.at[i], retry_ns));
	return due;
}

uint16_t tern_gaps_ask(struct tern_gaps *gaps, uint64_t now_ns, uint64_t retry_ns,
		       struct tern_wire_range *wire, uint16_t max)
{
	uint16_t count = 0;
	for (uint32_t i = 0; i < gaps->missing.count; i++) {
		struct tern_range *range = &gaps->missing.at[i];
		if (due_of(gaps, range, retry_ns) > now_ns)
			continue;
		if (count && wire[count - 1].to == range->from)
			wire[count - 1].to = range->to;
		else if (count < max)
			wire[count++] = (struct tern_wire_range){range->from, range->to};
		else
			break;
		range->since_ns = now_ns;
		range->asked++;
	}
	return count;
}

bool tern_gaps_misses(const struct tern_gaps *gaps, uint64_t from, uint64_t to)
{
	uint32_t at = tern_ranges_find(&gaps->missing, from);
	return at < gaps->missing.count && gaps->missing.at[at].from < to;
}
