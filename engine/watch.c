/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>

#include "ask.h"
#include "control.h"
#include "engine.h"
#include "fiber.h"
#include "life.h"
#include "roaming.h"

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
static bool push(struct tern_lcore *lcore, struct tern_end_note *note, tern_address agent)
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
	if (push(lcore, note, agent))
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
		struct tern_signal signal = tern_control_signal(lcore, note->watcher,
								TERN_CONTROL_ENDED, TERN_KIND_ISO);
		signal.payload.iso = note->iso;
		tern_lcore_forward(lcore, &signal);
	}
}

static struct tern_end_note **ends_of(struct tern_lcore *lcore, struct tern_agent *watcher)
{
	if (watcher->flags & TERN_AGENT_FIBER)
		return &watcher->extras->fiber->ends;
	bool is_thread = tern_address_slot(watcher->address) == lcore->index;
	return is_thread ? &lcore->ends : NULL;
}

/* Kept for tern_wait() where there is one to call it, else told at once. */
void tern_watch_deliver(struct tern_lcore *lcore, struct tern_agent *watcher,
			struct tern_signal *signal)
{
	struct tern_end_note *note = tern_iso_data(signal->payload.iso);
	const struct tern_behaviour *behaviour = watcher->behaviour;
	struct tern_end_note **ends = ends_of(lcore, watcher);
	bool told = behaviour && behaviour->on_event && !(watcher->flags & TERN_AGENT_FIBER);
	if (ends && !told) {
		note->next = *ends;
		*ends = note;
		signal->payload.iso = NULL;
		if (watcher->flags & TERN_AGENT_FIBER)
			tern_ready_wake(lcore, watcher);
		return;
	}
	struct tern_event event = {.kind = TERN_EVENT_ENDED, .ended = note->ended};
	tern_store(&lcore->running, tern_address_slot(watcher->address));
	tern_life_event(lcore, watcher, &event);
}

bool tern_watch_take(struct tern_lcore *lcore, struct tern_end_note **ends, tern_address agent,
		     struct tern_ended *ended)
{
	struct tern_end_note **link = ends;
	while (*link && agent != TERN_ADDRESS_NONE && (*link)->ended.agent != agent)
		link = &(*link)->next;
	struct tern_end_note *note = *link;
	if (!note)
		return false;
	*link = note->next;
	*ended = note->ended;
	tern_iso_drop(&lcore->heap, note->iso);
	return true;
}

void tern_watch_drop(struct tern_lcore *lcore, struct tern_end_note **ends)
{
	struct tern_ended ended;
	while (tern_watch_take(lcore, ends, TERN_ADDRESS_NONE, &ended))
		;
}
