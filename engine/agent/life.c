/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include "engine/lcore/agent_state.h"
#include "engine/mail/remote.h"
#include "engine/mail/bounce.h"
#include "engine/mail/control.h"
#include "engine/mail/event.h"
#include "engine/mail/inbox.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/roaming.h"
#include "extras.h"
#include "timer.h"
#include "trace.h"
#include "watch.h"

/*
 * The engine's hooks. Each agent is announced before anything else is said of it, and seen off
 * once, whichever of its own functions failed. The flag comes first: a hook that fails is not
 * called for this agent again.
 */
static void announce_agent(struct tern_lcore *lcore, struct tern_agent *agent)
{
	const struct tern_hooks *hooks = lcore->engine->config.hooks;
	if (tern_likely(!hooks || !hooks->on_start) || agent->flags & TERN_AGENT_ANNOUNCED ||
	    tern_lcore_is_gone(lcore))
		return;
	tern_agent_set(agent, TERN_AGENT_ANNOUNCED);
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	hooks->on_start(agent, hooks->context);
	tern_lcore_skip_sample(lcore);
}

void tern_life_start(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_on_start(agent);
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	if (agent->behaviour->on_start && !tern_lcore_is_gone(lcore)) {
		agent->behaviour->on_start(agent, agent->state);
		tern_lcore_skip_sample(lcore);
	}
	announce_agent(lcore, agent);
	if (agent->flags & TERN_AGENT_FIBER && agent->status != TERN_ENDING)
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

/* What was sent comes back as an event, outside the mailbox's bound. */
static void handle_returned(struct tern_lcore *lcore, struct tern_agent *agent,
			    const struct tern_signal *signal)
{
	struct tern_signal copy = *signal;
	bool is_unknown = (copy.kind & TERN_KIND_UNKNOWN) == TERN_KIND_UNKNOWN;
	copy.kind &= (unsigned char)~TERN_KIND_UNKNOWN;
	struct tern_event event = {
		.kind = TERN_EVENT_RETURNED,
		.returned = {.signals = &copy, .count = 1, .is_unknown = is_unknown}};
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
	if (tern_unlikely(signal->type == TERN_CONTROL_FORWARD)) {
		lcore->remote->forward(lcore, signal);
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
	else if (!tern_inbox_put(lcore, agent, &copy)) {
		if (queue_only)
			return false;
		deliver_without_cell(lcore, agent, &copy);
	}
	return true;
}

void tern_agent_label(const struct tern_agent *agent, char label[TERN_NAME_MAX])
{
	const struct tern_extras *extras = tern_load(&agent->extras);
	label[0] = '\0';
	if (extras)
		tern_extras_name(extras, label);
	if (!label[0])
		snprintf(label, TERN_NAME_MAX, "%s", tern_load(&agent->behaviour)->name);
}

static void announce_failure(struct tern_lcore *lcore, struct tern_agent *agent,
			     const struct tern_error *error)
{
	const struct tern_hooks *hooks = lcore->engine->config.hooks;
	if (tern_likely(!hooks))
		return;
	tern_agent_begin_telling(agent);
	tern_agent_set(agent, TERN_AGENT_HOOKED);
	announce_agent(lcore, agent);
	if (hooks->on_error && !tern_lcore_is_gone(lcore))
		hooks->on_error(agent, hooks->context, error);
	tern_agent_clear(agent, TERN_AGENT_HOOKED);
	tern_agent_end_telling(agent);
}

void tern_life_fail(struct tern_lcore *lcore, struct tern_agent *agent, int code,
		    const struct tern_error *error)
{
	char label[TERN_NAME_MAX];
	/* First: an agent that fails while it hears of it fails no second time. */
	tern_life_ask_end(lcore, agent, TERN_END_FAILED, code);
	tern_agent_label(agent, label);
	tern_agent_set(agent, TERN_AGENT_FAILED);
	tern_count(&lcore->stats.failed, 1);
	tern_log_write(&lcore->engine->log, TERN_LOG_WARN, "agent failed",
		       "agent=\"%s\" slot=%u lcore=%u code=%d error=\"%s\"", label,
		       tern_address_slot(agent->address), lcore->index, code, error->text);
	announce_failure(lcore, agent, error);
	if (!agent->behaviour->on_error || tern_lcore_is_gone(lcore))
		return;
	tern_agent_begin_telling(agent);
	agent->behaviour->on_error(agent, agent->state, error);
	tern_agent_end_telling(agent);
}

void tern_life_see_off(struct tern_lcore *lcore, struct tern_agent *agent, int64_t result)
{
	const struct tern_hooks *hooks = lcore->engine->config.hooks;
	if (tern_likely(!hooks))
		return;
	announce_agent(lcore, agent);
	if (!hooks->on_stop || agent->flags & TERN_AGENT_SEEN_OFF || tern_lcore_is_gone(lcore))
		return;
	tern_agent_set(agent, TERN_AGENT_SEEN_OFF);
	hooks->on_stop(agent, hooks->context, (enum tern_end)agent->end_why, result);
}
