/* SPDX-License-Identifier: Apache-2.0 */

/* What an inspector answers of agents and routes: a function for each kind of request. */
#include <errno.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_rcu_qsbr.h>

#include "engine/agent/routing.h"
#include "engine/lcore/engine.h"
#include "inspect.h"
#include "inspect_node.h"
#include "inspect_wire.h"

/* While it looks at the table nothing that it may see is used again. */
static void enter_reader(const struct tern_engine *engine)
{
	rte_rcu_qsbr_thread_online(engine->quiet, engine->system_count);
}

static void leave_reader(const struct tern_engine *engine)
{
	tern_sanitizer_unlocking(engine->quiet);
	rte_rcu_qsbr_thread_offline(engine->quiet, engine->system_count);
}

/* Of all readers. */
static struct tern_inspect_times times_of(const struct tern_engine *engine,
					  enum tern_router_path path)
{
	struct tern_histogram all = {0}, one;
	for (uint32_t reader = 0; reader < engine->system_count; reader++) {
		tern_router_times(engine->router, reader, path, &one);
		tern_histogram_merge(&all, &one);
	}
	return (struct tern_inspect_times){.samples = all.count,
					   .p50_ns = tern_histogram_percentile(&all, 50),
					   .p99_ns = tern_histogram_percentile(&all, 99)};
}

static int answer_stat(const struct tern_engine *engine, const union tern_inspect_request *request,
		       union tern_inspect_reply *reply)
{
	struct tern_inspect_stat *stat = &reply->stat.stat;
	struct tern_router_stats router;
	const struct tern_table_stats *table = &router.table;
	(void)request;
	enter_reader(engine);
	tern_router_look(engine->router, &router);
	leave_reader(engine);
	*stat = (struct tern_inspect_stat){
		.now_ns = tern_clock_ns(&engine->clock),
		.routes = table->routes,
		.routes_max = (uint64_t)engine->slots + engine->config.router.remote_max,
		.buckets = table->buckets,
		.grown = table->grown,
		.distance_max = table->distance_max,
		.bytes = table->bytes,
		.page_bytes = table->page_bytes,
		.shards = (uint32_t)table->shards,
		.growing = (uint32_t)table->growing,
		.lcores = engine->lcore_count,
		.agents_max = engine->config.max_agents,
		.lookups = router.counts,
		.updates = router.updates,
		.held = router.bytes,
		.absent = router.absent,
		.sets = router.sets.sets,
		.set_agents = router.sets.agents,
		.set_members = router.sets.members,
	};
	snprintf(stat->kernel, sizeof(stat->kernel), "%s", table->kernel);
	for (int path = 0; engine->config.trace_every && path < TERN_PATHS; path++)
		stat->times[path] = times_of(engine, (enum tern_router_path)path);
	return 0;
}

/* Beside the route, the agent that it leads to; which may have ended meanwhile. */
static void tell_agent(const struct tern_engine *engine, struct tern_inspect_route *told)
{
	struct tern_agent_stats agent;
	told->now_ns = tern_clock_ns(&engine->clock);
	told->lcore = TERN_INSPECT_NO_LCORE;
	tern_address address = tern_routing_full(engine->lcores, told->route.address);
	if (tern_agent_stats(engine, address, &agent) != 0)
		return;
	told->lcore = agent.lcore;
	snprintf(told->name, sizeof(told->name), "%s", agent.name);
	snprintf(told->behaviour, sizeof(told->behaviour), "%s",
		 agent.behaviour ? agent.behaviour : "");
}

static int answer_lookup(const struct tern_engine *engine,
			 const union tern_inspect_request *request, union tern_inspect_reply *reply)
{
	struct tern_inspect_route *told = &reply->lookup.route;
	*told = (struct tern_inspect_route){0};
	enter_reader(engine);
	bool found = tern_table_route(engine->table, request->lookup.id, &told->route);
	leave_reader(engine);
	if (!found)
		return -ENOENT;
	tell_agent(engine, told);
	return 0;
}

struct showing {
	struct tern_inspect_page *page;
	uint64_t which;
};

