/* SPDX-License-Identifier: Apache-2.0 */

/* Looking up: the table, then the missing, then asking for. */
#include "router.h"

/* Missing capabilities stand among missing agents, as other ids. */
#define CAPABILITY_MARK 0x6361706162696C69u

/* A lookup that is timed; `began` is 0 for most. */
struct timing {
	struct tern_router_reader *reader;
	uint64_t began;
};

static struct timing begin_timing(const struct tern_router *router,
				  struct tern_router_reader *reader)
{
	struct timing timing = {.reader = reader};
	if (tern_likely(--reader->until_sample != 0))
		return timing;
	reader->until_sample = tern_router_until(router);
	if (router->sample_every)
		timing.began = tern_router_now(router) + 1;
	return timing;
}

/* What a lookup took; TERN_USAGE_UNTIMED for most. */
static uint64_t end_timing(const struct tern_router *router, struct timing timing,
			   enum tern_router_path path)
{
	if (tern_likely(timing.began == 0))
		return TERN_USAGE_UNTIMED;
	uint64_t took = tern_router_now(router) + 1 - timing.began;
	tern_histogram_record(&router->times[timing.reader - router->readers][path], took);
	return took;
}

/* Past its time: it goes, unless somebody else is writing, or has confirmed it meanwhile. */
static void drop_stale(struct tern_router *router, struct tern_router_reader *reader,
		       struct tern_id id, uint64_t now)
{
	struct tern_route route;
	if (!tern_lock_try(&router->lock)) {
		tern_count(&reader->counts.busy, 1);
		return;
	}
	if (tern_table_route(router->table, id, &route) && route.expires_ns <= now) {
		tern_router_expire(router, &route);
		tern_count(&reader->counts.stale_removed, 1);
	}
	tern_unlock(&router->lock);
}

/* Whether the caller is the one to ask for an id. */
static bool note_missing(struct tern_router *router, struct tern_router_reader *reader,
			 struct tern_id id, uint64_t now)
{
	struct tern_route known = {.steady = TERN_STEADY_NEW};
	if (!tern_lock_try(&router->lock)) {
		tern_count(&reader->counts.busy, 1);
		return false;
	}
	bool first = !tern_absent_find(&router->absent, id, &known) || known.expires_ns <= now;
	known.id = id;
	known.expires_ns = tern_router_after(now, router->absent_ttl_ns);
	if (first)
		first = tern_absent_put(&router->absent, &known) == 0;
	tern_unlock(&router->lock);
	return first;
}

/* Whether a missing id is to be asked for now: it has not been lately. */
static bool is_to_ask(struct tern_router *router, struct tern_router_reader *reader,
		      struct tern_id id)
{
	struct tern_route known;
	uint64_t now = tern_router_now(router);
	if (tern_absent_find(&router->absent, id, &known)) {
		if (known.expires_ns > now) {
			tern_count(&reader->counts.absent_hits, 1);
			return false;
		}
		tern_count(&reader->counts.absent_expired, known.expires_ns != 0);
	}
	if (!note_missing(router, reader, id, now))
		return false;
	tern_count(&reader->counts.discoveries, 1);
	return true;
}

/* An id that leads to no agent of this process. */
static enum tern_router_path find_beyond(struct tern_router *router,
					 struct tern_router_reader *reader, struct tern_id id,
					 tern_address *address)
{
	struct tern_route route;
	if (*address && tern_table_route(router->table, id, &route)) {
		uint64_t now = tern_router_now(router);
		*address = route.address;
		if (route.expires_ns > now) {
			tern_count(&reader->counts.remote, 1);
			return TERN_PATH_REMOTE;
		}
		drop_stale(router, reader, id, now);
	}
	*address = TERN_ADDRESS_NONE;
	tern_count(&reader->counts.unknown, 1);
	if (!router->calls.discover)
		return TERN_PATH_UNKNOWN;
	if (!is_to_ask(router, reader, id))
		return TERN_PATH_ABSENT;
	router->calls.discover(router->context, id);
	return TERN_PATH_UNKNOWN;
}

