/* SPDX-License-Identifier: Apache-2.0 */

/* What the engine itself sends: returned signals, which wait for room, and blocks going home. */
#include <errno.h>

#include <rte_common.h>

#include "control.h"
#include "engine.h"
#include "life.h"
#include "roaming.h"

static uint32_t route_to(const struct tern_lcore *lcore, const struct tern_signal *signal)
{
	return tern_dir_route(tern_dir_load(lcore, signal->to_slot));
}

/* A dead receiver is no reason to wait. */
static bool try_roaming(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	int code = tern_roaming_send(lcore, signal);
	if (code == -ESRCH)
		tern_life_bounce(lcore, signal);
	return code != -EAGAIN;
}

/* Never spills: a spill forwards what it finds, and would meet itself here. */
static bool try_forward(struct tern_lcore *lcore, uint32_t route, const struct tern_signal *signal)
{
	if (route == lcore->roam_route)
		return try_roaming(lcore, signal);
	if (!tern_lcore_has_room(lcore, route))
		return false;
	struct tern_signal *slot = tern_lane_slot(&lcore->out[route]);
	tern_slot_copy(slot, signal);
	tern_lane_push(&lcore->out[route], slot, signal->type, signal->stamp);
	return true;
}

/* At most a quarter of the chunks, so that returns to one that does not look stop nobody else. */
static bool defer(struct tern_lcore *lcore, uint32_t route, const struct tern_signal *signal)
{
	if (lcore->deferred >= lcore->chunks.count / 4 * TERN_CHUNK_SIGNALS)
		return false;
	if (!tern_mailbox_push(&lcore->chunks, &lcore->outboxes[route], signal))
		return false;
	lcore->deferred++;
	return true;
}

static bool is_own_return(const struct tern_lcore *lcore, uint32_t route,
			  const struct tern_signal *signal)
{
	return signal->kind & TERN_KIND_RETURNED && signal->type != TERN_CONTROL_ENDED &&
	       route >> 1 == lcore->index;
}

void tern_lcore_forward(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	uint32_t route = route_to(lcore, signal);
	tern_count(&lcore->accepted, 1);
	tern_count(&lcore->forwarded, 1);
	bool waits = lcore->outboxes[route].queued || is_own_return(lcore, route, signal);
	if ((!waits && try_forward(lcore, route, signal)) || defer(lcore, route, signal))
		return;
	struct tern_signal lost = *signal;
	tern_signal_discard(lcore, &lost);
	tern_count(&lcore->stats.lost, 1);
	tern_lcore_settle(lcore, 1);
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
	return try_forward(lcore, 2 * to + 1, &signal);
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

static void pop_deferred(struct tern_lcore *lcore, struct tern_mailbox *outbox)
{
	tern_mailbox_pop(&lcore->chunks, outbox);
	lcore->deferred--;
}

/*
 * What comes back to agents of this lcore waits here and not in the lane, where a spill would
 * find it and put it behind what came back later.
 */
static bool send_front(struct tern_lcore *lcore, uint32_t route, struct tern_mailbox *outbox)
{
	struct tern_signal signal = *tern_mailbox_front(&lcore->chunks, outbox);
	bool own = is_own_return(lcore, route, &signal);
	if (own ? !tern_chunks_left(&lcore->chunks) : !try_forward(lcore, route, &signal))
		return false;
	pop_deferred(lcore, outbox);
	if (own)
		tern_life_deliver(lcore, &signal, false);
	return true;
}

/* Receivers that refused: what else is for them waits behind, in its order. */
struct refused {
	uint32_t count;
	uint32_t slots[8];
};

static bool is_refused(const struct refused *refused, uint32_t slot)
{
	for (uint32_t i = 0; i < refused->count; i++)
		if (refused->slots[i] == slot)
			return true;
	return refused->count == RTE_DIM(refused->slots);
}

/* All roaming agents share a route: once round it, so that a full one holds up nobody else's. */
static unsigned forward_roaming(struct tern_lcore *lcore, struct tern_mailbox *outbox)
{
	struct refused refused = {0};
	unsigned sent = 0;
	for (uint32_t left = outbox->queued; left; left--) {
		struct tern_signal signal = *tern_mailbox_front(&lcore->chunks, outbox);
		bool tried = !is_refused(&refused, signal.to_slot);
		if (tried && send_front(lcore, lcore->roam_route, outbox)) {
			sent++;
			continue;
		}
		if (tried)
			refused.slots[refused.count++] = signal.to_slot;
		tern_mailbox_pop(&lcore->chunks, outbox);
		tern_mailbox_push(&lcore->chunks, outbox, &signal);
	}
	return sent;
}

/* One outbox a route, so that a receiver that does not keep up holds up nobody else's. */
static unsigned forward_deferred(struct tern_lcore *lcore)
{
	unsigned sent = 0;
	for (uint32_t route = 0; route < lcore->roam_route; route++) {
		struct tern_mailbox *outbox = &lcore->outboxes[route];
		for (uint32_t left = outbox->queued; left; left--, sent++)
			if (!send_front(lcore, route, outbox))
				break;
	}
	return sent + forward_roaming(lcore, &lcore->outboxes[lcore->roam_route]);
}

unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all)
{
	unsigned sent = 0;
	if (tern_unlikely(lcore->deferred != 0))
		sent = forward_deferred(lcore);
	if (lcore->heap.away_count >= TERN_HEAP_BATCH || (all && lcore->heap.away_count))
		sent += hand_over_blocks(lcore, all);
	return sent;
}
