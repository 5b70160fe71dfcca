/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

struct tern_end_note;
struct tern_lcore;
struct tern_signal;

/**
 * Put a signal that comes back on its way to its sender, signal->to_slot. Without a place in a lane
 * it waits here, in a cell: beyond a quarter of the lcore's cells it is lost, and counted so.
 *
 * @param had_cell  it lay in a cell of this lcore until now: then it is never lost
 */
void tern_lcore_return(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell);

/** Whether tern_lcore_return() has a cell for one more, whichever way it goes. */
bool tern_lcore_may_return(const struct tern_lcore *lcore);

/** Put the note of an end on its way to note->watcher, behind all sent there. Never refused. */
void tern_lcore_send_end(struct tern_lcore *lcore, struct tern_end_note *note);

/** Whether anything waits here for a lane. */
bool tern_lcore_has_left(const struct tern_lcore *lcore);

/** What came back to a roaming agent since the last look is to be told: from whichever lcore. */
void tern_returned_look(struct tern_lcore *lcore, uint32_t slot);

/** Take what came back to a roaming agent, oldest first; false: nothing. */
bool tern_returned_take(struct tern_lcore *lcore, uint32_t slot, struct tern_signal *signal);

/** What came back to a roaming agent that ended is lost. */
void tern_returned_forget(struct tern_lcore *lcore, uint32_t slot);

/** Push a signal into a lane that is not full. Never spills: a spill would meet itself here. */
bool tern_outbox_try_lane(struct tern_lcore *lcore, uint32_t route,
			  const struct tern_signal *signal);

/** The same for the note of an end. */
bool tern_outbox_try_end(struct tern_lcore *lcore, uint32_t route, struct tern_end_note *note);

/** Whether a route leads back here: what comes back is then told, and is in no lane. */
static inline bool tern_outbox_is_own(const struct tern_lcore *lcore, uint32_t route)
{
	return route >> 1 == lcore->index;
}

#endif
