/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'val'
/* Goal: a shared block whose count nobody gives back is found. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	const tern_val *val = tern_iso_freeze(iso);
	if (tern_val_count(val) != 1)
		tern_exit(self, 1);
#ifdef TERN_FIXED
	tern_val_drop(tern_heap(self), val);
#endif
}
