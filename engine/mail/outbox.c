/* SPDX-License-Identifier: Apache-2.0 */

/* What the engine itself sends to agents: signals that come back, ends. */
#include "outbox.h"

#include <errno.h>

#include <rte_common.h>

#include "ask.h"
#include "bounce.h"
#include "control.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "notes.h"

static uint32_t route_to(const struct tern_lcore *lcore, uint32_t slot)
{
	return tern_dir_route(tern_dir_load(lcore, slot));
}

/* Never spills: a spill returns what it finds, and would meet itself here. */
bool tern_outbox_try_lane(struct tern_lcore *lcore, uint32_t route,
			  const struct tern_signal *signal)
{
	if (!tern_lcore_has_credit(lcore, route))
		return false;
	struct tern_signal *slot = tern_lane_slot(&lcore->out[route]);
	tern_slot_copy(slot, signal);
	tern_lane_push(&lcore->out[route], slot, signal->type, signal->stamp);
	return true;
}

bool tern_lcore_may_return(const struct tern_lcore *lcore)
{
	uint32_t held = lcore->outboxes.deferred + lcore->outboxes.lent;
	return held < lcore->mail.cells.count / TERN_RETURNED_PART &&
	       tern_cells_left(&lcore->mail.cells) > TERN_CELLS_FLOOR;
}

/* A cell for what comes back; TERN_CELL_NONE: it would be one too many. */
static uint32_t take_cell(struct tern_lcore *lcore, bool had_cell)
{
	if (!had_cell && !tern_lcore_may_return(lcore))
		return TERN_CELL_NONE;
	return tern_cells_take(&lcore->mail.cells);
}

static bool defer_return(struct tern_lcore *lcore, uint32_t route, const struct tern_signal *signal,
			 bool had_cell)
{
	uint32_t cell = take_cell(lcore, had_cell);
	if (cell == TERN_CELL_NONE)
		return false;
	*tern_cells_at(&lcore->mail.cells, cell) = *signal;
	tern_mailbox_append(&lcore->mail.cells, &lcore->outboxes.returns[route], cell);
	lcore->outboxes.deferred++;
	return true;
}

/*
 * To a roaming agent, signals come back in a list of its own: their cells, numbered among those of
 * all lcores, are lent to whoever runs it, and come home by another list. Both are pushed to by
 * CAS (A1: release, after the cell is written) and taken as a whole (T1: acquire), so no cell is
 * popped alone and neither has an ABA. What one lcore returns stays in order.
 */

/* The lcore whose cell has a number, which becomes the cell's. */
static struct tern_lcore *owner_of(const struct tern_lcore *lcore, uint32_t *number)
{
	const struct tern_engine *engine = lcore->engine;
	uint32_t of_lcore = engine->lcores[0].mail.cells.count,
		 threads = engine->lcore_count * of_lcore;
	uint32_t index = *number / of_lcore;
	if (*number >= threads) {
		const struct tern_lcore *first = &engine->lcores[engine->lcore_count];
		index = engine->lcore_count + (*number - threads) / first->mail.cells.count;
	}
	*number -= engine->lcores[index].mail.cells_from;
	return &engine->lcores[index];
}

static uint32_t *link_of(const struct tern_lcore *lcore, uint32_t number)
{
	struct tern_lcore *owner = owner_of(lcore, &number);
	return &owner->mail.cells.next[number];
}

