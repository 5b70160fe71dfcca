/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_FIND_H
#define TABLE_FIND_H

/* What all kernels do alike: the unlikely part of a lookup, and batches. */
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "table.h"

/* Ids whose misses are overlapped. */
#define TERN_TABLE_CHUNK 32u

/** All that is not likely: a home that has moved, ids beyond it, two of one tag, a record. */
tern_address tern_table_find_slowly(const struct tern_shard *shard, uint64_t hash, uint64_t high,
				    uint64_t low);

static inline const struct tern_bucket *tern_shard_home(const struct tern_shard *shard,
							uint64_t hash)
{
	const struct tern_bucket *index = __atomic_load_n(&shard->index, __ATOMIC_ACQUIRE);
	return &index[tern_index_home(index, hash)];
}

/* The other line of a bucket. */
static inline void tern_bucket_prefetch_rest(const struct tern_bucket *bucket)
{
	rte_prefetch0((const unsigned char *)bucket + TERN_LINE);
}

static inline void tern_bucket_prefetch(const struct tern_bucket *bucket)
{
	rte_prefetch0(bucket);
	tern_bucket_prefetch_rest(bucket);
}

/** Whether nothing of a tag is in or beyond a home of which no tag fits. */
static inline bool tern_meta_excludes(uint64_t meta, uint32_t tag)
{
	return likely(!(meta & (tern_table_filter(tag) | TERN_META_MOVED)));
}

/* What is left after the first look is mostly in the next bucket: those misses, too, overlap. */
static inline void tern_table_find_rest(const struct tern_table *table, const struct tern_id *ids,
					const uint64_t *hashes,
					const struct tern_bucket *const *buckets,
					const uint8_t *left, uint32_t count,
					tern_address *addresses)
{
	for (uint32_t i = 0; i < count; i++)
		tern_bucket_prefetch(buckets[left[i]] + 1);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t hash = hashes[left[i]];
		addresses[left[i]] = tern_table_find_slowly(tern_table_shard(table, hash), hash,
							    ids[left[i]].high, ids[left[i]].low);
	}
}

#endif
