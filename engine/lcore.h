/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LCORE_H
#define LCORE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent.h"
#include "capabilities/clock.h"
#include "capabilities/heap.h"
#include "capabilities/lane.h"
#include "capabilities/rng.h"
#include "dataplane/table/table.h"
#include "engine/queue/directory.h"
#include "engine/text/fault.h"
#include "engine/queue/mailbox.h"
#include "engine/text/preempt.h"
#include "engine/queue/passage.h"
#include "ready.h"
#include "reserve.h"
#include "engine/queue/run_ring.h"
#include "sampler.h"
#include "tern_engine.h"
#include "waiter.h"
#include "engine/queue/ends.h"
#include "engine/queue/wheel.h"

#define TERN_SLOT_NONE UINT32_MAX

/** Priorities with a run ring of their own: low and normal. Others never wait to be stolen. */
#define TERN_ROAMING_LEVELS 2
/** Waking times are kept in clock ticks >> this. */
#define TERN_STEAL_STAMP_SHIFT 10
/** Ids drawn ahead: so many spawns take longer than the table's lines to come. */
#define TERN_IDS_AHEAD 4

/** An id and what the table makes of it. */
struct tern_next_id {
	struct tern_id id;
	uint64_t hash;
};

/** Signals a turn takes from one lane before it looks at the next. */
#define TERN_LANE_BURST 128
/** Signals a turn handles from mailboxes: more than lanes bring, so that queues drain. */
#define TERN_READY_BUDGET 1024
/** Signals between two looks at the express lanes while others are handled. */
#define TERN_EXPRESS_EVERY 8

/* Why signals do not run in place. */
#define TERN_HOLD_LATE 1u   /* the slice is used up, for the rest of this turn */
#define TERN_HOLD_HIGHER 2u /* an agent of higher priority than normal is ready */
#define TERN_HOLD_POLICY 4u /* the scheduling policy wants to see every signal */

#define TERN_HOLD_GONE 8u /* a stop has given the lcore up; it writes this bit alone */

/** How far an lcore's thread is; only moves down. By CAS: the thread writes, and who stops it. */
enum tern_lcore_phase {
	TERN_PHASE_TURNS,
	TERN_PHASE_CLOSED, /* it takes nothing more, and has ended its pinned agents */
	TERN_PHASE_LOST,   /* given up: when it comes back it lets go of the engine */
	TERN_PHASE_LEFT,   /* it touches nothing more */
};

/** Inbound lanes of one kind, those that exist. */
struct tern_lane_set {
	struct tern_lane_in *lanes;
	uint32_t count;
};

/** Empty turns before TERN_IDLE_BACKOFF sleeps, and sleeps before they double. */
#define TERN_IDLE_SPINS 4096
#define TERN_IDLE_SLEEPS_EACH 8
/** A timer nearer than this is waited for awake. */
#define TERN_IDLE_SLEEP_NS_MIN 10000u

/** Free slots kept by one lcore; more come from and go to the engine's ring. */
#define TERN_SLOT_CACHE 128

/**
 * One scheduler: a pinned thread, the caller in polled mode, or an attached thread's way in.
 * Only the thread that polls it touches it, but for the members said otherwise.
 */
struct tern_lcore {
	/* constant after start; the first line is read on every signal */
	alignas(TERN_LINE) struct tern_agent *agents;
	uint64_t *directory;		    /* the engine's: see directory.h */
	struct tern_lane_out *out;	    /* by route */
	struct tern_router_reader *lookups; /* its own among the router's readers */
	uint32_t roam_route;		    /* of roaming agents: a lane that is always full */
	uint32_t slots;			    /* in agents and directory */
	uint32_t index;
	uint32_t trace_every;
	bool stamp_each;
	bool is_thread;
	struct tern_profile *profiles; /* by slot: the engine's */
	struct tern_room **rooms;      /* by slot: the engine's */
	struct tern_reserve *reserves; /* by slot: the engine's */
	struct tern_engine *engine;
	const struct tern_clock *clock;

