/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/agent/fds.h"
#include "engine/agent/finish.h"
#include "engine/agent/life.h"
#include "engine/agent/watch.h"
#include "engine/fiber/fiber.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/room.h"
#include "engine/mail/ask.h"
#include "engine/mail/event.h"
#include "engine/schedule/ready.h"
#include "thread.h"

tern_address tern_self(const struct tern_agent *self)
{
	return self->address;
}

void *tern_state(const struct tern_agent *self)
{
	return self->state;
}

struct tern_heap *tern_heap(struct tern_agent *self)
{
	return &self->lcore->heap;
}

struct tern_engine *tern_engine_of(const struct tern_agent *self)
{
	return self->lcore->engine;
}

uint32_t tern_lcore_index(const struct tern_agent *self)
{
	return self->lcore->index;
}

uint64_t tern_now(const struct tern_agent *self)
{
	return tern_clock_ns(self->lcore->clock);
}

uint64_t tern_turn_time(const struct tern_agent *self)
{
	const struct tern_clock *clock = self->lcore->clock;
	return tern_clock_to_ns(clock, self->lcore->turn.ticks - clock->base);
}

/* A stamp may be read a little before the clock says so: neither reading waits for the other. */
#define STAMPS_AHEAD 0x10000u

/* Stamps since a signal's own; below 0 where its sender read the clock after this lcore did. */
static int64_t stamps_since(uint64_t ticks, const struct tern_signal *signal)
{
	uint32_t stamps = (uint32_t)(ticks >> 4) - signal->stamp;
	return (int64_t)stamps - (stamps > UINT32_MAX - STAMPS_AHEAD ? INT64_C(1) << 32 : 0);
}

uint64_t tern_signal_age(const struct tern_agent *self, const struct tern_signal *signal)
{
	const struct tern_clock *clock = self->lcore->clock;
	int64_t stamps = stamps_since(tern_clock_ticks(clock), signal);
	return stamps > 0 ? tern_clock_to_ns(clock, (uint64_t)stamps << 4) : 0;
}

uint64_t tern_signal_time(const struct tern_agent *self, const struct tern_signal *signal)
{
	const struct tern_clock *clock = self->lcore->clock;
	uint64_t now = tern_clock_ticks(clock);
	uint64_t sent = ((now >> 4) - (uint64_t)stamps_since(now, signal)) << 4;
	/* The clock may have begun within the first stamp. */
	return sent > clock->base ? tern_clock_to_ns(clock, sent - clock->base) : 0;
}

/* A fiber does not go on; a handler does until it returns. */
static void end_self(struct tern_agent *self, enum tern_end why, int64_t result)
{
	struct tern_fiber *fiber = tern_fiber_current(self);
	tern_life_ask_end(self->lcore, self, why, result);
	if (fiber)
		tern_fiber_leave_for_good(fiber);
}

void tern_exit(struct tern_agent *self, int64_t result)
{
	/* A thread ends its agent by detaching. */
	if (tern_address_slot(self->address) >= self->lcore->engine->system_count)
		end_self(self, TERN_END_EXIT, result);
}

void tern_charge(struct tern_agent *self, uint64_t cost_ns)
{
	struct tern_lcore *lcore = self->lcore;
	uint64_t ns = cost_ns < TERN_CHARGE_NS_MAX ? cost_ns : TERN_CHARGE_NS_MAX;
	tern_ready_charge(lcore, self, tern_clock_from_ns(lcore->clock, ns));
}

bool tern_agent_alive(const struct tern_agent *self, tern_address agent)
{
	uint32_t slot = tern_address_slot(agent);
	return tern_lcore_place(self->lcore, agent) < self->lcore->slots &&
	       tern_dir_inhabited(tern_dir_load(self->lcore, slot)) &&
	       tern_dir_alive(tern_dir_load(self->lcore, slot), agent);
}

static bool is_agent(const struct tern_agent *self, tern_address agent)
{
	return tern_agent_alive(self, agent) && !tern_engine_is_foreign(self->lcore->engine) &&
	       tern_address_slot(agent) >= self->lcore->engine->system_count;
}

static int ask_agent(struct tern_agent *self, tern_address agent, uint32_t what)
{
	if (!is_agent(self, agent))
		return -ESRCH;
	return tern_ask(self->lcore, agent, what) ? 0 : -ESRCH;
}

int tern_agent_stop(struct tern_agent *self, tern_address agent)
{
	return ask_agent(self, agent, TERN_ASK_STOP);
}

int tern_agent_pause(struct tern_agent *self, tern_address agent)
{
	return ask_agent(self, agent, TERN_ASK_PAUSE);
}

int tern_agent_resume(struct tern_agent *self, tern_address agent)
{
	return ask_agent(self, agent, TERN_ASK_RESUME);
}

