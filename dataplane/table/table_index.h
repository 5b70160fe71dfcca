/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_INDEX_H
#define TABLE_INDEX_H

#include "table.h"

/* An index: its memory, and what a writer does to it. Context: the shard's lock, where nothing
 * else is said. */

/** Where an id is. */
struct tern_spot {
	struct tern_bucket *bucket; /* NULL: nowhere */
	uint32_t place;		    /* in the bucket */
	uint64_t distance;	    /* of the bucket from the id's home */
};

/** Hashes by their high 32 bits, from first to last. */
struct tern_range {
	uint64_t first, last;
};

/** Make an index of `count` buckets, at least 2. NULL: no memory. Any thread. */
struct tern_bucket *tern_index_make(uint64_t count, bool huge_wanted);

/** Give an index back. Context: no reader knows it. */
void tern_index_free(struct tern_index_head *head);

/** Buckets for so many routes to begin with, of the next index, and bytes. Any thread. */
uint64_t tern_index_count(uint64_t routes);
uint64_t tern_index_count_next(uint64_t count);
uint64_t tern_index_bytes(uint64_t count);

/** Bytes that an index holds, in pages of 4 KiB, when so many routes came to it one by one and its
 * growth has ended. Any thread. */
uint64_t tern_index_bytes_grown(uint64_t routes);

/** Whether so many routes use more than so many tenths of the places. */
static inline bool tern_index_is_used(uint64_t routes, uint64_t tenths, uint64_t count)
{
	return routes * 10 > count * TERN_BUCKET_PLACES * tenths;
}

/** Whether an index has so many routes that it grows with the next one. */
static inline bool tern_index_is_full(uint64_t routes, uint64_t count)
{
	return tern_index_is_used(routes, 7, count);
}

/** Routes that an index comes to have before the next one makes it grow. */
static inline uint64_t tern_index_routes_max(uint64_t count)
{
	return count * TERN_BUCKET_PLACES * 7 / 10 + 1;
}

struct tern_spot tern_index_seek(struct tern_bucket *index, uint64_t hash, struct tern_id id);

/** Put an id in, `limit` buckets from its home at most. 0; -ENOSPC. */
int tern_index_insert(struct tern_bucket *index, uint64_t hash, const struct tern_place *place,
		      uint64_t limit);

/** Take an id out. Its place is free at once. */
void tern_index_remove(const struct tern_table *table, struct tern_bucket *index, uint64_t hash,
		       struct tern_spot spot);

/** Copy the ids of a home to the next index, and mark it moved. */
void tern_index_move(const struct tern_table *table, struct tern_bucket *from,
		     struct tern_bucket *to, uint64_t home);

/**
 * The id in a place of a bucket with this meta, and its word. TERN_ADDRESS_NONE: none is, and the
 * id is not yielded. It may be
 * what was left of a home that has moved: only an id of this home has a word that still holds.
 * Readers.
 */
uint64_t tern_index_look(const struct tern_bucket *bucket, uint64_t meta, uint32_t place,
			 struct tern_id *id);

/** What is known of the route of an id, by a word that holds. Readers. */
struct tern_route tern_index_route(const struct tern_shard *shard, struct tern_id id,
				   uint64_t word);

/** The word of an id; TERN_ADDRESS_NONE: it is not in the index. Readers. */
uint64_t tern_index_word(const struct tern_shard *shard, uint64_t hash, struct tern_id id);

/** The hashes of one home. Any thread. */
struct tern_range tern_index_range(const struct tern_bucket *index, uint64_t home);

/** Visit the routes of a range of hashes, whatever indexes they are in. False: the visitor ended
 * it. Readers. */
bool tern_index_visit(const struct tern_table *table, const struct tern_shard *shard,
		      struct tern_bucket *index, struct tern_range range,
		      bool (*visit)(void *context, const struct tern_route *route), void *context);

#endif
