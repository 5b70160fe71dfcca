/* SPDX-License-Identifier: Apache-2.0 */
#include "table_index.h"

#include "capabilities/memory/arena.h"
#include "table_find.h"
#include "table_pool.h"

#include <errno.h>

#include <rte_common.h>

/* An index begins at six tenths full: then one id in 23 is beyond its home. */
uint64_t tern_index_count(uint64_t routes)
{
	uint64_t count = routes * 10 / (TERN_BUCKET_PLACES * 6) + 1;
	return RTE_MAX(count, 2u);
}

uint64_t tern_index_count_next(uint64_t count)
{
	return count + count / 2;
}

uint64_t tern_index_bytes(uint64_t count)
{
	/* After the last bucket an empty one, for who looks into the next without wrapping round.
	 */
	return sizeof(struct tern_index_head) + (count + 1) * sizeof(struct tern_bucket);
}

uint64_t tern_index_bytes_grown(uint64_t routes)
{
	uint64_t count = tern_index_count(0);
	while (routes && tern_index_is_full(routes - 1, count))
		count = tern_index_count_next(count);
	return RTE_ALIGN_CEIL(tern_index_bytes(count), TERN_PAGE_4K);
}

struct tern_bucket *tern_index_make(uint64_t count, bool huge_wanted)
{
	struct tern_region region;
	if (tern_region_reserve(&region, tern_index_bytes(count), huge_wanted) != 0)
		return NULL;
	if (tern_region_extend(&region, tern_index_bytes(count)) != 0) {
		tern_region_release(&region);
		return NULL;
	}
	struct tern_index_head *head = (void *)region.base;
	head->count = count;
	head->region = region;
	return (struct tern_bucket *)(void *)(head + 1);
}

void tern_index_free(struct tern_index_head *head)
{
	struct tern_region region = head->region;
	tern_region_release(&region);
}

static uint32_t tag_of(uint64_t meta, uint32_t place)
{
	return (uint32_t)(meta >> 8 * place) & 0xFF;
}

static struct tern_id id_in(const struct tern_bucket *bucket, uint32_t place)
{
	const struct tern_id *id = &bucket->ids[place];
	return (struct tern_id){.high = __atomic_load_n(&id->high, __ATOMIC_ACQUIRE), /* R6 */
				.low = __atomic_load_n(&id->low, __ATOMIC_ACQUIRE)};
}

struct tern_spot tern_index_seek(struct tern_bucket *index, uint64_t hash, struct tern_id id)
{
	uint64_t home = tern_index_home(index, hash);
	uint64_t meta = tern_index_bucket(index, home, 0)->meta;
	uint32_t tag = tern_table_tag(hash);
	uint64_t farthest = tern_index_reach(index, meta, tag);
	for (uint64_t i = 0; i <= farthest; i++) {
		struct tern_bucket *bucket = tern_index_bucket(index, home, i);
		for (uint64_t mask = tern_meta_match(bucket->meta, tag); mask; mask &= mask - 1) {
			uint32_t place = tern_meta_place(mask);
			if (tern_id_same(bucket->ids[place], id))
				return (struct tern_spot){
					.bucket = bucket, .place = place, .distance = i};
		}
	}
	return (struct tern_spot){0};
}

/* W2, W3. */
static void set_meta(struct tern_bucket *bucket, uint64_t meta)
{
	__atomic_store_n(&bucket->meta, meta, __ATOMIC_RELEASE);
}

/* A home's meta, that tells of one id more so far from it. */
static uint64_t with_spill(struct tern_bucket *index, uint64_t meta, uint32_t tag,
			   uint64_t distance)
{
	struct tern_index_head *head = tern_index_head(index);
	uint64_t before = meta >> TERN_META_DISTANCE_SHIFT & TERN_META_DISTANCE_MAX;
	uint64_t after = RTE_MIN(distance, TERN_META_DISTANCE_MAX);
	if (distance > head->distance_max)
		tern_store(&head->distance_max, distance);
	if (after > before)
		meta += (after - before) << TERN_META_DISTANCE_SHIFT;
	return meta | tern_table_filter(tag);
}

static void fill_place(struct tern_bucket *bucket, uint32_t place, uint32_t tag,
		       const struct tern_place *from)
{
	__atomic_store_n(&bucket->ids[place].high, from->id.high, __ATOMIC_RELEASE); /* W6 */
	__atomic_store_n(&bucket->ids[place].low, from->id.low, __ATOMIC_RELEASE);
	set_meta(bucket, bucket->meta | (uint64_t)tag << 8 * place);
	__atomic_store_n(&bucket->words[place], from->word, __ATOMIC_RELEASE); /* W1, W4 */
}

