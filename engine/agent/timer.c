/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

#include "engine/mail/due.h"

/* A longer time counts as this: 36 years, far from an overflow of ticks. */
#define SPAN_NS_MAX (1ull << 60)

static uint64_t span_ticks(const struct tern_lcore *lcore, uint64_t ns)
{
	return tern_clock_from_ns(lcore->clock, ns < SPAN_NS_MAX ? ns : SPAN_NS_MAX);
}

static void link_agent(struct tern_agent *agent, struct tern_timer *timer)
{
	timer->agent = agent;
	timer->agent_next = agent->timers;
	timer->agent_link = &agent->timers;
	if (timer->agent_next)
		timer->agent_next->agent_link = &timer->agent_next;
	agent->timers = timer;
}

void tern_timer_release(struct tern_timer *timer)
{
	*timer->agent_link = timer->agent_next;
	if (timer->agent_next)
		timer->agent_next->agent_link = timer->agent_link;
}

/* Among those that have fired, oldest first, by the links that it had in the wheel. */
void tern_timer_keep_fired(struct tern_lcore *lcore, struct tern_timer *timer)
{
	struct tern_reserve *reserve = tern_reserve_of(lcore, timer->agent);
	timer->fired = timer->armed = true;
	timer->next = NULL;
	timer->link = reserve->timers ? reserve->timers_last : &reserve->timers;
	*timer->link = timer;
	reserve->timers_last = &timer->next;
}

static void unlink_fired(struct tern_reserve *reserve, struct tern_timer *timer)
{
	timer->fired = timer->armed = false;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	else
		reserve->timers_last = timer->link;
}

void tern_timer_unlink(struct tern_timer *timer)
{
	struct tern_lcore *lcore = timer->agent->lcore;
	if (timer->fired)
		unlink_fired(tern_reserve_of(lcore, timer->agent), timer);
	else if (timer->link)
		tern_wheel_remove(&lcore->wheel, timer);
	timer->armed = false;
	tern_timer_release(timer);
}

void tern_timer_arm(struct tern_agent *self, struct tern_timer *timer, uint64_t delay_ns,
		    uint64_t period_ns, uint16_t type)
{
	struct tern_lcore *lcore = self->lcore;
	if (timer->armed)
		tern_timer_unlink(timer);
	/* A wheel without timers stood still; let it catch up while that costs nothing. */
	if (lcore->wheel.armed == 0)
		tern_wheel_expire(&lcore->wheel, lcore->turn.ticks);
	timer->due = tern_clock_ticks(lcore->clock) + span_ticks(lcore, delay_ns);
	timer->period = span_ticks(lcore, period_ns);
	timer->type = type;
	link_agent(self, timer);
	tern_wheel_add(&lcore->wheel, timer);
}

void tern_timer_start(struct tern_agent *self, struct tern_timer *timer, uint64_t delay_ns,
		      uint64_t period_ns, uint16_t type)
{
	tern_timer_arm(self, timer, delay_ns, period_ns, type);
}

/* An armed timer without a link is parked. */
void tern_timer_park(struct tern_timer *timer)
{
	timer->link = NULL;
	timer->armed = true;
}

void tern_timers_park(struct tern_agent *agent)
{
	for (struct tern_timer *timer = agent->timers; timer; timer = timer->agent_next) {
		if (timer->fired || !timer->link)
			continue;
		tern_wheel_remove(&agent->lcore->wheel, timer);
		tern_timer_park(timer);
	}
}

void tern_timers_unpark(struct tern_agent *agent)
{
	struct tern_lcore *lcore = agent->lcore;
	if (agent->timers && lcore->wheel.armed == 0)
		tern_wheel_expire(&lcore->wheel, lcore->turn.ticks);
	for (struct tern_timer *timer = agent->timers; timer; timer = timer->agent_next)
		if (!timer->link)
			tern_wheel_add(&lcore->wheel, timer);
}

bool tern_timer_cancel(struct tern_agent *self, struct tern_timer *timer)
{
	(void)self;
	if (!timer->armed)
		return false;
	tern_timer_unlink(timer);
	return true;
}

/* Arm a periodic timer again at its next due time after now; returns the periods that passed. */
static uint64_t rearm_timer(struct tern_lcore *lcore, struct tern_timer *timer)
{
	uint64_t passed = 1;
	uint64_t now = lcore->turn.ticks;
	if (timer->period == 0)
		return passed;
	if (now > timer->due)
		passed += (now - timer->due) / timer->period;
	timer->due += passed * timer->period;
	link_agent(timer->agent, timer);
	tern_wheel_add(&lcore->wheel, timer);
	return passed;
}

void tern_timer_take(struct tern_lcore *lcore, struct tern_timer *timer, struct tern_signal *signal)
{
	struct tern_agent *agent = timer->agent;
	struct tern_timeout timeout = {
		.timer = timer,
		.due_ns = tern_clock_to_ns(lcore->clock, timer->due - lcore->clock->base)};
	if (timer->fired)
		unlink_fired(tern_reserve_of(lcore, agent), timer);
	tern_timer_release(timer);
	timeout.expired = rearm_timer(lcore, timer);
	*signal = tern_due_signal(lcore, agent, timer->type, &timeout, sizeof(timeout));
}
