/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOXES_H
#define OUTBOXES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/queue/ends.h"
#include "engine/queue/mailbox.h"

struct tern_lcore;

/** What the engine itself sends from an lcore and found no room in a lane. Its thread writes. */
struct tern_outboxes {
	struct tern_mailbox *returns; /* by route: signals that go back to their senders */
	struct tern_note_list *ends;  /* by route */
	uint32_t deferred;	      /* signals in `returns` */
	uint32_t ends_left;	      /* notes in `ends` */
	uint32_t lent; /* cells that roaming agents have yet to give back; any thread reads */
};

/**
 * Put a signal that comes back on its way to its sender, signal->to_slot. Without a place in a lane
 * it waits here, in a cell: beyond a quarter of the lcore's cells it is lost, and counted so.
 *
 * @param had_cell  it lay in a cell of this lcore until now: then it is never lost
 */
void tern_lcore_return(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell);

/** Put the note of an end on its way to note->watcher, behind all sent there. Never refused. */
void tern_lcore_send_end(struct tern_lcore *lcore, struct tern_end_note *note);

/**
 * Retry what waits for a lane; hand blocks of others over, in batches or `all`. Returns the work
 * done. Runs agents whose signals came back.
 */
unsigned tern_lcore_flush(struct tern_lcore *lcore, bool all);

/** Whether anything waits here for a lane. */
bool tern_lcore_has_left(const struct tern_lcore *lcore);

/** What came back to a roaming agent since the last look is to be told: from whichever lcore. */
void tern_returned_look(struct tern_lcore *lcore, uint32_t slot);

/** Take what came back to a roaming agent, oldest first; false: nothing. */
bool tern_returned_take(struct tern_lcore *lcore, uint32_t slot, struct tern_signal *signal);

/** What came back to a roaming agent that ended is lost. */
void tern_returned_forget(struct tern_lcore *lcore, uint32_t slot);

#endif
