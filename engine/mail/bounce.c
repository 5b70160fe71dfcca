/* SPDX-License-Identifier: Apache-2.0 */

/* What nobody can handle: back to its sender, or given up and counted. */
#include "bounce.h"

#include "control.h"
#include "engine/lcore/engine.h"
#include "remote.h"
#include "outbox.h"

void tern_signal_discard(struct tern_lcore *lcore, struct tern_signal *signal)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	if ((kind == TERN_KIND_ISO || kind == TERN_KIND_VAL) && signal->payload.iso)
		tern_block_release(&lcore->heap, (struct tern_block *)(void *)signal->payload.iso);
	signal->payload.iso = NULL;
}

/* There is no cell for what comes back to a sender that does not take it: counted. */
void tern_signal_lose(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	struct tern_signal lost = *signal;
	tern_signal_discard(lcore, &lost);
	tern_count(&lcore->stats.lost, 1);
	tern_lcore_settle(lcore, 1);
}

void tern_engine_list_undelivered(struct tern_engine *engine, const struct tern_signal *signal)
{
	uint64_t at = __atomic_fetch_add(&engine->undelivered, 1, __ATOMIC_RELAXED);
	if (at < TERN_STOP_LIST_MAX)
		engine->undelivered_list[at] = (struct tern_undelivered){
			.to = tern_lcore_address_of(engine->lcores, signal->to_slot,
						    signal->to_generation),
			.from = signal->from,
			.type = signal->type};
}

void tern_engine_undelivered(struct tern_lcore *lcore, struct tern_signal *signal)
{
	struct tern_engine *engine = lcore->engine;
	if (signal->type <= TERN_TYPE_MAX) {
		tern_engine_list_undelivered(engine, signal);
	} else if (signal->type == TERN_CONTROL_BLOCKS) {
		struct tern_block *first = (struct tern_block *)(uintptr_t)signal->payload.words[0];
		if (!tern_load(&engine->lcores[first->home->index].turn.gone))
			tern_heap_collect(first->home, first);
	}
	tern_signal_discard(lcore, signal);
}

void tern_signal_turn_back(struct tern_signal *signal, tern_address receiver)
{
	signal->to_slot = tern_address_slot(signal->from);
	signal->to_generation =
		tern_address_generation(signal->from) & TERN_ADDRESS_GENERATION_MASK;
	signal->from = receiver;
	signal->kind = (unsigned char)((signal->kind & ~TERN_KIND_UNKNOWN) | TERN_KIND_RETURNED);
}

void tern_life_bounce(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell)
{
	struct tern_signal back = *signal;
	uint32_t slot = tern_address_slot(signal->from);
	bool control = signal->type > TERN_TYPE_MAX;
	tern_address here = tern_lcore_address_of(lcore, signal->to_slot, signal->to_generation);
	if (tern_unlikely(tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING)) {
		tern_engine_undelivered(lcore, &back);
	} else if (!control && !(signal->kind & TERN_KIND_RETURNED) &&
		   tern_unlikely(tern_lcore_is_remote(lcore, signal->from))) {
		tern_signal_turn_back(&back, here);
		lcore->remote->give_back(lcore, signal->from, &back);
	} else if (control || signal->kind & TERN_KIND_RETURNED ||
		   !tern_dir_alive(tern_dir_load(lcore, slot), signal->from)) {
		tern_signal_discard(lcore, &back);
		if (!control)
			tern_count(&lcore->stats.lost, 1);
	} else {
		tern_signal_turn_back(&back, here);
		tern_lcore_return(lcore, &back, had_cell);
	}
	/* Last: nobody may find all settled while one is on its way back. */
	tern_lcore_settle(lcore, 1);
}
