/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: possibly-NULL
/* Goal: an exhausted pool gives NULL: to go on without a look is found. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
#ifdef TERN_FIXED
	if (!iso)
		return;
#endif
	tern_val_drop(tern_heap(self), tern_iso_freeze(iso));
}
