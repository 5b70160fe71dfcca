/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_TABLE_H
#define TERN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_error.h"

struct rte_rcu_qsbr;

/**
 * The routing table: agent id to address and route, in flat hugepage memory.
 *
 * A lookup compares the whole id, so that its answer is certain, and writes nothing: any number
 * of threads look up while others write, and none ever waits; it repeats a look only at a place
 * that was changed meanwhile. Writers of one shard take turns by a lock; those of different shards
 * do not meet. The table grows while it is used, in bounded steps that its writers take along.
 *
 * Readers report now and then that they are quiet, between lookups (rte_rcu_qsbr_quiescent() on
 * the variable given at creation): memory of routes with more to tell, and of tables outgrown, is
 * used again when all have. A place is free as soon as its route has been taken out.
 */
struct tern_table;

/** In expires_ns: never. */
#define TERN_ROUTE_FOREVER UINT64_MAX
/** Routes of one shard, at most. */
#define TERN_TABLE_SHARD_ROUTES_MAX (1u << 28)
#define TERN_TABLE_SHARDS_MAX 64u
/**
 * Changed or removed routes that a shard keeps for readers which are not quiet, at most: so many,
 * and so many times as many as it has room for. Only those that had more to tell are kept, of 64
 * bytes each.
 */
#define TERN_TABLE_RETIRED_MIN (1u << 20)
#define TERN_TABLE_RETIRED_TIMES 15u

/** Where a route was learned. */
enum tern_route_source {
	TERN_ROUTE_LOCAL,     /**< the agent lives here */
	TERN_ROUTE_GOSSIP,    /**< another node told */
	TERN_ROUTE_DISCOVERY, /**< asked for, and answered */
	TERN_ROUTE_STATIC,    /**< configured by hand */
	TERN_ROUTE_MIGRATION, /**< the agent moved */
	TERN_ROUTE_SOURCES,
};

/** One route. */
struct tern_route {
	struct tern_id id;
	tern_address address; /**< its node is 0 for an agent of this process */
	uint64_t expires_ns;  /**< on the clock of whoever put it in; TERN_ROUTE_FOREVER */
	uint64_t version;     /**< of the origin node's routes, when it said so */
	uint64_t updated_ns;  /**< same clock */
	uint16_t origin;      /**< node that the route comes from */
	uint8_t hops;	      /**< nodes between here and the agent; 0: it lives here */
	uint8_t source : 4;   /**< enum tern_route_source */
	uint8_t steady : 4;   /**< how seldom the address changes: tern_router.h; 0 unsteady */
	uint32_t link;	      /* the table's own */
};

/** What to make. */
struct tern_table_options {
	uint64_t routes_max;	  /**< room for so many; 0: 1,048,576 */
	uint64_t routes_expected; /**< size to start with; 0: the smallest */
	uint32_t shards;	  /**< power of two up to TERN_TABLE_SHARDS_MAX; 0: 1 */
	const uint64_t *seed;	  /**< two words for the hash; NULL: from the kernel's generator */
	struct rte_rcu_qsbr *quiet; /**< keeps; NULL: one thread alone uses the table */
	const char *kernel;	    /**< "avx512", "avx2", "scalar"; NULL: the best there is */
	size_t page_bytes_max;	    /**< 4 KiB or 2 MiB; 0: 2 MiB where they are to be had */
};

/**
 * Make an empty table.
 *
 * @param table  yields it
 * @param error  a message for a person; may be NULL
 * @return 0; -EINVAL: an option is out of range; -ENOTSUP: this CPU has no such kernel; -ENOMEM
 *
 * Context: any thread.
 */
TERN_API int tern_table_create(struct tern_table **table, const struct tern_table_options *options,
			       struct tern_error *error);

/** Free a table. Context: nobody uses it any more. */
TERN_API void tern_table_destroy(struct tern_table *table);

/**
 * Look an id up. Wait-free; writes nothing; touches a pair of lines, seldom more.
 *
 * @return where it leads; TERN_ADDRESS_NONE: nowhere. Whether a route to another node is still
 *         fresh is in tern_table_route().
 *
 * Context: any thread that the quiet variable knows and that is online there.
 */
TERN_API tern_address tern_table_find(const struct tern_table *table, struct tern_id id);

/**
 * Look many ids up at once, overlapping what each waits for.
 *
 * @param addresses  yields `count`, TERN_ADDRESS_NONE where there is none
 *
 * Context: as tern_table_find().
 */
TERN_API void tern_table_find_batch(const struct tern_table *table, const struct tern_id *ids,
				    uint32_t count, tern_address *addresses);

/**
 * Look up all that is known of a route. Wait-free; writes nothing; touches a line more.
 *
 * @param route  yields it, as one tern_table_put() left it
 * @return false: there is none, and nothing is yielded
 *
 * Context: as tern_table_find().
 */
TERN_API bool tern_table_route(const struct tern_table *table, struct tern_id id,
			       struct tern_route *route);

/**
 * Ask the memory for what a lookup or a put of an id will touch.
 *
 * @return the id's hash, for tern_table_put_hashed()
 *
 * Context: as tern_table_find().
 */
TERN_API uint64_t tern_table_prefetch(const struct tern_table *table, struct tern_id id);

