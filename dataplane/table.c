/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "capabilities/arena.h"
#include "capabilities/rng.h"
#include "capabilities/sanitizer.h"
#include "table_index.h"
#include "table_pool.h"

#define ROUTES_DEFAULT (1u << 20)
/* A new id lies so many buckets from its home at most: what a lookup may cost. */
#define DISTANCE_MAX 128
/* From there on the index is crowded, and grows if it is not nearly empty. */
#define DISTANCE_CROWDED 64
/* What is used of an index, in tenths: it grows at seven. */
#define IS_USED(used, tenths, count) ((used)*10 > (count)*TERN_BUCKET_PLACES * (tenths))
#define MOVED_AT_ONCE 4

static void set_keys(struct tern_table *table, const uint64_t *seed)
{
	struct tern_table_keys *keys = &table->keys;
	if (seed || getrandom(keys, sizeof(*keys), 0) != sizeof(*keys)) {
		struct tern_rng rng = tern_rng_stream(seed ? seed[0] : (uintptr_t)table, 0);
		struct tern_rng other = tern_rng_stream(seed ? seed[1] : 0, 1);
		uint64_t words[sizeof(*keys) / sizeof(uint64_t)];
		for (size_t i = 0; i < RTE_DIM(words); i++)
			words[i] = tern_rng_next(&rng) ^ tern_rng_next(&other);
		memcpy(keys, words, sizeof(words));
	}
	keys->mix |= 1;
}

static int check_options(const struct tern_table_options *options, struct tern_error *error)
{
	uint32_t shards = options->shards ? options->shards : 1;
	if (shards > TERN_TABLE_SHARDS_MAX || (shards & (shards - 1)))
		return tern_error_set(error, -EINVAL,
				      "routing table: %u shards; a power of two up to %u", shards,
				      TERN_TABLE_SHARDS_MAX);
	uint64_t most = (uint64_t)shards * (TERN_TABLE_SHARD_ROUTES_MAX / 16 * 15);
	if (options->routes_max > most)
		return tern_error_set(error, -EINVAL,
				      "routing table: %llu routes in %u shards; %llu at most, "
				      "more shards hold more",
				      (unsigned long long)options->routes_max, shards,
				      (unsigned long long)most);
	return 0;
}

/* Ids spread unevenly: eight standard deviations more than the mean. */
static uint64_t share_of(uint64_t routes, uint32_t shards)
{
	uint64_t mean = (routes + shards - 1) / shards, deviation = 1;
	while (deviation * deviation < mean)
		deviation++;
	uint64_t share = shards == 1 ? mean : mean + 8 * deviation + 8;
	return RTE_MIN(share, TERN_TABLE_SHARD_ROUTES_MAX);
}

/* Readers that are slow to be quiet keep an eighth of the records, or a thousand, from reuse. */
static uint64_t records_for(uint64_t routes)
{
	return routes + routes / 8 + 1024;
}

static int init_shard(struct tern_table *table, struct tern_shard *shard, uint64_t expected)
{
	int code = tern_pool_init(shard, records_for(table->shard_routes_max), table->huge_wanted);
	if (code != 0)
		return code;
	shard->index = tern_index_make(tern_index_count(expected), table->huge_wanted);
	return shard->index ? 0 : -ENOMEM;
}

static struct tern_table *allocate(uint32_t shards)
{
	struct tern_table *table = aligned_alloc(TERN_LINE, sizeof(*table));
	struct tern_shard *memory = aligned_alloc(TERN_LINE, shards * sizeof(*memory));
	if (!table || !memory) {
		free(table);
		free(memory);
		return NULL;
	}
	memset(table, 0, sizeof(*table));
	memset(memory, 0, shards * sizeof(*memory));
	table->shards = memory;
	table->shard_mask = shards - 1;
	return table;
}

int tern_table_create(struct tern_table **table, const struct tern_table_options *options,
		      struct tern_error *error)
{
	uint32_t shards = options->shards ? options->shards : 1;
	uint64_t routes = options->routes_max ? options->routes_max : ROUTES_DEFAULT;
	const struct tern_table_kernel *kernel = tern_table_kernel(options->kernel);
	int code = check_options(options, error);
	if (code != 0)
		return code;
	if (!kernel)
		return tern_error_set(error, -ENOTSUP,
				      "routing table: this CPU has no kernel '%s'; one of %s "
				      "works",
				      options->kernel, tern_table_kernel_name(0));
	struct tern_table *made = allocate(shards);
	if (!made)
		return tern_error_set(error, -ENOMEM, "routing table: no memory");
	made->kernel = kernel;
	made->find = kernel->find;
	made->quiet = options->quiet;
	made->huge_wanted = options->page_bytes_max != TERN_PAGE_4K;
	made->shard_routes_max = share_of(routes, shards);
	set_keys(made, options->seed);
	for (uint32_t i = 0; i < shards && code == 0; i++)
		code = init_shard(made, &made->shards[i], options->routes_expected / shards);
	if (code != 0) {
		tern_table_destroy(made);
		return tern_error_set(error, code,
				      "routing table: cannot reserve memory for %llu routes",
				      (unsigned long long)routes);
	}
	*table = made;
	return 0;
}

