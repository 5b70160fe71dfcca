/* SPDX-License-Identifier: Apache-2.0 */
#include "fiber.h"

#include <errno.h>
#include <poll.h>

#include "engine/agent/fds.h"
#include "engine/agent/life.h"
#include "engine/agent/timer.h"
#include "engine/agent/trace.h"
#include "engine/agent/watch.h"
#include "engine/lcore/agent_state.h"
#include "engine/mail/bounce.h"
#include "engine/mail/control.h"
#include "engine/mail/due.h"
#include "engine/mail/event.h"
#include "engine/mail/inbox.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"
#include "tern_fiber.h"
#include "waiter.h"

static struct tern_fiber *fiber_of(const struct tern_agent *agent)
{
	return agent->extras->fiber;
}

static void drop_block(struct tern_fiber *fiber)
{
	tern_signal_discard(fiber->agent->lcore, &fiber->current);
}

/* Once the fiber has sent what it had to: when it receives again, or leaves. */
static void settle_signal(struct tern_fiber *fiber)
{
	struct tern_lcore *lcore = fiber->agent->lcore;
	if (!fiber->unsettled)
		return;
	fiber->unsettled = false;
	tern_count(&lcore->stats.handled, 1);
	tern_lcore_settle(lcore, 1);
	fiber->handled++;
	tern_lcore_check(lcore);
}

/* The signal received last is no longer of interest. */
static void finish_current(struct tern_fiber *fiber)
{
	if (!fiber->holds)
		return;
	fiber->holds = false;
	if (fiber->current.kind & TERN_KIND_TRACED)
		tern_trace_end(fiber->agent->lcore, fiber->agent, fiber->traced_at);
	drop_block(fiber);
	settle_signal(fiber);
}

static void fiber_main(void *argument)
{
	struct tern_fiber *fiber = argument;
	struct tern_agent *agent = fiber->agent;
	fiber->result = agent->behaviour->fiber(agent, agent->state);
	finish_current(fiber);
}

int tern_fiber_make(struct tern_lcore *lcore, struct tern_agent *agent, size_t size)
{
	struct tern_stack stack;
	int code = tern_stacks_take(&lcore->engine->stacks, size, &stack);
	if (code != 0)
		return code;
	size_t top = (stack.size - sizeof(struct tern_fiber)) & ~(size_t)(TERN_LINE - 1);
	struct tern_fiber *fiber = (void *)(stack.base + top);
	memset(&fiber->context, 0, sizeof(*fiber) - offsetof(struct tern_fiber, context));
	fiber->stack = stack;
	fiber->agent = agent;
	struct tern_stack usable = {.base = stack.base, .size = top};
	tern_context_make(&fiber->context, &usable, fiber_main, fiber);
	agent->extras->fiber = fiber;
	tern_store(&agent->extras->stack_bytes, (uint32_t)stack.size);
	tern_agent_add_traits(agent, TERN_AGENT_FIBER | TERN_AGENT_SHY);
	agent->handler = tern_fiber_signal;
	return 0;
}

void tern_fiber_end(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_fiber *fiber = fiber_of(agent);
	struct tern_stack stack = fiber->stack;
	finish_current(fiber);
	tern_waiter_cancel(lcore, &fiber->waiter);
	tern_iso_drop(&lcore->heap, fiber->sending);
	tern_watch_drop(lcore, &fiber->ends);
	tern_context_abandon(&fiber->context);
	agent->extras->fiber = NULL;
	tern_stacks_put(&lcore->engine->stacks, &stack);
}

/* Firings come before what waits in the mailbox; any type: TERN_TYPE_ANY. */
static struct tern_timer *find_fired(const struct tern_lcore *lcore, const struct tern_fiber *fiber,
				     int type)
{
	const struct tern_agent *agent = fiber->agent;
	if (tern_likely(!(agent->flags & TERN_AGENT_DUE)))
		return NULL;
	struct tern_timer *timer = tern_reserve_of(lcore, agent)->timers;
	while (timer && type >= 0 && timer->type != type)
		timer = timer->next;
	return timer;
}

