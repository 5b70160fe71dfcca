/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: selector of type 'int *' is not compatible with any association
// expect[clang]: type 'int *' not compatible with any generic association type
/* Goal: only a capability can be asked whether it is unique. */
#include "tern_block.h"

int ask(int *number, tern_iso *iso);

int ask(int *number, tern_iso *iso)
{
#ifdef TERN_FIXED
	return number ? TERN_IS_UNIQUE(iso) : 0;
#else
	return iso ? TERN_IS_UNIQUE(number) : 0;
#endif
}
