/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the queue of agents that overflowed hands each to one taker, in the order put, by priority,
 * has a place for every slot, and touches no memory before it is used.
 * Method: the queues of an engine that exists for nothing else; the rules one by one; four threads
 * that put and take at once, where each slot must come out as often as it went in.
 */
#include <pthread.h>

#include "tests/unit/support.h"

#include "engine/lcore/engine.h"
#include "engine/schedule/global_queue.h"

enum { SLOTS = 1000, THREADS = 4, EACH = 100, ROUNDS = 100 };

/* Full while a thread that takes is held up. */
static void put_surely(struct tern_engine *engine, uint32_t level, uint32_t slot)
{
	while (!tern_global_put(engine, level, slot))
		breathe();
}

static int open_queue(void **state)
{
	struct tern_engine *engine = aligned_alloc(TERN_LINE, sizeof(*engine));
	assert_non_null(engine);
	memset(engine, 0, sizeof(*engine));
	engine->slots = SLOTS;
	assert_int_equal(tern_global_init(engine), 0);
	*state = engine;
	return 0;
}

static int close_queue(void **state)
{
	struct tern_engine *engine = *state;
	tern_global_fini(engine);
	for (int level = 0; level < TERN_ROAMING_LEVELS; level++)
		assert_null(engine->global[level]);
	tern_global_fini(engine);
	free(engine);
	return 0;
}

static void first_in_first_out_by_level(void **state)
{
	struct tern_engine *engine = *state;
	uint32_t slot = 77;
	assert_int_equal(tern_global_count(engine), 0);
	for (uint32_t level = 0; level < TERN_ROAMING_LEVELS; level++) {
		assert_false(tern_global_take(engine, level, &slot));
		assert_int_equal(slot, 77);
	}
	for (uint32_t i = 0; i < 10; i++)
		put_surely(engine, i % TERN_ROAMING_LEVELS, i);
	assert_int_equal(tern_global_count(engine), 10);
	for (uint32_t level = TERN_ROAMING_LEVELS; level-- > 0;) {
		for (uint32_t i = level; i < 10; i += TERN_ROAMING_LEVELS) {
			assert_true(tern_global_take(engine, level, &slot));
			assert_int_equal(slot, i);
		}
		assert_false(tern_global_take(engine, level, &slot));
	}
	assert_int_equal(tern_global_count(engine), 0);
}

static void every_slot_has_room_at_every_lap(void **state)
{
	struct tern_engine *engine = *state;
	uint32_t slot;
	for (uint32_t lap = 0; lap < 5; lap++) {
		for (uint32_t i = 0; i < SLOTS; i++)
			put_surely(engine, 1, (i + lap) % SLOTS);
		assert_int_equal(tern_global_count(engine), SLOTS);
		for (uint32_t i = 0; i < SLOTS; i++) {
			assert_true(tern_global_take(engine, 1, &slot));
			assert_int_equal(slot, (i + lap) % SLOTS);
		}
		assert_false(tern_global_take(engine, 1, &slot));
		/* So that laps begin at other places of the ring. */
		put_surely(engine, 1, lap);
		assert_true(tern_global_take(engine, 1, &slot));
	}
}

struct taker {
	struct tern_engine *engine;
	uint32_t *marks; /* by slot */
	uint32_t first;	 /* of the slots it puts first */
	uint64_t *count;
	pthread_t thread;
};

/* Who takes a slot puts it again: as an agent, it is in the queue once at most. */
static void *put_and_take(void *argument)
{
	struct taker *taker = argument;
	uint32_t slot;
	for (uint32_t i = 0; i < EACH; i++)
		put_surely(taker->engine, 0, taker->first + i);
	while (seen(taker->count) < (uint64_t)THREADS * EACH * ROUNDS) {
		if (!tern_global_take(taker->engine, 0, &slot))
			continue;
		/* Nobody else has it: no atomic is needed. */
		if (++taker->marks[slot] < ROUNDS)
			put_surely(taker->engine, 0, slot);
		note(taker->count);
	}
	return NULL;
}

static void four_threads_take_each_once(void **state)
{
	struct tern_engine *engine = *state;
	uint32_t taken[THREADS * EACH] = {0}, slot;
	uint64_t count = 0;
	struct taker takers[THREADS];
	for (uint32_t i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){
			.engine = engine, .marks = taken, .first = i * EACH, .count = &count};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, put_and_take, &takers[i]),
				 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(takers[i].thread, NULL);
	for (uint32_t i = 0; i < THREADS * EACH; i++)
		assert_int_equal(taken[i], ROUNDS);
	assert_false(tern_global_take(engine, 0, &slot));
}

/* One puts, one takes: what is taken comes in the order put, and what was written before is seen.
 */
static void *put_in_order(void *argument)
{
	struct taker *taker = argument;
	for (uint64_t i = 0; i < (uint64_t)SLOTS * ROUNDS; i++) {
		uint32_t slot = (uint32_t)(i % SLOTS);
		/* Not before it was taken. */
		while (seen(taker->count) + SLOTS <= i)
			sched_yield();
		taker->marks[slot] = (uint32_t)(i / SLOTS) + 1;
		put_surely(taker->engine, 0, slot);
	}
	return NULL;
}

static void what_was_written_before_is_seen_after(void **state)
{
	struct tern_engine *engine = *state;
	uint32_t written[SLOTS] = {0}, slot;
	uint64_t taken = 0;
	struct taker putter = {.engine = engine, .marks = written, .count = &taken};
	assert_int_equal(pthread_create(&putter.thread, NULL, put_in_order, &putter), 0);
	for (uint64_t i = 0; i < (uint64_t)SLOTS * ROUNDS; i++) {
		while (!tern_global_take(engine, 0, &slot))
			sched_yield();
		assert_int_equal(slot, i % SLOTS);
		assert_int_equal(written[slot], i / SLOTS + 1);
		put(&taken, i + 1);
	}
	pthread_join(putter.thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_in_first_out_by_level, open_queue,
						close_queue),
		cmocka_unit_test_setup_teardown(every_slot_has_room_at_every_lap, open_queue,
						close_queue),
		cmocka_unit_test_setup_teardown(four_threads_take_each_once, open_queue,
						close_queue),
		cmocka_unit_test_setup_teardown(what_was_written_before_is_seen_after, open_queue,
						close_queue),
	};
	return cmocka_run_group_tests_name("global queue", tests, NULL, NULL);
}
