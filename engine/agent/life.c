/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include "engine/lcore/agent_state.h"
#include "engine/mail/control.h"
#include "engine/mail/due.h"
#include "engine/lcore/engine.h"
#include "extras.h"
#include "fds.h"
#include "engine/lcore/fiber_state.h"
#include "finish.h"
#include "engine/lcore/room.h"
#include "slots.h"
#include "timer.h"
#include "watch.h"

/* What took until now was no signal: the next sample begins here. */
static void skip_sample(struct tern_lcore *lcore)
{
	tern_sampler_restart(&lcore->sampler, tern_clock_ticks(lcore->clock));
}

void tern_life_event(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_event *event)
{
	const struct tern_behaviour *behaviour = agent->behaviour;
	if (!behaviour || !behaviour->on_event || tern_lcore_is_gone(lcore))
		return;
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	behaviour->on_event(agent, agent->state, event);
	skip_sample(lcore);
}

void tern_life_tell(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_signal *signal,
		    const struct tern_event *event)
{
	struct tern_signal *outer = lcore->hand.signal; /* where a lane to itself is spilled */
	lcore->hand.signal = signal;
	tern_life_event(lcore, agent, event);
	lcore->hand.signal = outer;
	tern_signal_discard(lcore, signal);
	tern_control_handled(lcore);
}

void tern_life_start(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_on_start(agent);
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	if (agent->behaviour->on_start && !tern_lcore_is_gone(lcore)) {
		agent->behaviour->on_start(agent, agent->state);
		skip_sample(lcore);
	}
	if (agent->flags & TERN_AGENT_FIBER && agent->status != TERN_ENDING)
		tern_ready_wake(lcore, agent);
}

void tern_life_return_mailbox(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_signal signal;
	while (agent->mailbox.queued) {
		tern_policy_take(lcore, agent, &signal);
		tern_life_bounce(lcore, &signal, true);
	}
}

void tern_life_ask_end(struct tern_lcore *lcore, struct tern_agent *agent, enum tern_end why,
		       int64_t result)
{
	if (agent->status >= TERN_ENDING)
		return;
	/* Before what comes now, which goes back at once; and `result` takes the water marks'
	 * place. */
	tern_life_return_mailbox(lcore, agent);
	agent->end_why = (uint8_t)why;
	agent->result = result;
	tern_agent_on_end(agent);
	tern_ready_wake(lcore, agent);
}

void tern_life_pause(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->status == TERN_NEW)
		tern_life_start(lcore, agent);
	/* One that is to finish goes on. */
	if (agent->status >= TERN_PAUSED || agent->flags & TERN_AGENT_FINISHING)
		return;
	tern_agent_on_pause(agent);
	tern_timers_park(agent);
	tern_ready_rest(lcore, agent);
}

void tern_life_resume(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->status != TERN_PAUSED)
		return;
	tern_agent_on_resume(agent);
	tern_timers_unpark(agent);
	if (agent->mailbox.queued || agent->flags & (TERN_AGENT_FIBER | TERN_AGENT_DUE))
		tern_ready_wake(lcore, agent);
}

static void unlink_timers(struct tern_agent *agent)
{
	while (agent->timers)
		tern_timer_unlink(agent->timers);
}

/*
 * All that another agent may need: before anybody can know of this one's end, be it by a dead
 * address, by its name or from a note, so that whoever does can spawn in its place.
 */
static void give_back(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->flags & TERN_AGENT_FIBER)
		tern_fiber_end(lcore, agent);
	tern_waiters_forget(lcore, agent);
	tern_policy_forget(lcore, agent);
	tern_finish_forget(lcore, agent);
	tern_ready_rest(lcore, agent);
	if (agent->extras)
		tern_extras_put(lcore, agent->extras);
	tern_store(&agent->extras, NULL);
	tern_slots_allow(lcore);
	tern_engine_unregister(lcore, agent);
}

