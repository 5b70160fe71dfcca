/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_iso_freeze'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: freeze consumes its argument: only its result may be used on. */
#include "tern_signal.h"

void share(struct tern_heap *heap, tern_iso *iso);

void share(struct tern_heap *heap, tern_iso *iso)
{
#ifdef TERN_FIXED
	tern_val_drop(heap, tern_iso_freeze(iso));
#else
	(void)heap;
	tern_iso_freeze(iso);
#endif
}
