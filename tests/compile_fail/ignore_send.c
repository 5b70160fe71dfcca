/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_signal_iso'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a send may hand the block back: its result cannot be ignored. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to, tern_iso *iso);

void send(struct tern_agent *self, tern_address to, tern_iso *iso)
{
#ifdef TERN_FIXED
	tern_iso_drop(tern_heap(self), tern_signal(self, to, 1, iso));
#else
	tern_signal(self, to, 1, iso);
#endif
}
