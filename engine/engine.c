/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "capabilities/lines.h"
#include "control.h"
#include "inspect.h"
#include "life.h"
#include "observer.h"
#include "poller.h"
#include "recover.h"
#include "roaming.h"
#include "watch.h"

#define POLLED_STEP_NS 1000u
/* Rounds in a row that found work, after which a waiting thread's virtual time goes on. */
#define BUSY_ROUNDS_MAX 1000u

static int start_thread(struct tern_engine *engine, uint32_t index, struct tern_error *error)
{
	pthread_attr_t attributes;
	cpu_set_t cpus;
	char name[32];
	CPU_ZERO(&cpus);
	CPU_SET(engine->config.lcores[index], &cpus);
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
	/* Nobody else's from here on: the thread puts its own mark there. */
	tern_store(&engine->lcores[index].polled_by, TERN_POLL_TAKEN);
	int code = pthread_create(&engine->threads[index], &attributes, tern_lcore_main,
				  &engine->lcores[index]);
	pthread_attr_destroy(&attributes);
	if (code != 0)
		return tern_error_set(error, -EAGAIN,
				      "lcore %u: no thread on CPU %u: %s; check ulimit -u and the "
				      "CPUs this process may use (taskset -p %d)",
				      index, engine->config.lcores[index], strerror(code),
				      getpid());
	snprintf(name, sizeof(name), "tern-%u", index);
	pthread_setname_np(engine->threads[index], name);
	engine->threads_started++;
	return 0;
}

static void set_state(struct tern_engine *engine, enum tern_engine_state state)
{
	__atomic_store_n(&engine->state, state, __ATOMIC_RELEASE);
}

static void join_threads(struct tern_engine *engine)
{
	set_state(engine, TERN_ENGINE_ENDING);
	tern_observer_stop(engine);
	tern_inspect_stop(engine);
	for (uint32_t i = 0; i < engine->threads_started; i++)
		pthread_join(engine->threads[i], NULL);
}

static int start_threads(struct tern_engine *engine, struct tern_error *error)
{
	if (engine->config.mode == TERN_MODE_POLLED)
		return 0;
	engine->threads = calloc(engine->lcore_count, sizeof(pthread_t));
	if (!engine->threads)
		return tern_error_set(error, -ENOMEM, "memory: no room for %u threads",
				      engine->lcore_count);
	for (uint32_t i = 0; i < engine->lcore_count; i++) {
		int code = start_thread(engine, i, error);
		if (code != 0)
			return code;
	}
	return 0;
}

static void release(struct tern_engine *engine)
{
	tern_recover_remove(engine);
	tern_observer_free(engine);
	tern_inspect_free(engine);
	tern_stacks_fini(&engine->stacks);
	tern_layout_unmap(engine);
	free(engine->threads);
	free(engine);
}

static void log_start(const struct tern_engine *engine)
{
	const struct tern_config *config = &engine->config;
	bool worse = engine->arena.page_bytes == TERN_PAGE_4K && config->pages <= TERN_PAGES_2M;
	tern_log_write(&engine->log, worse ? TERN_LOG_INFO : TERN_LOG_DEBUG, "engine started",
		       "lcores=%u memory_mib=%zu page_kib=%zu transparent=%d hz=%llu",
		       engine->lcore_count, engine->arena.size >> 20,
		       engine->arena.page_bytes >> 10, engine->arena.transparent,
		       (unsigned long long)engine->clock.hz);
}

/* Readers see a range complete, or not yet: the count is written last. */
int tern_engine_add_text(struct tern_engine *engine, struct tern_text own)
{
	struct tern_text_set *texts = &engine->texts;
	if (!own.start || own.start == own.end)
		return 0;
	if (texts->count == TERN_TEXTS_MAX)
		return -ENOSPC;
	texts->ranges[texts->count] = own;
	__atomic_store_n(&texts->count, texts->count + 1, __ATOMIC_RELEASE);
	return 0;
}

int tern_engine_launch(struct tern_engine **engine, const struct tern_config *config,
		       struct tern_text own, struct tern_error *error)
{
	struct tern_engine *made = tern_lines_make(sizeof(*made));
	if (!made)
		return tern_error_set(error, -ENOMEM, "memory: no room for an engine");
	if (config)
		made->config = *config;
	else
		tern_config_init(&made->config);
	int code = tern_config_check(&made->config, error);
	if (code != 0) {
		free(made);
		return code;
	}
	made->log = (struct tern_log){.file = stderr,
				      .level = (int)made->config.log_level,
				      .json = made->config.log_format == TERN_LOG_JSON};
	tern_clock_init(&made->clock, made->config.clock == TERN_CLOCK_VIRTUAL);
	tern_engine_add_text(made, own);
	tern_stacks_init(&made->stacks);
	code = tern_layout_map(made, error);
	if (code == 0)
		code = tern_recover_install(made, error);
	if (code == 0)
		code = start_threads(made, error);
	if (code == 0)
		code = tern_observer_start(made, error);
	if (code != 0) {
		join_threads(made);
		release(made);
		return code;
	}
	tern_inspect_start(made);
	log_start(made);
	*engine = made;
	return 0;
}

