/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: selector of type 'void *' is not compatible with any association
// expect[clang]: type 'void *' not compatible with any generic association type
/* Goal: a pointer that has lost its capability cannot be sent. */
#include "tern_signal.h"

int send(struct tern_agent *self, tern_address to, tern_iso *iso);

int send(struct tern_agent *self, tern_address to, tern_iso *iso)
{
#ifdef TERN_FIXED
	tern_iso *block = iso;
#else
	void *block = iso;
#endif
	return tern_signal(self, to, 1, block) != NULL;
}
