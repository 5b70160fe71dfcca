/* SPDX-License-Identifier: Apache-2.0 */

/* Timers that are due fire. */
#include "expire.h"

#include "engine/agent/life.h"
#include "engine/agent/timer.h"
#include "engine/fiber/fiber.h"
#include "engine/mail/control.h"
#include "engine/mail/due.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"

/* Timers a turn fires at most, so that a burst of them cannot hold up the lanes. */
#define FIRE_MAX 64

/* While the engine drains, its own timers go on, so that fibers that sleep do; others are silent.
 */
static void fire_timer(struct tern_lcore *lcore, struct tern_timer *timer)
{
	struct tern_agent *agent = timer->agent;
	struct tern_signal signal;
	if (timer->type == TERN_CONTROL_WAKE) {
		tern_timer_release(timer);
		if (agent->status != TERN_ENDING)
			tern_fiber_timeout(lcore, agent);
	} else if (agent->status == TERN_ENDING ||
		   tern_engine_state(lcore->engine) != TERN_ENGINE_RUNNING) {
		tern_timer_park(timer);
	} else if (tern_ready_is_at_hand(agent)) {
		tern_timer_take(lcore, timer, &signal);
		tern_life_handle(lcore, agent, &signal);
	} else {
		tern_timer_keep_fired(lcore, timer);
		tern_due_wake(lcore, agent);
	}
}

unsigned tern_timers_run(struct tern_lcore *lcore)
{
	unsigned fired = 0;
	struct tern_timer *timer;
	if (lcore->wheel.armed == 0)
		return 0;
	while (fired < FIRE_MAX &&
	       (timer = tern_wheel_expire(&lcore->wheel, lcore->turn.ticks)) != NULL) {
		uint64_t settled = tern_lcore_check_begin(lcore);
		if (lcore->sampler.single)
			tern_sampler_restart(&lcore->sampler, tern_clock_ticks(lcore->clock));
		fire_timer(lcore, timer);
		tern_lcore_check_run(lcore, settled);
		fired++;
	}
	return fired;
}
