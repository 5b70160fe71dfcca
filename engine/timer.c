/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"
#include "engine.h"
#include "fiber.h"
#include "life.h"

/* Timers a turn fires at most, so that a burst of them cannot hold up the lanes. */
#define FIRE_MAX 64

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

static void unlink_agent(struct tern_timer *timer)
{
	*timer->agent_link = timer->agent_next;
	if (timer->agent_next)
		timer->agent_next->agent_link = timer->agent_link;
}

void tern_timer_unlink(struct tern_timer *timer)
{
	if (timer->link)
		tern_wheel_remove(&timer->agent->lcore->wheel, timer);
	timer->armed = false;
	unlink_agent(timer);
}

void tern_timer_arm(struct tern_agent *self, struct tern_timer *timer, uint64_t delay_ns,
		    uint64_t period_ns, uint16_t type)
{
	struct tern_lcore *lcore = self->lcore;
	if (timer->armed)
		tern_timer_unlink(timer);
	/* A wheel without timers stood still; let it catch up while that costs nothing. */
	if (lcore->wheel.armed == 0)
		tern_wheel_expire(&lcore->wheel, lcore->turn_ticks);
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

/* An armed timer without a link is parked: known to its agent alone. */
void tern_timers_park(struct tern_agent *agent)
{
	for (struct tern_timer *timer = agent->timers; timer; timer = timer->agent_next) {
		tern_wheel_remove(&agent->lcore->wheel, timer);
		timer->link = NULL;
		timer->armed = true;
	}
}

void tern_timers_unpark(struct tern_agent *agent)
{
	struct tern_lcore *lcore = agent->lcore;
	if (agent->timers && lcore->wheel.armed == 0)
		tern_wheel_expire(&lcore->wheel, lcore->turn_ticks);
	for (struct tern_timer *timer = agent->timers; timer; timer = timer->agent_next)
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

/* Re-arm a periodic timer at its next due time after now; returns the periods that passed. */
static uint64_t rearm(struct tern_lcore *lcore, struct tern_timer *timer)
{
	uint64_t passed = 1;
	uint64_t now = lcore->turn_ticks;
	if (timer->period == 0)
		return passed;
	if (now > timer->due)
		passed += (now - timer->due) / timer->period;
	timer->due += passed * timer->period;
	link_agent(timer->agent, timer);
	tern_wheel_add(&lcore->wheel, timer);
	return passed;
}

static void fire(struct tern_lcore *lcore, struct tern_timer *timer)
{
	struct tern_agent *agent = timer->agent;
	struct tern_timeout timeout = {
		.timer = timer,
		.due_ns = tern_clock_to_ns(lcore->clock, timer->due - lcore->clock->base)};
	unlink_agent(timer);
	timeout.expired = rearm(lcore, timer);
	if (agent->status == TERN_ENDING)
		return;
	if (timer->type == TERN_CONTROL_WAKE) {
		tern_fiber_timeout(lcore, agent);
		return;
	}
	/* While the engine drains, waits end in time, and an agent's own timers are silent. */
	if (tern_engine_state(lcore->engine) != TERN_ENGINE_RUNNING)
		return;
	struct tern_signal signal = {.type = timer->type,
				     .stamp = lcore->turn_stamp,
				     .to_slot = tern_address_slot(agent->address),
				     .from = agent->address,
				     .kind = sizeof(timeout)};
	signal.to_generation =
		tern_address_generation(agent->address) & TERN_ADDRESS_GENERATION_MASK;
	memcpy(signal.payload.bytes, &timeout, sizeof(timeout));
	tern_count(&lcore->accepted, 1);
	tern_count(&lcore->stats.timers, 1);
	tern_life_tell(lcore, agent, &signal);
}

unsigned tern_timers_run(struct tern_lcore *lcore)
{
	unsigned fired = 0;
	struct tern_timer *timer;
	if (lcore->wheel.armed == 0)
		return 0;
	while (fired < FIRE_MAX &&
	       (timer = tern_wheel_expire(&lcore->wheel, lcore->turn_ticks)) != NULL) {
		uint64_t settled = tern_lcore_check_begin(lcore);
		if (lcore->sampling)
			lcore->check_start = tern_clock_ticks(lcore->clock);
		fire(lcore, timer);
		tern_lcore_check_run(lcore, settled);
		fired++;
	}
	return fired;
}
