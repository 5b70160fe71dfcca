/* SPDX-License-Identifier: Apache-2.0 */

/* DPDK's rte_hash, in a heap of its own. */
#include <stdlib.h>

#include <rte_common.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "capabilities/memory/arena.h"
#include "lookup_body.h"

#define HEAP_NAME "lookup"
/* Removals that wait: what a writer does while a reader is held up for a tenth of a second. */
#define REMOVED_MAX 4096u
#define HEAP_SLACK (1u << 20)

struct hash {
	struct rte_hash *hash;
	struct tern_region region;
	bool has_heap, has_memory;
};

/* As documented, as many as there are ids, and what removals keep until all readers are quiet. */
static uint32_t entries_for(const struct lookup_space *space)
{
	return space->ids + RTE_MIN(REMOVED_MAX, space->ids / 2);
}

/* Buckets and the ring of free keys are powers of two; a key with its value takes half a line. */
static uint64_t bytes(const struct lookup_space *space)
{
	uint64_t entries = entries_for(space), slots = rte_align64pow2(entries + 1);
	return slots * (8 + sizeof(uint32_t)) + entries * 32 + HEAP_SLACK;
}

static void destroy(void *table)
{
	struct hash *hash = table;
	rte_hash_free(hash->hash);
	if (hash->has_memory)
		rte_malloc_heap_memory_remove(HEAP_NAME, hash->region.base, hash->region.size);
	if (hash->has_heap)
		rte_malloc_heap_destroy(HEAP_NAME);
	tern_region_release(&hash->region);
	free(hash);
}

static bool make_heap(struct hash *hash, const struct lookup_space *space)
{
	struct tern_region *region = &hash->region;
	if (!lookup_reserve(region, bytes(space), space->huge))
		return false;
	size_t page = region->huge == region->size ? TERN_PAGE_2M : TERN_PAGE_4K;
	hash->has_heap = rte_malloc_heap_create(HEAP_NAME) == 0;
	hash->has_memory =
		hash->has_heap && rte_malloc_heap_memory_add(HEAP_NAME, region->base, region->size,
							     NULL, 0, page) == 0;
	return hash->has_memory;
}

static bool make_hash(struct hash *hash, const struct lookup_space *space)
{
	const struct rte_hash_parameters parameters = {
		.name = "lookup",
		.entries = entries_for(space),
		.key_len = sizeof(struct tern_id),
		.hash_func = rte_hash_crc,
		.socket_id = rte_malloc_heap_get_socket(HEAP_NAME),
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};
	struct rte_hash_rcu_config quiet = {.v = space->quiet, .dq_size = REMOVED_MAX};
	hash->hash = rte_hash_create(&parameters);
	return hash->hash && rte_hash_rcu_qsbr_add(hash->hash, &quiet) == 0;
}

static void *create(const struct lookup_space *space)
{
	struct hash *hash = calloc(1, sizeof(*hash));
	if (!hash)
		return NULL;
	if (make_heap(hash, space) && make_hash(hash, space))
		return hash;
	destroy(hash);
	return NULL;
}

static bool put(void *table, const struct tern_id *id, uint64_t value)
{
	struct hash *hash = table;
	return rte_hash_add_key_data(hash->hash, id, (void *)(uintptr_t)value) == 0;
}

static void take_out(void *table, const struct tern_id *id)
{
	struct hash *hash = table;
	rte_hash_del_key(hash->hash, id);
}

static inline uint64_t find(const void *table, const struct tern_id *id)
{
	void *data;
	return rte_hash_lookup_data(table, id, &data) >= 0 ? (uintptr_t)data : 0;
}

static uint64_t single(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	const struct hash *hash = table;
	(void)batch;
	return lookup_each(hash->hash, ids, count, find);
}

static uint64_t chain(const void *table, const struct tern_id *ids, uint32_t count, uint32_t batch)
{
	const struct hash *hash = table;
	(void)batch;
	return lookup_chained(hash->hash, ids, count, find);
}

/* As many as one call takes. */
static uint64_t bulk(const struct rte_hash *hash, const struct tern_id *ids, uint32_t count)
{
	const void *keys[RTE_HASH_LOOKUP_BULK_MAX];
	void *data[RTE_HASH_LOOKUP_BULK_MAX];
	uint64_t hits = 0, sum = 0;
	for (uint32_t i = 0; i < count; i++)
		keys[i] = &ids[i];
	rte_hash_lookup_bulk_data(hash, keys, count, &hits, data);
	for (; hits; hits &= hits - 1)
		sum += (uintptr_t)data[__builtin_ctzll(hits)];
	return sum;
}

static uint64_t batches(const void *table, const struct tern_id *ids, uint32_t count,
			uint32_t batch)
{
	const struct hash *hash = table;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < count; i += batch) {
		uint32_t end = i + RTE_MIN(batch, count - i);
		for (uint32_t j = i; j < end; j += RTE_HASH_LOOKUP_BULK_MAX)
			sum += bulk(hash->hash, ids + j,
				    RTE_MIN(end - j, (uint32_t)RTE_HASH_LOOKUP_BULK_MAX));
	}
	return sum;
}

static uint64_t copy_lists(const void *table, const struct tern_id *ids, uint32_t count,
			   const struct lookup_lists *lists, tern_address *copy)
{
	const struct hash *hash = table;
	return lookup_copied(hash->hash, ids, count, lists, copy, find);
}

const struct lookup_contender lookup_rte_hash = {
	.name = "rte_hash",
	.bytes = bytes,
	.create = create,
	.destroy = destroy,
	.put = put,
	.remove = take_out,
	.bodies = {single, chain, batches},
	.copy = copy_lists,
};
