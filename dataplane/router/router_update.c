/* SPDX-License-Identifier: Apache-2.0 */

/* What other nodes tell, and what this one tells them. */
#include "router.h"

#include <errno.h>

#include <rte_common.h>

#define STEADY_MAX 15u
#define STEADY_CHANGE 4u /* what a change takes */
#define STEADY_LONG 8u	 /* from there on a route lives twice as long */
#define STEADY_SHORT 4u	 /* and below this half as long */

/* What is held of an id: a route, or a missing one's memory. */
struct held {
	struct tern_route route;   /* address NONE: none */
	struct tern_update update; /* the same, as others are told; version 0: nothing is held */
	tern_address was;	   /* where a missing one was before its time was up, or NONE */
	bool lives_here;
};

static bool is_possible(const struct tern_update *update)
{
	uint32_t node = tern_address_node(update->address);
	return update->version > 0 && update->version <= TERN_VERSION_MAX &&
	       update->first <= update->version && update->base < update->version &&
	       update->origin > 0 && update->origin <= TERN_NODE_MAX &&
	       update->source < TERN_ROUTE_SOURCES &&
	       (update->address == TERN_ADDRESS_NONE || (node > 0 && node <= TERN_NODE_MAX));
}

/* Where it is held that an agent of another node, or none, is. */
static tern_address address_there(const struct tern_router *router, tern_address address)
{
	return address && tern_address_node(address) == 0
		       ? address | tern_address_make(router->node, 0, 0)
		       : address;
}

/*
 * An agent of this process: the table knows where it is, and `own` what others were told of it. Of
 * a missing id the tables of the missing and the gone know version and origin, and no address.
 */
static void look_up(const struct tern_router *router, struct tern_id id, struct held *held)
{
	struct tern_route *route = &held->route, told;
	*held = (struct held){.route = {.id = id, .steady = TERN_STEADY_NEW}};
	if (tern_table_route(router->table, id, route)) {
		held->lives_here = tern_address_node(route->address) == 0;
		if (held->lives_here && tern_table_route(router->own, id, &told)) {
			route->version = told.version;
			route->origin = router->node;
		}
	} else {
		if (tern_absent_find(&router->absent, id, route))
			held->was = route->updated_ns;
		if (tern_absent_find(&router->gone, id, &told) && told.version > route->version)
			*route = told;
		route->address = TERN_ADDRESS_NONE;
	}
	held->update = (struct tern_update){.id = id,
					    .address = address_there(router, route->address),
					    .version = route->version,
					    .origin = route->origin,
					    .hops = route->hops,
					    .source = route->source,
					    .first = route->version};
	if (route->address && !held->lives_here)
		held->update.left_ns = tern_router_left(router, route->expires_ns);
}

static void note_contradiction(struct tern_router *router, enum tern_contradiction_kind kind,
			       const struct held *held, const struct tern_update *update)
{
	uint64_t at = router->updates.contradictions % TERN_CONTRADICTIONS_KEPT;
	tern_count(&router->updates.contradictions, 1);
	router->contradictions[at] = (struct tern_contradiction){.kind = kind,
								 .id = update->id,
								 .held = held->route.address,
								 .claimed = update->address,
								 .version = update->version,
								 .origin = update->origin};
}

uint32_t tern_router_contradictions(struct tern_router *router, struct tern_contradiction *found,
				    uint32_t count_max)
{
	tern_lock(&router->lock);
	uint64_t all = router->updates.contradictions, count = RTE_MIN(all, count_max);
	count = RTE_MIN(count, TERN_CONTRADICTIONS_KEPT);
	for (uint64_t i = 0; i < count; i++)
		found[i] = router->contradictions[(all - 1 - i) % TERN_CONTRADICTIONS_KEPT];
	tern_unlock(&router->lock);
	return (uint32_t)count;
}

