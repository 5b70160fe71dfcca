/* SPDX-License-Identifier: Apache-2.0 */
#include "route_print.h"

#include "human_text.h"
#include "tern_plain.h"

#include <inttypes.h>
#include <stdio.h>

#include <rte_common.h>

#define PLACES_OF_A_BUCKET 5

const char *route_source_name(uint8_t source)
{
	static const char *const names[TERN_ROUTE_SOURCES] = {"local", "gossip", "discovery",
							      "static", "migration"};
	return names[source];
}

const char *route_path_name(enum tern_router_path path)
{
	static const char *const names[TERN_PATHS] = {
		[TERN_PATH_LOCAL] = "local",   [TERN_PATH_REMOTE] = "remote",
		[TERN_PATH_ABSENT] = "absent", [TERN_PATH_UNKNOWN] = "unknown",
		[TERN_PATH_BATCH] = "batch",   [TERN_PATH_CAPABILITY] = "capability"};
	return names[path];
}

const char *route_contradiction_name(enum tern_contradiction_kind kind)
{
	static const char *const names[] = {[TERN_CONTRADICTION_LIVES_HERE] = "lives here",
					    [TERN_CONTRADICTION_NOT_HERE] = "not here",
					    [TERN_CONTRADICTION_CONCURRENT] = "concurrent",
					    [TERN_CONTRADICTION_SHARED] = "shared"};
	return names[kind];
}

bool route_updated_ago(const struct tern_inspect_route *route, uint64_t *ns)
{
	uint64_t updated = route->route.updated_ns;
	*ns = route->now_ns > updated ? route->now_ns - updated : 0;
	return updated != 0;
}

bool route_expires_in(const struct tern_inspect_route *route, uint64_t *ns)
{
	uint64_t expires = route->route.expires_ns;
	*ns = expires > route->now_ns ? expires - route->now_ns : 0;
	return expires != TERN_ROUTE_FOREVER;
}

/* Room for the longest name that an engine answers, whatever its bytes. */
#define NAME_TEXT_MAX TERN_PLAIN_MAX(sizeof(((struct tern_inspect_route *)0)->name))

/* A name is any bytes: none of them shall speak to the terminal. "-" where there is none. */
static const char *name_text(char text[NAME_TEXT_MAX], const char *name)
{
	return *name ? tern_plain_text(text, NAME_TEXT_MAX, name) : "-";
}

static const char *updated_text(char text[APP_TEXT_MAX], const struct tern_inspect_route *route)
{
	char age[APP_TEXT_MAX - 8];
	uint64_t ns;
	if (!route_updated_ago(route, &ns))
		return "-";
	snprintf(text, APP_TEXT_MAX, "%s ago", app_ns_text(age, ns));
	return text;
}

static const char *expires_text(char text[APP_TEXT_MAX], const struct tern_inspect_route *route)
{
	char left[APP_TEXT_MAX - 8];
	uint64_t ns;
	if (!route_expires_in(route, &ns))
		return "never";
	if (ns == 0)
		return "expired";
	snprintf(text, APP_TEXT_MAX, "in %s", app_ns_text(left, ns));
	return text;
}

static const char *lcore_text(char text[APP_TEXT_MAX], const struct tern_inspect_route *route)
{
	if (route->lcore == TERN_INSPECT_NO_LCORE)
		return "-";
	snprintf(text, APP_TEXT_MAX, "%u", route->lcore);
	return text;
}

static void print_engine(const struct tern_inspect_engine *engine, uint64_t now_ns)
{
	char program[NAME_TEXT_MAX], up[APP_TEXT_MAX];
	printf("%s, process %d, engine %u, up %s\n", name_text(program, engine->program),
	       (int)engine->pid, engine->number, app_ns_text(up, now_ns));
}

static void print_count(const char *label, uint64_t count, const char *text)
{
	char number[APP_TEXT_MAX];
	printf("  %-10s %12s  %s\n", label, app_count_text(number, count), text);
}

