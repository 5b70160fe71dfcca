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

static bool is_usable(void)
{
	static const enum rte_cpu_flag_t needed[] = {RTE_CPUFLAG_AVX2, RTE_CPUFLAG_BMI2,
						     RTE_CPUFLAG_AES};
	return has_all(needed, RTE_DIM(needed));
}

const struct tern_table_kernel tern_table_avx2 = {.name = "avx2",
						  .usable = is_usable,
						  .find = find,
						  .find_batch = find_one_by_one,
						  .hash = hash_ids};
