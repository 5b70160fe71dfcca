/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: from incompatible pointer type
// expect[clang]: incompatible pointer types
/* Goal: one count of a shared block is not sent as a unique block. */
#include "tern_signal.h"

const void *send(struct tern_agent *self, tern_address to, const tern_val *val);

const void *send(struct tern_agent *self, tern_address to, const tern_val *val)
{
#ifdef TERN_FIXED
	return tern_signal_val(self, to, 1, val);
#else
	return tern_signal_iso(self, to, 1, val);
#endif
}
