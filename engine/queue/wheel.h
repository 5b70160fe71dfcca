/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHEEL_H
#define WHEEL_H

#include <stdint.h>

#include "tern_agent.h"

#define TERN_WHEEL_LEVELS 4
#define TERN_WHEEL_BITS 8
#define TERN_WHEEL_SLOTS (1u << TERN_WHEEL_BITS)

/**
 * Hierarchical timing wheel: 4 levels of 256 lists, a tick of about 1 us, so 71 minutes ahead;
 * timers further away wait in the last list and are placed again when it comes round.
 *
 * Start and cancel are O(1). A timer is cascaded at most once per level.
 *
 * Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 6.
 */
struct tern_wheel {
	uint64_t now;	/* ticks processed */
	uint32_t shift; /* clock ticks >> shift = wheel ticks */
	uint32_t armed;
	uint64_t occupied[TERN_WHEEL_LEVELS][TERN_WHEEL_SLOTS / 64];
	struct tern_timer *lists[TERN_WHEEL_LEVELS][TERN_WHEEL_SLOTS];
};

/** Start at clock ticks `now`; a wheel tick is the power of two of clock ticks nearest 1 us. */
void tern_wheel_init(struct tern_wheel *wheel, uint64_t now, uint64_t hz);

/** Arm a timer for clock ticks `timer->due`; it fires at the first wheel tick at or after. */
void tern_wheel_add(struct tern_wheel *wheel, struct tern_timer *timer);

/** Disarm an armed timer. */
void tern_wheel_remove(struct tern_wheel *wheel, struct tern_timer *timer);

/**
 * Advance to clock ticks `now` and unlink the next timer that is due.
 *
 * @return the timer, disarmed; NULL: none left, the wheel has reached `now`
 */
struct tern_timer *tern_wheel_expire(struct tern_wheel *wheel, uint64_t now);

/** Clock ticks before which nothing can be due; UINT64_MAX when no timer is armed. */
uint64_t tern_wheel_next(const struct tern_wheel *wheel);

#endif
