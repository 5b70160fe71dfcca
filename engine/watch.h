/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCH_H
#define WATCH_H

#include "lcore.h"

/*
 * Learning of an agent's end. Who watches puts a note, a block of its own heap, on the subject's
 * list (Treiber push, A1); the end takes the whole list at once (exchange, T1) and sends each
 * note back as a control signal. A1-T1 forbids that the end sees a note before its contents. The
 * list's word carries 16 bits of the slot's generation above the pointer, so that a late watcher
 * fails instead of watching the slot's next life.
 */
struct tern_end_note {
	struct tern_end_note *next; /* on the subject's list, then on the watcher's */
	tern_iso *iso;		    /* that the note lies in */
	tern_address watcher;
	struct tern_ended ended;
};

/** Open the list of a slot for the agent of a generation, before anyone knows its address. */
void tern_watch_open(struct tern_lcore *lcore, uint32_t slot, uint32_t generation);

/** Watch `agent` for `watcher`. 0; -ESRCH: it is gone; -ENOMEM: no block. */
int tern_watch_for(struct tern_lcore *lcore, tern_address watcher, tern_address agent);

/** Forget who watches an agent that nobody came to know. Context: who made it. */
void tern_watch_cancel(struct tern_lcore *lcore, uint32_t slot);

/** Tell all who watch that an agent ended. */
void tern_watch_ended(struct tern_lcore *lcore, const struct tern_agent *agent, int64_t result);

/** A note came back to its watcher. Runs the watcher. */
void tern_watch_deliver(struct tern_lcore *lcore, struct tern_agent *watcher,
			struct tern_signal *signal);

/**
 * Take the note of an agent's end out of a list, TERN_ADDRESS_NONE: of any.
 *
 * @return whether it was there
 */
bool tern_watch_take(struct tern_lcore *lcore, struct tern_end_note **ends, tern_address agent,
		     struct tern_ended *ended);

/** Free the notes of a list. */
void tern_watch_drop(struct tern_lcore *lcore, struct tern_end_note **ends);

#endif
