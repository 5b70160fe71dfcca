/* SPDX-License-Identifier: Apache-2.0 */

/* What a router is, and what its lookups and updates came to. */
#include "router.h"

#include <string.h>

/* Structures of counters alone, added up member by member, each read whole. */
static void add_words(void *to, const void *from, size_t bytes)
{
	const uint64_t *words = from;
	uint64_t *sums = to;
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		sums[i] += tern_load(&words[i]);
}

void tern_router_counts(const struct tern_router *router, uint32_t reader,
			struct tern_router_counts *counts)
{
	*counts = (struct tern_router_counts){0};
	add_words(counts, &router->readers[reader].counts, sizeof(*counts));
}

void tern_router_times(const struct tern_router *router, uint32_t reader,
		       enum tern_router_path path, struct tern_histogram *times)
{
	memset(times, 0, sizeof(*times));
	if (router->times)
		tern_histogram_merge(times, &router->times[reader][path]);
}

/* What is told of the router's own parts, once all tables have been looked at. */
static void fill_stats(const struct tern_router *router, const struct tern_table_stats *absent,
		       const struct tern_table_stats *own, struct tern_router_stats *stats)
{
	stats->counts = (struct tern_router_counts){0};
	for (uint32_t i = 0; i < router->reader_count; i++)
		add_words(&stats->counts, &router->readers[i].counts, sizeof(stats->counts));
	stats->updates = (struct tern_router_updates){0};
	add_words(&stats->updates, &router->updates, sizeof(stats->updates));
	stats->absent = absent->routes;
	stats->remote = tern_load(&router->remote);
	stats->bytes = (struct tern_router_bytes){
		.routes = stats->table.bytes + own->bytes,
		.absent = absent->bytes + router->absent.max * sizeof(struct tern_id) +
			  tern_load(&router->gone_bytes),
		.sets = stats->sets.bytes};
}

void tern_router_stats(struct tern_router *router, struct tern_router_stats *stats)
{
	struct tern_table_stats absent, own;
	tern_table_stats(router->table, &stats->table);
	tern_sets_stats(router->sets, &stats->sets);
	tern_lock(&router->lock);
	tern_table_stats(router->absent.table, &absent);
	tern_table_stats(router->own, &own);
	fill_stats(router, &absent, &own, stats);
	tern_unlock(&router->lock);
}

void tern_router_look(const struct tern_router *router, struct tern_router_stats *stats)
{
	struct tern_table_stats absent, own;
	tern_table_look(router->table, &stats->table);
	tern_sets_look(router->sets, &stats->sets);
	tern_table_look(router->absent.table, &absent);
	tern_table_look(router->own, &own);
	fill_stats(router, &absent, &own, stats);
}