static bool show_route(void *context, const struct tern_route *route)
{
	const struct showing *showing = context;
	struct tern_inspect_page *page = showing->page;
	bool local = tern_address_node(route->address) == 0;
	if (showing->which & (local ? TERN_INSPECT_LOCAL : TERN_INSPECT_REMOTE))
		page->routes[page->count++].route = *route;
	return true;
}

static int answer_show(const struct tern_engine *engine, const union tern_inspect_request *request,
		       union tern_inspect_reply *reply)
{
	struct tern_inspect_page *page = &reply->show.page;
	struct showing showing = {.page = page, .which = request->show.which};
	*page = (struct tern_inspect_page){.cursor = request->show.cursor};
	enter_reader(engine);
	page->more = tern_table_each_from(engine->table, &page->cursor, TERN_INSPECT_PAGE_MAX,
					  show_route, &showing);
	leave_reader(engine);
	for (uint32_t i = 0; i < page->count; i++)
		tell_agent(engine, &page->routes[i]);
	return 0;
}

static int answer_counts(const struct tern_engine *engine,
			 const union tern_inspect_request *request, union tern_inspect_reply *reply)
{
	uint64_t lcore = request->counts.lcore;
	if (lcore >= engine->lcore_count)
		return -ENOENT;
	tern_router_counts(engine->router, (uint32_t)lcore, &reply->counts.counts);
	return 0;
}

static int answer_capabilities(const struct tern_engine *engine,
			       const union tern_inspect_request *request,
			       union tern_inspect_reply *reply)
{
	struct tern_inspect_capabilities *told = &reply->capabilities.capabilities;
	(void)request;
	*told = (struct tern_inspect_capabilities){0};
	told->count = tern_router_capabilities(engine->router, told->counts,
					       TERN_INSPECT_CAPABILITIES_MAX);
	for (uint64_t i = 0; i < told->count; i++) {
		const char *name = tern_router_label_of(engine->router, told->counts[i].capability);
		if (name)
			snprintf(told->names[i], sizeof(told->names[i]), "%s", name);
	}
	return 0;
}

static int answer_report(const struct tern_engine *engine,
			 const union tern_inspect_request *request, union tern_inspect_reply *reply)
{
	struct tern_inspect_report *told = &reply->report.report;
	uint64_t from = request->report.from;
	*told = (struct tern_inspect_report){.now_ns = tern_clock_ns(&engine->clock)};
	told->next = (uint32_t)RTE_MIN(from, (uint64_t)TERN_NODE_MAX + 1);
	tern_router_report(engine->router, &told->router);
	told->contradiction_count = tern_router_contradictions(engine->router, told->contradictions,
							       TERN_CONTRADICTIONS_KEPT);
	told->node_count =
		tern_router_nodes(engine->router, &told->next, told->nodes, TERN_INSPECT_NODES_MAX);
	return 0;
}

static int (*const answers[TERN_INSPECT_KINDS])(const struct tern_engine *engine,
						const union tern_inspect_request *request,
						union tern_inspect_reply *reply) = {
	[TERN_INSPECT_STAT] = answer_stat,
	[TERN_INSPECT_LOOKUP] = answer_lookup,
	[TERN_INSPECT_SHOW] = answer_show,
	[TERN_INSPECT_COUNTS] = answer_counts,
	[TERN_INSPECT_CAPABILITIES] = answer_capabilities,
	[TERN_INSPECT_REPORT] = answer_report,
	[TERN_INSPECT_PEERS] = tern_inspect_answer_peers,
	[TERN_INSPECT_PING] = tern_inspect_answer_ping,
	[TERN_INSPECT_FAULT] = tern_inspect_answer_fault,
	[TERN_INSPECT_FAULT_SET] = tern_inspect_answer_fault_set,
};

void tern_inspect_answer(const struct tern_engine *engine,
			 const union tern_inspect_request *request, union tern_inspect_reply *reply)
{
	int status = answers[request->head.kind](engine, request, reply);
	reply->head = tern_inspect_reply_head(request->head.kind);
	reply->head.status = status;
	if (status != 0)
		reply->head.size = sizeof(reply->head);
}
