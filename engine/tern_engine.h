/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_ENGINE_H
#define TERN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_agent.h"
#include "tern_config.h"
#include "tern_histogram.h"
#include "tern_router.h"

/**
 * One process's runtime. Several may live in one process.
 *
 * fork() and daemon(). An engine stays with the process that started it: call daemon() first, then
 * start it. In a child nothing of it runs, and all is refused at once: tern_engine_stop() and
 * tern_wait() with -ECHILD, tern_thread_attach() with ECHILD in tern_errno, sends and spawns of
 * threads with -ESHUTDOWN, what is asked of agents with -ESRCH; polls return 0, and
 * tern_thread_detach() does nothing. A child may exec, exit or _exit, and start an engine of its
 * own. It may read what its fork had in hand (a signal, a block), as a copy. One that was forked in
 * a function of an agent calls no other function of an agent and, where the function returns on an
 * lcore's thread, ends as by _exit(0).
 * The parent's lcores pay for a fork(): each page that they write is copied until the child has
 * exec'ed or is gone, a huge one as a whole. posix_spawn() and vfork() copy nothing.
 */
struct tern_engine;
/** One lcore of an engine: a scheduler that a pinned thread or the caller polls. */
struct tern_lcore;

/** As tern_engine_start(), with the marked text (tern_text.h) given by hand. */
TERN_API int tern_engine_launch(struct tern_engine **engine, const struct tern_config *config,
				struct tern_text own, struct tern_error *error);

/**
 * Make an engine and start its lcores.
 *
 * In parallel mode each lcore gets a thread pinned to its CPU; in polled mode the caller polls.
 * Needs no root, no hugepages and no EAL; what memory was really obtained is in
 * tern_engine_memory() and in the log.
 *
 * @param engine  yields the engine; untouched on failure
 * @param config  NULL: defaults. Borrows
 * @param error   a message for a person; may be NULL
 * @return 0; -EINVAL, -ENODEV: configuration refused; -ENOMEM: memory; -EAGAIN: no thread
 *
 * Context: any thread.
 */
static inline int tern_engine_start(struct tern_engine **engine, const struct tern_config *config,
				    struct tern_error *error)
{
	return tern_engine_launch(engine, config, tern_text_own(), error);
}

/**
 * Let fibers be preempted in the marked functions of another module (tern_text.h), too, a plug-in
 * for instance: `tern_engine_add_text(engine, tern_text_own())` from that module. Its faults are
 * its agents' without this.
 *
 * @return 0; -ENOSPC: TERN_TEXTS_MAX modules are known
 *
 * Context: before agents of that module are spawned; one thread at a time.
 */
TERN_API int tern_engine_add_text(struct tern_engine *engine, struct tern_text own);

/** All lcores of an engine. */
#define TERN_LCORES_ALL UINT32_MAX

/**
 * Have lcores choose by another scheduling policy while they run.
 *
 * Each takes it up at the beginning of its next turn, with all agents that are ready: none is
 * lost, none is there twice, and from then on the order is the new policy's. Agents that waited for
 * their rate are ready at once; a rate counts again when its policy does. Under fair_share and
 * custom what agents ran for is counted anew.
 *
 * @param lcore     its index, or TERN_LCORES_ALL
 * @param schedule  the policy
 * @param custom    of TERN_SCHEDULE_CUSTOM; NULL: tern_config.scheduler. Keeps, until another is in
 *                  effect. Its bytes() is called from here, its init() by each lcore
 * @return 0: asked for, and tern_engine_rescheduled() says when it is in effect; -EINVAL: no such
 *         policy, or a custom one without push or pop; -ENODEV: no such lcore; -EBUSY: one asked
 *         for before is not in effect there yet, or another thread asks at this moment; -ENOMEM;
 *         -ESHUTDOWN; -ECHILD: this process is a child of the engine's. Where it is refused,
 *         nothing changes
 *
 * Context: any thread, and functions of agents; memory for fair_share, rate_based and custom is
 * mapped by system calls from here. A policy of the program's own that keeps an agent although it
 * is asked for all of them (struct tern_scheduler) stays in effect until it gives it.
 */
