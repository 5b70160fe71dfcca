/* SPDX-License-Identifier: Apache-2.0 */

/* Attached threads: lcore objects that the thread itself polls, with one agent each. */
#include "thread.h"

#include <errno.h>
#include <time.h>

#include "engine/agent/routing.h"
#include "engine/agent/timer.h"
#include "engine/agent/watch.h"
#include "engine/fiber/waiter.h"
#include "engine/lcore/poller.h"
#include "engine/mail/event.h"
#include "engine/mail/outbox.h"
#include "engine/turn/lcore_turn.h"
#include "engine/turn/places.h"

#define BREATH_NS 20000
/* Looks in vain before a waiting thread sleeps: some 50 us, in which most lanes are emptied. */
#define PASS_SPINS 1000u
/* Of a place that has had all generations: none of them may come to life again. */
#define GENERATION_NONE 0u

static bool is_used_up(const struct tern_engine *engine, uint32_t place)
{
	const struct tern_agent *agent = &engine->agents[engine->lcore_count + place];
	return tern_address_generation(tern_load(&agent->address)) == GENERATION_NONE;
}

/* One that is free, else one that is being left: who comes then goes on with what is there. */
static bool take_place(struct tern_engine *engine, uint32_t place)
{
	return tern_place_change(engine, place, TERN_PLACE_FREE, TERN_PLACE_TAKEN) ||
	       (tern_load(&engine->leaving) &&
		tern_place_change(engine, place, TERN_PLACE_LEAVING, TERN_PLACE_TAKEN));
}

static int claim_place(struct tern_engine *engine, struct tern_lcore **lcore)
{
	int code = ENOSPC;
	for (uint32_t i = 0; i < engine->config.max_threads; i++) {
		if (is_used_up(engine, i))
			continue;
		code = EAGAIN;
		if (!take_place(engine, i))
			continue;
		if (!is_used_up(engine, i)) {
			*lcore = &engine->lcores[engine->lcore_count + i];
			return 0;
		}
		__atomic_store_n(&engine->attached[i], TERN_PLACE_FREE, __ATOMIC_RELEASE);
	}
	return code;
}

/* The rule of a spawn, for who cannot be a fiber. */
static bool is_for_threads(const struct tern_behaviour *behaviour)
{
	return !behaviour || (behaviour->handler && !behaviour->fiber);
}

static int may_attach(const struct tern_engine *engine)
{
	if (tern_engine_is_foreign(engine))
		return ECHILD;
	return tern_engine_state(engine) == TERN_ENGINE_RUNNING ? 0 : ESHUTDOWN;
}

/* Who stops the engine may be polling the place, for a turn. */
static void take_over(struct tern_lcore *lcore)
{
	while (!tern_poll_begin(&lcore->loop.polled_by))
		rte_pause();
}

static void set_place(struct tern_engine *engine, const struct tern_lcore *lcore,
		      enum tern_thread_place place)
{
	__atomic_store_n(&engine->attached[lcore->index - engine->lcore_count], (uint32_t)place,
			 __ATOMIC_RELEASE);
}

static void leave_place(struct tern_engine *engine, struct tern_lcore *lcore)
{
	tern_poll_end(&lcore->loop.polled_by);
	set_place(engine, lcore, TERN_PLACE_FREE);
}

/*
 * What came back to others by way of the thread, and blocks of theirs, may find no place in a lane:
 * the thread does not wait for that. Lcores go on with it in their turns, or the next thread in its
 * polls.
 */
static void leave_rest(struct tern_engine *engine, struct tern_lcore *lcore)
{
	__atomic_fetch_add(&engine->leaving, 1, __ATOMIC_RELAXED);
	set_place(engine, lcore, TERN_PLACE_LEAVING);
	tern_poll_end(&lcore->loop.polled_by);
}

