/* SPDX-License-Identifier: Apache-2.0 */

/* What the engine itself sends: signals that come back, ends, blocks going home. */
#include <errno.h>

#include <rte_common.h>

#include "ask.h"
#include "control.h"
#include "engine.h"
#include "life.h"
#include "reader.h"
#include "roaming.h"

static uint32_t route_to(const struct tern_lcore *lcore, uint32_t slot)
{
	return tern_dir_route(tern_dir_load(lcore, slot));
}

/* Never spills: a spill returns what it finds, and would meet itself here. */
static bool try_lane(struct tern_lcore *lcore, uint32_t route, const struct tern_signal *signal)
{
	if (!tern_lcore_has_room(lcore, route))
		return false;
	struct tern_signal *slot = tern_lane_slot(&lcore->out[route]);
	tern_slot_copy(slot, signal);
	tern_lane_push(&lcore->out[route], slot, signal->type, signal->stamp);
	return true;
}

/* A cell for what comes back; TERN_CELL_NONE: it would be one too many. */
static uint32_t take_cell(struct tern_lcore *lcore, bool had_cell)
{
	uint32_t held = lcore->deferred + lcore->lent;
	if (!had_cell && (held >= lcore->cells.count / TERN_RETURNED_PART ||
			  tern_cells_left(&lcore->cells) <= TERN_CELLS_FLOOR))
		return TERN_CELL_NONE;
	return tern_cells_take(&lcore->cells);
}

static bool defer(struct tern_lcore *lcore, uint32_t route, const struct tern_signal *signal,
		  bool had_cell)
{
	uint32_t cell = take_cell(lcore, had_cell);
	if (cell == TERN_CELL_NONE)
		return false;
	*tern_cells_at(&lcore->cells, cell) = *signal;
	tern_mailbox_append(&lcore->cells, &lcore->outboxes[route], cell);
	lcore->deferred++;
	return true;
}

/*
 * To a roaming agent, signals come back in a list of its own: their cells, numbered among those of
 * all lcores, are lent to whoever runs it, and come home by another list. Both are pushed to by
 * CAS (A1: release, after the cell is written) and taken as a whole (T1: acquire), so no cell is
 * popped alone and neither has an ABA. What one lcore returns stays in order.
 */
