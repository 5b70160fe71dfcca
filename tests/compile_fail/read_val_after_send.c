/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'val' used after 'tern_signal_val'
/* Goal: a count sent is gone: who reads on holds one of its own. */
#include "tern_signal.h"

void send(struct tern_agent *self, tern_address to, int *first);

void send(struct tern_agent *self, tern_address to, int *first)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	const tern_val *val = tern_iso_freeze(iso);
#ifdef TERN_FIXED
	const tern_val *own = tern_val_share(val);
#endif
	tern_val_drop(tern_heap(self), tern_signal(self, to, 1, val));
#ifdef TERN_FIXED
	*first = *(const int *)tern_val_data(own);
	tern_val_drop(tern_heap(self), own);
#else
	*first = *(const int *)tern_val_data(val);
#endif
}