static bool has_type(const struct tern_lcore *lcore, struct tern_fiber *fiber)
{
	return tern_mailbox_seek(&lcore->mail.cells, &fiber->agent->mailbox, &fiber->before,
				 fiber->type);
}

static bool is_over(const struct tern_lcore *lcore, struct tern_fiber *fiber)
{
	if (fiber->wait == TERN_FIBER_RUN || fiber->timed_out || fiber->cancelled)
		return true;
	switch (fiber->wait) {
	case TERN_FIBER_RUN:
		return true;
	case TERN_FIBER_SIGNAL:
		return fiber->agent->mailbox.queued || find_fired(lcore, fiber, -1);
	case TERN_FIBER_TYPE:
		return find_fired(lcore, fiber, fiber->type) || has_type(lcore, fiber);
	case TERN_FIBER_ENDED:
		return tern_ends_find(&fiber->ends, fiber->peer);
	case TERN_FIBER_FD:
		return fiber->fd_ready;
	default:
		return false; /* time and the receiver make it run */
	}
}

bool tern_fiber_is_ready(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return is_over(lcore, fiber_of(agent));
}

/* What came back while it was paused is told on the scheduler's stack. */
static void tell_returned(struct tern_lcore *lcore, struct tern_agent *agent)
{
	const struct tern_signal *front;
	struct tern_signal signal;
	while (agent->status == TERN_READY &&
	       (front = tern_mailbox_front(&lcore->mail.cells, &agent->mailbox)) != NULL &&
	       front->kind & TERN_KIND_RETURNED) {
		tern_inbox_take(lcore, agent, &signal);
		tern_life_handle(lcore, agent, &signal);
	}
}

/* The thread's timer is made when the first preemptible fiber runs on it. */
static bool may_preempt(struct tern_lcore *lcore)
{
	const struct tern_engine *engine = lcore->engine;
	if (lcore->guard.preempts_not)
		return false;
	if (!lcore->guard.preempts) {
		int code = tern_preempt_thread_init(&lcore->guard.preempt, lcore->clock,
						    engine->config.preempt_tick_us * 1000ull);
		if (code != 0) {
			tern_log_write(&engine->log, TERN_LOG_WARN, "fibers are not preempted",
				       "lcore=%u error=\"%s\"", lcore->index, strerror(-code));
			lcore->guard.preempts_not = true;
			return false;
		}
		lcore->guard.preempts = true;
	}
	tern_preempt_use(&lcore->guard.preempt);
	tern_preempt_start(&lcore->guard.preempt);
	return true;
}

static void enter_fiber(struct tern_lcore *lcore, struct tern_fiber *fiber)
{
	struct tern_agent *agent = fiber->agent;
	if (tern_lcore_is_gone(lcore))
		return;
	tern_store(&lcore->turn.running, tern_address_slot(agent->address));
	lcore->hand.fiber = fiber;
	lcore->guard.scope->context = &fiber->context;
	if (fiber->preemptible && may_preempt(lcore))
		tern_preempt_enter(&lcore->guard.preempt, &fiber->context, &lcore->engine->texts);
	else
		tern_context_enter(&fiber->context);
	lcore->guard.scope->context = NULL;
	lcore->hand.fiber = NULL;
	settle_signal(fiber);
	/* One that was suspended used up its slice, one that left took some time at least. */
	if (fiber->context.preempted)
		tern_lcore_check_slice(lcore);
	else
		tern_lcore_check(lcore);
}

