/* SPDX-License-Identifier: Apache-2.0 */
#include "route_print.h"

#include "json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_common.h>

#define SCHEMA "tern.route/1"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

/* null where there is none. */
static json_t *name(const char *text)
{
	return *text ? app_json_string(text) : json_null();
}

static json_t *id_json(struct tern_id id)
{
	char text[40];
	snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, id.high, id.low);
	return json_string(text);
}

static json_t *address_json(tern_address address)
{
	char text[20];
	snprintf(text, sizeof(text), "%016" PRIx64, address);
	return json_string(text);
}

static json_t *engine_json(const struct tern_inspect_engine *engine, uint64_t now_ns)
{
	return json_pack("{s:i, s:i, s:o, s:o}", "pid", (int)engine->pid, "number",
			 (int)engine->number, "program", name(engine->program), "uptime_ns",
			 number(now_ns));
}

static json_t *stat_json(const struct tern_inspect_stat *stat)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "routes",
			 number(stat->routes), "routes_max", number(stat->routes_max), "buckets",
			 number(stat->buckets), "distance_max", number(stat->distance_max),
			 "shards", number(stat->shards), "growing", number(stat->growing), "grown",
			 number(stat->grown), "bytes", number(stat->bytes), "page_bytes",
			 number(stat->page_bytes), "kernel", name(stat->kernel), "lcores",
			 number(stat->lcores), "agents_max", number(stat->agents_max));
}

/* The counters of a structure that has nothing else, by name. */
#define COUNTER(structure, member) [offsetof(struct structure, member) / sizeof(uint64_t)] = #member

static json_t *counters(const char *const *names, size_t count, const void *structure)
{
	const uint64_t *values = structure;
	json_t *object = json_object();
	bool made = object != NULL;
	for (size_t i = 0; made && i < count; i++)
		made = json_object_set_new(object, names[i], number(values[i])) == 0;
	if (made)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *lookups_json(const struct tern_router_counts *lookups)
{
#define LOOKUPS(member) COUNTER(tern_router_counts, member)
	static const char *const names[] = {LOOKUPS(local),
					    LOOKUPS(remote),
					    LOOKUPS(unknown),
					    LOOKUPS(absent_hits),
					    LOOKUPS(absent_expired),
					    LOOKUPS(stale_removed),
					    LOOKUPS(discoveries),
					    LOOKUPS(busy),
					    LOOKUPS(capability_found),
					    LOOKUPS(capability_unknown),
					    LOOKUPS(batches),
					    LOOKUPS(batch_ids)};
	_Static_assert(sizeof(*lookups) == RTE_DIM(names) * sizeof(uint64_t), "all of them");
	return counters(names, RTE_DIM(names), lookups);
}

static json_t *updates_json(const struct tern_router_updates *updates)
{
#define UPDATES(member) COUNTER(tern_router_updates, member)
	static const char *const names[] = {UPDATES(applied),	     UPDATES(merged),
					    UPDATES(rejected),	     UPDATES(concurrent),
					    UPDATES(contradictions), UPDATES(invalidated),
					    UPDATES(unindexed)};
	_Static_assert(sizeof(*updates) == RTE_DIM(names) * sizeof(uint64_t), "all of them");
	return counters(names, RTE_DIM(names), updates);
}

static json_t *lcores_json(const struct tern_router_counts *lookups, uint32_t lcores)
{
	json_t *array = json_array();
	bool made = array != NULL;
	for (uint32_t lcore = 0; made && lcore < lcores; lcore++)
		made = json_array_append_new(array, json_pack("{s:o, s:o}", "lcore", number(lcore),
							      "lookups",
							      lookups_json(&lookups[lcore]))) == 0;
	if (made)
		return array;
	json_decref(array);
	return NULL;
}

/* null where none was timed. */
static json_t *time_json(const struct tern_inspect_times *times)
{
	if (!times->samples)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "samples", number(times->samples), "p50_ns",
			 number(times->p50_ns), "p99_ns", number(times->p99_ns));
}

static json_t *times_json(const struct tern_inspect_times times[TERN_PATHS])
{
	json_t *object = json_object();
	bool made = object != NULL;
	for (int path = 0; made && path < TERN_PATHS; path++)
		made = json_object_set_new(object, route_path_name((enum tern_router_path)path),
					   time_json(&times[path])) == 0;
	if (made)
		return object;
	json_decref(object);
	return NULL;
}

/* The id is null for all others together. */
static json_t *capability_json(const struct tern_capability_counts *counts, const char *label)
{
	bool all_others = !counts->capability.high && !counts->capability.low;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 all_others ? json_null() : id_json(counts->capability), "name",
			 name(label), "lookups", number(counts->lookups), "unknown",
			 number(counts->unknown), "answers", number(counts->answers), "timed",
			 number(counts->timed), "ns", number(counts->ns), "ns_max",
			 number(counts->ns_max));
}

static json_t *capabilities_json(const struct tern_inspect_capabilities *capabilities)
{
	json_t *array = json_array();
	bool made = array != NULL;
	for (uint64_t i = 0; made && i < capabilities->count; i++)
		made = json_array_append_new(array, capability_json(&capabilities->counts[i],
								    capabilities->names[i])) == 0;
	if (made)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *router_json(const struct tern_inspect_stat *stat,
			   const struct tern_router_counts *lookups,
			   const struct tern_inspect_capabilities *capabilities)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:{s:o, s:o, s:o}}",
			 "lookups", lookups_json(&stat->lookups), "lcores",
			 lcores_json(lookups, stat->lcores), "times", times_json(stat->times),
			 "capabilities", capabilities_json(capabilities), "updates",
			 updates_json(&stat->updates), "absent", number(stat->absent), "sets",
			 "count", number(stat->sets), "agents", number(stat->set_agents), "members",
			 number(stat->set_members), "bytes", "routes", number(stat->held.routes),
			 "absent", number(stat->held.absent), "sets", number(stat->held.sets));
}

