/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: in polled mode threads may wait, and poll, beside each other: each gets what it waits for
 * or the end of its time, nobody is run twice at once, and one poller's run repeats from its seed.
 * Method: threads that spawn and join while others wait or poll; agents that always have work;
 * handlers that poll from within a poll; two runs of one seed under a thread that waits.
 */
#include "tests/unit/support.h"

#include <pthread.h>

enum { WORKERS = 3, JOINS = 400, SIGNALS = 20, LAST = 1, SECOND_NS = 1000000000 };

/* Ends with the sum of what it got, and notices being entered twice. */
struct summer {
	uint64_t sum;
	uint64_t inside;
};

struct worker {
	struct tern_engine *engine;
	struct summer *summers;
	uint64_t wrong;
	uint64_t done;
};

TERN_HANDLER(static, summer_handle)
{
	struct summer *summer = state;
	if (__atomic_exchange_n(&summer->inside, 1, __ATOMIC_RELAXED))
		tern_exit(self, -1);
	summer->sum += number_of(signal);
	put(&summer->inside, 0);
	if (tern_signal_type(signal) == LAST)
		tern_exit(self, (int64_t)summer->sum);
}

static const struct tern_behaviour summer_behaviour = {.name = "summer", .handler = summer_handle};

static bool join_one(struct tern_agent *self, uint32_t lcore, struct summer *summer)
{
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	struct tern_ended ended = {0};
	tern_address agent;
	int64_t expected = 0;
	options.lcore = lcore;
	options.watch = true;
	options.roaming = lcore == 1;
	if (tern_spawn(self, &summer_behaviour, summer, &options, &agent) != 0)
		return false;
	for (int i = 1; i <= SIGNALS; i++) {
		expected += i;
		if (send_number(self, agent, i == SIGNALS ? LAST : 0, (uint64_t)i) != 0)
			return false;
	}
	return tern_wait(self, agent, 20u * (uint64_t)SECOND_NS, &ended) == 0 &&
	       ended.result == expected;
}

static void *join_many(void *argument)
{
	struct worker *worker = argument;
	struct tern_agent *self = tern_thread_attach(worker->engine, NULL, NULL);
	for (uint32_t i = 0; self && i < JOINS; i++)
		worker->wrong += !join_one(self, i % WORLD_LCORES, &worker->summers[i]);
	worker->wrong += !self;
	if (self)
		tern_thread_detach(self);
	note(&worker->done);
	return NULL;
}

static void start_workers(struct world *world, struct worker *workers, pthread_t *threads,
			  int count)
{
	for (int i = 0; i < count; i++) {
		workers[i].engine = world->engine;
		workers[i].summers = world_memory(world, JOINS * sizeof(struct summer));
		assert_int_equal(pthread_create(&threads[i], NULL, join_many, &workers[i]), 0);
	}
}

static void open_polled(struct world *world, enum tern_clock_kind clock)
{
	struct tern_config config;
	world_config(&config, true);
	config.clock = clock;
	world_open(world, &config);
}

static void threads_wait_beside_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world world;
		struct worker workers[WORKERS] = {0};
		pthread_t threads[WORKERS];
		open_polled(&world, i ? TERN_CLOCK_VIRTUAL : TERN_CLOCK_TSC);
		start_workers(&world, workers, threads, WORKERS);
		for (int j = 0; j < WORKERS; j++) {
			pthread_join(threads[j], NULL);
			assert_int_equal(workers[j].wrong, 0);
		}
		world_close(&world);
	}
}

static void a_thread_waits_while_another_polls(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct world world;
		struct worker worker = {0};
		pthread_t thread;
		open_polled(&world, way & 1 ? TERN_CLOCK_VIRTUAL : TERN_CLOCK_TSC);
		start_workers(&world, &worker, &thread, 1);
		while (!seen(&worker.done)) {
			if (way & 2)
				tern_engine_poll(world.engine);
			else
				world_poll(&world);
		}
		pthread_join(thread, NULL);
		assert_int_equal(worker.wrong, 0);
		world_close(&world);
	}
}

/* A fiber's wait and its lcore's recovery point are the lcore's own, whoever polls it. */
TERN_FIBER(static, nap)
{
	uint64_t *naps = state;
	while (*naps < JOINS) {
		if (tern_sleep(self, 1000) != 0)
			return -1;
		put(naps, *naps + 1);
	}
	return (int64_t)*naps;
}

static void fibers_sleep_on_lcores_of_two_pollers(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "nap", .fiber = nap};
	struct tern_spawn_options options = {.lcore = 1, .watch = true};
	struct world world;
	struct worker worker = {0};
	struct tern_ended ended = {0};
	pthread_t thread;
	tern_address agent;
	(void)state;
	open_polled(&world, TERN_CLOCK_TSC);
	uint64_t *naps = world_memory(&world, sizeof(*naps));
	assert_int_equal(tern_spawn(world.self, &behaviour, naps, &options, &agent), 0);
	start_workers(&world, &worker, &thread, 1);
	assert_int_equal(tern_wait(world.self, agent, 20u * (uint64_t)SECOND_NS, &ended), 0);
	assert_int_equal(ended.result, JOINS);
	pthread_join(thread, NULL);
	assert_int_equal(worker.wrong, 0);
	world_close(&world);
}

/* Two that never stop answering each other: somebody always has work. */
TERN_HANDLER(static, player_handle)
{
	tern_address *peer = state;
	(void)!send_number(self, *peer ? *peer : tern_signal_from(signal), 0, 0);
}

