/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include <string.h>

/* Of the cells, one in so many is kept back. */
#define KEPT_PART 16u

void tern_cells_init(struct tern_cells *cells, void *memory, size_t bytes)
{
	uint32_t count = (uint32_t)(bytes / (sizeof(struct tern_signal) + sizeof(uint32_t)));
	*cells = (struct tern_cells){.signals = memory,
				     .next = (void *)((struct tern_signal *)memory + count),
				     .free = TERN_CELL_NONE,
				     .count = count,
				     .kept = count / KEPT_PART};
}

uint32_t tern_mailbox_push(struct tern_cells *cells, struct tern_mailbox *mailbox,
			   const struct tern_signal *signal)
{
	uint32_t cell = tern_cells_take(cells);
	if (tern_unlikely(cell == TERN_CELL_NONE))
		return cell;
	memcpy(&cells->signals[cell], signal, sizeof(*signal));
	tern_mailbox_append(cells, mailbox, cell);
	return cell;
}

bool tern_mailbox_seek(const struct tern_cells *cells, const struct tern_mailbox *mailbox,
		       uint32_t *before, uint16_t type)
{
	uint32_t at = *before == TERN_CELL_NONE ? mailbox->head : cells->next[*before];
	for (; mailbox->queued && at != TERN_CELL_NONE; *before = at, at = cells->next[at]) {
		const struct tern_signal *signal = &cells->signals[at];
		if (signal->type == type && !(signal->kind & TERN_KIND_RETURNED))
			return true;
	}
	return false;
}

bool tern_mailbox_seek_data(const struct tern_cells *cells, const struct tern_mailbox *mailbox,
			    uint32_t *before)
{
	*before = TERN_CELL_NONE;
	for (uint32_t at = mailbox->head; at != TERN_CELL_NONE; at = cells->next[at]) {
		if (!(cells->signals[at].kind & TERN_KIND_RETURNED))
			return true;
		*before = at;
	}
	return false;
}
