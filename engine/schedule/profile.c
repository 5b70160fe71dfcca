/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>

/* Fraction bits of the moving average of ticks. */
#define FRACTION 4

/* A slice is an agent's own where it has one; the lcore's may be another's now, who runs below. */
static uint64_t slice_of(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	const struct tern_extras *extras = agent->extras;
	if (extras && extras->slice_ticks)
		return extras->slice_ticks;
	return tern_clock_from_ns(lcore->clock, lcore->engine->config.slice_us * 1000ull);
}

void tern_profile_sample(struct tern_lcore *lcore, uint64_t ticks)
{
	struct tern_agent *agent = &lcore->agents[lcore->turn.running];
	struct tern_profile *profile = tern_profile_of(lcore, agent);
	uint64_t cost = lcore->engine->clock_cost;
	uint64_t scaled = (ticks > cost ? ticks - cost : 0) << FRACTION;
	uint64_t old = profile->samples ? profile->execution : scaled;
	tern_store(&profile->execution,
		   old - old / TERN_PROFILE_WEIGHT + scaled / TERN_PROFILE_WEIGHT);
	tern_count(&profile->samples, 1);
	if (ticks > profile->longest)
		tern_store(&profile->longest, ticks);
	if (ticks > slice_of(lcore, agent)) {
		tern_count(&profile->overruns, 1);
		tern_count(&lcore->stats.overruns, 1);
	}
}

double tern_profile_execution_ns(const struct tern_engine *engine,
				 const struct tern_profile *profile)
{
	uint64_t scaled = tern_load(&profile->execution);
	return (double)tern_clock_to_ns(&engine->clock, scaled) / (1 << FRACTION);
}

static void store_float(float *place, double value)
{
	float single = (float)value;
	__atomic_store(place, &single, __ATOMIC_RELAXED);
}

static void begin_look(struct tern_profile *profile, uint32_t generation)
{
	profile->forecast = (struct tern_forecast){0};
	profile->seen_in = 0;
	profile->seen_at = 0;
	store_float(&profile->rate, 0);
	store_float(&profile->cpu, 0);
	store_float(&profile->next, 0);
	store_float(&profile->error, 0);
	tern_store(&profile->seen_generation, generation);
}

/*
 * An agent that never handled a signal has no entry yet, and gets none. The execution time is the
 * home lcore's average, the rate what was handled since the last look: their product is the share
 * of a CPU, whatever the sampling missed.
 */
void tern_profile_look(struct tern_engine *engine, uint32_t slot, uint64_t now)
{
	const struct tern_agent *agent = &engine->agents[slot];
	struct tern_profile *profile = &engine->profiles[slot];
	uint32_t generation = tern_address_generation(tern_load(&agent->address));
	uint64_t signals_in = tern_load(&agent->signals_in);
	if (signals_in == 0)
		return;
	if (profile->seen_generation != generation)
		begin_look(profile, generation);
	double seconds = (double)(now - profile->seen_at) / (double)engine->clock.hz;
	if (profile->seen_at && seconds > 0) {
		double rate = (double)(signals_in - profile->seen_in) / seconds;
		double cpu = rate * tern_profile_execution_ns(engine, profile) / 1e9;
		cpu = cpu < 1 ? cpu : 1;
		double old = tern_load_float(&profile->rate);
		store_float(&profile->rate, old > 0 ? old + (rate - old) / 2 : rate);
		store_float(&profile->cpu, cpu);
		tern_forecast_observe(&profile->forecast, (float)cpu);
		store_float(&profile->next, tern_forecast_next(&profile->forecast));
		store_float(&profile->error, tern_forecast_error(&profile->forecast));
	}
	profile->seen_in = signals_in;
	profile->seen_at = now;
}

float tern_profile_next(const struct tern_engine *engine, uint32_t slot)
{
	const struct tern_profile *profile = &engine->profiles[slot];
	uint32_t generation = tern_address_generation(tern_load(&engine->agents[slot].address));
	bool known = tern_load(&profile->seen_generation) == generation;
	return known ? (float)tern_load_float(&profile->next) : 0;
}

void tern_lcore_check_slice(struct tern_lcore *lcore)
{
	struct tern_look look = tern_sampler_look(&lcore->sampler, tern_clock_ticks(lcore->clock));
	if (look.is_sample)
		tern_profile_sample(lcore, look.took);
	if (look.is_overrun)
		tern_count(&lcore->stats.overruns_unnamed, 1);
	if (look.is_late)
		lcore->turn.hold |= TERN_HOLD_LATE;
}
