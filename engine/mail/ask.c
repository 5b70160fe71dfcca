/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include "engine/lcore/asked.h"
#include "engine/lcore/reader.h"
#include "engine/schedule/roaming.h"

/* What is no longer asked when `what` is. */
static uint32_t undone_by(uint32_t what)
{
	return what == TERN_ASK_PAUSE	 ? TERN_ASK_RESUME
	       : what == TERN_ASK_RESUME ? TERN_ASK_PAUSE
					 : 0;
}

/* A1 of ask.h: release, after `next` is written; T1 is in answer.c. */
static void push_asked(struct tern_lcore *home, struct tern_asked *asked, uint32_t slot)
{
	uint32_t head = tern_load(&home->arrivals.asked);
	do {
		tern_store(&asked->next, head);
	} while (!__atomic_compare_exchange_n(&home->arrivals.asked, &head, slot, false,
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
		lives = (word & ~TERN_ASKED_ANY) == generation;
	while (lives && !tern_ask_replace(&asked->word, &word, (word & ~undone_by(what)) | what));
	if (!lives || word & TERN_ASKED_ANY) {
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
