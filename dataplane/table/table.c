/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "table_find.h"
#include "table_index.h"
#include "table_pool.h"

/* A new id lies so many buckets from its home at most: what a lookup may cost. */
#define DISTANCE_MAX 128
/* From there on the index is crowded, and grows if it is not nearly empty. */
#define DISTANCE_CROWDED 64
#define MOVED_AT_ONCE 4

tern_address tern_table_find(const struct tern_table *table, struct tern_id id)
{
	return table->finder.find(&table->finder, id.high, id.low);
}

void tern_table_find_batch(const struct tern_table *table, const struct tern_id *ids,
			   uint32_t count, tern_address *addresses)
{
	table->kernel->find_batch(&table->finder, ids, count, addresses);
}

bool tern_table_route(const struct tern_table *table, struct tern_id id, struct tern_route *route)
{
	uint64_t hash = tern_table_hash_one(table, id);
	const struct tern_shard *shard = tern_table_shard(table, hash);
	uint64_t word = tern_index_word(shard, hash, id);
	if (word)
		*route = tern_index_route(shard, id, word);
	return word != TERN_ADDRESS_NONE;
}

void tern_table_hash(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes)
{
	table->kernel->hash(&table->finder.keys, ids, count, hashes);
}

uint64_t tern_table_prefetch(const struct tern_table *table, struct tern_id id)
{
	uint64_t hash = tern_table_hash_one(table, id);
	const struct tern_bucket *bucket = tern_shard_home(tern_table_shard(table, hash), hash);
	__builtin_prefetch(bucket, 1);
	__builtin_prefetch((const unsigned char *)bucket + TERN_LINE, 1);
	return hash;
}

/* Those retired indexes that no reader knows any more. */
static struct tern_index_head *take_retired(const struct tern_table *table,
					    struct tern_shard *shard)
{
	struct tern_index_head *taken = shard->retired_indexes;
	/* The one retired last comes first: when it is quiet, all are. */
	if (!taken || !tern_table_is_quiet(table, taken->token))
		return NULL;
	shard->retired_indexes = NULL;
	return taken;
}

static void free_indexes(struct tern_index_head *head)
{
	for (struct tern_index_head *next; head; head = next) {
		next = head->retired;
		tern_index_free(head);
	}
}

static void start_growth(const struct tern_table *table, struct tern_shard *shard)
{
	struct tern_index_head *head = tern_index_head(shard->index);
	struct tern_bucket *next = shard->spare_index;
	shard->spare_index = NULL;
	if (!next)
		next = tern_index_make(tern_index_count_next(head->count), table->huge_wanted);
	if (!next)
		return;
	shard->cursor = 0;
	tern_store(&shard->next_index, next);
	__atomic_store_n(&head->next, next, __ATOMIC_RELEASE);
}

static void end_growth(const struct tern_table *table, struct tern_shard *shard)
{
	struct tern_index_head *head = tern_index_head(shard->index);
	__atomic_store_n(&shard->index, shard->next_index, __ATOMIC_RELEASE);
	tern_store(&shard->next_index, NULL);
	tern_store(&shard->grown, shard->grown + 1);
	head->token = tern_table_token(table);
	head->retired = shard->retired_indexes;
	shard->retired_indexes = head;
}

/* A step of growth: the home of a hash, and the next few. Returns the index to write to. */
static struct tern_bucket *grow_step(const struct tern_table *table, struct tern_shard *shard,
				     uint64_t hash)
{
	struct tern_bucket *index = shard->index, *next = shard->next_index;
	if (unlikely(shard->retired_indexes != NULL) && !shard->prepared)
		free_indexes(take_retired(table, shard));
	if (likely(!next))
		return index;
	tern_index_move(table, index, next, tern_index_home(index, hash));
	uint64_t count = tern_index_head(index)->count;
	for (int i = 0; i < MOVED_AT_ONCE && shard->cursor < count; i++)
		tern_index_move(table, index, next, shard->cursor++);
	if (shard->cursor == count)
		end_growth(table, shard);
	return next;
}

