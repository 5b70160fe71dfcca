/* SPDX-License-Identifier: Apache-2.0 */

/* Whether what is known agrees: with other nodes, and with itself. */
#include "router.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

uint64_t tern_router_version(const struct tern_router *router, uint16_t node)
{
	if (node == router->node)
		return tern_load(&router->told);
	return node <= TERN_NODE_MAX ? tern_load(&router->heard[node].version) : 0;
}

void tern_router_settle(struct tern_router *router, uint16_t node, uint64_t version)
{
	if (node == 0 || node > TERN_NODE_MAX || node == router->node || version > TERN_VERSION_MAX)
		return;
	tern_lock(&router->lock);
	tern_router_know(router, node);
	tern_heard_settle(&router->heard[node], version);
	tern_unlock(&router->lock);
}

uint64_t tern_router_complete(struct tern_router *router, uint16_t node)
{
	if (node > TERN_NODE_MAX)
		return 0;
	tern_lock(&router->lock);
	uint64_t complete =
		node == router->node ? router->told : tern_heard_complete(&router->heard[node]);
	tern_unlock(&router->lock);
	return complete;
}

/* What a peer has heard of this node: more than is told was told before a new start. */
static void compare_own(struct tern_router *router, uint64_t told)
{
	tern_lock(&router->lock);
	tern_router_follow(router, told);
	tern_unlock(&router->lock);
}

struct tern_drift tern_router_hear_version(struct tern_router *router, uint16_t node, uint64_t told)
{
	struct tern_heard *heard = &router->heard[node];
	uint64_t now = tern_router_now(router);
	if (node == router->node) {
		compare_own(router, told);
		return (struct tern_drift){.have = tern_router_version(router, node)};
	}
	tern_lock(&router->lock);
	struct tern_drift drift = {.lacking = tern_heard_lacking(heard, told),
				   .have = tern_heard_complete(heard)};
	uint64_t lacked_ns = tern_heard_watch(heard, drift.lacking != 0, told, now);
	if (told) {
		tern_router_know(router, node);
		tern_heard_tell(heard, told, now);
	}
	drift.ahead = drift.lacking == 0 && told < heard->version;
	tern_unlock(&router->lock);
	drift.is_due = drift.lacking > router->drift_max ||
		       (drift.lacking && lacked_ns >= router->drift_ns);
	return drift;
}

static void compare_node(struct tern_router *router, uint16_t peer, uint16_t node, uint64_t told,
			 struct tern_consistency *report)
{
	struct tern_drift drift = tern_router_hear_version(router, node, told);
	report->behind += drift.lacking != 0;
	report->ahead += drift.ahead;
	report->same += drift.lacking == 0 && !drift.ahead;
	if (drift.lacking > report->drift_max) {
		report->drift_max = drift.lacking;
		report->drift_node = node;
	}
	if (!drift.is_due)
		return;
	report->reconciled++;
	if (router->calls.reconcile)
		router->calls.reconcile(router->context, peer, node, drift.have, told);
}

int tern_router_compare(struct tern_router *router, uint16_t peer, const uint64_t *versions,
			uint32_t count, struct tern_consistency *report)
{
	struct tern_consistency outcome = {0};
	if (count > TERN_NODE_MAX + 1)
		return -EINVAL;
	for (uint32_t node = 1; node < count; node++)
		if (node == router->node)
			compare_own(router, versions[node]);
		else
			compare_node(router, peer, (uint16_t)node, versions[node], &outcome);
	if (report)
		*report = outcome;
	return 0;
}

struct pair {
	tern_address address;
	struct tern_id id;
};

struct pairs {
	struct pair *pairs;
	uint64_t count, room;
};

static bool collect_route(void *context, const struct tern_route *route)
{
	struct pairs *pairs = context;
	if (pairs->count < pairs->room)
		pairs->pairs[pairs->count++] =
			(struct pair){.address = route->address, .id = route->id};
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->address > y->address) - (x->address < y->address);
}

int64_t tern_router_check(struct tern_router *router, struct tern_contradiction *found,
			  uint32_t count_max)
{
	struct tern_table_stats stats;
	tern_table_stats(router->table, &stats);
	/* Routes may come while the table is walked: what does not fit is looked at next time. */
	struct pairs all = {.room = stats.routes + stats.routes / 8 + 64};
	int64_t count = 0;
	all.pairs = malloc(all.room * sizeof(*all.pairs));
	if (!all.pairs)
		return -ENOMEM;
	tern_table_each(router->table, collect_route, &all);
	qsort(all.pairs, all.count, sizeof(*all.pairs), by_address);
	for (uint64_t i = 1; i < all.count; i++) {
		const struct pair *one = &all.pairs[i - 1], *other = &all.pairs[i];
		if (one->address != other->address)
			continue;
		if (count < count_max)
			found[count] =
				(struct tern_contradiction){.kind = TERN_CONTRADICTION_SHARED,
							    .id = one->id,
							    .other = other->id,
							    .held = one->address,
							    .claimed = other->address};
		count++;
	}
	free(all.pairs);
	return count;
}
