/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_signal_val'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a refused count is still the sender's: the result cannot be ignored. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to, const tern_val *val);

void send(struct tern_agent *self, tern_address to, const tern_val *val)
{
#ifdef TERN_FIXED
	tern_val_drop(tern_heap(self), tern_signal(self, to, 1, val));
#else
	tern_signal(self, to, 1, val);
#endif
}
