/* SPDX-License-Identifier: Apache-2.0 */

/* The scheduling policies. Each is a queue of ready agents with a different idea of "next". */
#include "profile.h"
#include "ready.h"

#define LEVEL_HIGH (TERN_PRIORITY_HIGH + 1)
#define LEVEL_TOP (TERN_PRIORITIES - 1)

/* An agent that ends holds nobody up: it goes by its priority, too. */
static uint32_t level_of(const struct tern_agent *agent)
{
	return (uint32_t)(agent->priority + 1);
}

/* While a high or critical agent waits, normal ones are queued, not run in place. */
static void note_higher(struct tern_lcore *lcore)
{
	if (lcore->ready.filled >> LEVEL_HIGH)
		lcore->turn.hold |= TERN_HOLD_HIGHER;
	else
		lcore->turn.hold &= (uint8_t)~TERN_HOLD_HIGHER;
}

static void priority_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t level = level_of(agent);
	tern_ready_list_push(lcore, &lcore->ready.levels[level], agent);
	lcore->ready.filled |= 1u << level;
	note_higher(lcore);
}

/* The highest level, unless a lower one has been passed over up to its bound. */
static uint32_t choose_level(struct tern_ready *ready)
{
	static const uint32_t bounds[TERN_PRIORITIES] = {
		TERN_STARVATION_LOW, TERN_STARVATION_NORMAL, TERN_STARVATION_HIGH, UINT32_MAX};
	uint32_t top = 31u - (uint32_t)__builtin_clz(ready->filled);
	for (uint32_t level = 0; level < top; level++) {
		if (!(ready->filled >> level & 1))
			continue;
		if (ready->passed[level] == bounds[level])
			top = level;
		else
			ready->passed[level]++;
	}
	ready->passed[top] = 0;
	return top;
}

static struct tern_agent *priority_pop(struct tern_lcore *lcore)
{
	struct tern_ready *ready = &lcore->ready;
	if (!ready->filled)
		return NULL;
	uint32_t level = choose_level(ready);
	struct tern_agent *agent = tern_ready_list_pop(lcore, &ready->levels[level]);
	if (ready->levels[level].head == TERN_SLOT_NONE)
		ready->filled &= ~(1u << level);
	note_higher(lcore);
	return agent;
}

static void turn_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_ready_list_push(lcore, &lcore->ready.levels[0], agent);
}

static struct tern_agent *turn_pop(struct tern_lcore *lcore)
{
	return tern_ready_list_pop(lcore, &lcore->ready.levels[0]);
}

/* What an agent ran for before its lcore came to this policy counts for nothing. */
static struct tern_profile *profile_in_era(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	struct tern_profile *profile = tern_profile_of(lcore, agent);
	if (profile->era != lcore->ready.era)
		profile->share = profile->rest = 0;
	profile->era = lcore->ready.era;
	return profile;
}

/* What it cost, by its weight: what does not divide is kept for the next time. */
static void add_cost(struct tern_profile *profile, const struct tern_agent *agent, uint64_t ticks)
{
	uint32_t weight = agent->extras ? agent->extras->weight : 1;
	if (tern_likely(weight == 1)) {
		profile->share += ticks;
		return;
	}
	ticks += profile->rest;
	profile->share += ticks / weight;
	profile->rest = (uint32_t)(ticks % weight);
}

/*
 * Fair share: the agent that cost least so far, for its weight: time it ran, and what it charged.
 * Who slept comes back at the level of those who did
 * not: the time missed is not made up for.
 */
static void fair_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_profile *profile = profile_in_era(lcore, agent);
	/* Shares of different lcores do not compare: who comes from another begins at the floor. */
	if (profile->share < lcore->ready.floor || agent->lcore != lcore)
		profile->share = lcore->ready.floor;
	tern_order_push(&lcore->ready.order, profile->share, tern_address_slot(agent->address));
}

static struct tern_agent *fair_pop(struct tern_lcore *lcore)
{
	struct tern_ready *ready = &lcore->ready;
	ready->floor = tern_order_first(&ready->order);
	return &lcore->agents[tern_order_pop(&ready->order)];
}

static void fair_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		     uint32_t signals)
{
	(void)signals;
	add_cost(profile_in_era(lcore, agent), agent, ticks);
}

/* Also of one at rest, whose timer fired: first what a push would make up for. */
static void fair_charge(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks)
{
	struct tern_profile *profile = profile_in_era(lcore, agent);
	if (profile->share < lcore->ready.floor)
		profile->share = lcore->ready.floor;
	add_cost(profile, agent, ticks);
}

/*
 * Rate: a token bucket in one word (the generic cell rate algorithm). `rate_tat` is the time at
 * which the bucket is full again; a signal takes one interval of it.
 *
 * Source: ITU-T I.371, annex A.
 */
static uint64_t rate_tokens(const struct tern_lcore *lcore, const struct tern_extras *extras)
{
	uint64_t now = tern_clock_ticks(lcore->clock);
	uint64_t full = extras->rate_tat > now ? extras->rate_tat : now;
	return (now + extras->rate_burst * extras->rate_interval - full) / extras->rate_interval;
}

static bool is_rated(const struct tern_agent *agent)
{
	return agent->extras && agent->extras->rate_interval && agent->status != TERN_ENDING;
}

static void rate_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	const struct tern_extras *extras = agent->extras;
	if (!is_rated(agent) || rate_tokens(lcore, extras)) {
		priority_push(lcore, agent);
		return;
	}
	uint64_t due = extras->rate_tat - (extras->rate_burst - 1) * extras->rate_interval;
	tern_order_push(&lcore->ready.order, due, tern_address_slot(agent->address));
}

