/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_INSIDE_H
#define ENGINE_INSIDE_H

/*
 * What random tests see of an engine from inside: its counters, whether it has all that it lent
 * when nobody lives; and what they do as its observer would.
 */
#include "tests/unit/support.h"

#include "engine/lcore/engine.h"
#include "engine/schedule/global_queue.h"
#include "engine/schedule/profile.h"

/* The slow builds make do with fewer runs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* gcc; some header gives it a __has_feature() that knows nothing */
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/** How many runs a random test makes: TERN_SEEDS, else `otherwise`. */
static inline uint64_t seed_count(uint64_t otherwise)
{
	const char *given = getenv("TERN_SEEDS");
	return given ? strtoull(given, NULL, 0) : otherwise;
}

/** The counters of all lcores and attached threads together. */
static inline struct tern_lcore_stats engine_stats(const struct tern_engine *engine)
{
	struct tern_lcore_stats all = {0};
	for (uint32_t i = 0; i < engine->system_count; i++) {
		struct tern_lcore_stats one;
		tern_lcore_stats(engine, i, &one);
		for (size_t word = 0; word < sizeof(all) / sizeof(uint64_t); word++)
			((uint64_t *)(void *)&all)[word] += ((uint64_t *)(void *)&one)[word];
	}
	return all;
}

static inline void check_lcore_given_back(const struct tern_lcore *lcore)
{
	assert_int_equal(lcore->mail.cells.used, 0);
	assert_int_equal(lcore->outboxes.deferred, 0);
	assert_int_equal(lcore->ready.count, 0);
	assert_int_equal(lcore->wheel.armed, 0);
	assert_int_equal(lcore->roaming.graves, 0);
	assert_null(lcore->roaming.lifo);
	assert_null(lcore->waiters.round);
	assert_int_equal(lcore->outboxes.lent, 0);
	assert_int_equal(lcore->outboxes.ends_left, 0);
	assert_int_equal(lcore->pending.finishing.count, 0);
	assert_int_equal(lcore->mail.shorts.count, 0);
	for (uint32_t level = 0; level < TERN_ROAMING_LEVELS; level++) {
		assert_int_equal(lcore->roaming.admitted[level], 0);
		assert_int_equal(tern_run_ring_count(&lcore->roaming.rings[level]), 0);
	}
}

/** Have a roaming agent moved, as where the forecast says so; others stay. */
static inline void move_agent(struct tern_engine *engine, tern_address agent, uint32_t lcore)
{
	uint32_t slot = tern_address_slot(agent);
	if (tern_dir_route(tern_load(&engine->directory[slot])) == engine->roam_route)
		tern_store(&engine->profiles[slot].move_to, lcore + 1);
}

/** Nobody lives, and nobody polls: the engine has all that it lent. */
static inline void check_given_back(const struct tern_engine *engine)
{
	uint64_t permits = engine->permits;
	assert_int_equal(tern_stacks_used(&engine->stacks), 0);
	assert_int_equal(engine->runnable_left, engine->config.max_concurrent);
	assert_int_equal(engine->thieves, 0);
	assert_int_equal(tern_global_count(engine), 0);
	for (uint32_t i = 0; i < engine->system_count; i++) {
		permits += engine->lcores[i].spawns.permits;
		check_lcore_given_back(&engine->lcores[i]);
	}
	assert_int_equal(permits, engine->config.max_agents);
	for (uint32_t slot = 0; slot < engine->slots; slot++)
		assert_null(engine->rooms[slot]);
}

#endif
