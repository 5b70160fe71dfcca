/* SPDX-License-Identifier: Apache-2.0 */
#include "table_pool.h"

#include <errno.h>

#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "capabilities/quiet.h"

/* What one write makes free at most. */
#define FREED_MAX 2

bool tern_table_is_quiet(const struct tern_table *table, uint64_t token)
{
	return !table->quiet || tern_quiet_since(table->quiet, token);
}

uint64_t tern_table_token(const struct tern_table *table)
{
	return table->quiet ? rte_rcu_qsbr_start(table->quiet) : 0;
}

static uint64_t records_of(const struct tern_pool *pool)
{
	return tern_load(&pool->memory.size) / sizeof(struct tern_record);
}

int tern_pool_init(struct tern_shard *shard, uint64_t most, bool huge_wanted)
{
	struct tern_pool *pool = &shard->pool;
	pool->most = most;
	pool->used = 1;
	int code = tern_region_reserve(&pool->memory, (most + 1) * sizeof(struct tern_record),
				       huge_wanted);
	shard->records = (void *)pool->memory.base;
	return code;
}

uint64_t tern_pool_bytes(uint64_t records)
{
	uint64_t bytes = 0;
	while (records && bytes < (records + 1) * sizeof(struct tern_record))
		bytes = tern_region_next(bytes, false);
	return bytes;
}

/* Under a lock of its own: who prepares holds it while it asks the kernel. */
static int add_memory(struct tern_pool *pool, uint64_t beyond)
{
	int code = 0;
	tern_lock(&pool->memory_lock);
	if (records_of(pool) <= beyond) {
		size_t size = tern_region_next(pool->memory.size, pool->memory.huge_wanted);
		code = tern_region_extend(&pool->memory, RTE_MIN(size, pool->memory.reserved));
	}
	tern_unlock(&pool->memory_lock);
	return code;
}

bool tern_pool_prepare(struct tern_pool *pool)
{
	uint64_t used = tern_load(&pool->used), step = TERN_PAGE_2M / sizeof(struct tern_record);
	if (used < step || records_of(pool) > used + step / 2 || records_of(pool) > pool->most)
		return false;
	return add_memory(pool, used + step / 2) == 0;
}

static uint32_t take_new(struct tern_pool *pool)
{
	uint64_t used = pool->used;
	if (used > pool->most || (used >= records_of(pool) && add_memory(pool, used) != 0))
		return 0;
	tern_store(&pool->used, used + 1);
	return (uint32_t)used;
}

uint32_t tern_record_take(const struct tern_table *table, struct tern_shard *shard)
{
	struct tern_pool *pool = &shard->pool;
	for (int i = 0; i < FREED_MAX && pool->retired; i++) {
		uint32_t record = pool->retired;
		if (!tern_table_is_quiet(table, shard->records[record].token))
			break;
		pool->retired = shard->records[record].route.link;
		tern_record_put(shard, record);
	}
	uint32_t record = pool->free;
	if (!record)
		return take_new(pool);
	pool->free = shard->records[record].route.link;
	return record;
}

void tern_record_put(struct tern_shard *shard, uint32_t record)
{
	shard->records[record].route.link = shard->pool.free;
	shard->pool.free = record;
}

void tern_record_retire(const struct tern_table *table, struct tern_shard *shard, uint32_t record)
{
	struct tern_pool *pool = &shard->pool;
	struct tern_record *retired = &shard->records[record];
	retired->token = tern_table_token(table);
	retired->route.link = 0;
	if (pool->retired)
		shard->records[pool->last_retired].route.link = record;
	else
		pool->retired = record;
	pool->last_retired = record;
}
