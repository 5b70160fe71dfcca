/* SPDX-License-Identifier: Apache-2.0 */

/* Looking up with AVX2 and AES. */
#include "table_x86.h"

static void hash_ids(const struct tern_table_keys *keys, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes)
{
	for (uint32_t i = 0; i < count; i++)
		hashes[i] = hash_id(keys, &ids[i]);
}

#include "table_batch.h"

/* Apart, so that the loop below computes nothing for it. `matched`: a tag of its home fitted. */
static __attribute__((noinline)) tern_address look_again(const struct tern_finder *finder,
							 const struct tern_bucket *home,
							 uint64_t hash, const struct tern_id *id,
							 bool matched)
{
	return matched ? look_slowly(finder, hash, id) : look_on(finder, home, hash, id);
}

static void find_chunk(const struct tern_finder *finder, const struct tern_id *ids,
		       tern_address *addresses)
{
	const struct tern_bucket *homes[CHUNK];
	uint64_t hashes[CHUNK];
	__m128i ones = _mm_set1_epi8(1);
	hash_ids(&finder->keys, ids, CHUNK, hashes);
	for (uint32_t i = 0; i < CHUNK; i++) {
		homes[i] = tern_shard_home(tern_finder_shard(finder, hashes[i]), hashes[i]);
		tern_bucket_prefetch(homes[i]);
	}
	__asm__("" : "+x"(ones)); /* gcc would make them anew for each id */
	for (uint32_t i = 0; i < CHUNK; i++) {
		const struct tern_bucket *home = homes[i];
		__m128i tag = _mm_max_epu8(_mm_set1_epi8((char)hashes[i]), ones);
		__m128i id = _mm_loadu_si128((const void *)&ids[i]);
		uint64_t bytes = match_bytes(home, tag) << FIRST_SHIFT;
		if (likely(bytes)) {
			uint64_t bit = (uint64_t)__builtin_ctzll(bytes), word;
			addresses[i] = word = first_word(home, bit);
			if (unlikely(!is_same(first_id(home, bit), id) || (int64_t)word <= 0 ||
				     !is_first_still(home, bit, word)))
				addresses[i] = look_again(finder, home, hashes[i], &ids[i], true);
		} else {
			addresses[i] = TERN_ADDRESS_NONE;
			if (unlikely(!tern_word_answers(TERN_ADDRESS_NONE, home, hashes[i])))
				addresses[i] = look_again(finder, home, hashes[i], &ids[i], false);
		}
	}
}

static void find_batch(const struct tern_finder *finder, const struct tern_id *ids, uint32_t count,
		       tern_address *addresses)
{
	for (; count >= CHUNK; count -= CHUNK, ids += CHUNK, addresses += CHUNK)
		find_chunk(finder, ids, addresses);
	if (unlikely(count))
		find_one_by_one(finder, ids, count, addresses);
}

static bool is_usable(void)
{
	static const enum rte_cpu_flag_t needed[] = {RTE_CPUFLAG_AVX2, RTE_CPUFLAG_BMI2,
						     RTE_CPUFLAG_AES};
	return has_all(needed, RTE_DIM(needed));
}

const struct tern_table_kernel tern_table_avx2 = {.name = "avx2",
						  .usable = is_usable,
						  .find = find,
						  .find_batch = find_batch,
						  .hash = hash_ids};
