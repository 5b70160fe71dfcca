/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' used after 'tern_iso_drop'
// expect[analyzer]: double-'tern_iso_drop' of 'iso'
/* Goal: a block is dropped once. */
#include "tern_signal.h"

void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	tern_iso_drop(tern_heap(self), iso);
#ifndef TERN_FIXED
	tern_iso_drop(tern_heap(self), iso);
#endif
}
