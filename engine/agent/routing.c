/* SPDX-License-Identifier: Apache-2.0 */

/* An engine's router, and what it asks of the engine. */
#include "routing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_prefetch.h>

#include "capabilities/lines.h"
#include "dataplane/router/questions.h"

#define NS_PER_MS 1000000ull

static uint64_t now_of_engine(void *context)
{
	const struct tern_engine *engine = context;
	return tern_clock_ns(&engine->clock);
}

/* An address may be anybody's: programs reach the router, too. */
static bool agent_lives(void *context, tern_address address)
{
	const struct tern_engine *engine = context;
	uint32_t slot = tern_address_slot(address);
	if (tern_address_node(address) != 0 || slot >= engine->slots)
		return false;
	uint64_t entry = __atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE);
	return !tern_dir_differs(entry, address);
}

/* Of other nodes' agents nothing is known here that would speak against them. */
static bool is_available(struct tern_engine *engine, tern_address address)
{
	if (tern_address_node(address) != 0)
		return true;
	return agent_lives(engine, address) &&
	       tern_load(&engine->agents[tern_address_slot(address)].status) != TERN_PAUSED;
}

static uint32_t available_addresses(void *context, tern_address *addresses, uint32_t count)
{
	struct tern_engine *engine = context;
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

static void ask_for_agent(void *context, struct tern_id id)
{
	const struct tern_engine *engine = context;
	tern_questions_put(engine->questions, id, false);
}

static void ask_for_capability(void *context, struct tern_id capability)
{
	const struct tern_engine *engine = context;
	tern_questions_put(engine->questions, capability, true);
}

/* A node without a number has no peers. */
static int make_questions(struct tern_engine *engine, struct tern_error *error)
{
	if (engine->config.router.node == 0)
		return 0;
	engine->questions = tern_lines_make(sizeof(*engine->questions));
	return engine->questions ? 0 : tern_error_set(error, -ENOMEM, "router: no memory");
}

/* By it peers tell changes from those of a life before; nobody hears of a node without a number. */
static uint64_t first_version(const struct tern_router_config *config)
{
	struct timespec now;
	if (config->version || !config->node)
		return config->version;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void limit_router(const struct tern_engine *engine, struct tern_router_options *options)
{
	const struct tern_router_config *config = &engine->config.router;
	options->node = (uint16_t)config->node;
	options->version = first_version(config);
	options->remote_max = config->remote_max;
	options->absent_max = config->absent_max;
	options->sets_max = config->sets_max;
	options->members_max =
		config->members_max ? config->members_max : RTE_MAX(engine->slots, 65536u);
	options->remote_ttl_ns = config->ttl_ms * NS_PER_MS;
	options->absent_ttl_ns = config->absent_ms * NS_PER_MS;
	options->drift_max = config->drift_max;
	options->drift_ns = config->drift_ms * NS_PER_MS;
}

static int offer_all(struct tern_router *router, struct tern_id agent, tern_address address,
		     const char *capabilities)
{
	char names[TERN_CONFIG_ROUTE_CAPABILITIES], *rest = NULL;
	int code = 0;
	snprintf(names, sizeof(names), "%s", capabilities);
	for (char *name = strtok_r(names, ",", &rest); name && (code == 0 || code == -EEXIST);
	     name = strtok_r(NULL, ",", &rest)) {
		code = tern_router_offer(router, tern_name_id(name), agent, address);
		tern_router_label(router, tern_name_id(name), name);
	}
	return code == -EEXIST ? 0 : code;
}

static int add_route(struct tern_router *router, const struct tern_config_route *route)
{
	struct tern_update update = {.address = route->address,
				     .version = 1,
				     .origin = (uint16_t)tern_address_node(route->address),
				     .source = TERN_ROUTE_STATIC};
	if (!tern_id_read(route->name, &update.id))
		update.id = tern_name_id(route->name);
	int code = tern_router_update(router, &update, NULL);
	return code < 0 ? code : offer_all(router, update.id, route->address, route->capabilities);
}

static int add_routes(const struct tern_engine *engine, struct tern_error *error)
{
	const struct tern_config *config = &engine->config;
	int code = 0;
	for (uint32_t i = 0; code == 0 && i < config->route_count; i++) {
		code = add_route(engine->router, &config->routes[i]);
		if (code != 0)
			tern_error_set(
				error, code, "routes.%s: %s", config->routes[i].name,
				code == -ENOSPC
					? "no room: raise router.remote_max, router.sets_max "
					  "or router.members_max"
					: strerror(-code));
	}
	return code;
}

static int make_router(struct tern_engine *engine, const struct tern_router_options *options,
		       struct tern_error *error)
{
	int code = tern_router_create(&engine->router, options, error);
	if (code == 0)
		engine->table = tern_router_table(engine->router);
	if (code == 0)
		code = add_routes(engine, error);
	return code;
}

/* A shard for each lcore, so that two that spawn at once seldom meet. */
int tern_routing_init(struct tern_engine *engine, size_t page_bytes_max, struct tern_error *error)
{
	const struct tern_router_config *config = &engine->config.router;
	uint32_t shards = config->shards ? config->shards : rte_align32pow2(engine->lcore_count);
	struct tern_router_calls calls = {
		.now = now_of_engine, .available = available_addresses, .lives = agent_lives};
	struct tern_router_options options = {
		.table = {.routes_max = (uint64_t)engine->slots + config->remote_max,
			  .routes_expected = engine->slots,
			  .shards = RTE_MIN(shards, TERN_TABLE_SHARDS_MAX),
			  .quiet = engine->quiet,
			  .page_bytes_max = RTE_MIN(page_bytes_max, TERN_PAGE_2M)},
		.readers = engine->system_count,
		.sample_every = engine->config.trace_every,
		.calls = &calls,
		.context = engine};
	limit_router(engine, &options);
	int code = make_questions(engine, error);
	if (code != 0)
		return code;
	if (engine->questions) {
		calls.discover = ask_for_agent;
		calls.discover_capability = ask_for_capability;
	}
	return make_router(engine, &options, error);
}

void tern_routing_fini(struct tern_engine *engine)
{
	if (engine->router)
		tern_router_destroy(engine->router);
	free(engine->questions);
	engine->questions = NULL;
	engine->router = NULL;
	engine->table = NULL;
}

struct tern_router *tern_engine_router(struct tern_engine *engine)
{
	return engine->router;
}

uint32_t tern_reader_begin(struct tern_agent *self)
{
	tern_reader_enter(self->lcore);
	return self->lcore->index;
}

void tern_reader_end(struct tern_agent *self)
{
	tern_reader_leave(self->lcore);
}
