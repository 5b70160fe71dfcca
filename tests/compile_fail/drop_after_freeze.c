/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' used after 'tern_iso_freeze'
/* Goal: after freeze the block is dropped as the val it became. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	const tern_val *val = tern_iso_freeze(iso);
#ifndef TERN_FIXED
	tern_iso_drop(tern_heap(self), iso);
#endif
	tern_val_drop(tern_heap(self), val);
}
