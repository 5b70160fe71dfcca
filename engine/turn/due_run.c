/* SPDX-License-Identifier: Apache-2.0 */
#include "due_run.h"

#include "engine/agent/fds.h"
#include "engine/agent/life.h"
#include "engine/agent/timer.h"
#include "engine/agent/watch.h"
#include "engine/fiber/fiber.h"
#include "engine/fiber/waiter.h"
#include "engine/lcore/agent_state.h"
#include "engine/mail/bounce.h"
#include "engine/mail/due.h"
#include "engine/mail/outbox.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"

/* Events of a kind told in one run, so that a run stays short however many are due. */
#define EVENTS_MAX 64u

static void handle_due(struct tern_lcore *lcore, struct tern_agent *agent,
		       struct tern_signal *signal)
{
	tern_life_handle(lcore, agent, signal);
	tern_lcore_check(lcore);
}

static void run_returned(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	uint32_t generation = tern_address_generation(agent->address);
	struct tern_signal signal;
	for (uint32_t i = 0; i < EVENTS_MAX && agent->status == TERN_READY &&
			     tern_returned_take(lcore, slot, &signal);
	     i++)
		if (signal.to_generation == generation)
			tern_life_handle(lcore, agent, &signal);
		else /* of the slot's life before */
			tern_life_bounce(lcore, &signal, false);
	/* Nothing else has a fiber run for what is left. */
	if (tern_reserve_of(lcore, agent)->returned && agent->status == TERN_READY)
		tern_ready_wake(lcore, agent);
}

/* The slice is looked at as between signals. */
static bool may_go_on(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return agent->status == TERN_READY && !(lcore->turn.hold & TERN_HOLD_LATE);
}

/* Only those that are due now: a handler may start others meanwhile. */
static unsigned run_signals(struct tern_lcore *lcore, struct tern_agent *agent)
{
	const struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	struct tern_signal signal;
	unsigned handled = 0;
	while (reserve->timers && may_go_on(lcore, agent)) {
		tern_timer_take(lcore, reserve->timers, &signal);
		handle_due(lcore, agent, &signal);
		handled++;
	}
	while (reserve->fds && may_go_on(lcore, agent)) {
		tern_fds_take_due(lcore, agent, &signal);
		handle_due(lcore, agent, &signal);
		handled++;
	}
	return handled;
}

static bool are_events_left(const struct tern_reserve *reserve)
{
	return reserve->released || reserve->retry == TERN_RETRY_DUE || reserve->ends.first ||
	       reserve->returned;
}

bool tern_due_is_first(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	const struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	bool signals = reserve->timers || reserve->fds;
	return are_events_left(reserve) || (signals && !(agent->flags & TERN_AGENT_FIBER));
}

static bool has_signals(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return agent->flags & TERN_AGENT_FIBER ? tern_fiber_is_ready(lcore, agent)
					       : agent->mailbox.queued != 0;
}

unsigned tern_due_run(struct tern_lcore *lcore, struct tern_agent *agent)
{
	unsigned handled = 0;
	if (tern_reserve_of(lcore, agent)->returned)
		run_returned(lcore, agent);
	tern_watch_tell(lcore, agent, EVENTS_MAX);
	if (agent->flags & TERN_AGENT_REFUSED)
		tern_waiters_tell(lcore, agent, EVENTS_MAX);
	tern_sampler_look_after_next(&lcore->sampler);
	if (!(agent->flags & TERN_AGENT_FIBER))
		handled = run_signals(lcore, agent);
	if (handled == 0 && !has_signals(lcore, agent))
		tern_lcore_check_slice(lcore);
	const struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	if (!reserve->timers && !reserve->fds && !are_events_left(reserve))
		tern_agent_clear(agent, TERN_AGENT_DUE);
	return handled;
}
