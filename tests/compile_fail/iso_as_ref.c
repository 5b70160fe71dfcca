/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a unique block becomes local through localize only. */
#include "tern_signal.h"

void *open(tern_iso *iso, tern_ref *ref);

void *open(tern_iso *iso, tern_ref *ref)
{
#ifdef TERN_FIXED
	return iso ? tern_ref_data(ref) : NULL;
#else
	return ref ? tern_ref_data(iso) : NULL;
#endif
}
