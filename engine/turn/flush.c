/* SPDX-License-Identifier: Apache-2.0 */

/* What waits for a place in a lane is sent, and blocks of others go home. */
#include "engine/agent/life.h"
#include "engine/mail/control.h"
#include "engine/mail/outbox.h"
#include "lcore_turn.h"

static void take_cells_back(struct tern_lcore *lcore)
{
	uint32_t cell = __atomic_exchange_n(&lcore->arrivals.cells, 0, __ATOMIC_ACQUIRE);
	while (cell) {
		uint32_t next = tern_load(&lcore->mail.cells.next[cell - 1]);
		tern_cells_put(&lcore->mail.cells, cell - 1);
		tern_count(&lcore->outboxes.lent, -1u);
		cell = next;
	}
}

/* Blocks go home by the express lane, or stay chained until it has a place: they need no other. */
static bool send_chain(struct tern_lcore *lcore, uint32_t to, struct tern_block_chain *chain)
{
	struct tern_signal signal = {.type = TERN_CONTROL_BLOCKS,
				     .stamp = lcore->turn.stamp,
				     .to_slot = to,
				     .kind = sizeof(uint64_t),
				     .from = tern_lcore_address(lcore)};
	signal.to_generation = tern_dir_load(lcore, to) & TERN_ADDRESS_GENERATION_MASK;
	signal.payload.words[0] = (uint64_t)(uintptr_t)chain->first;
	if (!tern_lcore_has_credit(lcore, 2 * to + 1))
		return false;
	tern_lcore_owe(lcore, 1);
	return tern_outbox_try_lane(lcore, 2 * to + 1, &signal);
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
	struct tern_signal signal = *tern_mailbox_front(&lcore->mail.cells, outbox);
	bool own = tern_outbox_is_own(lcore, route);
	if (!own && !tern_outbox_try_lane(lcore, route, &signal))
		return false;
	tern_mailbox_pop(&lcore->mail.cells, outbox);
	lcore->outboxes.deferred--;
	if (own)
		tern_life_deliver_back(lcore, &signal);
	return true;
}

/* One outbox a route, so that a receiver that does not keep up holds up nobody else's. */
static unsigned send_deferred(struct tern_lcore *lcore)
{
	unsigned sent = 0;
	for (uint32_t route = 0; route < lcore->roam_route; route++) {
		struct tern_mailbox *outbox = &lcore->outboxes.returns[route];
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
		struct tern_note_list *list = &lcore->outboxes.ends[route];
		struct tern_end_note *note, *next;
		for (; (note = list->first) != NULL; list->first = next, sent++) {
			next = note->next; /* first: sent, it is its watcher's */
			if (!tern_outbox_try_end(lcore, route, note))
				break;
			lcore->outboxes.ends_left--;
		}
	}
	return sent;
}

unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all)
{
	unsigned sent = 0;
	if (tern_unlikely(tern_load(&lcore->arrivals.cells) != 0))
		take_cells_back(lcore);
	if (tern_unlikely(lcore->outboxes.deferred != 0))
		sent = send_deferred(lcore);
	if (tern_unlikely(lcore->outboxes.ends_left != 0))
		sent += send_ends(lcore);
	if (lcore->heap.away_count >= TERN_HEAP_BATCH || (all && lcore->heap.away_count))
		sent += hand_over_blocks(lcore, all);
	return sent;
}
