/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect: a block holds at most 65,280 bytes
/* Goal: a type that no block holds is refused where it is declared. */
#include "tern_block.h"

struct page {
#ifdef TERN_FIXED
	unsigned char bytes[65280];
#else
	unsigned char bytes[65281];
#endif
};
TERN_BLOCK_TYPE(page, struct page);
void make(struct tern_heap *heap);

void make(struct tern_heap *heap)
{
	tern_iso_drop(heap, page_create(heap));
}
