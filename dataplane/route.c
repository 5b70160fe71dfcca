/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <errno.h>
#include <stdbool.h>

#include "capabilities/counter.h"

size_t tern_routes_entries(size_t ids)
{
	return ids < 32 ? 64 : 2 * ids;
}

void tern_routes_init(struct tern_routes *routes, struct tern_route *memory, size_t entries,
		      uint64_t seed)
{
	*routes = (struct tern_routes){.entries = memory, .count = entries, .seed = seed};
}

static uint64_t home_of(const struct tern_routes *routes, struct tern_id id)
{
	uint64_t mixed = (id.low ^ routes->seed) * 0x9E3779B97F4A7C15u;
	mixed = (mixed ^ (mixed >> 32) ^ id.high) * 0xD6E8FEB86659FD93u;
	/* The product's upper half spreads over any number of entries, with no division. */
	return (uint64_t)((unsigned __int128)(mixed ^ (mixed >> 32)) * routes->count >> 64);
}

static struct tern_route *route_at(const struct tern_routes *routes, uint64_t home, uint64_t i)
{
	uint64_t at = home + i;
	return &routes->entries[at < routes->count ? at : at - routes->count];
}

void tern_routes_prefetch(const struct tern_routes *routes, struct tern_id id)
{
	__builtin_prefetch(&routes->entries[home_of(routes, id)], 1);
}

/* Claim an entry whose version was seen even (C1); pairs with the release of publish (P1). */
static bool claim(struct tern_route *route, uint64_t version)
{
	return __atomic_compare_exchange_n(&route->version, &version, version + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void publish(struct tern_route *route, uint64_t version)
{
	__atomic_store_n(&route->version, version + 2, __ATOMIC_RELEASE);
}

static void raise_distance(struct tern_routes *routes, uint32_t distance)
{
	uint32_t seen = tern_load(&routes->distance_max);
	while (seen < distance &&
	       !__atomic_compare_exchange_n(&routes->distance_max, &seen, distance, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

int tern_routes_insert(struct tern_routes *routes, struct tern_id id, tern_address address)
{
	uint64_t home = home_of(routes, id);
	for (uint64_t i = 0; i < routes->count; i++) {
		struct tern_route *route = route_at(routes, home, i);
		uint64_t version = __atomic_load_n(&route->version, __ATOMIC_ACQUIRE);
		if (version & 1 || tern_load(&route->address) || !claim(route, version))
			continue;
		raise_distance(routes, (uint32_t)i);
		/*
		 * Release: a reader that sees one of these also sees the odd version (R2 below),
		 * so that it never pairs an old id with a new address.
		 */
		__atomic_store_n(&route->id_high, id.high, __ATOMIC_RELEASE);
		__atomic_store_n(&route->id_low, id.low, __ATOMIC_RELEASE);
		__atomic_store_n(&route->address, address, __ATOMIC_RELEASE);
		publish(route, version);
		return 0;
	}
	return -ENOSPC;
}

/*
 * R1 pairs with P1. The loads between are acquire, so that the second look at the version (R2)
 * cannot move before them.
 */
static bool read_route(const struct tern_route *route, struct tern_id id, tern_address *address)
{
	uint64_t version = __atomic_load_n(&route->version, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&route->id_low, __ATOMIC_ACQUIRE) != id.low ||
	    __atomic_load_n(&route->id_high, __ATOMIC_ACQUIRE) != id.high)
		return false;
	*address = __atomic_load_n(&route->address, __ATOMIC_ACQUIRE);
	return !(version & 1) && tern_load(&route->version) == version && *address;
}

tern_address tern_routes_find(const struct tern_routes *routes, struct tern_id id)
{
	uint64_t home = home_of(routes, id);
	uint32_t distance = tern_load(&routes->distance_max);
	tern_address address;
	for (uint64_t i = 0; i <= distance; i++)
		if (read_route(route_at(routes, home, i), id, &address))
			return address;
	return TERN_ADDRESS_NONE;
}

void tern_routes_remove(struct tern_routes *routes, struct tern_id id, tern_address address)
{
	uint64_t home = home_of(routes, id);
	uint32_t distance = tern_load(&routes->distance_max);
	for (uint64_t i = 0; i <= distance; i++) {
		struct tern_route *route = route_at(routes, home, i);
		uint64_t version = __atomic_load_n(&route->version, __ATOMIC_ACQUIRE);
		tern_address found;
		if (!read_route(route, id, &found) || found != address || !claim(route, version))
			continue;
		__atomic_store_n(&route->address, TERN_ADDRESS_NONE, __ATOMIC_RELEASE);
		publish(route, version);
		return;
	}
}
