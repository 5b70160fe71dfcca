/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one program runs in every mode, chosen by the configuration alone, with the same result;
 * polled, a seed repeats a run signal by signal and another seed gives another; concurrent is
 * one lcore on one thread.
 * Method: a token sent round a ring of agents; a swarm whose every signal is kept with its time.
 */
#include "runs.h"

#include <pthread.h>

enum { RING = 20, HOPS = 2000 };

/* Adds its number to the token and passes it on; the one that it stops at ends with the sum. */
struct link {
	tern_address next;
	uint64_t number;
	uint64_t handled;
	pthread_t thread;
	uint64_t threads_mixed;
};

struct token {
	uint64_t left;
	uint64_t sum;
};

TERN_HANDLER(static, link_handle)
{
	struct link *link = state;
	struct token token;
	memcpy(&token, tern_signal_data(signal), sizeof(token));
	link->threads_mixed += link->handled++ > 0 && !pthread_equal(link->thread, pthread_self());
	link->thread = pthread_self();
	token.sum += link->number * token.left;
	if (token.left-- == 0)
		tern_exit(self, (int64_t)token.sum);
	else if (tern_signal_bytes(self, link->next, 1, &token, sizeof(token)) != 0)
		tern_fail(self, -EIO, "the ring is broken");
}

static const struct tern_behaviour link_behaviour = {.name = "link", .handler = link_handle};

