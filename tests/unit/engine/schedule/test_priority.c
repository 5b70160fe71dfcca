/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: among ready agents the higher priority runs first, the same one in the order of becoming
 * ready; who waits is passed over as often as the bound of its priority says and no more; a
 * critical agent is reached between two signals of others; a low one never runs in place.
 * Method: a crew made ready while paused; the list of who ran after whom is compared with what
 * the policy promises.
 */
#include "tests/unit/engine/runs.h"

static void one_signal_a_run(struct tern_config *config)
{
	config->turn_signals = 1;
}

static const enum tern_priority LADDER[] = {TERN_PRIORITY_LOW, TERN_PRIORITY_NORMAL,
					    TERN_PRIORITY_HIGH, TERN_PRIORITY_CRITICAL};

static void the_higher_runs_first(void **state)
{
	static const uint8_t order[] = {3, 7, 2, 6, 1, 5, 0, 4};
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 8; i++) {
		crew_add(&crew, LADDER[i % 4], 0);
		crew_load(&crew, i, 1);
	}
	for (uint64_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; round && i < 8; i++)
			crew_load(&crew, i, 1);
		crew_go(&crew);
		crew_wait(&crew, 8 * (round + 1));
		assert_memory_equal(&crew.runs->who[8 * round], order, 8);
	}
}

/* A signal each, again and again: who becomes ready again is behind those of its priority. */
static void equals_take_turns(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 3; i++) {
		crew_add(&crew, TERN_PRIORITY_HIGH, 0);
		crew_load(&crew, i, 40);
	}
	crew_go(&crew);
	crew_wait(&crew, 120);
	for (uint64_t i = 0; i < 120; i++)
		assert_int_equal(crew.runs->who[i], i % 3);
}

/* Two agents, always ready: the lower runs once after exactly `bound` runs of the higher. */
static void assert_bound(struct world *world, enum tern_priority lower, enum tern_priority higher,
			 uint64_t bound)
{
	struct crew crew;
	crew_open(&crew, world);
	uint32_t low = crew_add(&crew, lower, 0), high = crew_add(&crew, higher, 0);
	crew_load(&crew, low, 3);
	crew_load(&crew, high, (uint32_t)(4 * bound));
	crew_go(&crew);
	crew_wait(&crew, 4 * bound + 3);
	for (uint64_t i = 0; i < 4 * bound + 3; i++)
		assert_int_equal(crew.runs->who[i], i % (bound + 1) == bound ? low : high);
}

static void the_bound_of_high_is_exact(void **state)
{
	assert_bound(*state, TERN_PRIORITY_HIGH, TERN_PRIORITY_CRITICAL, TERN_STARVATION_HIGH);
}

static void the_bound_of_normal_is_exact(void **state)
{
	assert_bound(*state, TERN_PRIORITY_NORMAL, TERN_PRIORITY_HIGH, TERN_STARVATION_NORMAL);
	assert_bound(*state, TERN_PRIORITY_NORMAL, TERN_PRIORITY_CRITICAL, TERN_STARVATION_NORMAL);
}

static void the_bound_of_low_is_exact(void **state)
{
	assert_bound(*state, TERN_PRIORITY_LOW, TERN_PRIORITY_NORMAL, TERN_STARVATION_LOW);
	assert_bound(*state, TERN_PRIORITY_LOW, TERN_PRIORITY_CRITICAL, TERN_STARVATION_LOW);
}

/* Longest series of runs of higher priority while one of `level` waits; numbers are levels. */
static uint64_t longest_wait(const struct runs *runs, uint8_t level)
{
	uint64_t longest = 0, row = 0;
	for (uint64_t i = 0; i < runs->count; i++) {
		row = runs->who[i] == level ? 0 : row + (runs->who[i] > level);
		longest = row > longest ? row : longest;
	}
	return longest;
}

