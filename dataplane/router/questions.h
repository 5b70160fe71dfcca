/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <ck_spinlock.h>

#include "capabilities/counter.h"
#include "tern_address.h"

/** Questions kept for peers that have not been asked yet: of more the oldest go unasked. */
#define TERN_QUESTIONS_KEPT 1024u

/** Who has an agent, or a capability? */
struct tern_question {
	struct tern_id id;
	bool capability; /* else an agent's id */
};

/**
 * What was looked up in vain, in order, for as many peers as there are: each has its own place in
 * it. A lookup puts a question in once while its id counts as missing (tern_router_calls), and
 * waits for nobody: where somebody else is writing the question is lost, and comes again when its
 * id is looked up past its time.
 */
struct tern_questions {
	alignas(TERN_LINE) ck_spinlock_t lock;
	uint64_t asked;					/* so many were put in; any thread reads */
	uint64_t lost;					/* any thread reads and writes */
	struct tern_question kept[TERN_QUESTIONS_KEPT]; /* by number, in a ring */
};

/** Put one in. Any thread; never waits. */
void tern_questions_put(struct tern_questions *questions, struct tern_id id, bool capability);

/**
 * Take those from a number on.
 *
 * @param from   the first that was not taken; yields where to go on, past all that are not kept
 * @param found  yields up to `count_max`
 * @return how many
 *
 * Context: any thread; who puts one in meanwhile may lose it.
 */
uint32_t tern_questions_get(struct tern_questions *questions, uint64_t *from,
			    struct tern_question *found, uint32_t count_max);

#endif
