/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INJECTOR_H
#define INJECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "capabilities/rng.h"
#include "fault_rule.h"

/*
 * Faults on purpose. Frames of one queue, in one way, pass through a fault object, which loses,
 * repeats, alters or holds back some of them. A seed decides which: the same seed and the same
 * calls give the same frames and the same counters. It belongs to the lcore that calls it.
 *
 * The order: partition, loss, corruption, duplication; then each of the two copies is delayed,
 * reordered or neither. A copy that is drawn for both is delayed.
 */

/** Most that come out with one frame: itself, its duplicate, what was due, what it overtook. */
#define TERN_FAULT_OUT 16u

/** A reordered frame waits no longer than this for others to overtake it. */
#define TERN_FAULT_REORDER_NS 1000000u

/** What was done, in frames. */
struct tern_injector_stats {
	uint64_t seen;	      /* that a rule applied to */
	uint64_t partitioned; /* lost in a partition */
	uint64_t lost;
	uint64_t corrupted;
	uint64_t duplicated;
	uint64_t delayed;
	uint64_t reordered;
	uint64_t overflowed; /* were to be held back, and lost: the store was full */
	uint64_t uncopied;   /* passed unaltered, or once: the pool gave no copy */
};

/** A frame that is held back. */
struct tern_injector_held {
	struct rte_mbuf *frame;
	uint64_t due_ns;
	uint64_t order; /* among those due at once: the order in which they came */
	uint64_t after; /* comes out once so many frames have passed; UINT64_MAX: due_ns decides */
};

/** One lcore's. Only tern_injector_is_on() and the counters are read from outside. */
struct tern_injector {
	bool is_on; /* there are rules, or frames are held back */
	uint8_t rule_count;
	uint32_t held_count, held_max;
	uint64_t passed;     /* frames seen by tern_injector_pass() */
	uint64_t next_after; /* least `after` of those held */
	uint64_t order;
	struct tern_rng rng;
	struct rte_mempool *pool;	 /* of copies */
	struct tern_injector_held *held; /* a heap: the next one due first */
	struct tern_injector_stats stats;
	struct tern_fault_rule rules[TERN_FAULT_RULES];
};

/**
 * Begin without rules.
 *
 * @param held_max  frames held back at once, 1 or more; a frame more is lost, as behind a full
 *                  queue of a switch, and counted
 * @param pool      where copies come from. Frames that pass may be of other pools
 * @return 0; -ENOMEM
 *
 * Context: any thread, before the object is used. Keeps `pool`.
 */
int tern_injector_init(struct tern_injector *fault, uint64_t seed, uint32_t held_max,
		       struct rte_mempool *pool);

/** Free what is held back, and the store. Context: as tern_injector_pass(). */
void tern_injector_fini(struct tern_injector *fault);

/**
 * Put other rules in place of those there. Frames already held back stay so.
 *
 * @param way    where the object stands; rules that are not for this way are left out
 * @param rules  `count` of them, as tern_fault_rules_read() gives; the first that applies to a
 *               frame decides
 *
 * Context: the lcore that the object belongs to. Borrows `rules`.
 */
void tern_injector_set(struct tern_injector *fault, enum tern_fault_way way,
		       const struct tern_fault_rule *rules, unsigned count);

/** Whether frames need to pass through at all: one load and one branch. */
static inline bool tern_injector_is_on(const struct tern_injector *fault)
{
	return __builtin_expect(fault->is_on, false);
}

/**
 * Put a frame through.
 *
 * @param out  room for TERN_FAULT_OUT frames
 * @return how many came out, in the order in which they go on; the others come by
 *         tern_injector_due()
 *
 * Context: the lcore that the object belongs to. Consumes `frame`, yields those in `out`. An
 * altered frame is a copy: what other references to `frame` see stays.
 */
unsigned tern_injector_pass(struct tern_injector *fault, struct rte_mbuf *frame, uint64_t now_ns,
			    struct rte_mbuf *out[static TERN_FAULT_OUT]);

/**
 * Take frames whose time has come.
 *
 * @param max  places in `out`
 * @return how many; `max` where there may be more
 *
 * Context: the lcore that the object belongs to. Yields those in `out`.
 */
unsigned tern_injector_due(struct tern_injector *fault, uint64_t now_ns, struct rte_mbuf **out,
			   unsigned max);

/** When the next frame held back is due, ns; UINT64_MAX: there is none. */
static inline uint64_t tern_injector_next_ns(const struct tern_injector *fault)
{
	return fault->held_count ? fault->held[0].due_ns : UINT64_MAX;
}

#endif
