/* SPDX-License-Identifier: Apache-2.0 */

/* How much may wait for an agent, by its configuration. */
#include "tern_config.h"

#include <errno.h>
#include <inttypes.h>

#include <rte_common.h>

static uint64_t lanes_hold(const struct tern_config *config, uint32_t depth)
{
	uint64_t of_lcores = (uint64_t)config->lcore_count * depth;
	return of_lcores + (uint64_t)config->max_threads * RTE_MIN(depth, TERN_THREAD_LANE_DEPTH);
}

void tern_config_bounds(const struct tern_config *config, uint32_t capacity,
			struct tern_config_bounds *bounds)
{
	uint64_t own = capacity ? capacity : config->capacity;
	*bounds = (struct tern_config_bounds){
		.pinned = own + lanes_hold(config, config->data_depth),
		.critical = own + lanes_hold(config, config->express_depth),
		.roaming = 2 * own};
}

/* One bound of a pinned agent. */
static void dump_pinned(const struct tern_config *config, FILE *file, const char *key,
			uint32_t depth, uint64_t bound)
{
	fprintf(file, ";         capacity + lcores x %s + max_threads x the same, 1024 at most\n",
		key);
	fprintf(file, ";         = %u + %u x %u + %u x %u = %" PRIu64 "\n", config->capacity,
		config->lcore_count, depth, config->max_threads,
		RTE_MIN(depth, TERN_THREAD_LANE_DEPTH), bound);
}

int tern_config_dump_bounds(const struct tern_config *config, FILE *file)
{
	struct tern_config_bounds bounds;
	tern_config_bounds(config, 0, &bounds);
	fprintf(file,
		"\n; Signals accepted and not handled before the next is refused, at most:\n");
	fprintf(file, "; pinned\n");
	dump_pinned(config, file, "data_depth", config->data_depth, bounds.pinned);
	fprintf(file, "; pinned, of priority critical\n");
	dump_pinned(config, file, "express_depth", config->express_depth, bounds.critical);
	fprintf(file,
		"; roaming\n"
		";         2 x capacity: in its ring, and what was taken out of it to be run\n"
		";         = 2 x %u = %" PRIu64 "\n"
		"; exact (tern_spawn_options)\n"
		";         capacity = %u\n",
		config->capacity, bounds.roaming, config->capacity);
	return ferror(file) ? -EIO : 0;
}