int tern_agent_finish(struct tern_agent *self, tern_address agent, uint64_t timeout_ns)
{
	struct tern_lcore *lcore = self->lcore;
	if (!is_agent(self, agent))
		return -ESRCH;
	uint64_t now = tern_clock_ticks(lcore->clock);
	uint64_t span = tern_clock_from_ns(lcore->clock, timeout_ns);
	uint64_t by = span < UINT64_MAX - now ? now + span : UINT64_MAX;
	return tern_finish_ask(lcore, agent, by) ? 0 : -ESRCH;
}

void tern_fail(struct tern_agent *self, int code, const char *format, ...)
{
	struct tern_error error;
	va_list args;
	if (tern_address_slot(self->address) < self->lcore->engine->system_count)
		return;
	va_start(args, format);
	tern_error_vset(&error, code, format, args);
	va_end(args);
	struct tern_fiber *fiber = tern_fiber_current(self);
	/* on_error must not wait, on whichever stack. */
	self->lcore->hand.fiber = NULL;
	if (self->status < TERN_ENDING)
		tern_life_fail(self->lcore, self, code, &error);
	if (fiber)
		tern_fiber_leave_for_good(fiber);
}

static enum tern_agent_state state_of(const struct tern_agent *agent, uint64_t entry)
{
	static const enum tern_agent_state states[] = {
		[TERN_IDLE] = TERN_STATE_IDLE,	   [TERN_REST] = TERN_STATE_IDLE,
		[TERN_READY] = TERN_STATE_READY,   [TERN_NEW] = TERN_STATE_NEW,
		[TERN_PAUSED] = TERN_STATE_PAUSED, [TERN_ENDING] = TERN_STATE_ENDING,
		[TERN_DEAD] = TERN_STATE_ENDING};
	const struct tern_lcore *lcore = tern_load(&agent->lcore);
	enum tern_agent_state state = states[tern_load(&agent->status)];
	if (state == TERN_STATE_ENDING || state == TERN_STATE_PAUSED)
		return state;
	const struct tern_room *room =
		tern_load(&lcore->engine->rooms[tern_address_slot(tern_load(&agent->address))]);
	if (state == TERN_STATE_IDLE && room && tern_load(&room->ring.state) != TERN_MAIL_RING_IDLE)
		state = TERN_STATE_READY;
	if (tern_load(&lcore->turn.is_on) &&
	    tern_load(&lcore->turn.running) == tern_address_slot(tern_load(&agent->address)))
		return TERN_STATE_RUNNING;
	return entry & TERN_DIR_CLOSED ? TERN_STATE_FINISHING : state;
}

int tern_agent_state(const struct tern_agent *self, tern_address agent,
		     enum tern_agent_state *state)
{
	if (!tern_agent_alive(self, agent))
		return -ESRCH;
	const struct tern_lcore *lcore = self->lcore;
	uint32_t slot = tern_address_slot(agent);
	enum tern_agent_state found = state_of(&lcore->agents[slot], tern_dir_load(lcore, slot));
	/* It may have ended and been replaced while we read. */
	if (!tern_agent_alive(self, agent))
		return -ESRCH;
	*state = found;
	return 0;
}

int tern_watch_fd(struct tern_agent *self, int fd, uint32_t events, uint16_t type)
{
	uint32_t ticket;
	bool own = tern_address_slot(self->address) >= self->lcore->engine->system_count;
	return own && type <= TERN_TYPE_MAX ? tern_fds_wait(self, fd, events, type, &ticket)
					    : -EINVAL;
}

int tern_watch(struct tern_agent *self, tern_address agent)
{
	return is_agent(self, agent) ? tern_watch_for(self->lcore, self->address, agent) : -ESRCH;
}

static int fiber_join(struct tern_fiber *fiber, tern_address agent, uint64_t timeout_ns,
		      struct tern_ended *ended)
{
	fiber->peer = agent;
	if (tern_watch_take(fiber->agent->lcore, &fiber->ends, agent, ended))
		return 0;
	int code = tern_fiber_wait_for(fiber, TERN_FIBER_ENDED, timeout_ns);
	return tern_watch_take(fiber->agent->lcore, &fiber->ends, agent, ended) ? 0 : code;
}

int tern_wait(struct tern_agent *self, tern_address agent, uint64_t timeout_ns,
	      struct tern_ended *ended)
{
	struct tern_lcore *lcore = self->lcore;
	struct tern_fiber *fiber = tern_fiber_current(self);
	if (fiber)
		return fiber_join(fiber, agent, timeout_ns, ended);
	if (!lcore->is_thread || lcore->turn.is_on)
		return -EDEADLK;
	uint64_t deadline = tern_clock_deadline(lcore->clock, timeout_ns);
	struct tern_patience patience = {0};
	tern_thread_poll(self);
	while (!tern_watch_take(lcore, &lcore->attached.ends, agent, ended)) {
		if (tern_engine_is_foreign(lcore->engine))
			return -ECHILD;
		if (tern_now(self) >= deadline)
			return -ETIMEDOUT;
		tern_thread_pass(self, &patience);
	}
	return 0;
}
