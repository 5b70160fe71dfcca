/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDER_H
#define RECORDER_H

/* A router, and a recorder of what it asks for under a clock that the test sets. */
#include "routes.h"

#include "tern_router.h"

enum { ASKED_MAX = 4096 };

#define SECOND 1000000000ull

struct recorder {
	struct tern_router *router;
	uint64_t now;
	struct tern_id asked[ASKED_MAX]; /* agents */
	uint32_t asked_count;
	uint32_t capabilities_asked;
	uint32_t reconciled;
	uint16_t peer, node;
	uint64_t have, told;
	tern_address busy; /* that cannot take signals */
};

static inline uint64_t recorder_now(void *context)
{
	return seen(&((struct recorder *)context)->now);
}

static inline void recorder_discover(void *context, struct tern_id id)
{
	struct recorder *recorder = context;
	uint32_t at = note(&recorder->asked_count);
	if (at < ASKED_MAX)
		recorder->asked[at] = id;
}

static inline void recorder_discover_capability(void *context, struct tern_id capability)
{
	(void)capability;
	note(&((struct recorder *)context)->capabilities_asked);
}

static inline void recorder_reconcile(void *context, uint16_t peer, uint16_t node, uint64_t have,
				      uint64_t told)
{
	struct recorder *recorder = context;
	recorder->reconciled++;
	recorder->peer = peer;
	recorder->node = node;
	recorder->have = have;
	recorder->told = told;
}

static inline uint32_t recorder_available(void *context, tern_address *addresses, uint32_t count)
{
	const struct recorder *recorder = context;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++)
		if (addresses[i] != recorder->busy)
			addresses[kept++] = addresses[i];
	return kept;
}

static const struct tern_router_calls recorder_calls = {
	.now = recorder_now,
	.discover = recorder_discover,
	.discover_capability = recorder_discover_capability,
	.reconcile = recorder_reconcile,
	.available = recorder_available,
};

static inline struct tern_router *make_router(const struct tern_router_options *options)
{
	struct tern_router *router = NULL;
	struct tern_error error = {0};
	if (tern_router_create(&router, options, &error) != 0)
		fail_msg("no router: %s", error.text);
	return router;
}

/** A recorder at second 1, and its router: options filled in where they are 0. */
static inline struct recorder *recorder_open(struct tern_router_options options)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	assert_non_null(recorder);
	recorder->now = SECOND;
	options.calls = &recorder_calls;
	options.context = recorder;
	options.table.routes_max = options.table.routes_max ? options.table.routes_max : 10000;
	options.node = options.node ? options.node : 1;
	options.remote_ttl_ns = options.remote_ttl_ns ? options.remote_ttl_ns : 8 * SECOND;
	options.absent_ttl_ns = options.absent_ttl_ns ? options.absent_ttl_ns : SECOND;
	recorder->router = make_router(&options);
	return recorder;
}

static inline void recorder_close(struct recorder *recorder)
{
	tern_router_destroy(recorder->router);
	free(recorder);
}

static inline struct tern_id number_id(uint64_t number)
{
	return make_id(7, 0, number);
}

/** The address of an agent on a node. */
static inline tern_address on(uint32_t node, uint32_t slot)
{
	return tern_address_make(node, slot, 1);
}

/** News that an agent is on a node, which says so itself. */
static inline struct tern_update news(uint64_t number, uint16_t node, uint64_t version)
{
	return (struct tern_update){.id = number_id(number),
				    .address = on(node, (uint32_t)number),
				    .version = version,
				    .origin = node,
				    .source = TERN_ROUTE_GOSSIP};
}

static inline int tell(struct recorder *recorder, struct tern_update update)
{
	return tern_router_update(recorder->router, &update, NULL);
}

static inline enum tern_where where_is(struct recorder *recorder, uint64_t number,
				       tern_address *address)
{
	return tern_router_find(recorder->router, 0, number_id(number), address);
}

static inline bool is_known(struct recorder *recorder, uint64_t number)
{
	tern_address address;
	return where_is(recorder, number, &address) != TERN_WHERE_UNKNOWN;
}

static inline struct tern_router_stats router_stats(struct recorder *recorder)
{
	struct tern_router_stats stats;
	tern_router_stats(recorder->router, &stats);
	return stats;
}

#endif
