/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCORE_H
#define LCORE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent.h"
#include "loop.h"
#include "capabilities/clock.h"
#include "capabilities/memory/heap.h"
#include "capabilities/lane.h"
#include "capabilities/rng.h"
#include "dataplane/table/table.h"
#include "engine/queue/directory.h"
#include "engine/queue/wheel.h"
#include "guard.h"
#include "arrivals.h"
#include "lanes.h"
#include "mail.h"
#include "ready_lists.h"
#include "reserve.h"
#include "roaming_queues.h"
#include "sampler.h"
#include "spawns.h"
#include "tern_engine.h"
#include "turn.h"
#include "waiters.h"

#define TERN_SLOT_NONE UINT32_MAX

/** Signals a turn handles from mailboxes: more than lanes bring, so that queues drain. */
#define TERN_READY_BUDGET 1024

/**
 * One scheduler: a pinned thread, the caller in polled mode, or an attached thread's way in.
 * Only the thread that polls it touches it, but for what is said otherwise where its parts are.
 */
struct tern_lcore {
	/* constant after start; the first line is read on every signal */
	alignas(TERN_LINE) struct tern_agent *agents; /* by slot: the engine's */
	uint64_t *directory;			      /* by slot: see directory.h */
	struct tern_lane_out *out;		      /* by route: its own */
	struct tern_router_reader *lookups;	      /* its own among the router's readers */
	uint32_t roam_route; /* of roaming agents: a lane that is always full */
	uint32_t slots;	     /* in agents and directory */
	uint32_t index;
	uint32_t trace_every;
	bool stamp_each;
	bool is_thread;
	uint64_t node_bits;	       /* of this node's addresses: what the node is in them */
	struct tern_profile *profiles; /* by slot: the engine's */
	struct tern_room **rooms;      /* by slot: the engine's */
	struct tern_reserve *reserves; /* by slot: the engine's */
	struct tern_engine *engine;
	const struct tern_clock *clock;
	struct tern_node_lcore *net;	  /* NULL: no network, or a thread's */
	const struct tern_remote *remote; /* NULL: no network */

	/* written on every signal, up to when the next look at the clock is; then seldomer */
	alignas(TERN_LINE) struct tern_turn turn;
	struct tern_signal_counts signals; /* accepted, settled */
	struct tern_sampler sampler;	   /* when to look at the clock, and the slice */
	struct tern_hand hand;		   /* what it has in hand */
	uint32_t trace_left;		   /* sends until one is traced */

	/* written turn by turn */
	alignas(TERN_LINE) struct tern_mail mail; /* mailbox memory */
	struct tern_lanes lanes;		  /* to here */
	struct tern_pending pending;		  /* taken up and not done yet */
	struct tern_ready ready;		  /* agents, in the policy's order */
	struct tern_outboxes outboxes;		  /* what waits for a place in a lane */
	struct tern_roaming_queues roaming;	  /* agents that others may take */
	struct tern_waiters waiters;		  /* who was refused */
	struct tern_heap heap;			  /* blocks */
	struct tern_wheel wheel;		  /* timers */
	struct tern_spawns spawns;		  /* slots, permits and ids of agents to come */
	struct tern_attached attached;		  /* of a thread's lcore */
	struct tern_rng rng;
	struct tern_lcore_stats stats;

	/* others write, or signal handlers do */
	struct tern_arrivals arrivals; /* what others leave here */
	/* Whoever asks for a policy writes, while arrivals.reschedule is 0. */
	struct tern_reschedule next_policy;
	struct tern_guard guard; /* faults and preemption */
	struct tern_loop loop;	 /* who takes the turns */

	/* constant: the engine's table's */
	struct tern_finder finder;
};
_Static_assert(offsetof(struct tern_lcore, node_bits) < TERN_LINE, "line 0 is every signal's");
_Static_assert(offsetof(struct tern_lcore, turn) == 2 * TERN_LINE &&
		       offsetof(struct tern_lcore, sampler.every) < 3 * TERN_LINE &&
		       offsetof(struct tern_lcore, trace_left) < 4 * TERN_LINE,
	       "what is written on every signal is one line, what is seldom the next");
_Static_assert(sizeof(struct tern_arrivals) == TERN_LINE, "nothing else is in the others' line");

/**
 * Whether a stop has given the lcore up. Asked before each function of an agent, and of a policy,
 * so that after a function that came back too late nothing of the user's is called: its memory may
 * be gone.
 */
static inline bool tern_lcore_is_gone(const struct tern_lcore *lcore)
{
	return tern_unlikely(tern_load(&lcore->turn.gone));
}

static inline tern_address tern_lcore_address(const struct tern_lcore *lcore)
{
	return lcore->agents[lcore->index].address;
}

/** Address of a place on this node. */
static inline tern_address tern_lcore_address_of(const struct tern_lcore *lcore, uint32_t slot,
						 uint32_t generation)
{
	return lcore->node_bits | tern_address_make(0, slot, generation);
}

/** The slot that an address means on this node; of another node's one that no table has. */
static inline uint64_t tern_lcore_place(const struct tern_lcore *lcore, tern_address address)
{
	return (address ^ lcore->node_bits) >> TERN_ADDRESS_GENERATION_BITS;
}

static inline uint64_t tern_dir_load(const struct tern_lcore *lcore, uint32_t slot)
{
	return tern_load(&lcore->directory[slot]);
}

/**
 * Count what the engine itself has on its way, or owes an agent, as a signal under way: a stop
 * waits until as much is settled. Users' figures leave it out.
 */
static inline void tern_lcore_owe(struct tern_lcore *lcore, uint64_t count)
{
	tern_count(&lcore->signals.accepted, count);
	tern_count(&lcore->signals.forwarded, count);
}

/**
 * Count signals as done with. Release pairs with the acquire of a stop's look (stop.c): who sees
 * a handler's signal settled sees what the handler sent as accepted.
 */
static inline void tern_lcore_settle(struct tern_lcore *lcore, uint64_t count)
{
	__atomic_store_n(&lcore->signals.settled, lcore->signals.settled + count, __ATOMIC_RELEASE);
}

/** The word of a slot that holds generation (24 bits) and kind (8 bits). */
static inline uint32_t tern_slot_word(const struct tern_signal *signal)
{
	uint32_t word;
	memcpy(&word, (const unsigned char *)signal + 12, sizeof(word));
	return word;
}

/** Copy a slot's bytes from 8 on; the first word travels separately, last. */
static inline void tern_slot_copy(struct tern_signal *to, const struct tern_signal *from)
{
	memcpy((unsigned char *)to + 8, (const unsigned char *)from + 8, 56);
}

/** Stamp of a signal sent now. */
static inline uint32_t tern_lcore_stamp(const struct tern_lcore *lcore)
{
	if (tern_unlikely(lcore->stamp_each))
		return (uint32_t)(tern_clock_ticks(lcore->clock) >> 4);
	return lcore->turn.stamp;
}

/** What the observer expects an lcore to have to do, in CPUs. Any thread. */
static inline float tern_lcore_load(const struct tern_lcore *lcore)
{
	float load;
	__atomic_load(&lcore->arrivals.load, &load, __ATOMIC_RELAXED);
	return load;
}

#endif
