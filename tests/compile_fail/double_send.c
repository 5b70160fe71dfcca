/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' used after 'tern_signal_iso'
// expect[analyzer]: double-'tern_signal_iso' of 'iso'
/* Goal: a block is sent once. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to);

void send(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	tern_iso *back = tern_signal(self, to, 1, iso);
#ifdef TERN_FIXED
	back = back ? tern_signal(self, to, 1, back) : NULL;
#else
	tern_iso_drop(tern_heap(self), back);
	back = tern_signal(self, to, 1, iso);
#endif
	tern_iso_drop(tern_heap(self), back);
}
