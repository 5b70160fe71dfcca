/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "sets.h"
#include "dataplane/table/table_pool.h"

/* Readers that are slow to be quiet keep as much from reuse as is in use, and so much more. */
#define RETIRED_MAX ((uint64_t)1 << 20)
#define CELL_BYTES (sizeof(tern_address) + sizeof(uint32_t))

/* Whole lines. */
static uint64_t bytes_of(uint64_t capacity)
{
	return RTE_ALIGN_CEIL(sizeof(struct tern_members) + capacity * CELL_BYTES, TERN_LINE);
}

/* Half as many again as live, and what the last line has room for. */
static uint64_t capacity_for(uint64_t live)
{
	return (bytes_of(live + live / 2) - sizeof(struct tern_members)) / CELL_BYTES;
}

uint64_t tern_members_bytes(uint64_t members)
{
	uint64_t capacity = capacity_for(1);
	while (capacity < members)
		capacity = capacity_for(capacity);
	return members ? bytes_of(capacity) : 0;
}

struct tern_members *tern_members_make(struct tern_sets *sets, uint32_t live)
{
	uint64_t capacity = capacity_for(live);
	if (sets->retired_bytes > sets->bytes + RETIRED_MAX)
		return NULL;
	struct tern_members *members = malloc(bytes_of(capacity));
	if (!members)
		return NULL;
	*members = (struct tern_members){.capacity = (uint32_t)capacity};
	tern_count(&sets->bytes, bytes_of(capacity));
	return members;
}

void tern_members_free(struct tern_sets *sets, struct tern_members *members)
{
	tern_store(&sets->bytes, sets->bytes - bytes_of(members->capacity));
	free(members);
}

void tern_members_retire(struct tern_sets *sets, struct tern_members *members, uint32_t number)
{
	members->token = tern_table_token(sets->numbers);
	members->number = number;
	if (sets->retired)
		sets->last_retired->next = members;
	else
		sets->retired = members;
	sets->last_retired = members;
	tern_store(&sets->bytes, sets->bytes - bytes_of(members->capacity));
	tern_count(&sets->retired_bytes, bytes_of(members->capacity));
}

void tern_members_reclaim(struct tern_sets *sets)
{
	struct tern_members *oldest;
	while ((oldest = sets->retired) && tern_table_is_quiet(sets->numbers, oldest->token)) {
		sets->retired = oldest->next;
		tern_store(&sets->retired_bytes, sets->retired_bytes - bytes_of(oldest->capacity));
		if (oldest->number)
			tern_stock_put(&sets->set_stock, oldest->number);
		free(oldest);
	}
}

/* Put another array in the place of a set's, with its members alone, in their order. */
static int renew_members(struct tern_sets *sets, struct tern_set *set)
{
	struct tern_members *from = set->members, *to = tern_members_make(sets, set->live);
	if (!to)
		return -ENOMEM;
	for (uint32_t cell = 0; cell < from->count; cell++) {
		uint32_t owner = tern_members_owners(from)[cell];
		if (from->cells[cell] == TERN_ADDRESS_NONE)
			continue;
		to->cells[to->count] = from->cells[cell];
		tern_members_owners(to)[to->count] = owner;
		sets->memberships[owner].cell = to->count++;
	}
	__atomic_store_n(&set->members, to, __ATOMIC_RELEASE); /* W1 */
	tern_members_retire(sets, from, 0);
	tern_count(&sets->copies, 1);
	return 0;
}

int tern_members_widen(struct tern_sets *sets, struct tern_set *set)
{
	return set->members->count < set->members->capacity ? 0 : renew_members(sets, set);
}

void tern_members_add(struct tern_sets *sets, struct tern_set *set, tern_address address,
		      uint32_t membership)
{
	struct tern_members *members = set->members;
	uint32_t cell = members->count;
	sets->memberships[membership].cell = cell;
	tern_members_owners(members)[cell] = membership;
	tern_members_put(members, cell, address);
	__atomic_store_n(&members->count, cell + 1, __ATOMIC_RELEASE); /* W2 */
	tern_store(&set->live, set->live + 1);
}

void tern_members_erase(struct tern_sets *sets, struct tern_set *set, uint32_t cell)
{
	tern_members_put(set->members, cell, TERN_ADDRESS_NONE);
	tern_store(&set->live, set->live - 1);
	/* Without memory for a copy, the array stays as it is. */
	if (set->live && set->members->count > 2 * set->live)
		(void)!renew_members(sets, set);
}
