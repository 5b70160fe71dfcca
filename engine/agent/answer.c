/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/mail/event.h"
#include "engine/mail/outbox.h"
#include "finish.h"
#include "life.h"
#include "slots.h"
#include "watch.h"

static void act_on_word(struct tern_lcore *lcore, uint32_t slot, uint32_t word)
{
	struct tern_agent *agent = &lcore->agents[slot];
	if (word & TERN_ASK_CLOSED) {
		/* Nobody changes a closed word: it is this lcore's to clear. */
		tern_store(&lcore->engine->asked[slot].word, word & ~TERN_ASKED_ANY);
		tern_slots_reuse(lcore, agent);
		return;
	}
	if (word & TERN_ASK_LOOK) {
		tern_returned_look(lcore, slot);
		tern_watch_look(lcore, agent);
		tern_agent_set(agent, TERN_AGENT_DUE);
	}
	if (word & TERN_ASK_START && agent->status == TERN_NEW)
		tern_life_start(lcore, agent);
	if (word & TERN_ASK_PAUSE)
		tern_life_pause(lcore, agent);
	if (word & TERN_ASK_RESUME)
		tern_life_resume(lcore, agent);
	if (word & TERN_ASK_FINISH)
		tern_finish_start(lcore, agent);
	if (word & TERN_ASK_STOP)
		tern_life_ask_end(lcore, agent, TERN_END_STOPPED, 0);
	if (word & TERN_ASK_EVICT)
		tern_life_ask_end(lcore, agent, TERN_END_EVICTED, 0);
}

void tern_ask_answer(struct tern_lcore *lcore, uint32_t slot)
{
	uint32_t *place = &lcore->engine->asked[slot].word;
	uint32_t word = tern_load(place);
	if (tern_likely((word & TERN_ASKED_ANY) == 0))
		return;
	while (!tern_ask_replace(place, &word, word & ~TERN_ASKED_ANY))
		;
	tern_lcore_settle(lcore, 1);
	act_on_word(lcore, slot, word);
}

/* Take the list (T1 of ask.h), oldest first, behind what an agent that failed left of the last. */
static void take_list(struct tern_lcore *lcore)
{
	if (lcore->pending.asks != TERN_SLOT_NONE)
		return;
	uint32_t slot =
		__atomic_exchange_n(&lcore->arrivals.asked, TERN_SLOT_NONE, __ATOMIC_ACQUIRE);
	while (slot != TERN_SLOT_NONE) {
		struct tern_asked *asked = &lcore->engine->asked[slot];
		uint32_t next = tern_load(&asked->next);
		tern_store(&asked->next, lcore->pending.asks);
		lcore->pending.asks = slot;
		slot = next;
	}
}

unsigned tern_ask_take_all(struct tern_lcore *lcore)
{
	unsigned taken = 0;
	take_list(lcore);
	while (lcore->pending.asks != TERN_SLOT_NONE) {
		uint32_t slot = lcore->pending.asks;
		struct tern_asked *asked = &lcore->engine->asked[slot];
		/* Before the word is cleared: from then on it may be pushed again. */
		lcore->pending.asks = tern_load(&asked->next);
		uint32_t word = tern_load(&asked->word);
		while (!(word & TERN_ASK_CLOSED) &&
		       !tern_ask_replace(&asked->word, &word, word & ~TERN_ASKED_ANY))
			;
		/* First: an agent that fails does not come back here. */
		tern_lcore_settle(lcore, 1);
		act_on_word(lcore, slot, word);
		taken++;
	}
	return taken;
}

void tern_ask_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation)
{
	tern_store(&lcore->engine->asked[slot].word, generation);
}

bool tern_ask_close(struct tern_lcore *lcore, uint32_t slot)
{
	uint32_t *word = &lcore->engine->asked[slot].word;
	uint32_t seen = tern_load(word);
	while (!tern_ask_replace(word, &seen, seen | TERN_ASK_CLOSED))
		;
	return (seen & TERN_ASKED_ANY) == 0;
}
