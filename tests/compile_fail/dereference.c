/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: invalid use of incomplete typedef 'tern_iso'
// expect[clang]: incomplete type
/* Goal: a capability is no object: its payload is reached through the accessors. */
#include "tern_block.h"

void clear(tern_iso *iso);

void clear(tern_iso *iso)
{
	*iso = (tern_iso){0};
}
