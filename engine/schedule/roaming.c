/* SPDX-License-Identifier: Apache-2.0 */
#include "roaming.h"

#include <errno.h>

#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "global_queue.h"
#include "ready.h"

/*
 * Woken by another thread: the list of the lcore that ran it last. A1: pairs with T1, where that
 * lcore takes the list, in take_woken(): it sees no slot before its `next`.
 */
void tern_roaming_hand(struct tern_agent *agent, struct tern_asked *asked)
{
	struct tern_lcore *home = tern_load(&agent->lcore);
	uint32_t slot = tern_address_slot(tern_load(&agent->address));
	uint32_t head = tern_load(&home->arrivals.woken);
	do {
		tern_store(&asked->next, head);
	} while (!__atomic_compare_exchange_n(&home->arrivals.woken, &head, slot, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static uint32_t stamp_of(const struct tern_lcore *lcore)
{
	return (uint32_t)(tern_clock_ticks(lcore->clock) >> TERN_STEAL_STAMP_SHIFT);
}

bool tern_roaming_is_loose_but_for(const struct tern_agent *agent, uint32_t ignored)
{
	const uint32_t ties = TERN_AGENT_FDS | TERN_AGENT_FINISHING | TERN_AGENT_PARKED |
			      TERN_AGENT_TIED | TERN_AGENT_REFUSED | TERN_AGENT_SHORT |
			      TERN_AGENT_STAYS;
	if (agent->mailbox.queued || agent->flags & ties & ~ignored ||
	    agent->status == TERN_ENDING || agent->status == TERN_PAUSED)
		return false;
	if (!(agent->flags & TERN_AGENT_FIBER))
		return true;
	const struct tern_fiber *fiber = agent->extras->fiber;
	return !fiber->context.preempted && !fiber->ends.first;
}

bool tern_roaming_is_loose(const struct tern_agent *agent)
{
	return tern_roaming_is_loose_but_for(agent, 0);
}

bool tern_roaming_may_move(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	const struct tern_lcore *last = tern_load(&agent->lcore);
	const struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	return tern_passage_is_over(&last->roaming.passage, tern_load(&room->note));
}

/* The observer may look at the life before (extras.c). */
static bool is_rated(const struct tern_agent *agent)
{
	const struct tern_extras *extras = tern_load(&agent->extras);
	return extras && tern_load(&extras->rate_interval);
}

bool tern_roaming_suits(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return tern_ready_keeps_rates(lcore) || !is_rated(agent);
}

/* Whether the policy holds an agent up that others of its run ring must not wait behind. */
static bool waits_in_policy(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_PERMIT || is_rated(agent);
}

/* A low or normal agent goes to the run ring, where thieves may find it; others to the policy. */
void tern_roaming_queue(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	uint32_t level = (uint32_t)(agent->priority + 1);
	lcore->roaming.any = true;
	if (level >= TERN_ROAMING_LEVELS || waits_in_policy(agent) ||
	    !tern_roaming_is_loose(agent)) {
		tern_ready_push(lcore, agent);
		return;
	}
	if (tern_run_ring_push(&lcore->roaming.rings[level], tern_run_entry(slot, stamp_of(lcore))))
		return;
	if (!tern_roaming_may_move(lcore, agent) || !tern_global_put(lcore->engine, level, slot))
		tern_ready_push(lcore, agent);
}

/* The agent woken last is likely to find what it needs in the cache; who waited there waits on. */
static void queue_woken(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_agent *before = lcore->roaming.lifo;
	lcore->roaming.any = true;
	if (agent->lcore != lcore || lcore->turn.hold & TERN_HOLD_POLICY || lcore->is_thread ||
	    waits_in_policy(agent)) {
		tern_roaming_queue(lcore, agent);
		return;
	}
	lcore->roaming.lifo = agent;
	if (before)
		tern_roaming_queue(lcore, before);
}

/* What a wake that answers true obliges to. */
static void schedule_woken(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_load(&agent->lcore) == lcore && !lcore->is_thread)
		queue_woken(lcore, agent);
	else
		tern_roaming_hand(
			agent,
			&lcore->engine->asked[tern_address_slot(tern_load(&agent->address))]);
}

/* Of a room that may be another's by now: whoever lives there has been woken. */
void tern_roaming_schedule(struct tern_lcore *lcore, const struct tern_room *room)
{
	schedule_woken(lcore, &lcore->agents[tern_load(&room->slot)]);
}

/* Its room is queued from the start, which is what a wake would have made it (mail_ring.h). */
void tern_roaming_start(struct tern_lcore *lcore, struct tern_agent *agent)
{
	schedule_woken(lcore, agent);
}

/* It may have ended meanwhile: then there is nothing to do for it, and one run more for the next.
 */
void tern_roaming_wake(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(tern_load(&agent->address)));
	if (room && tern_mail_ring_wake(&room->ring))
		tern_roaming_schedule(lcore, room);
}

void tern_ready_wake(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_is_roaming(agent))
		tern_roaming_wake(lcore, agent);
	else
		tern_ready_push(lcore, agent);
}