/* The program: it knows nothing of modes. */
static int64_t run_ring(struct world *world, struct link *links)
{
	struct token token = {.left = HOPS};
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	struct tern_ended ended = {0};
	tern_address agents[RING];
	options.watch = true;
	for (uint32_t i = 0; i < RING; i++) {
		links[i].number = i * i + 1;
		assert_int_equal(
			tern_spawn(world->self, &link_behaviour, &links[i], &options, &agents[i]),
			0);
	}
	for (uint32_t i = 0; i < RING; i++)
		links[i].next = agents[(i + 1) % RING];
	assert_int_equal(tern_signal_bytes(world->self, agents[0], 1, &token, sizeof(token)), 0);
	assert_int_equal(tern_wait(world->self, TERN_ADDRESS_NONE, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.why, TERN_END_EXIT);
	assert_int_equal(ended.agent, agents[HOPS % RING]);
	return ended.result;
}

static int64_t expected_sum(void)
{
	int64_t sum = 0;
	for (int64_t left = HOPS, i = 0; left > 0; left--, i = (i + 1) % RING)
		sum += left * (i * i + 1);
	return sum;
}

static void open_in(struct world *world, const char *mode)
{
	struct tern_config config;
	struct tern_error error = {""};
	world_config(&config, false);
	if (tern_config_set(&config, mode, &error) != 0)
		fail_msg("%s", error.text);
	world_open(world, &config);
}

static void one_program_runs_in_every_mode(void **state)
{
	static const char *const modes[] = {"engine.mode=polled", "engine.mode=concurrent",
					    "engine.mode=parallel"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world world;
		open_in(&world, modes[i]);
		struct link *links = world_memory(&world, RING * sizeof(*links));
		assert_true(run_ring(&world, links) == expected_sum());
		for (uint32_t j = 0; j < RING; j++) {
			assert_int_equal(links[j].handled, HOPS / RING + (j == 0));
			assert_int_equal(links[j].threads_mixed, 0);
		}
		world_close(&world);
	}
}

static void concurrent_is_one_lcore_and_one_thread(void **state)
{
	struct world world;
	struct tern_spawn_options options = {.lcore = 1};
	tern_address agent;
	(void)state;
	open_in(&world, "engine.mode=concurrent");
	struct link *links = world_memory(&world, RING * sizeof(*links));
	assert_int_equal(tern_engine_lcores(world.engine), 1);
	assert_int_equal(tern_spawn(world.self, &link_behaviour, links, &options, &agent), -ENODEV);
	assert_true(run_ring(&world, links) == expected_sum());
	for (uint32_t i = 0; i < RING; i++) {
		assert_true(pthread_equal(links[i].thread, links[0].thread));
		assert_false(pthread_equal(links[i].thread, pthread_self()));
	}
	world_close(&world);
}

static void polled_runs_on_the_callers_thread(void **state)
{
	struct world world;
	(void)state;
	open_in(&world, "engine.mode=polled");
	struct link *links = world_memory(&world, RING * sizeof(*links));
	run_ring(&world, links);
	for (uint32_t i = 0; i < RING; i++)
		assert_true(pthread_equal(links[i].thread, pthread_self()));
	world_close(&world);
}

enum { SWARM = 12, EVENTS = 3000, SWARM_LCORES = 3 };

/* One signal of a swarm's run. */
struct event {
	uint64_t at_ns;
	uint64_t value;
	uint32_t who;
	uint32_t lcore;
};

struct trace {
	uint64_t count;
	struct event events[EVENTS];
};

/* Sends on to whom the signal says: what it does depends on nothing but what it gets. */
struct bee {
	struct trace *trace;
	const tern_address *swarm;
	uint64_t sum;
	uint32_t who;
};

TERN_HANDLER(static, bee_handle)
{
	struct bee *bee = state;
	struct trace *trace = bee->trace;
	if (trace->count >= EVENTS)
		return;
	bee->sum = bee->sum * 31 + number_of(signal);
	trace->events[trace->count++] = (struct event){.at_ns = tern_now(self),
						       .value = number_of(signal),
						       .who = bee->who,
						       .lcore = tern_lcore_index(self)};
	/* In the order of arrival, which is what the seed decides. */
	struct tern_rng rng = {.state = bee->sum};
	(void)!send_number(self, bee->swarm[pick(&rng, SWARM)], 1, tern_rng_next(&rng));
}

static const struct tern_behaviour bee_behaviour = {.name = "bee", .handler = bee_handle};

static struct trace *run_swarm(uint64_t seed)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	tern_address swarm[SWARM];
	struct tern_config config;
	struct world world;
	assert_non_null(trace);
	world_config(&config, true);
	config.lcore_count = SWARM_LCORES;
	config.lcores[2] = 2;
	config.seed = seed;
	world_open(&world, &config);
	struct bee *bees = world_memory(&world, SWARM * sizeof(*bees));
	for (uint32_t i = 0; i < SWARM; i++) {
		bees[i] = (struct bee){.trace = trace, .swarm = swarm, .who = i};
		swarm[i] = spawn_on(world.self, i % SWARM_LCORES, &bee_behaviour, &bees[i]);
	}
	tern_engine_poll(world.engine);
	for (uint64_t i = 0; trace->count < EVENTS; i++) {
		for (uint64_t j = 0; j < SWARM; j++)
			assert_int_equal(send_number(world.self, swarm[j], 1, i * SWARM + j), 0);
		tern_engine_advance(world.engine, 1000);
		tern_engine_poll(world.engine);
	}
	world_close(&world);
	return trace;
}

static void a_seed_repeats_a_run(void **state)
{
	uint64_t seed = test_seed(11);
	(void)state;
	struct trace *first = run_swarm(seed), *again = run_swarm(seed);
	struct trace *other = run_swarm(seed + 1);
	assert_memory_equal(first, again, sizeof(*first));
	assert_memory_not_equal(first, other, sizeof(*first));
	for (uint32_t lcore = 0; lcore < SWARM_LCORES; lcore++) {
		uint64_t here = 0;
		for (uint64_t i = 0; i < EVENTS; i++)
			here += first->events[i].lcore == lcore;
		assert_true(here > EVENTS / 10);
	}
	free(first);
	free(again);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_program_runs_in_every_mode),
		cmocka_unit_test(concurrent_is_one_lcore_and_one_thread),
		cmocka_unit_test(polled_runs_on_the_callers_thread),
		cmocka_unit_test(a_seed_repeats_a_run),
	};
	return cmocka_run_group_tests_name("mode", tests, NULL, NULL);
}