static struct tern_agent *rate_pop(struct tern_lcore *lcore)
{
	struct tern_order *order = &lcore->ready.order;
	uint64_t now = order->count ? tern_clock_ticks(lcore->clock) : 0;
	while (order->count && tern_order_first(order) <= now)
		priority_push(lcore, &lcore->agents[tern_order_pop(order)]);
	return priority_pop(lcore);
}

static struct tern_agent *rate_take(struct tern_lcore *lcore)
{
	struct tern_agent *agent = priority_pop(lcore);
	if (agent || !lcore->ready.order.count)
		return agent;
	return &lcore->agents[tern_order_pop(&lcore->ready.order)];
}

static void rate_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		     uint32_t signals)
{
	(void)ticks;
	struct tern_extras *extras = agent->extras;
	if (!is_rated(agent))
		return;
	uint64_t now = tern_clock_ticks(lcore->clock);
	uint64_t full = extras->rate_tat > now ? extras->rate_tat : now;
	extras->rate_tat = full + signals * extras->rate_interval;
}

static void rate_hurry(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_order_hurry(&lcore->ready.order, tern_address_slot(agent->address));
}

bool tern_ready_keeps_rates(const struct tern_lcore *lcore)
{
	return tern_load(&lcore->ready.policy) == &tern_ready_policies[TERN_SCHEDULE_RATE];
}

uint64_t tern_ready_due(const struct tern_lcore *lcore)
{
	const struct tern_ready *ready = &lcore->ready;
	return tern_ready_keeps_rates(lcore) && ready->order.count ? tern_order_first(&ready->order)
								   : UINT64_MAX;
}

uint32_t tern_ready_budget(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	uint32_t budget = lcore->engine->config.turn_signals;
	if (!tern_ready_keeps_rates(lcore) || !is_rated(agent))
		return budget;
	uint64_t tokens = rate_tokens(lcore, agent->extras);
	return tokens < budget ? (uint32_t)tokens : budget;
}

static void custom_push(struct tern_lcore *lcore, struct tern_agent *agent)
{
	const struct tern_profile *profile = profile_in_era(lcore, agent);
	if (tern_lcore_is_gone(lcore))
		return;
	struct tern_task task = {.agent = agent->address,
				 .priority = (enum tern_priority)agent->priority,
				 .queued = agent->mailbox.queued,
				 .weight = agent->extras ? agent->extras->weight : 1,
				 .ran_ns = tern_clock_to_ns(lcore->clock, profile->share),
				 .rate = agent->extras ? agent->extras->rate : 0};
	tern_fault_beside(lcore->guard.scope, TERN_POLICY_BESIDE);
	lcore->ready.custom->push(lcore->ready.custom_state, tern_address_slot(agent->address),
				  &task);
	tern_fault_beside(lcore->guard.scope, NULL);
}

/* A place that was not pushed is not run: the policy is foreign code. */
static struct tern_agent *custom_pop_at(struct tern_lcore *lcore, uint64_t now)
{
	const struct tern_scheduler *custom = lcore->ready.custom;
	uint32_t place;
	if (tern_lcore_is_gone(lcore))
		return NULL;
	tern_fault_beside(lcore->guard.scope, TERN_POLICY_BESIDE);
	bool found = custom->pop(lcore->ready.custom_state, now, &place);
	tern_fault_beside(lcore->guard.scope, NULL);
	if (!found || place >= lcore->slots)
		return NULL;
	struct tern_agent *agent = &lcore->agents[place];
	uint32_t held = agent->flags & (TERN_AGENT_LISTED | TERN_AGENT_WAITING);
	bool here = agent->lcore == lcore || tern_is_roaming(agent);
	return held == TERN_AGENT_LISTED && here ? agent : NULL;
}

static struct tern_agent *custom_pop(struct tern_lcore *lcore)
{
	return custom_pop_at(lcore, tern_clock_ns(lcore->clock));
}

static struct tern_agent *custom_take(struct tern_lcore *lcore)
{
	return custom_pop_at(lcore, UINT64_MAX);
}

static void custom_ran(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks,
		       uint32_t signals)
{
	const struct tern_scheduler *custom = lcore->ready.custom;
	profile_in_era(lcore, agent)->share += ticks;
	if (!custom->ran || tern_lcore_is_gone(lcore))
		return;
	tern_fault_beside(lcore->guard.scope, TERN_POLICY_BESIDE);
	custom->ran(lcore->ready.custom_state, tern_address_slot(agent->address),
		    tern_clock_to_ns(lcore->clock, ticks), signals);
	tern_fault_beside(lcore->guard.scope, NULL);
}

static void custom_charge(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t ticks)
{
	profile_in_era(lcore, agent)->share += ticks;
}

const struct tern_ready_policy tern_ready_policies[] = {
	[TERN_SCHEDULE_PRIORITY] = {.push = priority_push, .pop = priority_pop},
	[TERN_SCHEDULE_FAIR_SHARE] = {.push = fair_push,
				      .pop = fair_pop,
				      .ran = fair_ran,
				      .charge = fair_charge,
				      .queues_all = true},
	[TERN_SCHEDULE_ROUND_ROBIN] = {.push = turn_push, .pop = turn_pop, .queues_all = true},
	[TERN_SCHEDULE_RATE] = {.push = rate_push,
				.pop = rate_pop,
				.take = rate_take,
				.ran = rate_ran,
				.hurry = rate_hurry},
	[TERN_SCHEDULE_CUSTOM] = {.push = custom_push,
				  .pop = custom_pop,
				  .take = custom_take,
				  .ran = custom_ran,
				  .charge = custom_charge,
				  .queues_all = true},
};