/*
 * Whether every accepted signal is settled. Reading all `settled` before all `accepted` makes an
 * equality true at the moment between: a handler's sends are accepted before it settles.
 */
static bool is_quiet(const struct tern_engine *engine)
{
	uint64_t settled = 0, accepted = 0;
	for (uint32_t i = 0; i < engine->system_count; i++)
		settled += __atomic_load_n(&engine->lcores[i].settled, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < engine->system_count; i++)
		accepted += __atomic_load_n(&engine->lcores[i].accepted, __ATOMIC_ACQUIRE);
	return settled == accepted;
}

static uint64_t poll_range(struct tern_engine *engine, uint32_t from, uint32_t to)
{
	uint64_t work = 0;
	for (uint32_t i = from; i < to; i++)
		work += i < engine->lcore_count ? tern_lcore_poll(&engine->lcores[i])
						: tern_lcore_turn(&engine->lcores[i]);
	return work;
}

/* A round of all lcores in an order drawn from the seed: another seed, another interleaving. */
static uint64_t poll_round(struct tern_engine *engine)
{
	uint16_t order[TERN_LCORES_MAX];
	uint32_t count = engine->lcore_count;
	uint64_t work = 0;
	for (uint32_t i = 0; i < count; i++)
		order[i] = (uint16_t)i;
	for (uint32_t left = count; left; left--) {
		uint32_t place = (uint32_t)(tern_rng_next(&engine->rng) % left);
		work += tern_lcore_poll(&engine->lcores[order[place]]);
		order[place] = order[left - 1];
	}
	return work;
}

uint64_t tern_engine_poll(struct tern_engine *engine)
{
	uint64_t all = 0, work;
	if (!tern_poll_begin(&engine->polled_by))
		return 0;
	do {
		work = poll_round(engine);
		all += work;
	} while (work);
	tern_poll_end(&engine->polled_by);
	return all;
}

bool tern_engine_step(struct tern_engine *engine, uint32_t *busy)
{
	if (!tern_poll_begin(&engine->polled_by))
		return false;
	*busy = poll_round(engine) ? *busy + 1 : 0;
	if (engine->clock.is_virtual && *busy % BUSY_ROUNDS_MAX == 0)
		tern_clock_advance(&engine->clock, POLLED_STEP_NS);
	tern_poll_end(&engine->polled_by);
	return true;
}

/* One step of a stop: what nobody else polls, or a short sleep. Virtual time always moves. */
static void drain_step(struct tern_engine *engine)
{
	bool polled = engine->config.mode == TERN_MODE_POLLED;
	uint64_t work = poll_range(engine, polled ? 0 : engine->lcore_count, engine->system_count);
	if (engine->clock.is_virtual)
		tern_clock_advance(&engine->clock, POLLED_STEP_NS);
	else if (!work && !polled)
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static bool drain(struct tern_engine *engine, uint64_t timeout_ns)
{
	uint64_t deadline = tern_clock_deadline(&engine->clock, timeout_ns);
	set_state(engine, TERN_ENGINE_DRAINING);
	while (!is_quiet(engine)) {
		if (tern_clock_ns(&engine->clock) >= deadline)
			return false;
		drain_step(engine);
	}
	return true;
}

void tern_engine_undelivered(struct tern_lcore *lcore, struct tern_signal *signal)
{
	struct tern_engine *engine = lcore->engine;
	if (signal->type <= TERN_TYPE_MAX) {
		uint64_t at = __atomic_fetch_add(&engine->undelivered, 1, __ATOMIC_RELAXED);
		if (at < TERN_STOP_LIST_MAX)
			engine->undelivered_list[at] = (struct tern_undelivered){
				.to = tern_address_make(0, signal->to_slot, signal->to_generation),
				.from = signal->from,
				.type = signal->type};
	} else if (signal->type == TERN_CONTROL_BLOCKS) {
		struct tern_block *first = (struct tern_block *)(uintptr_t)signal->payload.words[0];
		tern_heap_collect(first->home, first);
	}
	tern_signal_discard(lcore, signal);
}

static void sweep_mailbox(struct tern_lcore *lcore, struct tern_mailbox *mailbox)
{
	struct tern_signal *signal;
	while ((signal = tern_mailbox_front(&lcore->chunks, mailbox)) != NULL) {
		tern_engine_undelivered(lcore, signal);
		tern_mailbox_pop(&lcore->chunks, mailbox);
	}
}

/* All threads are gone: what is left in lanes and outboxes, and blocks on their way home. */
static void sweep(struct tern_engine *engine, struct tern_lcore *lcore)
{
	struct tern_lane_set *sets[] = {&lcore->express, &lcore->data};
	struct tern_signal *signal;
	tern_lcore_adopt(lcore);
	for (int s = 0; s < 2; s++)
		for (uint32_t i = 0; i < sets[s]->count; i++)
			while ((signal = tern_lane_peek(&sets[s]->lanes[i])) != NULL) {
				tern_lane_next(&sets[s]->lanes[i]);
				tern_engine_undelivered(lcore, signal);
			}
	for (uint32_t route = 0; route <= engine->roam_route; route++)
		sweep_mailbox(lcore, &lcore->outboxes[route]);
	sweep_mailbox(lcore, &engine->agents[lcore->index].mailbox);
}

static void collect_blocks(struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->system_count; i++)
		tern_heap_settle(&engine->lcores[i].heap);
	for (uint32_t i = 0; i < engine->system_count; i++)
		for (uint32_t to = 0; to < engine->system_count; to++)
			tern_heap_collect(&engine->lcores[to].heap,
					  engine->lcores[i].away[to].first);
}