int tern_index_insert(struct tern_bucket *index, uint64_t hash, const struct tern_place *from,
		      uint64_t limit)
{
	uint64_t home = tern_index_home(index, hash), count = tern_index_head(index)->count;
	uint32_t tag = tern_table_tag(hash);
	for (uint64_t i = 0; i <= limit && i < count; i++) {
		struct tern_bucket *bucket = tern_index_bucket(index, home, i);
		uint64_t unused = tern_meta_match(bucket->meta, 0);
		if (!unused)
			continue;
		fill_place(bucket, tern_meta_place(unused), tag, from);
		if (i) {
			bucket = tern_index_bucket(index, home, 0);
			set_meta(bucket, with_spill(index, bucket->meta, tag, i));
		}
		return 0;
	}
	return -ENOSPC;
}

/* Whether an id lives in a place and is of a home, and its hash. */
static bool is_of(const struct tern_table *table, struct tern_bucket *index, uint64_t home,
		  const struct tern_bucket *bucket, uint32_t place, uint64_t *hash)
{
	if (bucket->words[place] == TERN_ADDRESS_NONE)
		return false;
	*hash = tern_table_hash_one(table, bucket->ids[place]);
	return tern_index_home(index, *hash) == home;
}

/* What a home says of those beyond it is made anew, or it would fill up for ever. */
static void renew_meta(const struct tern_table *table, struct tern_bucket *index, uint64_t home)
{
	struct tern_bucket *bucket = tern_index_bucket(index, home, 0);
	uint64_t farthest = tern_index_distance(index, bucket->meta), hash;
	uint64_t meta = bucket->meta & TERN_META_TAGS;
	for (uint64_t i = 1; i <= farthest; i++) {
		const struct tern_bucket *other = tern_index_bucket(index, home, i);
		for (uint32_t place = 0; place < TERN_BUCKET_PLACES; place++)
			if (is_of(table, index, home, other, place, &hash))
				meta = with_spill(index, meta, tern_table_tag(hash), i);
	}
	set_meta(bucket, meta);
}

void tern_index_remove(const struct tern_table *table, struct tern_bucket *index, uint64_t hash,
		       struct tern_spot spot)
{
	uint64_t tag = 0xFFull << 8 * spot.place;
	__atomic_store_n(&spot.bucket->words[spot.place], TERN_ADDRESS_NONE, __ATOMIC_RELEASE);
	set_meta(spot.bucket, spot.bucket->meta & ~tag); /* W5 is before it */
	if (spot.distance)
		renew_meta(table, index, tern_index_home(index, hash));
}

void tern_index_move(const struct tern_table *table, struct tern_bucket *from,
		     struct tern_bucket *to, uint64_t home)
{
	struct tern_bucket *bucket = tern_index_bucket(from, home, 0);
	uint64_t meta = bucket->meta, hash;
	if (meta & TERN_META_MOVED)
		return;
	uint64_t farthest = tern_index_distance(from, meta);
	for (uint64_t i = 0; i <= farthest; i++) {
		const struct tern_bucket *other = tern_index_bucket(from, home, i);
		for (uint32_t place = 0; place < TERN_BUCKET_PLACES; place++) {
			if (!is_of(table, from, home, other, place, &hash))
				continue;
			/* There is a place: it has room for half as many again. */
			const struct tern_place it = {.id = other->ids[place],
						      .word = other->words[place]};
			tern_index_insert(to, hash, &it, UINT64_MAX);
			if (i == 0)
				meta &= ~(0xFFull << 8 * place);
		}
	}
	set_meta(bucket, meta | TERN_META_MOVED);
}

/* Where a reader has to look for a hash, moved homes followed. Yields the meta of its home. */
static struct tern_bucket *index_now(const struct tern_shard *shard, uint64_t hash, uint64_t *meta)
{
	struct tern_bucket *index = __atomic_load_n(&shard->index, __ATOMIC_ACQUIRE);
	for (;;) {
		const struct tern_bucket *bucket = &index[tern_index_home(index, hash)];
		*meta = __atomic_load_n(&bucket->meta, __ATOMIC_ACQUIRE); /* R2, R3 */
		if (!(*meta & TERN_META_MOVED))
			return index;
		index = __atomic_load_n(&tern_index_head(index)->next, __ATOMIC_ACQUIRE);
	}
}

uint64_t tern_index_look(const struct tern_bucket *bucket, uint64_t meta, uint32_t place,
			 struct tern_id *id)
{
	const uint64_t *at = &bucket->words[place];
	if (!tag_of(meta, place))
		return TERN_ADDRESS_NONE;
	uint64_t before, word = __atomic_load_n(at, __ATOMIC_ACQUIRE); /* R1, R4 */
	do {
		before = word;
		*id = id_in(bucket, place);
		word = __atomic_load_n(at, __ATOMIC_ACQUIRE); /* R5 */
	} while (word != before);
	return word;
}

