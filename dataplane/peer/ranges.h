/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A bounded set of 64-bit positions, held as runs in rising order. Pure; the memory is the
 * caller's. Each run carries two words that its user writes, and both halves of a run that is split
 * keep them.
 */
struct tern_range {
	uint64_t from;
	uint64_t to; /* one past the last */
	uint64_t since_ns;
	uint32_t asked;
	uint32_t reserved;
};

struct tern_ranges {
	struct tern_range
		*at; /* `count` of them: from < to, each begins where the last ends or above
		      */
	uint32_t count;
	uint32_t max;
};

/** Start with an empty set. @param memory  `max` runs, kept; @param max  1 .. 2^31 */
void tern_ranges_init(struct tern_ranges *ranges, struct tern_range *memory, uint32_t max);

/**
 * Put a run behind all others. It joins the last one where it adjoins and neither was asked for, or
 * where no place is left; the words of the older one then stay.
 *
 * @param from  not below the end of the last run; @param to  above `from`
 * @return false: no place, nothing has changed
 */
bool tern_ranges_append(struct tern_ranges *ranges, uint64_t from, uint64_t to, uint64_t since_ns);

/** Index of the first run that ends above a position; `count` where there is none. */
uint32_t tern_ranges_find(const struct tern_ranges *ranges, uint64_t position);

/** Whether a position is in the set. */
bool tern_ranges_has(const struct tern_ranges *ranges, uint64_t position);

/**
 * Take one position out of the set, in which it is.
 *
 * @return false: that would split a run and there is no place for the second half; nothing has
 *         changed
 */
bool tern_ranges_take(struct tern_ranges *ranges, uint64_t position);

#endif