static void lend(struct tern_lcore *lcore, uint32_t slot, uint32_t cell)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t number = lcore->cells_from + cell + 1, head = tern_load(&reserve->returned_in);
	do {
		tern_store(&lcore->cells.next[cell], head);
	} while (!__atomic_compare_exchange_n(&reserve->returned_in, &head, number, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	lcore->lent++;
}

static bool return_roaming(struct tern_lcore *lcore, const struct tern_signal *signal,
			   bool had_cell)
{
	tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
	uint32_t cell = take_cell(lcore, had_cell);
	if (cell == TERN_CELL_NONE)
		return false;
	*tern_cells_at(&lcore->cells, cell) = *signal;
	/* Until it is asked to look, its slot stays its own. */
	tern_reader_enter(lcore);
	bool alive = tern_dir_alive(tern_dir_load(lcore, signal->to_slot), to);
	if (alive) {
		lend(lcore, signal->to_slot, cell);
		tern_ask(lcore, to, TERN_ASK_LOOK);
	}
	tern_reader_leave(lcore);
	if (!alive)
		tern_cells_put(&lcore->cells, cell);
	return alive;
}

/* The lcore whose cell has a number, which becomes the cell's. */
static struct tern_lcore *owner_of(const struct tern_lcore *lcore, uint32_t *number)
{
	const struct tern_engine *engine = lcore->engine;
	uint32_t of_lcore = engine->lcores[0].cells.count, threads = engine->lcore_count * of_lcore;
	uint32_t index = *number / of_lcore;
	if (*number >= threads) {
		const struct tern_lcore *first = &engine->lcores[engine->lcore_count];
		index = engine->lcore_count + (*number - threads) / first->cells.count;
	}
	*number -= engine->lcores[index].cells_from;
	return &engine->lcores[index];
}

static uint32_t *link_of(const struct tern_lcore *lcore, uint32_t number)
{
	struct tern_lcore *owner = owner_of(lcore, &number);
	return &owner->cells.next[number];
}

void tern_returned_look(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t number = __atomic_exchange_n(&reserve->returned_in, 0, __ATOMIC_ACQUIRE); /* T1 */
	uint32_t first = 0, newest = number;
	while (number) { /* oldest first */
		uint32_t *link = link_of(lcore, number - 1), next = tern_load(link);
		tern_store(link, first);
		first = number;
		number = next;
	}
	if (!first)
		return;
	if (reserve->returned)
		tern_store(link_of(lcore, reserve->returned_last - 1), first);
	else
		reserve->returned = first;
	reserve->returned_last = newest;
}

/* Home to whoever lent it. */
static void give_back(struct tern_lcore *lcore, uint32_t number)
{
	struct tern_lcore *owner = owner_of(lcore, &number);
	uint32_t head = tern_load(&owner->cells_back);
	if (owner == lcore) {
		tern_cells_put(&lcore->cells, number);
		lcore->lent--;
		return;
	}
	do {
		tern_store(&owner->cells.next[number], head);
	} while (!__atomic_compare_exchange_n(&owner->cells_back, &head, number + 1, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

bool tern_returned_take(struct tern_lcore *lcore, uint32_t slot, struct tern_signal *signal)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t number = reserve->returned - 1, cell = number;
	if (!reserve->returned)
		return false;
	const struct tern_lcore *owner = owner_of(lcore, &cell);
	*signal = *tern_cells_at(&owner->cells, cell);
	reserve->returned = tern_load(&owner->cells.next[cell]);
	give_back(lcore, number);
	return true;
}

void tern_returned_forget(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_signal signal;
	tern_returned_look(lcore, slot);
	while (tern_returned_take(lcore, slot, &signal))
		tern_life_bounce(lcore, &signal, false);
}

static void take_cells_back(struct tern_lcore *lcore)
{
	uint32_t cell = __atomic_exchange_n(&lcore->cells_back, 0, __ATOMIC_ACQUIRE);
	while (cell) {
		uint32_t next = tern_load(&lcore->cells.next[cell - 1]);
		tern_cells_put(&lcore->cells, cell - 1);
		lcore->lent--;
		cell = next;
	}
}

/* Where a lane to itself is spilled, nothing that comes back may be among what is spilled. */
static bool is_own(const struct tern_lcore *lcore, uint32_t route)
{
	return route >> 1 == lcore->index;
}

void tern_lcore_return(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell)
{
	uint32_t route = route_to(lcore, signal->to_slot);
	tern_count(&lcore->accepted, 1);
	tern_count(&lcore->forwarded, 1);
	if (route == lcore->roam_route) {
		if (return_roaming(lcore, signal, had_cell))
			return;
	} else {
		bool waits = lcore->outboxes[route].queued || is_own(lcore, route);
		if ((!waits && try_lane(lcore, route, signal)) ||
		    defer(lcore, route, signal, had_cell))
			return;
	}
	struct tern_signal lost = *signal;
	tern_signal_discard(lcore, &lost);
	tern_count(&lcore->stats.lost, 1);
	tern_lcore_settle(lcore, 1);
}

static struct tern_signal signal_of_end(const struct tern_lcore *lcore, struct tern_end_note *note)
{
	struct tern_signal signal =
		tern_control_signal(lcore, note->watcher, TERN_CONTROL_ENDED, TERN_KIND_ISO);
	signal.payload.iso = note->iso;
	return signal;
}

static bool try_end(struct tern_lcore *lcore, uint32_t route, struct tern_end_note *note)
{
	struct tern_signal signal = signal_of_end(lcore, note);
	return try_lane(lcore, route, &signal);
}

/* As with what comes back: pushed by CAS (A1), taken as a whole (watch.c, T1). */
static bool tell_roaming(struct tern_lcore *lcore, struct tern_end_note *note)
{
	uint32_t slot = tern_address_slot(note->watcher);
	struct tern_end_note **list = &lcore->reserves[slot].ends_in;
	struct tern_end_note *head = tern_load(list);
	tern_reader_enter(lcore);
	bool alive = tern_dir_alive(tern_dir_load(lcore, slot), note->watcher);
	if (alive) {
		tern_address watcher = note->watcher;
		do {
			note->next = head;
		} while (!__atomic_compare_exchange_n(list, &head, note, false, __ATOMIC_RELEASE,
						      __ATOMIC_RELAXED));
		tern_ask(lcore, watcher, TERN_ASK_LOOK);
	}
	tern_reader_leave(lcore);
	return alive;
}

void tern_lcore_send_end(struct tern_lcore *lcore, struct tern_end_note *note)
{
	uint32_t slot = tern_address_slot(note->watcher), route = route_to(lcore, slot);
	tern_count(&lcore->accepted, 1);
	tern_count(&lcore->forwarded, 1);
	if (!tern_dir_alive(tern_dir_load(lcore, slot), note->watcher) ||
	    (route == lcore->roam_route && !tell_roaming(lcore, note))) {
		tern_iso_drop(&lcore->heap, note->iso);
		tern_lcore_settle(lcore, 1);
		return;
	}
	if (route == lcore->roam_route)
		return;
	if (lcore->ends_out[route].first || !try_end(lcore, route, note)) {
		tern_notes_push(&lcore->ends_out[route], note);
		lcore->ends_left++;
	}
}

/* Blocks go home by the express lane, or stay chained until it has room: they need no other. */
static bool send_chain(struct tern_lcore *lcore, uint32_t to, struct tern_block_chain *chain)
{
	struct tern_signal signal = {.type = TERN_CONTROL_BLOCKS,
				     .stamp = lcore->turn_stamp,
				     .to_slot = to,
				     .kind = sizeof(uint64_t),
				     .from = tern_lcore_address(lcore)};
	signal.to_generation = tern_dir_load(lcore, to) & TERN_ADDRESS_GENERATION_MASK;
	signal.payload.words[0] = (uint64_t)(uintptr_t)chain->first;
	if (!tern_lcore_has_room(lcore, 2 * to + 1))
		return false;
	tern_count(&lcore->accepted, 1);
	tern_count(&lcore->forwarded, 1);
	return try_lane(lcore, 2 * to + 1, &signal);
}

static unsigned hand_over_blocks(struct tern_lcore *lcore, bool all)
{
	struct tern_heap *heap = &lcore->heap;
	unsigned sent = 0;
	for (uint32_t i = 0; i < heap->heaps; i++) {
		struct tern_block_chain *chain = &heap->away[i];
		if (chain->count == 0 || (!all && chain->count < TERN_HEAP_BATCH))
			continue;
		if (!send_chain(lcore, i, chain))
			continue;
		heap->away_count -= chain->count;
		*chain = (struct tern_block_chain){0};
		sent++;
	}
	return sent;
}

/* What comes back to agents of this lcore is told here: its cell is free for it to wait in. */
static bool send_front(struct tern_lcore *lcore, uint32_t route, struct tern_mailbox *outbox)
{
	struct tern_signal signal = *tern_mailbox_front(&lcore->cells, outbox);
	bool own = is_own(lcore, route);
	if (!own && !try_lane(lcore, route, &signal))
		return false;
	tern_mailbox_pop(&lcore->cells, outbox);
	lcore->deferred--;
	if (own)
		tern_life_deliver_back(lcore, &signal);
	return true;
}

/* One outbox a route, so that a receiver that does not keep up holds up nobody else's. */
static unsigned send_deferred(struct tern_lcore *lcore)
{
	unsigned sent = 0;
	for (uint32_t route = 0; route < lcore->roam_route; route++) {
		struct tern_mailbox *outbox = &lcore->outboxes[route];
		for (uint32_t left = outbox->queued; left; left--, sent++)
			if (!send_front(lcore, route, outbox))
				break;
	}
	return sent;
}

static unsigned send_ends(struct tern_lcore *lcore)
{
	unsigned sent = 0;
	for (uint32_t route = 0; route < lcore->roam_route; route++) {
		struct tern_note_list *list = &lcore->ends_out[route];
		for (struct tern_end_note *note = list->first, *next; note; note = next) {
			next = note->next; /* once sent, the note is its watcher's */
			if (!try_end(lcore, route, note))
				break;
			list->first = next;
			lcore->ends_left--;
			sent++;
		}
	}
	return sent;
}

unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all)
{
	unsigned sent = 0;
	if (tern_unlikely(tern_load(&lcore->cells_back) != 0))
		take_cells_back(lcore);
	if (tern_unlikely(lcore->deferred != 0))
		sent = send_deferred(lcore);
	if (tern_unlikely(lcore->ends_left != 0))
		sent += send_ends(lcore);
	if (lcore->heap.away_count >= TERN_HEAP_BATCH || (all && lcore->heap.away_count))
		sent += hand_over_blocks(lcore, all);
	return sent;
}

bool tern_lcore_has_left(const struct tern_lcore *lcore)
{
	return lcore->deferred || lcore->ends_left || lcore->heap.away_count;
}