static struct tern_bucket *grow_if_full(const struct tern_table *table, struct tern_shard *shard,
					struct tern_bucket *index, uint64_t hash)
{
	uint64_t count = tern_index_head(index)->count;
	if (likely(!tern_index_is_full(shard->count, count)) || shard->next_index)
		return index;
	start_growth(table, shard);
	return grow_step(table, shard, hash);
}

/* One route more, or less, or another. */
static void note_change(struct tern_shard *shard, int64_t more)
{
	tern_store(&shard->count, shard->count + (uint64_t)more);
	tern_store(&shard->version, shard->version + 1);
}

static int insert_crowded(const struct tern_table *table, struct tern_shard *shard,
			  struct tern_bucket *index, uint64_t hash, const struct tern_place *place)
{
	if (tern_index_is_used(shard->count, 2, tern_index_head(index)->count)) {
		while (shard->next_index)
			grow_step(table, shard, hash);
		start_growth(table, shard);
		index = grow_step(table, shard, hash);
	}
	return tern_index_insert(index, hash, place, DISTANCE_MAX);
}

static int insert_route(const struct tern_table *table, struct tern_shard *shard,
			struct tern_bucket *index, uint64_t hash, const struct tern_place *place)
{
	if (unlikely(shard->count >= table->shard_routes_max))
		return -ENOSPC;
	int code = tern_index_insert(index, hash, place, DISTANCE_CROWDED);
	if (unlikely(code != 0))
		code = insert_crowded(table, shard, index, hash, place);
	if (likely(code == 0))
		note_change(shard, 1);
	return code;
}

/* The word of a route: what says no more than that an agent lives here, for ever, is its address;
 * else that of a record. 0: no memory for one. */
static uint64_t make_word(const struct tern_table *table, struct tern_shard *shard,
			  const struct tern_route *route)
{
	if (tern_address_node(route->address) == 0 && route->expires_ns == TERN_ROUTE_FOREVER &&
	    route->source == TERN_ROUTE_LOCAL &&
	    !(route->version | route->updated_ns | route->origin | route->hops))
		return route->address;
	uint32_t record = tern_record_take(table, shard);
	if (!record)
		return 0;
	shard->records[record].route = *route;
	return TERN_WORD_RECORD | record;
}

static bool is_record(uint64_t word)
{
	return word & TERN_WORD_RECORD;
}

static int add_route(const struct tern_table *table, struct tern_shard *shard,
		     struct tern_bucket *index, uint64_t hash, const struct tern_route *route)
{
	const struct tern_place place = {.id = route->id, .word = make_word(table, shard, route)};
	if (!place.word)
		return -ENOMEM;
	int code = insert_route(table, shard, index, hash, &place);
	if (code != 0 && is_record(place.word))
		tern_record_put(shard, (uint32_t)place.word);
	return code;
}

static int replace_at(const struct tern_table *table, struct tern_shard *shard,
		      struct tern_spot spot, const struct tern_route *route)
{
	uint64_t *word = &spot.bucket->words[spot.place];
	uint64_t before = *word, after = make_word(table, shard, route);
	if (!after)
		return -ENOMEM;
	__atomic_store_n(word, after, __ATOMIC_RELEASE); /* W1, W4 */
	if (is_record(before))
		tern_record_retire(table, shard, (uint32_t)before);
	note_change(shard, 0);
	return 0;
}

int tern_table_add(struct tern_table *table, uint64_t hash, struct tern_id id, tern_address address)
{
	struct tern_shard *shard = tern_table_shard(table, hash);
	const struct tern_place place = {.id = id, .word = address};
	if (unlikely(address == TERN_ADDRESS_NONE || tern_address_node(address) != 0))
		return -EINVAL;
	tern_lock(&shard->lock);
	struct tern_bucket *index = grow_if_full(table, shard, grow_step(table, shard, hash), hash);
	int code = insert_route(table, shard, index, hash, &place);
	tern_unlock(&shard->lock);
	return code;
}

