/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | clang
// expect[gcc]: selector of type 'struct order' is not compatible with any association
// expect[clang]: type 'struct order' not compatible with any generic association type
/* Goal: a struct is sent as bytes, never through the macro for blocks. */
#include "tern_signal.h"

struct order {
	long quantity;
};
int send(struct tern_agent *self, tern_address to, struct order order);

int send(struct tern_agent *self, tern_address to, struct order order)
{
#ifdef TERN_FIXED
	return tern_signal_bytes(self, to, 1, &order, sizeof(order));
#else
	return tern_signal(self, to, 1, order);
#endif
}
