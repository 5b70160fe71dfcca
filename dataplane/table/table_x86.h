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

static inline uint64_t hash_id(const struct tern_table_keys *keys, const struct tern_id *id)
{
	return (uint64_t)_mm_cvtsi128_si64(hash_vector(keys, _mm_loadu_si128((const void *)id)));
}

/* The tag of a hash in every byte. The ones from memory: gcc would make them by two instructions.
 */
static inline __m128i tag_of(__m128i hash)
{
	static const alignas(16) uint64_t ones[2] = {0x0101010101010101, 0x0101010101010101};
	__m128i tag = _mm_broadcastb_epi8(hash);
	__asm__("vpmaxub %1, %0, %0" : "+x"(tag) : "m"(*(const __m128i *)(const void *)ones));
	return tag;
}

/*
 * A byte of ones for each of a meta's bytes that is a tag. The meta is the first half of a vector:
 * one load, which on x86 comes before those after it.
 */
static TERN_HIDDEN uint64_t match_bytes(const struct tern_bucket *bucket, __m128i tag)
{
	__m128i same = _mm_cmpeq_epi8(tag, _mm_load_si128((const void *)bucket));
	return (uint64_t)_mm_cvtsi128_si64(same);
}

/* Which of a bucket's places have a tag: bit 8 * place for each. */
static TERN_HIDDEN uint64_t match(const struct tern_bucket *bucket, __m128i tag)
{
	return match_bytes(bucket, tag) & TERN_META_ONES;
}

/* The word and the id of a place, by its bit: no multiplication, and no shift. */
static inline const uint64_t *word_at(const struct tern_bucket *bucket, uint64_t bit)
{
	return (const void *)((const unsigned char *)bucket->words + bit);
}

static inline const struct tern_id *id_at(const struct tern_bucket *bucket, uint64_t bit)
{
	return (const void *)((const unsigned char *)bucket->ids + 2 * bit);
}
_Static_assert(sizeof(struct tern_id) == 16, "an id for 8 bits");

/* The first place only needs the other bytes of the meta shifted out: its bits are so many on. */
#define FIRST_SHIFT (64 - 8 * TERN_BUCKET_PLACES)
#define FIRST_WORD (offsetof(struct tern_bucket, words) - FIRST_SHIFT)

/* Both with the sum in the instruction: gcc would compute the address that they share. */
static inline uint64_t first_word(const struct tern_bucket *bucket, uint64_t bit)
{
	uint64_t word;
	__asm__ volatile("movq %c3(%1,%2), %0"
			 : "=r"(word)
			 : "r"(bucket), "r"(bit), "i"(FIRST_WORD)
			 : "memory");
	return word;
}

static inline const struct tern_id *first_id(const struct tern_bucket *bucket, uint64_t bit)
{
	return id_at(bucket, bit) - FIRST_SHIFT / 8;
}

static inline bool is_first_still(const struct tern_bucket *bucket, uint64_t bit, uint64_t word)
{
	bool same;
	__asm__ volatile("cmpq %3, %c4(%1,%2)"
			 : "=@cce"(same)
			 : "r"(bucket), "r"(bit), "r"(word), "i"(FIRST_WORD)
			 : "memory");
	return likely(same);
}

static TERN_HIDDEN bool is_same(const struct tern_id *there, __m128i id)
{
	__m128i other = _mm_xor_si128(id, _mm_load_si128((const void *)there));
	return _mm_testz_si128(other, other);
}

/*
 * Whether a place still has a word, after its id was read (R5, R6): on x86 loads keep their order,
 * if the compiler does. One instruction, so that what is returned waits for the first load alone.
 */
static inline bool is_still(const uint64_t *at, uint64_t word)
{
	bool same;
	__asm__ volatile("cmpq %2, %1" : "=@cce"(same) : "m"(*at), "r"(word) : "memory");
	return likely(same);
}

/*
 * The word of an id in a bucket; TERN_ADDRESS_NONE: it is not there. The word is loaded before the
 * id, and after it (R1, R4, R5). One that has changed is looked at again.
 */
static inline uint64_t search(const struct tern_bucket *bucket, __m128i tag, __m128i id)
{
	for (uint64_t mask = match(bucket, tag); mask; mask &= mask - 1) {
		uint64_t bit = (uint64_t)__builtin_ctzll(mask), word;
		const uint64_t *at = word_at(bucket, bit);
		do {
			word = __atomic_load_n(at, __ATOMIC_ACQUIRE);
			if (unlikely(!is_same(id_at(bucket, bit), id)))
				word = TERN_ADDRESS_NONE;
		} while (word && !is_still(at, word));
		if (likely(word))
			return word;
	}
	return TERN_ADDRESS_NONE;
}

/* The first tag that fits is mostly the right one; the loop of search() would cost registers. */
static tern_address find(const struct tern_finder *finder, uint64_t high, uint64_t low)
{
	__m128i first = _mm_cvtsi64_si128((long long)high), id = _mm_cvtsi64_si128((long long)low);
	/* Both halves on their way at once: gcc would insert the second after the first. */
	__asm__("" : "+x"(first), "+x"(id));
	id = _mm_unpacklo_epi64(first, id);
	__m128i hashes = hash_vector(&finder->keys, id);
	uint64_t hash = (uint64_t)_mm_cvtsi128_si64(hashes), word = TERN_ADDRESS_NONE;
	const struct tern_shard *shard = tern_finder_shard(finder, hash);
	const struct tern_bucket *bucket = tern_shard_home(shard, hash);
	tern_bucket_prefetch_rest(bucket);
	uint64_t bytes = match_bytes(bucket, tag_of(hashes)) << FIRST_SHIFT;
	if (likely(bytes)) {
		uint64_t bit = (uint64_t)__builtin_ctzll(bytes);
		word = first_word(bucket, bit);
		if (likely(is_same(first_id(bucket, bit), id)) && likely((int64_t)word > 0) &&
		    is_first_still(bucket, bit, word))
			return word;
	} else if (likely(tern_word_answers(word, bucket, hash))) {
		return TERN_ADDRESS_NONE;
	}
	return tern_table_find_slowly(shard, hash, high, low);
}

static __attribute__((noinline)) uint64_t search_all(const struct tern_bucket *bucket,
						     uint64_t hash, const struct tern_id *id)
{
	return search(bucket, tag_of(_mm_cvtsi64_si128((long long)hash)),
		      _mm_loadu_si128((const void *)id));
}

/* In a loop the ones stay in a register. */
static inline uint64_t search_for(const struct tern_bucket *bucket, uint64_t hash,
				  const struct tern_id *id)
{
	__m128i tag = _mm_broadcastb_epi8(_mm_cvtsi64_si128((long long)hash));
	uint64_t bytes = match_bytes(bucket, _mm_max_epu8(tag, _mm_set1_epi8(1))) << FIRST_SHIFT;
	if (unlikely(!bytes))
		return TERN_ADDRESS_NONE;
	uint64_t bit = (uint64_t)__builtin_ctzll(bytes), word = first_word(bucket, bit);
	bool same = is_same(first_id(bucket, bit), _mm_loadu_si128((const void *)id));
	if (likely(same) && likely((int64_t)word > 0) && is_first_still(bucket, bit, word))
		return word;
	return search_all(bucket, hash, id);
}
