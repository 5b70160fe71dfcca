/* SPDX-License-Identifier: Apache-2.0 */

/* What this node tells of its own agents. */
#include "hold.h"

#include <errno.h>

#include <rte_common.h>

void tern_router_follow(struct tern_router *router, uint64_t version)
{
	uint64_t *own = &router->heard[router->node].version;
	if (version <= TERN_VERSION_FOLLOWED_MAX && version > *own)
		tern_store(own, version);
}

/* The next change of this node: newer than `base`, if that can be followed. */
static struct tern_update next_change(struct tern_router *router, struct tern_id id,
				      tern_address address, uint64_t base)
{
	tern_router_follow(router, base);
	uint64_t version = router->heard[router->node].version + 1;
	return (struct tern_update){.id = id,
				    .address = tern_held_address(router, address),
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

int tern_router_tell(struct tern_router *router, const struct tern_held *held, tern_address address,
		     uint64_t base, struct tern_update *update)
{
	struct tern_update change = next_change(router, held->route.id, address, base);
	int code = address ? tern_hold_life(router, held, address, change.version)
			   : tern_hold_end(router, held, change.version);
	if (code != 0)
		return code;
	count_change(router, &change);
	*update = change;
	return 0;
}

static bool lives_at(const struct tern_router *router, tern_address address)
{
	return router->calls.lives && router->calls.lives(router->context, address);
}

/* Another one under its id: as long as it lives, nothing else can be told. */
static int refuse_change(const struct tern_router *router, const struct tern_held *held,
			 tern_address address)
{
	if (!address)
		return held->lives_here && lives_at(router, held->route.address) ? -EEXIST : 0;
	if (held->lives_here && held->route.address != address)
		return -EEXIST;
	return router->calls.lives && !lives_at(router, address) ? -ESRCH : 0;
}

static int publish_change(struct tern_router *router, struct tern_id id, tern_address address,
			  struct tern_update *update)
{
	struct tern_held held;
	int code;
	do {
		tern_held_look_up(router, id, &held);
		code = refuse_change(router, &held, address);
		if (code != 0)
			return code;
		code = tern_router_tell(router, &held, address, held.update.version, update);
	} while (code == -EEXIST || (code == -ENOSPC && tern_router_sweep(router)));
	if (code == 0 && !address)
		tern_count(&router->updates.invalidated, tern_sets_forget(router->sets, id));
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

int tern_router_say(struct tern_router *router, struct tern_id id, struct tern_update *update)
{
	struct tern_held held;
	struct tern_route told;
	int code = 0;
	tern_lock(&router->lock);
	tern_held_look_up(router, id, &held);
	if (!held.lives_here)
		code = -ESRCH;
	else if (tern_table_route(router->own, id, &told) && told.address == held.route.address)
		*update = held.update;
	else
		code = publish_change(router, id, held.route.address, update);
	tern_unlock(&router->lock);
	return code;
}

/* Looked at in a step. */
#define ENDS_STEP 32u

struct ended {
	const struct tern_router *router;
	uint32_t count;
	struct tern_id ids[ENDS_STEP];
};

static bool collect_ended(void *context, const struct tern_route *told)
{
	struct ended *ended = context;
	if (!tern_router_lives(ended->router, told))
		ended->ids[ended->count++] = told->id;
	return true;
}

/* Another agent may have its name by now. What cannot be told others learn in time. */
bool tern_router_tell_ends(struct tern_router *router, struct tern_table_cursor *cursor)
{
	struct ended ended = {.router = router};
	struct tern_update update;
	bool more = tern_table_each_from(router->own, cursor, ENDS_STEP, collect_ended, &ended);
	for (uint32_t i = 0; i < ended.count; i++) {
		tern_address now = tern_table_find(router->table, ended.ids[i]);
		if (now == TERN_ADDRESS_NONE || tern_address_node(now) == 0)
			tern_router_publish(router, ended.ids[i], now, &update);
	}
	if (!more)
		*cursor = (struct tern_table_cursor){0};
	return more;
}
