/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'iso' may be used after 'tern_signal_iso'
/* Goal: a refused block is dropped through the pointer that the send gave back. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to);

void send(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	tern_iso *back = tern_signal(self, to, 1, iso);
	if (back)
#ifdef TERN_FIXED
		tern_iso_drop(tern_heap(self), back);
#else
		tern_iso_drop(tern_heap(self), iso);
#endif
}
