/* SPDX-License-Identifier: Apache-2.0 */

/* What an inspector answers: a function for each kind of request. */
#include <errno.h>
#include <stdio.h>

#include <rte_rcu_qsbr.h>

#include "capabilities/sanitizer.h"
#include "engine.h"
#include "inspect.h"

/* While it looks at the table nothing that it may see is used again. */
static void enter(const struct tern_engine *engine)
{
	rte_rcu_qsbr_thread_online(engine->quiet, engine->system_count);
}

static void leave(const struct tern_engine *engine)
{
	tern_sanitizer_unlocking(engine->quiet);
	rte_rcu_qsbr_thread_offline(engine->quiet, engine->system_count);
}

static int answer_stat(const struct tern_engine *engine, const union tern_inspect_request *request,
		       union tern_inspect_reply *reply)
{
	struct tern_table_stats table;
	(void)request;
	enter(engine);
	tern_table_look(engine->table, &table);
	leave(engine);
	reply->stat.stat = (struct tern_inspect_stat){
		.now_ns = tern_clock_ns(&engine->clock),
		.routes = table.routes,
		.routes_max = engine->slots,
		.buckets = table.buckets,
		.grown = table.grown,
		.distance_max = table.distance_max,
		.bytes = table.bytes,
		.page_bytes = table.page_bytes,
		.shards = (uint32_t)table.shards,
		.growing = (uint32_t)table.growing,
		.lcores = engine->lcore_count,
		.agents_max = engine->config.max_agents,
	};
	snprintf(reply->stat.stat.kernel, sizeof(reply->stat.stat.kernel), "%s", table.kernel);
	return 0;
}

/* Beside the route, the agent that it leads to; which may have ended meanwhile. */
static void tell_agent(const struct tern_engine *engine, struct tern_inspect_route *told)
{
	struct tern_agent_stats agent;
	told->now_ns = tern_clock_ns(&engine->clock);
	told->lcore = TERN_INSPECT_NO_LCORE;
	if (tern_agent_stats(engine, told->route.address, &agent) != 0)
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
	enter(engine);
	bool found = tern_table_route(engine->table, request->lookup.id, &told->route);
	leave(engine);
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
	enter(engine);
	page->more = tern_table_each_from(engine->table, &page->cursor, TERN_INSPECT_PAGE_MAX,
					  show_route, &showing);
	leave(engine);
	for (uint32_t i = 0; i < page->count; i++)
		tell_agent(engine, &page->routes[i]);
	return 0;
}

static int (*const answers[TERN_INSPECT_KINDS])(const struct tern_engine *engine,
						const union tern_inspect_request *request,
						union tern_inspect_reply *reply) = {
	[TERN_INSPECT_STAT] = answer_stat,
	[TERN_INSPECT_LOOKUP] = answer_lookup,
	[TERN_INSPECT_SHOW] = answer_show,
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
