/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_iso_create'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a block that nobody holds is a leak. */
#include "tern_signal.h"

void make(struct tern_heap *heap);

void make(struct tern_heap *heap)
{
#ifdef TERN_FIXED
	tern_iso_drop(heap, tern_iso_create(heap, 100));
#else
	tern_iso_create(heap, 100);
#endif
}
