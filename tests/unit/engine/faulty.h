/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTY_H
#define FAULTY_H

/*
 * Agents that fault where they are told to. An access instrumented by ThreadSanitizer goes through
 * its runtime, where a fault is not in own text; UndefinedBehaviorSanitizer would report the fault
 * before it happens: hence the attributes.
 */
#include <signal.h>

#include "actor.h"

#define FAULTY __attribute__((no_sanitize("thread", "undefined")))
#define AGENT TERN_TEXT FAULTY
#define FOREIGN FAULTY __attribute__((noinline))

/** Ways to fault. A division by zero gives 0 on arm64. */
enum fault { NULL_WRITE, BAD_INSTRUCTION, DIVISION, FAULTS };

/** Places to fault in. */
enum place {
	NOWHERE,
	IN_HANDLER,
	IN_TIMER,
	IN_START,
	IN_STOP,
	IN_ERROR,
	IN_RETURNED,
	IN_PRESSURE,
	IN_ENDED,
	IN_FD,
};

struct fragile {
	struct actor actor;
	enum place place;
	enum fault fault;
	uint64_t blocks; /* found as they were sent */
};

static volatile int *volatile nowhere; /* both: no fault overtakes another */
static volatile int zero;
static volatile int result_sink;

AGENT static __attribute__((unused)) void crash(enum fault fault)
{
	if (fault == NULL_WRITE)
		*nowhere = 1;
	if (fault == BAD_INSTRUCTION)
		__builtin_trap();
	result_sink = 7 / zero;
	*nowhere = 1; /* where that does not trap */
}

AGENT static __attribute__((unused)) void crash_in(const struct fragile *fragile, enum place place)
{
	if (fragile->place == place)
		crash(fragile->fault);
}

/*
 * cmocka puts its own signal handlers in place between a setup and its test, so a test opens its
 * world itself: `CONTAINED(name) { ... world ... }`, listed by IN_POLLED() and IN_THREADS().
 */
static bool mode_polled __attribute__((unused)) = true;
static bool mode_threaded __attribute__((unused)) = false;

static __attribute__((unused)) void run_contained(const bool *polled,
						  void (*body)(struct world *world))
{
	struct tern_config config;
	struct world world;
	world_config(&config, *polled);
	world_open(&world, &config);
	body(&world);
	world_close(&world);
}

#define CONTAINED(name)                             \
	static void name##_in(struct world *world); \
	static void name(void **state)              \
	{                                           \
		run_contained(*state, name##_in);   \
	}                                           \
	static void name##_in(struct world *world)

#define IN_POLLED(name)                                          \
	{                                                        \
#name ", polled", name, NULL, NULL, &mode_polled \
	}
#define IN_THREADS(name)                                             \
	{                                                            \
#name ", threaded", name, NULL, NULL, &mode_threaded \
	}
#define IN_BOTH(name) IN_POLLED(name), IN_THREADS(name)

#endif
