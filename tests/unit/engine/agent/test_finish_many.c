/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each finish that was asked happens, at the time asked for, whoever asks, however many, and
 * whatever the lcore is at; none of another life of a slot counts.
 * Method: thousands of agents finished by a thread and by a handler; deadlines a tick apart; lanes
 * that others keep full.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/runs.h"

enum { TICK_NS = 1024, LOOKS = 64 };

static void many(struct tern_config *config)
{
	config->max_agents = 30000;
}

static void few(struct tern_config *config)
{
	config->max_agents = 16;
	config->max_threads = 2;
}

static void brisk(struct tern_config *config)
{
	config->slice_us = 1;
}

static void narrow(struct tern_config *config)
{
	config->data_depth = 256;
	config->max_agents = 8192;
}

/* All that a probe says, for each. */
static tern_address *spawn_many(struct world *world, uint32_t count, struct probe **probes)
{
	tern_address *agents = world_memory(world, count * sizeof(*agents));
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	*probes = world_probes(world, count);
	for (uint32_t i = 0; i < count; i++) {
		options.lcore = i % tern_engine_lcores(world->engine);
		options.roaming = i % 8 == 7;
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, &(*probes)[i], &options,
					    &agents[i]),
				 0);
	}
	return agents;
}

static uint64_t stopped_of(const struct probe *probes, uint32_t count)
{
	uint64_t stopped = 0;
	for (uint32_t i = 0; i < count; i++)
		stopped += seen(&probes[i].stopped);
	return stopped;
}

/* The thread asks for all and then does nothing but look. */
static void twenty_thousand_asked_by_a_thread(void **state)
{
	enum { COUNT = 20000 };
	struct world *world = *state;
	struct probe *probes;
	tern_address *agents = spawn_many(world, COUNT, &probes);
	struct tern_agent *self = world->self;
	for (uint32_t i = 0; i < COUNT; i++) {
		while (i % 3 == 0 && send_number(self, agents[i], 1, 0) != 0)
			world_poll(world);
		assert_int_equal(tern_agent_finish(self, agents[i], i % 5 ? PATIENCE_NS : 0), 0);
	}
	world->self = NULL; /* it does not poll */
	UNTIL(world, stopped_of(probes, COUNT) == COUNT);
	world->self = self;
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(probes[i].why, TERN_END_STOPPED);
		assert_int_equal(probes[i].started, 1);
		if (i % 5)
			assert_int_equal(probes[i].handled, i % 3 == 0);
	}
}

/* A handler that asks all of its receivers to finish. */
TERN_HANDLER(static, ends_all)
{
	struct asker *asker = state;
	for (uint32_t i = 0; i < asker->count; i++)
		asker->wrong += tern_agent_finish(self, asker->to[i], PATIENCE_NS) != 0;
	note(&asker->tries);
}

static void thousands_asked_by_a_handler(void **state)
{
	enum { COUNT = 5000 };
	static const struct tern_behaviour behaviour = {.name = "ender", .handler = ends_all};
	struct world *world = *state;
	struct probe *probes;
	struct asker *asker = world_memory(world, sizeof(*asker));
	*asker = (struct asker){.to = spawn_many(world, COUNT, &probes), .count = COUNT};
	ask_to(world, spawn_on(world->self, 0, &behaviour, asker), asker, 1);
	UNTIL(world, stopped_of(probes, COUNT) == COUNT);
	assert_int_equal(asker->wrong, 0);
}

/* It has more to do than there is time for, in runs of 1 us. */
static void a_deadline_is_kept(void **state)
{
	enum { COST_NS = 100, COUNT = 500, AFTER_NS = 3000 };
	struct world *world = *state;
	for (uint32_t i = 0; i < 40; i++) {
		struct crew crew;
		struct tern_spawn_options options = {
			.slice_us = 1, .capacity = RUNS_KEPT, .roaming = i % 2};
		uint64_t timeout = 5000 + i * 137;
		crew_open(&crew, world);
		uint32_t who = crew_add_as(&crew, &options, COST_NS);
		crew_pause(&crew, who);
		crew_send(&crew, who, COUNT);
		world_settle(world);
		uint64_t asked = tern_engine_now(world->engine);
		assert_int_equal(tern_agent_finish(world->self, crew.agents[who], timeout), 0);
		while (!crew.runners[who].probe.stopped)
			poll_one(world, 0);
		uint64_t took = tern_engine_now(world->engine) - asked;
		assert_in_range(took, timeout - TICK_NS, timeout + AFTER_NS);
		assert_in_range(crew.runners[who].probe.handled, 1, COUNT - 1);
		world_settle(world);
	}
}

/* Slow ones have 100 us a signal to go; of several who ask, whenever they do, the earliest counts.
 */
static void the_earliest_of_several_counts(void **state)
{
	struct world *world = *state;
	for (uint32_t first = 0; first < 3; first++) {
		struct crew crew;
		crew_open(&crew, world);
		uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
		crew_load(&crew, slow, 50);
		struct tern_agent *threads[3];
		for (uint32_t i = 0; i < 3; i++)
			threads[i] =
				i ? tern_thread_attach(world->engine, NULL, NULL) : world->self;
		for (uint32_t i = 0; i < 3; i++) {
			uint64_t in = i == first ? 500000 : 500000 + 1000000 * (i + 1);
			assert_int_equal(tern_agent_finish(threads[i], crew.agents[slow], in), 0);
		}
		UNTIL(world, crew.runners[slow].probe.stopped == 1);
		assert_in_range(crew.runners[slow].probe.handled, 4, 6);
		for (uint32_t i = 1; i < 3; i++)
			tern_thread_detach(threads[i]);
		world_settle(world);
	}
}

