/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLOW_H
#define SLOW_H

/*
 * An agent that uses up the slice of its turn with every signal, so that an lcore in polled mode
 * handles one signal a turn and the rest waits in the mailbox. It keeps what it was sent.
 */
#include "tests/unit/support.h"

enum { SLOW_KEPT = 4096, SLOW_SLICE_NS = 100000, SLOW_WARM_UP = 70 };

struct slow {
	struct probe probe; /* on_start, on_event and on_stop are the probe's */
	uint64_t numbers[SLOW_KEPT];
	uint16_t types[SLOW_KEPT];
	uint64_t count;
	uint64_t queued_max;
};

TERN_HANDLER(static __attribute__((unused)), slow_handle)
{
	struct slow *slow = state;
	struct tern_agent_stats stats;
	tern_engine_advance(tern_engine_of(self), SLOW_SLICE_NS);
	if (tern_agent_stats(tern_engine_of(self), tern_self(self), &stats) == 0 &&
	    stats.queued > slow->queued_max)
		slow->queued_max = stats.queued;
	if (slow->count < SLOW_KEPT) {
		slow->numbers[slow->count] =
			tern_signal_has_iso(signal) || tern_signal_size(signal) < 8
				? UINT64_MAX
				: number_of(signal);
		slow->types[slow->count] = tern_signal_type(signal);
		slow->count++;
	}
}

static const struct tern_behaviour slow_behaviour = {.name = "slow",
						     .handler = slow_handle,
						     .on_start = probe_start,
						     .on_event = probe_event,
						     .on_stop = probe_stop};

/** Spawn a slow agent on lcore 1 and run it until its lcore looks at the clock every signal. */
static inline tern_address slow_open(struct world *world, struct tern_spawn_options *options,
				     struct slow **slow)
{
	tern_address agent;
	*slow = world_memory(world, sizeof(**slow));
	options->lcore = 1;
	assert_int_equal(tern_spawn(world->self, &slow_behaviour, *slow, options, &agent), 0);
	world_settle(world);
	for (int i = 0; i < SLOW_WARM_UP; i++) {
		assert_int_equal(send_number(world->self, agent, 0, 0), 0);
		world_settle(world);
	}
	**slow = (struct slow){.probe.started = 1};
	return agent;
}

/** One turn of the slow agent's lcore. */
static inline void slow_turn(struct world *world)
{
	tern_lcore_poll(tern_engine_lcore(world->engine, 1));
}

static inline struct tern_agent_stats slow_stats(struct world *world, tern_address agent)
{
	struct tern_agent_stats stats = {0};
	assert_int_equal(tern_agent_stats(world->engine, agent, &stats), 0);
	return stats;
}

#endif
