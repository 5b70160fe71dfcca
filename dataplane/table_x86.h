/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looking up with the vectors of x86-64. Every instruction counts: what a lookup costs beside its
 * miss is how many of them fit in the reorder buffer.
 */
#include <immintrin.h>

#include <rte_common.h>
#include <rte_cpuflags.h>

#include "capabilities/sanitizer.h"
#include "table_find.h"

static bool has_all(const enum rte_cpu_flag_t *flags, size_t count)
{
	while (count && rte_cpu_get_flag_enabled(flags[count - 1]) > 0)
		count--;
	return count == 0;
}

/*
 * Three rounds of AES between secret keys. Two ids that differ meet in all of the state for no key,
 * and in part of it as seldom as at random: two rounds alone bound any difference by 2^-30 (Keliher
 * and Sui, "Exact maximum expected differential and linear probability for two-round AES", 2007).
 */
static inline __m128i hash_vector(const struct tern_table_keys *keys, __m128i id)
{
	const __m128i *round = (const void *)keys->rounds;
	__m128i state = _mm_xor_si128(id, _mm_load_si128(round));
	state = _mm_aesenc_si128(state, _mm_load_si128(round + 1));
	state = _mm_aesenc_si128(state, _mm_load_si128(round + 2));
	return _mm_aesenc_si128(state, _mm_load_si128(round + 3));
}

/* Which of a bucket's places have the tag of a hash. The meta is the first half of a vector: one
 * load, which on x86 comes before those that depend on it (R1). */
static TERN_HIDDEN uint32_t match(const struct tern_bucket *bucket, __m128i hash)
{
	__m128i tag = _mm_max_epu8(_mm_broadcastb_epi8(hash), _mm_set1_epi8(1));
	__m128i same = _mm_cmpeq_epi8(tag, _mm_load_si128((const void *)bucket));
	return (uint32_t)_mm_movemask_epi8(same) & ((1u << TERN_BUCKET_PLACES) - 1);
}

static TERN_HIDDEN bool is_same(const struct tern_place *place, __m128i id)
{
	__m128i other = _mm_xor_si128(id, _mm_loadu_si128((const void *)&place->id));
	return _mm_testz_si128(other, other);
}

static tern_address find(const struct tern_table *table, uint64_t high, uint64_t low)
{
	__m128i id = _mm_insert_epi64(_mm_cvtsi64_si128((long long)high), (long long)low, 1);
	__m128i hashes = hash_vector(&table->keys, id);
	uint64_t hash = (uint64_t)_mm_cvtsi128_si64(hashes);
	const struct tern_shard *shard = tern_table_shard(table, hash);
	const struct tern_bucket *bucket = tern_shard_home(shard, hash);
	tern_bucket_prefetch_rest(bucket);
	uint32_t mask = match(bucket, hashes);
	if (unlikely(!mask)) {
		uint64_t meta = __atomic_load_n(&bucket->meta, __ATOMIC_ACQUIRE); /* R2, R3 */
		return tern_meta_excludes(meta, tern_table_tag(hash))
			       ? TERN_ADDRESS_NONE
			       : tern_table_find_slowly(shard, hash, high, low);
	}
	const struct tern_place *place = &bucket->places[__builtin_ctz(mask)];
	/* The word first: who sees one sees the id that it was stored for. */
	int64_t word = (int64_t)__atomic_load_n(&place->word, __ATOMIC_ACQUIRE); /* R4, R5 */
	if (likely(is_same(place, id)) && likely(word > 0))
		return (tern_address)word;
	return tern_table_find_slowly(shard, hash, high, low);
}

/* The first look at an id of a batch. False: it takes a second one. */
static inline bool look(const struct tern_bucket *bucket, uint64_t hash, const struct tern_id *id,
			tern_address *address)
{
	uint32_t mask = match(bucket, _mm_cvtsi64_si128((long long)hash));
	*address = TERN_ADDRESS_NONE;
	if (!mask) {
		uint64_t meta = __atomic_load_n(&bucket->meta, __ATOMIC_ACQUIRE); /* R2, R3 */
		return tern_meta_excludes(meta, tern_table_tag(hash));
	}
	const struct tern_place *place = &bucket->places[__builtin_ctz(mask)];
	int64_t word = (int64_t)__atomic_load_n(&place->word, __ATOMIC_ACQUIRE); /* R4 */
	if (unlikely(!is_same(place, _mm_loadu_si128((const void *)id))) || unlikely(word <= 0))
		return false;
	*address = (tern_address)word;
	return true;
}
