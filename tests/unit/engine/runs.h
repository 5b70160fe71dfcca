/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNS_H
#define RUNS_H

/*
 * A crew of agents on one lcore that keep, in one list, who handled a signal after whom. They are
 * paused, loaded with signals and let go all at once, so that the scheduler alone decides what
 * comes next: polled, one turn takes all resumes; threaded, a gate agent holds the lcore until
 * all are asked for.
 */
#include "tests/unit/support.h"

enum { CREW_MAX = 16, RUNS_KEPT = 8192 };

struct runs {
	uint64_t count;
	uint8_t who[RUNS_KEPT];
	uint64_t at[RUNS_KEPT]; /* ns, when the handler began */
};

struct runner {
	struct probe probe;
	struct runs *runs;
	uint64_t cost_ns; /* of a signal; polled mode only */
	uint64_t tell_at; /* sends one signal to `tell` at this one, counted from 1; 0: never */
	tern_address tell;
	bool finishes; /* and asks it to finish then */
	uint64_t fail_at;
	uint64_t told; /* -1: its signal was refused */
	uint8_t who;
};

TERN_HANDLER(static __attribute__((unused)), runner_handle)
{
	struct runner *runner = state;
	struct runs *runs = runner->runs;
	uint64_t nth = runner->probe.handled + 1;
	if (runs->count < RUNS_KEPT) {
		runs->who[runs->count] = runner->who;
		runs->at[runs->count] = tern_now(self);
	}
	probe_handle(self, &runner->probe, signal);
	if (runner->cost_ns)
		tern_engine_advance(tern_engine_of(self), runner->cost_ns);
	if (nth == runner->tell_at)
		put(&runner->told, send_number(self, runner->tell, 1, 0) == 0 ? 1 : -1ull);
	if (nth == runner->tell_at && runner->finishes)
		assert_int_equal(tern_agent_finish(self, runner->tell, PATIENCE_NS), 0);
	if (nth == runner->fail_at)
		tern_fail(self, -EIO, "signal %" PRIu64, nth);
	note(&runs->count); /* last: who sees it sees all the rest */
}

static const struct tern_behaviour runner_behaviour
	__attribute__((unused)) = {.name = "runner",
				   .handler = runner_handle,
				   .on_start = probe_start,
				   .on_event = probe_event,
				   .on_stop = probe_stop};

/** Holds its lcore until it is opened; threaded mode only. */
struct gate {
	uint64_t inside;
	uint64_t open;
};

TERN_HANDLER(static __attribute__((unused)), gate_handle)
{
	struct gate *gate = state;
	put(&gate->inside, 1);
	while (!seen(&gate->open))
		breathe();
	put(&gate->open, 0);
	put(&gate->inside, 0);
}

static const struct tern_behaviour gate_behaviour
	__attribute__((unused)) = {.name = "gate", .handler = gate_handle};

struct crew {
	struct world *world;
	struct runs *runs;
	struct runner *runners;
	tern_address agents[CREW_MAX];
	uint32_t count;
	struct gate *gate;
	tern_address door;
};

static inline void crew_open(struct crew *crew, struct world *world)
{
	*crew = (struct crew){.world = world,
			      .runs = world_memory(world, sizeof(struct runs)),
			      .runners = world_memory(world, CREW_MAX * sizeof(struct runner)),
			      .gate = world_memory(world, sizeof(struct gate))};
	crew->door = spawn_on(world->self, 0, &gate_behaviour, crew->gate);
}

/** One more agent, on options.lcore. Returns its number. */
static inline uint32_t crew_add_as(struct crew *crew, const struct tern_spawn_options *options,
				   uint64_t cost_ns)
{
	struct runner *runner = &crew->runners[crew->count];
	runner->runs = crew->runs;
	runner->who = (uint8_t)crew->count;
	runner->cost_ns = cost_ns;
	assert_int_equal(tern_spawn(crew->world->self, &runner_behaviour, runner, options,
				    &crew->agents[crew->count]),
			 0);
	UNTIL(crew->world, seen(&runner->probe.started) == 1);
	return crew->count++;
}

/** One more agent on lcore 0, with a mailbox for all that a test sends it. */
static inline uint32_t crew_add(struct crew *crew, enum tern_priority priority, uint64_t cost_ns)
{
	struct tern_spawn_options options = {.priority = priority, .capacity = RUNS_KEPT};
	return crew_add_as(crew, &options, cost_ns);
}

