/* SPDX-License-Identifier: Apache-2.0 */

/* Ids of agents: random for most, the name's for those that have one. */
#include <errno.h>

#include "engine.h"
#include "routing.h"

/* FNV-1a over the name, from two starts, each mixed: stable across nodes and releases. */
static uint64_t hash_name(const char *name, uint64_t hash)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		hash = (hash ^ *c) * 0x100000001B3u;
	struct tern_rng mix = {.state = hash};
	return tern_rng_next(&mix);
}

struct tern_id tern_name_id(const char *name)
{
	return (struct tern_id){.high = hash_name(name, 0xCBF29CE484222325u),
				.low = hash_name(name, 0x84222325CBF29CE4u)};
}

void tern_engine_draw_id(struct tern_lcore *lcore, struct tern_next_id *next)
{
	next->id = (struct tern_id){.high = tern_rng_next(&lcore->rng),
				    .low = tern_rng_next(&lcore->rng)};
	next->hash = tern_table_prefetch(lcore->engine->table, next->id);
}

int tern_engine_register(struct tern_lcore *lcore, struct tern_agent *agent, const char *name,
			 uint64_t hash)
{
	struct tern_table *table = lcore->engine->table;
	if (tern_likely(!name))
		return tern_table_add(table, hash, agent->id, agent->address);
	tern_agent_set_id(agent, tern_name_id(name));
	const struct tern_route route = {
		.id = agent->id, .address = agent->address, .expires_ns = TERN_ROUTE_FOREVER};
	return tern_table_put(table, &route, false);
}

void tern_engine_unregister(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_table_remove(lcore->engine->table, agent->id, agent->address);
	tern_routing_forget(agent);
}
