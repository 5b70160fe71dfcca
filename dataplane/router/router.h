/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTER_H
#define ROUTER_H

#include "tern_router.h"

#include <stdalign.h>

#include <sys/sdt.h>

#include "absent.h"
#include "capabilities/counter.h"
#include "capabilities/lock.h"
#include "dataplane/table/table.h"
#include "heard.h"
#include "usage.h"

/** Steadiness of a route that has just been learned: tern_router_update(). */
#define TERN_STEADY_NEW 4u

/** News is taken to reach a peer within this part of remote_ttl_ns. */
#define TERN_TTL_WAYS 8u

/**
 * That an agent has gone is remembered for so many times remote_ttl_ns, so that older news of it is
 * known as such. How far may it travel? What an agent's own node tells for the last time is held
 * for at most two times (a steady route), and whoever hears it from another node holds it no longer
 * than that one (tern_update.left_ns, less the way): so no copy is held, or told on, after two. The
 * other two are for news that is late.
 */
#define TERN_GONE_TTLS 4u

/** Places of contradictions: the one that is being written is not told (router_report.c). */
#define TERN_CONTRADICTIONS_PLACES (TERN_CONTRADICTIONS_KEPT + 1)

/** One who looks up; it alone writes. */
struct tern_router_reader {
	alignas(TERN_LINE) uint32_t until_sample;
	struct tern_router_counts counts;
};

struct tern_router {
	/* constant */
	struct tern_table *table;
	struct tern_sets *sets;
	struct tern_router_reader *readers;
	struct tern_histogram (*times)[TERN_PATHS]; /* by reader; NULL: none is timed */
	struct tern_usage *usage;		    /* by reader */
	struct tern_router_calls calls;
	void *context;
	struct tern_heard *heard; /* by node; of this one its own count */
	uint64_t
		known[(TERN_NODE_MAX + 64) / 64]; /* nodes heard of, a bit each; any thread reads */
	uint64_t remote_ttl_ns, absent_ttl_ns, gone_ttl_ns, drift_max, drift_ns, remote_max;
	uint32_t reader_count;
	uint32_t sample_every;
	uint16_t node;

	/* who writes remote routes or missing ids; lookups never wait for it */
	alignas(TERN_LINE) ck_spinlock_t lock;
	struct tern_absent absent;
	struct tern_absent gone; /* agents of other nodes: what their end was told with */
	uint64_t gone_bytes;	 /* any thread reads; so that nobody looks into `gone` for it */
	struct tern_table *own;	 /* agents of this process that others were told of */
	uint64_t remote;	 /* routes to other nodes that were put in; any thread reads */
	uint64_t told;		 /* version of the last change told; 0: none; any thread reads */
	struct tern_table_cursor sweep_at, sweep_own_at;
	struct tern_router_updates updates;				      /* any thread reads */
	struct tern_contradiction contradictions[TERN_CONTRADICTIONS_PLACES]; /* a ring */
	struct tern_labels labels;
};

static inline uint64_t tern_router_now(const struct tern_router *router)
{
	return router->calls.now ? router->calls.now(router->context) : 0;
}

/** A time from now: saturates. */
static inline uint64_t tern_router_after(uint64_t now, uint64_t ns)
{
	return ns < TERN_ROUTE_FOREVER - now ? now + ns : TERN_ROUTE_FOREVER;
}

/**
 * How long one that another node's word is held until is told on as held: less the time that the
 * telling may take, or two nodes could tell each other of one that has ended for ever. 1 at least.
 * 0: not said, for ever, or without a clock.
 */
static inline uint64_t tern_router_left(const struct tern_router *router, uint64_t until_ns)
{
	uint64_t told =
		tern_router_after(tern_router_now(router), router->remote_ttl_ns / TERN_TTL_WAYS);
	if (until_ns == TERN_ROUTE_FOREVER || !router->calls.now)
		return 0;
	return until_ns > told ? until_ns - told : 1;
}

/** Lookups until the next one that is timed. */
static inline uint32_t tern_router_until(const struct tern_router *router)
{
	return router->sample_every ? router->sample_every : UINT32_MAX;
}

