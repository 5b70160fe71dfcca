/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'own'
/* Goal: a count taken and not given back is found. */
#include "tern_signal.h"

int read_on(struct tern_agent *self, const tern_val *val);

int read_on(struct tern_agent *self, const tern_val *val)
{
	const tern_val *own = tern_val_share(val);
	int first = *(const int *)tern_val_data(own);
#ifdef TERN_FIXED
	tern_val_drop(tern_heap(self), own);
#else
	(void)self;
#endif
	return first;
}