/* Taken as a whole (T1), oldest first. An agent may have moved since it was handed. */
static void take_woken(struct tern_lcore *lcore)
{
	struct tern_asked *asked = lcore->engine->asked;
	uint32_t slot =
		__atomic_exchange_n(&lcore->arrivals.woken, TERN_SLOT_NONE, __ATOMIC_ACQUIRE);
	uint32_t first = TERN_SLOT_NONE;
	while (slot != TERN_SLOT_NONE) {
		uint32_t next = tern_load(&asked[slot].next);
		tern_store(&asked[slot].next, first);
		first = slot;
		slot = next;
	}
	for (slot = first; slot != TERN_SLOT_NONE;) {
		struct tern_agent *agent = &lcore->agents[slot];
		uint32_t next = tern_load(&asked[slot].next);
		if (agent->lcore == lcore)
			tern_roaming_queue(lcore, agent);
		else
			tern_roaming_hand(agent, &asked[slot]);
		slot = next;
	}
}

static bool next_of(struct tern_lcore *lcore, uint32_t level, uint32_t *slot)
{
	uint64_t entry;
	bool global_first = ++lcore->roaming.refills % TERN_GLOBAL_EVERY == 0;
	if (global_first && tern_global_take(lcore->engine, level, slot))
		return true;
	if (tern_run_ring_pop(&lcore->roaming.rings[level], &entry)) {
		*slot = tern_run_entry_slot(entry);
		return true;
	}
	return !global_first && tern_global_take(lcore->engine, level, slot);
}

void tern_roaming_admit(struct tern_lcore *lcore)
{
	/* As few as will do: what the policy holds no thief sees. */
	uint32_t slot, most = lcore->ready.pinned ? TERN_ROAMING_BESIDE : TERN_ROAMING_ADMITTED;
	if (tern_load(&lcore->arrivals.woken) != TERN_SLOT_NONE)
		take_woken(lcore);
	for (uint32_t level = 0; level < TERN_ROAMING_LEVELS; level++)
		while (lcore->roaming.admitted[level] < most && next_of(lcore, level, &slot)) {
			struct tern_agent *agent = &lcore->agents[slot];
			if (!tern_roaming_may_move(lcore, agent) && agent->lcore != lcore) {
				tern_roaming_hand(agent, &lcore->engine->asked[slot]);
				break;
			}
			lcore->roaming.admitted[level]++;
			tern_agent_set(agent, TERN_AGENT_ADMITTED);
			tern_ready_push(lcore, agent);
		}
}

struct tern_agent *tern_roaming_lifo(struct tern_lcore *lcore)
{
	struct tern_agent *agent = lcore->roaming.lifo;
	if (!agent) {
		lcore->roaming.lifo_runs = 0;
		return NULL;
	}
	lcore->roaming.lifo = NULL;
	bool next = lcore->roaming.lifo_runs++ < TERN_LIFO_RUNS &&
		    !(lcore->turn.hold & TERN_HOLD_HIGHER) && agent->priority > TERN_PRIORITY_LOW &&
		    agent->status != TERN_PAUSED;
	if (next)
		return agent;
	lcore->roaming.lifo_runs = 0;
	tern_roaming_queue(lcore, agent);
	return NULL;
}
