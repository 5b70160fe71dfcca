/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer
// expect: pointer 'ref' used after 'tern_ref_recover'
/* Goal: recover leaves no local pointer behind. */
#include "tern_signal.h"

void make(struct tern_agent *self, tern_address to);

void make(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return;
	tern_ref *ref = tern_iso_localize(iso);
#ifdef TERN_FIXED
	*(int *)tern_ref_data(ref) = 7;
#endif
	iso = tern_ref_recover(ref);
#ifndef TERN_FIXED
	*(int *)tern_ref_data(ref) = 7;
#endif
	tern_iso_drop(tern_heap(self), tern_signal(self, to, 1, iso));
}