TERN_API int tern_engine_reschedule(struct tern_engine *engine, uint32_t lcore,
				    enum tern_schedule schedule,
				    const struct tern_scheduler *custom);

/** Whether all lcores choose by the policy asked for last. Any thread. */
TERN_API bool tern_engine_rescheduled(const struct tern_engine *engine);

/** The policy by which an lcore, 0 .. tern_engine_lcores() - 1, chooses now. Any thread. */
TERN_API enum tern_schedule tern_engine_schedule(const struct tern_engine *engine, uint32_t lcore);

/** Signals left at the stop, listed. */
#define TERN_STOP_LIST_MAX 32

struct tern_undelivered {
	tern_address to;
	tern_address from;
	uint16_t type;
};

/** Agents whose functions did not return, listed. */
#define TERN_STOP_STUCK_MAX 8

/** What an lcore was in when it was given up. */
struct tern_stuck {
	tern_address agent; /**< TERN_ADDRESS_NONE: no agent's function */
	char name[64];	    /**< the agent's name, else its behaviour's */
	uint32_t lcore;
};

/**
 * What a stop found.
 *
 * Of lcores that were given up (see tern_engine_stop()) nothing is changed, only looked at. The
 * signals in lanes to them and in mailboxes of their agents count as undelivered, with the blocks
 * they carry as leaked; those in mailboxes are not listed. The signal that the stuck function was
 * handling counts as neither handled nor undelivered; what it sends on is not counted.
 */
struct tern_stop_report {
	bool drained;		/**< every accepted signal was handled before the deadline */
	uint64_t undelivered;	/**< signals accepted and neither handled nor reported dropped */
	uint64_t blocks_leaked; /**< blocks that agents never gave back */
	uint64_t agents_ended;	/**< agents that were alive at the stop, and ended in it */
	uint32_t listed;	/**< entries of list in use */
	struct tern_undelivered list[TERN_STOP_LIST_MAX];
	uint64_t agents_lost; /**< agents that got no on_stop: their lcore was given up */
	uint32_t stuck;	      /**< lcores given up, each in one agent's function */
	struct tern_stuck stuck_list[TERN_STOP_STUCK_MAX]; /**< the first of them */
};

/**
 * Drain, end all agents, join the lcores, free everything. `engine` is gone afterwards.
 *
 * Agents' timers fall silent and attached threads are refused (-ESHUTDOWN) at once; agents go on
 * until no signal is under way and no handler waits to be told that a refusal is over
 * (TERN_EVENT_RELEASED), or the deadline passes. A fiber that sleeps, or waits with a timeout, goes
 * on in time meanwhile. Then every agent ends (on_stop, reason shutdown), on its own lcore; one
 * that roams on the lcore that ran it last.
 *
 * A function that does not return cannot be ended. An lcore whose functions make no progress for
 * the grace, which is as long as timeout_ns and at least 1 s, or that takes ten times that for all
 * of its agents, is given up: the agent whose function it is in is named in the report and in an
 * error in the log, and none of its agents' functions is called any more, on_stop included, also
 * when the stuck one returns. Agents of other lcores end properly; so do those that roam, but for
 * one in the stuck lcore's hands, or with signals, timers or descriptors there. With one stuck
 * function the stop takes timeout_ns, the grace, and 0.1 s; at worst timeout_ns and twenty graces.
 *
 * What stays behind of an lcore that was given up: its thread, in the agent's function, and for it
 * the engine's memory and the process's signal handlers, but no socket or other descriptor. State
 * that the function uses has to stay, too. When it returns, its thread ends, and the last one frees
 * the memory. A new engine may be started meanwhile.
 *
 * @param timeout_ns  time to drain; 0: end at once; TERN_FOREVER: also for a stuck function
 * @param report      filled in where the engine is gone; may be NULL
 * @return 0; -ETIMEDOUT: not drained in time, or an lcore was given up (the engine is gone all the
 *         same). Nothing was stopped: -EDEADLK: called from a function of an agent of this engine,
 *         or of a thread attached to it; -EALREADY: a stop is under way; -ECHILD: this process is a
 *         child of the engine's
 *
 * Context: any thread that is no lcore of this engine, once; no other call runs on the engine:
 * other threads have returned from waits and polls, and none attaches or detaches any more. What
 * was sent to threads that are still attached is handled from here. In polled mode the lcores are
 * polled from here, a function that does not return is the caller's own, and the virtual clock is
 * advanced by 1 us per round.
 */
