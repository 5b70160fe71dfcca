/* SPDX-License-Identifier: Apache-2.0 */

/* Ends that a watcher is to be told, and the signals that they wait behind. */
#include "notes.h"

#include "due.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/room.h"

void tern_notes_set_due(struct tern_lcore *lcore, struct tern_agent *watcher,
			struct tern_end_note *note)
{
	tern_notes_push(&tern_reserve_of(lcore, watcher)->ends, note);
	tern_due_wake(lcore, watcher);
}

/* Oldest first. T1: pairs with A1, the push of an end in outbox.c, so that a note is whole. */
struct tern_end_note *tern_watch_take_in(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_end_note *note =
		__atomic_exchange_n(&lcore->reserves[slot].ends_in, NULL, __ATOMIC_ACQUIRE);
	struct tern_end_note *first = NULL, *next;
	for (; note; note = next) {
		next = note->next;
		note->next = first;
		first = note;
	}
	return first;
}

void tern_watch_drop_note(struct tern_lcore *lcore, struct tern_end_note *note)
{
	tern_iso_drop(&lcore->heap, note->iso);
	tern_lcore_settle(lcore, 1);
}

/* The oldest of the mailbox has left, or one behind others that stay: they are what is marked. */
void tern_watch_cell_left(struct tern_lcore *lcore, struct tern_agent *watcher, uint32_t cell,
			  uint32_t before)
{
	struct tern_note_list *marked = &tern_reserve_of(lcore, watcher)->marked;
	struct tern_end_note *note;
	if (before != TERN_CELL_NONE) {
		for (note = marked->first; note; note = note->next)
			if (!note->in_ring && note->mark == cell)
				note->mark = before;
		return;
	}
	while ((note = marked->first) != NULL && !note->in_ring && note->mark == cell) {
		tern_notes_pop(marked);
		tern_notes_set_due(lcore, watcher, note);
	}
	if (!marked->first)
		tern_agent_clear(watcher, TERN_AGENT_MARKED);
}

void tern_watch_ring_moved(struct tern_lcore *lcore, struct tern_agent *watcher)
{
	uint32_t slot = tern_address_slot(watcher->address);
	struct tern_note_list *marked = &lcore->reserves[slot].marked;
	uint32_t taken = tern_mail_ring_taken_position(&tern_room_of(lcore, slot)->ring);
	for (struct tern_end_note *note = marked->first; note; note = note->next) {
		if (!note->in_ring)
			continue;
		if ((int32_t)(taken - note->mark) < 0)
			break; /* nor is what those after it wait for */
		note->in_ring = false;
		note->mark = watcher->mailbox.tail;
	}
	if (!watcher->mailbox.queued)
		tern_watch_cell_left(lcore, watcher, TERN_CELL_NONE, TERN_CELL_NONE);
}
