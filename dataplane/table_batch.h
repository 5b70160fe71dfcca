/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking up many ids at once, for a file that has defined hash_ids() and look(): first all
 * buckets are asked for, then each is looked at, then those ids that were not where they are at
 * home.
 */
#include "table_find.h"

static void find_chunk(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		       tern_address *addresses)
{
	uint64_t hashes[TERN_TABLE_CHUNK];
	const struct tern_bucket *buckets[TERN_TABLE_CHUNK];
	uint8_t left[TERN_TABLE_CHUNK];
	uint32_t left_count = 0;
	hash_ids(&table->keys, ids, count, hashes);
	for (uint32_t i = 0; i < count; i++) {
		buckets[i] = tern_shard_home(tern_table_shard(table, hashes[i]), hashes[i]);
		tern_bucket_prefetch(buckets[i]);
	}
	for (uint32_t i = 0; i < count; i++) {
		left[left_count] = (uint8_t)i;
		left_count += !look(buckets[i], hashes[i], &ids[i], &addresses[i]);
	}
	tern_table_find_rest(table, ids, hashes, buckets, left, left_count, addresses);
}

static void find_batch(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		       tern_address *addresses)
{
	for (uint32_t from = 0, some; from < count; from += some) {
		some = count - from < TERN_TABLE_CHUNK ? count - from : TERN_TABLE_CHUNK;
		find_chunk(table, ids + from, some, addresses + from);
	}
}
