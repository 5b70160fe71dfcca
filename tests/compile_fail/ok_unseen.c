/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/*
 * Goal: what tern_block.h says no compiler sees is accepted: memory that is no block, shared
 * through a state given twice, and through a pointer among the bytes of a signal and of a block.
 */
#include <string.h>

#include "tern_signal.h"
#include "tern_spawn.h"

struct book {
	unsigned orders;
};

TERN_HANDLER(static, count)
{
	struct book *book = state;
	book->orders++;
}

TERN_HANDLER(static, count_theirs)
{
	struct book *const *theirs = tern_signal_data(signal);
	(*theirs)->orders++;
}

int share(struct tern_agent *self, struct book *book, tern_iso *iso);

int share(struct tern_agent *self, struct book *book, tern_iso *iso)
{
	static const struct tern_behaviour first = {.name = "first", .handler = count};
	static const struct tern_behaviour second = {.name = "second", .handler = count_theirs};
	tern_address agents[3];
	memcpy(tern_iso_data(iso), &book, sizeof(book));
	if (tern_spawn(self, &first, book, NULL, &agents[0]) != 0 ||
	    tern_spawn(self, &first, book, NULL, &agents[1]) != 0 ||
	    tern_spawn(self, &second, NULL, NULL, &agents[2]) != 0)
		return -1;
	return tern_signal_bytes(self, agents[2], 0, &book, sizeof(book));
}
