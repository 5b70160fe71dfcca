/* SPDX-License-Identifier: Apache-2.0 */
#include "waiter.h"

#include "engine/lcore/agent_state.h"
#include "engine/lcore/fiber_state.h"
#include "engine/mail/remote.h"
#include "engine/mail/control.h"
#include "engine/mail/due.h"
#include "engine/mail/event.h"
#include "engine/schedule/roaming.h"

/* Waits looked at in one turn, each once, so that a turn stays short however many there are. */
#define LOOKS 64

void tern_waiter_add(struct tern_lcore *lcore, struct tern_waiter *waiter)
{
	struct tern_waiter *round = lcore->waiters.round;
	lcore->waiters.count++;
	if (!round) {
		lcore->waiters.round = waiter->next = waiter->previous = waiter;
		return;
	}
	/* Behind all others. */
	waiter->next = round;
	waiter->previous = round->previous;
	waiter->previous->next = round->previous = waiter;
}

void tern_waiter_cancel(struct tern_lcore *lcore, struct tern_waiter *waiter)
{
	if (!waiter->next)
		return;
	if (lcore->waiters.round == waiter)
		lcore->waiters.round = waiter->next == waiter ? NULL : waiter->next;
	waiter->next->previous = waiter->previous;
	waiter->previous->next = waiter->next;
	waiter->next = waiter->previous = NULL;
	lcore->waiters.count--;
}

static uint32_t *head_of(struct tern_lcore *lcore, const struct tern_agent *agent, tern_address to)
{
	uint64_t mixed = (to + tern_address_slot(agent->address)) * 0x9E3779B97F4A7C15u;
	return &lcore->waiters.heads[(mixed >> 32) % TERN_WAITER_HEADS];
}

static struct tern_waiter *find_pair(struct tern_lcore *lcore, const struct tern_agent *agent,
				     tern_address to)
{
	uint32_t at = *head_of(lcore, agent, to);
	while (at) {
		struct tern_waiter *waiter = &lcore->waiters.entries[at - 1];
		if (waiter->agent == agent && waiter->to == to)
			return waiter;
		at = waiter->by_pair;
	}
	return NULL;
}

/* An entry of its own, or 0. */
static uint32_t take_entry(struct tern_waiters *waiters)
{
	uint32_t entry = waiters->free;
	if (entry)
		waiters->free = waiters->entries[entry - 1].by_agent;
	else if (waiters->fresh < TERN_WAITERS_MAX)
		entry = ++waiters->fresh;
	return entry;
}

static void tell_later(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_set(agent, TERN_AGENT_DUE);
	if (agent->status < TERN_ENDING)
		tern_ready_wake(lcore, agent);
}

/* It is told to try all again: not at once, or agents that are all refused would never rest. */
static void retry_later(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_waiters *waiters = &lcore->waiters;
	if (waiters->retrying.count == 0)
		waiters->retry_left = TERN_WAITERS_MAX / LOOKS;
	tern_lcore_owe(lcore, 1); /* to be told */
	tern_reserve_of(lcore, agent)->retry = TERN_RETRY_LATER;
	tern_slot_list_push(&waiters->retrying, lcore->reserves, TERN_SLOTS_RETRYING,
			    tern_address_slot(agent->address));
}

void tern_waiter_refused(struct tern_lcore *lcore, struct tern_agent *agent, tern_address to,
			 bool in_lane)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	const struct tern_behaviour *behaviour = agent->behaviour;
	if (!behaviour || !behaviour->on_event || reserve->retry || agent->status >= TERN_ENDING)
		return;
	struct tern_waiter *waiter = find_pair(lcore, agent, to);
	if (waiter && !waiter->released) { /* told once for both */
		waiter->in_lane = in_lane;
		return;
	}
	uint32_t *head = head_of(lcore, agent, to), entry = take_entry(&lcore->waiters);
	tern_agent_set(agent, TERN_AGENT_REFUSED);
	if (!entry) {
		retry_later(lcore, agent);
		return;
	}
	waiter = &lcore->waiters.entries[entry - 1];
	*waiter = (struct tern_waiter){.agent = agent,
				       .to = to,
				       .in_lane = in_lane,
				       .by_agent = reserve->waiters,
				       .by_pair = *head};
	if (reserve->waiters)
		lcore->waiters.entries[reserve->waiters - 1].before = entry;
	*head = reserve->waiters = entry;
	tern_lcore_owe(lcore, 1); /* to be told */
	tern_waiter_add(lcore, waiter);
}

/* Read-mostly lines of the directory are all that it costs. Who has ended refuses otherwise. */
static bool takes_again(struct tern_lcore *lcore, const struct tern_waiter *waiter)
{
	if (tern_unlikely(tern_lcore_is_remote(lcore, waiter->to)))
		return lcore->remote->takes(lcore, waiter->to);
	uint64_t entry = tern_dir_load(lcore, tern_address_slot(waiter->to));
	uint64_t differs = tern_dir_differs(entry, waiter->to);
	uint32_t route = tern_dir_route(entry);
	if (differs & ~TERN_DIR_PRESSED)
		return true;
	if (differs && !waiter->in_lane)
		return false;
	return route == lcore->roam_route || tern_lcore_has_credit(lcore, route);
}

