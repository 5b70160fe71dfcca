/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOKUP_BODY_H
#define LOOKUP_BODY_H

#include <string.h>

#include <rte_common.h>

#include "lookup.h"

/* Rounds of single lookups, inlined with `find`, so that no call goes through a pointer. */

/* What is found decides where to read on: always 0, which no compiler knows. */
#define LOOKUP_CHAIN_SHIFT 40

typedef uint64_t lookup_find(const void *table, const struct tern_id *id);

static inline __attribute__((always_inline)) uint64_t
lookup_each(const void *table, const struct tern_id *ids, uint32_t count, lookup_find *find)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += find(table, &ids[i]);
	return sum;
}

static inline __attribute__((always_inline)) uint64_t
lookup_chained(const void *table, const struct tern_id *ids, uint32_t count, lookup_find *find)
{
	uint64_t sum = 0, value = 0;
	for (uint32_t i = 0; i < count; i++) {
		value = find(table, &ids[i + (value >> LOOKUP_CHAIN_SHIFT)]);
		sum += value;
	}
	return sum;
}

/* No pointer is loaded to get from a value to its array: as if the value were the pointer. */
static inline __attribute__((always_inline)) uint64_t
lookup_copied(const void *table, const struct tern_id *ids, uint32_t count,
	      const struct lookup_lists *lists, tern_address *copy, lookup_find *find)
{
	uint64_t copied = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t *list = lists->words + find(table, &ids[i]) * (lists->each + 1ull);
		uint64_t length = RTE_MIN(*list, lists->each);
		memcpy(copy, list + 1, length * sizeof(*copy));
		copied += length;
	}
	return copied;
}

#endif
