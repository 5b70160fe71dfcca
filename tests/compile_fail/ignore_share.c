/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_val_share'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a count that nobody holds is a leak. */
#include "tern_signal.h"

void share(struct tern_heap *heap, const tern_val *val);

void share(struct tern_heap *heap, const tern_val *val)
{
#ifdef TERN_FIXED
	tern_val_drop(heap, tern_val_share(val));
#else
	(void)heap;
	tern_val_share(val);
#endif
}
