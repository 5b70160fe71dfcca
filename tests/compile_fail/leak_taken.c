/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'iso'
/* Goal: a handler that takes a block must pass it on. */
#include "tern_signal.h"

TERN_HANDLER(, on_order)
{
	tern_iso *iso = tern_signal_take_iso(signal);
	if (!iso)
		return;
	*(int *)tern_iso_data(iso) = 7;
#ifdef TERN_FIXED
	tern_iso_drop(tern_heap(self), iso);
#endif
}
