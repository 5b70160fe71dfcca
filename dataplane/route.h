/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"

/** Agent id to address: half a line. */
struct tern_route {
	alignas(32) uint64_t version; /* odd while its writer changes it */
	uint64_t id_high;
	uint64_t id_low;
	tern_address address; /* TERN_ADDRESS_NONE: free */
};
_Static_assert(sizeof(struct tern_route) == 32, "two routes a line");

/**
 * Open addressing over routes, at most half full; any number of writers and readers.
 *
 * A writer claims a free entry by making its version odd (CAS); nobody waits for anybody: an odd
 * entry is skipped, by writers because it is taken, by readers because it is not published yet.
 * Readers write nothing. A miss looks no further than the longest distance any insertion needed.
 *
 * Ids are unique by their making (random, or a name's, which the caller keeps unique), so two
 * writers never insert the same one.
 */
struct tern_routes {
	struct tern_route *entries;
	uint64_t count;
	uint64_t seed;
	uint32_t distance_max; /* any writer writes, upwards */
};

/** Entries for a number of ids: twice it, so that the cost of an id is the same at any size. */
size_t tern_routes_entries(size_t ids);

/** Set a table up in zeroed memory of `entries` entries. */
void tern_routes_init(struct tern_routes *routes, struct tern_route *memory, size_t entries,
		      uint64_t seed);

/** Ask for the line an id will need. */
void tern_routes_prefetch(const struct tern_routes *routes, struct tern_id id);

/** Add a route. Returns 0; -ENOSPC: the table is full. Lock-free. */
int tern_routes_insert(struct tern_routes *routes, struct tern_id id, tern_address address);

/** Remove a route that leads to `address`. Context: only who inserted it, or its successor. */
void tern_routes_remove(struct tern_routes *routes, struct tern_id id, tern_address address);

/** The address of an id, or TERN_ADDRESS_NONE. Wait-free, writes nothing. */
tern_address tern_routes_find(const struct tern_routes *routes, struct tern_id id);

#endif
