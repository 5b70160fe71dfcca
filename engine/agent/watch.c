/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>

#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "engine/lcore/room.h"
#include "engine/mail/control.h"
#include "engine/mail/due.h"
#include "engine/mail/event.h"
#include "engine/mail/notes.h"
#include "engine/mail/outbox.h"
#include "engine/schedule/roaming.h"

/* A word of the list: 16 bits of generation, 48 of pointer; CLOSED takes no more notes. */
#define POINTER_BITS 48
#define POINTER_MASK ((1ull << POINTER_BITS) - 1)
#define CLOSED 1ull

static uint64_t tag_of(uint32_t generation)
{
	return (uint64_t)generation << POINTER_BITS;
}

static struct tern_end_note *note_of(uint64_t word)
{
	return (struct tern_end_note *)(uintptr_t)(word & POINTER_MASK);
}

void tern_watch_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation)
{
	tern_store(&lcore->engine->asked[slot].watchers, tag_of(generation));
}

/* A1: release, after the note is written. */
static bool push_note(struct tern_lcore *lcore, struct tern_end_note *note, tern_address agent)
{
	uint64_t *list = &lcore->engine->asked[tern_address_slot(agent)].watchers;
	uint64_t tag = tag_of(tern_address_generation(agent));
	uint64_t head = tern_load(list);
	do {
		if ((head ^ tag) >> POINTER_BITS || (head & POINTER_MASK) == CLOSED)
			return false;
		note->next = note_of(head);
	} while (!__atomic_compare_exchange_n(list, &head, tag | (uint64_t)(uintptr_t)note, true,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return true;
}

int tern_watch_for(struct tern_lcore *lcore, tern_address watcher, tern_address agent)
{
	tern_iso *iso = tern_iso_create(&lcore->heap, sizeof(struct tern_end_note));
	if (!iso)
		return -ENOMEM;
	struct tern_end_note *note = tern_iso_data(iso);
	*note = (struct tern_end_note){.iso = iso, .watcher = watcher, .ended = {.agent = agent}};
	if (push_note(lcore, note, agent))
		return 0;
	tern_iso_drop(&lcore->heap, iso);
	return -ESRCH;
}

void tern_watch_cancel(struct tern_lcore *lcore, uint32_t slot)
{
	uint64_t *list = &lcore->engine->asked[slot].watchers;
	struct tern_end_note *note = note_of(tern_load(list));
	tern_store(list, CLOSED);
	if (note && (uintptr_t)note != CLOSED)
		tern_iso_drop(&lcore->heap, note->iso);
}

void tern_watch_ended(struct tern_lcore *lcore, const struct tern_agent *agent, int64_t result)
{
	uint32_t slot = tern_address_slot(agent->address);
	uint64_t closed = tag_of(tern_address_generation(agent->address)) | CLOSED;
	uint64_t head = __atomic_exchange_n(&lcore->engine->asked[slot].watchers, closed,
					    __ATOMIC_ACQUIRE); /* T1 */
	struct tern_end_note *next;
	for (struct tern_end_note *note = note_of(head); note; note = next) {
		next = note->next;
		note->ended.why = (enum tern_end)agent->end_why;
		note->ended.result = result;
		tern_lcore_send_end(lcore, note);
	}
}

/* Where a watcher asks for ends; NULL: it is told. */
static struct tern_ends *ends_of(struct tern_lcore *lcore, struct tern_agent *watcher)
{
	const struct tern_behaviour *behaviour = watcher->behaviour;
	if (watcher->flags & TERN_AGENT_FIBER)
		return &watcher->extras->fiber->ends;
	bool is_thread = tern_address_slot(watcher->address) == lcore->index;
	return is_thread && !(behaviour && behaviour->on_event) ? &lcore->attached.ends : NULL;
}

static void keep_note(struct tern_lcore *lcore, struct tern_agent *watcher, struct tern_ends *ends,
		      struct tern_end_note *note)
{
	tern_ends_add(ends, note);
	tern_control_handled(lcore);
	if (watcher->flags & TERN_AGENT_FIBER)
		tern_ready_wake(lcore, watcher);
}

static void tell_note(struct tern_lcore *lcore, struct tern_agent *watcher,
		      struct tern_end_note *note)
{
	struct tern_signal signal =
		tern_control_signal(lcore, watcher->address, TERN_CONTROL_ENDED, TERN_KIND_ISO);
	struct tern_event event = {.kind = TERN_EVENT_ENDED, .ended = note->ended};
	signal.payload.iso = note->iso;
	tern_life_tell(lcore, watcher, &signal, &event);
}

static void set_mark(struct tern_lcore *lcore, struct tern_agent *watcher,
		     struct tern_end_note *note, uint32_t mark, bool in_ring)
{
	note->mark = mark;
	note->in_ring = in_ring;
	tern_notes_push(&tern_reserve_of(lcore, watcher)->marked, note);
	tern_agent_set(watcher, TERN_AGENT_MARKED);
}

void tern_watch_deliver(struct tern_lcore *lcore, struct tern_agent *watcher,
			const struct tern_signal *signal, bool queue_only)
{
	struct tern_end_note *note = tern_iso_data(signal->payload.iso);
	struct tern_ends *asked = ends_of(lcore, watcher);
	if (asked)
		keep_note(lcore, watcher, asked, note);
	else if (watcher->mailbox.queued)
		set_mark(lcore, watcher, note, watcher->mailbox.tail, false);
	else if (queue_only || watcher->status == TERN_PAUSED || watcher->flags & TERN_AGENT_DUE)
		tern_notes_set_due(lcore, watcher, note);
	else
		tell_note(lcore, watcher, note);
}

void tern_watch_look(struct tern_lcore *lcore, struct tern_agent *watcher)
{
	uint32_t slot = tern_address_slot(watcher->address);
	struct tern_end_note *note = tern_watch_take_in(lcore, slot), *next;
	struct tern_ends *asked = ends_of(lcore, watcher);
	for (; note; note = next) {
		next = note->next;
		if (note->watcher != watcher->address)
			tern_watch_drop_note(lcore, note); /* of the slot's life before */
		else if (asked)
			keep_note(lcore, watcher, asked, note);
		else
			set_mark(lcore, watcher, note,
				 tern_mail_ring_put_position(&tern_room_of(lcore, slot)->ring),
				 true);
	}
	if (watcher->flags & TERN_AGENT_MARKED)
		tern_watch_ring_moved(lcore, watcher);
}

void tern_watch_tell(struct tern_lcore *lcore, struct tern_agent *watcher, uint32_t most)
{
	struct tern_note_list *ends = &tern_reserve_of(lcore, watcher)->ends;
	while (most-- && ends->first && watcher->status < TERN_PAUSED)
		tell_note(lcore, watcher, tern_notes_pop(ends));
}

static void drop_list(struct tern_lcore *lcore, struct tern_note_list *list)
{
	while (list->first)
		tern_watch_drop_note(lcore, tern_notes_pop(list));
}

void tern_watch_forget(struct tern_lcore *lcore, struct tern_agent *watcher)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, watcher);
	if (!(watcher->flags & (TERN_AGENT_MARKED | TERN_AGENT_DUE)))
		return;
	drop_list(lcore, &reserve->ends);
	drop_list(lcore, &reserve->marked);
}

void tern_watch_drop_late(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_end_note *next;
	for (struct tern_end_note *note = tern_watch_take_in(lcore, slot); note; note = next) {
		next = note->next;
		tern_watch_drop_note(lcore, note);
	}
}

bool tern_watch_take(struct tern_lcore *lcore, struct tern_ends *ends, tern_address agent,
		     struct tern_ended *ended)
{
	struct tern_end_note *note = tern_ends_find(ends, agent);
	if (!note)
		return false;
	tern_ends_remove(ends, note);
	*ended = note->ended;
	tern_iso_drop(&lcore->heap, note->iso);
	return true;
}

void tern_watch_drop(struct tern_lcore *lcore, struct tern_ends *ends)
{
	struct tern_ended ended;
	while (tern_watch_take(lcore, ends, TERN_ADDRESS_NONE, &ended))
		;
}