static inline enum tern_router_path judge_route(struct tern_router *router,
						struct tern_router_reader *reader,
						struct tern_id id, tern_address *address)
{
	enum tern_router_path path = TERN_PATH_LOCAL;
	if (tern_likely(*address && tern_address_node(*address) == 0))
		tern_count(&reader->counts.local, 1);
	else
		path = find_beyond(router, reader, id, address);
	DTRACE_PROBE4(tern, lookup, id.high, id.low, *address, path);
	return path;
}

tern_address tern_router_find_beyond(struct tern_router *router, struct tern_router_reader *reader,
				     struct tern_id id, tern_address given)
{
	judge_route(router, reader, id, &given);
	return given;
}

enum tern_where tern_router_find(struct tern_router *router, uint32_t reader, struct tern_id id,
				 tern_address *address)
{
	static const enum tern_where where[] = {[TERN_PATH_LOCAL] = TERN_WHERE_LOCAL,
						[TERN_PATH_REMOTE] = TERN_WHERE_REMOTE,
						[TERN_PATH_ABSENT] = TERN_WHERE_UNKNOWN,
						[TERN_PATH_UNKNOWN] = TERN_WHERE_UNKNOWN};
	struct timing timing = begin_timing(router, &router->readers[reader]);
	*address = tern_table_find(router->table, id);
	enum tern_router_path path = judge_route(router, timing.reader, id, address);
	end_timing(router, timing, path);
	return where[path];
}

uint32_t tern_router_find_batch(struct tern_router *router, uint32_t reader,
				const struct tern_id *ids, uint32_t count, tern_address *addresses)
{
	struct timing timing = begin_timing(router, &router->readers[reader]);
	uint32_t known = 0;
	tern_table_find_batch(router->table, ids, count, addresses);
	for (uint32_t i = 0; i < count; i++) {
		judge_route(router, timing.reader, ids[i], &addresses[i]);
		known += addresses[i] != TERN_ADDRESS_NONE;
	}
	tern_count(&timing.reader->counts.batches, 1);
	tern_count(&timing.reader->counts.batch_ids, count);
	end_timing(router, timing, TERN_PATH_BATCH);
	return known;
}

uint32_t tern_router_warm(struct tern_router *router, uint32_t reader, const struct tern_id *ids,
			  uint32_t count)
{
	tern_address addresses[64];
	uint32_t known = 0;
	for (uint32_t from = 0, some; from < count; from += some) {
		some = count - from < 64 ? count - from : 64;
		known += tern_router_find_batch(router, reader, ids + from, some, addresses);
	}
	return known;
}

uint32_t tern_router_providers(struct tern_router *router, uint32_t reader,
			       struct tern_id capability, tern_address *addresses,
			       uint32_t count_max)
{
	const struct tern_sets_query query = {.keep = router->calls.available,
					      .context = router->context};
	struct timing timing = begin_timing(router, &router->readers[reader]);
	struct tern_router_counts *counts = &timing.reader->counts;
	uint32_t count = tern_sets_find(router->sets, capability, &query, addresses, count_max);
	struct tern_id mark = {.high = capability.high ^ CAPABILITY_MARK, .low = capability.low};
	tern_count(count ? &counts->capability_found : &counts->capability_unknown, 1);
	uint64_t took = end_timing(router, timing, TERN_PATH_CAPABILITY);
	tern_usage_count(&router->usage[reader], capability, count, took);
	/* Somebody has it and cannot take signals now: others may. */
	if (count == 0 && count_max && router->calls.discover_capability &&
	    is_to_ask(router, timing.reader, mark))
		router->calls.discover_capability(router->context, capability);
	return count;
}

uint32_t tern_router_on_node(struct tern_router *router, uint16_t node, tern_address *addresses,
			     uint32_t count_max)
{
	const struct tern_sets_query query = {.keep = router->calls.available,
					      .context = router->context};
	return tern_sets_find(router->sets, tern_router_node_set(node), &query, addresses,
			      count_max);
}