static void fill_report(const struct tern_engine *engine, bool drained, uint64_t ended_before,
			struct tern_stop_report *report)
{
	*report = (struct tern_stop_report){.drained = drained, .undelivered = engine->undelivered};
	for (uint32_t i = 0; i < engine->system_count; i++) {
		report->blocks_leaked += engine->lcores[i].heap.in_use;
		report->agents_ended += engine->lcores[i].stats.agents_ended;
	}
	report->agents_ended -= ended_before;
	uint64_t listed = engine->undelivered;
	report->listed = listed < TERN_STOP_LIST_MAX ? (uint32_t)listed : TERN_STOP_LIST_MAX;
	memcpy(report->list, engine->undelivered_list, sizeof(report->list));
}

static uint64_t count_ended(const struct tern_engine *engine)
{
	uint64_t ended = 0;
	for (uint32_t i = 0; i < engine->system_count; i++)
		ended += tern_load(&engine->lcores[i].stats.agents_ended);
	return ended;
}

int tern_engine_stop(struct tern_engine *engine, uint64_t timeout_ns,
		     struct tern_stop_report *report)
{
	struct tern_stop_report unread;
	if (!report)
		report = &unread;
	bool drained = drain(engine, timeout_ns);
	uint64_t ended_before = count_ended(engine);
	join_threads(engine);
	tern_store(&engine->joined, true);
	/* Also in parallel mode: an agent may have been made while its lcore was on its way out. */
	tern_recover_by_poller(engine);
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		tern_lcore_end_polled(&engine->lcores[i]);
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		tern_roaming_graves(&engine->lcores[i], true);
	for (uint32_t i = 0; i < engine->system_count; i++)
		sweep(engine, &engine->lcores[i]);
	for (uint32_t i = 0; i < engine->system_count; i++)
		tern_watch_drop(&engine->lcores[i], &engine->lcores[i].ends);
	collect_blocks(engine);
	fill_report(engine, drained, ended_before, report);
	bool clean = drained && report->blocks_leaked == 0;
	tern_log_write(&engine->log, clean ? TERN_LOG_DEBUG : TERN_LOG_WARN, "engine stopped",
		       "drained=%d undelivered=%llu blocks_leaked=%llu agents_ended=%llu", drained,
		       (unsigned long long)report->undelivered,
		       (unsigned long long)report->blocks_leaked,
		       (unsigned long long)report->agents_ended);
	release(engine);
	return drained ? 0 : -ETIMEDOUT;
}

uint32_t tern_engine_lcores(const struct tern_engine *engine)
{
	return engine->lcore_count;
}

struct tern_lcore *tern_engine_lcore(struct tern_engine *engine, uint32_t index)
{
	return index < engine->lcore_count ? &engine->lcores[index] : NULL;
}

void tern_engine_advance(struct tern_engine *engine, uint64_t ns)
{
	tern_clock_advance(&engine->clock, ns);
}

uint64_t tern_engine_now(const struct tern_engine *engine)
{
	return tern_clock_ns(&engine->clock);
}
