/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: a local block cannot be sent through the function for unique ones either. */
#include "tern_signal.h"

tern_iso *send(struct tern_agent *self, tern_address to, tern_ref *ref);

tern_iso *send(struct tern_agent *self, tern_address to, tern_ref *ref)
{
#ifdef TERN_FIXED
	return tern_signal_iso(self, to, 1, tern_ref_recover(ref));
#else
	return tern_signal_iso(self, to, 1, ref);
#endif
}
