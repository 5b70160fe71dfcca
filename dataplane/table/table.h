/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TABLE_H
#define TABLE_H

#include "tern_table.h"

#include <stdalign.h>

#include "capabilities/counter.h"
#include "capabilities/lock.h"
#include "capabilities/memory/region.h"

/*
 * A shard is an index: open addressing in buckets of two neighbouring lines. A bucket holds five
 * ids with their addresses, and one word about them. A lookup touches one bucket, seldom two, and
 * compares the whole id there. What else is known of a route is in a record beside, for those
 * routes that have more to tell; their address word names it.
 *
 *   meta   bit  63      MOVED: see the next index
 *          bits 62..59  distance: ids whose home this is lie in so many buckets after it
 *          bits 55..40  which of those there may be, by the tag's high half
 *          bits 39..0   a tag for each place: part of the hash; 0: free
 *
 * A writer fills a place's id, then its tag, then its word (W1, release); a reader that finds the
 * tag loads the word (R1, acquire), then the id: who sees a word sees the id that it was stored
 * for, or one that came after it. An update stores another word. An id is taken out by storing no
 * word (W5), then clearing its tag: the place is free at once, whatever readers do, and the next id
 * that comes there is stored behind W5 (W6, release). So a reader whose id agrees loads the word
 * once more (R5), after the id (R6, acquire): had it read a part of a later id (W6-R6), R5 would
 * find what W5 stored, or something later. Where both readings give the same word, the id was that
 * word's own all the time. This needs that a word does not come back to a place while a reader
 * looks: a record's number is used again only when every reader has been quiet (rte_rcu_qsbr), and
 * the address of an agent is the address of one life of one agent (tern_table_put()). Where they
 * differ a writer changed that very place in between, and the reader looks at it again. Without R5
 * a reader could take the address of an agent that has ended for that of the next one in its place.
 *
 * An id that lies beyond its home is there before the home's meta says so (W2, release; R2,
 * acquire): who sees the filter sees the id.
 *
 * Growth: a second index, half as large again. All ids of one home are copied there, then the home
 * is marked MOVED (W3, release) and its own tags are cleared; a reader that finds nothing looks at
 * the mark (R3, acquire) and goes on in the next index. A writer moves the home it is
 * about to change and the next few. What lies in the places of a moved home stays as it was: a
 * reader that saw tags finds what was true then, and who passes them on the way to its own id does
 * not follow their words: the records may be others' by now. When all have moved the next index
 * takes over, and the old one is retired.
 *
 * A record never changes once a place names it (W4, release; R4, acquire): an update stores
 * another one's number, and the old one is retired.
 *
 * So only indexes and records wait for readers. Both are bounded however long one takes: an index
 * is retired once for each growth, and records have a limit of their own (table_create.c), far
 * above what there is room for: a reader that takes long costs memory before it costs refusals.
 */
#define TERN_BUCKET_PLACES 5u
#define TERN_META_MOVED (1ull << 63)
#define TERN_META_DISTANCE_SHIFT 59
#define TERN_META_DISTANCE_MAX 15u /* and more: the index's own */
#define TERN_META_FILTER_SHIFT 40
#define TERN_META_TAGS 0xFFFFFFFFFFull
#define TERN_META_ONES 0x0101010101ull /* in each tag */
/* A word with this bit, of nodes that there never are, holds the number of a record. */
#define TERN_WORD_RECORD (1ull << 63)

/** What a place of a bucket holds. */
struct tern_place {
	struct tern_id id;
	uint64_t word; /* address or record; TERN_ADDRESS_NONE: free */
};

/* All words in the first line: what a lookup comes to is there, the ids only have to agree. */
struct tern_bucket {
	alignas(2 * TERN_LINE) uint64_t meta;
	uint64_t words[TERN_BUCKET_PLACES];
	struct tern_id ids[TERN_BUCKET_PLACES];
};
_Static_assert(sizeof(struct tern_bucket) == 2 * TERN_LINE, "a bucket is two lines");
_Static_assert(offsetof(struct tern_bucket, ids[1]) == TERN_LINE, "no id lies in both lines");

/** What is known of a route; its own line. */
struct tern_record {
	alignas(TERN_LINE) struct tern_route route; /* its link: free or retired, the next one */
	uint64_t token;				    /* retired: free when this is quiet */
};
_Static_assert(sizeof(struct tern_record) == TERN_LINE, "a record is a line");

/** What lies before an index's buckets. */
struct tern_index_head {
	alignas(2 * TERN_LINE) uint64_t count; /* of buckets; constant */
	struct tern_bucket *next;	       /* the index that follows; NULL: none yet */
	uint64_t distance_max;		       /* of any home */
	uint64_t token;			       /* retired: gone when this is quiet */
	struct tern_index_head *retired;       /* the one retired before */
	struct tern_region region;	       /* that it lies in */
};

/** The keys of the hash, all of them secret and random; a kernel uses some. */
struct tern_table_keys {
	alignas(16) uint64_t rounds[4][2]; /* of AES */
	uint32_t add[4];		   /* to the words of an id, as they lie in memory */
	uint64_t mix;			   /* odd */
};

/** Records: those never used, in memory that grows, and those free again. */
struct tern_pool {
	uint64_t used; /* ever, the first, which stands for none, included */
	uint64_t most; /* constant */
	uint32_t free; /* 0: none */
	uint32_t retired, last_retired;
	/* whoever adds memory, under a lock of its own */
	ck_spinlock_t memory_lock;
	struct tern_region memory;
};

struct tern_shard {
	/* readers read; a writer writes when an index takes over */
	alignas(TERN_LINE) struct tern_bucket *index;
	struct tern_record *records;

