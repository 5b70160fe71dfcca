/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: only a shared block can be thawed. */
#include "tern_signal.h"

tern_iso *unique(tern_ref *ref);

tern_iso *unique(tern_ref *ref)
{
#ifdef TERN_FIXED
	return tern_ref_recover(ref);
#else
	return tern_val_thaw(ref);
#endif
}
