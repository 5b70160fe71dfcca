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

static inline bool is_there(const struct tern_id *there, const struct tern_id *id)
{
	struct tern_id found = {.high = __atomic_load_n(&there->high, __ATOMIC_ACQUIRE), /* R6 */
				.low = __atomic_load_n(&there->low, __ATOMIC_ACQUIRE)};
	return likely(tern_id_same(found, *id));
}

/*
 * The word of an id in a bucket; TERN_ADDRESS_NONE: it is not there. The word is loaded before the
 * id, and after it (R1, R4, R5). One that has changed is looked at again.
 */
static inline uint64_t search_for(const struct tern_bucket *bucket, uint64_t hash,
				  const struct tern_id *id)
{
	uint64_t meta = __atomic_load_n(&bucket->meta, __ATOMIC_ACQUIRE);
	uint64_t mask = tern_meta_match(meta, tern_table_tag(hash));
	for (; mask; mask &= mask - 1) {
		uint32_t place = tern_meta_place(mask);
		const uint64_t *at = &bucket->words[place];
		uint64_t word = __atomic_load_n(at, __ATOMIC_ACQUIRE), before;
		do {
			before = word;
			if (!word || !is_there(&bucket->ids[place], id))
				break;
			word = __atomic_load_n(at, __ATOMIC_ACQUIRE);
			if (likely(word == before))
				return word;
		} while (true);
	}
	return TERN_ADDRESS_NONE;
}

static tern_address find(const struct tern_finder *finder, uint64_t high, uint64_t low)
{
	struct tern_id id = {.high = high, .low = low};
	uint64_t hash = hash_id(&finder->keys, id);
	const struct tern_shard *shard = tern_finder_shard(finder, hash);
	const struct tern_bucket *bucket = tern_shard_home(shard, hash);
	tern_bucket_prefetch_rest(bucket);
	uint64_t word = search_for(bucket, hash, &id);
	if (likely(tern_word_answers(word, bucket, hash)))
		return word;
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
						    .find_batch = find_one_by_one,
						    .hash = hash_ids};
