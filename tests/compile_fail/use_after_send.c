/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' used after 'tern_signal_iso'
/* Goal: a block sent is the receiver's: a later write is found without running. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to);

void send(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
#ifdef TERN_FIXED
	*(int *)tern_iso_data(iso) = 7;
#endif
	tern_iso *back = tern_signal(self, to, 1, iso);
#ifndef TERN_FIXED
	*(int *)tern_iso_data(iso) = 7;
#endif
	tern_iso_drop(tern_heap(self), back);
}