/**
 * What the table gave for an id, if that is no agent of this process: a remote route's address
 * while its time lasts, else TERN_ADDRESS_NONE. A missing id is asked for. Counts.
 */
tern_address tern_router_find_beyond(struct tern_router *router, struct tern_router_reader *reader,
				     struct tern_id id, tern_address given);

/** tern_router_find(), for who has finder and reader at hand; inline for agents of this process. */
static inline tern_address tern_router_find_near(struct tern_router *router,
						 const struct tern_finder *finder,
						 struct tern_router_reader *reader,
						 struct tern_id id)
{
	tern_address address;
	if (tern_unlikely(reader->until_sample <= 1)) {
		tern_router_find(router, (uint32_t)(reader - router->readers), id, &address);
		return address;
	}
	reader->until_sample--;
	address = finder->find(finder, id.high, id.low);
	if (tern_unlikely(!address || tern_address_node(address) != 0))
		return tern_router_find_beyond(router, reader, id, address);
	tern_count(&reader->counts.local, 1);
	DTRACE_PROBE4(tern, lookup, id.high, id.low, address, TERN_PATH_LOCAL);
	return address;
}

/** The set of those who live on a node. */
static inline struct tern_id tern_router_node_set(uint16_t node)
{
	return (struct tern_id){.high = 0x6E6F6465u /* "node" */, .low = node};
}

/**
 * Count on from a version that was heard: Lamport's rule, as far as it leaves room above
 * (tern_update.h). Context: the lock is held.
 */
void tern_router_follow(struct tern_router *router, uint64_t version);

/** Note that something was heard of a node. Context: the lock is held. */
static inline void tern_router_know(struct tern_router *router, uint16_t node)
{
	uint64_t *word = &router->known[node / 64];
	tern_store(word, *word | 1ull << node % 64);
}

/** The next node from one on of which something was heard; above TERN_NODE_MAX: none. Any thread.
 */
uint32_t tern_router_next_known(const struct tern_router *router, uint32_t node);

/** How knowledge of a node differs from a peer's. */
struct tern_drift {
	uint64_t lacking; /* versions, of those that the peer has heard */
	uint64_t have;	  /* nothing is lacking up to this one */
	bool ahead;	  /* the peer has heard less */
	bool is_due;	  /* it is to be asked for what is lacking, by now */
};

/**
 * Note what a peer has heard of a node, be it this one, and compare: tern_router_compare() for one
 * node, without asking. Context: any thread; takes the lock.
 */
struct tern_drift tern_router_hear_version(struct tern_router *router, uint16_t node,
					   uint64_t told);

/**
 * Say where an agent of this process is: what was told of it, or as tern_router_publish() tells it
 * now.
 *
 * @return 0; -ESRCH: it does not live here; else as tern_router_publish()
 *
 * Context: as tern_router_publish().
 */
int tern_router_say(struct tern_router *router, struct tern_id id, struct tern_update *update);

/**
 * Publish what has become of agents that were published and are not where they were told to be: a
 * step over some of them.
 *
 * @param cursor  where to go on; yields where this step ended
 * @return whether there may be more
 *
 * Context: as tern_router_publish().
 */
bool tern_router_tell_ends(struct tern_router *router, struct tern_table_cursor *cursor);

/** Note one, for others to see. Context: the lock is held. */
void tern_router_note_contradiction(struct tern_router *router,
				    const struct tern_contradiction *noted);

/**
 * Drop a route to another node from the table, if it has an address, and its agent from the sets
 * that have it there; what is worth remembering of it is noted among the missing until `until_ns`.
 * Context: the lock is held.
 */
void tern_router_drop(struct tern_router *router, const struct tern_route *route,
		      uint64_t until_ns);

/** Drop a route that is past its time. Context: the lock is held. */
void tern_router_expire(struct tern_router *router, const struct tern_route *route);

/**
 * Make room where there is none: take out, of some, what is past its time and what has gone without
 * a word. Returns whether anything was. Context: the lock is held.
 */
bool tern_router_sweep(struct tern_router *router);

/** Whether an agent of which others were told lives here still. */
static inline bool tern_router_lives(const struct tern_router *router,
				     const struct tern_route *told)
{
	return tern_table_find(router->table, told->id) == told->address;
}

#endif
