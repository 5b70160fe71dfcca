/* SPDX-License-Identifier: Apache-2.0 */

/* What a table is. */
#include <rte_common.h>

#include "capabilities/memory/arena.h"
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
	stats->distance_max = RTE_MAX(stats->distance_max, tern_load(&head->distance_max));
	add_region(stats, &head->region);
}

/* What a reader may look at. */
static void add_shard(struct tern_table_stats *stats, const struct tern_shard *shard)
{
	const struct tern_bucket *index = __atomic_load_n(&shard->index, __ATOMIC_ACQUIRE);
	const struct tern_index_head *head = tern_index_head(index);
	const struct tern_bucket *next = __atomic_load_n(&head->next, __ATOMIC_ACQUIRE);
	stats->routes += tern_load(&shard->count);
	stats->version += tern_load(&shard->version);
	stats->grown += tern_load(&shard->grown);
	stats->growing += next != NULL;
	stats->buckets += head->count;
	add_index(stats, index);
	add_index(stats, next);
	add_region(stats, &shard->pool.memory);
}

/* What is the writers' alone. */
static void add_unused(struct tern_table_stats *stats, const struct tern_shard *shard)
{
	const struct tern_index_head *head;
	add_index(stats, shard->spare_index);
	for (head = shard->retired_indexes; head; head = head->retired)
		add_region(stats, &head->region);
}

static struct tern_table_stats empty_stats(const struct tern_table *table)
{
	return (struct tern_table_stats){.page_bytes = TERN_PAGE_2M,
					 .kernel = table->kernel->name,
					 .shards = table->shard_count};
}

void tern_table_stats(struct tern_table *table, struct tern_table_stats *stats)
{
	*stats = empty_stats(table);
	for (uint32_t i = 0; i < table->shard_count; i++) {
		tern_lock(&table->finder.shards[i].lock);
		add_shard(stats, &table->finder.shards[i]);
		add_unused(stats, &table->finder.shards[i]);
		tern_unlock(&table->finder.shards[i].lock);
	}
}

void tern_table_look(const struct tern_table *table, struct tern_table_stats *stats)
{
	*stats = empty_stats(table);
	for (uint32_t i = 0; i < table->shard_count; i++)
		add_shard(stats, &table->finder.shards[i]);
}
