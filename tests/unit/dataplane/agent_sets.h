/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SETS_H
#define AGENT_SETS_H

/* Sets under test. Ids and quiet variables are those of tables. */
#include "routes.h"

#include "tern_sets.h"

static inline struct tern_sets *make_sets(const struct tern_sets_options *options)
{
	struct tern_sets *sets = NULL;
	struct tern_error error = {0};
	if (tern_sets_create(&sets, options, &error) != 0)
		fail_msg("no sets: %s", error.text);
	return sets;
}

static inline struct tern_sets_stats stats_of(struct tern_sets *sets)
{
	struct tern_sets_stats stats;
	tern_sets_stats(sets, &stats);
	return stats;
}

/** Sets with a reader, the calling thread, that is quiet when the test says so. */
static inline struct tern_sets *sets_read_by_one(struct rte_rcu_qsbr **quiet, uint32_t sets_max)
{
	*quiet = make_quiet(1);
	rte_rcu_qsbr_thread_register(*quiet, 0);
	rte_rcu_qsbr_thread_online(*quiet, 0);
	const struct tern_sets_options options = {.sets_max = sets_max, .quiet = *quiet};
	return make_sets(&options);
}

#endif