	/* this lcore writes, turn by turn */
	alignas(TERN_LINE) uint64_t turn_ticks;
	uint64_t accepted;    /* slots put on their way; any thread reads */
	uint64_t settled;     /* slots done with; any thread reads */
	uint64_t forwarded;   /* of accepted: control and returned signals */
	uint64_t own_handled; /* of stats.handled: control, and signals that a thread dropped */
	uint32_t turn_stamp;
	uint32_t trace_left;
	uint32_t running; /* slot of the agent that runs now; any thread reads */
	bool in_turn;	  /* any thread reads */
	uint8_t hold;	  /* TERN_HOLD_*: why signals go to mailboxes; 0: they run in place */
	bool wet;	  /* a lane had more than this turn took */
	struct tern_sampler sampler; /* its first 8 bytes belong to the line above */
	uint32_t credit; /* signals that a lane to here may have under way; UINT32_MAX: its depth */
	bool gone;	 /* who stops the engine writes: call no function of an agent any more */
	uint32_t in_place; /* signals handled from the lane that is being drained */
	struct tern_lane_set express;
	struct tern_lane_set data;
	struct tern_ready ready;
	struct tern_slot_list finishing; /* agents that end when their mailbox is empty */
	struct tern_slot_list shorts;	 /* agents that refuse for want of mailbox memory */
	struct tern_ends ends;		 /* that the thread has not asked for yet: watch.h */
	struct tern_agent *lifo;	 /* roaming agent woken last from here */
	uint64_t graves; /* rooms were left: look when this token is quiet; 0: none. Any thread */
	struct tern_passage passage;
	uint32_t lifo_runs;				 /* of the LIFO slot in a row */
	uint32_t refills;				 /* looks for a roaming agent */
	uint32_t admitted[TERN_ROAMING_LEVELS];		 /* of the run rings, among the policy's */
	bool roams;					 /* roaming agents have been queued here */
	struct tern_run_ring rings[TERN_ROAMING_LEVELS]; /* low, normal; thieves take */
	struct tern_fiber *fiber;			 /* that runs now */
	struct tern_agent *taken;			 /* from a queue, and not put back yet */
	struct tern_signal rescued;			 /* what was in hand at a fault */
	struct tern_waiters waiters;			 /* for others to take signals again */
	struct tern_signal *in_hand;			 /* being handled, out of place */
	uint32_t asks_left; /* slots taken from asked_head and not acted on yet */
	uint32_t fds_left;  /* entries taken from fds_head and not told yet */
	uint32_t lanes_seen;
	uint32_t self_lane[2];	       /* place of the lane to itself in data, express */
	struct tern_lane *spare[2];    /* memory for the lane to itself, to change over to */
	bool *inbound_open;	       /* of inbound: lanes already in a set */
	uint64_t lane_bytes;	       /* of lanes made by this lcore */
	struct tern_block_chain *away; /* the heap's */

	struct tern_cells cells;
	uint32_t depth_max;		 /* slots of the longest lane to here */
	uint32_t cells_from;		 /* number of the first among all lcores' */
	struct tern_mailbox *outboxes;	 /* by route: signals come back that found its lane full */
	uint32_t deferred;		 /* signals in them */
	uint32_t lent;			 /* cells that roaming agents have yet to give back */
	struct tern_note_list *ends_out; /* by route: ends that found its lane full */
	uint32_t ends_left;		 /* notes in them */
	struct tern_heap heap;
	struct tern_wheel wheel;
	struct tern_rng rng;
	struct tern_next_id next_ids[TERN_IDS_AHEAD]; /* of the next agents made here */
	uint32_t next_id;
	struct tern_span lane_span; /* exactly what its lanes need */
	uint32_t slot_cache[TERN_SLOT_CACHE];
	uint32_t slot_first; /* FIFO in slot_cache */
	uint32_t slot_count;
	uint32_t permits; /* agents that may be made; others take some when the pool is empty */
	uint32_t reader_depth;			/* of a thread: reader.h */
	uint32_t spawn_turn;			/* next home lcore for a thread's spawns */
	const struct tern_behaviour *behaviour; /* attached thread's */
	void *thread_state;
	struct tern_lcore_stats stats;
	uint64_t refused_to;  /* receiver of the last refused send */
	uint32_t refused_why; /* enum tern_pressure_source */
	uint64_t oversleep_ns;
	uint64_t full_due; /* ticks before which no further line says that cells are used up */

	/* other lcores write, seldom; this one reads each turn */
	alignas(TERN_LINE) uint32_t lanes_made;
	uint32_t asked_head;	    /* slots of agents of which something is asked: ask.h */
	uint32_t fds_head;	    /* file descriptors that came ready: fds.h */
	uint32_t woken_head;	    /* slots of roaming agents woken by others: roaming.h */
	uint32_t cells_back;	    /* lent cells that come home: outbox.c */
	float load;		    /* forecast, in CPUs; the observer writes */
	struct tern_lane **inbound; /* by sending lcore x 2 + express */

