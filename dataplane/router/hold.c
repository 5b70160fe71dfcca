/* SPDX-License-Identifier: Apache-2.0 */

/* What is held of an id, in the table and the memories of the missing and the gone. */
#include "hold.h"

#include <errno.h>

#include <rte_common.h>

#define STEADY_MAX 15u
#define STEADY_CHANGE 4u /* what a change takes */
#define STEADY_LONG 8u	 /* from there on a route lives twice as long */
#define STEADY_SHORT 4u	 /* and below this half as long */

/*
 * An agent of this process: the table knows where it is, and `own` what others were told of it. Of
 * a missing id the tables of the missing and the gone know version and origin, and no address.
 */
void tern_held_look_up(const struct tern_router *router, struct tern_id id, struct tern_held *held)
{
	struct tern_route *route = &held->route, told;
	*held = (struct tern_held){.route = {.id = id, .steady = TERN_STEADY_NEW}};
	if (tern_table_route(router->table, id, route)) {
		held->lives_here = tern_address_node(route->address) == 0;
		if (held->lives_here && tern_table_route(router->own, id, &told)) {
			route->version = told.version;
			route->origin = router->node;
		}
	} else {
		if (tern_absent_find(&router->absent, id, route))
			held->was = route->updated_ns;
		if (tern_absent_find(&router->gone, id, &told) && told.version >= route->version) {
			*route = told;
			held->was = TERN_ADDRESS_NONE;
			held->gone_until = told.expires_ns;
		}
		route->address = TERN_ADDRESS_NONE;
	}
	held->update = (struct tern_update){.id = id,
					    .address = tern_held_address(router, route->address),
					    .version = route->version,
					    .origin = route->origin,
					    .hops = route->hops,
					    .source = route->source,
					    .first = route->version};
	if (!held->lives_here && (route->address || held->gone_until))
		held->update.left_ns = tern_router_left(router, route->expires_ns);
}

static uint64_t time_to_live(const struct tern_router *router, const struct tern_route *route)
{
	if (route->source == TERN_ROUTE_STATIC)
		return TERN_ROUTE_FOREVER;
	if (route->steady >= STEADY_LONG)
		return tern_router_after(router->remote_ttl_ns, router->remote_ttl_ns);
	return route->steady < STEADY_SHORT ? router->remote_ttl_ns / 2 : router->remote_ttl_ns;
}

/* That a route's time was up is no change: what was held before counts. */
static uint32_t steadiness_of(const struct tern_held *held, tern_address address)
{
	uint32_t before = held->route.steady;
	tern_address last = held->route.address ? held->route.address : held->was;
	if (held->update.version == 0 && !last)
		return before;
	if (last == address)
		return RTE_MIN(before + 1, STEADY_MAX);
	return before > STEADY_CHANGE ? before - STEADY_CHANGE : 0;
}

static bool is_remote(tern_address address)
{
	return address && tern_address_node(address) != 0;
}

/* One that somebody else put in the table was never counted. */
static void count_out(struct tern_router *router, tern_address address)
{
	if (is_remote(address) && router->remote > 0)
		tern_store(&router->remote, router->remote - 1);
}

/* The sets first: while the route is there no agent of this process comes under its id. */
void tern_router_drop(struct tern_router *router, const struct tern_route *route, uint64_t until_ns)
{
	struct tern_route known = *route;
	known.expires_ns = until_ns;
	tern_count(&router->updates.invalidated, tern_sets_forget_remote(router->sets, route->id));
	if (route->address && tern_table_remove(router->table, route->id, route->address) == 0)
		count_out(router, route->address);
	tern_absent_put(&router->absent, &known);
}

/* Older news is known as such; the same told again counts, and is asked for at once. */
void tern_router_expire(struct tern_router *router, const struct tern_route *route)
{
	struct tern_route known = *route;
	known.version -= known.version > 0;
	known.updated_ns = known.address;
	tern_router_drop(router, &known, 0);
}

/* What is told by another node than the origin is held no longer than by that node. */
static uint64_t no_longer_than(uint64_t ttl_ns, const struct tern_update *told)
{
	return told->left_ns ? RTE_MIN(ttl_ns, told->left_ns) : ttl_ns;
}

/* Without a clock no time is ever up: then the oldest gives way. */
static int remember_gone(struct tern_router *router, const struct tern_route *route,
			 uint64_t ttl_ns, uint64_t until_ns)
{
	struct tern_route known = *route;
	uint64_t now = tern_router_now(router);
	known.expires_ns = router->calls.now ? tern_router_after(now, ttl_ns) : now;
	known.expires_ns = RTE_MAX(known.expires_ns, until_ns);
	int code = tern_absent_keep(&router->gone, &known, now);
	tern_store(&router->gone_bytes, tern_absent_held(&router->gone));
	return code;
}

