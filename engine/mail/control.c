/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include "engine/lcore/lcore.h"

struct tern_signal tern_control_signal(const struct tern_lcore *lcore, tern_address to,
				       uint16_t type, uint32_t kind)
{
	struct tern_signal signal = {.type = type,
				     .stamp = lcore->turn.stamp,
				     .to_slot = tern_address_slot(to),
				     .kind = (uint8_t)(kind | TERN_KIND_RETURNED),
				     .from = tern_lcore_address(lcore)};
	signal.to_generation = tern_address_generation(to) & TERN_ADDRESS_GENERATION_MASK;
	return signal;
}

void tern_control_handled(struct tern_lcore *lcore)
{
	tern_count(&lcore->signals.own_handled, 1);
	tern_count(&lcore->stats.handled, 1);
	tern_lcore_settle(lcore, 1);
}

void tern_control_collect(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	tern_heap_collect(&lcore->heap, (struct tern_block *)(uintptr_t)signal->payload.words[0]);
	tern_control_handled(lcore);
}

void tern_control_handle(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct tern_lcore *lcore = self->lcore;
	/* By size, too: a timer of a wrong type is no chain of blocks. */
	if (signal->type != TERN_CONTROL_BLOCKS || signal->kind != sizeof(uint64_t)) {
		if (lcore->attached.behaviour) {
			lcore->attached.behaviour->handler(self, state, signal);
			return;
		}
		tern_count(&lcore->signals.own_handled, 1);
		tern_count(&lcore->stats.lost, 1);
		return;
	}
	tern_count(&lcore->signals.own_handled, 1);
	tern_heap_collect(&lcore->heap, (struct tern_block *)(uintptr_t)signal->payload.words[0]);
}