TERN_API int tern_engine_stop(struct tern_engine *engine, uint64_t timeout_ns,
			      struct tern_stop_report *report);

/**
 * Give the calling thread a way in: an agent of its own to send from and to be sent to.
 *
 * The address is new: none that a thread had before comes to life again. A place is used up after
 * 16,777,215 threads, one after the other; then there is one less. Its agent cannot fail alone: the
 * thread is the program's, and a fault in the behaviour ends the process as one anywhere else in
 * the thread does. What may fault belongs into an agent.
 *
 * @param behaviour  handles what is sent to the thread, in tern_thread_poll(); NULL drops it. Its
 *                   on_event is heard; on_start, on_stop and on_error are not called
 * @param state      given to the behaviour
 * @return the thread's agent; NULL with tern_errno: EAGAIN all places are taken (max_threads);
 *         EINVAL a behaviour without handler, or with a fiber; ENOSPC all places are used up;
 *         ESHUTDOWN the engine stops
 *
 * Context: any thread that is no lcore; the result is for that thread alone.
 */
TERN_API struct tern_agent *tern_thread_attach(struct tern_engine *engine,
					       const struct tern_behaviour *behaviour, void *state);

/**
 * Handle what was sent to this thread. Never blocks.
 *
 * A thread that sends blocks polls now and then even if nobody writes to it: that is how its
 * blocks come home, and control that waits for a lane goes out. A fault in its behaviour ends the
 * process, unlike one in an agent that a polled engine runs meanwhile.
 *
 * @return the work done; 0: there was none, or it was called from one of the thread's handlers
 */
TERN_API unsigned tern_thread_poll(struct tern_agent *self);

/**
 * Give the thread's way in back. `self` and its address are dead afterwards: what was sent to it
 * and not handled goes back to its senders, and all that it asked for happens. What it had to pass
 * on and finds no place, such as others' blocks, lcores pass on later, or the next thread. Ends
 * that it watched are told to nobody. In one of the thread's own handlers this does nothing.
 */
TERN_API void tern_thread_detach(struct tern_agent *self);

/**
 * The engine's own router: who of its agents is where, and what it knows of other nodes. Borrows:
 * it is there until the engine is stopped.
 *
 * A program may look up, take in what it knows of agents of other nodes (tern_router_update(),
 * tern_router_offer(), tern_router_withdraw(), tern_router_forget()), have agents of this engine
 * told to others (tern_router_publish()), compare versions, and ask for figures. The engine's own
 * agents are the engine's: no update takes the place of one, nobody can publish the end of one that
 * lives (-EEXIST) or an address at which nobody lives (-ESRCH). It makes no change to
 * tern_router_table(), and does not destroy the router.
 *
 * Context: what "any thread" may call anybody may. All else is for agents in their own functions
 * and attached threads, between tern_reader_begin() and tern_reader_end().
 */
TERN_API struct tern_router *tern_engine_router(struct tern_engine *engine);

/**
 * Begin to read the engine's router: what is seen of it stays until tern_reader_end(). An attached
 * thread that reads keeps memory of changed routes from being used again, so ends soon; calls nest.
 * Of an agent, whose lcore reads all the time, this asks nothing: it ends before the function does,
 * or before it waits.
 *
 * @return the number of its reader, for tern_router_find() and others; that of the lcore or thread
 *
 * Context: an agent in its own functions, or an attached thread.
 */
TERN_API uint32_t tern_reader_begin(struct tern_agent *self);

