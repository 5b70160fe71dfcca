/* SPDX-License-Identifier: Apache-2.0 */

/* Attached threads: lcore objects that the thread itself polls, with one agent each. */
#include <errno.h>
#include <time.h>

#include "engine.h"
#include "poller.h"
#include "routing.h"
#include "watch.h"

#define BREATH_NS 20000
/* Looks in vain before a waiting thread sleeps: some 50 us, in which most lanes find room. */
#define PASS_SPINS 1000u

uintptr_t tern_thread_mark(void)
{
	static _Thread_local char mark;
	return (uintptr_t)&mark;
}

static struct tern_lcore *claim_place(struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->config.max_threads; i++) {
		uint32_t free = 0;
		/* Acquire pairs with the release of a detach: the place comes as it was left. */
		if (__atomic_compare_exchange_n(&engine->attached[i], &free, 1, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return &engine->lcores[engine->lcore_count + i];
	}
	return NULL;
}

struct tern_agent *tern_thread_attach(struct tern_engine *engine,
				      const struct tern_behaviour *behaviour, void *state)
{
	if (tern_engine_state(engine) != TERN_ENGINE_RUNNING) {
		tern_errno = ESHUTDOWN;
		return NULL;
	}
	struct tern_lcore *lcore = claim_place(engine);
	if (!lcore) {
		tern_errno = EAGAIN;
		return NULL;
	}
	struct tern_agent *agent = &engine->agents[lcore->index];
	lcore->behaviour = behaviour;
	lcore->refused_why = 0;
	if (behaviour)
		tern_store(&agent->behaviour, behaviour);
	agent->state = state;
	tern_store(&agent->signals_in, 0);
	tern_store(&agent->signals_out, 0);
	tern_store(&lcore->turn_ticks, tern_clock_ticks(lcore->clock));
	lcore->turn_stamp = (uint32_t)(lcore->turn_ticks >> 4);
	__atomic_store_n(&engine->directory[lcore->index],
			 tern_dir_make(tern_address_generation(agent->address), 2 * lcore->index),
			 __ATOMIC_RELEASE);
	return agent;
}

unsigned tern_thread_poll(struct tern_agent *self)
{
	/* Not from its own handler: no agent is entered twice. */
	return self->lcore->in_turn ? 0 : tern_lcore_turn(self->lcore);
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
	uint32_t generation = tern_address_generation(self->address) % TERN_ADDRESS_GENERATION_MASK;
	while (self->timers)
		tern_timer_unlink(self->timers);
	tern_routing_forget(self);
	lcore->behaviour = NULL;
	tern_store(&self->behaviour, engine->agents[0].behaviour); /* the lcores' own */
	self->state = NULL;
	tern_store(&self->address, tern_address_make(0, lcore->index, generation + 1));
	tern_store(&engine->directory[lcore->index],
		   tern_dir_make(generation + 1, 2 * lcore->index) | TERN_DIR_VACANT);
	/* Under the next address: what was sent to this one goes back. */
	while (tern_lcore_turn(lcore))
		;
	tern_watch_drop(lcore, &lcore->ends);
	__atomic_store_n(&engine->attached[lcore->index - engine->lcore_count], 0,
			 __ATOMIC_RELEASE);
}
