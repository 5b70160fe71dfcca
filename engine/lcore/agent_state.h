/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include <stdbool.h>

#include "agent.h"

/*
 * The only writer of an agent's status and flags. One function for each event of agent_table.h, for
 * each step of what flags say together, and a pair for facts. Called by whoever runs the agent: its
 * lcore, or its spawner before anyone knows it. Where the caller knows the state, a function is one
 * store.
 *
 * With debug_states, what the table does not list ends the process by abort(), with a line on
 * stderr that names the agent, its state and the event.
 */
#ifndef TERN_DEBUG_STATES
#define TERN_DEBUG_STATES 0
#endif

/** With debug_states only: abort where the table lists no such move. */
void tern_agent_check_move(const struct tern_agent *agent, enum tern_agent_event event,
			   enum tern_status to);

/** With debug_states only: abort, because of what was about to be done to an agent. */
_Noreturn void tern_agent_refuse_step(const struct tern_agent *agent, const char *step);

static inline void tern_agent_expect(const struct tern_agent *agent, bool holds, const char *step)
{
	if (TERN_DEBUG_STATES && !holds)
		tern_agent_refuse_step(agent, step);
}

/* Agents lie in an arena: what is const for all others is no constant there. */
static inline uint32_t *tern_agent_own_flags(struct tern_agent *agent)
{
	return (uint32_t *)(uintptr_t)&agent->flags;
}

static inline void tern_agent_stay(const struct tern_agent *agent, enum tern_agent_event event)
{
	if (TERN_DEBUG_STATES)
		tern_agent_check_move(agent, event, (enum tern_status)agent->status);
}

/* Release: who reads a status, reads what belongs to it (tern_agent_status_first()). */
static inline void tern_agent_move(struct tern_agent *agent, enum tern_agent_event event,
				   enum tern_status to)
{
	if (TERN_DEBUG_STATES)
		tern_agent_check_move(agent, event, to);
	__atomic_store_n((uint8_t *)(uintptr_t)&agent->status, (uint8_t)to, __ATOMIC_RELEASE);
}

/** What an agent is while it has nothing to do. */
static inline enum tern_status tern_agent_resting(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_SHY ? TERN_REST : TERN_IDLE;
}

static inline enum tern_status tern_agent_waiting(const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_LISTED ? TERN_READY : tern_agent_resting(agent);
}

/* Events */

static inline void tern_agent_on_spawn(struct tern_agent *agent, uint32_t traits)
{
	tern_agent_move(agent, TERN_ON_SPAWN, TERN_NEW);
	*tern_agent_own_flags(agent) = traits;
}

/** More traits, of one that is being made. */
static inline void tern_agent_add_traits(struct tern_agent *agent, uint32_t traits)
{
	tern_agent_expect(agent, agent->status == TERN_NEW && !(traits & ~TERN_TRAITS),
			  "a trait after the spawn");
	*tern_agent_own_flags(agent) |= traits;
}

static inline void tern_agent_on_undo(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_UNDO, TERN_DEAD);
	*tern_agent_own_flags(agent) = 0;
}

static inline void tern_agent_on_boot(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_BOOT, TERN_IDLE);
	*tern_agent_own_flags(agent) = TERN_AGENT_STARTED;
}

static inline void tern_agent_on_adopt(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_ADOPT, tern_agent_resting(agent));
}

static inline void tern_agent_on_start(struct tern_agent *agent)
{
	if (agent->status == TERN_NEW)
		tern_agent_move(agent, TERN_ON_START, tern_agent_waiting(agent));
	else
		tern_agent_stay(agent, TERN_ON_START);
	tern_agent_expect(agent, !(agent->flags & TERN_AGENT_STARTED), "a second start");
	*tern_agent_own_flags(agent) |= TERN_AGENT_STARTED;
}

static inline void tern_agent_on_queue(struct tern_agent *agent)
{
	tern_agent_expect(agent, (agent->flags & TERN_LISTING) == TERN_LISTING_NONE,
			  "a second place in the queue");
	*tern_agent_own_flags(agent) |= TERN_AGENT_LISTED;
	if (agent->status < TERN_READY)
		tern_agent_move(agent, TERN_ON_QUEUE, TERN_READY);
	else
		tern_agent_stay(agent, TERN_ON_QUEUE);
}

static inline void tern_agent_on_run(struct tern_agent *agent)
{
	if (agent->status < TERN_READY)
		tern_agent_move(agent, TERN_ON_RUN, TERN_READY);
	else
		tern_agent_stay(agent, TERN_ON_RUN);
}

/** `more`: it goes on in a later run. */
static inline void tern_agent_on_settle(struct tern_agent *agent, bool more)
{
	tern_agent_move(agent, TERN_ON_SETTLE, more ? TERN_READY : tern_agent_resting(agent));
}

