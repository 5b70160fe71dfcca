/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a holder of a shared block gives back its count, not the block. */
#include "tern_signal.h"

void drop(struct tern_heap *heap, const tern_val *val);

void drop(struct tern_heap *heap, const tern_val *val)
{
#ifdef TERN_FIXED
	tern_val_drop(heap, val);
#else
	tern_iso_drop(heap, val);
#endif
}
