/* SPDX-License-Identifier: Apache-2.0 */

/* Visiting every route: at once, or in steps. */
#include "table_index.h"

/*
 * A walk in steps goes by shard, hash and id: an order that neither growth nor a change moves a
 * route in. It only ever goes on to the least route that is not before its cursor, so that it
 * meets each one that stays, and none twice.
 */
struct search {
	const struct tern_table *table;
	struct tern_table_cursor from;
	struct tern_table_cursor least; /* where `route` is */
	struct tern_route route;
	bool found;
};

/* In one shard. */
static bool is_before(const struct tern_table_cursor *a, const struct tern_table_cursor *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash;
	return a->id.high != b->id.high ? a->id.high < b->id.high : a->id.low < b->id.low;
}

static bool keep_least(void *context, const struct tern_route *route)
{
	struct search *search = context;
	struct tern_table_cursor at = {.shard = search->from.shard,
				       .hash = tern_table_hash_one(search->table, route->id),
				       .id = route->id};
	if (is_before(&at, &search->from) || (search->found && !is_before(&at, &search->least)))
		return true;
	search->least = at;
	search->route = *route;
	search->found = true;
	return true;
}

static struct tern_table_cursor behind_route(struct tern_table_cursor at)
{
	if (++at.id.low == 0 && ++at.id.high == 0 && ++at.hash == 0)
		at.shard++;
	return at;
}

static struct tern_table_cursor behind_hashes(struct tern_table_cursor at, uint64_t last)
{
	uint64_t hash = (last + 1) << 32;
	return (struct tern_table_cursor){.shard = at.shard + (hash == 0), .hash = hash};
}

bool tern_table_each_from(const struct tern_table *table, struct tern_table_cursor *cursor,
			  uint32_t count,
			  bool (*visit)(void *context, const struct tern_route *route),
			  void *context)
{
	uint32_t homes = 0;
	bool on = true;
	while (on && count && cursor->shard < table->shard_count && homes < TERN_TABLE_STEP_HOMES) {
		const struct tern_shard *shard = &table->finder.shards[cursor->shard];
		struct tern_bucket *index = __atomic_load_n(&shard->index, __ATOMIC_ACQUIRE);
		struct tern_range home =
			tern_index_range(index, tern_index_home(index, cursor->hash));
		struct search search = {.table = table, .from = *cursor};
		home.first = cursor->hash >> 32;
		tern_index_visit(table, shard, index, home, keep_least, &search);
		if (!search.found) {
			*cursor = behind_hashes(*cursor, home.last);
			homes++;
			continue;
		}
		*cursor = behind_route(search.least);
		on = visit(context, &search.route);
		count--;
	}
	return cursor->shard < table->shard_count;
}

/* Who ended a walk. */
struct whole {
	bool (*visit)(void *context, const struct tern_route *route);
	void *context;
	bool on;
};

static bool visit_on(void *context, const struct tern_route *route)
{
	struct whole *whole = context;
	whole->on = whole->visit(whole->context, route);
	return whole->on;
}

/* In steps, too: by places, one that leaves and comes again could be met in both. */
void tern_table_each(const struct tern_table *table,
		     bool (*visit)(void *context, const struct tern_route *route), void *context)
{
	struct tern_table_cursor cursor = {0};
	struct whole whole = {.visit = visit, .context = context, .on = true};
	while (tern_table_each_from(table, &cursor, UINT32_MAX, visit_on, &whole) && whole.on)
		;
}
