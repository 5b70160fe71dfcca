/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_SETS_H
#define TERN_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_address.h"
#include "tern_error.h"

struct rte_rcu_qsbr;

/**
 * Sets of agents, each under an id: who has a capability, who lives on a node.
 *
 * A reader looks a set up and walks its members; it writes nothing, never waits and never repeats
 * itself. It sees each agent that is a member from the begin to the end of its call exactly once,
 * and of those that come or go meanwhile each once at most. Writers take turns by a lock. To add
 * or take out a member takes the time of a few words, whatever the size of the set, beside what it
 * takes to look through the sets that the agent is in.
 *
 * A set comes with its first member and goes with its last. Readers report now and then that they
 * are quiet, between calls, as those of a routing table do: memory is used again when all have.
 */
struct tern_sets;

/** Members that a filter is shown at once, at most. */
#define TERN_SETS_RUN 64u
/** Limits of what tern_sets_options may ask for. */
#define TERN_SETS_MAX (1u << 24)
#define TERN_SETS_MEMBERS_MAX (1u << 27)

/** What to make. */
struct tern_sets_options {
	uint32_t sets_max;	    /**< that are not empty; 0: 4,096 */
	uint64_t members_max;	    /**< memberships, over all sets; 0: 65,536 */
	uint64_t agents_expected;   /**< in a set, to be sized for from the start; 0: it grows */
	const uint64_t *seed;	    /**< two words for hashes; NULL: from the kernel's generator */
	struct rte_rcu_qsbr *quiet; /**< keeps; NULL: one thread alone uses the sets */
	const char *kernel;	    /**< as tern_table_options has it */
	size_t page_bytes_max;	    /**< 4 KiB or 2 MiB; 0: 2 MiB where they are to be had */
};

/** Which members of a set to tell. */
struct tern_sets_query {
	/**
	 * Keep some of a run of 1 to TERN_SETS_RUN members: moves them to its begin and returns
	 * how many. May be shown more than there is room for. NULL: all are kept.
	 *
	 * Context: the reader's; not quiet before it returns.
	 */
	uint32_t (*keep)(void *context, tern_address *addresses, uint32_t count);
	void *context; /**< for `keep` */
};

/**
 * Make sets, all of them empty.
 *
 * @param sets   yields them
 * @param error  a message for a person; may be NULL
 * @return 0; -EINVAL: an option is out of range; -ENOTSUP: this CPU has no such kernel; -ENOMEM
 *
 * Context: any thread.
 */
TERN_API int tern_sets_create(struct tern_sets **sets, const struct tern_sets_options *options,
			      struct tern_error *error);

/** Free them. Context: nobody uses them any more. */
TERN_API void tern_sets_destroy(struct tern_sets *sets);

/**
 * Make an agent a member of a set.
 *
 * @param address  that readers of this set are told
 * @return 0; -EEXIST: it is one, and keeps the address it has (tern_sets_move() gives it another);
 *         -EINVAL: no address; -ENOSPC: there are sets_max sets or members_max memberships;
 *         -ENOMEM: no memory, or readers that are never quiet keep too much of it. Where it fails,
 *         all is as before.
 *
 * Context: any thread; takes the lock.
 */
TERN_API int tern_sets_add(struct tern_sets *sets, struct tern_id set, struct tern_id agent,
			   tern_address address);

/**
 * Take an agent out of a set.
 *
 * @return 0; -ENOENT: it is no member
 *
 * Context: any thread; takes the lock.
 */
TERN_API int tern_sets_remove(struct tern_sets *sets, struct tern_id set, struct tern_id agent);

/** As tern_sets_remove(), if it has the address of another node there; -ENOENT: it has not. */
TERN_API int tern_sets_remove_remote(struct tern_sets *sets, struct tern_id set,
				     struct tern_id agent);

/**
 * Take an agent out of every set.
 *
 * @return of how many
 *
 * Context: any thread; takes the lock.
 */
TERN_API uint32_t tern_sets_forget(struct tern_sets *sets, struct tern_id agent);

/**
 * Take an agent out of every set in which it has the address of another node.
 *
 * @return of how many
 *
 * Context: any thread; takes the lock.
 */
TERN_API uint32_t tern_sets_forget_remote(struct tern_sets *sets, struct tern_id agent);

/**
 * Give an agent another address in every set that it is in.
 *
 * @param address  TERN_ADDRESS_NONE: changes nothing
 * @return in how many sets it has this address now
 *
 * Context: any thread; takes the lock.
 */
TERN_API uint32_t tern_sets_move(struct tern_sets *sets, struct tern_id agent,
				 tern_address address);

/** As tern_sets_move(), in every set in which it has the address of another node. */
TERN_API uint32_t tern_sets_move_remote(struct tern_sets *sets, struct tern_id agent,
					tern_address address);

/**
 * Tell the members of a set, those that came first before the others. Wait-free.
 *
 * @param query      borrows; NULL: all members
 * @param addresses  yields up to `count_max`
 * @return how many it yields; 0 also where there is no such set
 *
 * Context: any thread that the quiet variable knows and that is online there.
 * Ordering: who is told an address sees what was done before it was added or moved to.
 */
TERN_API uint32_t tern_sets_find(const struct tern_sets *sets, struct tern_id set,
				 const struct tern_sets_query *query, tern_address *addresses,
				 uint32_t count_max);

/** How many members a set has at this moment. Wait-free. Context: as tern_sets_find(). */
TERN_API uint32_t tern_sets_count(const struct tern_sets *sets, struct tern_id set);

/** What they are at a moment. */
struct tern_sets_stats {
	uint64_t sets;		/**< that have a member */
	uint64_t agents;	/**< that are in a set */
	uint64_t members;	/**< memberships */
	uint64_t copies;	/**< of a set's members, because it was full or half empty */
	uint64_t growing;	/**< of the two tables of ids, those that grow at this moment */
	uint64_t bytes;		/**< memory held, without what malloc() itself adds */
	uint64_t retired_bytes; /**< of it, what waits for readers to be quiet */
};

/** Context: any thread; takes the lock. */
TERN_API void tern_sets_stats(struct tern_sets *sets, struct tern_sets_stats *stats);

/**
 * What tern_sets_stats() tells, without the lock: no writer can be held up. The bytes leave out
 * what tern_table_look() does, of both tables of ids.
 *
 * Context: as tern_sets_find().
 */
TERN_API void tern_sets_look(const struct tern_sets *sets, struct tern_sets_stats *stats);

/**
 * Bytes held, in pages of 4 KiB, when members have been added to sets of equal size, none has
 * been taken out, and no table grows.
 *
 * @param agents   that are in a set
 * @param members  memberships, over all sets
 * @param sized    whether agents_expected said so
 */
TERN_API uint64_t tern_sets_bytes(uint64_t sets, uint64_t agents, uint64_t members, bool sized);

#endif
