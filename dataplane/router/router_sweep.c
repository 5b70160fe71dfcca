/* SPDX-License-Identifier: Apache-2.0 */

/* Making room: what is past its time, and what went without a word. */
#include "router.h"

/* Routes looked at in a step, and taken out by it, at most. */
#define SWEEP_LOOKS 1024u
#define SWEEP_TAKEN 64u

struct sweep {
	const struct tern_router *router;
	uint64_t now;
	uint32_t count;
	struct tern_route found[SWEEP_TAKEN];
};

static bool find_stale(void *context, const struct tern_route *route)
{
	struct sweep *sweep = context;
	if (tern_address_node(route->address) != 0 && route->expires_ns <= sweep->now)
		sweep->found[sweep->count++] = *route;
	return sweep->count < SWEEP_TAKEN;
}

static bool find_unsaid(void *context, const struct tern_route *told)
{
	struct sweep *sweep = context;
	if (!tern_router_lives(sweep->router, told))
		sweep->found[sweep->count++] = *told;
	return sweep->count < SWEEP_TAKEN;
}

/* At the end of the table it goes on from the beginning, where it has found nothing yet. */
static void sweep_step(struct sweep *sweep, struct tern_table *table,
		       struct tern_table_cursor *cursor,
		       bool (*find)(void *context, const struct tern_route *route))
{
	sweep->count = 0;
	for (int round = 0; round < 2 && sweep->count == 0; round++) {
		if (tern_table_each_from(table, cursor, SWEEP_LOOKS, find, sweep))
			return;
		*cursor = (struct tern_table_cursor){0};
	}
}

bool tern_router_sweep(struct tern_router *router)
{
	struct sweep sweep = {.router = router, .now = tern_router_now(router)};
	bool any = false;
	sweep_step(&sweep, router->table, &router->sweep_at, find_stale);
	for (uint32_t i = 0; i < sweep.count; i++, any = true)
		tern_router_expire(router, &sweep.found[i]);
	sweep_step(&sweep, router->own, &router->sweep_own_at, find_unsaid);
	for (uint32_t i = 0; i < sweep.count; i++, any = true)
		tern_table_remove(router->own, sweep.found[i].id, TERN_ADDRESS_NONE);
	return any;
}
