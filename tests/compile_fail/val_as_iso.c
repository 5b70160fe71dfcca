/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a shared block is not taken for a unique one. */
#include "tern_signal.h"

void *open(tern_iso *iso, const tern_val *val);

void *open(tern_iso *iso, const tern_val *val)
{
#ifdef TERN_FIXED
	return val ? tern_iso_data(iso) : NULL;
#else
	return iso ? tern_iso_data(val) : NULL;
#endif
}