/* The word of an id in a bucket; TERN_ADDRESS_NONE: it is not there. */
static uint64_t word_of(const struct tern_bucket *bucket, uint64_t meta, struct tern_id id)
{
	for (uint32_t place = 0; place < TERN_BUCKET_PLACES; place++) {
		struct tern_id other;
		uint64_t word = tern_index_look(bucket, meta, place, &other);
		if (word && tern_id_same(other, id))
			return word;
	}
	return TERN_ADDRESS_NONE;
}

/*
 * The meta of a bucket so far from a home, of which `meta` is the one that was not marked: loaded
 * again, it might be by now, without its tags.
 */
static uint64_t meta_at(struct tern_bucket *index, uint64_t home, uint64_t distance, uint64_t meta)
{
	if (distance == 0)
		return meta;
	return __atomic_load_n(&tern_index_bucket(index, home, distance)->meta, __ATOMIC_ACQUIRE);
}

uint64_t tern_index_word(const struct tern_shard *shard, uint64_t hash, struct tern_id id)
{
	uint64_t meta, word = TERN_ADDRESS_NONE;
	struct tern_bucket *index = index_now(shard, hash, &meta);
	uint64_t home = tern_index_home(index, hash);
	uint64_t farthest = tern_index_reach(index, meta, tern_table_tag(hash));
	for (uint64_t i = 0; i <= farthest && !word; i++) {
		const struct tern_bucket *bucket = tern_index_bucket(index, home, i);
		tern_bucket_prefetch_rest(bucket);
		word = word_of(bucket, meta_at(index, home, i, meta), id);
	}
	return word;
}

tern_address tern_table_find_slowly(const struct tern_shard *shard, uint64_t hash, uint64_t high,
				    uint64_t low)
{
	struct tern_id id = {.high = high, .low = low};
	return tern_word_address(shard, tern_index_word(shard, hash, id));
}

/* All but the link, which its writer may change as soon as the record is retired. */
static struct tern_route route_told(const struct tern_route *record)
{
	return (struct tern_route){.id = record->id,
				   .address = record->address,
				   .expires_ns = record->expires_ns,
				   .version = record->version,
				   .updated_ns = record->updated_ns,
				   .origin = record->origin,
				   .hops = record->hops,
				   .source = record->source,
				   .steady = record->steady};
}

struct tern_route tern_index_route(const struct tern_shard *shard, struct tern_id id, uint64_t word)
{
	if (word & TERN_WORD_RECORD)
		return route_told(&shard->records[(uint32_t)word].route);
	return (struct tern_route){.id = id, .address = word, .expires_ns = TERN_ROUTE_FOREVER};
}

/* The routes of one home, of a meta that is not marked, those in the range. */
static bool visit_home(const struct tern_table *table, const struct tern_shard *shard,
		       struct tern_bucket *index, uint64_t meta, struct tern_range range,
		       bool (*visit)(void *context, const struct tern_route *route), void *context)
{
	uint64_t home = tern_index_home(index, range.first << 32);
	uint64_t farthest = tern_index_distance(index, meta);
	for (uint64_t i = 0; i <= farthest; i++)
		for (uint32_t place = 0; place < TERN_BUCKET_PLACES; place++) {
			struct tern_id id;
			uint64_t word = tern_index_look(tern_index_bucket(index, home, i),
							meta_at(index, home, i, meta), place, &id);
			uint64_t hash = word ? tern_table_hash_one(table, id) : 0;
			if (!word || tern_index_home(index, hash) != home ||
			    hash >> 32 < range.first || hash >> 32 > range.last)
				continue;
			struct tern_route route = tern_index_route(shard, id, word);
			if (!visit(context, &route))
				return false;
		}
	return true;
}

struct tern_range tern_index_range(const struct tern_bucket *index, uint64_t home)
{
	uint64_t count = tern_index_head(index)->count;
	return (struct tern_range){.first = ((home << 32) + count - 1) / count,
				   .last = (((home + 1) << 32) + count - 1) / count - 1};
}

bool tern_index_visit(const struct tern_table *table, const struct tern_shard *shard,
		      struct tern_bucket *index, struct tern_range range,
		      bool (*visit)(void *context, const struct tern_route *route), void *context)
{
	uint64_t first = tern_index_home(index, range.first << 32);
	uint64_t last = tern_index_home(index, range.last << 32);
	bool on = true;
	for (uint64_t home = first; home <= last && on; home++) {
		uint64_t meta = __atomic_load_n(&index[home].meta, __ATOMIC_ACQUIRE);
		struct tern_range part = tern_index_range(index, home);
		part.first = RTE_MAX(part.first, range.first);
		part.last = RTE_MIN(part.last, range.last);
		if (meta & TERN_META_MOVED)
			on = tern_index_visit(
				table, shard,
				__atomic_load_n(&tern_index_head(index)->next, __ATOMIC_ACQUIRE),
				part, visit, context);
		else
			on = visit_home(table, shard, index, meta, part, visit, context);
	}
	return on;
}
