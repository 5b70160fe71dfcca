/* SPDX-License-Identifier: Apache-2.0 */

/* Looking up with AVX-512 and AES on wide vectors: four hashes at a time. */
#include "table_x86.h"

static inline __m512i round_key(const struct tern_table_keys *keys, int round)
{
	return _mm512_broadcast_i32x4(_mm_load_si128((const void *)keys->rounds[round]));
}

static void hash_ids(const struct tern_table_keys *keys, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes)
{
	const __m512i low_halves = _mm512_setr_epi64(0, 2, 4, 6, 0, 0, 0, 0);
	uint32_t i = 0;
	for (; i + 4 <= count; i += 4) {
		__m512i state = _mm512_loadu_si512(ids + i);
		state = _mm512_xor_si512(state, round_key(keys, 0));
		for (int round = 1; round <= 3; round++)
			state = _mm512_aesenc_epi128(state, round_key(keys, round));
		state = _mm512_permutexvar_epi64(low_halves, state);
		_mm256_storeu_si256((void *)(hashes + i), _mm512_castsi512_si256(state));
	}
	for (; i < count; i++)
		hashes[i] = (uint64_t)_mm_cvtsi128_si64(
			hash_vector(keys, _mm_loadu_si128((const void *)&ids[i])));
}

#include "table_batch.h"

static bool is_usable(void)
{
	static const enum rte_cpu_flag_t needed[] = {RTE_CPUFLAG_AVX512F,  RTE_CPUFLAG_AVX512VL,
						     RTE_CPUFLAG_AVX512DQ, RTE_CPUFLAG_BMI2,
						     RTE_CPUFLAG_AES,	   RTE_CPUFLAG_VAES};
	return has_all(needed, RTE_DIM(needed));
}

const struct tern_table_kernel tern_table_avx512 = {.name = "avx512",
						    .usable = is_usable,
						    .find = find,
						    .find_batch = find_batch,
						    .hash = hash_ids};
