/* SPDX-License-Identifier: Apache-2.0 */
// tool: clang-thread-safety
// expect: calling function 'book_clear' requires holding agent 'agent'
/* Goal: what a user marks as one agent's own is out of reach for others. */
#include "tern_signal.h"

struct book {
	unsigned orders;
};
static void book_clear(struct tern_agent *self, struct book *book) TERN_OWNS(self);
int reset(struct tern_agent *self, struct tern_agent *agent);

static void book_clear(struct tern_agent *self, struct book *book)
{
	book->orders = 0;
	tern_exit(self, 0);
}

#ifdef TERN_FIXED
TERN_HANDLER(, on_reset)
{
	book_clear(self, state);
}
#endif

int reset(struct tern_agent *self, struct tern_agent *agent)
{
#ifndef TERN_FIXED
	book_clear(agent, tern_state(agent));
#endif
	return tern_signal_bytes(self, tern_self(agent), 1, "", 1);
}
