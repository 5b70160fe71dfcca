/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/engine.h"
#include "forecast.h"

/*
 * What is known of an agent's load: one entry per slot, in memory that is touched when an agent
 * is measured for the first time, so that an idle one costs nothing here. An entry of an earlier
 * generation counts as empty.
 */
struct tern_profile {
	/* home lcore writes; any thread reads */
	alignas(TERN_LINE) uint32_t generation;
	uint32_t samples;
	uint64_t execution; /* moving average of a signal's handling, 1/16 clock ticks */
	uint64_t share;	    /* clock ticks run and charged, under policies that measure it */
	uint64_t pressured; /* times it crossed high water */
	uint64_t dropped;   /* by the mailbox policy */
	uint64_t overruns;  /* runs longer than its slice */
	uint64_t longest;   /* clock ticks of the longest run measured */
	uint32_t rest;	    /* ticks that no whole one of `share` has come of yet: weights */
	uint32_t era;	    /* of the policy that `share` was measured under: ready_lists.h */

	/* the profiler writes (observer.c); any thread reads */
	alignas(TERN_LINE) struct tern_forecast forecast; /* of its share of a CPU */
	alignas(TERN_LINE) uint64_t seen_in;		  /* signals_in at the last look */
	uint64_t seen_at;				  /* clock ticks of it */
	uint32_t seen_generation;
	float rate;	  /* signals per second */
	float cpu;	  /* share of a CPU, 0..1 */
	float next;	  /* forecast of it */
	float error;	  /* of the forecasts so far, relative */
	uint32_t move_to; /* lcore + 1 that a roaming agent should go to; its lcore clears it */
};

/** Averages weigh a new sample by one in this many. */
#define TERN_PROFILE_WEIGHT 8u

/** The entry of an agent for its home lcore to write. */
static inline struct tern_profile *tern_profile_of(struct tern_lcore *lcore,
						   const struct tern_agent *agent)
{
	struct tern_profile *profile = &lcore->profiles[tern_address_slot(agent->address)];
	uint32_t generation = tern_address_generation(agent->address);
	if (tern_unlikely(profile->generation != generation)) {
		tern_store(&profile->samples, 0);
		tern_store(&profile->execution, 0);
		tern_store(&profile->share, 0);
		profile->rest = 0;
		tern_store(&profile->pressured, 0);
		tern_store(&profile->dropped, 0);
		tern_store(&profile->overruns, 0);
		tern_store(&profile->longest, 0);
		tern_store(&profile->generation, generation);
	}
	return profile;
}

/** Forecast of an agent's share of a CPU. Any thread. */
float tern_profile_next(const struct tern_engine *engine, uint32_t slot);

/** Look at a living agent: its rate and share since the last look. Context: the profiler. */
void tern_profile_look(struct tern_engine *engine, uint32_t slot, uint64_t now);

/** A single run of the agent that ran last took `ticks`. */
void tern_profile_sample(struct tern_lcore *lcore, uint64_t ticks);

/** Look at the clock, now that the window is over. */
void tern_lcore_check_slice(struct tern_lcore *lcore);

/** A signal was handled: look at the clock now and then. */
static inline void tern_lcore_check(struct tern_lcore *lcore)
{
	if (tern_sampler_count(&lcore->sampler))
		tern_lcore_check_slice(lcore);
}

/** Before what may run nobody: who ran last may have left for another lcore. Returns `settled`. */
static inline uint64_t tern_lcore_check_begin(struct tern_lcore *lcore)
{
	tern_store(&lcore->turn.running, lcore->index);
	return lcore->signals.settled;
}

/** After it: a signal handled, or nothing that is a sample of anybody. */
static inline void tern_lcore_check_run(struct tern_lcore *lcore, uint64_t settled_before)
{
	bool ran = lcore->signals.settled != settled_before && lcore->turn.running != lcore->index;
	if (tern_sampler_count_if(&lcore->sampler, ran))
		tern_lcore_check_slice(lcore);
}

/** What an agent's signals take, on the average, ns. Any thread. */
double tern_profile_execution_ns(const struct tern_engine *engine,
				 const struct tern_profile *profile);

/** A figure that the observer writes. Any thread. */
static inline double tern_load_float(const float *place)
{
	float single;
	__atomic_load(place, &single, __ATOMIC_RELAXED);
	return (double)single;
}

/** What took until now was no signal: the next sample begins here. */
static inline void tern_lcore_skip_sample(struct tern_lcore *lcore)
{
	tern_sampler_restart(&lcore->sampler, tern_clock_ticks(lcore->clock));
}

#endif
