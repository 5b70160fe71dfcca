/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_CHECKS_H
#define SWARM_CHECKS_H

/* What must be true of a swarm's books, and of the engine when nobody lives in it any more. */
#include "swarm.h"

#include "engine/engine.h"
#include "engine/global_queue.h"

static struct tern_lcore_stats all_stats(const struct swarm *swarm)
{
	struct tern_lcore_stats all = {0};
	for (uint32_t i = 0; i < tern_engine_lcores(swarm->world.engine) + 4; i++) {
		struct tern_lcore_stats one;
		tern_lcore_stats(swarm->world.engine, i, &one);
		for (size_t word = 0; word < sizeof(all) / sizeof(uint64_t); word++)
			((uint64_t *)(void *)&all)[word] += ((uint64_t *)(void *)&one)[word];
	}
	return all;
}

/* Signals and timers that had no end yet. */
static int64_t under_way(const struct swarm *swarm)
{
	struct tern_lcore_stats stats = all_stats(swarm);
	return (int64_t)(seen(&swarm->accepted) + stats.timers - seen(&swarm->handled) -
			 seen(&swarm->ticks) - stats.returned - stats.dropped - stats.lost);
}

static bool all_settled(const struct swarm *swarm)
{
	return seen(&swarm->waiting) == 0 && under_way(swarm) == 0;
}

static void check_books(const struct swarm *swarm)
{
	uint64_t missing = 0;
	uint32_t numbers = seen(&swarm->numbers);
	numbers = numbers < SIGNALS ? numbers : SIGNALS;
	for (uint32_t i = 1; i <= numbers; i++) {
		const struct entry *entry = &swarm->books[i];
		uint32_t ends = seen(&entry->handled) + seen(&entry->returned);
		assert_true(ends <= 1);
		assert_false(seen(&entry->refused) && ends);
		missing += !seen(&entry->refused) && !ends;
	}
	assert_int_equal(missing,
			 seen(&swarm->accepted) - seen(&swarm->handled) - seen(&swarm->returned));
	assert_int_equal(seen(&swarm->broken), 0);
}

static void check_stopped(const struct swarm *swarm)
{
	for (uint32_t i = THREADS; i < seen(&swarm->born) && i < LIVES; i++)
		assert_int_equal(swarm->lives[i].stopped, 1);
	assert_int_equal(seen(&swarm->waiting), 0);
}

static bool all_stopped(const struct swarm *swarm)
{
	for (uint32_t i = THREADS; i < seen(&swarm->born) && i < LIVES; i++)
		if (!seen(&swarm->lives[i].stopped))
			return false;
	return true;
}

/* Nobody lives: the engine has all that it lent. */
static void check_given_back(const struct tern_engine *engine)
{
	uint64_t permits = engine->permits;
	assert_int_equal(tern_stacks_used(&engine->stacks), 0);
	assert_int_equal(engine->runnable_left, engine->config.max_concurrent);
	assert_int_equal(engine->thieves, 0);
	assert_int_equal(tern_global_count(engine), 0);
	for (uint32_t i = 0; i < engine->system_count; i++) {
		const struct tern_lcore *lcore = &engine->lcores[i];
		permits += lcore->permits;
		assert_int_equal(lcore->chunks.used, 0);
		assert_int_equal(lcore->deferred, 0);
		assert_int_equal(lcore->ready.count, 0);
		assert_int_equal(lcore->wheel.armed, 0);
		assert_int_equal(lcore->graves, 0);
		assert_null(lcore->lifo);
		assert_null(lcore->blocked);
		assert_null(lcore->finishing);
		for (uint32_t level = 0; level < TERN_ROAMING_LEVELS; level++) {
			assert_int_equal(lcore->admitted[level], 0);
			assert_int_equal(tern_run_ring_count(&lcore->rings[level]), 0);
		}
	}
	assert_int_equal(permits, engine->config.max_agents);
	for (uint32_t slot = 0; slot < engine->slots; slot++)
		assert_null(engine->rooms[slot]);
}

#endif
