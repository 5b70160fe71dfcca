/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SWARM_CHECKS_H
#define SWARM_CHECKS_H

/* What must be true of a swarm's books, and of the engine when nobody lives in it any more. */
#include "engine_inside.h"
#include "swarm.h"

static struct tern_lcore_stats all_stats(const struct swarm *swarm)
{
	return engine_stats(swarm->world.engine);
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

#endif
