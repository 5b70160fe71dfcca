/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: discards 'const' qualifier
// expect[clang]: discards qualifiers
/* Goal: a shared payload is no target of a copy. */
#include "tern_block.h"

#include <string.h>

void fill(const tern_val *val, void *bytes, size_t size);

void fill(const tern_val *val, void *bytes, size_t size)
{
#ifdef TERN_FIXED
	memcpy(bytes, tern_val_data(val), size);
#else
	memcpy(tern_val_data(val), bytes, size);
#endif
}
