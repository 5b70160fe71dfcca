/* SPDX-License-Identifier: Apache-2.0 */

/* A bounded set of positions. gaps.c calls it, on the lcore that owns the link. */
#include "ranges.h"

#include <string.h>

void tern_ranges_init(struct tern_ranges *ranges, struct tern_range *memory, uint32_t max)
{
	*ranges = (struct tern_ranges){.at = memory, .max = max};
}

bool tern_ranges_append(struct tern_ranges *ranges, uint64_t from, uint64_t to, uint64_t since_ns)
{
	struct tern_range *last = ranges->count ? &ranges->at[ranges->count - 1] : NULL;
	bool is_full = ranges->count == ranges->max;
	if (last && last->to == from && (last->asked == 0 || is_full)) {
		last->to = to;
		return true;
	}
	if (is_full)
		return false;
	ranges->at[ranges->count++] =
		(struct tern_range){.from = from, .to = to, .since_ns = since_ns};
	return true;
}

uint32_t tern_ranges_find(const struct tern_ranges *ranges, uint64_t position)
{
	uint32_t low = 0, high = ranges->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (ranges->at[middle].to > position)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool tern_ranges_has(const struct tern_ranges *ranges, uint64_t position)
{
	uint32_t at = tern_ranges_find(ranges, position);
	return at < ranges->count && ranges->at[at].from <= position;
}

static void move_ranges(struct tern_ranges *ranges, uint32_t from, uint32_t to)
{
	memmove(&ranges->at[to], &ranges->at[from], (ranges->count - from) * sizeof(ranges->at[0]));
	ranges->count += to - from;
}

bool tern_ranges_take(struct tern_ranges *ranges, uint64_t position)
{
	uint32_t at = tern_ranges_find(ranges, position);
	struct tern_range *range = &ranges->at[at];
	if (range->to - range->from == 1) {
		move_ranges(ranges, at + 1, at);
	} else if (range->from == position) {
		range->from++;
	} else if (range->to == position + 1) {
		range->to--;
	} else {
		if (ranges->count == ranges->max)
			return false;
		move_ranges(ranges, at, at + 1);
		range[0].to = position;
		range[1].from = position + 1;
	}
	return true;
}
