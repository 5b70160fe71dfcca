/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SETS_H
#define SETS_H

#include "tern_sets.h"

#include <stdalign.h>

#include "capabilities/counter.h"
#include "capabilities/lock.h"
#include "stock.h"
#include "tern_table.h"

/*
 * A table leads from a set's id to its number, the number to the array of its members: cells with
 * addresses, and a count of those in use. A reader loads the array once, the count once, then walks
 * the cells. The writer changes an array in three ways only:
 *
 *   add    fills the cell behind the last, then counts it
 *   move   stores another address in a cell
 *   erase  stores TERN_ADDRESS_NONE in a cell, which is not used again
 *
 * When an array is full, or more than half of its cells are erased, another with the members alone
 * takes its place; the old one stays as it is until every reader has been quiet. Copying each time,
 * as sets that are replaced whole do, costs n cells for a change among n; here a copy of n cells
 * comes after n/2 changes at least, so that one costs three cells on average.
 *
 * W1-R1 (the set's array, release and acquire) forbids that a reader sees an array before its cells
 * and its count. W2-R2 (the count) forbids that it sees a cell counted before it is filled, and
 * before every earlier erasure. W3-R3 (a cell filled, moved or erased) lets who is told an address
 * see what was done before it was given.
 *
 * Why nobody is missed. A member that stays has one cell in every array that is current after it
 * was added. The array that R1 gives has it below the count that R2 gives, and it is not erased
 * there: a copy erases nothing in what it copies.
 *
 * Why nobody is seen twice. An agent that leaves and comes again has several cells in an array,
 * each erased before the next is counted (W2). A reader loaded the count before it looked at any
 * (R2): of the cells that it looks at, all but the last were erased by then. Were an erased cell
 * filled again, an agent could leave a cell that a reader has passed for one that lies ahead of it,
 * below the count, and be seen in both.
 *
 * The number of an emptied set is used again when every reader has been quiet: one that found it
 * walks the erased array, or finds none, but never another set's.
 */

/** The members of a set, as readers walk them. Behind the cells, for each the number of its
 * membership: the writers' own. */
struct tern_members {
	uint32_t count;	   /* of cells in use */
	uint32_t capacity; /* constant */

	/* writers: retired */
	uint64_t token;		   /* gone when this is quiet */
	struct tern_members *next; /* the one retired after it */
	uint32_t number;	   /* of the set that goes with it; 0: it has another array */

	tern_address cells[]; /* TERN_ADDRESS_NONE: erased */
};

/** A set, by its number. */
struct tern_set {
	uint32_t next;		      /* the stock's */
	uint32_t live;		      /* members; any thread reads */
	struct tern_members *members; /* readers read; NULL: free, or emptied */
	struct tern_id id;	      /* writers */
};

/** That an agent is in a set. An agent's memberships are a chain, in any order. */
struct tern_membership {
	uint32_t next; /* of the agent, 0: none; free: the stock's */
	uint32_t set;  /* its number */
	uint32_t cell; /* in the set's array */
};

struct tern_sets {
	/* constant; readers read */
	alignas(TERN_LINE) struct tern_table *numbers; /* of a set's id: its number */
	struct tern_set *sets;			       /* by number */

	/* constant */
	struct tern_membership *memberships; /* by number */
	uint64_t members_max;
	uint32_t sets_max;

	/* writers, under the lock */
	alignas(TERN_LINE) ck_spinlock_t lock;
	struct tern_table *agents; /* of an agent's id: the number of its first membership */
	struct tern_stock set_stock, membership_stock;
	struct tern_members *retired, *last_retired;

	/* the same; any thread reads */
	uint64_t set_count, member_count;
	uint64_t copies;
	uint64_t bytes; /* of the arrays of sets */
	uint64_t retired_bytes;
	uint64_t agent_count, agent_bytes, agents_growing; /* of `agents`: tern_sets_note() */
};

/* Arrays of members. Context: the lock, where nothing else is said. */

/** An empty array with room for a member and half as many again. NULL: no memory, or readers that
 * are never quiet keep too much. */
struct tern_members *tern_members_make(struct tern_sets *sets, uint32_t live);

/** Give an array back that no reader has seen. */
void tern_members_free(struct tern_sets *sets, struct tern_members *members);

/** Give an array back, and the set's number with it (0: none), when all readers have been quiet. */
void tern_members_retire(struct tern_sets *sets, struct tern_members *members, uint32_t number);

/** Free what was retired before all readers were quiet. */
void tern_members_reclaim(struct tern_sets *sets);

/** Have room for one more in the array of a set. 0; -ENOMEM. */
int tern_members_widen(struct tern_sets *sets, struct tern_set *set);

/** Add an address where there is room, and note whose it is. */
void tern_members_add(struct tern_sets *sets, struct tern_set *set, tern_address address,
		      uint32_t membership);

/** Erase a cell. */
void tern_members_erase(struct tern_sets *sets, struct tern_set *set, uint32_t cell);

/** Store another address, or none, in a cell. */
static inline void tern_members_put(struct tern_members *members, uint32_t cell,
				    tern_address address)
{
	__atomic_store_n(&members->cells[cell], address, __ATOMIC_RELEASE); /* W3 */
}

/** The membership of each cell. */
static inline uint32_t *tern_members_owners(struct tern_members *members)
{
	return (uint32_t *)(void *)&members->cells[members->capacity];
}

/** Bytes of an array that so many members came to one by one. Any thread. */
uint64_t tern_members_bytes(uint64_t members);

/** The number of a set or the first membership of an agent; 0: none. */
static inline uint32_t tern_sets_number(const struct tern_table *table, struct tern_id id)
{
	return (uint32_t)tern_table_find(table, id);
}

/** Note what the table of agents is, whose memory only a writer may look at. */
void tern_sets_note(struct tern_sets *sets);

/** Take turns at writing. */
static inline void tern_sets_lock(struct tern_sets *sets)
{
	tern_lock(&sets->lock);
	tern_members_reclaim(sets);
}

static inline void tern_sets_unlock(struct tern_sets *sets)
{
	tern_sets_note(sets);
	tern_unlock(&sets->lock);
}

#endif
