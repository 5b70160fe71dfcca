/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking up many ids at once, for a file that has defined hash_ids() and search_for(): first all
 * homes are asked for, then each is searched; of those ids that are not at home most are in the
 * next bucket, and those misses, too, overlap.
 */
#include "table_find.h"

/* Ids whose misses are overlapped. */
#define CHUNK 32u

/* Not if the home has moved: what lies beyond it may be out of date. */
static tern_address find_beyond(const struct tern_table *table, const struct tern_bucket *home,
				uint64_t hash, const struct tern_id *id)
{
	const struct tern_shard *shard = tern_table_shard(table, hash);
	tern_address word = TERN_ADDRESS_NONE;
	if (likely(!(__atomic_load_n(&home->meta, __ATOMIC_ACQUIRE) & TERN_META_MOVED))) /* R3 */
		word = search_for(home + 1, hash, id);
	return likely((int64_t)word > 0) ? word
					 : tern_table_find_slowly(shard, hash, id->high, id->low);
}

static void find_chunk(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		       tern_address *addresses)
{
	uint64_t hashes[CHUNK];
	const struct tern_bucket *homes[CHUNK];
	uint8_t left[CHUNK];
	uint32_t left_count = 0;
	hash_ids(&table->keys, ids, count, hashes);
	for (uint32_t i = 0; i < count; i++) {
		homes[i] = tern_shard_home(tern_table_shard(table, hashes[i]), hashes[i]);
		tern_bucket_prefetch(homes[i]);
	}
	for (uint32_t i = 0; i < count; i++) {
		addresses[i] = search_for(homes[i], hashes[i], &ids[i]);
		if (unlikely(!tern_word_answers(addresses[i], homes[i], hashes[i])))
			left[left_count++] = (uint8_t)i;
	}
	for (uint32_t i = 0; i < left_count; i++)
		tern_bucket_prefetch(homes[left[i]] + 1);
	for (uint32_t i = 0; i < left_count; i++)
		addresses[left[i]] =
			find_beyond(table, homes[left[i]], hashes[left[i]], &ids[left[i]]);
}

static void find_batch(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		       tern_address *addresses)
{
	for (uint32_t from = 0, some; from < count; from += some) {
		some = count - from < CHUNK ? count - from : CHUNK;
		find_chunk(table, ids + from, some, addresses + from);
	}
}