/**
 * Put a route in.
 *
 * @param route    borrows; one that says no more than that an agent lives here, and for ever, takes
 *                 no memory but its place in the table. Its address names one life of one agent:
 *                 taken out, it is not put in under another id before all readers were quiet
 * @param replace  what to do where the id has a route: put this one in its place, or refuse
 * @return 0; -EINVAL: no address, or one of a node above 8,191; -EEXIST: refused; -ENOSPC: the
 * table is full, or too many ids of the same hash are in it; -ENOMEM: no memory, or readers that
 * are not quiet keep as many routes that had more to tell as TERN_TABLE_RETIRED_MIN and _TIMES say:
 * again when they have been
 *
 * Memory: a reader that is not quiet costs 64 bytes for each such route that is changed or taken
 * out meanwhile, up to that bound. What it kept is used again, the oldest first, before more memory
 * is taken; it is not given back to the system.
 *
 * Context: any thread; takes the shard's lock. Takes a step of growth along.
 */
TERN_API int tern_table_put(struct tern_table *table, const struct tern_route *route, bool replace);

/**
 * Put a route in place of one that leads to a certain address.
 *
 * @param over  that address; TERN_ADDRESS_NONE: only where the id has no route
 * @return as tern_table_put(); -EEXIST: the id has another route, or none
 *
 * Context: as tern_table_put().
 */
TERN_API int tern_table_put_over(struct tern_table *table, const struct tern_route *route,
				 tern_address over);

/**
 * Put in that an agent lives here, for ever, under an id that is new: drawn at random. Its address
 * as in tern_table_put().
 *
 * @param hash  that tern_table_prefetch() gave for the id
 * @return as tern_table_put(), and -EINVAL: an address of another node; never -EEXIST: nobody looks
 *
 * Context: as tern_table_put().
 */
TERN_API int tern_table_add(struct tern_table *table, uint64_t hash, struct tern_id id,
			    tern_address address);

/**
 * Take a route out.
 *
 * @param address  that the route must lead to; TERN_ADDRESS_NONE: whatever it leads to
 * @return 0; -ENOENT: there is no such route
 *
 * Context: as tern_table_put().
 */
TERN_API int tern_table_remove(struct tern_table *table, struct tern_id id, tern_address address);

/**
 * Visit every route: once each that stays in the table, once at most each that comes or goes.
 *
 * @param visit  borrows the route; returns false to end the walk
 *
 * Context: as tern_table_find().
 */
TERN_API void tern_table_each(const struct tern_table *table,
			      bool (*visit)(void *context, const struct tern_route *route),
			      void *context);

/** Buckets that one step of a walk gets through, at most. */
#define TERN_TABLE_STEP_HOMES 1024u

/** Where a walk in steps is; all zero: at its beginning. Any value is safe to go on from. */
struct tern_table_cursor {
	uint64_t shard;
	uint64_t hash;
	struct tern_id id;
};

/**
 * Visit the next routes of a walk, in an order of the table's own: as tern_table_each(), but in
 * steps, between which the caller may be quiet or offline and the table may grow.
 *
 * A step ends after `count` routes, or TERN_TABLE_STEP_HOMES buckets: it takes a bounded time also
 * where the table is large and empty.
 *
 * @param cursor  where to go on; yields where the step ended
 * @param visit   borrows the route; returns false to end the step after it
 * @return whether there may be more
 *
 * Context: as tern_table_find().
 */
TERN_API bool tern_table_each_from(const struct tern_table *table, struct tern_table_cursor *cursor,
				   uint32_t count,
				   bool (*visit)(void *context, const struct tern_route *route),
				   void *context);

/**
 * Get memory for growth ready ahead of its need, so that no writer waits for the kernel.
 *
 * @return whether there was anything to do, or a writer in the way of looking
 *
 * Context: any one thread; holds no lock while it asks the kernel.
 */
TERN_API bool tern_table_prepare(struct tern_table *table);

/** What a table is at a moment. */
struct tern_table_stats {
	uint64_t routes;
	uint64_t buckets;      /**< of five routes each */
	uint64_t version;      /**< changes so far: grows with each, on no line that shards share */
	uint64_t grown;	       /**< times a shard has */
	uint64_t distance_max; /**< most buckets between a route and its home */
	uint64_t growing;      /**< shards that do at this moment */
	uint64_t shards;
	uint64_t bytes;	   /**< memory held */
	size_t page_bytes; /**< smallest page under it */
	const char *kernel;
};

/** Context: any thread; takes each shard's lock in turn. */
TERN_API void tern_table_stats(struct tern_table *table, struct tern_table_stats *stats);

/**
 * What tern_table_stats() tells, without the locks: no writer can be held up. The bytes leave out
 * indexes that are ready for growth to come, or wait to be freed.
 *
 * Context: as tern_table_find().
 */
TERN_API void tern_table_look(const struct tern_table *table, struct tern_table_stats *stats);

/**
 * Bytes that a table holds on average, in pages of 4 KiB, that was made for so many routes of
 * random ids and has them, none of them changed. Shards get unequal shares: a table of several is
 * seldom more than a few percent off, the less the more routes it has.
 *
 * @param routes   in it
 * @param records  of them, with more to tell than where an agent of this process lives
 */
TERN_API uint64_t tern_table_bytes(uint64_t routes, uint64_t records, uint32_t shards);

/** Hash ids as the table does, several at a time. `hashes` yields `count`. */
TERN_API void tern_table_hash(const struct tern_table *table, const struct tern_id *ids,
			      uint32_t count, uint64_t *hashes);

/** Names of the kernels that this machine can use, best first; NULL: no more than `place`. */
TERN_API const char *tern_table_kernel_name(uint32_t place);

#endif
