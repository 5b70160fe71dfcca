/* SPDX-License-Identifier: Apache-2.0 */

/* The thread of an lcore: turns, sleep when there is nothing to do, and the end. */
#include <rte_pause.h>
#include <sys/prctl.h>
#include <time.h>

#include "engine.h"
#include "life.h"
#include "poller.h"
#include "recover.h"

static void sleep_ns(struct tern_lcore *lcore, uint64_t ns)
{
	struct timespec span = {.tv_nsec = (long)ns};
	uint64_t before = tern_clock_ns(lcore->clock);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
	uint64_t took = tern_clock_ns(lcore->clock) - before;
	tern_count(&lcore->stats.sleeps, 1);
	tern_count(&lcore->oversleep_ns, took > ns ? took - ns : 0);
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
	uint64_t now = lcore->turn_ticks;
	uint64_t due_ns = due > now ? tern_clock_to_ns(lcore->clock, due - now) : 0;
	uint64_t doublings = (idle - TERN_IDLE_SPINS) / TERN_IDLE_SLEEPS_EACH;
	uint64_t ns_max = config->idle_sleep_us_max * 1000ull;
	uint64_t ns = doublings < 10 ? 1000ull << doublings : ns_max;
	ns = ns < ns_max ? ns : ns_max;
	if (due_ns >= TERN_IDLE_SLEEP_NS_MIN)
		sleep_ns(lcore, ns < due_ns ? ns : due_ns);
}

static void run(struct tern_lcore *lcore)
{
	uint64_t idle = 0;
	while (tern_engine_state(lcore->engine) != TERN_ENGINE_ENDING) {
		if (tern_lcore_turn(lcore))
			idle = 0;
		else
			lcore_idle(lcore, ++idle);
	}
	tern_lcore_end_agents(lcore);
}

void *tern_lcore_main(void *argument)
{
	struct tern_lcore *lcore = argument;
	tern_store(&lcore->polled_by, tern_thread_mark());
	/* The default lets the kernel add 50 us to each sleep. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	tern_recover_enter(lcore);
	if (TERN_FAULT_POINT(lcore->scope)) {
		tern_fault_arm(lcore->scope, &lcore->engine->texts, NULL, NULL);
		tern_recover_from(lcore);
	}
	tern_fault_arm(lcore->scope, &lcore->engine->texts, NULL, NULL);
	run(lcore);
	tern_recover_leave(lcore);
	return NULL;
}

/* A roaming agent may be in any lcore's hands until all threads are gone. */
static bool lives_here(const struct tern_lcore *lcore, const struct tern_agent *agent,
		       uint64_t entry)
{
	if (tern_dir_route(entry) != lcore->roam_route)
		return tern_dir_route(entry) >> 1 == lcore->index;
	return tern_load(&lcore->engine->joined) && agent->lcore == lcore;
}

void tern_lcore_end_agents(struct tern_lcore *lcore)
{
	uint32_t slots = tern_slots_used(lcore->engine);
	while (tern_ready_pop(lcore))
		;
	for (uint32_t i = lcore->engine->system_count; i < slots; i++) {
		struct tern_agent *agent = &lcore->agents[i];
		uint64_t entry = __atomic_load_n(&lcore->directory[i], __ATOMIC_ACQUIRE);
		if (!tern_dir_inhabited(entry) || !lives_here(lcore, agent, entry))
			continue;
		if (agent->status != TERN_ENDING)
			tern_life_ask_end(lcore, agent, TERN_END_SHUTDOWN, 0);
		tern_life_end(lcore, agent);
	}
}
