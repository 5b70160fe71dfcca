/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_H
#define SUPPORT_H

/*
 * An engine under test and the thread that tests it. The same test body runs in two modes: with
 * lcores that it polls itself under a virtual clock, and with lcores on threads of their own.
 * A body waits with UNTIL(), never by sleeping; what handlers record is written with note() and
 * put(), read with seen(), because in the second mode another thread writes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "capabilities/rng.h"
#include "tern.h"

#define PATIENCE_NS 20000000000u
#define PATIENCE_ROUNDS 1000000u
#define WORLD_LCORES 2

/** Memory that outlives the engine, because agents write to it to their end. */
struct keepsake {
	struct keepsake *next;
	max_align_t memory[];
};

struct world {
	struct tern_engine *engine;
	struct tern_agent *self; /* the testing thread's way in */
	struct keepsake *keepsakes;
	bool polled;
};

/** Zeroed memory that lives until the world is closed. */
static inline void *world_memory(struct world *world, size_t size)
{
	struct keepsake *keepsake = calloc(1, sizeof(*keepsake) + size);
	assert_non_null(keepsake);
	keepsake->next = world->keepsakes;
	world->keepsakes = keepsake;
	return keepsake->memory;
}

/* A function of an attached thread, which owns its agent without clang's knowing. */
#if defined(__clang__)
#define OWNS_BY_ATTACHING __attribute__((no_thread_safety_analysis))
#else
#define OWNS_BY_ATTACHING
#endif

/* Debug builds keep departed blocks for a while. */
#if TERN_DEBUG_BLOCKS
#define QUARANTINES 1
#else
#define QUARANTINES 0
#endif

#define seen(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define note(p) __atomic_fetch_add((p), 1, __ATOMIC_RELEASE)

/** How long a wait has taken. */
struct patience {
	uint64_t rounds;
	struct timespec from;
};

static inline uint64_t patience_ns(const struct patience *patience)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - patience->from.tv_sec) * 1000000000u +
	       (uint64_t)now.tv_nsec - (uint64_t)patience->from.tv_nsec;
}

/**
 * Leave the CPU to others between two looks at a condition. Yielding would not do: a thread that
 * yields in a loop can keep one that is pinned to the same CPU from ever starting.
 */
static inline void breathe(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

/** One round of everybody the test polls. Returns the work done. */
static inline uint64_t world_poll(struct world *world)
{
	uint64_t work = 0;
	if (world->polled)
		for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++)
			work += tern_lcore_poll(tern_engine_lcore(world->engine, i));
	else
		breathe();
	return world->self ? work + tern_thread_poll(world->self) : work;
}

static inline void world_wait(struct world *world, struct patience *patience, const char *what,
			      int line)
{
	bool idle = world_poll(world) == 0;
	if (patience->rounds++ == 0)
		clock_gettime(CLOCK_MONOTONIC, &patience->from);
	if (world->polled ? idle && patience->rounds > PATIENCE_ROUNDS
			  : patience_ns(patience) > PATIENCE_NS)
		fail_msg("line %d: waited in vain for %s", line, what);
	if (world->polled && idle)
		tern_engine_advance(world->engine, 1000);
}

