/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIFE_H
#define LIFE_H

#include "engine/lcore/lcore.h"

/*
 * What happens to an agent on its home lcore, outside the fast path. No function here but those
 * marked "runs the agent" calls into user code, so that an agent is never entered twice: a
 * handler that floods its own lcore makes signals move to mailboxes, not handlers nest.
 */

/**
 * Take a signal that could not run in place: its agent is new, busy, ending or dead, the turn is
 * late, or the signal is traced or returned. Runs the agent, but with `queue_only`.
 *
 * @return whether it was taken, always without `queue_only`; false: no cell is left to queue it
 */
bool tern_life_deliver(struct tern_lcore *lcore, const struct tern_signal *signal, bool queue_only);

/** Take a signal that comes back to an agent of this lcore, out of a cell that is free now. Runs
 * it. */
void tern_life_deliver_back(struct tern_lcore *lcore, const struct tern_signal *signal);

/**
 * Run the agent on a slot and drop a block that it did not take; a returned or control signal
 * becomes an event.
 */
void tern_life_handle(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal);

/** A cell has left an agent's mailbox; `before` it, there, was another or TERN_CELL_NONE. */
void tern_life_cell_left(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t cell,
			 uint32_t before);

/** Run on_start of a new agent, once. Runs the agent. */
void tern_life_start(struct tern_lcore *lcore, struct tern_agent *agent);

/** Send back all that waits in an agent's mailbox. */
void tern_life_return_mailbox(struct tern_lcore *lcore, struct tern_agent *agent);

/** Let an agent end when the ready queue reaches it; signals to it come back from now on. */
void tern_life_ask_end(struct tern_lcore *lcore, struct tern_agent *agent, enum tern_end why,
		       int64_t result);

/** Suspend an agent: signals queue up, its timers stand still. Runs the agent, if it is new. */
void tern_life_pause(struct tern_lcore *lcore, struct tern_agent *agent);

/** Let a paused agent go on. */
void tern_life_resume(struct tern_lcore *lcore, struct tern_agent *agent);

/** End an agent that is not listed: on_stop, timers, mailbox, id, slot. Runs the agent. */
void tern_life_end(struct tern_lcore *lcore, struct tern_agent *agent);

/** What messages call an agent: its name, else its behaviour's. Any thread. */
void tern_agent_label(const struct tern_agent *agent, char label[TERN_NAME_MAX]);

/** End an agent as failed: on_error now, on_stop when its turn comes. Runs the agent. */
void tern_life_fail(struct tern_lcore *lcore, struct tern_agent *agent, int code,
		    const struct tern_error *error);

/**
 * Send a signal back where it came from; drop it where that is dead too.
 *
 * @param had_cell  it lay in a cell of this lcore, which is free now
 */
void tern_life_bounce(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell);

/** Tell an agent something. Runs the agent. */
void tern_life_event(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_event *event);

/**
 * Call on_event for something that counts as under way: settled afterwards, also where the agent
 * fails in it. Runs the agent.
 *
 * @param signal  what it came as; its block is dropped
 */
void tern_life_tell(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_signal *signal,
		    const struct tern_event *event);

/** Make room for a signal under the policy. Returns whether it still wants a place. */
bool tern_policy_make_room(struct tern_lcore *lcore, struct tern_agent *agent,
			   const struct tern_signal *signal);

/** Append a signal to an agent's mailbox under its policy. False: no cell is left for it. */
bool tern_policy_queue(struct tern_lcore *lcore, struct tern_agent *agent,
		       const struct tern_signal *signal);

/** How many of `count` signals of a roaming agent's ring its mailbox may take. */
unsigned tern_policy_may_take(const struct tern_lcore *lcore, const struct tern_agent *agent,
			      unsigned count);

/** Append one of them, for which the policy has made room. */
void tern_policy_take_in(struct tern_lcore *lcore, struct tern_agent *agent,
			 const struct tern_signal *signal);

/** Take the oldest signal out of an agent's mailbox, which is not empty. */
void tern_policy_take(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal);

/** Take the signal out that follows a cell of an agent's mailbox. O(1). */
void tern_policy_take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
			    struct tern_signal *signal);

/** Have a roaming agent run when there is memory again for what waits in its ring. */
void tern_policy_await_memory(struct tern_lcore *lcore, struct tern_agent *agent);

/** An agent that refused, or waited, for want of memory ends, or does so no longer. */
void tern_policy_forget(struct tern_lcore *lcore, struct tern_agent *agent);

/** How many signals each lane to this lcore may have under way, by the memory left for them. */
void tern_policy_set_credit(struct tern_lcore *lcore);

/** Let senders in again to agents that refuse for want of memory, once there is enough. */
void tern_policy_relieve(struct tern_lcore *lcore);

/** Tell an agent that it crossed a water mark, where it did. Runs the agent. */
void tern_policy_tell(struct tern_lcore *lcore, struct tern_agent *agent);

/** Free the block of a signal nobody will handle. */
void tern_signal_discard(struct tern_lcore *lcore, struct tern_signal *signal);

/** Nobody can be told of a signal that came back: free its block, and count it as lost. */
void tern_signal_lose(struct tern_lcore *lcore, const struct tern_signal *signal);

/** A traced signal was drained: keep the hop. */
void tern_trace_drained(struct tern_lcore *lcore, struct tern_agent *agent,
			struct tern_signal *signal);

/** A traced signal is about to be handled: keep its wait. Returns the time for the next. */
uint32_t tern_trace_begin(const struct tern_lcore *lcore, struct tern_agent *agent,
			  const struct tern_signal *signal);

/** A traced signal was handled: keep how long that took. */
void tern_trace_end(const struct tern_lcore *lcore, struct tern_agent *agent, uint32_t began);

#endif