	/* writers, under the lock; any thread reads the counts */
	alignas(TERN_LINE) ck_spinlock_t lock;
	uint64_t count;
	uint64_t version; /* changes so far */
	uint64_t grown;
	uint64_t cursor;			 /* growing: homes below have moved */
	struct tern_bucket *next_index;		 /* NULL: not growing */
	struct tern_bucket *spare_index;	 /* one ready to grow into */
	struct tern_index_head *retired_indexes; /* the last one first */
	bool prepared;				 /* somebody else frees them */
	struct tern_pool pool;
};

struct tern_finder;

/*
 * The halves of the id apart: as a struct, gcc 12 stores them to the stack and loads them as one
 * vector, which no processor forwards. The load then waits until the stores have retired, and no
 * lookup overlaps another.
 */
typedef tern_address tern_table_lookup(const struct tern_finder *finder, uint64_t high,
				       uint64_t low);

/** What a lookup reads of a table: constant, so that who looks often keeps a copy at hand. */
struct tern_finder {
	alignas(TERN_LINE) struct tern_table_keys keys;
	uint64_t shard_bits; /* of a hash: where its shard is, in bytes */
	struct tern_shard *shards;
	tern_table_lookup *find; /* the kernel's */
};
_Static_assert(sizeof(struct tern_finder) == 2 * TERN_LINE, "a finder is two lines");

struct tern_table_kernel {
	const char *name;
	bool (*usable)(void);
	tern_table_lookup *find;
	void (*find_batch)(const struct tern_finder *finder, const struct tern_id *ids,
			   uint32_t count, tern_address *addresses);
	void (*hash)(const struct tern_table_keys *keys, const struct tern_id *ids, uint32_t count,
		     uint64_t *hashes);
};

extern const struct tern_table_kernel tern_table_avx512, tern_table_avx2, tern_table_scalar;

/** The kernel of a name, or the best (NULL), that this machine can use; NULL: none. */
const struct tern_table_kernel *tern_table_kernel(const char *name);

struct tern_table {
	/* constant */
	struct tern_finder finder;
	uint32_t shard_count;
	const struct tern_table_kernel *kernel;
	struct rte_rcu_qsbr *quiet;
	uint64_t shard_routes_max;
	bool huge_wanted;
};

/* Of a hash the low byte is the tag, the next chooses the shard, the high bits the bucket. */
#define TERN_HASH_SHARD_SHIFT 8
_Static_assert(sizeof(struct tern_shard) == 1 << TERN_HASH_SHARD_SHIFT,
	       "masked, a hash is its shard's place");

static inline struct tern_shard *tern_finder_shard(const struct tern_finder *finder, uint64_t hash)
{
	unsigned char *shards = (unsigned char *)finder->shards;
	return (struct tern_shard *)(void *)(shards + (hash & finder->shard_bits));
}

static inline struct tern_shard *tern_table_shard(const struct tern_table *table, uint64_t hash)
{
	return tern_finder_shard(&table->finder, hash);
}

/** The tag of a hash: a byte, never 0. */
static inline uint32_t tern_table_tag(uint64_t hash)
{
	uint32_t tag = (uint32_t)hash & 0xFF;
	return tag + !tag;
}

static inline uint64_t tern_table_filter(uint32_t tag)
{
	return 1ull << (TERN_META_FILTER_SHIFT + (tag >> 4));
}

static inline uint64_t tern_table_hash_one(const struct tern_table *table, struct tern_id id)
{
	uint64_t hash;
	table->kernel->hash(&table->finder.keys, &id, 1, &hash);
	return hash;
}

static inline struct tern_index_head *tern_index_head(const struct tern_bucket *index)
{
	return (struct tern_index_head *)(uintptr_t)index - 1;
}

/** The bucket of a hash, among those of an index. */
static inline uint64_t tern_index_home(const struct tern_bucket *index, uint64_t hash)
{
	return (hash >> 32) * tern_index_head(index)->count >> 32;
}

static inline struct tern_bucket *tern_index_bucket(struct tern_bucket *index, uint64_t home,
						    uint64_t distance)
{
	uint64_t at = home + distance, count = tern_index_head(index)->count;
	return &index[at < count ? at : at - count];
}

/** How far from a home its ids lie, by its meta. */
static inline uint64_t tern_index_distance(const struct tern_bucket *index, uint64_t meta)
{
	uint64_t distance = meta >> TERN_META_DISTANCE_SHIFT & TERN_META_DISTANCE_MAX;
	return distance < TERN_META_DISTANCE_MAX ? distance
						 : tern_load(&tern_index_head(index)->distance_max);
}

/** How far from a home an id with this tag may lie, by the home's meta. */
static inline uint64_t tern_index_reach(const struct tern_bucket *index, uint64_t meta,
					uint32_t tag)
{
	return meta & tern_table_filter(tag) ? tern_index_distance(index, meta) : 0;
}

/** Where the word of a place leads: an address, or what the record that it names has. */
static inline tern_address tern_word_address(const struct tern_shard *shard, uint64_t word)
{
	if (__builtin_expect((word & TERN_WORD_RECORD) != 0, 0))
		return shard->records[(uint32_t)word].route.address;
	return word;
}

/** Which of the five tags are `tag` (0: the free ones): a bit for each, exact. */
static inline uint64_t tern_meta_match(uint64_t meta, uint32_t tag)
{
	const uint64_t ones = TERN_META_ONES, low = 0x7F * ones;
	uint64_t other = (meta & TERN_META_TAGS) ^ tag * ones;
	return ~((((other & low) + low) | other) | low) & 0x80 * ones;
}

/** The place of the lowest bit of such a mask. */
static inline uint32_t tern_meta_place(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask) / 8;
}

static inline bool tern_id_same(struct tern_id a, struct tern_id b)
{
	return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

#endif
