/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACTOR_H
#define ACTOR_H

/*
 * Fibers under test. One cannot fail a test from its own stack: it notes the line of the first
 * expectation that did not hold, and the testing thread looks when the fiber has ended.
 */
#include <unistd.h>

#include "tests/unit/support.h"

enum { ACTOR_KEPT = 512, ACTOR_MS = 1000000 };

/** State of a fiber; which members matter is its own affair. */
struct actor {
	struct probe probe; /* first: on_start, on_event and on_stop are the probe's */
	uint64_t wrong;	    /* line of the first expectation that failed */
	uint64_t step;	    /* how far it is */
	uint64_t go;	    /* the test says that it may go on */
	uint64_t count;
	uint64_t numbers[ACTOR_KEPT];
	uint64_t errors;	 /* on_error */
	struct tern_error error; /* its text */
	tern_address peer;
	struct tern_timer timer;
	struct actor *others;
	int64_t code;
	int fds[2];
};

static inline void expect(struct actor *actor, bool holds, int line)
{
	if (!holds && !seen(&actor->wrong))
		put(&actor->wrong, (uint64_t)line);
}

/** In a function of an agent whose state is `actor`. */
#define EXPECT(condition) expect(actor, (condition), __LINE__)

static inline __attribute__((unused)) void actor_error(struct tern_agent *self, void *state,
						       const struct tern_error *error)
{
	struct actor *actor = state;
	(void)self;
	actor->error = *error;
	note(&actor->errors);
}

/** `static const struct tern_behaviour run_behaviour`, of a fiber called run. */
#define ACTOR(function)                                                                     \
	static const struct tern_behaviour function##_behaviour = {.name = #function,       \
								   .fiber = (function),     \
								   .on_start = probe_start, \
								   .on_event = probe_event, \
								   .on_stop = probe_stop,   \
								   .on_error = actor_error}

/** Actors that live as long as the world. */
static inline struct actor *world_actors(struct world *world, size_t count)
{
	return world_memory(world, count * sizeof(struct actor));
}

static inline tern_address spawn_with(struct world *world, const struct tern_behaviour *behaviour,
				      void *state, const struct tern_spawn_options *options)
{
	tern_address address = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, behaviour, state, options, &address), 0);
	return address;
}

/** Send, as soon as the receiver takes it. */
static inline void send_surely(struct world *world, tern_address to, uint16_t type, uint64_t number)
{
	int code;
	UNTIL(world, (code = send_number(world->self, to, type, number)) != -EAGAIN);
	assert_int_equal(code, 0);
}

/** The actor has ended, this way, and found nothing wrong. */
static inline void assert_ended_at(struct world *world, const struct actor *actor,
				   enum tern_end why, int64_t result, int line)
{
	struct patience patience = {0};
	while (!seen(&actor->probe.stopped))
		world_wait(world, &patience, "an actor's end", line);
	if (seen(&actor->wrong))
		fail_msg("line %d: actor failed at line %d", line, (int)actor->wrong);
	if (actor->probe.why != why || actor->probe.result != result)
		fail_msg("line %d: ended with %d, %lld", line, (int)actor->probe.why,
			 (long long)actor->probe.result);
	assert_int_equal(actor->probe.started, 1);
	assert_int_equal(actor->probe.stopped, 1);
}

#define ASSERT_ENDED(world, actor, why, result) \
	assert_ended_at((world), (actor), (why), (result), __LINE__)

#endif