static int settle_in(struct tern_engine *engine, struct tern_lcore *lcore,
		     const struct tern_behaviour *behaviour, void *state)
{
	struct tern_agent *agent = &engine->agents[lcore->index];
	take_over(lcore);
	/* Again: a stop may have begun to poll the place before it was this thread's. */
	int code = may_attach(engine);
	if (code != 0) {
		leave_place(engine, lcore);
		return code;
	}
	lcore->attached.behaviour = behaviour;
	lcore->waiters.refused_why = 0;
	if (behaviour)
		tern_store(&agent->behaviour, behaviour);
	agent->state = state;
	tern_store(&agent->signals_in, 0);
	tern_store(&agent->signals_out, 0);
	tern_store(&lcore->turn.ticks, tern_clock_ticks(lcore->clock));
	lcore->turn.stamp = (uint32_t)(lcore->turn.ticks >> 4);
	__atomic_store_n(&engine->directory[lcore->index],
			 tern_dir_make(tern_address_generation(agent->address), 2 * lcore->index),
			 __ATOMIC_RELEASE);
	tern_poll_end(&lcore->loop.polled_by);
	return 0;
}

struct tern_agent *tern_thread_attach(struct tern_engine *engine,
				      const struct tern_behaviour *behaviour, void *state)
{
	struct tern_lcore *lcore = NULL;
	int code = is_for_threads(behaviour) ? may_attach(engine) : EINVAL;
	if (code == 0)
		code = claim_place(engine, &lcore);
	if (code == 0)
		code = settle_in(engine, lcore, behaviour, state);
	if (code == 0)
		return &engine->agents[lcore->index];
	tern_errno = code;
	return NULL;
}

unsigned tern_thread_poll(struct tern_agent *self)
{
	struct tern_lcore *lcore = self->lcore;
	/* Not from its own handler: no agent is entered twice. */
	if (tern_engine_is_foreign(lcore->engine) || !tern_poll_begin(&lcore->loop.polled_by))
		return 0;
	unsigned work = tern_lcore_turn(lcore);
	tern_poll_end(&lcore->loop.polled_by);
	return work;
}

/* A sleep, because a thread that yields in a loop can keep a pinned one from its CPU. */
static void breathe(void)
{
	nanosleep(&(struct timespec){.tv_nsec = BREATH_NS}, NULL);
}

void tern_thread_pass(struct tern_agent *self, struct tern_patience *patience)
{
	struct tern_engine *engine = self->lcore->engine;
	bool idle = tern_thread_poll(self) == 0;
	if (engine->config.mode == TERN_MODE_POLLED) {
		if (!tern_engine_step(engine, &patience->busy))
			breathe();
	} else if (!idle) {
		patience->spins = 0;
	} else if (patience->spins++ < PASS_SPINS) {
		rte_pause();
	} else {
		breathe();
	}
}

void tern_thread_detach(struct tern_agent *self)
{
	struct tern_lcore *lcore = self->lcore;
	struct tern_engine *engine = lcore->engine;
	uint32_t generation = tern_address_generation(self->address);
	generation = generation < TERN_ADDRESS_GENERATION_MASK ? generation + 1 : GENERATION_NONE;
	if (tern_engine_is_foreign(engine) || tern_poll_is_own(&lcore->loop.polled_by))
		return;
	take_over(lcore);
	while (self->timers)
		tern_timer_unlink(self->timers);
	tern_waiters_forget(lcore, self);
	tern_routing_forget(self);
	lcore->attached.behaviour = NULL;
	tern_store(&self->behaviour, engine->agents[0].behaviour); /* the lcores' own */
	self->state = NULL;
	tern_store(&self->address, tern_lcore_address_of(lcore, lcore->index, generation));
	tern_store(&engine->directory[lcore->index],
		   tern_dir_make(generation, 2 * lcore->index) | TERN_DIR_VACANT);
	tern_life_return_mailbox(lcore, self);
	/* Under the next address: what was sent to this one goes back. */
	while (tern_lcore_turn(lcore))
		;
	tern_watch_drop(lcore, &lcore->attached.ends);
	tern_lcore_flush(lcore, true);
	if (tern_lcore_has_left(lcore))
		leave_rest(engine, lcore);
	else
		leave_place(engine, lcore);
}
