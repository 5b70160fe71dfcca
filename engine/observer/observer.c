/* SPDX-License-Identifier: Apache-2.0 */
#include "observer.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/agent/fds.h"
#include "engine/agent/life.h"
#include "engine/schedule/profile.h"
#include "rebalance.h"

#define NS_PER_MS 1000000ull

/* What was seen of an lcore: the same agent at the same signal means that it has not returned. */
struct look {
	uint64_t turns; /* and all else that moves while no handler is stuck */
	uint64_t signals_in;
	uint64_t since;	  /* CPU ns of the lcore's thread at the first of equal looks */
	uint64_t stuck;	  /* CPU ns it has lasted; 0: it moves. Any thread reads */
	uint32_t running; /* slot */
	bool reported;
	uint64_t report_due; /* clock ticks: one line a second is enough */
};

struct tern_observer {
	pthread_t thread;
	bool started;
	bool polled;	      /* by one of those who poll lcores, now */
	bool ending;	      /* the stopping thread writes */
	uint64_t profile_due; /* clock ns */
	uint64_t profiled_at; /* clock ticks */
	struct look looks[];  /* by lcore */
};

static bool same_handler(const struct tern_lcore *lcore, struct look *look)
{
	uint32_t running = tern_load(&lcore->turn.running);
	struct look now = {.running = running,
			   .turns = tern_load(&lcore->stats.turns) +
				    tern_load(&lcore->stats.idle_turns) +
				    tern_load(&lcore->signals.settled),
			   .signals_in = tern_load(&lcore->agents[running].signals_in)};
	bool same = tern_load(&lcore->turn.is_on) && now.running == look->running &&
		    now.turns == look->turns && now.signals_in == look->signals_in;
	look->running = now.running;
	look->turns = now.turns;
	look->signals_in = now.signals_in;
	return same;
}

/*
 * Time that the lcore's thread really had: where others take its CPU away, an agent that does not
 * return has not run for longer because of that.
 */
static uint64_t cpu_ns(const struct tern_engine *engine, uint32_t index)
{
	clockid_t clock;
	struct timespec time = {0};
	if (pthread_getcpuclockid(engine->threads[index], &clock) == 0)
		clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t slice_ns_of(const struct tern_engine *engine, const struct tern_agent *agent)
{
	const struct tern_extras *extras = tern_load(&agent->extras);
	uint64_t own = extras ? tern_load(&extras->slice_ticks) : 0;
	return own ? tern_clock_to_ns(&engine->clock, own) : engine->config.slice_us * 1000ull;
}

static void report_overrun(struct tern_engine *engine, uint32_t index, struct look *look)
{
	struct tern_lcore_running running;
	uint64_t now = tern_clock_ticks(&engine->clock);
	look->reported = true;
	if (now < look->report_due)
		return;
	look->report_due = now + engine->clock.hz;
	if (tern_lcore_running(engine, index, &running) == 0 && running.overrun)
		tern_log_write(&engine->log, TERN_LOG_WARN, "overrun",
			       "agent=\"%s\" lcore=%u running_us=%llu", running.name, index,
			       (unsigned long long)(running.for_ns / 1000));
}

static void watch_lcores(struct tern_engine *engine)
{
	uint64_t least = engine->config.watchdog_ms * (NS_PER_MS / 2);
	for (uint32_t i = 0; i < engine->lcore_count; i++) {
		struct look *look = &engine->observer->looks[i];
		const struct tern_lcore *lcore = &engine->lcores[i];
		uint64_t now = cpu_ns(engine, i);
		if (!same_handler(lcore, look)) {
			look->since = now;
			look->reported = false;
			tern_store(&look->stuck, 0);
			continue;
		}
		uint64_t stuck = now - look->since;
		tern_store(&look->stuck, stuck);
		/* A thread that had little of the CPU between two looks is not worth a line yet. */
		if (!look->reported && stuck > least &&
		    stuck > slice_ns_of(engine, &engine->agents[look->running]))
			report_overrun(engine, i, look);
	}
}

static void profile_agents(struct tern_engine *engine)
{
	uint64_t now = tern_clock_ticks(&engine->clock);
	uint32_t slots = tern_slots_used(engine);
	float loads[TERN_LCORES_MAX] = {0};
	for (uint32_t slot = engine->system_count; slot < slots; slot++) {
		uint64_t entry = __atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE);
		if (!tern_dir_inhabited(entry))
			continue;
		tern_profile_look(engine, slot, now);
		const struct tern_lcore *lcore = tern_load(&engine->agents[slot].lcore);
		if (lcore->index < engine->lcore_count)
			loads[lcore->index] += tern_profile_next(engine, slot);
	}
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		__atomic_store(&engine->lcores[i].arrivals.load, &loads[i], __ATOMIC_RELAXED);
	if (engine->config.rebalance && tern_load(&engine->roaming))
		tern_roaming_rebalance(engine);
}