static void print_table(const struct tern_inspect_stat *stat)
{
	char text[2 * APP_TEXT_MAX], number[APP_TEXT_MAX], kernel[NAME_TEXT_MAX];
	snprintf(text, sizeof(text), "there is room for %s",
		 app_count_text(number, stat->routes_max));
	print_count("routes", stat->routes, text);
	snprintf(text, sizeof(text), "%.1f %% full",
		 100 * (double)stat->routes / ((double)stat->buckets * PLACES_OF_A_BUCKET));
	print_count("buckets", stat->buckets, text);
	print_count("farthest", stat->distance_max, "buckets between a route and its home");
	snprintf(text, sizeof(text), "each with a lock for its writers; %u growing now",
		 stat->growing);
	print_count("shards", stat->shards, text);
	print_count("grown", stat->grown, "times that a shard has");
	printf("  %-10s %12s  ", "memory", app_bytes_text(text, stat->held.routes));
	printf("for routes; the smallest page %s\n", app_bytes_text(text, stat->page_bytes));
	printf("  %-10s %12s  hashes and looks up\n", "kernel", name_text(kernel, stat->kernel));
	print_count("lcores", stat->lcores, "of the engine");
	print_count("agents", stat->agents_max, "at most: engine.max_agents");
}

struct row {
	const char *label;
	uint64_t count;
	const char *text;
};

/* Rows of nothing are left out, and so is the title where no row is left. */
static void print_rows(const char *title, const struct row *rows, size_t count)
{
	bool titled = false;
	for (size_t i = 0; i < count; i++) {
		if (!rows[i].count)
			continue;
		if (!titled)
			puts(title);
		titled = true;
		print_count(rows[i].label, rows[i].count, rows[i].text);
	}
}

static void print_lookups(const struct tern_router_counts *lookups)
{
	char batches[APP_TEXT_MAX];
	const struct row ids[] = {
		{"local", lookups->local, "found in this process"},
		{"remote", lookups->remote, "found on other nodes"},
		{"unknown", lookups->unknown, "not found"},
		{"absent", lookups->absent_hits, "of them known to be missing"},
		{"expired", lookups->absent_expired, "of them known to have been missing before"},
		{"asked for", lookups->discoveries, "on other nodes; capabilities, too"},
		{"stale", lookups->stale_removed, "remote routes past their time, taken out"},
		{"busy", lookups->busy, "left that to the next: somebody else was writing"},
		{"batches", lookups->batches, batches},
	};
	const struct row capabilities[] = {
		{"found", lookups->capability_found, "with somebody who can take signals"},
		{"unknown", lookups->capability_unknown, "with nobody"},
	};
	snprintf(batches, sizeof(batches), "of %.1f ids on average, counted above",
		 (double)lookups->batch_ids / (double)RTE_MAX(lookups->batches, 1u));
	print_rows("lookups of ids", ids, RTE_DIM(ids));
	print_rows("lookups of capabilities", capabilities, RTE_DIM(capabilities));
}

static void print_updates(const struct tern_router_updates *updates)
{
	const struct row rows[] = {
		{"applied", updates->applied, "new here"},
		{"merged", updates->merged, "known already"},
		{"rejected", updates->rejected, "older than what is known, or known better here"},
		{"concurrent", updates->concurrent, "of nodes that did not know of each other's"},
		{"at odds", updates->contradictions, "contradict what is known"},
		{"dropped", updates->invalidated, "missing ids and members, because of them"},
		{"unindexed", updates->unindexed, "agents that their node's set had no room for"},
	};
	print_rows("updates from other nodes", rows, RTE_DIM(rows));
}

/* Their memory is there from the start. */
static void print_indexes(const struct tern_inspect_stat *stat)
{
	char text[2 * APP_TEXT_MAX], bytes[APP_TEXT_MAX];
	char agents[APP_TEXT_MAX];
	puts("beside the table");
	snprintf(text, sizeof(text), "missing ids remembered; %s for them",
		 app_bytes_text(bytes, stat->held.absent));
	print_count("absent", stat->absent, text);
	snprintf(text, sizeof(text), "by capability or node; %s for them",
		 app_bytes_text(bytes, stat->held.sets));
	print_count("sets", stat->sets, text);
	if (!stat->sets)
		return;
	snprintf(text, sizeof(text), "of %s agents", app_count_text(agents, stat->set_agents));
	print_count("members", stat->set_members, text);
}

