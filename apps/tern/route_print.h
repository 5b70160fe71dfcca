/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTE_PRINT_H
#define ROUTE_PRINT_H

#include "tern_inspect.h"

#include <stdbool.h>

/**
 * A form of output. Routes are shown between begin and end as they come, since there may be
 * millions. Each returns false where there is no memory; a failed write is seen at the end of the
 * program.
 */
struct route_form {
	bool by_lcore; /* stat prints lookups by lcore, too */
	/** lookups: shape stat->lcores; NULL unless by_lcore */
	bool (*stat)(const struct tern_inspect_engine *engine, const struct tern_inspect_stat *stat,
		     const struct tern_router_counts *lookups,
		     const struct tern_inspect_capabilities *capabilities);
	bool (*lookup)(const struct tern_inspect_engine *engine,
		       const struct tern_inspect_route *route);
	bool (*show_begin)(const struct tern_inspect_engine *engine,
			   const struct tern_inspect_stat *stat);
	bool (*show)(const struct tern_inspect_route *route, bool first);
	/** more: routes were left out, because so many were not asked for */
	bool (*show_end)(bool more);
	/** The report but for its nodes, which are shown between begin and end. */
	bool (*report_begin)(const struct tern_inspect_engine *engine,
			     const struct tern_inspect_report *report);
	bool (*report_node)(const struct tern_inspect_report *page,
			    const struct tern_node_report *node, bool first);
	bool (*report_end)(void);
};

extern const struct route_form route_text, route_json;

/** Name of a route's source. */
const char *route_source_name(uint8_t source);

/** Name of a path that a lookup takes. */
const char *route_path_name(enum tern_router_path path);

/** Name of a kind of contradiction. */
const char *route_contradiction_name(enum tern_contradiction_kind kind);

/** How long ago it was updated; false: nobody said. */
bool route_updated_ago(const struct tern_inspect_route *route, uint64_t *ns);

/** How long it is still good for, 0: it is not; false: for ever. */
bool route_expires_in(const struct tern_inspect_route *route, uint64_t *ns);

#endif
