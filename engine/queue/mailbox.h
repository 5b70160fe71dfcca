/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "capabilities/memory/arena.h"
#include "capabilities/counter.h"
#include "tern_slot.h"

#define TERN_CELL_NONE UINT32_MAX
/** Cells for roaming agents that run and have no other, one each. */
#define TERN_CELLS_FLOOR 32u
/** Of the cells, one in so many may hold what comes back and finds its sender not looking. */
#define TERN_RETURNED_PART 4u

/**
 * Mailbox memory of one lcore: cells of one signal each, and beside them, dense, the number of the
 * cell that follows. A signal that changes from one queue to another takes its cell along, so that
 * needs no memory; nor does taking one out of the middle move the others.
 *
 * Touched first when needed, reused last in, first out. Per signal: its cell, and 4 bytes of links.
 *
 * Some of it is kept back. Data may use all but `kept`, which is for what comes back to its sender,
 * and for those who wait for nothing else (inbox.c).
 */
struct tern_cells {
	struct tern_signal *signals;
	uint32_t *next;
	uint32_t free;	/* head of the free cells; TERN_CELL_NONE: none */
	uint32_t fresh; /* cells from here on were never used */
	uint32_t count;
	uint32_t used; /* any thread reads */
	uint32_t kept;
};

/** A queue of signals in cells, oldest first. Start from TERN_MAILBOX_EMPTY. */
struct tern_mailbox {
	uint32_t head;
	uint32_t tail;
	uint32_t queued;   /* any thread reads */
	uint32_t returned; /* of them: come back to the agent that sent them */
};

#define TERN_MAILBOX_EMPTY ((struct tern_mailbox){.head = TERN_CELL_NONE, .tail = TERN_CELL_NONE})

/** Cut `bytes` of memory, aligned to a line, into cells. */
void tern_cells_init(struct tern_cells *cells, void *memory, size_t bytes);

static inline struct tern_signal *tern_cells_at(const struct tern_cells *cells, uint32_t cell)
{
	return &cells->signals[cell];
}

/** Cells that nobody uses. */
static inline uint32_t tern_cells_left(const struct tern_cells *cells)
{
	return cells->count - cells->used;
}

/** Take a cell; TERN_CELL_NONE: all are used. */
static inline uint32_t tern_cells_take(struct tern_cells *cells)
{
	uint32_t cell = cells->free;
	if (tern_likely(cell != TERN_CELL_NONE))
		cells->free = cells->next[cell];
	else if (tern_likely(cells->fresh < cells->count))
		cell = cells->fresh++;
	else
		return TERN_CELL_NONE;
	tern_count(&cells->used, 1);
	return cell;
}

static inline void tern_cells_put(struct tern_cells *cells, uint32_t cell)
{
	cells->next[cell] = cells->free;
	cells->free = cell;
	tern_count(&cells->used, -1u);
}

/** Append a cell that is in no queue, its signal written. */
static inline void tern_mailbox_append(struct tern_cells *cells, struct tern_mailbox *mailbox,
				       uint32_t cell)
{
	cells->next[cell] = TERN_CELL_NONE;
	if (mailbox->head == TERN_CELL_NONE)
		mailbox->head = cell;
	else
		cells->next[mailbox->tail] = cell;
	mailbox->tail = cell;
	tern_count(&mailbox->queued, 1);
	mailbox->returned += (cells->signals[cell].kind & TERN_KIND_RETURNED) != 0;
}

/**
 * Take the cell out that follows another one.
 *
 * @param before  the one before it; TERN_CELL_NONE: the oldest is taken out
 * @return the cell, in no queue; its signal stays as it is
 */
static inline uint32_t tern_mailbox_remove(struct tern_cells *cells, struct tern_mailbox *mailbox,
					   uint32_t before)
{
	bool oldest = before == TERN_CELL_NONE;
	uint32_t cell = oldest ? mailbox->head : cells->next[before];
	uint32_t after = cells->next[cell];
	if (oldest)
		mailbox->head = after;
	else
		cells->next[before] = after;
	if (after == TERN_CELL_NONE)
		mailbox->tail = before;
	tern_count(&mailbox->queued, -1u);
	mailbox->returned -= (cells->signals[cell].kind & TERN_KIND_RETURNED) != 0;
	return cell;
}

/** Append a copy of a signal; its cell, or TERN_CELL_NONE: all are used. */
uint32_t tern_mailbox_push(struct tern_cells *cells, struct tern_mailbox *mailbox,
			   const struct tern_signal *signal);

/** The oldest signal, or NULL. */
static inline struct tern_signal *tern_mailbox_front(const struct tern_cells *cells,
						     const struct tern_mailbox *mailbox)
{
	return mailbox->queued ? &cells->signals[mailbox->head] : NULL;
}

/** Drop the oldest signal. */
static inline void tern_mailbox_pop(struct tern_cells *cells, struct tern_mailbox *mailbox)
{
	tern_cells_put(cells, tern_mailbox_remove(cells, mailbox, TERN_CELL_NONE));
}

/**
 * Go on to the next signal of a type; what has come back to its sender is passed over.
 *
 * @param before  cell before the first to look at, TERN_CELL_NONE: from the oldest; yields the cell
 *                before the one found, or the last
 * @return whether there is one
 */
bool tern_mailbox_seek(const struct tern_cells *cells, const struct tern_mailbox *mailbox,
		       uint32_t *before, uint16_t type);

/** Find the oldest signal that has not come back to its sender. As tern_mailbox_seek(). */
bool tern_mailbox_seek_data(const struct tern_cells *cells, const struct tern_mailbox *mailbox,
			    uint32_t *before);

#endif
