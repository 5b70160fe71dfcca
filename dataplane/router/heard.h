/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEARD_H
#define HEARD_H

#include <stdbool.h>
#include <stdint.h>

/** Gaps kept apart; of more the two that are nearest to each other become one. */
#define TERN_HEARD_GAPS 11u

/**
 * What was heard of a node's changes: the highest version, and the gaps below it, in which changes
 * may be that were not received, or not kept. Where gaps become one, what was heard between them
 * counts as lacking, too: asked for once more than needed, but never missed.
 *
 * Context: one writer at a time, whose lock readers take as well; the version, and the last four,
 * are read by any thread, each by itself.
 */
struct tern_heard {
	uint64_t version;
	uint64_t gap_count;
	struct tern_gap {
		uint64_t first, last;
	} gaps[TERN_HEARD_GAPS + 1]; /* by version, with something heard between; one to spare */
	/* what a peer had told when something was found lacking, and when that was; 0: nothing */
	uint64_t watched, watched_since;
	uint64_t complete; /* tern_heard_complete() */
	uint64_t lacking;  /* tern_heard_lacking() up to the version */
	uint64_t told;	   /* highest version that a peer has said it heard */
	uint64_t told_ns;  /* when one last said what it had */
};

_Static_assert(sizeof(struct tern_heard) == 256, "four lines a node");

/**
 * Note that a change was heard.
 *
 * @param first    lowest version of which it is known that no other change has it up to `version`;
 *                 0: not said: then all that is below the first one heard is taken to be known, and
 *                 every later version to be of some change
 * @param version  the change's own, above 0
 */
void tern_heard_note(struct tern_heard *heard, uint64_t first, uint64_t version);

/** Note that one was heard and could not be kept: it is lacking. */
void tern_heard_miss(struct tern_heard *heard, uint64_t first, uint64_t version);

/** Note that nothing up to a version is lacking. */
void tern_heard_settle(struct tern_heard *heard, uint64_t version);

/** Note that a peer has said by `now` up to which version it has heard. */
void tern_heard_tell(struct tern_heard *heard, uint64_t version, uint64_t now);

/** How many versions up to one may be of changes that are lacking. */
uint64_t tern_heard_lacking(const struct tern_heard *heard, uint64_t version);

/**
 * Note what a comparison found.
 *
 * @param lacking  whether anything was, of what a peer had `told`
 * @return for how long something of that has been lacking, by `now`; 0: nothing is, or as of now
 */
uint64_t tern_heard_watch(struct tern_heard *heard, bool lacking, uint64_t told, uint64_t now);

/** The version up to which nothing is lacking. */
uint64_t tern_heard_complete(const struct tern_heard *heard);

#endif