/* Push a cell, by its number, on what came back to a slot (A1). */
static void lend_cell(struct tern_lcore *lcore, uint32_t slot, uint32_t number)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t *link = link_of(lcore, number), head = tern_load(&reserve->returned_in);
	do {
		tern_store(link, head);
	} while (!__atomic_compare_exchange_n(&reserve->returned_in, &head, number + 1, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Take all (T1), oldest first: cell + 1, and that of the newest. */
static uint32_t take_lent(struct tern_lcore *lcore, uint32_t slot, uint32_t *newest)
{
	uint32_t *list = &lcore->reserves[slot].returned_in, first = 0;
	uint32_t number = __atomic_exchange_n(list, 0, __ATOMIC_ACQUIRE);
	*newest = number;
	while (number) {
		uint32_t *link = link_of(lcore, number - 1), next = tern_load(link);
		tern_store(link, first);
		first = number;
		number = next;
	}
	return first;
}

void tern_returned_look(struct tern_lcore *lcore, uint32_t slot)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t newest, first = take_lent(lcore, slot, &newest);
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
	uint32_t head = tern_load(&owner->arrivals.cells);
	if (owner == lcore) {
		tern_cells_put(&lcore->mail.cells, number);
		tern_count(&lcore->outboxes.lent, -1u);
		return;
	}
	do {
		tern_store(&owner->mail.cells.next[number], head);
	} while (!__atomic_compare_exchange_n(&owner->arrivals.cells, &head, number + 1, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static struct tern_signal signal_at(const struct tern_lcore *lcore, uint32_t number)
{
	const struct tern_lcore *owner = owner_of(lcore, &number);
	return *tern_cells_at(&owner->mail.cells, number);
}

bool tern_returned_take(struct tern_lcore *lcore, uint32_t slot, struct tern_signal *signal)
{
	struct tern_reserve *reserve = &lcore->reserves[slot];
	uint32_t number = reserve->returned - 1;
	if (!reserve->returned)
		return false;
	*signal = signal_at(lcore, number);
	reserve->returned = tern_load(link_of(lcore, number));
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

static bool is_alive(const struct tern_lcore *lcore, tern_address agent)
{
	return tern_dir_alive(tern_dir_load(lcore, tern_address_slot(agent)), agent);
}

/*
 * Who it came back to has ended, and may have looked for the last time. What is for whoever lives
 * there now is put back, in its order; the rest is lost.
 */
static void take_back(struct tern_lcore *lcore, uint32_t slot)
{
	tern_address there;
	do {
		uint32_t newest, number = take_lent(lcore, slot, &newest), next;
		for (there = TERN_ADDRESS_NONE; number; number = next) {
			struct tern_signal signal = signal_at(lcore, number - 1);
			tern_address to =
				tern_lcore_address_of(lcore, signal.to_slot, signal.to_generation);
			next = tern_load(link_of(lcore, number - 1));
			if (is_alive(lcore, to)) {
				lend_cell(lcore, slot, number - 1);
				there = to;
				continue;
			}
			give_back(lcore, number - 1);
			tern_life_bounce(lcore, &signal, false);
		}
	} while (there && !tern_ask(lcore, there, TERN_ASK_LOOK));
}

static bool return_roaming(struct tern_lcore *lcore, const struct tern_signal *signal,
			   bool had_cell)
{
	tern_address to = tern_lcore_address_of(lcore, signal->to_slot, signal->to_generation);
	uint32_t cell = take_cell(lcore, had_cell);
	if (cell == TERN_CELL_NONE)
		return false;
	*tern_cells_at(&lcore->mail.cells, cell) = *signal;
	if (!tern_dir_alive(tern_dir_load(lcore, signal->to_slot), to)) {
		tern_cells_put(&lcore->mail.cells, cell);
		return false;
	}
	tern_count(&lcore->outboxes.lent, 1);
	lend_cell(lcore, signal->to_slot, lcore->mail.cells_from + cell);
	/* It has ended meanwhile, and may have looked for the last time: then it is undone here. */
	if (!tern_ask(lcore, to, TERN_ASK_LOOK))
		take_back(lcore, signal->to_slot);
	return true;
}

void tern_lcore_return(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell)
{
	uint32_t route = route_to(lcore, signal->to_slot);
	tern_lcore_owe(lcore, 1);
	if (route == lcore->roam_route) {
		if (return_roaming(lcore, signal, had_cell))
			return;
	} else {
		bool waits =
			lcore->outboxes.returns[route].queued || tern_outbox_is_own(lcore, route);
		if ((!waits && tern_outbox_try_lane(lcore, route, signal)) ||
		    defer_return(lcore, route, signal, had_cell))
			return;
	}
	tern_signal_lose(lcore, signal);
}

static struct tern_signal signal_of_end(const struct tern_lcore *lcore, struct tern_end_note *note)
{
	struct tern_signal signal =
		tern_control_signal(lcore, note->watcher, TERN_CONTROL_ENDED, TERN_KIND_ISO);
	signal.payload.iso = note->iso;
	return signal;
}

bool tern_outbox_try_end(struct tern_lcore *lcore, uint32_t route, struct tern_end_note *note)
{
	struct tern_signal signal = signal_of_end(lcore, note);
	return tern_outbox_try_lane(lcore, route, &signal);
}

/* As with what comes back: pushed by CAS (A1), taken as a whole (T1 in notes.c). */
static void push_end(struct tern_lcore *lcore, struct tern_end_note *note)
{
	struct tern_end_note **list = &lcore->reserves[tern_address_slot(note->watcher)].ends_in;
	struct tern_end_note *head = tern_load(list);
	do {
		note->next = head;
	} while (!__atomic_compare_exchange_n(list, &head, note, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

/* The watcher has ended meanwhile: as take_back(). */
static void take_ends_back(struct tern_lcore *lcore, uint32_t slot)
{
	tern_address there;
	do {
		struct tern_end_note *note = tern_watch_take_in(lcore, slot), *next;
		for (there = TERN_ADDRESS_NONE; note; note = next) {
			next = note->next;
			if (is_alive(lcore, note->watcher)) {
				there = note->watcher;
				push_end(lcore, note);
			} else {
				tern_watch_drop_note(lcore, note);
			}
		}
	} while (there && !tern_ask(lcore, there, TERN_ASK_LOOK));
}

void tern_lcore_send_end(struct tern_lcore *lcore, struct tern_end_note *note)
{
	uint32_t slot = tern_address_slot(note->watcher), route = route_to(lcore, slot);
	tern_address watcher = note->watcher;
	tern_lcore_owe(lcore, 1);
	if (!is_alive(lcore, watcher)) {
		tern_watch_drop_note(lcore, note);
	} else if (route == lcore->roam_route) {
		push_end(lcore, note);
		if (!tern_ask(lcore, watcher, TERN_ASK_LOOK))
			take_ends_back(lcore, slot);
	} else if (lcore->outboxes.ends[route].first || !tern_outbox_try_end(lcore, route, note)) {
		tern_notes_push(&lcore->outboxes.ends[route], note);
		lcore->outboxes.ends_left++;
	}
}

bool tern_lcore_has_left(const struct tern_lcore *lcore)
{
	return lcore->outboxes.deferred || lcore->outboxes.ends_left || lcore->heap.away_count;
}