void tern_life_end(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	int64_t result = agent->result;
	bool roaming = tern_is_roaming(agent);
	if (tern_lcore_is_gone(lcore))
		return;
	if (!(agent->flags & (TERN_AGENT_STARTED | TERN_AGENT_MUTE)))
		tern_life_start(lcore, agent); /* on_stop without on_start would surprise */
	tern_store(&lcore->turn.running, slot);
	/* Before on_stop, which may free the state they lie in; and after, for what it armed. */
	unlink_timers(agent);
	tern_fds_forget(lcore, agent);
	tern_agent_begin_telling(agent);
	if (agent->behaviour->on_stop && !(agent->flags & TERN_AGENT_MUTE))
		agent->behaviour->on_stop(agent, agent->state, agent->end_why, result);
	if (tern_lcore_is_gone(lcore))
		return;
	skip_sample(lcore);
	unlink_timers(agent);
	tern_fds_forget(lcore, agent);
	give_back(lcore, agent);
	tern_dir_set(&lcore->directory[slot], TERN_DIR_VACANT);
	tern_watch_ended(lcore, agent, result);
	tern_watch_forget(lcore, agent);
	tern_agent_on_ended(agent);
	tern_count(&lcore->stats.agents_ended, 1);
	if (roaming)
		tern_roaming_bury(lcore, agent);
	else
		tern_slots_put(lcore, agent);
}

/* Swap sender and receiver, and mark the signal as returned. */
void tern_life_bounce(struct tern_lcore *lcore, const struct tern_signal *signal, bool had_cell)
{
	struct tern_signal back = *signal;
	uint32_t slot = tern_address_slot(signal->from);
	bool control = signal->type > TERN_TYPE_MAX;
	if (tern_unlikely(tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING)) {
		tern_engine_undelivered(lcore, &back);
	} else if (control || signal->kind & TERN_KIND_RETURNED ||
		   !tern_dir_alive(tern_dir_load(lcore, slot), signal->from)) {
		tern_signal_discard(lcore, &back);
		if (!control)
			tern_count(&lcore->stats.lost, 1);
	} else {
		back.to_slot = slot;
		back.to_generation =
			tern_address_generation(signal->from) & TERN_ADDRESS_GENERATION_MASK;
		back.from = tern_address_make(0, signal->to_slot, signal->to_generation);
		back.kind |= TERN_KIND_RETURNED;
		tern_lcore_return(lcore, &back, had_cell);
	}
	/* Last: nobody may find all settled while one is on its way back. */
	tern_lcore_settle(lcore, 1);
}

/* What was sent comes back as an event, outside the mailbox's bound. */
static void handle_returned(struct tern_lcore *lcore, struct tern_agent *agent,
			    const struct tern_signal *signal)
{
	struct tern_signal copy = *signal;
	copy.kind &= (unsigned char)~TERN_KIND_RETURNED;
	struct tern_event event = {.kind = TERN_EVENT_RETURNED,
				   .returned = {.signals = &copy, .count = 1}};
	tern_store(&lcore->turn.running, signal->to_slot);
	lcore->hand.signal = &copy;
	tern_life_event(lcore, agent, &event);
	lcore->hand.signal = NULL;
	tern_count(&lcore->stats.returned, 1);
	tern_signal_discard(lcore, &copy);
	tern_lcore_settle(lcore, 1);
}

void tern_life_handle(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	if (tern_lcore_is_gone(lcore))
		return;
	if (tern_unlikely(signal->kind & TERN_KIND_RETURNED)) {
		handle_returned(lcore, agent, signal);
		return;
	}
	tern_store(&lcore->turn.running, signal->to_slot);
	tern_count(&agent->signals_in, 1);
	bool traced = signal->kind & TERN_KIND_TRACED;
	uint32_t began = traced ? tern_trace_begin(lcore, agent, signal) : 0;
	lcore->hand.signal = signal;
	agent->handler(agent, agent->state, signal);
	lcore->hand.signal = NULL;
	if (tern_unlikely(traced))
		tern_trace_end(lcore, agent, began);
	if (kind >= TERN_KIND_ISO)
		tern_signal_discard(lcore, signal);
	tern_count(&lcore->stats.handled, 1);
	tern_lcore_settle(lcore, 1);
}

/* Of a cell that left the mailbox others may have kept the number. */
void tern_life_cell_left(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t cell,
			 uint32_t before)
{
	if (agent->flags & TERN_AGENT_EXACT)
		tern_room_leave(tern_room_of(lcore, tern_address_slot(agent->address)));
	if (agent->flags & TERN_AGENT_FIBER)
		tern_fiber_cell_left(agent, cell);
	else if (agent->flags & TERN_AGENT_MARKED)
		tern_watch_cell_left(lcore, agent, cell, before);
}

/* There is no cell for what comes back to a sender that does not take it: counted. */
void tern_signal_lose(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	struct tern_signal lost = *signal;
	tern_signal_discard(lcore, &lost);
	tern_count(&lcore->stats.lost, 1);
	tern_lcore_settle(lcore, 1);
}

