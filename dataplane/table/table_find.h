/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_FIND_H
#define TABLE_FIND_H

/* What all kernels do alike: the unlikely part of a lookup, and batches. */
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "table.h"

/** All that is not likely: a home that has moved, ids beyond it, two of one tag, a record, one
 * taken out. */
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

/**
 * Whether what the search of a home came to is the answer: an address, or nothing where none of
 * the home's ids is beyond it and the home has not moved (R2, R3).
 */
static inline bool tern_word_answers(uint64_t word, const struct tern_bucket *home, uint64_t hash)
{
	if (likely((int64_t)word > 0))
		return true;
	uint64_t meta = __atomic_load_n(&home->meta, __ATOMIC_ACQUIRE);
	uint64_t beyond = tern_table_filter(tern_table_tag(hash)) | TERN_META_MOVED;
	return word == TERN_ADDRESS_NONE && likely(!(meta & beyond));
}

#endif
