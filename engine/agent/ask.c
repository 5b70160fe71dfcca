/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mail/ask.h"

#include "engine/lcore/agent_state.h"
#include "engine/lcore/engine.h"
#include "finish.h"
#include "life.h"
#include "engine/lcore/reader.h"
#include "engine/lcore/room.h"
#include "slots.h"
#include "watch.h"

#define ASKED                                                                                 \
	(TERN_ASK_START | TERN_ASK_STOP | TERN_ASK_PAUSE | TERN_ASK_RESUME | TERN_ASK_EVICT | \
	 TERN_ASK_FINISH | TERN_ASK_LOOK)

/* What is no longer asked when `what` is. */
static uint32_t undone_by(uint32_t what)
{
	return what == TERN_ASK_PAUSE	 ? TERN_ASK_RESUME
	       : what == TERN_ASK_RESUME ? TERN_ASK_PAUSE
					 : 0;
}

static bool replace_word(uint32_t *word, uint32_t *seen, uint32_t wanted)
{
	return __atomic_compare_exchange_n(word, seen, wanted, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* A1: release, after `next` is written. */
static void push_asked(struct tern_lcore *home, struct tern_asked *asked, uint32_t slot)
{
	uint32_t head = tern_load(&home->inbox.asked);
	do {
		tern_store(&asked->next, head);
	} while (!__atomic_compare_exchange_n(&home->inbox.asked, &head, slot, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* The word is not closed, so its slot still has its room: a thread is on line until it is woken. */
static void wake_asked(struct tern_lcore *lcore, uint32_t slot)
{
	tern_roaming_wake(lcore, &lcore->agents[slot]);
}

static bool ask_owner(struct tern_lcore *lcore, tern_address agent, uint32_t what)
{
	uint32_t slot = tern_address_slot(agent), generation = tern_address_generation(agent);
	struct tern_asked *asked = &lcore->engine->asked[slot];
	uint32_t route = tern_dir_route(tern_dir_load(lcore, slot));
	uint32_t word = tern_load(&asked->word);
	bool lives;
	/* Before it is set, because another lcore may answer at once; taken back if nothing is. */
	tern_lcore_owe(lcore, 1);
	do
		lives = (word & ~ASKED) == generation;
	while (lives && !replace_word(&asked->word, &word, (word & ~undone_by(what)) | what));
	if (!lives || word & ASKED) {
		tern_lcore_owe(lcore, -1ull);
		return lives;
	}
	if (route == lcore->roam_route)
		wake_asked(lcore, slot);
	else
		push_asked(&lcore->engine->lcores[route >> 1], asked, slot);
	return true;
}

bool tern_ask(struct tern_lcore *lcore, tern_address agent, uint32_t what)
{
	if (!lcore->is_thread)
		return ask_owner(lcore, agent, what);
	tern_reader_enter(lcore);
	bool asked = ask_owner(lcore, agent, what);
	tern_reader_leave(lcore);
	return asked;
}

static void act_on_word(struct tern_lcore *lcore, uint32_t slot, uint32_t word)
{
	struct tern_agent *agent = &lcore->agents[slot];
	if (word & TERN_ASK_CLOSED) {
		/* Nobody changes a closed word: it is this lcore's to clear. */
		tern_store(&lcore->engine->asked[slot].word, word & ~ASKED);
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
	if (tern_likely((word & ASKED) == 0))
		return;
	while (!replace_word(place, &word, word & ~ASKED))
		;
	tern_lcore_settle(lcore, 1);
	act_on_word(lcore, slot, word);
}

/* Take the list (T1), oldest first. What an agent that failed left of the last one goes first. */
static void take_list(struct tern_lcore *lcore)
{
	if (lcore->pending.asks != TERN_SLOT_NONE)
		return;
	uint32_t slot = __atomic_exchange_n(&lcore->inbox.asked, TERN_SLOT_NONE, __ATOMIC_ACQUIRE);
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
		       !replace_word(&asked->word, &word, word & ~ASKED))
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
	while (!replace_word(word, &seen, seen | TERN_ASK_CLOSED))
		;
	return (seen & ASKED) == 0;
}
