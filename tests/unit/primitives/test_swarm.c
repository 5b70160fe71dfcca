/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever agents and threads do to each other, each accepted signal is handled once, or
 * comes back once, or is counted as dropped or lost, or is reported by the stop; per sender and
 * receiver order holds, wherever roaming agents are taken; an agent runs on one lcore at a time;
 * nothing the engine lends is kept; and the same seed gives the same run.
 * Method: agents of every kind, handlers and fibers, pinned and roaming, that send in every form,
 * spawn, pause, finish, stop and watch each other at random, while books are kept of every signal.
 * Polled lcores under random policies over many seeds (TERN_SEEDS says how many, TERN_SEED which
 * is the first), agents moved about as by the rebalance; the same with lcores on threads and two
 * threads beside them.
 */
#include "swarm_acts.h"
#include "swarm_checks.h"

#include <pthread.h>

enum { SEEDS = SANITIZED ? 120 : 1000 };

static uint64_t last_seed; /* of the run that a test was at last: the culprit, where one fails */

static struct tern_agent *attach(struct swarm *swarm, uint64_t seed)
{
	struct life *life = &swarm->lives[swarm->born];
	life->swarm = swarm;
	life->number = swarm->born++;
	life->is_thread = true;
	life->rng.state = seed;
	struct tern_agent *self = tern_thread_attach(swarm->world.engine, &life_behaviour, life);
	assert_non_null(self);
	life->address = tern_self(self);
	return self;
}

static void choose_scheduling(struct tern_config *config, struct tern_rng *rng)
{
	for (uint32_t i = 0; i < config->lcore_count; i++)
		config->schedules[i] = (uint8_t)pick(rng, TERN_SCHEDULE_CUSTOM);
	config->schedule_count = config->lcore_count;
	config->turn_signals = 1 + pick(rng, 64);
	config->max_concurrent = pick(rng, 3) ? 0 : 1 + pick(rng, 6);
	config->steal = pick(rng, 4) != 0;
	config->steal_after_us = pick(rng, 4);
}

static struct swarm *open_swarm(uint64_t seed, bool polled, int64_t budget)
{
	struct swarm *swarm = calloc(1, sizeof(*swarm));
	struct tern_rng rng = {.state = seed};
	struct tern_config config;
	world_config(&config, polled);
	if (polled)
		config.lcore_count = 1 + pick(&rng, 4);
	for (uint16_t i = 0; polled && i < config.lcore_count; i++)
		config.lcores[i] = i;
	choose_scheduling(&config, &rng);
	config.seed = seed;
	config.data_depth = 64u << pick(&rng, 3);
	config.express_depth = 16u << pick(&rng, 3);
	config.slice_us = 1 + pick(&rng, 10);
	config.trace_every = pick(&rng, 2) * pick(&rng, 7);
	config.max_agents = LIVES;
	config.block_mib = 8;
	world_open(&swarm->world, &config);
	tern_thread_detach(swarm->world.self);
	swarm->world.self = NULL;
	swarm->budget = budget;
	swarm->rated = config.schedules[0] == TERN_SCHEDULE_RATE;
	return swarm;
}

/* All who can be asked; what others asked before counts no more. */
static void ask_all(struct swarm *swarm, struct tern_agent *self,
		    int (*ask)(struct tern_agent *, tern_address))
{
	for (uint32_t i = THREADS; i < seen(&swarm->born) && i < LIVES; i++)
		(void)ask(self, swarm->lives[i].address);
}

/* What the observer does when the forecast says so. */
static void move_one(struct swarm *swarm, struct tern_rng *rng)
{
	struct tern_engine *engine = swarm->world.engine;
	const struct life *life = &swarm->lives[seen(&swarm->present[pick(rng, PRESENT)])];
	move_agent(engine, seen(&life->address), pick(rng, engine->lcore_count));
}

static uint64_t poll_threads(struct tern_agent **threads)
{
	uint64_t work = 0;
	for (int i = 0; i < THREADS; i++)
		work += tern_thread_poll(threads[i]);
	return work;
}

