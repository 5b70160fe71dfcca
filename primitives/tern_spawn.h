/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_SPAWN_H
#define TERN_SPAWN_H

#include "tern_engine.h"

/** Home lcore left to the engine: the caller's own; from a thread, each lcore in turn. */
#define TERN_LCORE_ANY UINT32_MAX

/** Largest capacity of a conflating mailbox: its key index is one block. */
#define TERN_CONFLATE_MAX 4096u

/*
 * The bound of a mailbox. A sender is refused, or the policy acts, from high_water or capacity on;
 * but it learns of it when the receiver's lcore has looked. Until then, of a pinned agent
 *
 *     waiting <= capacity + lanes x lane depth
 *
 * with a lane from each lcore (lanes.data_depth slots, for a critical agent lanes.express_depth)
 * and each attached thread (1,024 at most); `tern config check` prints the number. Of a roaming
 * agent what waits is in a ring of capacity signals, and what its lcore has taken out of it to run,
 * at most as many again. With `exact` it is capacity, whoever sends at once: a pinned agent gets
 * such a ring of its own (64 bytes a signal, capacity rounded up to a power of two), its signals
 * are copied there and never run in place, and each costs two atomic operations on lines that its
 * senders share.
 */

/** Whether a fiber that does not wait is suspended in its own text by scheduler.preempt_tick_us. */
enum tern_preemption {
	TERN_PREEMPT_AS_ENGINE, /**< scheduler.preempt says it; what zeroed options ask for */
	TERN_PREEMPT_YES,	/**< also written `true`; fibers only */
	TERN_PREEMPT_NO,	/**< it gives the lcore up by itself alone; handlers always do */
};

/** Options of spawn; zeroed means default, but for lcore: start from TERN_SPAWN_DEFAULTS. */
struct tern_spawn_options {
	const char *name; /**< unique in the engine, 1..63 bytes; NULL: none. Borrows */
	uint32_t lcore;	  /**< home lcore index, or TERN_LCORE_ANY */
	enum tern_priority priority;
	enum tern_policy policy;
	uint32_t capacity;   /**< signals; 0: the engine's default. See below */
	uint32_t high_water; /**< signals, <= capacity; 0: default, or 4/5 of a given capacity */
	uint32_t low_water;  /**< signals, < high_water; 0: default, or 1/4 of a given high water */
	uint32_t key_offset; /**< conflate: where in the inline payload the key starts */
	uint32_t key_length; /**< conflate: 1..8 bytes, the key with the type is the identity */
	uint32_t slice_us;   /**< time one run may take, 1..1000000 us; 0: engine.slice_us */
	uint32_t rate;	     /**< signals a second under TERN_SCHEDULE_RATE; 0: no limit */
	uint32_t rate_burst; /**< signals at once above it; 0: what 1 ms brings, at least 1 */
	/**
	 * Of its share under TERN_SCHEDULE_FAIR_SHARE, 1..1000; 0: 1. One of weight 3 may run, and
	 * charge (tern_charge()), three times as much as one of weight 1. Roaming agents of low and
	 * normal priority wait for each other in the order they came: among them it counts for
	 * nothing.
	 */
	uint32_t weight;
	bool roaming; /**< any lcore may run it; `lcore` is where it starts. Not conflate */
	bool exact;   /**< what waits is never more than capacity; refuse and block only */
	/**
	 * Fiber: its stack, up to 1 MiB; 0: 64 KiB. Rounded up to a power of 2, of a preemptible
	 * one after adding 32 KiB. One that scheduler.preempt makes so may ask for all of 1 MiB,
	 * and has the 32 KiB in it.
	 */
	uint32_t stack_bytes;
	enum tern_preemption preempt; /**< fiber: of handlers, TERN_PREEMPT_YES is refused */
	bool watch;		      /**< as tern_watch() by the spawner, from before the start */
};

#define TERN_SPAWN_DEFAULTS             \
	{                               \
		.lcore = TERN_LCORE_ANY \
	}

/**
 * Make an agent: it gets a slot, an address, an id in the table, and starts on its home lcore.
 *
 * The address may be used at once; on_start runs before the first signal is handled.
 *
 * @param self       the agent or attached thread that spawns
 * @param behaviour  what it does; outlives the agent. Keeps
 * @param state      its private state, the caller's memory until on_stop. Private is the
 *                   caller's promise: no compiler sees one pointer given to two agents, which
 *                   is a data race where they change what it points to. Keeps
 * @param options    NULL: defaults. Borrows
 * @param agent      yields its address; untouched on failure
 * @return 0; -EINVAL: options out of range; -EEXIST: the name is taken; -EAGAIN: max_agents
 *         are alive; -ENODEV: no such lcore; -ENOMEM: see below; -ESHUTDOWN
 *
 * What an agent needs beside its state is there for engine.max_agents of them, names, bounds and
 * rates included. -ENOMEM remains where the kernel or a pool that others use, too, has no more:
 *   a fiber's stack            more memory, or before Linux 6.13 sysctl vm.max_map_count at more
 *                              than twice the fibers
 *   a roaming agent's mailbox  more memory, or a smaller capacity
 *   conflate, and `watch`      a block of the spawner's own pool: a larger memory.block_mib
 *
 * Context: any agent or attached thread.
 */
TERN_API int tern_spawn(struct tern_agent *self, const struct tern_behaviour *behaviour,
			void *state, const struct tern_spawn_options *options, tern_address *agent);

/**
 * Make several agents of one behaviour.
 *
 * @param states  one state pointer per agent, as for tern_spawn(); NULL: all NULL
 * @param agents  yields count addresses
 * @return agents made, from the front; fewer than `count` with tern_errno set. With a name
 *         only one can be made
 */
TERN_API uint32_t tern_spawn_batch(struct tern_agent *self, const struct tern_behaviour *behaviour,
				   void *const *states, uint32_t count,
				   const struct tern_spawn_options *options, tern_address *agents);

/** Find an agent by name. Returns 0; -ENOENT: nobody has it now. Wait-free; any thread. */
TERN_API int tern_find(const struct tern_agent *self, const char *name, tern_address *agent);

/** Find an agent by id. Returns 0; -ENOENT. Wait-free; any thread. */
TERN_API int tern_find_id(const struct tern_agent *self, struct tern_id id, tern_address *agent);

/** The id of an agent. Returns 0; -ESRCH: dead address. Any thread. */
TERN_API int tern_agent_id(const struct tern_agent *self, tern_address agent, struct tern_id *id);

#endif
