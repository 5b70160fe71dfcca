/* SPDX-License-Identifier: Apache-2.0 */

/* A run of a roaming agent: it begins, takes from its ring, and settles or leaves. */
#include "roaming_run.h"

#include "engine/agent/answer.h"
#include "engine/agent/timer.h"
#include "engine/fiber/fiber.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/mail/inbox.h"
#include "engine/mail/memory.h"
#include "engine/node/node.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/roaming.h"

static bool waits_for_receiver(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_FIBER && agent->extras->fiber->wait == TERN_FIBER_RECEIVER;
}

/*
 * Timers and waits for receivers end on the lcore, outside a run: what ties the agent meanwhile is
 * that they were there when its last run ended, not that they still are.
 */
static void note_ties(struct tern_agent *agent, struct tern_room *room)
{
	if (agent->timers || waits_for_receiver(agent))
		tern_agent_set(agent, TERN_AGENT_TIED);
	else
		tern_agent_clear(agent, TERN_AGENT_TIED);
	tern_store(&room->tied, !tern_roaming_is_loose(agent));
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

void tern_roaming_begin(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	if (agent->flags & TERN_AGENT_ADMITTED) {
		tern_agent_clear(agent, TERN_AGENT_ADMITTED);
		lcore->roaming.admitted[agent->priority + 1]--;
	}
	struct tern_room *room = tern_room_of(lcore, slot);
	take_over(lcore, agent, room);
	tern_memory_forget(lcore, agent);
	tern_mail_ring_begin(&room->ring);
	tern_agent_on_run(agent);
	/* After the state: a sender that presses before its wake is seen here, or has us run again.
	 */
	tern_inbox_open(lcore, agent);
	tern_ask_answer(lcore, slot);
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
	tern_inbox_fetch(lcore, agent, most_wanted(lcore, agent, room, budget));
	return agent->mailbox.queued < budget ? agent->mailbox.queued : budget;
}

static bool goes_elsewhere(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	struct tern_profile *profile = &lcore->profiles[slot];
	uint32_t target = tern_load(&profile->move_to);
	if (tern_likely(target == 0) || target > lcore->engine->lcore_count)
		return false;
	/* Also in the midst of a turn: what its run before sent may have passed by now. */
	if (tern_unlikely(lcore->net != NULL))
		tern_node_note(lcore);
	tern_passage_look(&lcore->roaming.passage, lcore->out, lcore->roam_route, NULL, NULL);
	/* Timers can be taken along. */
	uint32_t ignored = agent->timers ? TERN_AGENT_TIED : 0;
	if (!tern_roaming_is_loose_but_for(agent, ignored) ||
	    !tern_roaming_may_move(lcore, agent) || waits_for_receiver(agent))
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
	tern_mail_ring_requeue(&room->ring);
	tern_roaming_hand(agent, &lcore->engine->asked[slot]);
	return true;
}

void tern_roaming_settle(struct tern_lcore *lcore, struct tern_agent *agent, bool has_work)
{
	uint32_t slot = tern_address_slot(agent->address);
	struct tern_room *room = tern_room_of(lcore, slot);
	/* First: what it is told may end it, and what it then sends is behind the note. */
	uint32_t left = tern_inbox_close(lcore, agent);
	bool ends = agent->status == TERN_ENDING, paused = agent->status == TERN_PAUSED;
	if (!ends && holds_back(lcore, agent))
		left = 0;
	/* To run it again would change nothing: memory wakes it, or its next signal. */
	if (!ends && left && !has_work && !tern_memory_may_fetch(lcore, agent, 1)) {
		tern_memory_await(lcore, agent);
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
		tern_mail_ring_requeue(&room->ring);
		tern_roaming_queue(lcore, agent);
		return;
	}
	tern_ready_rest(lcore, agent);
	if (!tern_mail_ring_rest(&room->ring))
		tern_roaming_queue(lcore, agent);
}
