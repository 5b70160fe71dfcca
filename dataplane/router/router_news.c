/* SPDX-License-Identifier: Apache-2.0 */

/* What is held of a node's changes, for those who lack it. */
#include "hold.h"

#include <rte_common.h>

/* What is collected before it is told. */
#define NEWS_STEP 32u

enum part { PART_OWN, PART_ROUTES, PART_GONE, PARTS };

struct collection {
	const struct tern_router *router;
	uint64_t above;
	uint16_t node;
	enum part part;
	uint32_t count;
	struct tern_update news[NEWS_STEP];
};

/* Whether a route of the part's table is news of the node, and is held long enough to be told. */
static bool is_news(const struct collection *collection, const struct tern_route *route)
{
	const struct tern_router *router = collection->router;
	if (route->origin != collection->node || route->version <= collection->above)
		return false;
	if (collection->part == PART_OWN)
		return tern_router_lives(router, route);
	/* What a person wrote down here the node itself did not say. */
	if (collection->part == PART_ROUTES && route->source == TERN_ROUTE_STATIC)
		return false;
	/* Of agents elsewhere this node tells nothing by itself, whatever it was told it had. */
	if (collection->part == PART_ROUTES &&
	    (tern_address_node(route->address) == 0 || collection->node == router->node))
		return false;
	return tern_router_left(router, route->expires_ns) != 1;
}

static tern_address told_address(const struct collection *collection, tern_address address)
{
	return collection->part == PART_GONE ? TERN_ADDRESS_NONE
					     : tern_held_address(collection->router, address);
}

static uint64_t told_left(const struct collection *collection, uint64_t until_ns)
{
	return collection->part == PART_OWN ? 0 : tern_router_left(collection->router, until_ns);
}

static bool collect_news(void *context, const struct tern_route *route)
{
	struct collection *collection = context;
	if (!is_news(collection, route))
		return true;
	collection->news[collection->count++] =
		(struct tern_update){.id = route->id,
				     .address = told_address(collection, route->address),
				     .version = route->version,
				     .origin = route->origin,
				     .hops = route->hops,
				     .source = TERN_ROUTE_GOSSIP,
				     .first = route->version,
				     .left_ns = told_left(collection, route->expires_ns)};
	return true;
}

/* Of the part that the cursor is in. Returns whether it has more. */
static bool collect_step(struct tern_router *router, struct collection *collection,
			 struct tern_news_cursor *cursor)
{
	if (cursor->part == PART_OWN)
		return tern_table_each_from(router->own, &cursor->at, NEWS_STEP, collect_news,
					    collection);
	if (cursor->part == PART_ROUTES)
		return tern_table_each_from(router->table, &cursor->at, NEWS_STEP, collect_news,
					    collection);
	tern_lock(&router->lock);
	bool more = tern_table_each_from(router->gone.table, &cursor->at, NEWS_STEP, collect_news,
					 collection);
	tern_unlock(&router->lock);
	return more;
}

bool tern_router_news(struct tern_router *router, uint16_t node, uint64_t above,
		      struct tern_news_cursor *cursor,
		      void (*visit)(void *context, const struct tern_update *news), void *context)
{
	struct collection collection = {
		.router = router,
		.above = above,
		.node = node,
		.part = (enum part)RTE_MIN(cursor->part, (uint64_t)PART_GONE)};
	if (cursor->part >= PARTS)
		return false;
	if (!collect_step(router, &collection, cursor))
		*cursor = (struct tern_news_cursor){.part = (uint64_t)collection.part + 1};
	for (uint32_t i = 0; i < collection.count; i++)
		visit(context, &collection.news[i]);
	return cursor->part < PARTS;
}
