/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

#define CALIBRATION_NS 10000000u

static uint64_t monotonic_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct reading {
	uint64_t ns;
	uint64_t ticks;
};

/*
 * Read both clocks as one: the pair taken in the shortest of a few tries, so that an
 * interruption between the two reads does not count.
 */
static struct reading read_pair(void)
{
	struct reading pair = {0};
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < 8; i++) {
		uint64_t before = rte_rdtsc();
		uint64_t t = monotonic_ns();
		uint64_t after = rte_rdtsc();
		if (after - before < best) {
			best = after - before;
			pair = (struct reading){.ns = t, .ticks = before + (after - before) / 2};
		}
	}
	return pair;
}

static uint64_t calibrate_tsc(void)
{
	struct reading from = read_pair();
	while (monotonic_ns() - from.ns < CALIBRATION_NS)
		;
	struct reading to = read_pair();
	return (uint64_t)((unsigned __int128)(to.ticks - from.ticks) * 1000000000u /
			  (to.ns - from.ns));
}

void tern_clock_init(struct tern_clock *clock, bool is_virtual)
{
	*clock = (struct tern_clock){.is_virtual = is_virtual};
	clock->hz = is_virtual ? 1000000000u : calibrate_tsc();
	clock->ns_per_tick = (uint64_t)(((unsigned __int128)1000000000u << 32) / clock->hz);
	/* The inverse of the rounded factor, not of hz: there and back again is never early. */
	clock->ticks_per_ns = (uint64_t)((((unsigned __int128)1 << 64) + clock->ns_per_tick - 1) /
					 clock->ns_per_tick);
	clock->base = tern_clock_ticks(clock);
}

void tern_clock_advance(struct tern_clock *clock, uint64_t ns)
{
	/* Several threads may move it, by what each of them waits for. */
	__atomic_fetch_add(&clock->virtual_ticks, ns, __ATOMIC_RELAXED);
}