/** End it: nothing that was seen is looked at any more. */
TERN_API void tern_reader_end(struct tern_agent *self);

/* Polled mode. */

/** Lcores of an engine. */
TERN_API uint32_t tern_engine_lcores(const struct tern_engine *engine);

/** One lcore, 0 .. tern_engine_lcores() - 1. */
TERN_API struct tern_lcore *tern_engine_lcore(struct tern_engine *engine, uint32_t index);

/**
 * Run one turn: express lanes, data lanes, timers, ready agents. An agent that fails by a fault
 * fails alone, whichever thread polls: at its first poll it gets a signal stack, for all its life.
 *
 * @return the work done, in signals and timers; 0: idle, or called from a function of this lcore's
 *
 * Context: polled mode, any thread. One polls an lcore at a time: while another does, or a handler
 * that the lcore runs calls this, it returns 0 at once. In the other modes lcores have threads of
 * their own, and it does nothing.
 */
TERN_API unsigned tern_lcore_poll(struct tern_lcore *lcore);

/**
 * Poll all lcores until a whole round finds no work, in an order drawn from the seed. With one
 * poller a seed repeats a run.
 *
 * @return the work done; 0: there was none, or somebody else is at it
 *
 * Context: as tern_lcore_poll(). Threads in tern_wait(), tern_send() and tern_signal_wait() poll,
 * too. It does not return while agents always have work.
 */
TERN_API uint64_t tern_engine_poll(struct tern_engine *engine);

/** Move a virtual clock on. Context: polled mode with the virtual clock; any thread. */
TERN_API void tern_engine_advance(struct tern_engine *engine, uint64_t ns);

/** Time on the engine's clock, ns since it was made. Any thread. */
TERN_API uint64_t tern_engine_now(const struct tern_engine *engine);

/*
 * Counters: written by one lcore each, readable at any time without disturbing it. Over all
 * lcores and threads at rest, sent + timers = handled + dropped + returned + lost. With a network
 * that holds over all its nodes, but that a signal returned as unknown may have been handled, too.
 */

struct tern_lcore_stats {
	uint64_t turns; /**< turns that found work */
	uint64_t idle_turns;
	uint64_t sent;		/**< signals accepted for sending */
	uint64_t handled;	/**< handler runs for signals and timers */
	uint64_t in_place;	/**< runs on the lane's slot, the engine's own control included */
	uint64_t queued;	/**< moved to a mailbox first */
	uint64_t refused_lane;	/**< sends refused: lane full */
	uint64_t refused_agent; /**< sends refused: agent above high water */
	uint64_t refused_dead;	/**< sends refused: dead address, or node not connected */
	uint64_t refused_peer;	/**< sends refused: the connection to a node takes no more now */
	uint64_t dropped;	/**< dropped by a mailbox policy */
	uint64_t returned;	/**< came back from dead addresses */
	uint64_t remote_out;	/**< sent to other nodes, which have them in their memory */
	uint64_t remote_in;	/**< came from other nodes, those that come back included */
	uint64_t lost;	       /**< returned to a sender that is dead too, or dropped by a thread */
	uint64_t timers;       /**< timers fired */
	uint64_t spawned;      /**< agents made here, on whatever lcore they live */
	uint64_t agents_ended; /**< agents that lived here and ended */
	uint64_t blocks_out;   /**< blocks of this lcore's pools in use now */
	uint64_t sleeps;       /**< idle sleeps */
	uint64_t wake_ns;      /**< mean oversleep of an idle sleep: what waking costs */
	uint64_t failed;       /**< agents that failed here */
	uint64_t overruns;     /**< runs longer than their slice that were measured */
	uint64_t migrated;     /**< roaming agents that came here from another lcore */
	uint64_t stolen;       /**< of them, taken from an lcore that had too many */
	uint64_t sent_away;    /**< roaming agents that the rebalance sent elsewhere */
	uint64_t steal_atomics;	   /**< atomic operations spent on stealing */
	uint64_t overruns_unnamed; /**< of a series of runs, one was too long: who is not known */
};

