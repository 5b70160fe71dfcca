/* SPDX-License-Identifier: Apache-2.0 */

/* What other nodes tell. */
#include "hold.h"

#include <errno.h>

#include <rte_common.h>

static bool is_possible(const struct tern_update *update)
{
	uint32_t node = tern_address_node(update->address);
	return update->version > 0 && update->version <= TERN_VERSION_MAX &&
	       update->first <= update->version && update->base < update->version &&
	       update->origin > 0 && update->origin <= TERN_NODE_MAX &&
	       update->source < TERN_ROUTE_SOURCES &&
	       (update->address == TERN_ADDRESS_NONE || (node > 0 && node <= TERN_NODE_MAX));
}

static void note_contradiction(struct tern_router *router, enum tern_contradiction_kind kind,
			       const struct tern_held *held, const struct tern_update *update)
{
	const struct tern_contradiction noted = {.kind = kind,
						 .id = update->id,
						 .held = held->route.address,
						 .claimed = update->address,
						 .version = update->version,
						 .origin = update->origin};
	tern_router_note_contradiction(router, &noted);
}

/* What is true at a higher version than was told is told with it from now on: who heard it so would
 * take no less. */
static int confirm_local(struct tern_router *router, const struct tern_held *held,
			 const struct tern_update *update)
{
	int code = 0;
	if (update->version > held->update.version)
		code = tern_hold_life(router, held, held->route.address, update->version);
	return code ? code : TERN_MERGED;
}

/*
 * About agents of this process nobody else knows better. What others would hold in place of what
 * was told from here contradicts it, and is answered with something newer; the rest is old news.
 * That one who is not here lives elsewhere only its own node can say: it is told to have gone.
 */
static int judge_local(struct tern_router *router, const struct tern_held *held,
		       const struct tern_update *update, struct tern_update *answer)
{
	struct tern_update newer = held->update;
	if (held->lives_here && update->address == held->update.address)
		return confirm_local(router, held, update);
	if (tern_update_resolve(&held->update, update) == TERN_RESOLUTION_ACCEPT) {
		note_contradiction(router,
				   held->lives_here ? TERN_CONTRADICTION_LIVES_HERE
						    : TERN_CONTRADICTION_NOT_HERE,
				   held, update);
		/* Where nothing newer can be told, what was told is told again. */
		int code = 0;
		if (update->version <= TERN_VERSION_FOLLOWED_MAX || held->update.version == 0)
			code = tern_router_tell(router, held,
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

static int judge_remote(struct tern_router *router, const struct tern_held *held,
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
		/* Of one whose time was up it is known what is older, and not what is true. */
		if (answer)
			*answer = held->was ? (struct tern_update){0} : held->update;
		return TERN_REJECTED;
	}
	int code = joined.address ? tern_hold_route(router, held, &joined)
				  : tern_hold_gone(router, held, &joined);
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
	tern_router_know(router, update->origin);
	if (kept)
		tern_heard_note(heard, update->first, update->version);
	else
		tern_heard_miss(heard, update->first, update->version);
}

static int judge_update(struct tern_router *router, const struct tern_update *update,
			struct tern_update *answer)
{
	struct tern_held held;
	tern_held_look_up(router, update->id, &held);
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
	/* An agent of this process has come, or gone, meanwhile; or there is room now. */
	while (code == -EEXIST || (code == -ENOSPC && tern_router_sweep(router)));
	hear_update(router, &told, code >= 0);
	count_update(&router->updates, code);
	tern_unlock(&router->lock);
	return code;
}
