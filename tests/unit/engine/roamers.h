/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROAMERS_H
#define ROAMERS_H

/*
 * Roaming agents under test, and engines in which each queue they can be in is reached on purpose:
 * polled lcores that only work when they are polled, and hogs, each signal of which uses up an
 * lcore's turn, so that whoever was to run after them waits where it was put.
 */
#include "tests/unit/support.h"

#include "engine/lcore/engine.h"
#include "engine/schedule/global_queue.h"
#include "engine/schedule/profile.h"
#include "engine/lcore/room.h"
#include "engine/schedule/roaming.h"

enum { HOG_NS = 100000, AFTER_US = 50, ROAMER_PEERS = 64 };

/** State of an agent; which members matter is its own affair. */
struct roamer {
	struct probe probe; /* first: on_start, on_event and on_stop are the probe's */
	uint64_t inside;
	uint64_t twice;		     /* entries while it was inside: two lcores at once */
	uint64_t lcores;	     /* bit per lcore that ran it */
	uint64_t moves;		     /* signals handled on another lcore than the one before */
	uint64_t cost_ns;	     /* of a signal; polled mode only */
	uint64_t *clock;	     /* shared count of runs, or NULL */
	uint64_t ran_at;	     /* of the last run */
	tern_address to;	     /* is sent a number for each signal, or TERN_ADDRESS_NONE */
	uint64_t sent;		     /* numbers accepted there */
	uint32_t number;	     /* its own, in what it sends */
	uint64_t last[ROAMER_PEERS]; /* number, by sender */
	uint64_t disorder;
	uint64_t timeouts;
	struct tern_timer timer;
};

/** A number that says who sent it. */
static inline uint64_t numbered(uint32_t who, uint64_t number)
{
	return (uint64_t)who << 48 | number;
}

static inline void roamer_enter(struct tern_agent *self, struct roamer *roamer)
{
	uint64_t here = 1ull << tern_lcore_index(self);
	if (__atomic_exchange_n(&roamer->inside, 1, __ATOMIC_RELAXED))
		note(&roamer->twice);
	if (roamer->probe.handled && !(roamer->lcores & here))
		note(&roamer->moves);
	put(&roamer->lcores, roamer->lcores | here);
	if (roamer->clock)
		roamer->ran_at = note(roamer->clock);
}

static inline void roamer_check(struct roamer *roamer, uint64_t number)
{
	uint64_t *last = &roamer->last[number >> 48 & (ROAMER_PEERS - 1)];
	uint64_t nth = number & ((1ull << 48) - 1);
	if (nth != *last + 1)
		note(&roamer->disorder);
	*last = nth;
}

static inline void roamer_send(struct tern_agent *self, struct roamer *roamer)
{
	if (roamer->to != TERN_ADDRESS_NONE &&
	    send_number(self, roamer->to, 1, numbered(roamer->number, roamer->sent + 1)) == 0)
		put(&roamer->sent, roamer->sent + 1);
}

/** Type of a signal that is in nobody's order. */
enum { PLAIN = 9, TICK = 10 };

TERN_HANDLER(static __attribute__((unused)), roamer_handle)
{
	struct roamer *roamer = state;
	roamer_enter(self, roamer);
	if (tern_signal_type(signal) == TICK)
		note(&roamer->timeouts);
	else if (tern_signal_type(signal) != PLAIN)
		roamer_check(roamer, number_of(signal));
	roamer_send(self, roamer);
	if (roamer->cost_ns)
		tern_engine_advance(tern_engine_of(self), roamer->cost_ns);
	put(&roamer->inside, 0);
	probe_handle(self, &roamer->probe, signal);
}

static const struct tern_behaviour roamer_behaviour
	__attribute__((unused)) = {.name = "roamer",
				   .handler = roamer_handle,
				   .on_start = probe_start,
				   .on_event = probe_event,
				   .on_stop = probe_stop};

/** Agents that live as long as the world; the first is number 1. */
static inline struct roamer *world_roamers(struct world *world, uint32_t count)
{
	struct roamer *roamers = world_memory(world, count * sizeof(*roamers));
	for (uint32_t i = 0; i < count; i++)
		roamers[i].number = i + 1;
	return roamers;
}

/** Roaming, with the rest of the options at their defaults. */
static inline tern_address spawn_roaming(struct world *world, uint32_t lcore,
					 const struct tern_behaviour *behaviour, void *state)
{
	struct tern_spawn_options options = {.lcore = lcore, .roaming = true};
	tern_address address = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, behaviour, state, &options, &address), 0);
	return address;
}

