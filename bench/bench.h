/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_H
#define BENCH_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "tern.h"

/*
 * Every benchmark alternates rounds of its figure with rounds of its floor, on the same two
 * pinned threads of one process, so that whatever the machine does to one it does to the other.
 * Times are kept in picoseconds.
 */

#define BENCH_PS_PER_NS 1000u

enum bench_eal { BENCH_EAL_UNTRIED, BENCH_EAL_RUNS, BENCH_EAL_REFUSED };

/** What all benchmarks share. */
struct bench {
	struct tern_engine *engine; /* NULL: the benchmark has its own */
	struct tern_agent *self;    /* the main thread's way in */
	uint32_t slice_us;	    /* the engine's */
	uint32_t max_agents;	    /* the engine's */
	uint32_t near;		    /* lcore indexes */
	uint32_t far;
	bool smoke; /* only show that it runs */
	uint32_t rounds;
	double ps_per_tick;
	uint64_t clock_pair_ps; /* median cost of a fenced pair of clock readings */
	sem_t done;
	enum bench_eal eal;
	char reason[160]; /* why the last benchmark did not run */
};

/** One value for each round, exact where the histograms' buckets are 3 % wide. */
struct bench_rounds {
	uint64_t *figures, *floors;
	uint32_t count, room;
};

/** A figure that stands beside the floor, for information. */
struct bench_beside {
	const char *name; /* NULL: none */
	double value;	  /* in the result's unit */
};

struct bench_result {
	const char *name;
	const char *unit;	      /* "ns", "signals/s", "bytes/s", "bytes" */
	const char *skipped;	      /* why it did not run; NULL: it ran */
	struct tern_histogram figure; /* ps, bytes, or so much a second */
	struct tern_histogram floor;
	struct bench_rounds rounds; /* if any, their medians are compared, not the histograms' */
	const char *floor_name;
	double p50, p99, p999; /* in `unit` */
	double value;	       /* headline */
	double floor_value;
	double ratio;	   /* value over floor */
	double ratio_held; /* what --strict holds it to; 0: nothing */
	uint32_t tries;	   /* runs, of which this is the last */
	double budget;	   /* 0: none */
	double budget_p99; /* 0: none */
	bool met;
	const char *note; /* what the figure counts, for people */
	struct bench_beside beside;
	const char *pages; /* under the memory measured, where it matters; NULL */
};

/** One benchmark: runs its rounds, and fills rounds or the histograms or both. */
struct bench_case {
	const char *name;
	const char *unit;
	const char *floor_name;
	const char *note;
	double budget;	      /* 0: for information; negative: a multiple of the floor */
	double budget_beyond; /* the floor; 0: none */
	double budget_p99;
	double ratio; /* value over floor, at most, or of a rate at least; 0: as `budget` has it */
	bool needs_two; /* lcores */
	void (*run)(struct bench *bench, struct bench_result *result);
};

extern const struct bench_case bench_latency_cases[], bench_rate_cases[], bench_memory_cases[],
	bench_scheduler_cases[], bench_roaming_cases[], bench_lookup_cases[],
	bench_capability_cases[], bench_signal_id_cases[], bench_remote_cases[];

/** A table of figures, too many to have budgets. */
struct bench_matrix {
	const char *name;
	const char *note;
	void (*run)(struct bench *bench, json_t *rows); /* rows NULL: prints them */
};

extern const struct bench_matrix bench_lookup_matrices[];

/* Floors, each one round on the threads of the engine's lcores. */
void bench_floor_line(struct bench *bench, struct tern_histogram *ps, uint32_t trips);
void bench_floor_ring_rtt(struct bench *bench, struct tern_histogram *ps, uint32_t trips);
uint64_t bench_floor_ring_rate(struct bench *bench, uint32_t signals);
uint64_t bench_floor_lane_rate(struct bench *bench, uint32_t signals);
uint64_t bench_floor_ring_local_ps(struct bench *bench, uint32_t hops);
/** Write `lines` random lines of `bytes` of memory; ps per line. */
uint64_t bench_floor_random_line_ps(struct bench *bench, size_t bytes, uint32_t lines);

/** Sends each signal back; takes each and does nothing. */
extern const struct tern_behaviour bench_pong, bench_sink;
/** So many trips to an agent that sends back and again, each timed. */
void bench_ping(struct bench *bench, struct tern_histogram *ps, tern_address peer, uint32_t trips);
/** Time calls to an agent, one by one, beyond the clock pair, which is the floor. */
void bench_calls(struct bench *bench, struct tern_histogram *ps, struct tern_histogram *floor_ps,
		 tern_address peer);