static void a_wait_ends_though_others_always_have_work(void **state)
{
	static const struct tern_behaviour player = {.name = "player", .handler = player_handle};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world world;
		struct tern_ended ended;
		struct tern_stop_report report;
		open_polled(&world, i ? TERN_CLOCK_VIRTUAL : TERN_CLOCK_TSC);
		tern_address *peers = world_memory(&world, 2 * sizeof(*peers));
		tern_address a = spawn_on(world.self, 0, &player, &peers[0]);
		peers[0] = spawn_on(world.self, 1, &player, &peers[1]);
		peers[1] = a;
		assert_int_equal(send_number(world.self, a, 0, 0), 0);
		uint64_t from = tern_now(world.self);
		assert_int_equal(tern_wait(world.self, a, 5000, &ended), -ETIMEDOUT);
		assert_true(tern_now(world.self) - from >= 5000);
		world_stop(&world, 0, &report);
		world_forget(&world);
	}
}

/* Polls everything there is from where it is polled itself. */
struct nested {
	struct tern_engine *engine;
	uint64_t depth;
	uint64_t deepest;
	uint64_t handled;
	uint64_t polled;
};

TERN_HANDLER(static, nested_handle)
{
	struct nested *nested = state;
	nested->depth++;
	nested->handled++;
	nested->deepest = nested->depth > nested->deepest ? nested->depth : nested->deepest;
	nested->polled += tern_engine_poll(nested->engine);
	nested->polled += tern_lcore_poll(tern_engine_lcore(nested->engine, 0));
	nested->depth--;
}

static void a_poll_within_a_poll_does_nothing(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "nested", .handler = nested_handle};
	struct world *world = *state;
	struct nested *nested = world_memory(world, sizeof(*nested));
	nested->engine = world->engine;
	tern_address agent = spawn_on(world->self, 0, &behaviour, nested);
	for (uint64_t i = 0; i < SIGNALS; i++)
		assert_int_equal(send_number(world->self, agent, 0, i), 0);
	assert_true(tern_engine_poll(world->engine) >= SIGNALS);
	assert_int_equal(nested->handled, SIGNALS);
	assert_int_equal(nested->deepest, 1);
	assert_int_equal(nested->polled, 0);
}

/* Lcores that have threads are nobody else's to poll. */
static void lcores_with_threads_are_not_polled(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	for (uint64_t i = 0; i < 2000; i++) {
		while (send_number(world->self, agent, 0, i) != 0)
			assert_int_equal(tern_engine_poll(world->engine), 0);
		assert_int_equal(tern_lcore_poll(tern_engine_lcore(world->engine, 0)), 0);
	}
	UNTIL(world, seen(&probe->handled) == 2000);
	assert_int_equal(seen(&probe->early), 0);
}

/* What a run of a thread that waits comes to: who handled when, all in one number. */
struct chain {
	uint64_t hash;
	uint64_t left;
	tern_address *agents;
	uint32_t count;
};

TERN_HANDLER(static, chain_handle)
{
	struct chain *chain = state;
	uint64_t who = tern_address_slot(tern_self(self));
	chain->hash = chain->hash * 1099511628211u + who * 31 + tern_now(self);
	if (chain->left == 0)
		return;
	chain->left--;
	struct tern_rng rng = {.state = chain->hash};
	(void)!send_number(self, chain->agents[pick(&rng, chain->count)], 0, 0);
	if (chain->left == 0)
		tern_exit(self, 0);
}

static uint64_t run_chain(uint64_t seed)
{
	static const struct tern_behaviour behaviour = {.name = "chain", .handler = chain_handle};
	enum { AGENTS = 8 };
	struct tern_config config;
	struct world world;
	struct tern_ended ended;
	tern_address agents[AGENTS];
	world_config(&config, true);
	config.lcore_count = 3;
	config.lcores[2] = 2;
	config.seed = seed;
	world_open(&world, &config);
	struct chain *chain = world_memory(&world, sizeof(*chain));
	*chain = (struct chain){.left = 3000, .agents = agents, .count = AGENTS};
	for (uint32_t i = 0; i < AGENTS; i++) {
		struct tern_spawn_options options = {.lcore = i % 3, .watch = true};
		assert_int_equal(tern_spawn(world.self, &behaviour, chain, &options, &agents[i]),
				 0);
	}
	for (uint32_t i = 0; i < AGENTS; i++)
		assert_int_equal(send_number(world.self, agents[i], 0, 0), 0);
	assert_int_equal(tern_wait(world.self, TERN_ADDRESS_NONE, SECOND_NS, &ended), 0);
	uint64_t hash = chain->hash;
	assert_int_equal(world_stop(&world, PATIENCE_NS, NULL), 0);
	world_forget(&world);
	return hash;
}

static void a_seed_repeats_under_a_thread_that_waits(void **state)
{
	uint64_t seed = test_seed(23);
	(void)state;
	uint64_t hash = run_chain(seed);
	assert_true(run_chain(seed) == hash);
	assert_true(run_chain(seed + 1) != hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_wait_beside_each_other),
		cmocka_unit_test(a_thread_waits_while_another_polls),
		cmocka_unit_test(fibers_sleep_on_lcores_of_two_pollers),
		cmocka_unit_test(a_wait_ends_though_others_always_have_work),
		POLLED(a_poll_within_a_poll_does_nothing),
		THREADED(lcores_with_threads_are_not_polled),
		cmocka_unit_test(a_seed_repeats_under_a_thread_that_waits),
	};
	return cmocka_run_group_tests_name("wait polled", tests, NULL, NULL);
}
