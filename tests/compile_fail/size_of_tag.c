/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: selector of type 'tern_tag *'
// expect[clang]: type 'tern_tag *'
/* Goal: an identity has no payload to measure. */
#include "tern_block.h"

size_t measure(tern_tag *tag, tern_iso *iso);

size_t measure(tern_tag *tag, tern_iso *iso)
{
#ifdef TERN_FIXED
	return tag ? tern_block_size(iso) : 0;
#else
	return iso ? tern_block_size(tag) : 0;
#endif
}
