/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a local block is dropped as what it is. */
#include "tern_signal.h"

void drop(struct tern_heap *heap, tern_ref *ref);

void drop(struct tern_heap *heap, tern_ref *ref)
{
#ifdef TERN_FIXED
	tern_ref_drop(heap, ref);
#else
	tern_val_drop(heap, ref);
#endif
}