/** Let the engine run until a condition holds. */
#define UNTIL(world, condition)                                                \
	do {                                                                   \
		struct patience patience_ = {0};                               \
		while (!(condition))                                           \
			world_wait((world), &patience_, #condition, __LINE__); \
	} while (0)

/** Polled mode: run until nobody has work. */
static inline void world_settle(struct world *world)
{
	while (world_poll(world))
		;
}

/** The CPUs a threaded engine may use: two of those allowed to this process. */
static inline uint32_t world_cpus(uint16_t *cpus)
{
	cpu_set_t allowed;
	uint32_t found = 0;
	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && found < WORLD_LCORES; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[found++] = cpu;
	return found;
}

/** A small engine of two lcores. */
static inline void world_config(struct tern_config *config, bool polled)
{
	tern_config_init(config);
	config->mode = polled ? TERN_MODE_POLLED : TERN_MODE_PARALLEL;
	config->clock = polled ? TERN_CLOCK_VIRTUAL : TERN_CLOCK_TSC;
	config->lcore_count = WORLD_LCORES;
	for (uint16_t i = 0; i < WORLD_LCORES; i++)
		config->lcores[i] = i;
	if (!polled)
		config->lcore_count = world_cpus(config->lcores);
	config->data_depth = 1024;
	config->express_depth = 128;
	config->max_agents = 4096;
	config->max_threads = 4;
	config->pages = TERN_PAGES_4K;
	config->block_mib = 4;
	config->mailbox_mib = 4;
	config->log_level = TERN_LOG_ERROR;
}

static inline void world_open(struct world *world, const struct tern_config *config)
{
	struct tern_error error = {""};
	*world = (struct world){.polled = config->mode == TERN_MODE_POLLED};
	if (tern_engine_start(&world->engine, config, &error) != 0)
		fail_msg("engine: %s", error.text);
	world->self = tern_thread_attach(world->engine, NULL, NULL);
	assert_non_null(world->self);
}

/** Stop, and say what was found. What agents wrote to is still there. */
static inline int world_stop(struct world *world, uint64_t timeout_ns,
			     struct tern_stop_report *report)
{
	if (world->self)
		tern_thread_detach(world->self);
	world->self = NULL;
	return tern_engine_stop(world->engine, timeout_ns, report);
}

static inline void world_forget(struct world *world)
{
	while (world->keepsakes) {
		struct keepsake *next = world->keepsakes->next;
		free(world->keepsakes);
		world->keepsakes = next;
	}
}

/** Stop, and insist that nothing was lost or left. */
static inline void world_close(struct world *world)
{
	struct tern_stop_report report;
	int code = world_stop(world, PATIENCE_NS, &report);
	assert_int_equal(code, 0);
	assert_true(report.drained);
	assert_int_equal(report.undelivered, 0);
	assert_int_equal(report.blocks_leaked, 0);
	world_forget(world);
}

static inline int world_setup(void **state, bool polled)
{
	struct world *world = calloc(1, sizeof(*world));
	struct tern_config config;
	world_config(&config, polled);
	world_open(world, &config);
	*state = world;
	return 0;
}

static inline int world_setup_polled(void **state)
{
	return world_setup(state, true);
}

static inline int world_setup_threaded(void **state)
{
	return world_setup(state, false);
}

static inline int world_teardown(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

/* A body's entries in the table of tests: it finds its world in *state. */
#define POLLED(body)                                                             \
	{                                                                        \
#body ", polled", body, world_setup_polled, world_teardown, NULL \
	}
#define THREADED(body)                                                               \
	{                                                                            \
#body ", threaded", body, world_setup_threaded, world_teardown, NULL \
	}
#define BOTH(body) POLLED(body), THREADED(body)

/** The seed of a random test: TERN_SEED, else `otherwise`; printed, so that a run can be had again.
 */
static inline uint64_t test_seed(uint64_t otherwise)
{
	const char *given = getenv("TERN_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : otherwise;
	print_message("TERN_SEED=%" PRIu64 "\n", seed);
	return seed;
}

/** A number from 0 to below - 1. */
static inline uint32_t pick(struct tern_rng *rng, uint32_t below)
{
	return (uint32_t)(tern_rng_next(rng) % below);
}

/** What most tests want to know of an agent; its behaviour is probe_behaviour. */
struct probe {
	uint64_t started;
	uint64_t handled;
	uint64_t stopped;
	uint64_t early; /* signals handled before on_start or after on_stop */
	uint64_t returned;
	uint64_t pressed;
	uint64_t released;
	uint64_t lcore;
	uint64_t type; /* of the last signal */
	uint64_t why;
	int64_t result;
};

TERN_HANDLER(static __attribute__((unused)), probe_handle)
{
	struct probe *probe = state;
	if (probe->started != 1 || probe->stopped)
		note(&probe->early);
	put(&probe->lcore, tern_lcore_index(self));
	put(&probe->type, tern_signal_type(signal));
	note(&probe->handled);
}

static inline void probe_start(struct tern_agent *self, void *state)
{
	struct probe *probe = state;
	put(&probe->lcore, tern_lcore_index(self));
	note(&probe->started);
}

static inline void probe_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct probe *probe = state;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED)
		__atomic_fetch_add(&probe->returned, event->returned.count, __ATOMIC_RELEASE);
	else if (event->kind == TERN_EVENT_PRESSURE)
		note(event->pressure.on ? &probe->pressed : &probe->released);
}

static inline void probe_stop(struct tern_agent *self, void *state, enum tern_end why,
			      int64_t result)
{
	struct probe *probe = state;
	(void)self;
	put(&probe->why, why);
	put(&probe->result, result);
	note(&probe->stopped);
}

static const struct tern_behaviour probe_behaviour __attribute__((unused)) = {
	.name = "probe",
	.handler = probe_handle,
	.on_start = probe_start,
	.on_event = probe_event,
	.on_stop = probe_stop,
};

/** Probes that live as long as the world. */
static inline struct probe *world_probes(struct world *world, size_t count)
{
	return world_memory(world, count * sizeof(struct probe));
}

/** Spawn on one lcore with other options at their defaults. */
static inline tern_address spawn_on(struct tern_agent *self, uint32_t lcore,
				    const struct tern_behaviour *behaviour, void *state)
{
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address address = TERN_ADDRESS_NONE;
	options.lcore = lcore;
	assert_int_equal(tern_spawn(self, behaviour, state, &options, &address), 0);
	return address;
}

static inline int send_number(struct tern_agent *self, tern_address to, uint16_t type,
			      uint64_t number)
{
	return tern_signal_bytes(self, to, type, &number, sizeof(number));
}

static inline uint64_t number_of(const struct tern_signal *signal)
{
	uint64_t number;
	memcpy(&number, tern_signal_data(signal), sizeof(number));
	return number;
}

/** Counts signals and checks that their numbers come in order; behaviour: sink_behaviour. */
struct sink {
	uint64_t expected;
	uint64_t wrong;
};

TERN_HANDLER(static __attribute__((unused)), sink_handle)
{
	struct sink *sink = state;
	if (number_of(signal) != sink->expected)
		note(&sink->wrong);
	put(&sink->expected, sink->expected + 1);
}

static const struct tern_behaviour sink_behaviour
	__attribute__((unused)) = {.name = "sink", .handler = sink_handle};

#endif