	/* this lcore's thread and its signal handlers write */
	alignas(TERN_LINE) struct tern_fault_scope own_scope;
	struct tern_fault_scope *scope; /* its thread's: its own, or the poller's */
	struct tern_preempt preempt;
	uintptr_t polled_by; /* thread that polls it now, or for good: poller.h; 0: none */
	uint32_t phase;	     /* enum tern_lcore_phase */
	bool preempts;	     /* the timer is there */
	bool preempts_not;   /* it could not be had */

	/* constant: the engine's table's */
	struct tern_finder finder;
};

/**
 * Whether a stop has given the lcore up. Asked before each function of an agent, and of a policy,
 * so that after a function that came back too late nothing of the user's is called: its memory may
 * be gone.
 */
static inline bool tern_lcore_is_gone(const struct tern_lcore *lcore)
{
	return tern_unlikely(tern_load(&lcore->gone));
}

/** Run one turn; returns the work done. Runs agents. */
unsigned tern_lcore_turn(struct tern_lcore *lcore);

/** Put the agent that was taken from a queue back, or at rest. Runs it. Also after a fault. */
void tern_lcore_put_back(struct tern_lcore *lcore);

/** Look at the clock, now that the window is over. */
void tern_lcore_check_slice(struct tern_lcore *lcore);

/** A signal was handled: look at the clock now and then. */
static inline void tern_lcore_check(struct tern_lcore *lcore)
{
	if (tern_sampler_count(&lcore->sampler))
		tern_lcore_check_slice(lcore);
}

/** Before what may run nobody: who ran last may have left for another lcore. Returns `settled`. */
static inline uint64_t tern_lcore_check_begin(struct tern_lcore *lcore)
{
	tern_store(&lcore->running, lcore->index);
	return lcore->settled;
}

/** After it: a signal handled, or nothing that is a sample of anybody. */
static inline void tern_lcore_check_run(struct tern_lcore *lcore, uint64_t settled_before)
{
	bool ran = lcore->settled != settled_before && lcore->running != lcore->index;
	if (tern_sampler_count_if(&lcore->sampler, ran))
		tern_lcore_check_slice(lcore);
}

/** Count what was handled in place. */
void tern_lcore_settle_in_place(struct tern_lcore *lcore);

/** Open lanes that others made to this lcore since the last look. */
void tern_lcore_adopt(struct tern_lcore *lcore);

/** Move what waits in the lcore's lane to itself into mailboxes, so that it has room again. */
void tern_lcore_spill(struct tern_lcore *lcore, bool express);

/** Make the lane to `route`, or refresh its credit. Returns whether there is room. */
bool tern_lcore_make_room(struct tern_lcore *lcore, uint32_t route);

/** Whether the lane to `route` has room, made first where there is none. Runs no one. */
bool tern_lcore_has_room(struct tern_lcore *lcore, uint32_t route);

/**
 * Put a signal that comes back on its way to its sender, signal->to_slot. Without a place in a lane
 * it waits here, in a cell: beyond a quarter of the lcore's cells it is lost, and counted so.
 *
 * @param had_cell  it lay in a cell of this lcore until now: then it is never lost
 */
void tern_lcore_return(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell);

/** Put the note of an end on its way to note->watcher, behind all sent there. Never refused. */
void tern_lcore_send_end(struct tern_lcore *lcore, struct tern_end_note *note);

/**
 * Retry what waits for a lane; hand blocks of others over, in batches or `all`. Returns the work
 * done. Runs agents whose signals came back.
 */
unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all);

/** Whether anything waits here for a lane. */
bool tern_lcore_has_left(const struct tern_lcore *lcore);

/** What came back to a roaming agent since the last look is to be told: from whichever lcore. */
void tern_returned_look(struct tern_lcore *lcore, uint32_t slot);

/** Take what came back to a roaming agent, oldest first; false: nothing. */
bool tern_returned_take(struct tern_lcore *lcore, uint32_t slot, struct tern_signal *signal);

/** What came back to a roaming agent that ended is lost. */
void tern_returned_forget(struct tern_lcore *lcore, uint32_t slot);

static inline tern_address tern_lcore_address(const struct tern_lcore *lcore)
{
	return lcore->agents[lcore->index].address;
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
	tern_count(&lcore->accepted, count);
	tern_count(&lcore->forwarded, count);
}

/**
 * Count signals as done with. Release pairs with the acquire of a stop's look (engine.c): who sees
 * a handler's signal settled sees what the handler sent as accepted.
 */
static inline void tern_lcore_settle(struct tern_lcore *lcore, uint64_t count)
{
	__atomic_store_n(&lcore->settled, lcore->settled + count, __ATOMIC_RELEASE);
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
	return lcore->turn_stamp;
}

#endif
