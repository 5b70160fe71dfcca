/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'back'
/* Goal: a block that a send handed back is still the sender's. */
#include "tern_signal.h"

int send(struct tern_agent *self, tern_address to);

int send(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return -1;
	tern_iso *back = tern_signal(self, to, 1, iso);
	if (!back)
		return 0;
#ifdef TERN_FIXED
	tern_iso_drop(tern_heap(self), back);
#endif
	return -1;
}
