/* SPDX-License-Identifier: Apache-2.0 */
#include "finish.h"

#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "engine/mail/ask.h"
#include "engine/mail/due.h"
#include "engine/mail/event.h"
#include "engine/mail/inbox.h"
#include "engine/schedule/roaming.h"
#include "life.h"

/* The time asked for: 16 bits of the slot's generation above the ticks since the clock's base. */
#define TIME_BITS 48
#define TIME_SHIFT 10 /* less than 1 us, rounded down; 3.9 years in all at 2.3 GHz */
#define TIME_NEVER ((1ull << TIME_BITS) - 1)

/* Agents looked at in one turn, so that a turn stays short however many finish. */
#define LOOKS 64

static uint64_t word_of(const struct tern_lcore *lcore, tern_address agent, uint64_t by)
{
	uint64_t since = (by - lcore->clock->base) >> TIME_SHIFT;
	uint64_t time = by == UINT64_MAX || since >= TIME_NEVER ? TIME_NEVER : since;
	return (uint64_t)tern_address_generation(agent) << TIME_BITS | time;
}

static bool is_time_up(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	uint64_t time = tern_load(&tern_reserve_of(lcore, agent)->finish_by) & TIME_NEVER;
	return time != TIME_NEVER && lcore->turn.ticks - lcore->clock->base >= time << TIME_SHIFT;
}

/* Whether a time asked for counts more than another: of a later life of the slot, or earlier. */
static bool counts_more(uint64_t word, uint64_t other)
{
	int16_t lives = (int16_t)((word >> TIME_BITS) - (other >> TIME_BITS));
	return lives > 0 || (lives == 0 && word < other);
}

/* Before it is asked: who finds that it is, finds by when. */
bool tern_finish_ask(struct tern_lcore *lcore, tern_address agent, uint64_t by)
{
	uint64_t *finish_by = &lcore->reserves[tern_address_slot(agent)].finish_by;
	uint64_t word = word_of(lcore, agent, by), seen = tern_load(finish_by);
	if (!tern_dir_alive(tern_dir_load(lcore, tern_address_slot(agent)), agent))
		return false;
	do {
		/* An address of a life that is over changes nothing of the one that came after. */
		if (seen && !counts_more(word, seen))
			break;
	} while (!__atomic_compare_exchange_n(finish_by, &seen, word, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return tern_ask(lcore, agent, TERN_ASK_FINISH);
}

/* Turns that came to their end. */
static uint32_t turn_of(const struct tern_lcore *lcore)
{
	return (uint32_t)(lcore->stats.turns + lcore->stats.idle_turns);
}

void tern_finish_start(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (agent->status >= TERN_ENDING || agent->flags & TERN_AGENT_FINISHING)
		return;
	if (agent->status == TERN_PAUSED)
		tern_life_resume(lcore, agent);
	tern_dir_set(&lcore->directory[slot], TERN_DIR_CLOSED);
	/* Lanes that this turn has looked at already may hold more: a whole turn comes after. */
	lcore->turn.wet = true;
	lcore->reserves[slot].finish_turn = turn_of(lcore);
	tern_agent_set(agent, TERN_AGENT_FINISHING);
	tern_slot_list_push(&lcore->pending.finishing, lcore->reserves, TERN_SLOTS_FINISHING, slot);
}

/*
 * Whether lanes have brought all that was in them when it was closed: they are empty, or each of
 * the turns since took a burst of every one. Others may keep them full for ever.
 */
static bool are_lanes_through(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	const struct tern_config *config = &lcore->engine->config;
	uint32_t depth = config->data_depth > config->express_depth ? config->data_depth
								    : config->express_depth;
	uint32_t turns = turn_of(lcore) - tern_reserve_of(lcore, agent)->finish_turn;
	return !lcore->turn.wet || turns > depth / TERN_LANE_BURST + 1;
}

static bool is_through(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return (tern_inbox_is_idle(lcore, agent) && are_lanes_through(lcore, agent)) ||
	       is_time_up(lcore, agent);
}

/* In time, a fiber is told, and returns when it likes. */
static bool cancel_fiber(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_FIBER) || is_time_up(lcore, agent))
		return false;
	if (!agent->extras->fiber->cancelled) {
		agent->extras->fiber->cancelled = true;
		tern_ready_wake(lcore, agent);
	}
	return true;
}

/* Once round the list, some at a time: each goes to its end. Who ends is taken out at its end. */
unsigned tern_finish_check(struct tern_lcore *lcore)
{
	unsigned ended = 0;
	uint32_t looks =
		lcore->pending.finishing.count < LOOKS ? lcore->pending.finishing.count : LOOKS;
	for (; looks; looks--) {
		uint32_t slot = lcore->pending.finishing.head;
		struct tern_agent *agent = &lcore->agents[slot];
		tern_slot_list_remove(&lcore->pending.finishing, lcore->reserves,
				      TERN_SLOTS_FINISHING, slot);
		tern_slot_list_push(&lcore->pending.finishing, lcore->reserves,
				    TERN_SLOTS_FINISHING, slot);
		if (agent->status == TERN_ENDING || !is_through(lcore, agent))
			continue;
		if (!cancel_fiber(lcore, agent))
			tern_life_ask_end(lcore, agent, TERN_END_STOPPED, 0);
		ended++;
	}
	return ended;
}

void tern_finish_forget(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (!(agent->flags & TERN_AGENT_FINISHING))
		return;
	tern_slot_list_remove(&lcore->pending.finishing, lcore->reserves, TERN_SLOTS_FINISHING,
			      slot);
	tern_store(&lcore->reserves[slot].finish_by, 0);
}
