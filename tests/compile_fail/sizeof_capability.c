/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect: incomplete type
/* Goal: a capability has no size: only its payload has. */
#include "tern_block.h"

size_t measure(tern_iso *iso);

size_t measure(tern_iso *iso)
{
#ifdef TERN_FIXED
	return tern_block_size(iso);
#else
	return sizeof(*iso);
#endif
}
