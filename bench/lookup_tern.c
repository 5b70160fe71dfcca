/* SPDX-License-Identifier: Apache-2.0 */

/* The table under test. */
#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "lookup_body.h"

static uint64_t bytes(const struct lookup_space *space)
{
	return tern_table_bytes(space->ids, 0, 1);
}

static void *create(const struct lookup_space *space)
{
	const struct tern_table_options options = {
		.routes_max = space->ids + 1000ull,
		.routes_expected = space->ids,
		.quiet = space->quiet,
		.page_bytes_max = space->huge ? TERN_PAGE_2M : TERN_PAGE_4K,
	};
	struct tern_table *table;
	return tern_table_create(&table, &options, NULL) == 0 ? table : NULL;
}

static void destroy(void *table)
{
	tern_table_destroy(table);
}

static bool put(void *table, const struct tern_id *id, uint64_t value)
{
	const struct tern_route route = {
		.id = *id, .address = value, .expires_ns = TERN_ROUTE_FOREVER};
	return tern_table_put(table, &route, true) == 0;
}

static void take_out(void *table, const struct tern_id *id)
{
	tern_table_remove(table, *id, TERN_ADDRESS_NONE);
}

static inline uint64_t find(const void *table, const struct tern_id *id)
{
	return tern_table_find(table, *id);
}

static uint64_t single(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	(void)batch;
	return lookup_each(table, ids, count, find);
}

static uint64_t chain(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	(void)batch;
	return lookup_chained(table, ids, count, find);
}

static uint64_t batches(const void *table, const struct tern_id *ids, uint32_t count,
			uint32_t batch)
{
	tern_address found[LOOKUP_BATCH_MAX];
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i += batch) {
		uint32_t asked = RTE_MIN(batch, count - i);
		tern_table_find_batch(table, ids + i, asked, found);
		for (uint32_t j = 0; j < asked; j++)
			sum += found[j];
	}
	return sum;
}

const struct lookup_contender lookup_tern = {
	.name = "tern",
	.bytes = bytes,
	.create = create,
	.destroy = destroy,
	.put = put,
	.remove = take_out,
	.bodies = {single, chain, batches},
};