static void print_times(const struct tern_inspect_times times[TERN_PATHS])
{
	bool titled = false;
	for (int path = 0; path < TERN_PATHS; path++) {
		char samples[APP_TEXT_MAX], p50[APP_TEXT_MAX], p99[APP_TEXT_MAX];
		if (!times[path].samples)
			continue;
		if (!titled)
			printf("%-12s %12s %10s %10s\n", "timed", "lookups", "p50", "p99");
		titled = true;
		printf("  %-10s %12s %10s %10s\n", route_path_name((enum tern_router_path)path),
		       app_count_text(samples, times[path].samples),
		       app_ns_text(p50, times[path].p50_ns), app_ns_text(p99, times[path].p99_ns));
	}
}

/* A capability's name, or its id where the engine knows none. */
static const char *capability_text(char text[NAME_TEXT_MAX],
				   const struct tern_capability_counts *counts, const char *name)
{
	const struct tern_id *id = &counts->capability;
	if (*name)
		return name_text(text, name);
	if (!id->high && !id->low)
		return "all others";
	snprintf(text, NAME_TEXT_MAX, "%016" PRIx64 "%016" PRIx64, id->high, id->low);
	return text;
}

static const char *mean_text(char text[APP_TEXT_MAX], const struct tern_capability_counts *counts)
{
	return counts->timed ? app_ns_text(text, counts->ns / counts->timed) : "-";
}

static void print_capabilities(const struct tern_inspect_capabilities *told)
{
	if (told->count)
		printf("%-34s %10s %10s %10s %9s\n", "by capability", "lookups", "in vain",
		       "agents", "mean time");
	for (uint64_t i = 0; i < told->count; i++) {
		const struct tern_capability_counts *counts = &told->counts[i];
		char text[NAME_TEXT_MAX], lookups[APP_TEXT_MAX], unknown[APP_TEXT_MAX];
		char answers[APP_TEXT_MAX], mean[APP_TEXT_MAX];
		printf("  %-32s %10s %10s %10s %9s\n",
		       capability_text(text, counts, told->names[i]),
		       app_count_text(lookups, counts->lookups),
		       app_count_text(unknown, counts->unknown),
		       app_count_text(answers, counts->answers), mean_text(mean, counts));
	}
}

/* Lcores are left to programs. */
static bool print_stat(const struct tern_inspect_engine *engine,
		       const struct tern_inspect_stat *stat,
		       const struct tern_router_counts *lookups,
		       const struct tern_inspect_capabilities *capabilities)
{
	(void)lookups;
	print_engine(engine, stat->now_ns);
	print_table(stat);
	print_lookups(&stat->lookups);
	print_times(stat->times);
	print_capabilities(capabilities);
	print_updates(&stat->updates);
	print_indexes(stat);
	return true;
}

static bool print_lookup(const struct tern_inspect_engine *engine,
			 const struct tern_inspect_route *told)
{
	const struct tern_route *route = &told->route;
	char text[NAME_TEXT_MAX];
	print_engine(engine, told->now_ns);
	printf("  %-10s %016" PRIx64 "%016" PRIx64 "\n", "id", route->id.high, route->id.low);
	printf("  %-10s %016" PRIx64 "\n", "address", route->address);
	printf("  %-10s %u%s\n", "node", tern_address_node(route->address),
	       tern_address_node(route->address) ? "" : " (this one)");
	printf("  %-10s %u\n", "hops", route->hops);
	printf("  %-10s %s, node %u\n", "source", route_source_name(route->source), route->origin);
	printf("  %-10s %" PRIu64 "\n", "version", route->version);
	printf("  %-10s %s\n", "updated", updated_text(text, told));
	printf("  %-10s %s\n", "expires", expires_text(text, told));
	printf("  %-10s %s\n", "lcore", lcore_text(text, told));
	printf("  %-10s %s\n", "behaviour", name_text(text, told->behaviour));
	printf("  %-10s %s\n", "name", name_text(text, told->name));
	return true;
}

