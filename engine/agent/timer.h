/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

struct tern_agent;
struct tern_lcore;
struct tern_signal;
struct tern_timer;

/*
 * A timer is armed in its lcore's wheel; or parked, known to its agent alone, while that is paused
 * or moves; or fired, in its agent's reserve, until the firing is handled. So there is one firing
 * at a time of each, whatever the agent is at, and a cancelled one leaves nothing behind.
 */

/** tern_timer_start() for the engine itself. */
void tern_timer_arm(struct tern_agent *self, struct tern_timer *timer, uint64_t delay_ns,
		    uint64_t period_ns, uint16_t type);

/** Unlink a timer from wherever it is. */
void tern_timer_unlink(struct tern_timer *timer);

/** Make the signal of a timer that fired, to be handled now; a periodic one is armed again. */
void tern_timer_take(struct tern_lcore *lcore, struct tern_timer *timer,
		     struct tern_signal *signal);

/** Take an agent's timers out of its lcore's wheel, armed as they are; and put them back. */
void tern_timers_park(struct tern_agent *agent);
void tern_timers_unpark(struct tern_agent *agent);

/** A timer that fired is known to its agent no longer. */
void tern_timer_release(struct tern_timer *timer);

/** Keep a timer armed that is in no wheel. */
void tern_timer_park(struct tern_timer *timer);

/** Keep a timer that fired in its agent's reserve, until the firing is handled. */
void tern_timer_keep_fired(struct tern_lcore *lcore, struct tern_timer *timer);

#endif
