/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include <errno.h>
#include <stdlib.h>

#include "capabilities/lines.h"

#define REMOTE_TTL_NS_DEFAULT 30000000000u
#define ABSENT_TTL_NS_DEFAULT 1000000000u
#define DRIFT_DEFAULT 64u
#define DRIFT_NS_DEFAULT 1000000000u
#define READERS_MAX 65536u

static int check_options(const struct tern_router_options *options, struct tern_error *error)
{
	if (options->node > TERN_NODE_MAX)
		return tern_error_set(error, -EINVAL, "router: node %u; 0 to %u", options->node,
				      TERN_NODE_MAX);
	if (options->readers > READERS_MAX)
		return tern_error_set(error, -EINVAL, "router: %u readers; %u at most",
				      options->readers, READERS_MAX);
	if (options->absent_max > TERN_ABSENT_MAX)
		return tern_error_set(error, -EINVAL, "router: %u missing ids; %u at most",
				      options->absent_max, TERN_ABSENT_MAX);
	if (options->version > TERN_VERSION_FOLLOWED_MAX)
		return tern_error_set(error, -EINVAL, "router: version %llu; %llu at most",
				      (unsigned long long)options->version,
				      (unsigned long long)TERN_VERSION_FOLLOWED_MAX);
	return 0;
}

static void set_limits(struct tern_router *router, const struct tern_router_options *options)
{
	router->remote_ttl_ns =
		options->remote_ttl_ns ? options->remote_ttl_ns : REMOTE_TTL_NS_DEFAULT;
	router->absent_ttl_ns =
		options->absent_ttl_ns ? options->absent_ttl_ns : ABSENT_TTL_NS_DEFAULT;
	router->gone_ttl_ns = router->remote_ttl_ns < TERN_ROUTE_FOREVER / TERN_GONE_TTLS
				      ? router->remote_ttl_ns * TERN_GONE_TTLS
				      : TERN_ROUTE_FOREVER;
	router->remote_max = options->remote_max ? options->remote_max : UINT64_MAX;
	router->drift_max = options->drift_max ? options->drift_max : DRIFT_DEFAULT;
	router->drift_ns = options->drift_ns ? options->drift_ns : DRIFT_NS_DEFAULT;
	router->reader_count = options->readers ? options->readers : 1;
	router->sample_every = options->sample_every;
	router->node = options->node;
	router->told = options->version; /* that it starts anew is a change that peers ask for */
	router->context = options->context;
	if (options->calls)
		router->calls = *options->calls;
}

/* Histograms are large, and there only where lookups are timed. */
static int make_readers(struct tern_router *router, uint64_t version, struct tern_error *error)
{
	uint32_t count = router->reader_count;
	router->heard = calloc(TERN_NODE_MAX + 1, sizeof(*router->heard));
	router->readers = tern_lines_make(count * sizeof(*router->readers));
	router->usage = tern_lines_make(count * sizeof(*router->usage));
	if (router->sample_every)
		router->times = calloc(count, sizeof(*router->times));
	if (!router->heard || !router->readers || !router->usage ||
	    (router->sample_every && !router->times))
		return tern_error_set(error, -ENOMEM, "router: no memory for %u readers", count);
	router->heard[router->node].version = version;
	for (uint32_t i = 0; i < count; i++)
		router->readers[i].until_sample = tern_router_until(router);
	return 0;
}

static int make_parts(struct tern_router *router, const struct tern_router_options *options,
		      struct tern_error *error)
{
	const struct tern_table_options *like = &options->table;
	const struct tern_sets_options sets = {.sets_max = options->sets_max,
					       .members_max = options->members_max,
					       .agents_expected = options->agents_expected,
					       .seed = like->seed,
					       .quiet = like->quiet,
					       .kernel = like->kernel,
					       .page_bytes_max = like->page_bytes_max};
	struct tern_table_options own = *like, alone = *like;
	own.routes_expected = 0;
	alone.quiet = NULL; /* who looks into `gone` has the lock */
	int code = make_readers(router, options->version, error);
	if (code == 0)
		code = tern_table_create(&router->table, like, error);
	if (code == 0)
		code = tern_table_create(&router->own, &own, error);
	if (code == 0)
		code = tern_sets_create(&router->sets, &sets, error);
	if (code == 0)
		code = tern_absent_init(&router->absent, like, options->absent_max,
					options->absent_max, error);
	if (code == 0)
		code = tern_absent_init(&router->gone, &alone, options->absent_max, 0, error);
	if (code == 0)
		router->gone_bytes = tern_absent_held(&router->gone);
	return code;
}

int tern_router_create(struct tern_router **router, const struct tern_router_options *options,
		       struct tern_error *error)
{
	int code = check_options(options, error);
	if (code != 0)
		return code;
	struct tern_router *made = tern_lines_make(sizeof(*made));
	if (!made)
		return tern_error_set(error, -ENOMEM, "router: no memory");
	set_limits(made, options);
	code = make_parts(made, options, error);
	if (code != 0)
		tern_router_destroy(made);
	else
		*router = made;
	return code;
}

void tern_router_destroy(struct tern_router *router)
{
	tern_absent_fini(&router->absent);
	tern_absent_fini(&router->gone);
	if (router->sets)
		tern_sets_destroy(router->sets);
	if (router->table)
		tern_table_destroy(router->table);
	if (router->own)
		tern_table_destroy(router->own);
	free(router->times);
	free(router->readers);
	free(router->usage);
	free(router->heard);
	free(router);
}

struct tern_table *tern_router_table(struct tern_router *router)
{
	return router->table;
}

int tern_router_offer(struct tern_router *router, struct tern_id capability, struct tern_id agent,
		      tern_address address)
{
	return tern_sets_add(router->sets, capability, agent, address);
}

int tern_router_withdraw(struct tern_router *router, struct tern_id capability,
			 struct tern_id agent)
{
	return tern_sets_remove(router->sets, capability, agent);
}

uint32_t tern_router_forget(struct tern_router *router, struct tern_id agent)
{
	return tern_sets_forget(router->sets, agent);
}
