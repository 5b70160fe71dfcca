/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'quote_create'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a typed block that nobody holds is a leak. */
#include "tern_signal.h"

struct quote {
	long price;
};
TERN_BLOCK_TYPE(quote, struct quote);
void make(struct tern_heap *heap);

void make(struct tern_heap *heap)
{
#ifdef TERN_FIXED
	tern_iso_drop(heap, quote_create(heap));
#else
	quote_create(heap);
#endif
}