/** Polled: an agent on an lcore that uses up its slice with every signal: one a turn. */
static inline uint32_t crew_add_slow(struct crew *crew, enum tern_priority priority, uint32_t lcore)
{
	struct tern_spawn_options options = {
		.priority = priority, .capacity = RUNS_KEPT, .slice_us = 20, .lcore = lcore};
	return crew_add_as(crew, &options, 100000);
}

static inline enum tern_agent_state crew_state(const struct crew *crew, uint32_t who)
{
	enum tern_agent_state found = TERN_STATE_ENDING;
	(void)!tern_agent_state(crew->world->self, crew->agents[who], &found);
	return found;
}

static inline struct tern_agent_stats crew_stats(const struct crew *crew, uint32_t who)
{
	struct tern_agent_stats stats = {0};
	assert_int_equal(tern_agent_stats(crew->world->engine, crew->agents[who], &stats), 0);
	return stats;
}

static inline void crew_pause(struct crew *crew, uint32_t who)
{
	assert_int_equal(tern_agent_pause(crew->world->self, crew->agents[who]), 0);
	UNTIL(crew->world, crew_state(crew, who) == TERN_STATE_PAUSED);
}

static inline void crew_send(struct crew *crew, uint32_t who, uint32_t signals)
{
	for (uint64_t i = 0; i < signals; i++)
		UNTIL(crew->world, send_number(crew->world->self, crew->agents[who], 1, i) == 0);
}

/** Pause an agent, if it is not, and make signals wait for it. */
static inline void crew_load(struct crew *crew, uint32_t who, uint32_t signals)
{
	crew_pause(crew, who);
	uint32_t wanted = crew_stats(crew, who).queued + signals;
	crew_send(crew, who, signals);
	UNTIL(crew->world, crew_stats(crew, who).queued == wanted);
}

/** Resume all, in the order they were added, so that none runs before the last is ready. */
static inline void crew_go(struct crew *crew)
{
	struct world *world = crew->world;
	if (!world->polled) {
		assert_int_equal(send_number(world->self, crew->door, 1, 0), 0);
		UNTIL(world, seen(&crew->gate->inside));
	}
	for (uint32_t i = 0; i < crew->count; i++)
		assert_int_equal(tern_agent_resume(world->self, crew->agents[i]), 0);
	put(&crew->gate->open, !world->polled);
}

static inline void crew_wait(struct crew *crew, uint64_t runs)
{
	UNTIL(crew->world, seen(&crew->runs->count) >= runs);
	assert_int_equal(seen(&crew->runs->count), runs);
}

/** Signals of `who` among the runs from..to - 1. */
static inline uint64_t runs_of(const struct runs *runs, uint8_t who, uint64_t from, uint64_t to)
{
	uint64_t found = 0;
	for (uint64_t i = from; i < to; i++)
		found += runs->who[i] == who;
	return found;
}

/** Longest series of runs of `who` without another's between. */
static inline uint64_t runs_in_a_row(const struct runs *runs, uint8_t who)
{
	uint64_t longest = 0, row = 0;
	for (uint64_t i = 0; i < runs->count; i++) {
		row = runs->who[i] == who ? row + 1 : 0;
		longest = row > longest ? row : longest;
	}
	return longest;
}

/** A world of a configuration of its own: the initial state of a test. */
struct setting {
	void (*configure)(struct tern_config *config);
	bool polled;
};

static inline int setting_setup(void **state)
{
	const struct setting *setting = *state;
	struct tern_config config;
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world_config(&config, setting->polled);
	setting->configure(&config);
	world_open(world, &config);
	*state = world;
	return 0;
}

/* A body's entries in the table of tests, under a configuration of its own. */
#define SET_POLLED(body, how)                                                            \
	{                                                                                \
#body ", polled", body, setting_setup, world_teardown, &(struct setting) \
		{                                                                        \
			.configure = (how), .polled = true                               \
		}                                                                        \
	}
#define SET_THREADED(body, how)                                                            \
	{                                                                                  \
#body ", threaded", body, setting_setup, world_teardown, &(struct setting) \
		{                                                                          \
			.configure = (how), .polled = false                                \
		}                                                                          \
	}
#define SET_BOTH(body, how) SET_POLLED(body, how), SET_THREADED(body, how)

#endif
