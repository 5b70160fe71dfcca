/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' used after 'tern_iso_freeze'
/* Goal: nobody writes what others may be reading: the old iso pointer is void. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
#ifdef TERN_FIXED
	*(int *)tern_iso_data(iso) = 7;
#endif
	const tern_val *val = tern_iso_freeze(iso);
#ifndef TERN_FIXED
	*(int *)tern_iso_data(iso) = 7;
#endif
	tern_val_drop(tern_heap(self), val);
}