/** Run a function on one lcore's thread, or one on each of two, and wait for the end. */
void bench_on_lcore(struct bench *bench, uint32_t lcore, void (*body)(void *), void *argument);
void bench_duet(struct bench *bench, void (*near)(void *), void (*far)(void *), void *argument);

/** Spawn on an lcore; ends the program when refused. */
tern_address bench_spawn(struct bench *bench, const struct tern_behaviour *behaviour, void *state,
			 uint32_t lcore);
/** As bench_spawn(), in the caller's words. */
tern_address bench_spawn_as(struct bench *bench, const struct tern_behaviour *behaviour,
			    void *state, const struct tern_spawn_options *options);
/** Send eight bytes from the main thread; ends the program when refused. */
void bench_send(struct bench *bench, tern_address to, uint16_t type, uint64_t word);
/** Stop agents and wait until they are gone. */
void bench_stop(struct bench *bench, const tern_address *agents, uint32_t count);
void bench_wait(struct bench *bench);
void bench_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** Start an engine on at most so many lcores; ends the program when refused. */
struct tern_engine *bench_engine(uint32_t lcores, uint32_t max_agents, uint32_t slice_us);

/**
 * Note what a round came to, as ps, signals per second or bytes. A benchmark that fills no
 * histogram has its rounds for samples.
 *
 * Context: the main thread; allocates.
 */
void bench_round(struct bench_result *result, uint64_t floor, uint64_t figure);

/** The middle of some values, count of them at least 1; sorts them. */
uint64_t bench_median(uint64_t *values, uint32_t count);

/** Show the median of some rounds, in ps, beside the floor; sorts them. */
void bench_stand_beside(struct bench_result *result, const char *name, uint64_t *ps,
			uint32_t count);

/** How long a tick of the clock is, ps; takes 20 ms. */
double bench_ps_per_tick(void);

/** Measure the cost of a fenced pair of clock readings, in ticks; to be subtracted. */
uint64_t bench_clock_pair(void);

/** Whether so much memory is lacking: why, in words; NULL: it is there. */
const char *bench_memory_lacks(struct bench *bench, uint64_t bytes);

/** Free memory in reserved pages of 2 MiB. */
uint64_t bench_huge_bytes(void);

/** Start EAL, unless it runs. Returns NULL; or why it does not. Context: the main thread. */
const char *bench_eal_start(struct bench *bench);
void bench_eal_stop(struct bench *bench);

/** Compute what is shown and judged of a result, from its rounds and histograms. */
void bench_result_fill(const struct bench_case *bench_case, struct bench_result *result);

/**
 * Whether the ratio to the floor is what --strict holds it to: on another processor the floor of
 * the same run moves with the figure.
 *
 * @param slack how much worse it may be, a factor above 0; 1: not at all
 * @return true as well where nothing is held, or it did not run; false where there is no floor
 */
bool bench_result_holds(const struct bench_result *result, double slack);

/** Whether more is better: its unit is so much a second. */
bool bench_result_is_rate(const struct bench_result *result);

/** A percentile of a histogram whose unit is `scale` to one of ours. */
double bench_percentile(const struct tern_histogram *histogram, double percent, double scale);

/* Results as they come: into `results`, an array, or where that is NULL to standard output. */
void bench_report_head(const struct bench *bench, bool columns);
void bench_report_result(const struct bench_result *result, json_t *results);
/** Say on standard error what figure missed which ratio to what floor. */
void bench_report_miss(const struct bench_result *result, double slack);
/** What comes after the results: the floors, and in JSON everything at once. */
void bench_report_tail(struct bench *bench, json_t *results);
/** Write a distribution to a file in a folder; NULL: do not. */
void bench_report_hgrm(const char *folder, const struct bench_result *result);

/** The machine and the build, as JSON for people and programs. */
json_t *bench_machine(const struct bench *bench);

static inline uint64_t bench_to_ps(const struct bench *bench, uint64_t ticks)
{
	return (uint64_t)((double)ticks * bench->ps_per_tick);
}

static inline uint64_t bench_per_second(const struct bench *bench, uint64_t signals, uint64_t ticks)
{
	return (uint64_t)((double)signals * 1e12 / (double)bench_to_ps(bench, ticks));
}

#endif