/* From its agent's refusals that wait to those that are over. */
static void set_released(struct tern_lcore *lcore, struct tern_waiter *waiter)
{
	struct tern_waiter *entries = lcore->waiters.entries;
	struct tern_reserve *reserve = tern_reserve_of(lcore, waiter->agent);
	if (waiter->by_agent)
		entries[waiter->by_agent - 1].before = waiter->before;
	if (waiter->before)
		entries[waiter->before - 1].by_agent = waiter->by_agent;
	else
		reserve->waiters = waiter->by_agent;
	waiter->by_agent = reserve->released;
	waiter->released = true;
	reserve->released = (uint32_t)(waiter - entries) + 1;
}

static void release_waiter(struct tern_lcore *lcore, struct tern_waiter *waiter)
{
	tern_waiter_cancel(lcore, waiter);
	if (waiter->is_fiber) {
		waiter->agent->extras->fiber->wait = TERN_FIBER_RUN;
		tern_ready_wake(lcore, waiter->agent);
		return;
	}
	set_released(lcore, waiter);
	tell_later(lcore, waiter->agent);
}

/* Once in as many turns as a round of all entries takes. */
static unsigned look_for_retries(struct tern_lcore *lcore)
{
	struct tern_slot_list *retrying = &lcore->waiters.retrying;
	unsigned told = 0;
	if (lcore->waiters.retry_left && --lcore->waiters.retry_left)
		return 0;
	for (; told < LOOKS && retrying->count; told++) {
		uint32_t slot = retrying->head;
		tern_slot_list_remove(retrying, lcore->reserves, TERN_SLOTS_RETRYING, slot);
		lcore->reserves[slot].retry = TERN_RETRY_DUE;
		tell_later(lcore, &lcore->agents[slot]);
	}
	return told;
}

unsigned tern_waiters_look(struct tern_lcore *lcore)
{
	uint32_t looks = lcore->waiters.count < LOOKS ? lcore->waiters.count : LOOKS;
	unsigned over = lcore->waiters.retrying.count ? look_for_retries(lcore) : 0;
	for (; looks; looks--) {
		struct tern_waiter *waiter = lcore->waiters.round;
		lcore->waiters.round = waiter->next;
		if (!takes_again(lcore, waiter))
			continue;
		release_waiter(lcore, waiter);
		over++;
	}
	return over;
}

static void put_entry(struct tern_lcore *lcore, uint32_t entry)
{
	struct tern_waiter *waiter = &lcore->waiters.entries[entry - 1];
	uint32_t *link = head_of(lcore, waiter->agent, waiter->to);
	while (*link != entry)
		link = &lcore->waiters.entries[*link - 1].by_pair;
	*link = waiter->by_pair;
	tern_waiter_cancel(lcore, waiter);
	waiter->by_agent = lcore->waiters.free;
	lcore->waiters.free = entry;
}

static void tell_released(struct tern_lcore *lcore, struct tern_agent *agent, tern_address who)
{
	struct tern_signal signal =
		tern_control_signal(lcore, agent->address, TERN_CONTROL_RELEASED, 0);
	struct tern_event event = {.kind = TERN_EVENT_RELEASED, .released = who};
	tern_life_tell(lcore, agent, &signal, &event);
}

/* Each is given up before it is told: who is refused again is told again. */
void tern_waiters_tell(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t most)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	if (reserve->retry == TERN_RETRY_DUE && agent->status < TERN_PAUSED) {
		reserve->retry = TERN_RETRY_NONE;
		tell_released(lcore, agent, TERN_ADDRESS_NONE);
	}
	while (most-- && reserve->released && agent->status < TERN_PAUSED) {
		uint32_t entry = reserve->released;
		const struct tern_waiter *waiter = &lcore->waiters.entries[entry - 1];
		tern_address who = waiter->to;
		reserve->released = waiter->by_agent;
		put_entry(lcore, entry);
		tell_released(lcore, agent, who);
	}
	if (!reserve->waiters && !reserve->released && !reserve->retry)
		tern_agent_clear(agent, TERN_AGENT_REFUSED);
}

static void forget_list(struct tern_lcore *lcore, uint32_t *list)
{
	while (*list) {
		uint32_t entry = *list;
		*list = lcore->waiters.entries[entry - 1].by_agent;
		put_entry(lcore, entry);
		tern_control_handled(lcore);
	}
}

void tern_waiters_forget(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, agent);
	if (!(agent->flags & TERN_AGENT_REFUSED))
		return;
	forget_list(lcore, &reserve->waiters);
	forget_list(lcore, &reserve->released);
	if (reserve->retry == TERN_RETRY_LATER)
		tern_slot_list_remove(&lcore->waiters.retrying, lcore->reserves,
				      TERN_SLOTS_RETRYING, tern_address_slot(agent->address));
	if (reserve->retry)
		tern_control_handled(lcore);
	reserve->retry = TERN_RETRY_NONE;
	tern_agent_clear(agent, TERN_AGENT_REFUSED);
}
