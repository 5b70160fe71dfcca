/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: ignoring return value of 'tern_signal_bytes'
// expect[clang]: ignoring return value of function declared with 'warn_unused_result'
/* Goal: a refused signal is not lost unseen. */
#include "tern_signal.h"

int send(struct tern_agent *self, tern_address to);

int send(struct tern_agent *self, tern_address to)
{
#ifdef TERN_FIXED
	return tern_signal_bytes(self, to, 1, "", 1);
#else
	tern_signal_bytes(self, to, 1, "", 1);
	return 0;
#endif
}