/* Everybody and the clock, until a condition holds. */
static void run_until(struct swarm *swarm, struct tern_agent **threads,
		      bool (*is_so)(const struct swarm *), const char *what)
{
	for (int round = 0; !is_so(swarm); round++) {
		if (round > 20000)
			fail_msg("seed %" PRIu64 ": waited in vain for %s",
				 swarm->world.engine->config.seed, what);
		tern_engine_poll(swarm->world.engine);
		poll_threads(threads);
		tern_engine_advance(swarm->world.engine, 500);
	}
}

OWNS_BY_ATTACHING static void live(struct swarm *swarm, struct tern_agent **threads,
				   struct tern_rng *rng)
{
	struct tern_engine *engine = swarm->world.engine;
	for (int i = 0; i < 8; i++)
		spawn_one(threads[0], &swarm->lives[0]);
	while (swarm->budget > 0) {
		uint32_t thread = pick(rng, THREADS);
		act(threads[thread], &swarm->lives[thread]);
		for (uint32_t i = pick(rng, 4); i; i--)
			tern_lcore_poll(
				tern_engine_lcore(engine, pick(rng, tern_engine_lcores(engine))));
		if (pick(rng, 4) == 0)
			tern_thread_poll(threads[pick(rng, THREADS)]);
		if (pick(rng, 8) == 0)
			move_one(swarm, rng);
		tern_engine_advance(engine, pick(rng, 1000));
	}
}

static void add_stats(struct tern_lcore_stats *totals, const struct swarm *swarm)
{
	struct tern_lcore_stats all = all_stats(swarm);
	for (size_t i = 0; i < sizeof(all) / sizeof(uint64_t); i++)
		((uint64_t *)(void *)totals)[i] += ((const uint64_t *)(const void *)&all)[i];
}

/* In the middle of everything: what is on its way is reported. */
static void stop_at_once(struct swarm *swarm, struct tern_agent **threads)
{
	struct tern_stop_report report;
	for (int i = 0; i < THREADS; i++)
		tern_thread_detach(threads[i]);
	int64_t left = under_way(swarm);
	int code = world_stop(&swarm->world, 0, &report);
	assert_int_equal(code, report.drained ? 0 : -ETIMEDOUT);
	assert_int_equal(report.blocks_leaked, 0);
	assert_int_equal(report.undelivered, left);
	check_stopped(swarm);
	check_books(swarm);
	world_forget(&swarm->world);
}

/* Timers that were armed, and waits that have an end, are over. */
static void let_time_pass(struct swarm *swarm, struct tern_agent **threads)
{
	for (int round = 0; round < 40; round++) {
		tern_engine_advance(swarm->world.engine, 500);
		tern_engine_poll(swarm->world.engine);
		poll_threads(threads);
	}
}

/* After all has settled; `first` everybody is stopped. */
static void stop_in_order(struct swarm *swarm, struct tern_agent **threads, bool first)
{
	ask_all(swarm, threads[0], tern_agent_resume);
	run_until(swarm, threads, all_settled, "all to settle");
	let_time_pass(swarm, threads);
	run_until(swarm, threads, all_settled, "all to settle again");
	assert_int_equal(all_stats(swarm).returned, swarm->returned);
	check_books(swarm);
	if (first) {
		ask_all(swarm, threads[0], tern_agent_stop);
		run_until(swarm, threads, all_stopped, "all to end");
	}
	for (int i = 0; i < THREADS; i++)
		tern_thread_detach(threads[i]);
	for (int i = 0; i < 3; i++)
		tern_engine_poll(swarm->world.engine);
	if (first)
		check_given_back(swarm->world.engine);
	world_close(&swarm->world);
	check_stopped(swarm);
	assert_int_equal(swarm->broken, 0);
}

