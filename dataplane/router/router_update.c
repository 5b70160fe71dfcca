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
		tern_absent_find(&router->absent, id, route);
		if (tern_absent_find(&router->gone, id, &told) && told.version > route->version)
			*route = told;
		route->address = TERN_ADDRESS_NONE;
	}
	held->update = (struct tern_update){.id = id,
					    .address = address_there(router, route->address),
					    .version = route->version,
					    .origin = route->origin,
					    .hops = route->hops,
					    .source = route->source};
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

/* Lamport's rule, as far as it leaves room above: tern_update.h. */
static void follow_version(struct tern_router *router, uint64_t version)
{
	uint64_t *own = &router->heard[router->node].version;
	if (version <= TERN_VERSION_FOLLOWED_MAX && version > *own)
		tern_store(own, version);
}

/* The next version of this node: higher than all that it follows. */
static uint64_t next_version(struct tern_router *router)
{
	uint64_t *own = &router->heard[router->node].version;
	tern_store(own, *own + 1);
	return *own;
}

/* Tell something newer than `base`, if that can be followed, and remember what was told. */
static void tell_readers(struct tern_router *router, const struct held *held, tern_address address,
			 uint64_t base, struct tern_update *update)
{
	follow_version(router, base);
	uint64_t version = next_version(router);
	*update = (struct tern_update){.id = held->route.id,
				       .address = address_there(router, address),
				       .version = version,
				       .base = RTE_MIN(base, version - 1),
				       .origin = router->node,
				       .source = TERN_ROUTE_GOSSIP,
				       .first = router->told + 1};
	router->told = version;
	struct tern_route told = held->route;
	told.version = update->version;
	told.origin = router->node;
	if (address) {
		told.address = address;
		tern_table_put(router->own, &told, true);
		return;
	}
	told.address = TERN_ADDRESS_NONE;
	tern_table_remove(router->own, told.id, TERN_ADDRESS_NONE);
	tern_router_drop(router, &told,
			 tern_router_after(tern_router_now(router), router->absent_ttl_ns));
}

void tern_router_publish(struct tern_router *router, struct tern_id id, tern_address address,
			 struct tern_update *update)
{
	struct held held;
	tern_lock(&router->lock);
	look_up(router, id, &held);
	tell_readers(router, &held, address, held.update.version, update);
	tern_unlock(&router->lock);
}

static uint64_t time_to_live(const struct tern_router *router, const struct tern_route *route)
{
	if (route->source == TERN_ROUTE_STATIC)
		return TERN_ROUTE_FOREVER;
	if (route->steady >= STEADY_LONG)
		return tern_router_after(router->remote_ttl_ns, router->remote_ttl_ns);
	return route->steady < STEADY_SHORT ? router->remote_ttl_ns / 2 : router->remote_ttl_ns;
}

static uint32_t steadiness_of(const struct held *held, tern_address address)
{
	uint32_t before = held->route.steady;
	if (held->update.version == 0)
		return before;
	if (held->route.address == address)
		return RTE_MIN(before + 1, STEADY_MAX);
	return before > STEADY_CHANGE ? before - STEADY_CHANGE : 0;
}

void tern_router_drop(struct tern_router *router, const struct tern_route *route, uint64_t until_ns)
{
	struct tern_route known = *route;
	known.expires_ns = until_ns;
	if (route->address)
		tern_table_remove(router->table, route->id, route->address);
	tern_count(&router->updates.invalidated, tern_sets_forget(router->sets, route->id));
	tern_absent_put(&router->absent, &known);
}

/* Without a clock no time is ever up: then the oldest gives way. */
static int remember_gone(struct tern_router *router, const struct tern_route *route)
{
	struct tern_route known = *route;
	uint64_t now = tern_router_now(router);
	known.expires_ns = router->calls.now ? tern_router_after(now, router->gone_ttl_ns) : now;
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
	int code = remember_gone(router, &route);
	if (code == 0)
		tern_router_drop(router, &route,
				 tern_router_after(tern_router_now(router), router->absent_ttl_ns));
	return code;
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
				   .steady = steadiness_of(held, joined->address) & STEADY_MAX};
	route.expires_ns = tern_router_after(now, time_to_live(router, &route));
	/* An agent of this process may have come under this id meanwhile: it stays. */
	int code = tern_table_put(router->table, &route, held->route.address != TERN_ADDRESS_NONE);
	if (code != 0)
		return code;
	tern_count(&router->updates.invalidated, tern_absent_remove(&router->absent, joined->id));
	tern_absent_remove(&router->gone, joined->id);
	follow_in_sets(router, held, joined->address);
	return 0;
}

/*
 * About agents of this process nobody else knows better. What others would hold in place of what
 * was told from here contradicts it, and is answered with something newer; the rest is old news.
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
		if (update->version <= TERN_VERSION_FOLLOWED_MAX || held->update.version == 0)
			tell_readers(router, held, held->route.address, update->version, &newer);
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
	follow_version(router, update->version);
	int code = judge_update(router, &told, answer);
	if (code == -EEXIST)
		code = judge_update(router, &told, answer);
	hear_update(router, update, code >= 0);
	count_update(&router->updates, code);
	tern_unlock(&router->lock);
	return code;
}
