/* SPDX-License-Identifier: Apache-2.0 */
#include "route_print.h"

#include "human_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define PLACES_OF_A_BUCKET 5

const char *route_source_name(uint8_t source)
{
	static const char *const names[TERN_ROUTE_SOURCES] = {"local", "gossip", "discovery",
							      "static", "migration"};
	return names[source];
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

/* A name is any bytes: none of them shall speak to the terminal. "-" where there is none. */
static const char *name_text(char text[APP_TEXT_MAX], const char *name)
{
	size_t length = 0;
	for (; name[length] && length < APP_TEXT_MAX - 1; length++)
		text[length] = (char)(iscntrl((unsigned char)name[length]) ? '?' : name[length]);
	text[length] = '\0';
	return length ? text : "-";
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
	char program[APP_TEXT_MAX], up[APP_TEXT_MAX];
	printf("%s, process %d, engine %u, up %s\n", name_text(program, engine->program),
	       (int)engine->pid, engine->number, app_ns_text(up, now_ns));
}

static void print_count(const char *label, uint64_t count, const char *text)
{
	char number[APP_TEXT_MAX];
	printf("  %-10s %12s  %s\n", label, app_count_text(number, count), text);
}

static bool print_stat(const struct tern_inspect_engine *engine,
		       const struct tern_inspect_stat *stat)
{
	char text[2 * APP_TEXT_MAX], number[APP_TEXT_MAX];
	print_engine(engine, stat->now_ns);
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
	printf("  %-10s %12s  ", "memory", app_bytes_text(text, stat->bytes));
	printf("the smallest page %s\n", app_bytes_text(text, stat->page_bytes));
	printf("  %-10s %12s  hashes and looks up\n", "kernel", name_text(text, stat->kernel));
	print_count("lcores", stat->lcores, "of the engine");
	print_count("agents", stat->agents_max, "at most: engine.max_agents");
	return true;
}

static bool print_lookup(const struct tern_inspect_engine *engine,
			 const struct tern_inspect_route *told)
{
	const struct tern_route *route = &told->route;
	char text[APP_TEXT_MAX];
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
	char behaviour[APP_TEXT_MAX], name[APP_TEXT_MAX];
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

const struct route_form route_text = {.stat = print_stat,
				      .lookup = print_lookup,
				      .show_begin = print_show_begin,
				      .show = print_show,
				      .show_end = print_show_end};
