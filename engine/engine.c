/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capabilities/lines.h"
#include "engine/inspect/inspect.h"
#include "engine/lcore/poller.h"
#include "engine/node/node.h"
#include "engine/observer/observer.h"
#include "engine/turn/lcore_turn.h"
#include "engine/turn/recover.h"
#include "layout.h"
#include "stop.h"
#include "thread.h"

#define POLLED_STEP_NS 1000u
/* Rounds in a row that found work, after which a waiting thread's virtual time goes on. */
#define BUSY_ROUNDS_MAX 1000u

/* The last thing that the thread does with the engine. */
static void leave_loop(struct tern_lcore *lcore)
{
	struct tern_engine *engine = lcore->engine;
	if (__atomic_exchange_n(&lcore->loop.phase, TERN_PHASE_LEFT, __ATOMIC_ACQ_REL) ==
	    TERN_PHASE_LOST)
		tern_engine_let_go(engine);
}

static void *run_thread(void *lcore)
{
	tern_lcore_main(lcore);
	leave_loop(lcore);
	return NULL;
}

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
	tern_store(&engine->lcores[index].loop.polled_by, TERN_POLL_TAKEN);
	int code = pthread_create(&engine->threads[index], &attributes, run_thread,
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

void tern_engine_set_state(struct tern_engine *engine, enum tern_engine_state state)
{
	__atomic_store_n(engine->state, state, __ATOMIC_RELEASE);
}

/* Where the kernel does not know the advice, a child is not told apart from its parent. */
static int make_state(struct tern_engine *engine, struct tern_error *error)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return tern_error_set(error, -ENOMEM, "memory: no room for an engine");
	madvise(memory, page, MADV_WIPEONFORK);
	engine->state = memory;
	tern_engine_set_state(engine, TERN_ENGINE_RUNNING);
	return 0;
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

static void release_engine(struct tern_engine *engine)
{
	tern_recover_remove(engine);
	tern_observer_free(engine);
	tern_inspect_free(engine);
	tern_stacks_fini(&engine->stacks);
	tern_node_fini(engine);
	tern_layout_unmap(engine);
	munmap(engine->state, (size_t)sysconf(_SC_PAGESIZE));
	free(engine->threads);
	free(engine);
}

/* Release and acquire: who frees it comes after all that the others did with it. */
void tern_engine_let_go(struct tern_engine *engine)
{
	if (__atomic_sub_fetch(&engine->holders, 1, __ATOMIC_ACQ_REL) == 0)
		release_engine(engine);
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
	if (code == 0)
		code = make_state(made, error);
	if (code != 0) {
		free(made);
		return code;
	}
	made->holders = 1;
	tern_lcore_watch_forks();
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
		code = tern_node_start(made, error);
	if (code == 0)
		code = start_threads(made, error);
	if (code == 0)
		code = tern_observer_start(made, error);
	if (code != 0) {
		tern_engine_join(made);
		tern_engine_let_go(made);
		return code;
	}
	tern_inspect_start(made);
	log_start(made);
	*engine = made;
	return 0;
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
	if (tern_engine_is_foreign(engine) || !tern_poll_begin(&engine->polled_by))
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
