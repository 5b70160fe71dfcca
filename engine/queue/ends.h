/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDS_H
#define ENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_agent.h"

#define TERN_ENDS_BRANCHES 4

/** What one watcher is to be told of one end; lies in a block of the watcher's heap: watch.h. */
struct tern_end_note {
	struct tern_end_note *next; /* in the one list that it is in */
	struct tern_end_note *previous;
	struct tern_end_note *same;	 /* tree: the next of the same agent */
	struct tern_end_note *same_last; /* tree: of the oldest, the last of them */
	struct tern_end_note *branches[TERN_ENDS_BRANCHES]; /* tree */
	struct tern_end_note **place;			    /* tree: what points to it */
	tern_iso *iso;					    /* the block */
	tern_address watcher;
	struct tern_ended ended;
	uint32_t mark; /* while marked: cell, or place in the ring, that has to go before */
	bool in_ring;
};

/** Notes one after the other, by `next`. */
struct tern_note_list {
	struct tern_end_note *first;
	struct tern_end_note *last;
};

static inline void tern_notes_push(struct tern_note_list *list, struct tern_end_note *note)
{
	note->next = NULL;
	if (list->first)
		list->last->next = note;
	else
		list->first = note;
	list->last = note;
}

static inline struct tern_end_note *tern_notes_pop(struct tern_note_list *list)
{
	struct tern_end_note *note = list->first;
	if (note)
		list->first = note->next;
	return note;
}

/**
 * Ends that a thread or a fiber has not asked for yet: in the order told, and by agent.
 *
 * By agent they are a tree of four branches a node, taken by two bits each of a hash of the
 * address: about eight steps among 60,000, and no memory but the notes'.
 */
struct tern_ends {
	struct tern_end_note *root;
	struct tern_end_note *first;
	struct tern_end_note *last;
};

/** Add a note. Keeps it. */
void tern_ends_add(struct tern_ends *ends, struct tern_end_note *note);

/** The oldest note of an agent, TERN_ADDRESS_NONE: of any; NULL: none. */
struct tern_end_note *tern_ends_find(const struct tern_ends *ends, tern_address agent);

/** Take a note out that tern_ends_find() found. Yields it. */
void tern_ends_remove(struct tern_ends *ends, struct tern_end_note *note);

#endif
