/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An idle lcore takes roaming agents that wait elsewhere. Where they start, and where the forecast
 * says they had better be, is in rebalance.c.
 *
 * A theft costs two atomic operations for the throttle and one CAS for each agent taken;
 * tern_lcore_stats counts them.
 */
#include "steal.h"

#include "engine/lcore/asked.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/room.h"
#include "engine/schedule/global_queue.h"
#include "engine/schedule/roaming.h"

/* Agents taken by one theft, each by one CAS. */
#define STEAL_MAX 8
/* An lcore is helped when it has been in one turn for so many times steal_after_us. */
#define STUCK 4

/* At most half of the lcores steal at once, or they would spend their time on each other. */
static bool may_steal(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	uint32_t most = engine->lcore_count > 2 ? engine->lcore_count / 2 : 1;
	tern_count(&lcore->stats.steal_atomics, 1);
	if (__atomic_fetch_add(&engine->thieves, 1, __ATOMIC_RELAXED) < most)
		return true;
	tern_count(&lcore->stats.steal_atomics, 1);
	__atomic_fetch_sub(&engine->thieves, 1, __ATOMIC_RELAXED);
	return false;
}

static float backlog_of(const struct tern_lcore *lcore)
{
	uint32_t waiting = 0;
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++)
		waiting += tern_run_ring_count(&lcore->roaming.rings[level]);
	waiting += tern_load(&lcore->arrivals.woken) != TERN_SLOT_NONE;
	return (float)waiting * (1 + tern_lcore_load(lcore));
}

static struct tern_lcore *random_other(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	uint32_t pick = (uint32_t)(tern_rng_next(&lcore->rng) % (engine->lcore_count - 1));
	return &engine->lcores[pick + (pick >= lcore->index)];
}

/* The one with more to do, by its backlog and the forecast, of two drawn at random. */
static struct tern_lcore *choose_victim(struct tern_lcore *lcore)
{
	struct tern_lcore *a = random_other(lcore), *b = random_other(lcore);
	float backlog_a = backlog_of(a), backlog_b = backlog_of(b);
	if (backlog_a <= 0 && backlog_b <= 0)
		return NULL;
	return backlog_a >= backlog_b ? a : b;
}

static uint64_t after_ticks(const struct tern_lcore *lcore)
{
	return tern_clock_from_ns(lcore->clock, lcore->engine->config.steal_after_us * 1000ull);
}

/* Only what has waited for long: an agent just woken is the victim's, whose cache knows it. */
static bool waited_long(const struct tern_lcore *lcore, uint64_t entry)
{
	uint32_t now = (uint32_t)(tern_clock_ticks(lcore->clock) >> TERN_STEAL_STAMP_SHIFT);
	uint64_t waited = (uint64_t)(now - tern_run_entry_stamp(entry)) << TERN_STEAL_STAMP_SHIFT;
	return waited > after_ticks(lcore);
}

static void keep_stolen(struct tern_lcore *lcore, uint32_t slot)
{
	tern_count(&lcore->stats.stolen, 1);
	tern_roaming_queue(lcore, &lcore->agents[slot]);
}

/* The order is looked at before the CAS: who loses the race has learned nothing it relies on. */
static bool take_one(struct tern_lcore *lcore, struct tern_lcore *victim, uint32_t level)
{
	struct tern_run_ring *ring = &victim->roaming.rings[level];
	uint64_t ticket, entry;
	if (!tern_run_ring_peek(ring, &ticket, &entry) || !waited_long(lcore, entry))
		return false;
	uint32_t slot = tern_run_entry_slot(entry);
	const struct tern_room *room = tern_room_of(lcore, slot);
	const struct tern_lcore *last = tern_load(&lcore->agents[slot].lcore);
	if (!room || !tern_passage_is_over(&last->roaming.passage, tern_load(&room->note)))
		return false;
	tern_count(&lcore->stats.steal_atomics, 1);
	if (!tern_run_ring_take(ring, ticket))
		return false;
	keep_stolen(lcore, slot);
	return true;
}

static unsigned rob_victim(struct tern_lcore *lcore, struct tern_lcore *victim)
{
	unsigned taken = 0;
	for (uint32_t level = TERN_ROAMING_LEVELS; level-- > 0;) {
		uint32_t half = (tern_run_ring_count(&victim->roaming.rings[level]) + 1) / 2;
		while (taken < STEAL_MAX && half-- && take_one(lcore, victim, level))
			taken++;
	}
	return taken;
}

/* The agents handed to an lcore that does not look: one of its own holds it in a long function. */
static unsigned relieve_victim(struct tern_lcore *lcore, struct tern_lcore *victim)
{
	struct tern_asked *asked = lcore->engine->asked;
	uint64_t now = tern_clock_ticks(lcore->clock), began = tern_load(&victim->turn.ticks);
	unsigned taken = 0;
	if (!tern_load(&victim->turn.is_on) || now < began ||
	    now - began <= STUCK * after_ticks(lcore))
		return 0;
	tern_count(&lcore->stats.steal_atomics, 1);
	uint32_t slot =
		__atomic_exchange_n(&victim->arrivals.woken, TERN_SLOT_NONE, __ATOMIC_ACQUIRE);
	while (slot != TERN_SLOT_NONE) {
		struct tern_agent *agent = &lcore->agents[slot];
		uint32_t next = tern_load(&asked[slot].next);
		if (!tern_load(&tern_room_of(lcore, slot)->tied) &&
		    tern_roaming_may_move(lcore, agent) && tern_roaming_suits(lcore, agent)) {
			keep_stolen(lcore, slot);
			taken++;
		} else {
			tern_roaming_hand(agent, &asked[slot]);
		}
		slot = next;
	}
	return taken;
}

unsigned tern_roaming_steal(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	/* What overflowed is nobody's yet: the next turn admits it. */
	if (tern_global_count(engine)) {
		lcore->roaming.any = true;
		return 1;
	}
	if (!engine->config.steal || engine->lcore_count < 2)
		return 0;
	/* Looking writes nothing: only who has seen work asks for leave to take it. */
	struct tern_lcore *victim = choose_victim(lcore);
	if (!victim || !may_steal(lcore))
		return 0;
	unsigned taken = rob_victim(lcore, victim);
	if (!taken)
		taken = relieve_victim(lcore, victim);
	tern_count(&lcore->stats.steal_atomics, 1);
	__atomic_fetch_sub(&engine->thieves, 1, __ATOMIC_RELAXED);
	return taken;
}