static inline void tern_agent_on_pause(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_PAUSE, TERN_PAUSED);
}

static inline void tern_agent_on_resume(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_RESUME, tern_agent_waiting(agent));
}

static inline void tern_agent_on_end(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_END, TERN_ENDING);
}

static inline void tern_agent_on_ended(struct tern_agent *agent)
{
	tern_agent_move(agent, TERN_ON_ENDED, TERN_DEAD);
	*tern_agent_own_flags(agent) = 0;
}

/* Where it waits to be run */

/** From nowhere, or just queued and not handed to the policy yet: to those who wait for a permit.
 */
static inline void tern_agent_hold_up(struct tern_agent *agent)
{
	tern_agent_expect(agent, !(agent->flags & TERN_AGENT_WAITING),
			  "a second wait for a permit");
	*tern_agent_own_flags(agent) |= TERN_LISTING_PERMIT;
}

/** From those who wait for a permit to the policy. */
static inline void tern_agent_let_on(struct tern_agent *agent)
{
	tern_agent_expect(agent, (agent->flags & TERN_LISTING) == TERN_LISTING_PERMIT,
			  "the end of a wait for a permit");
	*tern_agent_own_flags(agent) &= ~TERN_AGENT_WAITING;
}

/** From the policy to nowhere. */
static inline void tern_agent_unlist(struct tern_agent *agent)
{
	tern_agent_expect(agent, (agent->flags & TERN_LISTING) == TERN_LISTING_POLICY,
			  "the end of a place in the queue");
	*tern_agent_own_flags(agent) &= ~TERN_AGENT_LISTED;
}

/** From wherever it was queued on an lcore that is gone. */
static inline void tern_agent_inherit(struct tern_agent *agent)
{
	*tern_agent_own_flags(agent) &= ~(TERN_LISTING | TERN_AGENT_ADMITTED);
}

/* How full its mailbox is */

/** Above high water. */
static inline void tern_agent_rise(struct tern_agent *agent)
{
	tern_agent_expect(agent, !(agent->flags & TERN_AGENT_OVER), "a second rise");
	*tern_agent_own_flags(agent) |= TERN_AGENT_OVER;
}

/** At low water. */
static inline void tern_agent_fall(struct tern_agent *agent)
{
	tern_agent_expect(agent, agent->flags & TERN_AGENT_OVER, "a fall without a rise");
	*tern_agent_own_flags(agent) &= ~TERN_AGENT_OVER;
}

/** Whether it is to be told that it rose, or fell. */
static inline bool tern_agent_is_water_news(const struct tern_agent *agent)
{
	uint32_t water = agent->flags & TERN_WATER;
	return water == TERN_WATER_RISEN || water == TERN_WATER_FALLEN;
}

/** It is about to be told. */
static inline void tern_agent_tell_water(struct tern_agent *agent)
{
	tern_agent_expect(agent, tern_agent_is_water_news(agent), "water that it was told of");
	*tern_agent_own_flags(agent) ^= TERN_AGENT_TOLD_OVER;
}

/* Whether it is being told of its end */

/** on_error or on_stop is about to run; of one that failed there before, the rest of its end. */
static inline void tern_agent_begin_telling(struct tern_agent *agent)
{
	tern_agent_expect(agent, agent->status == TERN_ENDING, "told of an end that was not asked");
	*tern_agent_own_flags(agent) |= TERN_AGENT_TELLING;
}

/** on_error returned. */
static inline void tern_agent_end_telling(struct tern_agent *agent)
{
	tern_agent_expect(agent, (agent->flags & TERN_TELLING) == TERN_TELLING_NOW,
			  "the end of what it was not told");
	*tern_agent_own_flags(agent) &= ~TERN_AGENT_TELLING;
}

/** on_error or on_stop failed; or the engine's on_stop, after that of one that failed before. */
static inline void tern_agent_fail_telling(struct tern_agent *agent)
{
	tern_agent_expect(agent, agent->flags & TERN_AGENT_TELLING,
			  "a failure in what it was not told");
	*tern_agent_own_flags(agent) |= TERN_AGENT_MUTE;
}

/* Facts: bits of TERN_FACTS */

static inline void tern_agent_set(struct tern_agent *agent, uint32_t fact)
{
	tern_agent_expect(agent, !(fact & ~TERN_FACTS), "a flag that is no fact");
	*tern_agent_own_flags(agent) |= fact;
}

static inline void tern_agent_clear(struct tern_agent *agent, uint32_t fact)
{
	tern_agent_expect(agent, !(fact & ~TERN_FACTS), "a flag that is no fact");
	*tern_agent_own_flags(agent) &= ~fact;
}

#endif