static inline tern_address spawn_costly(struct world *world, struct roamer *roamer,
					const struct tern_spawn_options *options)
{
	tern_address address = TERN_ADDRESS_NONE;
	roamer->cost_ns = HOG_NS;
	assert_int_equal(tern_spawn(world->self, &roamer_behaviour, roamer, options, &address), 0);
	return address;
}

/** A roaming agent whose every signal ends the turn of its lcore. */
static inline tern_address spawn_hog(struct world *world, uint32_t lcore, struct roamer *roamer)
{
	struct tern_spawn_options options = {.lcore = lcore, .roaming = true, .slice_us = 20};
	return spawn_costly(world, roamer, &options);
}

/** The same, but pinned: started and at rest. */
static inline tern_address spawn_pinned_hog(struct world *world, uint32_t lcore)
{
	struct tern_spawn_options options = {.lcore = lcore, .slice_us = 20};
	tern_address hog = spawn_costly(world, world_roamers(world, 1), &options);
	world_settle(world);
	return hog;
}

/** Several of them, started and at rest. */
static inline void spawn_hogs(struct world *world, uint32_t lcore, uint32_t count,
			      tern_address *hogs)
{
	struct roamer *roamers = world_roamers(world, count);
	for (uint32_t i = 0; i < count; i++)
		hogs[i] = spawn_hog(world, lcore, &roamers[i]);
	world_settle(world);
}

/** One plain signal each, from the testing thread. */
static inline void wake_all(struct world *world, const tern_address *agents, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(send_number(world->self, agents[i], PLAIN, 0), 0);
}

static inline void poll_one(struct world *world, uint32_t lcore)
{
	tern_lcore_poll(tern_engine_lcore(world->engine, lcore));
}

/** Polled mode: until nobody has work, and all have been quiet since, and what that brings. */
static inline void settle_fully(struct world *world)
{
	for (int i = 0; i < 3; i++)
		world_settle(world);
}

static inline struct tern_lcore_stats stats_of(const struct world *world, uint32_t lcore)
{
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, lcore, &stats);
	return stats;
}

/** Over all lcores. */
static inline struct tern_lcore_stats stats_of_all(const struct world *world)
{
	struct tern_lcore_stats all = {0};
	for (uint32_t i = 0; i < world->engine->system_count; i++) {
		struct tern_lcore_stats one = stats_of(world, i);
		for (size_t w = 0; w < sizeof(all) / sizeof(uint64_t); w++)
			((uint64_t *)(void *)&all)[w] += ((uint64_t *)(void *)&one)[w];
	}
	return all;
}

static inline struct tern_agent *agent_of(const struct world *world, tern_address address)
{
	return &world->engine->agents[tern_address_slot(address)];
}

static inline uint32_t lcore_of(const struct world *world, tern_address address)
{
	return tern_load(&agent_of(world, address)->lcore)->index;
}

/** Normal agents in an lcore's run ring. */
static inline uint32_t ring_of(const struct world *world, uint32_t lcore)
{
	return tern_run_ring_count(&world->engine->lcores[lcore].roaming.rings[1]);
}

/** Have an agent go to an lcore at its next run, as the observer does. */
static inline void move_to(struct world *world, tern_address agent, uint32_t lcore)
{
	tern_store(&world->engine->profiles[tern_address_slot(agent)].move_to, lcore + 1);
}

/** `polled` lcores with AFTER_US; what else is special in `config`. */
static inline void roaming_config(struct tern_config *config, uint32_t lcores)
{
	world_config(config, true);
	config->lcore_count = lcores;
	for (uint16_t i = 0; i < lcores; i++)
		config->lcores[i] = i;
	config->steal_after_us = AFTER_US;
}

static inline int roaming_setup(void **state, uint32_t lcores)
{
	struct world *world = calloc(1, sizeof(*world));
	struct tern_config config;
	roaming_config(&config, lcores);
	world_open(world, &config);
	*state = world;
	return 0;
}

static inline __attribute__((unused)) int roaming_setup_two(void **state)
{
	return roaming_setup(state, 2);
}

static inline __attribute__((unused)) int roaming_setup_three(void **state)
{
	return roaming_setup(state, 3);
}

/** A body's entry in the table of tests, with two or three polled lcores. */
#define ON_TWO(body) cmocka_unit_test_setup_teardown(body, roaming_setup_two, world_teardown)
#define ON_THREE(body) cmocka_unit_test_setup_teardown(body, roaming_setup_three, world_teardown)

#endif
