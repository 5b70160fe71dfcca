/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: invalid use of undefined type 'struct tern_iso'
// expect[clang]: arithmetic on a pointer to an incomplete type
/* Goal: no arithmetic leads from one block to another. */
#include "tern_block.h"

tern_iso *after(tern_iso *iso);

tern_iso *after(tern_iso *iso)
{
	return iso + 1;
}