static void free_index(struct tern_bucket *index)
{
	if (index)
		tern_index_free(tern_index_head(index));
}

void tern_table_destroy(struct tern_table *table)
{
	for (uint64_t i = 0; i <= table->shard_mask; i++) {
		struct tern_shard *shard = &table->shards[i];
		struct tern_index_head *next;
		for (struct tern_index_head *head = shard->retired_indexes; head; head = next) {
			next = head->retired;
			tern_index_free(head);
		}
		free_index(shard->index);
		free_index(shard->next_index);
		free_index(shard->spare_index);
		tern_region_release(&shard->pool.memory);
	}
	free(table->shards);
	free(table);
}

tern_address tern_table_find(const struct tern_table *table, struct tern_id id)
{
	return table->find(table, id.high, id.low);
}

void tern_table_find_batch(const struct tern_table *table, const struct tern_id *ids,
			   uint32_t count, tern_address *addresses)
{
	table->kernel->find_batch(table, ids, count, addresses);
}

bool tern_table_route(const struct tern_table *table, struct tern_id id, struct tern_route *route)
{
	uint64_t hash = tern_table_hash_one(table, id), meta;
	const struct tern_shard *shard = tern_table_shard(table, hash);
	struct tern_bucket *index = tern_index_now(shard, hash, &meta);
	uint64_t home = tern_index_home(index, hash);
	uint64_t farthest = tern_index_reach(index, meta, tern_table_tag(hash));
	struct tern_route found;
	for (uint64_t i = 0; i <= farthest; i++)
		for (uint32_t place = 0; place < TERN_BUCKET_PLACES; place++) {
			const struct tern_bucket *bucket = tern_index_bucket(index, home, i);
			if (!tern_index_route(shard, bucket, tern_index_meta(index, home, i, meta),
					      place, &found) ||
			    !tern_id_same(found.id, id))
				continue;
			*route = found;
			return true;
		}
	return false;
}

void tern_table_hash(const struct tern_table *table, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes)
{
	table->kernel->hash(&table->keys, ids, count, hashes);
}

uint64_t tern_table_prefetch(const struct tern_table *table, struct tern_id id)
{
	uint64_t hash = tern_table_hash_one(table, id);
	struct tern_bucket *index =
		__atomic_load_n(&tern_table_shard(table, hash)->index, __ATOMIC_ACQUIRE);
	const struct tern_bucket *bucket = &index[tern_index_home(index, hash)];
	__builtin_prefetch(bucket, 1);
	__builtin_prefetch((const unsigned char *)bucket + TERN_LINE, 1);
	return hash;
}