/* All four always ready: nobody waits longer than its bound, whoever else is due, too. */
static void all_bounds_hold_together(void **state)
{
	enum { EACH = 1200 };
	static const uint64_t bounds[] = {TERN_STARVATION_LOW, TERN_STARVATION_NORMAL,
					  TERN_STARVATION_HIGH};
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 4; i++) {
		crew_add(&crew, LADDER[i], 0);
		crew_load(&crew, i, i == 3 ? EACH : 200);
	}
	crew_go(&crew);
	crew_wait(&crew, EACH + 600);
	crew.runs->count = EACH; /* of these, all four were ready */
	for (uint8_t level = 0; level < 3; level++)
		assert_int_equal(longest_wait(crew.runs, level), bounds[level]);
	assert_true(runs_of(crew.runs, 3, 0, EACH) > EACH * 9 / 10);
}

static void critical_is_reached_between_two_signals(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	uint32_t busy = crew_add(&crew, TERN_PRIORITY_HIGH, 0);
	uint32_t critical = crew_add(&crew, TERN_PRIORITY_CRITICAL, 0);
	crew.runners[busy].tell = crew.agents[critical];
	crew.runners[busy].tell_at = 10;
	crew_load(&crew, busy, 100);
	crew_go(&crew);
	crew_wait(&crew, 101);
	assert_int_equal(crew.runners[busy].told, 1);
	for (uint64_t i = 0; i < 101; i++)
		assert_int_equal(crew.runs->who[i], i == 10 ? critical : busy);
}

/* From a lane: within a few signals, not after its burst. */
static void critical_does_not_wait_for_a_lane(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	uint32_t busy = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t critical = crew_add(&crew, TERN_PRIORITY_CRITICAL, 0);
	crew.runners[busy].tell = crew.agents[critical];
	crew.runners[busy].tell_at = 10;
	crew_send(&crew, busy, 100);
	crew_wait(&crew, 101);
	assert_int_equal(runs_of(crew.runs, (uint8_t)critical, 0, 10), 0);
	assert_int_equal(runs_of(crew.runs, (uint8_t)critical, 10, 19), 1);
}

static void low_never_runs_in_place(void **state)
{
	struct world *world = *state;
	struct tern_lcore_stats before, after;
	struct crew crew;
	crew_open(&crew, world);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t who = crew_add(&crew, i ? TERN_PRIORITY_NORMAL : TERN_PRIORITY_LOW, 0);
		UNTIL(world, crew_state(&crew, who) == TERN_STATE_IDLE);
		tern_lcore_stats(world->engine, 0, &before);
		for (uint64_t sent = 1; sent <= 100; sent++) {
			crew_send(&crew, who, 1);
			UNTIL(world, seen(&crew.runners[who].probe.handled) == sent);
		}
		/* The counters of a turn move at its end. */
		UNTIL(world, (tern_lcore_stats(world->engine, 0, &after),
			      after.handled - before.handled == 100));
		uint64_t in_place = after.in_place - before.in_place;
		assert_int_equal(after.queued - before.queued, 100 - in_place);
		/* A turn in which the machine holds its thread up goes by the mailbox. */
		assert_in_range(in_place, !i ? 0 : world->polled ? 100 : 50, i ? 100 : 0);
	}
}

/* A normal agent does not slip past a high one that waits by running in place. */
static void nobody_runs_in_place_while_a_higher_one_waits(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t high = crew_add_slow(&crew, TERN_PRIORITY_HIGH, 0);
	uint32_t normal = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_load(&crew, high, 20);
	crew_go(&crew);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(crew.runs->count, 1); /* the slice is over, the rest waits */
	crew_send(&crew, normal, 3);
	world_settle(world);
	assert_int_equal(crew.runs->count, 23);
	assert_int_equal(runs_of(crew.runs, (uint8_t)high, 0, 20), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_higher_runs_first),
		SET_BOTH(equals_take_turns, one_signal_a_run),
		SET_BOTH(the_bound_of_high_is_exact, one_signal_a_run),
		SET_BOTH(the_bound_of_normal_is_exact, one_signal_a_run),
		SET_BOTH(the_bound_of_low_is_exact, one_signal_a_run),
		SET_POLLED(all_bounds_hold_together, one_signal_a_run),
		BOTH(critical_is_reached_between_two_signals),
		POLLED(critical_does_not_wait_for_a_lane),
		BOTH(low_never_runs_in_place),
		POLLED(nobody_runs_in_place_while_a_higher_one_waits),
	};
	return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
