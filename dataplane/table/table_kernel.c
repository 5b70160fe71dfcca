/* SPDX-License-Identifier: Apache-2.0 */

/* Which of the ways to look up this machine can go. */
#include <string.h>

#include <rte_common.h>

#include "table.h"

static const struct tern_table_kernel *const all[] = {
#if defined(RTE_ARCH_X86_64)
	&tern_table_avx512,
	&tern_table_avx2,
#endif
	&tern_table_scalar,
};

const struct tern_table_kernel *tern_table_kernel(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(all); i++)
		if (all[i]->usable() && (!name || strcmp(all[i]->name, name) == 0))
			return all[i];
	return NULL;
}

const char *tern_table_kernel_name(uint32_t place)
{
	for (size_t i = 0; i < RTE_DIM(all); i++)
		if (all[i]->usable() && place-- == 0)
			return all[i]->name;
	return NULL;
}
