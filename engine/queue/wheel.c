/* SPDX-License-Identifier: Apache-2.0 */
#include "wheel.h"

#include <string.h>

#include "capabilities/counter.h"

#define TICK_NS 1000u
#define REACH ((uint64_t)1 << (TERN_WHEEL_LEVELS * TERN_WHEEL_BITS))

void tern_wheel_init(struct tern_wheel *wheel, uint64_t now, uint64_t hz)
{
	memset(wheel, 0, sizeof(*wheel));
	uint64_t ticks = hz / (1000000000u / TICK_NS);
	wheel->shift = ticks > 1 ? 63u - (uint32_t)__builtin_clzll(ticks) : 0;
	wheel->now = now >> wheel->shift;
}

static uint32_t index_at(uint64_t deadline, uint32_t level)
{
	return (uint32_t)(deadline >> (level * TERN_WHEEL_BITS)) & (TERN_WHEEL_SLOTS - 1);
}

static void link_at(struct tern_wheel *wheel, uint32_t level, uint32_t index,
		    struct tern_timer *timer)
{
	struct tern_timer **list = &wheel->lists[level][index];
	timer->next = *list;
	timer->link = list;
	if (timer->next)
		timer->next->link = &timer->next;
	*list = timer;
	wheel->occupied[level][index / 64] |= 1ull << (index % 64);
}

/* The level whose digit is the highest in which the deadline differs from now. */
static void place_timer(struct tern_wheel *wheel, struct tern_timer *timer)
{
	uint64_t at = timer->deadline;
	if (at - wheel->now >= REACH)
		at = wheel->now + REACH - 1;
	uint64_t differs = at ^ wheel->now;
	uint32_t level = differs ? (63u - (uint32_t)__builtin_clzll(differs)) / TERN_WHEEL_BITS : 0;
	if (level >= TERN_WHEEL_LEVELS)
		level = TERN_WHEEL_LEVELS - 1;
	link_at(wheel, level, index_at(at, level), timer);
}

void tern_wheel_add(struct tern_wheel *wheel, struct tern_timer *timer)
{
	/* Round up: never early. The tick already processed is gone, so the next one at least. */
	timer->deadline = (timer->due + (1ull << wheel->shift) - 1) >> wheel->shift;
	if (timer->deadline <= wheel->now)
		timer->deadline = wheel->now + 1;
	timer->armed = true;
	wheel->armed++;
	place_timer(wheel, timer);
}

static void unlink_timer(struct tern_timer *timer)
{
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
}

void tern_wheel_remove(struct tern_wheel *wheel, struct tern_timer *timer)
{
	unlink_timer(timer);
	timer->armed = false;
	wheel->armed--;
}

/* First occupied index at or after `from` in a level, or TERN_WHEEL_SLOTS. */
static uint32_t next_occupied(const struct tern_wheel *wheel, uint32_t level, uint32_t from)
{
	for (uint32_t word = from / 64; word < TERN_WHEEL_SLOTS / 64; word++) {
		uint64_t bits = wheel->occupied[level][word];
		if (word == from / 64)
			bits &= ~0ull << (from % 64);
		if (bits)
			return word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return TERN_WHEEL_SLOTS;
}

/* Spread the list of each level whose digit has just turned over the levels below. */
static void cascade_timers(struct tern_wheel *wheel)
{
	for (uint32_t level = 1; level < TERN_WHEEL_LEVELS; level++) {
		if (index_at(wheel->now, level - 1) != 0)
			return;
		uint32_t index = index_at(wheel->now, level);
		struct tern_timer *timer = wheel->lists[level][index];
		wheel->lists[level][index] = NULL;
		wheel->occupied[level][index / 64] &= ~(1ull << (index % 64));
		while (timer) {
			struct tern_timer *next = timer->next;
			place_timer(wheel, timer);
			timer = next;
		}
	}
}

static struct tern_timer *pop_due(struct tern_wheel *wheel)
{
	uint32_t index = index_at(wheel->now, 0);
	struct tern_timer *timer = wheel->lists[0][index];
	if (!timer) {
		wheel->occupied[0][index / 64] &= ~(1ull << (index % 64));
		return NULL;
	}
	tern_wheel_remove(wheel, timer);
	return timer;
}

/*
 * The next tick at which anything can be due or spread: the first occupied list ahead in the
 * lowest level that has one, else the end of the highest level's turn. Lists passed over are empty.
 */
static uint64_t next_stop(const struct tern_wheel *wheel)
{
	for (uint32_t level = 0; level < TERN_WHEEL_LEVELS; level++) {
		uint32_t shift = level * TERN_WHEEL_BITS;
		uint64_t turn = wheel->now >> shift & ~(uint64_t)(TERN_WHEEL_SLOTS - 1);
		uint32_t from = index_at(wheel->now, level) + 1;
		uint32_t index = from < TERN_WHEEL_SLOTS ? next_occupied(wheel, level, from) : from;
		if (index < TERN_WHEEL_SLOTS)
			return (turn + index) << shift;
	}
	return (wheel->now | (REACH - 1)) + 1;
}

struct tern_timer *tern_wheel_expire(struct tern_wheel *wheel, uint64_t now)
{
	now >>= wheel->shift;
	struct tern_timer *timer = pop_due(wheel);
	while (!timer && wheel->now < now) {
		if (wheel->armed == 0) {
			wheel->now = now;
			return NULL;
		}
		uint64_t next = next_stop(wheel);
		wheel->now = next < now ? next : now;
		if (index_at(wheel->now, 0) == 0)
			cascade_timers(wheel);
		timer = pop_due(wheel);
	}
	return timer;
}

uint64_t tern_wheel_next(const struct tern_wheel *wheel)
{
	if (wheel->armed == 0)
		return UINT64_MAX;
	uint32_t from = index_at(wheel->now, 0);
	uint32_t index = next_occupied(wheel, 0, from);
	uint64_t base = wheel->now & ~(uint64_t)(TERN_WHEEL_SLOTS - 1);
	return (base + index) << wheel->shift;
}
