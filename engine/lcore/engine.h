/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_H
#define ENGINE_H

#include <pthread.h>
#include <sys/random.h>

#include <ck_spinlock.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "capabilities/memory/arena.h"
#include "capabilities/clock.h"
#include "capabilities/log.h"
#include "dataplane/tern_router.h"
#include "lcore.h"
#include "engine/text/stack.h"
#include "tern_engine.h"

/**
 * Life of an engine; only moves down. The stopping thread writes. It lies on a page of its own that
 * the kernel wipes in a forked child, so that there it reads as FOREIGN, without a system call.
 */
enum tern_engine_state {
	TERN_ENGINE_FOREIGN, /* a forked child: the engine's threads are not in this process */
	TERN_ENGINE_RUNNING,
	TERN_ENGINE_DRAINING, /* attached threads are refused, agents' own timers are silent */
	TERN_ENGINE_ENDING,   /* lcores end their agents and return */
};

/** A place for an attached thread. */
enum tern_thread_place {
	TERN_PLACE_FREE,
	TERN_PLACE_TAKEN,
	TERN_PLACE_LEAVING, /* its thread is gone, and something it had to send is not: thread.c */
};

/** Kinds of rooms: by size; and plain, or one from which senders may take, or with an exact bound.
 */
#define TERN_ROOM_KINDS 78

/** Rooms of a kind in which no agent lives. */
struct tern_rooms {
	struct tern_room *clean;	/* no sender knows them */
	struct tern_room *first, *last; /* left, the oldest first; any thread reads `first` */
	uint64_t left;			/* so many */
};

struct tern_engine {
	struct tern_config config;
	struct tern_log log;
	struct tern_rng rng; /* of the order of polls; the poller's */
	uintptr_t polled_by; /* thread that polls all lcores now: poller.h; 0: none */
	struct tern_clock clock;
	uint64_t clock_cost; /* ticks that a reading takes */
	struct tern_arena arena;
	struct tern_agent *agents;
	uint64_t *directory;
	struct tern_asked *asked;  /* by slot: ask.h */
	uint32_t *state;	   /* enum tern_engine_state */
	uint32_t slots;		   /* in agents and directory */
	uint32_t first_generation; /* of each slot: other nodes may know addresses of a life before
				    */
	uint32_t lcore_count;
	uint32_t system_count;	   /* lcores and attached threads: their own agents come first */
	struct tern_lcore *lcores; /* system_count */
	struct tern_profile *profiles; /* by slot: profile.h */
	struct tern_extras *extras;    /* by slot: extras.h */
	struct tern_histogram *hops; /* by slot, TERN_HOPS each; NULL: the engine does not trace */
	struct tern_node *node;	     /* NULL: no network */
	struct tern_observer *observer;
	struct tern_fds *fds;
	struct tern_inspector *inspector;	       /* NULL: nobody can ask */
	struct tern_room **rooms;		       /* by slot, of roaming agents */
	struct tern_reserve *reserves;		       /* by slot: reserve.h */
	struct tern_rooms rooms_left[TERN_ROOM_KINDS]; /* under pool_lock: rooms.c */
	void *room_regions;			       /* under pool_lock */
	uint64_t room_bytes;
	struct rte_ring *global[TERN_ROAMING_LEVELS];
	/* lcores, threads and last the inspector: who may still know a room, or a route's place */
	struct rte_rcu_qsbr *quiet;
	uint32_t roam_route; /* route of every roaming agent: behind all lanes */
	struct tern_stacks stacks;
	struct tern_text_set texts;	/* agents' own */
	bool recovers;			/* faults of agents are contained */
	struct tern_fault_scope poller; /* polled mode: of the thread that polls */
	struct tern_router *router;	/* who is where, and can do what */
	struct tern_table *table;	/* the router's: id to address */
	struct tern_questions
		*questions;	    /* for peers; NULL: the node has no number, and asks none */
	struct rte_ring *slot_ring; /* under pool_lock: slots used before, oldest first */
	pthread_t *threads;	    /* lcore_count, parallel mode */
	uint32_t threads_started;
	bool closed;	  /* no lcore handles signals any more: what roams ends where it is */
	uint32_t heir;	  /* lcore that ends what roamed to one that was given up */
	uint32_t holders; /* threads that this memory has to outlive: tern_engine_let_go() */

	alignas(TERN_LINE) uint32_t pool_lock;	 /* 1: held */
	alignas(TERN_LINE) uint32_t slot_cursor; /* slots from here on were never used */
	uint32_t permits; /* under pool_lock: agents that may be made, beside what lcores hold */
	uint32_t slots_resting; /* in slot_ring; changed under pool_lock, read by any lcore */
	alignas(TERN_LINE) uint32_t runnable_left; /* of max_concurrent: ready.c */
	alignas(TERN_LINE) uint32_t thieves;	   /* lcores that steal now */
	alignas(TERN_LINE) bool roaming;	   /* there has been a roaming agent */
	uint32_t leaving;			   /* threads' places in TERN_PLACE_LEAVING */
	alignas(TERN_LINE)
		uint32_t attached[64]; /* enum tern_thread_place, of each thread's place */
	uint32_t rescheduling;	       /* 1: somebody asks for another policy now */
	uint32_t era;		       /* of the policy asked for last; who asks writes */
	uint64_t undelivered;	       /* any ending lcore writes */
	struct tern_undelivered undelivered_list[TERN_STOP_LIST_MAX];
};

/*
 * A short lock round the two pools that all spawners share: once per TERN_SLOT_CACHE / 2 plain
 * spawns or ends, and once for a roaming one. No signal path takes it. An rte_ring with many
 * producers would wait for a preempted one just the same, and in DPDK 22.11 does not order one
 * producer's elements before another's tail.
 */
static inline void tern_pools_lock(struct tern_engine *engine)
{
	while (__atomic_exchange_n(&engine->pool_lock, 1, __ATOMIC_ACQUIRE))
		rte_pause();
}

static inline void tern_pools_unlock(struct tern_engine *engine)
{
	__atomic_store_n(&engine->pool_lock, 0, __ATOMIC_RELEASE);
}

/** A number that each start draws another of; by the seed where runs are to repeat. */
static inline uint64_t tern_engine_draw(struct tern_engine *engine)
{
	uint64_t drawn;
	if (!engine->clock.is_virtual && getrandom(&drawn, sizeof(drawn), 0) == sizeof(drawn))
		return drawn;
	return tern_rng_next(&engine->rng);
}

/** Slots below this have been used. */
static inline uint32_t tern_slots_used(const struct tern_engine *engine)
{
	uint32_t cursor = tern_load(&engine->slot_cursor);
	return cursor < engine->slots ? cursor : engine->slots;
}

static inline uint32_t tern_engine_state(const struct tern_engine *engine)
{
	return __atomic_load_n(engine->state, __ATOMIC_ACQUIRE);
}

/** Whether this process is a child of the engine's: nothing here is its own. */
static inline bool tern_engine_is_foreign(const struct tern_engine *engine)
{
	return tern_unlikely(tern_engine_state(engine) == TERN_ENGINE_FOREIGN);
}

/** Whether it has its agents announced (struct tern_hooks): then each has a start to run. */
static inline bool tern_engine_announces(const struct tern_engine *engine)
{
	const struct tern_hooks *hooks = engine->config.hooks;
	return tern_unlikely(hooks && hooks->on_start);
}

#endif
