/* SPDX-License-Identifier: Apache-2.0 */

/* The ready agents of an lcore: who is among them, and the cap on how many may be. */
#include "ready.h"

#include "engine/lcore/agent_state.h"
#include "engine/lcore/engine.h"
#include "reschedule.h"

void tern_ready_list_push(struct tern_lcore *lcore, struct tern_ready_list *list,
			  struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	agent->ready_next = TERN_SLOT_NONE;
	if (list->head == TERN_SLOT_NONE)
		list->head = slot;
	else
		lcore->agents[list->tail].ready_next = slot;
	list->tail = slot;
}

struct tern_agent *tern_ready_list_pop(struct tern_lcore *lcore, struct tern_ready_list *list)
{
	if (list->head == TERN_SLOT_NONE)
		return NULL;
	struct tern_agent *agent = &lcore->agents[list->head];
	list->head = agent->ready_next;
	return agent;
}

/*
 * max_concurrent: an agent is runnable from its first run until its mailbox is empty, and holds
 * a permit so long. An lcore takes permits from the engine's count when it needs them; relaxed,
 * because a count guards no memory.
 */
static bool take_permit(struct tern_lcore *lcore)
{
	uint32_t *permits = &lcore->engine->runnable_left;
	uint32_t left = tern_load(permits);
	while (left && !__atomic_compare_exchange_n(permits, &left, left - 1, true,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return left != 0;
}

static bool may_run(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_likely(!lcore->engine->config.max_concurrent) || lcore->is_thread ||
	    agent->flags & TERN_AGENT_PERMIT || agent->status == TERN_ENDING)
		return true;
	/* Behind those who wait already. */
	if (lcore->ready.waiting.head != TERN_SLOT_NONE || !take_permit(lcore))
		return false;
	tern_agent_set(agent, TERN_AGENT_PERMIT);
	return true;
}

void tern_ready_rest(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_PERMIT))
		return;
	tern_agent_clear(agent, TERN_AGENT_PERMIT);
	__atomic_fetch_add(&lcore->engine->runnable_left, 1, __ATOMIC_RELAXED);
}

static void hand_to_policy(struct tern_lcore *lcore, struct tern_agent *agent)
{
	lcore->ready.count++;
	lcore->ready.pinned += !tern_is_roaming(agent);
	lcore->ready.policy->push(lcore, agent);
}

static void wait_for_permit(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_hold_up(agent);
	tern_ready_list_push(lcore, &lcore->ready.waiting, agent);
}

void tern_ready_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->flags & TERN_AGENT_LISTED && agent->status == TERN_ENDING &&
	    lcore->ready.policy->hurry)
		lcore->ready.policy->hurry(lcore, agent);
	/* A paused roaming agent is run to see whether it is to go on. */
	bool paused = agent->status == TERN_PAUSED && !tern_is_roaming(agent);
	if (agent->flags & TERN_AGENT_LISTED || paused)
		return;
	tern_agent_on_queue(agent);
	if (tern_likely(may_run(lcore, agent)))
		hand_to_policy(lcore, agent);
	else
		wait_for_permit(lcore, agent);
}

/*
 * Permits that came free go to those who wait longest. Who ends needs none; who is paused has no
 * use for one, and comes back at its resume.
 */
static void admit_waiting(struct tern_lcore *lcore)
{
	struct tern_ready_list *waiting = &lcore->ready.waiting;
	while (waiting->head != TERN_SLOT_NONE) {
		struct tern_agent *agent = &lcore->agents[waiting->head];
		uint32_t status = agent->status;
		bool needs = status != TERN_ENDING && status != TERN_PAUSED;
		if (needs && !take_permit(lcore))
			return;
		tern_ready_list_pop(lcore, waiting);
		tern_agent_let_on(agent);
		if (status == TERN_PAUSED && !tern_is_roaming(agent)) {
			tern_agent_unlist(agent);
			continue;
		}
		if (needs)
			tern_agent_set(agent, TERN_AGENT_PERMIT);
		hand_to_policy(lcore, agent);
	}
}

struct tern_agent *tern_ready_pop(struct tern_lcore *lcore)
{
	struct tern_ready *ready = &lcore->ready;
	if (tern_unlikely(ready->waiting.head != TERN_SLOT_NONE))
		admit_waiting(lcore);
	struct tern_agent *agent;
	while (ready->count && (agent = ready->policy->pop(lcore)) != NULL) {
		ready->count--;
		ready->pinned -= !tern_is_roaming(agent);
		tern_agent_unlist(agent);
		/* Paused and resumed while listed: its permit is another's now. */
		if (agent->status == TERN_PAUSED || tern_likely(may_run(lcore, agent)))
			return agent;
		wait_for_permit(lcore, agent);
	}
	return NULL;
}

void tern_ready_empty(struct tern_lcore *lcore)
{
	struct tern_ready *ready = &lcore->ready;
	struct tern_agent *agent;
	while ((agent = tern_ready_list_pop(lcore, &ready->waiting)) != NULL) {
		tern_agent_let_on(agent);
		tern_agent_unlist(agent);
	}
	/* One whose time had not come stayed there, and another lcore may have ended it. */
	while (ready->count && (agent = ready->policy->pop(lcore)) != NULL) {
		ready->count--;
		ready->pinned -= !tern_is_roaming(agent);
		if (agent->flags & TERN_AGENT_LISTED)
			tern_agent_unlist(agent);
	}
}

void tern_ready_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		    uint32_t signals)
{
	if (lcore->ready.policy->ran)
		lcore->ready.policy->ran(lcore, agent, ticks, signals);
}

void tern_ready_charge(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks)
{
	if (lcore->ready.policy->charge)
		lcore->ready.policy->charge(lcore, agent, ticks);
}

static void init_lists(struct tern_ready *ready)
{
	ready->waiting.head = TERN_SLOT_NONE;
	for (int level = 0; level < TERN_PRIORITIES; level++)
		ready->levels[level].head = TERN_SLOT_NONE;
}

int tern_ready_init(struct tern_lcore *lcore)
{
	const struct tern_config *config = &lcore->engine->config;
	uint32_t last = config->schedule_count - 1;
	uint32_t schedule = config->schedules[lcore->index < last ? lcore->index : last];
	struct tern_reschedule first;
	/* A thread's way in has one agent: nothing to choose from. */
	if (lcore->is_thread)
		schedule = TERN_SCHEDULE_PRIORITY;
	init_lists(&lcore->ready);
	int code = tern_reschedule_prepare(lcore, schedule, config->scheduler, &first);
	if (code == 0)
		tern_reschedule_use(lcore, &first);
	return code;
}

void tern_ready_fini(struct tern_lcore *lcore)
{
	struct tern_reschedule last = {.custom_state = lcore->ready.custom_state,
				       .custom_bytes = lcore->ready.custom_bytes,
				       .entries = lcore->ready.order.entries};
	tern_reschedule_drop(lcore, &last);
	if (tern_load(&lcore->arrivals.reschedule))
		tern_reschedule_drop(lcore, &lcore->next_policy);
}