/* Of one that is paused so much may wait; what had a cell already takes no other. */
static bool may_keep_returned(const struct tern_lcore *lcore, const struct tern_agent *agent,
			      bool had_cell)
{
	const struct tern_cells *cells = &lcore->mail.cells;
	if (agent->mailbox.returned >= cells->count / TERN_RETURNED_PART)
		return false;
	return had_cell || tern_cells_left(cells) > cells->kept / 2;
}

/* What comes back is outside the policy, and told in the order in which it came. */
static void deliver_returned(struct tern_lcore *lcore, struct tern_agent *agent,
			     const struct tern_signal *signal, bool had_cell)
{
	struct tern_signal copy = *signal;
	if (agent->status != TERN_PAUSED && agent->mailbox.returned == 0) {
		tern_life_handle(lcore, agent, &copy);
	} else if (!may_keep_returned(lcore, agent, had_cell)) {
		tern_signal_lose(lcore, signal);
	} else {
		tern_mailbox_push(&lcore->mail.cells, &agent->mailbox, signal);
		if (agent->status != TERN_READY)
			tern_ready_push(lcore, agent);
	}
}

static void report_full(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	char label[TERN_NAME_MAX];
	if (lcore->turn.ticks < lcore->mail.full_due)
		return;
	lcore->mail.full_due = lcore->turn.ticks + lcore->clock->hz;
	tern_agent_label(agent, label);
	tern_log_write(&lcore->engine->log, TERN_LOG_WARN,
		       "mailbox memory used up: signals go back to their senders",
		       "lcore=%u agent=\"%s\" cells=%u fix=\"raise memory.mailbox_mib\"",
		       lcore->index, label, lcore->mail.cells.count);
}

/*
 * All mailbox memory is used. A handler that has nothing before it runs here, ahead of others; what
 * is for one that does not run goes back to its sender, so that no lane stops for it.
 */
static void deliver_without_cell(struct tern_lcore *lcore, struct tern_agent *agent,
				 struct tern_signal *signal)
{
	bool waits = agent->flags & (TERN_AGENT_FIBER | TERN_AGENT_DUE) || agent->mailbox.queued;
	if (!waits && agent->status < TERN_PAUSED) {
		if (agent->status == TERN_NEW)
			tern_life_start(lcore, agent);
		if (agent->status < TERN_PAUSED) {
			tern_life_handle(lcore, agent, signal);
			return;
		}
	}
	report_full(lcore, agent);
	tern_life_bounce(lcore, signal, false);
}

static bool is_for(const struct tern_agent *agent, const struct tern_signal *signal)
{
	uint8_t status = tern_agent_status_first(agent);
	bool same = signal->to_generation == tern_address_generation(tern_load(&agent->address));
	return same && status < TERN_ENDING;
}

void tern_life_deliver_back(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	struct tern_agent *agent = &lcore->agents[signal->to_slot];
	if (is_for(agent, signal))
		deliver_returned(lcore, agent, signal, true);
	else
		tern_life_bounce(lcore, signal, false);
}

bool tern_life_deliver(struct tern_lcore *lcore, const struct tern_signal *signal, bool queue_only)
{
	struct tern_agent *agent = &lcore->agents[signal->to_slot];
	/* Blocks go home to a place, not an address: a thread's place outlives the thread. */
	if (tern_unlikely(signal->type == TERN_CONTROL_BLOCKS)) {
		tern_control_collect(lcore, signal);
		return true;
	}
	if (!is_for(agent, signal)) {
		tern_life_bounce(lcore, signal, false);
		return true;
	}
	if (signal->kind & TERN_KIND_RETURNED) {
		if (signal->type == TERN_CONTROL_ENDED)
			tern_watch_deliver(lcore, agent, signal, queue_only);
		else
			deliver_returned(lcore, agent, signal, false);
		return true;
	}
	struct tern_signal copy = *signal;
	if (signal->kind & TERN_KIND_TRACED)
		tern_trace_drained(lcore, agent, &copy);
	/* A new agent starts when the ready queue reaches it, before what waits for it then. */
	if (!queue_only && !lcore->turn.hold && agent->status == TERN_IDLE)
		tern_life_handle(lcore, agent, &copy);
	else if (!tern_policy_queue(lcore, agent, &copy)) {
		if (queue_only)
			return false;
		deliver_without_cell(lcore, agent, &copy);
	}
	return true;
}