static void free_retired_indexes(const struct tern_table *table, struct tern_shard *shard)
{
	while (shard->retired_indexes &&
	       tern_table_is_quiet(table, shard->retired_indexes->token)) {
		struct tern_index_head *head = shard->retired_indexes;
		shard->retired_indexes = head->retired;
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
static struct tern_bucket *step(const struct tern_table *table, struct tern_shard *shard,
				uint64_t hash)
{
	struct tern_bucket *index = shard->index, *next = shard->next_index;
	if (unlikely(shard->retired_indexes != NULL) && !shard->prepared)
		free_retired_indexes(table, shard);
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
	if (likely(!IS_USED(shard->count, 7, count)) || shard->next_index)
		return index;
	start_growth(table, shard);
	return step(table, shard, hash);
}

static int insert(const struct tern_table *table, struct tern_shard *shard,
		  struct tern_bucket *index, uint64_t hash, const struct tern_place *place)
{
	uint64_t count = tern_index_head(index)->count;
	if (likely(tern_index_insert(table, index, hash, place, DISTANCE_CROWDED) == 0))
		return 0;
	/* Where readers are slow to be quiet, retired places alone may fill a small index. */
	if (IS_USED(shard->count, 2, count) || count <= DISTANCE_CROWDED) {
		while (shard->next_index)
			step(table, shard, hash);
		start_growth(table, shard);
		index = step(table, shard, hash);
	}
	return tern_index_insert(table, index, hash, place, DISTANCE_MAX);
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

static int add(const struct tern_table *table, struct tern_shard *shard, struct tern_bucket *index,
	       uint64_t hash, const struct tern_route *route)
{
	struct tern_place place = {.id = route->id};
	if (shard->count >= table->shard_routes_max)
		return -ENOSPC;
	place.word = make_word(table, shard, route);
	if (!place.word)
		return -ENOMEM;
	int code = insert(table, shard, index, hash, &place);
	if (code == 0)
		tern_store(&shard->count, shard->count + 1);
	else if (is_record(place.word))
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
	return 0;
}

int tern_table_add(struct tern_table *table, uint64_t hash, struct tern_id id, tern_address address)
{
	struct tern_shard *shard = tern_table_shard(table, hash);
	const struct tern_place place = {.id = id, .word = address};
	int code = -ENOSPC;
	tern_shard_lock(shard);
	struct tern_bucket *index = grow_if_full(table, shard, step(table, shard, hash), hash);
	if (likely(shard->count < table->shard_routes_max))
		code = insert(table, shard, index, hash, &place);
	if (likely(code == 0))
		tern_store(&shard->count, shard->count + 1);
	tern_shard_unlock(shard);
	return code;
}

int tern_table_put(struct tern_table *table, const struct tern_route *route, bool replace)
{
	uint64_t hash = tern_table_hash_one(table, route->id);
	struct tern_shard *shard = tern_table_shard(table, hash);
	int code = -EEXIST;
	if (route->address == TERN_ADDRESS_NONE || is_record(route->address))
		return -EINVAL;
	tern_shard_lock(shard);
	struct tern_bucket *index = grow_if_full(table, shard, step(table, shard, hash), hash);
	struct tern_spot spot = tern_index_seek(index, hash, route->id);
	if (!spot.bucket)
		code = add(table, shard, index, hash, route);
	else if (replace)
		code = replace_at(table, shard, spot, route);
	tern_shard_unlock(shard);
	return code;
}

int tern_table_remove(struct tern_table *table, struct tern_id id, tern_address address)
{
	uint64_t hash = tern_table_hash_one(table, id);
	struct tern_shard *shard = tern_table_shard(table, hash);
	int code = -ENOENT;
	tern_shard_lock(shard);
	struct tern_bucket *index = step(table, shard, hash);
	struct tern_spot spot = tern_index_seek(index, hash, id);
	uint64_t word = spot.bucket ? spot.bucket->words[spot.place] : TERN_ADDRESS_NONE;
	if (word && (!address || tern_word_address(shard, word) == address)) {
		tern_index_remove(table, index, hash, spot);
		if (is_record(word))
			tern_record_retire(table, shard, (uint32_t)word);
		tern_store(&shard->count, shard->count - 1);
		code = 0;
	}
	tern_shard_unlock(shard);
	return code;
}

void tern_table_each(const struct tern_table *table,
		     bool (*visit)(void *context, const struct tern_route *route), void *context)
{
	const struct tern_range all = {.first = 0, .last = UINT32_MAX};
	bool on = true;
	for (uint64_t i = 0; i <= table->shard_mask && on; i++) {
		const struct tern_shard *shard = &table->shards[i];
		struct tern_bucket *index = __atomic_load_n(&shard->index, __ATOMIC_ACQUIRE);
		on = tern_index_visit(table, shard, index, all, visit, context);
	}
}

/* A spare index for the growth to come, made without the lock. */
static bool prepare_index(struct tern_table *table, struct tern_shard *shard)
{
	tern_shard_lock(shard);
	uint64_t count = tern_index_head(shard->index)->count;
	bool wanted = !shard->next_index && !shard->spare_index && IS_USED(shard->count, 5, count);
	free_retired_indexes(table, shard);
	shard->prepared = true;
	tern_shard_unlock(shard);
	struct tern_bucket *spare =
		wanted ? tern_index_make(tern_index_count_next(count), table->huge_wanted) : NULL;
	if (!spare)
		return false;
	tern_shard_lock(shard);
	bool fits = !shard->next_index && !shard->spare_index &&
		    tern_index_head(shard->index)->count == count;
	if (fits)
		shard->spare_index = spare;
	tern_shard_unlock(shard);
	if (!fits)
		free_index(spare);
	return fits;
}

bool tern_table_prepare(struct tern_table *table)
{
	bool any = false;
	for (uint64_t i = 0; i <= table->shard_mask; i++) {
		any |= prepare_index(table, &table->shards[i]);
		any |= tern_pool_prepare(&table->shards[i].pool);
	}
	return any;
}