/* Returns ns until there is something to do again. */
static uint64_t observe_engine(struct tern_engine *engine)
{
	const struct tern_config *config = &engine->config;
	struct tern_observer *observer = engine->observer;
	uint64_t now = tern_clock_ns(&engine->clock), wait = UINT64_MAX;
	if (config->watchdog_ms && config->mode != TERN_MODE_POLLED) {
		watch_lcores(engine);
		wait = config->watchdog_ms * NS_PER_MS;
	}
	if (config->metrics_interval_ms && now >= observer->profile_due) {
		observer->profile_due = now + config->metrics_interval_ms * NS_PER_MS;
		profile_agents(engine);
	}
	uint64_t left = observer->profile_due - now;
	return config->metrics_interval_ms && left < wait ? left : wait;
}

static void *observer_main(void *argument)
{
	struct tern_engine *engine = argument;
	struct tern_observer *observer = engine->observer;
	while (!__atomic_load_n(&observer->ending, __ATOMIC_ACQUIRE)) {
		uint64_t ns = observe_engine(engine);
		uint64_t ms = ns / NS_PER_MS + 1;
		tern_fds_poll(engine, ms < INT32_MAX ? (int)ms : -1);
	}
	return NULL;
}

static int start_thread(struct tern_engine *engine, struct tern_error *error)
{
	struct tern_observer *observer = engine->observer;
	int code = pthread_create(&observer->thread, NULL, observer_main, engine);
	if (code != 0)
		return tern_error_set(error, -EAGAIN, "no helper thread: %s; check ulimit -u",
				      strerror(code));
	pthread_setname_np(observer->thread, "tern-observer");
	observer->started = true;
	return 0;
}

int tern_observer_start(struct tern_engine *engine, struct tern_error *error)
{
	engine->observer =
		calloc(1, sizeof(*engine->observer) + engine->lcore_count * sizeof(struct look));
	if (!engine->observer)
		return tern_error_set(error, -ENOMEM, "memory: no room for the observer");
	int code = tern_fds_init(engine);
	if (code != 0)
		return tern_error_set(error, code, "no epoll or eventfd: %s; check ulimit -n (%s)",
				      strerror(-code), "two descriptors for each engine");
	return engine->config.mode == TERN_MODE_POLLED ? 0 : start_thread(engine, error);
}

void tern_observer_stop(struct tern_engine *engine)
{
	struct tern_observer *observer = engine->observer;
	if (observer && observer->started) {
		__atomic_store_n(&observer->ending, true, __ATOMIC_RELEASE);
		tern_fds_wake(engine);
		pthread_join(observer->thread, NULL);
	}
}

void tern_observer_close(struct tern_engine *engine)
{
	tern_fds_close(engine);
}

void tern_observer_free(struct tern_engine *engine)
{
	tern_fds_fini(engine);
	free(engine->observer);
	engine->observer = NULL;
}

void tern_observer_poll(struct tern_engine *engine)
{
	struct tern_observer *observer = engine->observer;
	/* One poller at a time; the others need not wait. */
	if (observer->started || __atomic_exchange_n(&observer->polled, true, __ATOMIC_ACQUIRE))
		return;
	if (engine->config.metrics_interval_ms &&
	    tern_clock_ns(&engine->clock) >= observer->profile_due)
		observe_engine(engine);
	if (tern_fds_armed(engine))
		tern_fds_poll(engine, 0);
	__atomic_store_n(&observer->polled, false, __ATOMIC_RELEASE);
}

int tern_lcore_running(const struct tern_engine *engine, uint32_t index,
		       struct tern_lcore_running *running)
{
	if (index >= engine->lcore_count)
		return -ENODEV;
	const struct look *look = &engine->observer->looks[index];
	uint64_t stuck = tern_load(&look->stuck);
	*running = (struct tern_lcore_running){0};
	uint32_t slot = tern_load(&engine->lcores[index].turn.running);
	/* The engine's own work is nobody's overrun: its thread was not given the CPU. */
	if (!stuck || slot < engine->system_count)
		return 0;
	const struct tern_agent *agent = &engine->agents[slot];
	/* Acquire pairs with the release of the spawn: the agent's behaviour is there. */
	if (!tern_dir_inhabited(__atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE)))
		return 0;
	running->agent = tern_load(&agent->address);
	running->for_ns = stuck;
	running->overrun = stuck > slice_ns_of(engine, agent);
	tern_agent_label(agent, running->name);
	return 0;
}
