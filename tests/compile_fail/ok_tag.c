/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: an identity can be sent, compared and turned into an address. */
#include "tern_signal.h"

int introduce(struct tern_agent *self, tern_address to, tern_address friend);

int introduce(struct tern_agent *self, tern_address to, tern_address friend)
{
	return tern_signal(self, to, 1, tern_tag_make(friend));
}

TERN_HANDLER(, on_tag)
{
	tern_tag *tag = tern_signal_tag_of(signal);
	if (tag && tern_tag_address(tag) != tern_self(self) &&
	    tern_signal(self, tern_tag_address(tag), 2, tag) != 0)
		tern_exit(self, 1);
}
