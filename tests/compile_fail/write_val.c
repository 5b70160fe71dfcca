/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: discards 'const' qualifier
// expect[clang]: discards qualifiers
/* Goal: a shared payload is read-only. */
#include "tern_block.h"

long first(const tern_val *val);

long first(const tern_val *val)
{
#ifdef TERN_FIXED
	const long *words = tern_val_data(val);
#else
	long *words = tern_val_data(val);
	words[0] = 7;
#endif
	return words[0];
}
