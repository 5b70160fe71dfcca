/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect: a tern_ref is local to its agent and cannot be sent: make it an iso again
/* Goal: a local block cannot be sent, and the message says what to do. */
#include "tern_signal.h"

bool pass_on(struct tern_agent *self, tern_address to, tern_ref *ref);

bool pass_on(struct tern_agent *self, tern_address to, tern_ref *ref)
{
#ifdef TERN_FIXED
	return tern_signal(self, to, 1, tern_ref_recover(ref)) == NULL;
#else
	return tern_signal(self, to, 1, ref) == 0;
#endif
}
