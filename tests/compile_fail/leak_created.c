/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'iso'
/* Goal: a block made and forgotten is found. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	*(int *)tern_iso_data(iso) = 7;
#ifdef TERN_FIXED
	tern_iso_drop(tern_heap(self), iso);
#endif
}