/* One run with lcores polled in random order; returns the hash of all that happened. */
static uint64_t run_polled(uint64_t seed, struct tern_lcore_stats *totals)
{
	struct swarm *swarm = open_swarm(seed, true, 2000);
	struct tern_rng rng = {.state = ~seed};
	struct tern_agent *threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		threads[i] = attach(swarm, tern_rng_next(&rng));
	live(swarm, threads, &rng);
	swarm->budget = 0;
	add_stats(totals, swarm);
	uint32_t how = pick(&rng, 4);
	if (how == 0)
		stop_at_once(swarm, threads);
	else
		stop_in_order(swarm, threads, how > 1);
	uint64_t hash = swarm->hash;
	free(swarm);
	return hash;
}

static void the_books_balance_and_runs_repeat(void **state)
{
	uint64_t first = test_seed(1), count = seed_count(SEEDS);
	struct tern_lcore_stats totals = {0};
	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++) {
		last_seed = seed;
		uint64_t hash = run_polled(seed, &totals);
		if (seed % 4 == 0 && run_polled(seed, &totals) != hash)
			fail_msg("seed %" PRIu64 " gives two runs", seed);
	}
	if (count < 50)
		return;
	/* The runs are worth something only where all of this happens in them. */
	assert_true(totals.dropped && totals.lost && totals.queued && totals.in_place);
	assert_true(totals.returned && totals.timers && totals.refused_dead && totals.failed);
	assert_true(totals.refused_lane && totals.refused_agent);
	assert_true(totals.stolen && totals.sent_away && totals.migrated);
}

struct helper {
	struct swarm *swarm;
	struct tern_agent *self;
	struct life *life;
	uint32_t *done;
};

OWNS_BY_ATTACHING static void *help(void *argument)
{
	struct helper *helper = argument;
	while (!seen(helper->done)) {
		act(helper->self, helper->life);
		if (!tern_thread_poll(helper->self))
			breathe();
	}
	return NULL;
}

OWNS_BY_ATTACHING static void run_threaded(uint64_t seed)
{
	struct swarm *swarm = open_swarm(seed, false, 1500);
	struct tern_rng rng = {.state = ~seed};
	uint32_t done = 0;
	pthread_t thread;
	struct tern_agent *self = attach(swarm, seed);
	struct helper helper = {.swarm = swarm, .done = &done};
	helper.life = &swarm->lives[1];
	helper.self = attach(swarm, ~seed);
	for (int i = 0; i < 8; i++)
		spawn_one(self, &swarm->lives[0]);
	assert_int_equal(pthread_create(&thread, NULL, help, &helper), 0);
	while (seen(&swarm->budget) > 0) {
		act(self, &swarm->lives[0]);
		move_one(swarm, &rng);
		if (!tern_thread_poll(self))
			breathe();
	}
	/* Nobody acts after the budget: what is counted then is all there will be. */
	UNTIL(&swarm->world, (tern_thread_poll(self), seen(&swarm->acting) == 0));
	ask_all(swarm, self, tern_agent_resume);
	UNTIL(&swarm->world, (tern_thread_poll(self), all_settled(swarm)));
	check_books(swarm);
	ask_all(swarm, self, tern_agent_stop);
	UNTIL(&swarm->world, (tern_thread_poll(self), all_stopped(swarm)));
	put(&done, 1);
	pthread_join(thread, NULL);
	tern_thread_detach(self);
	tern_thread_detach(helper.self);
	world_close(&swarm->world);
	check_stopped(swarm);
	assert_int_equal(swarm->broken, 0);
	free(swarm);
}

static void the_books_balance_on_threads(void **state)
{
	uint64_t first = test_seed(1), count = seed_count(SEEDS) / 20;
	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++) {
		last_seed = seed;
		run_threaded(seed);
	}
}

/* A test that failed says at which seed. */
static int say_seed(void **state)
{
	(void)state;
	if (last_seed)
		print_message("seed %" PRIu64 " was the last\n", last_seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_books_balance_and_runs_repeat, say_seed),
		cmocka_unit_test_teardown(the_books_balance_on_threads, say_seed),
	};
	return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}
