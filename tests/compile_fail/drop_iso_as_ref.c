/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a unique block is dropped as what it is. */
#include "tern_signal.h"

void drop(struct tern_heap *heap, tern_iso *iso);

void drop(struct tern_heap *heap, tern_iso *iso)
{
#ifdef TERN_FIXED
	tern_iso_drop(heap, iso);
#else
	tern_ref_drop(heap, iso);
#endif
}
