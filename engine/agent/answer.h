/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

/** Do what was asked of a roaming agent that this lcore begins to run. Runs the agent. */
void tern_ask_answer(struct tern_lcore *lcore, uint32_t slot);

/** Do what was asked of agents here. Runs agents. Returns how many. */
unsigned tern_ask_take_all(struct tern_lcore *lcore);

/** Do what was asked, where anything was. */
static inline unsigned tern_ask_take(struct tern_lcore *lcore)
{
	if (tern_likely(tern_load(&lcore->arrivals.asked) == TERN_SLOT_NONE &&
			lcore->pending.asks == TERN_SLOT_NONE))
		return 0;
	return tern_ask_take_all(lcore);
}

/** Open a slot for the agent of a generation, before anyone knows its address. */
void tern_ask_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation);

/** Close an ended agent's slot. False: it is still listed, and comes to tern_slots_reuse() later.
 */
bool tern_ask_close(struct tern_lcore *lcore, uint32_t slot);

#endif
