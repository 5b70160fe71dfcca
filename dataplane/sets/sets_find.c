/* SPDX-License-Identifier: Apache-2.0 */

/* Who is in a set: what readers do. */
#include <string.h>

#include <rte_common.h>

#include "capabilities/sanitizer.h"
#include "sets.h"

/* NULL: none. */
static const struct tern_members *members_of(const struct tern_sets *sets, struct tern_id set)
{
	uint32_t number = tern_sets_number(sets->numbers, set);
	if (!number)
		return NULL;
	return __atomic_load_n(&sets->sets[number].members, __ATOMIC_ACQUIRE); /* R1 */
}

/* Cells that are copied at once. */
#define CELLS 8u
typedef tern_address cells __attribute__((vector_size(CELLS * sizeof(tern_address)), aligned(8)));

/* Each cell whole, as its word is (R3, by the fence), unless one is erased. */
static TERN_HIDDEN bool copy_cells(tern_address *to, const tern_address *from)
{
	const cells copy = *(const cells *)from;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	cells erased = (cells)(copy == TERN_ADDRESS_NONE);
	erased |= __builtin_shufflevector(erased, erased, 4, 5, 6, 7, 0, 1, 2, 3);
	erased |= __builtin_shufflevector(erased, erased, 2, 3, 0, 1, 6, 7, 4, 5);
	if (tern_unlikely((erased[0] | erased[1]) != 0))
		return false;
	*(cells *)to = copy;
	return true;
}

/* The next addresses of an array, up to `most` of them. */
static uint32_t gather_members(const struct tern_members *members, uint32_t *cell, uint32_t end,
			       tern_address *to, uint32_t most)
{
	uint32_t count = 0, at = *cell;
	while (at < end && count < most) {
		if (end - at >= CELLS && most - count >= CELLS &&
		    copy_cells(&to[count], &members->cells[at])) {
			count += CELLS;
			at += CELLS;
			continue;
		}
		tern_address address =
			__atomic_load_n(&members->cells[at++], __ATOMIC_ACQUIRE); /* R3 */
		if (address != TERN_ADDRESS_NONE)
			to[count++] = address;
	}
	*cell = at;
	return count;
}

static uint32_t filter_members(const struct tern_members *members, uint32_t end,
			       const struct tern_sets_query *query, tern_address *addresses,
			       uint32_t count_max)
{
	uint32_t found = 0;
	for (uint32_t cell = 0; cell < end && found < count_max;) {
		tern_address run[TERN_SETS_RUN];
		uint32_t count = gather_members(members, &cell, end, run, TERN_SETS_RUN);
		if (count)
			count = query->keep(query->context, run, count);
		count = RTE_MIN(count, count_max - found);
		memcpy(&addresses[found], run, count * sizeof(*run));
		found += count;
	}
	return found;
}

uint32_t tern_sets_find(const struct tern_sets *sets, struct tern_id set,
			const struct tern_sets_query *query, tern_address *addresses,
			uint32_t count_max)
{
	const struct tern_members *members = members_of(sets, set);
	uint32_t cell = 0;
	if (!members)
		return 0;
	uint32_t end = __atomic_load_n(&members->count, __ATOMIC_ACQUIRE); /* R2 */
	return query && query->keep ? filter_members(members, end, query, addresses, count_max)
				    : gather_members(members, &cell, end, addresses, count_max);
}

uint32_t tern_sets_count(const struct tern_sets *sets, struct tern_id set)
{
	uint32_t number = tern_sets_number(sets->numbers, set);
	return number ? tern_load(&sets->sets[number].live) : 0;
}
