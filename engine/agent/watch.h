/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_address.h"

struct tern_agent;
struct tern_ended;
struct tern_ends;
struct tern_lcore;
struct tern_signal;

/*
 * Learning of an agent's end. Who watches puts a note, a block of its own heap, on the subject's
 * list (Treiber push, A1); the end takes the whole list at once (exchange, T1) and sends each
 * note back, behind all that the subject sent. A1-T1 forbids that the end sees a note before its
 * contents. The list's word carries 16 bits of the slot's generation above the pointer, so that a
 * late watcher fails instead of watching the slot's next life.
 *
 * From the watch to the telling the note is all the memory that is needed: where a lane is full, it
 * waits in a list of its lcore's; where the watcher has signals before it, in one of the watcher's,
 * marked with the last of them.
 */

/** Open the list of a slot for the agent of a generation, before anyone knows its address. */
void tern_watch_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation);

/** Watch `agent` for `watcher`. 0; -ESRCH: it is gone; -ENOMEM: no block. */
int tern_watch_for(struct tern_lcore *lcore, tern_address watcher, tern_address agent);

/** Forget who watches an agent that nobody came to know. Context: who made it. */
void tern_watch_cancel(struct tern_lcore *lcore, uint32_t slot);

/** Tell all who watch that an agent ended. */
void tern_watch_ended(struct tern_lcore *lcore, const struct tern_agent *agent, int64_t result);

/** A note came back to its watcher. Runs the watcher, but with `queue_only`. */
void tern_watch_deliver(struct tern_lcore *lcore, struct tern_agent *watcher,
			const struct tern_signal *signal, bool queue_only);

/** Look at the notes that came to a roaming agent. */
void tern_watch_look(struct tern_lcore *lcore, struct tern_agent *watcher);

/** Tell a watcher of some of the ends that are due. Runs the watcher. */
void tern_watch_tell(struct tern_lcore *lcore, struct tern_agent *watcher, uint32_t most);

/** A watcher ends: what it was to be told is dropped. */
void tern_watch_forget(struct tern_lcore *lcore, struct tern_agent *watcher);

/** Drop the notes that came to a roaming agent after its end. */
void tern_watch_drop_late(struct tern_lcore *lcore, uint32_t slot);

/**
 * Take an agent's end out of those told and not asked for; TERN_ADDRESS_NONE: of any.
 *
 * @return whether it was there
 */
bool tern_watch_take(struct tern_lcore *lcore, struct tern_ends *ends, tern_address agent,
		     struct tern_ended *ended);

/** Free the notes of those told and not asked for. */
void tern_watch_drop(struct tern_lcore *lcore, struct tern_ends *ends);

#endif
