/* SPDX-License-Identifier: Apache-2.0 */

/* How large a router would be, and how large one may be. */
#include "router.h"
#include "dataplane/table/table_size.h"

#include <errno.h>

#include <rte_common.h>

#define BYTES_MIN (1u << 20)
/* An agent in two sets, sixteen agents in a set. */
#define SETS_OF_AGENT 2u
#define MEMBERS_OF_SET 16u

struct tern_router_bytes tern_router_bytes(const struct tern_router_load *load, uint32_t shards)
{
	return (struct tern_router_bytes){
		.routes = tern_table_bytes(load->agents + load->remote, load->remote, shards) +
			  tern_table_bytes(0, 0, shards),
		.absent = tern_absent_bytes((uint32_t)load->absent) + tern_absent_bytes(0),
		.sets = tern_sets_bytes(load->sets, load->members / SETS_OF_AGENT, load->members,
					true)};
}

static uint64_t routes_bytes(uint64_t routes, uint32_t shards)
{
	return tern_table_bytes_most(routes, routes, shards) + tern_table_bytes(0, 0, shards);
}

static uint64_t absent_bytes(uint64_t absent, uint32_t shards)
{
	(void)shards;
	return tern_absent_bytes((uint32_t)absent) + tern_absent_bytes(0);
}

static uint64_t members_bytes(uint64_t members, uint32_t shards)
{
	(void)shards;
	return tern_sets_bytes(members / MEMBERS_OF_SET + 1, members / SETS_OF_AGENT, members,
			       true);
}

/* The most of something that takes no more than so many bytes: `bytes_of` grows with it. */
static uint64_t most_in(uint64_t bytes, uint32_t shards,
			uint64_t (*bytes_of)(uint64_t count, uint32_t shards))
{
	uint64_t fits = 0, above = RTE_MIN(bytes / sizeof(struct tern_id), UINT32_MAX / 2) + 1;
	while (above - fits > 1) {
		uint64_t middle = fits + (above - fits) / 2;
		if (bytes_of(middle, shards) <= bytes)
			fits = middle;
		else
			above = middle;
	}
	return fits;
}

int tern_router_split(uint64_t bytes, struct tern_router_options *options)
{
	uint32_t shards = options->table.shards ? options->table.shards : 1;
	if (bytes < BYTES_MIN)
		return -EINVAL;
	uint64_t routes = most_in(bytes / 100 * 60, shards, routes_bytes);
	uint64_t absent = most_in(bytes / 100 * 25, shards, absent_bytes);
	uint64_t members = most_in(bytes / 100 * 15, shards, members_bytes);
	routes = RTE_MIN(routes, tern_table_routes_most(shards));
	absent = RTE_MIN(absent, TERN_ABSENT_MAX);
	members = RTE_MIN(members, TERN_SETS_MEMBERS_MAX);
	if (routes == 0 || absent == 0 || members == 0)
		return -EINVAL;
	options->table.routes_max = routes;
	options->table.routes_expected = routes;
	options->absent_max = (uint32_t)absent;
	options->members_max = members;
	options->agents_expected = members / SETS_OF_AGENT;
	options->sets_max = (uint32_t)RTE_MIN(members / MEMBERS_OF_SET + 1, TERN_SETS_MAX);
	return 0;
}
