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

/* Another one under its id: as long as it lives, nothing else can be told. */
static int publish_change(struct tern_router *router, struct tern_id id, tern_address address,
			  struct tern_update *update)
{
	struct tern_held held;
	int code;
	do {
		tern_held_look_up(router, id, &held);
		if (address && held.lives_here && held.route.address != address)
			return -EEXIST;
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
