/* SPDX-License-Identifier: Apache-2.0 */

/* An engine's router, and what it asks of the engine. */
#include "routing.h"

#include <rte_common.h>
#include <rte_prefetch.h>

static uint64_t now_of_engine(void *context)
{
	const struct tern_engine *engine = context;
	return tern_clock_ns(&engine->clock);
}

/* Of other nodes' agents nothing is known here that would speak against them. */
static bool is_available(const struct tern_engine *engine, tern_address address)
{
	uint32_t slot = tern_address_slot(address);
	if (tern_address_node(address) != 0)
		return true;
	uint64_t entry = __atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE);
	return !tern_dir_differs(entry, address) &&
	       tern_load(&engine->agents[slot].status) != TERN_PAUSED;
}

static uint32_t available_addresses(void *context, tern_address *addresses, uint32_t count)
{
	const struct tern_engine *engine = context;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = tern_address_slot(addresses[i]) % engine->slots;
		rte_prefetch0(&engine->directory[slot]);
		rte_prefetch0(&engine->agents[slot].status);
	}
	for (uint32_t i = 0; i < count; i++)
		if (is_available(engine, addresses[i]))
			addresses[kept++] = addresses[i];
	return kept;
}

/* A shard for each lcore, so that two that spawn at once seldom meet. */
int tern_routing_init(struct tern_engine *engine, size_t page_bytes_max, struct tern_error *error)
{
	static const struct tern_router_calls calls = {.now = now_of_engine,
						       .available = available_addresses};
	uint32_t shards = rte_align32pow2(engine->lcore_count);
	const struct tern_router_options options = {
		.table = {.routes_max = engine->slots,
			  .routes_expected = engine->slots,
			  .shards = RTE_MIN(shards, TERN_TABLE_SHARDS_MAX),
			  .quiet = engine->quiet,
			  .page_bytes_max = RTE_MIN(page_bytes_max, TERN_PAGE_2M)},
		.readers = engine->system_count,
		.members_max = RTE_MAX(engine->slots, 65536u),
		.sample_every = engine->config.trace_every,
		.calls = &calls,
		.context = engine};
	int code = tern_router_create(&engine->router, &options, error);
	if (code == 0)
		engine->table = tern_router_table(engine->router);
	return code;
}

void tern_routing_fini(struct tern_engine *engine)
{
	if (engine->router)
		tern_router_destroy(engine->router);
	engine->router = NULL;
	engine->table = NULL;
}