void tern_router_follow(struct tern_router *router, uint64_t version)
{
	uint64_t *own = &router->heard[router->node].version;
	if (version <= TERN_VERSION_FOLLOWED_MAX && version > *own)
		tern_store(own, version);
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
static uint32_t steadiness_of(const struct held *held, tern_address address)
{
	uint32_t before = held->route.steady;
	tern_address last = held->route.address ? held->route.address : held->was;
	if (held->update.version == 0 && !last)
		return before;
	if (last == address)
		return RTE_MIN(before + 1, STEADY_MAX);
	return before > STEADY_CHANGE ? before - STEADY_CHANGE : 0;
}

/* The sets first: while the route is there no agent of this process comes under its id. */
void tern_router_drop(struct tern_router *router, const struct tern_route *route, uint64_t until_ns)
{
	struct tern_route known = *route;
	known.expires_ns = until_ns;
	tern_count(&router->updates.invalidated, tern_sets_forget_remote(router->sets, route->id));
	if (route->address)
		tern_table_remove(router->table, route->id, route->address);
	tern_absent_put(&router->absent, &known);
}

/* What is told by another node than the origin is held no longer than by that node. */
static uint64_t no_longer_than(uint64_t ttl_ns, const struct tern_update *told)
{
	return told->left_ns ? RTE_MIN(ttl_ns, told->left_ns) : ttl_ns;
}

/* Without a clock no time is ever up: then the oldest gives way. */
static int remember_gone(struct tern_router *router, const struct tern_route *route,
			 uint64_t ttl_ns)
{
	struct tern_route known = *route;
	uint64_t now = tern_router_now(router);
	known.expires_ns = router->calls.now ? tern_router_after(now, ttl_ns) : now;
	int code = tern_absent_keep(&router->gone, &known, now);
	tern_store(&router->gone_bytes, tern_absent_held(&router->gone));
	return code;
}

/*
 * The agent is gone: its sets lose it, and for a while nobody asks for it. What needs memory comes
 * first; that nobody asks for it may be forgotten.
 */
static int hold_gone(struct tern_router *router, const struct held *held,
		     const struct tern_update *joined)
{
	struct tern_route route = held->route;
	route.version = joined->version;
	route.origin = joined->origin;
	route.steady = steadiness_of(held, TERN_ADDRESS_NONE) & STEADY_MAX;
	route.updated_ns = TERN_ADDRESS_NONE;
	int code = remember_gone(router, &route, no_longer_than(router->gone_ttl_ns, joined));
	if (code != 0)
		return code;
	tern_router_drop(router, &route,
			 tern_router_after(tern_router_now(router), router->absent_ttl_ns));
	return 0;
}

static void follow_in_sets(struct tern_router *router, const struct held *held,
			   tern_address address)
{
	struct tern_id id = held->route.id;
	uint16_t from = (uint16_t)tern_address_node(held->route.address);
	uint16_t to = (uint16_t)tern_address_node(address);
	if (held->route.address && held->route.address != address)
		tern_count(&router->updates.invalidated, tern_sets_move(router->sets, id, address));
	if (held->route.address && from != to)
		tern_sets_remove(router->sets, tern_router_node_set(from), id);
	if (!held->route.address || from != to)
		tern_count(&router->updates.unindexed,
			   tern_sets_add(router->sets, tern_router_node_set(to), id, address) != 0);
}

static int hold_route(struct tern_router *router, const struct held *held,
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
	/* An agent of this process may have come under this id meanwhile: it stays. */
	int code = tern_table_put_over(router->table, &route, held->route.address);
	if (code != 0)
		return code;
	tern_count(&router->updates.invalidated, tern_absent_remove(&router->absent, joined->id));
	tern_absent_remove(&router->gone, joined->id);
	tern_table_remove(router->own, joined->id, TERN_ADDRESS_NONE);
	follow_in_sets(router, held, joined->address);
	return 0;
}

/* The next change of this node: newer than `base`, if that can be followed. */
static struct tern_update next_change(struct tern_router *router, struct tern_id id,
				      tern_address address, uint64_t base)
{
	tern_router_follow(router, base);
	uint64_t version = router->heard[router->node].version + 1;
	return (struct tern_update){.id = id,
				    .address = address_there(router, address),
				    .version = version,
				    .base = RTE_MIN(base, version - 1),
				    .origin = router->node,
				    .source = TERN_ROUTE_GOSSIP,
				    .first = router->told + 1};
}

/* It is held: from now on it has been told. */
static void count_change(struct tern_router *router, const struct tern_update *change)
{
	tern_store(&router->heard[router->node].version, change->version);
	tern_store(&router->told, change->version);
}

/* An agent of this process is where it is told to be: in `own`, and in the table. */
static int hold_life(struct tern_router *router, const struct held *held, tern_address address,
		     uint64_t version)
{
	struct tern_route told = held->route, route = {.id = held->route.id,
						       .address = address,
						       .expires_ns = TERN_ROUTE_FOREVER};
	told.address = address;
	told.version = version;
	told.origin = router->node;
	int code = tern_table_put(router->own, &told, true);
	if (code != 0 || held->lives_here)
		return code;
	tern_sets_forget_remote(router->sets, route.id);
	code = tern_table_put_over(router->table, &route, held->route.address);
	if (code != 0) {
		tern_table_remove(router->own, route.id, TERN_ADDRESS_NONE);
		return code;
	}
	tern_absent_remove(&router->absent, route.id);
	tern_absent_remove(&router->gone, route.id);
	return 0;
}

/* One that has gone: remembered, and nowhere else. */
static int hold_end(struct tern_router *router, const struct held *held, uint64_t version)
{
	struct tern_route route = held->route;
	route.version = version;
	route.origin = router->node;
	route.expires_ns = tern_router_after(tern_router_now(router), router->absent_ttl_ns);
	route.updated_ns = TERN_ADDRESS_NONE;
	int code = remember_gone(router, &route, router->gone_ttl_ns);
	if (code != 0)
		return code;
	tern_table_remove(router->own, route.id, TERN_ADDRESS_NONE);
	if (route.address)
		tern_table_remove(router->table, route.id, route.address);
	tern_count(&router->updates.invalidated, tern_sets_forget(router->sets, route.id));
	tern_absent_put(&router->absent, &route);
	return 0;
}

/* What is told is held first. */
static int tell_change(struct tern_router *router, const struct held *held, tern_address address,
		       uint64_t base, struct tern_update *update)
{
	struct tern_update change = next_change(router, held->route.id, address, base);
	int code = address ? hold_life(router, held, address, change.version)
			   : hold_end(router, held, change.version);
	if (code != 0)
		return code;
	count_change(router, &change);
	*update = change;
	return 0;
}

/* Another one under its id: as long as it lives, nothing else can be told. */
static int publish_change(struct tern_router *router, struct tern_id id, tern_address address,
			  struct tern_update *update)
{
	struct held held;
	int code;
	do {
		look_up(router, id, &held);
		if (address && held.lives_here && held.route.address != address)
			return -EEXIST;
		code = tell_change(router, &held, address, held.update.version, update);
	} while (code == -EEXIST);
	return code;
}

int tern_router_publish(struct tern_router *router, struct tern_id id, tern_address address,
			struct tern_update *update)
{
	if (tern_address_node(address) != 0)
		return -EINVAL;
	tern_lock(&router->lock);
	int code = publish_change(router, id, address, update);
	tern_unlock(&router->lock);
	return code;
}

/*
 * About agents of this process nobody else knows better. What others would hold in place of what
 * was told from here contradicts it, and is answered with something newer; the rest is old news.
 * That one who is not here lives elsewhere only its own node can say: it is told to have gone.
 */
static int judge_local(struct tern_router *router, const struct held *held,
		       const struct tern_update *update, struct tern_update *answer)
{
	struct tern_update newer = held->update;
	if (held->lives_here && update->address == held->update.address)
		return TERN_MERGED;
	if (tern_update_resolve(&held->update, update) == TERN_RESOLUTION_ACCEPT) {
		note_contradiction(router,
				   held->lives_here ? TERN_CONTRADICTION_LIVES_HERE
						    : TERN_CONTRADICTION_NOT_HERE,
				   held, update);
		/* Where nothing newer can be told, what was told is told again. */
		int code = 0;
		if (update->version <= TERN_VERSION_FOLLOWED_MAX || held->update.version == 0)
			code = tell_change(router, held,
					   held->lives_here ? held->route.address
							    : TERN_ADDRESS_NONE,
					   update->version, &newer);
		if (code != 0)
			return code;
	}
	if (answer)
		*answer = newer;
	return TERN_REJECTED;
}

static int judge_remote(struct tern_router *router, const struct held *held,
			const struct tern_update *update, struct tern_update *answer)
{
	enum tern_update_order order = tern_update_order(&held->update, update);
	enum tern_resolution resolution = tern_update_resolve(&held->update, update);
	struct tern_update joined = tern_update_join(&held->update, update);
	if (order == TERN_UPDATE_CONCURRENT) {
		tern_count(&router->updates.concurrent, 1);
		if (held->update.address != update->address)
			note_contradiction(router, TERN_CONTRADICTION_CONCURRENT, held, update);
	}
	if (resolution == TERN_RESOLUTION_REJECT) {
		if (answer)
			*answer = held->update;
		return TERN_REJECTED;
	}
	int code = joined.address ? hold_route(router, held, &joined)
				  : hold_gone(router, held, &joined);
	if (code != 0)
		return code;
	return resolution == TERN_RESOLUTION_MERGE ? TERN_MERGED : TERN_APPLIED;
}

static void count_update(struct tern_router_updates *updates, int applied)
{
	tern_count(&updates->applied, applied == TERN_APPLIED);
	tern_count(&updates->merged, applied == TERN_MERGED);
	tern_count(&updates->rejected, applied == TERN_REJECTED);
}

static void hear_update(struct tern_router *router, const struct tern_update *update, bool kept)
{
	struct tern_heard *heard = &router->heard[update->origin];
	if (update->origin == router->node)
		return;
	if (kept)
		tern_heard_note(heard, update->first, update->version);
	else
		tern_heard_miss(heard, update->first, update->version);
}

static int judge_update(struct tern_router *router, const struct tern_update *update,
			struct tern_update *answer)
{
	struct held held;
	look_up(router, update->id, &held);
	bool said_here = update->address && tern_address_node(update->address) == router->node;
	return held.lives_here || said_here ? judge_local(router, &held, update, answer)
					    : judge_remote(router, &held, update, answer);
}

int tern_router_update(struct tern_router *router, const struct tern_update *update,
		       struct tern_update *answer)
{
	struct tern_update told = *update;
	if (!is_possible(update))
		return -EINVAL;
	told.hops = (uint8_t)RTE_MIN(update->hops + 1, UINT8_MAX);
	tern_lock(&router->lock);
	tern_router_follow(router, update->version);
	int code;
	do
		code = judge_update(router, &told, answer);
	while (code == -EEXIST); /* an agent of this process has come, or gone, meanwhile */
	hear_update(router, update, code >= 0);
	count_update(&router->updates, code);
	tern_unlock(&router->lock);
	return code;
}
