/* SPDX-License-Identifier: Apache-2.0 */
// tool: analyzer
// expect: leak of 'iso'
/* Goal: a typed block made and forgotten is found. */
#include "tern_signal.h"

struct quote {
	long price;
};
TERN_BLOCK_TYPE(quote, struct quote);
void make(struct tern_agent *self);

void make(struct tern_agent *self)
{
	tern_iso *iso = quote_create(tern_heap(self));
	if (!iso)
		return;
	quote_iso(iso)->price = 7;
#ifdef TERN_FIXED
	tern_iso_drop(tern_heap(self), iso);
#endif
}
