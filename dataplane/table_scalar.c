/* SPDX-License-Identifier: Apache-2.0 */

/* Looking up with no more than C. */
#include "table_find.h"

/*
 * NH over the four words of an id, mixed by a bijection. Before the mixing two ids meet with a
 * probability of 2^-32 over the keys, whatever the ids are (Black, Halevi, Krawczyk, Krovetz and
 * Rogaway, "UMAC: fast and secure message authentication", 1999).
 */
static inline uint64_t hash_id(const struct tern_table_keys *keys, struct tern_id id)
{
	uint64_t sum = (uint64_t)((uint32_t)id.high + keys->add[0]) *
			       ((uint32_t)(id.high >> 32) + keys->add[1]) +
		       (uint64_t)((uint32_t)id.low + keys->add[2]) *
			       ((uint32_t)(id.low >> 32) + keys->add[3]);
	sum = (sum ^ sum >> 32) * keys->mix;
	return sum ^ sum >> 32;
}

static void hash_ids(const struct tern_table_keys *keys, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes)
{
	for (uint32_t i = 0; i < count; i++)
		hashes[i] = hash_id(keys, ids[i]);
}

/* The first look at an id. False: it takes a second one. */
static inline bool look(const struct tern_bucket *bucket, uint64_t hash, const struct tern_id *id,
			tern_address *address)
{
	uint64_t meta = __atomic_load_n(&bucket->meta, __ATOMIC_ACQUIRE); /* R1, R2, R3 */
	uint64_t mask = tern_meta_match(meta, tern_table_tag(hash));
	*address = TERN_ADDRESS_NONE;
	if (unlikely(!mask))
		return tern_meta_excludes(meta, tern_table_tag(hash));
	const struct tern_place *place = &bucket->places[tern_meta_place(mask)];
	/* The word first: who sees one sees the id that it was stored for. */
	int64_t word = (int64_t)__atomic_load_n(&place->word, __ATOMIC_ACQUIRE); /* R4 */
	struct tern_id there = {.high = tern_load(&place->id.high),
				.low = tern_load(&place->id.low)};
	if (unlikely(!tern_id_same(there, *id)) || unlikely(word <= 0))
		return false;
	*address = (tern_address)word;
	return true;
}

static tern_address find(const struct tern_table *table, uint64_t high, uint64_t low)
{
	struct tern_id id = {.high = high, .low = low};
	uint64_t hash = hash_id(&table->keys, id);
	const struct tern_shard *shard = tern_table_shard(table, hash);
	const struct tern_bucket *bucket = tern_shard_home(shard, hash);
	tern_address address;
	tern_bucket_prefetch_rest(bucket);
	if (likely(look(bucket, hash, &id, &address)))
		return address;
	return tern_table_find_slowly(shard, hash, high, low);
}

#include "table_batch.h"

static bool is_usable(void)
{
	return true;
}

const struct tern_table_kernel tern_table_scalar = {.name = "scalar",
						    .usable = is_usable,
						    .find = find,
						    .find_batch = find_batch,
						    .hash = hash_ids};