/*
 * The agent is gone: its sets lose it, and for a while nobody asks for it. What needs memory comes
 * first; that nobody asks for it may be forgotten.
 */
int tern_hold_gone(struct tern_router *router, const struct tern_held *held,
		   const struct tern_update *joined)
{
	struct tern_route route = held->route;
	route.version = joined->version;
	route.origin = joined->origin;
	route.steady = steadiness_of(held, TERN_ADDRESS_NONE) & STEADY_MAX;
	route.updated_ns = TERN_ADDRESS_NONE;
	int code = remember_gone(router, &route, no_longer_than(router->gone_ttl_ns, joined),
				 held->gone_until);
	if (code != 0)
		return code;
	tern_router_drop(router, &route,
			 tern_router_after(tern_router_now(router), router->absent_ttl_ns));
	return 0;
}

static void follow_in_sets(struct tern_router *router, const struct tern_held *held,
			   tern_address address)
{
	struct tern_id id = held->route.id;
	uint16_t from = (uint16_t)tern_address_node(held->route.address);
	uint16_t to = (uint16_t)tern_address_node(address);
	if (held->route.address && held->route.address != address)
		tern_count(&router->updates.invalidated,
			   tern_sets_move_remote(router->sets, id, address));
	if (held->route.address && from != to)
		tern_sets_remove(router->sets, tern_router_node_set(from), id);
	if (!held->route.address || from != to)
		tern_count(&router->updates.unindexed,
			   tern_sets_add(router->sets, tern_router_node_set(to), id, address) != 0);
}

int tern_hold_route(struct tern_router *router, const struct tern_held *held,
		    const struct tern_update *joined)
{
	uint64_t now = tern_router_now(router);
	struct tern_route route = {.id = joined->id,
				   .address = joined->address,
				   .version = joined->version,
				   .updated_ns = now,
				   .origin = joined->origin,
				   .hops = joined->hops,
				   .source = joined->source & 0xFu,
				   .steady = held->route.steady};
	bool confirms = joined->left_ns && held->route.address == joined->address;
	if (!confirms)
		route.steady = steadiness_of(held, joined->address) & STEADY_MAX;
	route.expires_ns =
		tern_router_after(now, no_longer_than(time_to_live(router, &route), joined));
	if (confirms)
		route.expires_ns = RTE_MAX(route.expires_ns, held->route.expires_ns);
	if (!held->route.address && router->remote >= router->remote_max)
		return -ENOSPC;
	/* An agent of this process may have come under this id meanwhile: it stays. */
	int code = tern_table_put_over(router->table, &route, held->route.address);
	if (code != 0)
		return code;
	tern_count(&router->remote, !held->route.address);
	tern_count(&router->updates.invalidated, tern_absent_remove(&router->absent, joined->id));
	tern_absent_remove(&router->gone, joined->id);
	tern_table_remove(router->own, joined->id, TERN_ADDRESS_NONE);
	follow_in_sets(router, held, joined->address);
	return 0;
}

/* An agent of this process is where it is told to be: in `own`, and in the table. */
int tern_hold_life(struct tern_router *router, const struct tern_held *held, tern_address address,
		   uint64_t version)
{
	struct tern_route told = held->route, route = {.id = held->route.id,
						       .address = address,
						       .expires_ns = TERN_ROUTE_FOREVER};
	told.address = address;
	told.version = version;
	told.origin = router->node;
	int code = tern_table_put(router->own, &told, true);
	if (code != 0)
		return code;
	tern_sets_forget_remote(router->sets, route.id);
	if (!held->lives_here)
		code = tern_table_put_over(router->table, &route, held->route.address);
	if (code != 0) {
		tern_table_remove(router->own, route.id, TERN_ADDRESS_NONE);
		return code;
	}
	count_out(router, held->route.address);
	tern_absent_remove(&router->absent, route.id);
	tern_absent_remove(&router->gone, route.id);
	return 0;
}

/* One that has gone: remembered, and nowhere else. */
int tern_hold_end(struct tern_router *router, const struct tern_held *held, uint64_t version)
{
	struct tern_route route = held->route;
	route.version = version;
	route.origin = router->node;
	route.expires_ns = tern_router_after(tern_router_now(router), router->absent_ttl_ns);
	route.updated_ns = TERN_ADDRESS_NONE;
	int code = remember_gone(router, &route, router->gone_ttl_ns, held->gone_until);
	if (code != 0)
		return code;
	tern_table_remove(router->own, route.id, TERN_ADDRESS_NONE);
	if (route.address && tern_table_remove(router->table, route.id, route.address) == 0)
		count_out(router, route.address);
	tern_count(&router->updates.invalidated, tern_sets_forget_remote(router->sets, route.id));
	tern_absent_put(&router->absent, &route);
	return 0;
}