unsigned tern_fiber_run(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	struct tern_fiber *fiber = fiber_of(agent);
	if (agent->mailbox.queued)
		tell_returned(lcore, agent);
	if (agent->status != TERN_READY || !is_over(lcore, fiber))
		return 0;
	fiber->wait = TERN_FIBER_RUN;
	fiber->left = budget;
	fiber->handled = 0;
	enter_fiber(lcore, fiber);
	if (fiber->context.finished) {
		bool finishing = agent->flags & TERN_AGENT_FINISHING;
		tern_life_ask_end(lcore, agent, finishing ? TERN_END_STOPPED : TERN_END_EXIT,
				  fiber->result);
	}
	return fiber->handled;
}

void tern_fiber_signal(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	(void)self;
	(void)state;
	(void)signal;
}

struct tern_fiber *tern_fiber_current(const struct tern_agent *self)
{
	struct tern_fiber *fiber = self->lcore->hand.fiber;
	return fiber && fiber->agent == self ? fiber : NULL;
}

void tern_fiber_timeout(struct tern_lcore *lcore, struct tern_agent *agent)
{
	fiber_of(agent)->timed_out = true;
	tern_ready_wake(lcore, agent);
}

static int why_over(struct tern_fiber *fiber)
{
	bool timed_out = fiber->timed_out;
	fiber->timed_out = false;
	if (fiber->timer.armed)
		tern_timer_unlink(&fiber->timer);
	return fiber->cancelled ? -ECANCELED : timed_out ? -ETIMEDOUT : 0;
}

/* Nothing of the lcore is kept across the switch: the fiber may come back on another. */
static void leave_fiber(struct tern_fiber *fiber)
{
	tern_context_leave(&fiber->context);
}

int tern_fiber_wait_for(struct tern_fiber *fiber, enum tern_fiber_wait wait, uint64_t timeout_ns)
{
	if (timeout_ns == 0 && !fiber->cancelled)
		return -ETIMEDOUT;
	/* Also where the answer is known, the fiber leaves: one that ignores it can be ended. */
	fiber->wait = wait;
	if (timeout_ns != TERN_FOREVER)
		tern_timer_arm(fiber->agent, &fiber->timer, timeout_ns, 0, TERN_CONTROL_WAKE);
	leave_fiber(fiber);
	return why_over(fiber);
}

int tern_fiber_wait_receiver(struct tern_fiber *fiber, tern_address to, uint64_t deadline_ns,
			     bool in_lane)
{
	struct tern_lcore *lcore = fiber->agent->lcore;
	uint64_t now = tern_clock_ns(lcore->clock);
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	fiber->waiter = (struct tern_waiter){
		.agent = fiber->agent, .to = to, .in_lane = in_lane, .is_fiber = true};
	tern_waiter_add(lcore, &fiber->waiter);
	uint64_t left = deadline_ns == TERN_FOREVER ? TERN_FOREVER : deadline_ns - now;
	int code = tern_fiber_wait_for(fiber, TERN_FIBER_RECEIVER, left);
	tern_waiter_cancel(fiber->agent->lcore, &fiber->waiter);
	return code;
}

/* Take a waiting signal, of the fiber's type or any, within the budget of this run. */
static bool take_signal(struct tern_fiber *fiber, bool any)
{
	struct tern_agent *agent = fiber->agent;
	struct tern_lcore *lcore = agent->lcore;
	struct tern_timer *fired = find_fired(lcore, fiber, any ? -1 : fiber->type);
	if (tern_unlikely(fired != NULL))
		tern_timer_take(lcore, fired, &fiber->current);
	else if (!agent->mailbox.queued || (!any && !has_type(lcore, fiber)))
		return false;
	else
		tern_inbox_take_after(lcore, agent, any ? TERN_CELL_NONE : fiber->before,
				      &fiber->current);
	fiber->holds = fiber->unsettled = true;
	fiber->left--;
	tern_count(&agent->signals_in, 1);
	if (tern_unlikely(fiber->current.kind & TERN_KIND_TRACED))
		fiber->traced_at = tern_trace_begin(lcore, agent, &fiber->current);
	return true;
}

