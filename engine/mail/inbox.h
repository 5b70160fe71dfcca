/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INBOX_H
#define INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/room.h"

/*
 * An agent's inbox: its mailbox, whichever storage that has. Cells of the lcore that runs it, which
 * that lcore alone touches; and, of an agent that roams or has an exact bound, a ring before them,
 * in which senders of all lcores put (room.h). What a full inbox does with one signal more, when
 * its senders are sent away and let in again, what is dropped and counted, is decided here for
 * both.
 *
 * Cells: the bound and the policy are asked for each signal that comes. Ring: a sender asks them
 * when it finds the ring full; once more the lcore does that takes from it.
 */

/**
 * Put a complete signal in the ring of a living agent that has one. Any lcore or thread.
 *
 * @return 0; -EAGAIN: full; -ESRCH: it has ended
 */
int tern_inbox_send(struct tern_lcore *lcore, const struct tern_signal *signal);

/**
 * Put a signal in the cells, and have the agent run. Context: the lcore that runs the agent.
 *
 * @return false: no cell is left for it
 */
bool tern_inbox_put(struct tern_lcore *lcore, struct tern_agent *agent,
		    const struct tern_signal *signal);

/** Take the oldest signal out of the cells, of which some are filled. */
void tern_inbox_take(struct tern_lcore *lcore, struct tern_agent *agent,
		     struct tern_signal *signal);

/** Take the signal out that follows a cell. O(1). */
void tern_inbox_take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
			   struct tern_signal *signal);

/** A run begins, of an agent with a ring: whether it is above high water. */
void tern_inbox_open(struct tern_lcore *lcore, struct tern_agent *agent);

/**
 * Signals from the ring to the cells, until `most` are there. Those that are not for the agent go
 * back to their senders.
 */
void tern_inbox_fetch(struct tern_lcore *lcore, struct tern_agent *agent, unsigned most);

/** A run ends, of an agent with a ring: at low water senders are let in. Returns what is left in
 * the ring. Runs the agent. */
uint32_t tern_inbox_close(struct tern_lcore *lcore, struct tern_agent *agent);

/** Whether nothing is in the inbox, and nobody is about to look for more. */
bool tern_inbox_is_idle(const struct tern_lcore *lcore, const struct tern_agent *agent);

/** Tell an agent that it crossed a water mark, where it did. Runs the agent. */
void tern_inbox_tell(struct tern_lcore *lcore, struct tern_agent *agent);

/** Let senders in again to agents that refuse for want of memory, once there is enough. */
void tern_inbox_relieve(struct tern_lcore *lcore);

/** Signals in both storages. Any thread; a hint while others put and take. */
static inline uint32_t tern_inbox_count(const struct tern_agent *agent,
					const struct tern_room *room)
{
	uint32_t queued = tern_load(&agent->mailbox.queued);
	return room ? queued + tern_mail_ring_count(&room->ring) : queued;
}

#endif