/* `over`: what the route is to lead to until now; NULL: whatever it does, or nowhere. */
static int put_route(struct tern_table *table, const struct tern_route *route,
		     const tern_address *over)
{
	uint64_t hash = tern_table_hash_one(table, route->id);
	struct tern_shard *shard = tern_table_shard(table, hash);
	int code = -EEXIST;
	if (route->address == TERN_ADDRESS_NONE || is_record(route->address))
		return -EINVAL;
	tern_lock(&shard->lock);
	struct tern_bucket *index = grow_if_full(table, shard, grow_step(table, shard, hash), hash);
	struct tern_spot spot = tern_index_seek(index, hash, route->id);
	tern_address before = spot.bucket ? tern_word_address(shard, spot.bucket->words[spot.place])
					  : TERN_ADDRESS_NONE;
	if (over && *over != before)
		code = -EEXIST;
	else if (!spot.bucket)
		code = add_route(table, shard, index, hash, route);
	else
		code = replace_at(table, shard, spot, route);
	tern_unlock(&shard->lock);
	return code;
}

int tern_table_put(struct tern_table *table, const struct tern_route *route, bool replace)
{
	const tern_address nowhere = TERN_ADDRESS_NONE;
	return put_route(table, route, replace ? NULL : &nowhere);
}

int tern_table_put_over(struct tern_table *table, const struct tern_route *route, tern_address over)
{
	return put_route(table, route, &over);
}

int tern_table_remove(struct tern_table *table, struct tern_id id, tern_address address)
{
	uint64_t hash = tern_table_hash_one(table, id);
	struct tern_shard *shard = tern_table_shard(table, hash);
	int code = -ENOENT;
	tern_lock(&shard->lock);
	struct tern_bucket *index = grow_step(table, shard, hash);
	struct tern_spot spot = tern_index_seek(index, hash, id);
	uint64_t word = spot.bucket ? spot.bucket->words[spot.place] : TERN_ADDRESS_NONE;
	if (word && (!address || tern_word_address(shard, word) == address)) {
		tern_index_remove(table, index, hash, spot);
		if (is_record(word))
			tern_record_retire(table, shard, (uint32_t)word);
		note_change(shard, -1);
		code = 0;
	}
	tern_unlock(&shard->lock);
	return code;
}

/*
 * A spare index for the growth to come, and old ones freed: what the kernel does for it is done
 * without the lock. Where a writer has it, another time will do.
 */
static bool prepare_index(struct tern_table *table, struct tern_shard *shard)
{
	if (!tern_lock_try(&shard->lock))
		return true;
	uint64_t count = tern_index_head(shard->index)->count;
	bool wanted = !shard->next_index && !shard->spare_index &&
		      tern_index_is_used(shard->count, 5, count);
	struct tern_index_head *retired = take_retired(table, shard);
	shard->prepared = true;
	tern_unlock(&shard->lock);
	free_indexes(retired);
	if (!wanted)
		return retired != NULL;
	struct tern_bucket *spare =
		tern_index_make(tern_index_count_next(count), table->huge_wanted);
	if (!spare)
		return false;
	tern_region_populate(&tern_index_head(spare)->region);
	tern_lock(&shard->lock);
	bool fits = !shard->next_index && !shard->spare_index &&
		    tern_index_head(shard->index)->count == count;
	if (fits)
		shard->spare_index = spare;
	tern_unlock(&shard->lock);
	if (!fits)
		tern_index_free(tern_index_head(spare));
	return true;
}

bool tern_table_prepare(struct tern_table *table)
{
	bool any = false;
	for (uint32_t i = 0; i < table->shard_count; i++) {
		any |= prepare_index(table, &table->finder.shards[i]);
		any |= tern_pool_prepare(&table->finder.shards[i].pool);
	}
	return any;
}
