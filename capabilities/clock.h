/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>

#include "counter.h"

/**
 * The one source of time of an engine: the time stamp counter, or a virtual count of ns that
 * its owner advances.
 */
struct tern_clock {
	bool is_virtual;
	uint64_t virtual_ticks; /* written by tern_clock_advance() */
	uint64_t base;		/* ticks at init */
	uint64_t hz;		/* ticks per second */
	uint64_t ns_per_tick;	/* 32.32 fixed point */
	uint64_t ticks_per_ns;	/* 32.32 fixed point */
};

/** Start a clock. The TSC is calibrated against CLOCK_MONOTONIC_RAW, which takes about 10 ms. */
void tern_clock_init(struct tern_clock *clock, bool is_virtual);

/** Move a virtual clock on. */
void tern_clock_advance(struct tern_clock *clock, uint64_t ns);

/** Now, in ticks. Not fenced: on the TSC about 8 ns. */
static inline uint64_t tern_clock_ticks(const struct tern_clock *clock)
{
	if (tern_unlikely(clock->is_virtual))
		return tern_load(&clock->virtual_ticks);
	return rte_rdtsc();
}

/** A span of ticks in ns. */
static inline uint64_t tern_clock_to_ns(const struct tern_clock *clock, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * clock->ns_per_tick >> 32);
}

/** A span of ns in ticks, rounded up: never shorter in ns; at most 2^63 - 1 ticks. */
static inline uint64_t tern_clock_from_ns(const struct tern_clock *clock, uint64_t ns)
{
	unsigned __int128 ticks = (unsigned __int128)ns * clock->ticks_per_ns + 0xFFFFFFFFu;
	ticks >>= 32;
	return ticks > INT64_MAX ? INT64_MAX : (uint64_t)ticks;
}

/** Now, in ns since the clock was started. */
static inline uint64_t tern_clock_ns(const struct tern_clock *clock)
{
	return tern_clock_to_ns(clock, tern_clock_ticks(clock) - clock->base);
}

/** Now plus a span, in ns since the clock was started; no further than time goes. */
static inline uint64_t tern_clock_deadline(const struct tern_clock *clock, uint64_t span_ns)
{
	uint64_t now = tern_clock_ns(clock);
	return span_ns < UINT64_MAX - now ? now + span_ns : UINT64_MAX;
}

#endif