static json_t *agent_json(const struct tern_inspect_route *told)
{
	if (told->lcore == TERN_INSPECT_NO_LCORE)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "lcore", number(told->lcore), "behaviour",
			 name(told->behaviour), "name", name(told->name));
}

static json_t *route_object(const struct tern_inspect_route *told)
{
	const struct tern_route *route = &told->route;
	uint64_t updated, expires;
	bool known = route_updated_ago(told, &updated), ends = route_expires_in(told, &expires);
	return json_pack("{s:o, s:o, s:i, s:i, s:s, s:i, s:o, s:o, s:o, s:o}", "id",
			 id_json(route->id), "address", address_json(route->address), "node",
			 (int)tern_address_node(route->address), "hops", (int)route->hops, "source",
			 route_source_name(route->source), "origin", (int)route->origin, "version",
			 number(route->version), "updated_ago_ns",
			 known ? number(updated) : json_null(), "expires_in_ns",
			 ends ? number(expires) : json_null(), "agent", agent_json(told));
}

/* There is no value where there was no memory for it. */
static bool print(json_t *value, size_t flags, const char *end)
{
	int code = app_json_print(value, flags);
	fputs(end, stdout);
	return code != -ENOMEM;
}

static bool print_stat(const struct tern_inspect_engine *engine,
		       const struct tern_inspect_stat *stat,
		       const struct tern_router_counts *lookups,
		       const struct tern_inspect_capabilities *capabilities)
{
	return print(json_pack("{s:s, s:o, s:o, s:o}", "schema", SCHEMA, "engine",
			       engine_json(engine, stat->now_ns), "table", stat_json(stat),
			       "router", router_json(stat, lookups, capabilities)),
		     JSON_INDENT(2), "\n");
}

static bool print_lookup(const struct tern_inspect_engine *engine,
			 const struct tern_inspect_route *told)
{
	return print(json_pack("{s:s, s:o, s:o}", "schema", SCHEMA, "engine",
			       engine_json(engine, told->now_ns), "route", route_object(told)),
		     JSON_INDENT(2), "\n");
}

/* One object, but never in memory as a whole. */
static bool print_show_begin(const struct tern_inspect_engine *engine,
			     const struct tern_inspect_stat *stat)
{
	printf("{\n  \"schema\": \"" SCHEMA "\",\n  \"engine\": ");
	return print(engine_json(engine, stat->now_ns), 0, ",\n  \"routes\": [");
}

static bool print_show(const struct tern_inspect_route *told, bool first)
{
	printf("%s\n    ", first ? "" : ",");
	return print(route_object(told), 0, "");
}

static bool print_show_end(bool more)
{
	printf("\n  ],\n  \"more\": %s\n}\n", more ? "true" : "false");
	return true;
}

static json_t *contradiction_json(const struct tern_contradiction *told)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:i}", "kind",
			 route_contradiction_name(told->kind), "id", id_json(told->id), "held",
			 address_json(told->held), "claimed", address_json(told->claimed),
			 "version", number(told->version), "origin", (int)told->origin);
}

static json_t *contradictions_json(const struct tern_inspect_report *report)
{
	json_t *array = json_array();
	bool made = array != NULL;
	for (uint32_t i = 0; made && i < report->contradiction_count; i++)
		made = json_array_append_new(array,
					     contradiction_json(&report->contradictions[i])) == 0;
	if (made)
		return array;
	json_decref(array);
	return NULL;
}

/* One object, as the routes are. */
static bool print_report_begin(const struct tern_inspect_engine *engine,
			       const struct tern_inspect_report *report)
{
	const struct tern_router_report *router = &report->router;
	printf("{\n  \"schema\": \"" SCHEMA "\",\n  \"engine\": ");
	if (!print(engine_json(engine, report->now_ns), 0, ",\n  \"report\": "))
		return false;
	if (!print(json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node", (int)router->node,
			     "version", number(router->version), "routes", number(router->routes),
			     "nodes", number(router->nodes), "behind", number(router->behind),
			     "drift_max", number(router->drift_max), "drift_node",
			     router->drift_node ? number(router->drift_node) : json_null(),
			     "contradictions", number(router->contradictions)),
		   0, ",\n  \"contradictions\": "))
		return false;
	return print(contradictions_json(report), 0, ",\n  \"nodes\": [");
}

static bool print_report_node(const struct tern_inspect_report *page,
			      const struct tern_node_report *node, bool first)
{
	uint64_t ago = page->now_ns > node->told_ns ? page->now_ns - node->told_ns : 0;
	printf("%s\n    ", first ? "" : ",");
	return print(json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "node", (int)node->node, "version",
			       number(node->version), "complete", number(node->complete), "told",
			       number(node->told), "told_ago_ns",
			       node->told_ns ? number(ago) : json_null(), "drift",
			       number(node->drift)),
		     0, "");
}

static bool print_report_end(void)
{
	puts("\n  ]\n}");
	return true;
}

const struct route_form route_json = {.by_lcore = true,
				      .stat = print_stat,
				      .lookup = print_lookup,
				      .show_begin = print_show_begin,
				      .show = print_show,
				      .show_end = print_show_end,
				      .report_begin = print_report_begin,
				      .report_node = print_report_node,
				      .report_end = print_report_end};
