/* SPDX-License-Identifier: Apache-2.0 */

/* The thread of an lcore: turns, sleep when there is nothing to do, and the end. */
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_pause.h>

#include "end.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/poller.h"
#include "engine/node/node.h"
#include "engine/schedule/ready.h"
#include "lcore_turn.h"
#include "recover.h"

/* Between two looks whether all lcores have come to their end. */
#define CLOSING_NAP_NS 20000

static void sleep_ns(struct tern_lcore *lcore, uint64_t ns)
{
	struct timespec span = {.tv_nsec = (long)ns};
	uint64_t before = tern_clock_ns(lcore->clock);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
	uint64_t took = tern_clock_ns(lcore->clock) - before;
	tern_count(&lcore->stats.sleeps, 1);
	tern_count(&lcore->loop.oversleep_ns, took > ns ? took - ns : 0);
}

/*
 * Nothing to do, `idle` turns running. Sleeping needs no wake-up from senders, so that sending
 * stays free of system calls: it doubles up to idle_sleep_us_max, which bounds the delay, and
 * never goes past the next timer.
 */
static void lcore_idle(struct tern_lcore *lcore, uint64_t idle)
{
	const struct tern_config *config = &lcore->engine->config;
	if (config->idle == TERN_IDLE_SPIN)
		return;
	rte_pause();
	if (config->idle == TERN_IDLE_PAUSE || idle < TERN_IDLE_SPINS)
		return;
	uint64_t due = tern_wheel_next(&lcore->wheel), eligible = tern_ready_due(lcore);
	due = due < eligible ? due : eligible;
	if (lcore->net)
		due = due < lcore->net->due_ticks ? due : lcore->net->due_ticks;
	uint64_t now = lcore->turn.ticks;
	uint64_t due_ns = due > now ? tern_clock_to_ns(lcore->clock, due - now) : 0;
	uint64_t doublings = (idle - TERN_IDLE_SPINS) / TERN_IDLE_SLEEPS_EACH;
	uint64_t ns_max = config->idle_sleep_us_max * 1000ull;
	uint64_t ns = doublings < 10 ? 1000ull << doublings : ns_max;
	ns = ns < ns_max ? ns : ns_max;
	if (due_ns >= TERN_IDLE_SLEEP_NS_MIN)
		sleep_ns(lcore, ns < due_ns ? ns : due_ns);
}

/* Only down: who stops the engine may have given this lcore up meanwhile. */
static void close_lcore(struct tern_lcore *lcore)
{
	uint32_t phase = TERN_PHASE_TURNS;
	__atomic_compare_exchange_n(&lcore->loop.phase, &phase, TERN_PHASE_CLOSED, false,
				    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Acquire pairs with the release of stop.c: no lcore has an agent in hand that roams. */
static bool waits_for_others(const struct tern_lcore *lcore)
{
	return !__atomic_load_n(&lcore->engine->closed, __ATOMIC_ACQUIRE) &&
	       !tern_lcore_is_gone(lcore);
}

/*
 * Pinned agents end first. Those that roam may be in any lcore's hands until all have come so far;
 * then come, too, the agents that were made here while this lcore was on its way out.
 */
static void end_in_order(struct tern_lcore *lcore)
{
	tern_lcore_end_agents(lcore);
	close_lcore(lcore);
	while (waits_for_others(lcore))
		nanosleep(&(struct timespec){.tv_nsec = CLOSING_NAP_NS}, NULL);
	tern_lcore_end_agents(lcore);
}

static void run_lcore(struct tern_lcore *lcore)
{
	uint64_t idle = 0;
	uint32_t state;
	while ((state = tern_engine_state(lcore->engine)) == TERN_ENGINE_RUNNING ||
	       state == TERN_ENGINE_DRAINING) {
		if (tern_lcore_turn(lcore))
			idle = 0;
		else
			lcore_idle(lcore, ++idle);
	}
	/*
	 * A child that a handler forked and did not end there: there is nobody to go back to, and
	 * what stdio holds is the parent's to write.
	 */
	if (state == TERN_ENGINE_FOREIGN)
		_exit(0);
	end_in_order(lcore);
}

static _Thread_local struct tern_lcore *thread_lcore;

struct tern_lcore *tern_lcore_enter(struct tern_lcore *lcore)
{
	struct tern_lcore *before = thread_lcore;
	thread_lcore = lcore;
	return before;
}

/*
 * In a child that a function of an agent has forked: what lies in lanes and mailboxes is the
 * parent's to handle. Only the thread that forked is here, so that nobody else looks on.
 */
static void on_fork(void)
{
	if (!thread_lcore)
		return;
	tern_store(&thread_lcore->turn.gone, true);
	thread_lcore->turn.hold |= TERN_HOLD_GONE;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, on_fork);
}

void tern_lcore_watch_forks(void)
{
	static pthread_once_t forks_watched = PTHREAD_ONCE_INIT;
	pthread_once(&forks_watched, watch_forks);
}

void tern_lcore_main(struct tern_lcore *lcore)
{
	tern_lcore_enter(lcore);
	tern_store(&lcore->loop.polled_by, tern_thread_mark());
	/* The default lets the kernel add 50 us to each sleep. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	if (lcore->net)
		tern_node_enter(lcore->net);
	tern_recover_enter(lcore);
	if (TERN_FAULT_POINT(lcore->guard.scope)) {
		tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
		tern_recover_from(lcore);
	}
	tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
	run_lcore(lcore);
	tern_recover_leave(lcore);
	if (lcore->net)
		tern_node_leave(lcore->net);
}