static bool print_show_begin(const struct tern_inspect_engine *engine,
			     const struct tern_inspect_stat *stat)
{
	print_engine(engine, stat->now_ns);
	printf("%-32s  %-16s %5s %4s %-9s %12s %13s %11s %5s %-16s %s\n", "ID", "ADDRESS", "NODE",
	       "HOPS", "SOURCE", "VERSION", "UPDATED", "EXPIRES", "LCORE", "BEHAVIOUR", "NAME");
	return true;
}

static bool print_show(const struct tern_inspect_route *told, bool first)
{
	const struct tern_route *route = &told->route;
	char updated[APP_TEXT_MAX], expires[APP_TEXT_MAX], lcore[APP_TEXT_MAX];
	char behaviour[NAME_TEXT_MAX], name[NAME_TEXT_MAX];
	(void)first;
	printf("%016" PRIx64 "%016" PRIx64 "  %016" PRIx64 " %5u %4u %-9s %12" PRIu64
	       " %13s %11s %5s %-16s %s\n",
	       route->id.high, route->id.low, route->address, tern_address_node(route->address),
	       route->hops, route_source_name(route->source), route->version,
	       updated_text(updated, told), expires_text(expires, told), lcore_text(lcore, told),
	       name_text(behaviour, told->behaviour), name_text(name, told->name));
	return true;
}

static bool print_show_end(bool more)
{
	if (more)
		puts("...");
	return true;
}

static void print_contradictions(const struct tern_inspect_report *report)
{
	if (report->contradiction_count)
		printf("%-12s %-32s  %-16s %-16s %5s\n", "at odds", "id", "held", "claimed", "by");
	for (uint32_t i = 0; i < report->contradiction_count; i++) {
		const struct tern_contradiction *told = &report->contradictions[i];
		printf("  %-10s %016" PRIx64 "%016" PRIx64 "  %016" PRIx64 " %016" PRIx64 " %5u\n",
		       route_contradiction_name(told->kind), told->id.high, told->id.low,
		       told->held, told->claimed, told->origin);
	}
}

static bool print_report_begin(const struct tern_inspect_engine *engine,
			       const struct tern_inspect_report *report)
{
	const struct tern_router_report *router = &report->router;
	char node[APP_TEXT_MAX], text[2 * APP_TEXT_MAX] = "nothing is lacking of any";
	print_engine(engine, report->now_ns);
	snprintf(node, sizeof(node), "%u", router->node);
	printf("  %-10s %18s  %s\n", "node", router->node ? node : "-",
	       router->node ? "this one: router.node" : "it has no number: router.node");
	printf("  %-10s %18" PRIu64 "  of the last change that it told\n", "version",
	       router->version);
	printf("  %-10s %18" PRIu64 "  to agents of other nodes\n", "routes", router->routes);
	if (router->behind)
		snprintf(text, sizeof(text), "something may be lacking of %u; most of node %u",
			 router->behind, router->drift_node);
	printf("  %-10s %18u  %s\n", "nodes", router->nodes, text);
	printf("  %-10s %18" PRIu64 "  contradictions so far\n", "at odds", router->contradictions);
	print_contradictions(report);
	return true;
}

static bool print_report_node(const struct tern_inspect_report *page,
			      const struct tern_node_report *node, bool first)
{
	char age[APP_TEXT_MAX - 8], ago[APP_TEXT_MAX] = "never";
	if (first)
		printf("%5s %20s %20s %20s %12s %13s\n", "node", "version", "complete to",
		       "peers have", "drift", "compared");
	if (node->told_ns)
		snprintf(ago, sizeof(ago), "%s ago",
			 app_ns_text(age, page->now_ns > node->told_ns
						  ? page->now_ns - node->told_ns
						  : 0));
	printf("%5u %20" PRIu64 " %20" PRIu64 " %20" PRIu64 " %12" PRIu64 " %13s\n", node->node,
	       node->version, node->complete, node->told, node->drift, ago);
	return true;
}

static bool print_report_end(void)
{
	return true;
}

const struct route_form route_text = {.stat = print_stat,
				      .lookup = print_lookup,
				      .show_begin = print_show_begin,
				      .show = print_show,
				      .show_end = print_show_end,
				      .report_begin = print_report_begin,
				      .report_node = print_report_node,
				      .report_end = print_report_end};
