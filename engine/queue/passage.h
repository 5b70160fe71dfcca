/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PASSAGE_H
#define PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "capabilities/counter.h"
#include "capabilities/lane.h"

/*
 * Whether what an lcore has sent is out of its lanes. A roaming agent that sent by one lcore's
 * lanes may run on another only then, or what it sends there could overtake.
 *
 * The lcore takes notes: of the positions of all its lanes, under a number. When every lane's
 * reader has passed its position, all sent before that note has arrived, and the number is
 * published with release (A1). A thief reads it with acquire (A0) before it takes an agent whose
 * last signal was sent before that note: its own lanes' signals come after.
 */
struct tern_passage {
	/* owner writes */
	uint32_t *positions; /* by route: of the last note */
	uint64_t noted;	     /* number of the last note */
	uint64_t wanted;     /* number of the newest note that an agent waits for */
	bool open;	     /* the last note has not been passed by all readers */
	uint32_t elsewhere;  /* links to other nodes that have not passed it: node.h */
	uint64_t passed;     /* newest note that was; any lcore reads */
};

/** An agent sent something just now: the note that it has to wait for. */
static inline uint64_t tern_passage_want(struct tern_passage *passage)
{
	return passage->wanted = passage->noted + 1;
}

/** Whether the next look takes a note. Owner. */
static inline bool tern_passage_is_due(const struct tern_passage *passage)
{
	return !passage->open && passage->wanted > passage->noted;
}

/** Whether a note has been passed (A0). Any lcore. */
static inline bool tern_passage_is_over(const struct tern_passage *passage, uint64_t note)
{
	return __atomic_load_n(&passage->passed, __ATOMIC_ACQUIRE) >= note;
}

/**
 * Take a note where one is wanted, look how far the readers are. Owner, once a turn.
 *
 * @param skips  whether nobody reads a route: a place that no thread has now. May be NULL
 */
void tern_passage_look(struct tern_passage *passage, const struct tern_lane_out *out,
		       uint32_t routes, bool (*skips)(const void *owner, uint32_t route),
		       const void *owner);

#endif
