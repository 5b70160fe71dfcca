/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lcore/room.h"

#include <errno.h>

#include "engine/lcore/agent_state.h"
#include "engine/mail/ask.h"
#include "engine/mail/due.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/fiber_state.h"
#include "global_queue.h"
#include "engine/agent/life.h"
#include "profile.h"
#include "engine/lcore/reader.h"
#include "engine/agent/timer.h"
#include "engine/agent/watch.h"

/* Signals moved from the ring to the mailbox in one go. */
#define FETCH 32

static bool room_refuses(const struct tern_room *room)
{
	uint8_t policy = tern_load(&room->policy);
	return policy == TERN_POLICY_REFUSE || policy == TERN_POLICY_BLOCK;
}

/* Woken by another thread: the list of the lcore that ran it last, A1 as in ask.c. */
void tern_roaming_hand(struct tern_agent *agent, struct tern_asked *asked)
{
	struct tern_lcore *home = tern_load(&agent->lcore);
	uint32_t slot = tern_address_slot(tern_load(&agent->address));
	uint32_t head = tern_load(&home->inbox.woken);
	do {
		tern_store(&asked->next, head);
	} while (!__atomic_compare_exchange_n(&home->inbox.woken, &head, slot, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static uint32_t stamp_of(const struct tern_lcore *lcore)
{
	return (uint32_t)(tern_clock_ticks(lcore->clock) >> TERN_STEAL_STAMP_SHIFT);
}

static bool is_loose_but_for(const struct tern_agent *agent, uint32_t ignored)
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
	return is_loose_but_for(agent, 0);
}

bool tern_roaming_may_move(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	const struct tern_lcore *last = tern_load(&agent->lcore);
	const struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	return tern_passage_is_over(&last->roaming.passage, tern_load(&room->note));
}

static bool waits_for_room(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_FIBER && agent->extras->fiber->wait == TERN_FIBER_ROOM;
}

/*
 * Timers and waits for room end on the lcore, outside a run: what ties the agent meanwhile is that
 * they were there when its last run ended, not that they still are.
 */
static void note_ties(struct tern_agent *agent, struct tern_room *room)
{
	if (agent->timers || waits_for_room(agent))
		tern_agent_set(agent, TERN_AGENT_TIED);
	else
		tern_agent_clear(agent, TERN_AGENT_TIED);
	tern_store(&room->tied, !tern_roaming_is_loose(agent));
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
static void schedule_owner(struct tern_lcore *lcore, const struct tern_room *room)
{
	schedule_woken(lcore, &lcore->agents[tern_load(&room->slot)]);
}

/* Its room is queued from the start, which is what a wake would have made it (roam.h). */
void tern_roaming_start(struct tern_lcore *lcore, struct tern_agent *agent)
{
	schedule_woken(lcore, agent);
}

/* It may have ended meanwhile: then there is nothing to do for it, and one run more for the next.
 */
void tern_roaming_wake(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(tern_load(&agent->address)));
	if (room && tern_roam_wake(&room->roam))
		schedule_owner(lcore, room);
}

void tern_ready_wake(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_is_roaming(agent))
		tern_roaming_wake(lcore, agent);
	else
		tern_ready_push(lcore, agent);
}

static bool is_to_living(const struct tern_lcore *lcore, const struct tern_signal *signal)
{
	return tern_dir_alive(tern_dir_load(lcore, signal->to_slot),
			      tern_address_make(0, signal->to_slot, signal->to_generation));
}

/* At a full mailbox: the policy's answer. Returns whether a place may have come free. */
static bool make_room(struct tern_lcore *lcore, struct tern_room *room,
		      const struct tern_signal *signal)
{
	struct tern_signal oldest;
	/* What is left then is reported as undelivered. */
	if (tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING)
		return false;
	if (tern_load(&room->policy) == TERN_POLICY_EVICT) {
		tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
		tern_ask(lcore, to, TERN_ASK_EVICT);
		return false;
	}
	if (tern_load(&room->policy) != TERN_POLICY_DROP_OLDEST ||
	    !tern_roam_drop_oldest(&room->roam, &oldest))
		return false;
	if (tern_unlikely(!is_to_living(lcore, &oldest))) {
		tern_life_bounce(lcore, &oldest, false);
		return true;
	}
	tern_signal_discard(lcore, &oldest);
	__atomic_fetch_add(&room->dropped, 1, __ATOMIC_RELAXED);
	tern_count(&lcore->stats.dropped, 1);
	tern_lcore_settle(lcore, 1);
	return true;
}

/* By CAS, so that only the agent that was meant is marked, not who lives in its slot by now. */
static void press_agent(struct tern_lcore *lcore, struct tern_room *room, tern_address to)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(to)], seen = tern_load(entry);
	if (!room_refuses(room))
		return;
	do {
		if (seen & TERN_DIR_PRESSED || !tern_dir_alive(seen, to))
			return;
	} while (!__atomic_compare_exchange_n(entry, &seen, seen | TERN_DIR_PRESSED, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	__atomic_fetch_add(&room->pressured, 1, __ATOMIC_RELAXED);
}

/*
 * Apart, because the agent's line, which its lcore writes for each signal, is one that a sender
 * does without while few wait. What goes from ring to mailbox meanwhile counts twice: pressed
 * early, never late.
 */
static __attribute__((noinline)) void
look_for_high(struct tern_lcore *lcore, struct tern_room *room, tern_address to, uint32_t waiting)
{
	if (!room->exact)
		waiting += tern_load(&lcore->agents[tern_address_slot(to)].mailbox.queued);
	if (waiting >= tern_load(&room->high_water))
		press_agent(lcore, room, to);
}

/* Take a place within an exact bound, which counts what has left the ring and is not taken up. */
static bool enter_exact(struct tern_room *room, uint32_t *waiting)
{
	*waiting = 0;
	if (tern_likely(!room->exact))
		return true;
	*waiting = __atomic_add_fetch(&room->waiting, 1, __ATOMIC_RELAXED);
	if (*waiting <= tern_load(&room->capacity))
		return true;
	tern_room_leave(room);
	return false;
}

/* The agent may end at any moment here: then its room takes the signal for it, or there is none. */
static int put_in_ring(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
	uint32_t count, waiting;
	if (!is_to_living(lcore, signal))
		return -ESRCH;
	struct tern_room *room = tern_room_of(lcore, signal->to_slot);
	if (tern_unlikely(!room))
		return -ESRCH;
	if (!enter_exact(room, &waiting))
		return -EAGAIN;
	for (uint32_t i = 0; tern_roam_put(&room->roam, signal, &count) != 0; i++) {
		int code = i > tern_load(&room->capacity) || !make_room(lcore, room, signal)
				   ? -EAGAIN
				   : 0;
		if (code == 0 && !is_to_living(lcore, signal))
			code = -ESRCH;
		if (code != 0) {
			tern_room_leave(room);
			return code;
		}
	}
	/* Before the wake: the run that follows finds the mark, and clears it when it may. */
	if (tern_unlikely(room->exact || count >= tern_load(&room->calm)))
		look_for_high(lcore, room, to, room->exact ? waiting : count);
	if (tern_roam_wake_after_put(&room->roam))
		schedule_owner(lcore, room);
	return 0;
}

/* An lcore is quiet between turns only; a thread is, but here. */
int tern_roaming_send(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	if (tern_likely(!lcore->is_thread))
		return put_in_ring(lcore, signal);
	tern_reader_enter(lcore);
	int code = put_in_ring(lcore, signal);
	tern_reader_leave(lcore);
	return code;
}

/* Taken as a whole (T1 of ask.c), oldest first. An agent may have moved since it was handed. */
static void take_woken(struct tern_lcore *lcore)
{
	struct tern_asked *asked = lcore->engine->asked;
	uint32_t slot = __atomic_exchange_n(&lcore->inbox.woken, TERN_SLOT_NONE, __ATOMIC_ACQUIRE);
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
	if (tern_load(&lcore->inbox.woken) != TERN_SLOT_NONE)
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

static void take_over(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_room *room)
{
	if (agent->lcore != lcore) {
		tern_store(&agent->lcore, lcore);
		tern_store(&room->note, 0); /* of this lcore's passage: it has sent nothing here */
		tern_count(&lcore->stats.migrated, 1);
	}
	if (agent->flags & TERN_AGENT_PARKED) {
		tern_agent_clear(agent, TERN_AGENT_PARKED);
		if (agent->status != TERN_PAUSED)
			tern_timers_unpark(agent);
	}
}

/* Above high water, by its ring and what it took from there, or by a sender's word. */
static void look_for_pressure(struct tern_lcore *lcore, struct tern_agent *agent,
			      struct tern_room *room)
{
	uint32_t queued = tern_roam_count(&room->roam) + agent->mailbox.queued;
	bool pressed = tern_dir_load(lcore, room->slot) & TERN_DIR_PRESSED;
	if (agent->flags & TERN_AGENT_OVER || (!pressed && queued < room->high_water))
		return;
	tern_agent_rise(agent);
	if (!room_refuses(room)) /* else the sender counted */
		__atomic_fetch_add(&room->pressured, 1, __ATOMIC_RELAXED);
}

void tern_roaming_begin(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (agent->flags & TERN_AGENT_ADMITTED) {
		tern_agent_clear(agent, TERN_AGENT_ADMITTED);
		lcore->roaming.admitted[agent->priority + 1]--;
	}
	struct tern_room *room = tern_room_of(lcore, slot);
	take_over(lcore, agent, room);
	tern_policy_forget(lcore, agent);
	tern_roam_begin(&room->roam);
	tern_agent_on_run(agent);
	/* After the state: a sender that presses before its wake is seen here, or has us run again.
	 */
	look_for_pressure(lcore, agent, room);
	tern_ask_answer(lcore, slot);
}

/* To whom the room served before. */
static bool is_late(const struct tern_agent *agent, const struct tern_signal *signal)
{
	tern_address to = tern_address_make(0, signal->to_slot, signal->to_generation);
	return tern_unlikely(to != agent->address);
}

/* One signal of its ring: to its mailbox, or back where it was told to end, or is not for it. */
static void take_in(struct tern_lcore *lcore, struct tern_agent *agent,
		    const struct tern_signal *signal)
{
	if (agent->status == TERN_ENDING || is_late(agent, signal)) {
		tern_room_leave(tern_room_of(lcore, tern_address_slot(agent->address)));
		tern_life_bounce(lcore, signal, false);
	} else if (tern_policy_make_room(lcore, agent, signal))
		tern_policy_take_in(lcore, agent, signal);
}

/* Whether it takes nothing now: what is in the ring is best left there, up to its bound. */
static bool holds_back(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (agent->status == TERN_PAUSED || !(agent->flags & TERN_AGENT_FIBER))
		return agent->status == TERN_PAUSED;
	enum tern_fiber_wait wait = agent->extras->fiber->wait;
	return wait != TERN_FIBER_SIGNAL && wait != TERN_FIBER_TYPE &&
	       !tern_fiber_is_ready(lcore, agent);
}

/* Up to what it may handle now. A fiber that waits for a type has to see all that is there. */
static unsigned most_wanted(const struct tern_lcore *lcore, const struct tern_agent *agent,
			    const struct tern_room *room, unsigned budget)
{
	if (holds_back(lcore, agent))
		return 0;
	if (agent->flags & TERN_AGENT_FIBER && agent->extras->fiber->wait == TERN_FIBER_TYPE)
		return UINT32_MAX;
	return budget < room->capacity ? budget : room->capacity;
}

unsigned tern_roaming_fetch(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	struct tern_room *room = tern_room_of(lcore, tern_address_slot(agent->address));
	struct tern_signal signals[FETCH];
	unsigned most = most_wanted(lcore, agent, room, budget);
	while (agent->mailbox.queued < most) {
		unsigned want = most - agent->mailbox.queued;
		want = want < FETCH ? want : FETCH;
		want = tern_policy_may_take(lcore, agent, want);
		unsigned got = tern_roam_take(&room->roam, signals, want);
		for (unsigned i = 0; i < got; i++)
			take_in(lcore, agent, &signals[i]);
		if (tern_unlikely(agent->flags & TERN_AGENT_MARKED))
			tern_watch_ring_moved(lcore, agent);
		if (got < want || want == 0)
			break;
	}
	return agent->mailbox.queued < budget ? agent->mailbox.queued : budget;
}

/* At low water senders are let in again. */
static uint32_t release_senders(struct tern_lcore *lcore, struct tern_agent *agent,
				struct tern_room *room)
{
	uint32_t left = tern_roam_count(&room->roam);
	if (agent->flags & TERN_AGENT_OVER && left + agent->mailbox.queued <= room->low_water) {
		tern_agent_fall(agent);
		tern_dir_clear(&lcore->directory[room->slot], TERN_DIR_PRESSED);
		tern_policy_tell(lcore, agent);
	}
	return left;
}

static bool goes_elsewhere(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	struct tern_profile *profile = &lcore->profiles[slot];
	uint32_t target = tern_load(&profile->move_to);
	if (tern_likely(target == 0) || target > lcore->engine->lcore_count)
		return false;
	/* Also in the midst of a turn: what its run before sent may have passed by now. */
	tern_passage_look(&lcore->roaming.passage, lcore->out, lcore->roam_route, NULL, NULL);
	/* Timers can be taken along. */
	uint32_t ignored = agent->timers ? TERN_AGENT_TIED : 0;
	if (!is_loose_but_for(agent, ignored) || !tern_roaming_may_move(lcore, agent) ||
	    waits_for_room(agent))
		return false;
	tern_store(&profile->move_to, 0);
	struct tern_lcore *there = &lcore->engine->lcores[target - 1];
	if (there == lcore || !tern_roaming_suits(there, agent))
		return false;
	if (agent->timers) {
		tern_timers_park(agent);
		tern_agent_set(agent, TERN_AGENT_PARKED);
	}
	tern_ready_rest(lcore, agent);
	profile->share = 0; /* counts from the floor there: fair share */
	tern_store(&tern_room_of(lcore, slot)->note, 0);
	tern_store(&agent->lcore, there);
	tern_count(&lcore->stats.sent_away, 1);
	return true;
}

bool tern_roaming_leave(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (agent->status != TERN_READY || !goes_elsewhere(lcore, agent))
		return false;
	struct tern_room *room = tern_room_of(lcore, slot);
	tern_store(&room->tied, !tern_roaming_is_loose(agent));
	tern_roam_requeue(&room->roam);
	tern_roaming_hand(agent, &lcore->engine->asked[slot]);
	return true;
}

void tern_roaming_settle(struct tern_lcore *lcore, struct tern_agent *agent, bool has_work)
{
	uint32_t slot = tern_address_slot(agent->address);
	struct tern_room *room = tern_room_of(lcore, slot);
	/* First: what it is told may end it, and what it then sends is behind the note. */
	uint32_t left = release_senders(lcore, agent, room);
	bool ends = agent->status == TERN_ENDING, paused = agent->status == TERN_PAUSED;
	if (!ends && holds_back(lcore, agent))
		left = 0;
	/* To run it again would change nothing: memory wakes it, or its next signal. */
	if (!ends && left && !has_work && !tern_policy_may_take(lcore, agent, 1)) {
		tern_policy_await_memory(lcore, agent);
		left = 0;
	}
	note_ties(agent, room);
	/* What it sent in this run, told of low water too, is behind the next note. */
	if (agent->signals_out != room->sent_before) {
		room->sent_before = agent->signals_out;
		tern_store(&room->note, tern_passage_want(&lcore->roaming.passage));
	}
	/* One that is woken by its timers alone has nothing in its mailbox at the end only. */
	if (!has_work && !left && tern_roaming_leave(lcore, agent))
		return;
	if (!ends && !paused)
		tern_agent_on_settle(agent, has_work);
	if (ends || has_work || left) {
		tern_roam_requeue(&room->roam);
		tern_roaming_queue(lcore, agent);
		return;
	}
	tern_ready_rest(lcore, agent);
	if (!tern_roam_rest(&room->roam))
		tern_roaming_queue(lcore, agent);
}