static bool must_yield(const struct tern_fiber *fiber)
{
	const struct tern_agent *agent = fiber->agent;
	const struct tern_signal *front =
		tern_mailbox_front(&agent->lcore->mail.cells, &agent->mailbox);
	bool late = fiber->left == 0 || agent->lcore->turn.hold & TERN_HOLD_LATE;
	bool waits = front || agent->flags & TERN_AGENT_DUE;
	return agent->status != TERN_READY || tern_lcore_is_gone(agent->lcore) || (waits && late) ||
	       (front && front->kind & TERN_KIND_RETURNED);
}

static struct tern_signal *receive_signal(struct tern_agent *self, int type, uint64_t timeout_ns)
{
	struct tern_fiber *fiber = tern_fiber_current(self);
	int code = -EDEADLK;
	if (fiber) {
		finish_current(fiber);
		fiber->type = (uint16_t)type;
		fiber->before = TERN_CELL_NONE;
		code = 0;
	}
	while (code == 0) {
		if (must_yield(fiber)) {
			fiber->wait = TERN_FIBER_RUN;
			leave_fiber(fiber);
		} else if (take_signal(fiber, type < 0)) {
			return &fiber->current;
		} else {
			code = tern_fiber_wait_for(
				fiber, type < 0 ? TERN_FIBER_SIGNAL : TERN_FIBER_TYPE, timeout_ns);
			/* What came in the same turn as the end of the time still counts. */
			if (code == -ETIMEDOUT && timeout_ns && take_signal(fiber, type < 0))
				return &fiber->current;
		}
	}
	tern_errno = -code;
	return NULL;
}

struct tern_signal *tern_recv(struct tern_agent *self, uint64_t timeout_ns)
{
	return receive_signal(self, -1, timeout_ns);
}

struct tern_signal *tern_recv_type(struct tern_agent *self, uint16_t type, uint64_t timeout_ns)
{
	return receive_signal(self, type, timeout_ns);
}

int tern_sleep(struct tern_agent *self, uint64_t ns)
{
	struct tern_fiber *fiber = tern_fiber_current(self);
	if (!fiber)
		return -EDEADLK;
	int code = tern_fiber_wait_for(fiber, TERN_FIBER_TIME, ns);
	return code == -ETIMEDOUT ? 0 : code;
}

int tern_yield(struct tern_agent *self)
{
	struct tern_fiber *fiber = tern_fiber_current(self);
	if (!fiber)
		return -EDEADLK;
	fiber->wait = TERN_FIBER_RUN;
	leave_fiber(fiber);
	return 0;
}

void tern_fiber_leave_for_good(struct tern_fiber *fiber)
{
	for (;;)
		leave_fiber(fiber);
}

static int look_at(int fd, uint32_t events, uint32_t *ready)
{
	struct pollfd look = {.fd = fd, .events = (short)events};
	int count = poll(&look, 1, 0);
	if (count <= 0)
		return count < 0 ? -errno : -ETIMEDOUT;
	if (look.revents & POLLNVAL)
		return -EBADF;
	if (ready)
		*ready = (uint32_t)look.revents;
	return 0;
}

int tern_wait_fd(struct tern_agent *self, int fd, uint32_t events, uint64_t timeout_ns,
		 uint32_t *ready)
{
	struct tern_fiber *fiber = tern_fiber_current(self);
	uint32_t ticket;
	if (!fiber)
		return -EDEADLK;
	if (timeout_ns == 0)
		return look_at(fd, events, ready);
	fiber->fd_ready = 0;
	int code = tern_fds_wait(self, fd, events, 0, &ticket);
	if (code != 0)
		return code;
	code = tern_fiber_wait_for(fiber, TERN_FIBER_FD, timeout_ns);
	tern_fds_cancel(self->lcore, self, ticket);
	if (fiber->fd_ready == 0)
		return code;
	if (ready)
		*ready = fiber->fd_ready;
	return 0;
}