/** Counters of one lcore (or attached thread, after the lcores). */
TERN_API void tern_lcore_stats(const struct tern_engine *engine, uint32_t index,
			       struct tern_lcore_stats *stats);

struct tern_agent_stats {
	tern_address address;
	const char *behaviour;
	char name[64]; /**< "" where it has none */
	uint32_t lcore;
	uint32_t queued;      /**< in the mailbox now */
	uint64_t signals_in;  /**< handled */
	uint64_t signals_out; /**< sent */
	uint64_t pressured;   /**< times it crossed high water */
	uint64_t dropped;     /**< dropped by its mailbox policy */
};

/** Counters of one agent. Returns 0; -ESRCH: dead address. Any thread. */
TERN_API int tern_agent_stats(const struct tern_engine *engine, tern_address agent,
			      struct tern_agent_stats *stats);

/** An agent's load. */
struct tern_agent_profile {
	double execution_ns;  /**< moving average over measured signals; 0: none measured yet */
	double longest_ns;    /**< longest run measured */
	double signals_per_s; /**< handled, over the last metrics intervals */
	double cpu;	 /**< share of a CPU it uses, 0..1: near 0 it waits, near 1 it computes */
	double cpu_next; /**< forecast of it for the next metrics interval */
	double forecast_error; /**< how far off the forecast has been, relative */
	uint64_t measured;     /**< signals measured: a sample of those handled */
	uint64_t overruns;     /**< runs longer than its slice */
	uint64_t memory_bytes; /**< engine memory it holds: its slot, mailbox, extras, stack */
	uint64_t signals_in;
	uint64_t signals_out;
};

/**
 * Read an agent's load, without disturbing its lcore.
 *
 * Signals are measured by sample: one in 65 while handlers are short, each one once they are
 * long. Rate, share and forecast move once per metrics_interval_ms (0: they stay 0).
 *
 * @return 0; -ESRCH: dead address
 *
 * Context: any thread.
 */
TERN_API int tern_agent_profile(const struct tern_engine *engine, tern_address agent,
				struct tern_agent_profile *profile);

/** What an lcore is at now. */
struct tern_lcore_running {
	tern_address agent; /**< whose function runs; TERN_ADDRESS_NONE: nobody's for long */
	char name[64];	    /**< its name, else its behaviour's */
	uint64_t for_ns;    /**< CPU time it has run for, at least; 0: nobody's for long */
	bool overrun;	    /**< that is past its slice */
};

/**
 * Look which agent holds an lcore, even while it does not return.
 *
 * Seen by the watchdog, every watchdog_ms (0: never). In polled mode nobody looks.
 *
 * @return 0; -ENODEV: no such lcore
 *
 * Context: any thread.
 */
TERN_API int tern_lcore_running(const struct tern_engine *engine, uint32_t index,
				struct tern_lcore_running *running);

/** Hops of a traced signal: send to drain, drain to handler start, start to end. */
enum tern_hop { TERN_HOP_LANE, TERN_HOP_QUEUE, TERN_HOP_HANDLER, TERN_HOPS };

/**
 * Latency anatomy of an agent, from one signal in trace_every.
 *
 * @param hops  yields a copy, ns; three histograms
 * @return 0; -ESRCH: dead address; -ENODATA: the engine does not trace
 */
TERN_API int tern_agent_anatomy(const struct tern_engine *engine, tern_address agent,
				struct tern_histogram hops[TERN_HOPS]);

/** Memory really obtained, for people and for checks. */
struct tern_memory {
	uint64_t bytes;		  /**< mapped by the engine */
	uint64_t page_bytes;	  /**< 1 GiB, 2 MiB or 4 KiB */
	bool transparent;	  /**< 4 KiB pages with transparent hugepages asked for */
	uint64_t lane_bytes;	  /**< of it, in lanes made so far */
	uint64_t bytes_per_agent; /**< beside its state, idle */
};
TERN_API void tern_engine_memory(const struct tern_engine *engine, struct tern_memory *memory);

#endif
