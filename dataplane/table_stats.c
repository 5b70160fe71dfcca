/* SPDX-License-Identifier: Apache-2.0 */

/* What a table is, and what one would be. */
#include <rte_common.h>

#include "capabilities/arena.h"
#include "table_index.h"
#include "table_pool.h"

static void add_region(struct tern_table_stats *stats, const struct tern_region *region)
{
	size_t size = tern_load(&region->size);
	stats->bytes += size;
	if (tern_load(&region->huge) < size)
		stats->page_bytes = TERN_PAGE_4K;
}

static void add_index(struct tern_table_stats *stats, const struct tern_bucket *index)
{
	if (!index)
		return;
	const struct tern_index_head *head = tern_index_head(index);
	stats->distance_max = RTE_MAX(stats->distance_max, head->distance_max);
	add_region(stats, &head->region);
}

static void add_shard(struct tern_table_stats *stats, struct tern_shard *shard)
{
	const struct tern_index_head *head = tern_index_head(shard->index);
	stats->routes += shard->count;
	stats->version += shard->version;
	stats->grown += shard->grown;
	stats->growing += shard->next_index != 0;
	stats->buckets += head->count;
	add_index(stats, shard->index);
	add_index(stats, shard->next_index);
	add_index(stats, shard->spare_index);
	for (head = shard->retired_indexes; head; head = head->retired)
		add_region(stats, &head->region);
	add_region(stats, &shard->pool.memory);
}

void tern_table_stats(struct tern_table *table, struct tern_table_stats *stats)
{
	*stats = (struct tern_table_stats){.page_bytes = TERN_PAGE_2M,
					   .kernel = table->kernel->name};
	for (uint64_t i = 0; i <= table->shard_mask; i++) {
		tern_shard_lock(&table->shards[i]);
		add_shard(stats, &table->shards[i]);
		tern_shard_unlock(&table->shards[i]);
	}
}

uint64_t tern_table_bytes(uint64_t routes, uint64_t records, uint32_t shards)
{
	uint64_t share = (routes + shards - 1) / shards, page = TERN_PAGE_4K;
	uint64_t index = tern_index_bytes(tern_index_count(share));
	index = (index + page - 1) / page * page;
	return shards * (index + tern_pool_bytes((records + shards - 1) / shards));
}
