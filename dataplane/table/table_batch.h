/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking up many ids at once, for a file that has defined hash_ids() and search_for(): first all
 * homes are asked for, then each is searched.
 */
#include <rte_common.h>

#include "table_find.h"

/* Ids whose misses are overlapped. */
#define CHUNK 32u

static inline tern_address look_slowly(const struct tern_finder *finder, uint64_t hash,
				       const struct tern_id *id)
{
	return tern_table_find_slowly(tern_finder_shard(finder, hash), hash, id->high, id->low);
}

/*
 * One of the few ids that their home did not settle: most of them are in the next bucket. Not if
 * the home has moved: what lies beyond it may be out of date (R3).
 */
static __attribute__((noinline)) tern_address look_on(const struct tern_finder *finder,
						      const struct tern_bucket *home, uint64_t hash,
						      const struct tern_id *id)
{
	if (likely(!(__atomic_load_n(&home->meta, __ATOMIC_ACQUIRE) & TERN_META_MOVED))) {
		tern_bucket_prefetch_rest(home + 1);
		uint64_t word = search_for(home + 1, hash, id);
		if (likely((int64_t)word > 0))
			return word;
	}
	return look_slowly(finder, hash, id);
}

/* Up to a chunk of ids, one by one. */
static void find_some(const struct tern_finder *finder, const struct tern_id *ids, uint32_t count,
		      tern_address *addresses)
{
	uint64_t hashes[CHUNK];
	const struct tern_bucket *homes[CHUNK];
	hash_ids(&finder->keys, ids, count, hashes);
	for (uint32_t i = 0; i < count; i++) {
		homes[i] = tern_shard_home(tern_finder_shard(finder, hashes[i]), hashes[i]);
		tern_bucket_prefetch(homes[i]);
	}
	for (uint32_t i = 0; i < count; i++) {
		addresses[i] = search_for(homes[i], hashes[i], &ids[i]);
		if (unlikely(!tern_word_answers(addresses[i], homes[i], hashes[i])))
			addresses[i] = look_on(finder, homes[i], hashes[i], &ids[i]);
	}
}

/* Any number of ids. */
static void find_one_by_one(const struct tern_finder *finder, const struct tern_id *ids,
			    uint32_t count, tern_address *addresses)
{
	for (uint32_t i = 0; i < count; i += CHUNK)
		find_some(finder, ids + i, RTE_MIN(count - i, CHUNK), addresses + i);
}