/* One signal a turn: it is in the midst of them when it is to pause. */
static void a_pause_after_a_finish_is_ignored(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 4; i++) {
		struct crew crew;
		struct tern_spawn_options options = {
			.capacity = RUNS_KEPT, .slice_us = 20, .roaming = i & 1};
		crew_open(&crew, world);
		uint32_t who = crew_add_as(&crew, &options, 100000);
		crew_pause(&crew, who);
		crew_send(&crew, who, 50);
		world_settle(world);
		assert_int_equal(tern_agent_finish(world->self, crew.agents[who], PATIENCE_NS), 0);
		if (i & 2)
			poll_one(world, 0);
		for (int n = 0; n < 10; n++) {
			assert_int_equal(tern_agent_pause(world->self, crew.agents[who]), 0);
			poll_one(world, 0);
			assert_int_equal(crew_state(&crew, who), TERN_STATE_FINISHING);
		}
		assert_in_range(crew.runs->count, 5, 20);
		crew_wait(&crew, 50);
		UNTIL(world, crew.runners[who].probe.stopped == 1);
	}
}

/* Slots are used again and again: no time of the life before counts, in either direction. */
static void each_life_has_a_finish_of_its_own(void **state)
{
	enum { LIVES = 3000 };
	struct world *world = *state;
	const struct tern_engine *engine = world->engine;
	tern_address *before = world_memory(world, engine->slots * sizeof(*before));
	uint32_t reused = 0;
	for (uint32_t i = 0; i < LIVES; i++) {
		struct probe *probe = world_probes(world, 1);
		struct tern_spawn_options options = {.roaming = i % 2};
		tern_address agent = spawn_paused(world, probe, &options);
		tern_address *old = &before[tern_address_slot(agent)];
		const uint64_t *by = &engine->reserves[tern_address_slot(agent)].finish_by;
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		if (i % 3 == 0)
			assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
		uint64_t asked = *by;
		if (*old) {
			assert_int_equal(tern_agent_finish(world->self, *old, 0), -ESRCH);
			assert_int_equal(*by, asked);
			reused++;
		}
		if (i % 3 == 1)
			assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
		if (i % 3 == 2)
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
		settle_fully(world);
		assert_int_equal(probe->stopped, 1);
		assert_int_equal(probe->handled, i % 3 != 2);
		*old = agent;
	}
	assert_true(reused > LIVES / 3);
}

/* Each turn looks at some, once round: those that wait for their time cost no turn more. */
static void a_turn_looks_at_some(void **state)
{
	enum { COUNT = 5000 };
	struct world *world = *state;
	struct probe *probes = world_probes(world, COUNT);
	tern_address *agents = world_memory(world, COUNT * sizeof(*agents));
	struct tern_lcore *lcore = &world->engine->lcores[0];
	for (uint32_t i = 0; i < COUNT; i++)
		agents[i] = spawn_on(world->self, 0, &probe_behaviour, &probes[i]);
	world_settle(world);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_agent_finish(world->self, agents[i], PATIENCE_NS), 0);
	for (uint32_t turn = 1; turn < COUNT / LOOKS; turn++) {
		uint32_t left = lcore->pending.finishing.count;
		poll_one(world, 0);
		uint64_t stopped = stopped_of(probes, COUNT);
		assert_true(stopped <= turn * LOOKS);
		assert_true(turn < 3 || lcore->pending.finishing.count >= left - LOOKS);
	}
	for (uint32_t i = 0; i < 4; i++)
		poll_one(world, 0);
	assert_int_equal(stopped_of(probes, COUNT), COUNT);
	assert_int_equal(lcore->pending.finishing.count, 0);
}

/* The lane is filled again before each turn: no turn leaves it empty. */
static void a_flood_to_another_does_not_put_it_off(void **state)
{
	struct world *world = *state;
	struct probe *probes = world_probes(world, 2);
	tern_address other = spawn_on(world->self, 0, &probe_behaviour, &probes[0]);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, &probes[1]);
	uint64_t sent = 0;
	world_settle(world);
	while (send_number(world->self, other, 1, 0) == 0)
		;
	poll_one(world, 0);
	while (send_number(world->self, agent, 1, sent) == 0)
		sent++;
	assert_true(sent > 0);
	assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
	for (int turn = 0; turn < 8; turn++) {
		poll_one(world, 0);
		while (send_number(world->self, other, 1, 0) == 0)
			;
	}
	assert_int_equal(probes[1].stopped, 1);
	assert_int_equal(probes[1].handled, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_BOTH(twenty_thousand_asked_by_a_thread, many),
		SET_BOTH(thousands_asked_by_a_handler, narrow),
		SET_POLLED(a_deadline_is_kept, brisk),
		POLLED(the_earliest_of_several_counts),
		POLLED(a_pause_after_a_finish_is_ignored),
		SET_POLLED(each_life_has_a_finish_of_its_own, few),
		SET_POLLED(a_turn_looks_at_some, narrow),
		SET_POLLED(a_flood_to_another_does_not_put_it_off, narrow),
	};
	return cmocka_run_group_tests_name("finish_many", tests, NULL, NULL);
}
