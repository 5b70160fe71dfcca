/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTES_H
#define ROUTES_H

/* Tables under test, and ids of several shapes. */
#include "tests/unit/support.h"

#include "tern_table.h"

#include "capabilities/counter.h"

#include <rte_rcu_qsbr.h>

#define ID_KINDS 5

/** Random ids, and those that a poor hash would throw together. */
static inline struct tern_id make_id(uint64_t seed, uint32_t kind, uint64_t i)
{
	struct tern_rng rng = tern_rng_stream(seed, i);
	switch (kind % ID_KINDS) {
	case 0:
		return (struct tern_id){.high = tern_rng_next(&rng), .low = tern_rng_next(&rng)};
	case 1:
		return (struct tern_id){.high = 0, .low = i};
	case 2:
		return (struct tern_id){.high = i << 32, .low = 0};
	case 3:
		return (struct tern_id){.high = i, .low = i};
	default:
		return (struct tern_id){.high = i << 40, .low = ~i << 20};
	}
}

static inline struct tern_table *make_table(const struct tern_table_options *options)
{
	struct tern_table *table = NULL;
	struct tern_error error = {0};
	if (tern_table_create(&table, options, &error) != 0)
		fail_msg("no table: %s", error.text);
	return table;
}

/** A quiet variable for so many threads, of which each registers itself. */
static inline struct rte_rcu_qsbr *make_quiet(uint32_t threads)
{
	size_t bytes = rte_rcu_qsbr_get_memsize(threads);
	struct rte_rcu_qsbr *quiet = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	assert_non_null(quiet);
	assert_int_equal(rte_rcu_qsbr_init(quiet, threads), 0);
	return quiet;
}

/** Wait until readers count another look: on one CPU they, too, have a turn. */
static inline void await_look(const uint64_t *looked)
{
	uint64_t before = tern_load(looked);
	while (tern_load(looked) == before)
		breathe();
}

/** Each kernel of this machine by turns. */
static inline const char *kernel_by_turns(uint64_t turn)
{
	uint32_t count = 0;
	while (tern_table_kernel_name(count))
		count++;
	return tern_table_kernel_name((uint32_t)(turn % count));
}

/** To an agent of this process; of an odd address more is told. */
static inline struct tern_route route_to(struct tern_id id, tern_address address)
{
	struct tern_route route = {.id = id, .address = address, .expires_ns = TERN_ROUTE_FOREVER};
	if (address % 2) {
		route.version = ~address;
		route.expires_ns = address + 1;
		route.source = TERN_ROUTE_GOSSIP;
	}
	return route;
}

/** Whether a route is as route_to() made it. */
static inline bool is_whole(const struct tern_route *route, struct tern_id id)
{
	struct tern_route made = route_to(id, route->address);
	return route->id.high == id.high && route->id.low == id.low &&
	       route->version == made.version && route->expires_ns == made.expires_ns &&
	       route->source == made.source && route->origin == 0 && route->hops == 0;
}

/** A random address of a node that there may be. */
static inline tern_address draw_address(struct tern_rng *rng)
{
	return 1 + (tern_rng_next(rng) >> (pick(rng, 2) ? 1 : 20));
}

#endif
