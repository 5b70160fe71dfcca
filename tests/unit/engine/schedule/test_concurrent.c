/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: under max_concurrent no more agents than that are between their first signal and an
 * empty mailbox, on all lcores together; all get through; who stops, fails or is paused leaves
 * its place to the next, and who goes on waits for a place again.
 * Method: agents that count themselves in at their first signal and out at their last.
 */
#include "tests/unit/engine/runs.h"

/* Of all crews' agents: how many are at it, and how many ever were at once. */
struct census {
	uint64_t in;
	uint64_t most;
};

struct citizen {
	struct runner runner;
	struct census *census;
	uint64_t quota;
};

TERN_HANDLER(static, citizen_handle)
{
	struct citizen *citizen = state;
	struct census *census = citizen->census;
	uint64_t nth = citizen->runner.probe.handled + 1;
	if (nth % citizen->quota == 1) {
		uint64_t in = __atomic_add_fetch(&census->in, 1, __ATOMIC_ACQ_REL);
		uint64_t most = seen(&census->most);
		while (in > most &&
		       !__atomic_compare_exchange_n(&census->most, &most, in, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
	}
	probe_handle(self, &citizen->runner.probe, signal);
	if (nth % citizen->quota == 0)
		__atomic_sub_fetch(&census->in, 1, __ATOMIC_ACQ_REL);
}

static const struct tern_behaviour citizen_behaviour = {
	.name = "citizen", .handler = citizen_handle, .on_start = probe_start};

static void at_most(struct tern_config *config, uint32_t agents, uint32_t turn_signals)
{
	config->max_concurrent = agents;
	config->turn_signals = turn_signals;
}

static void one(struct tern_config *config)
{
	at_most(config, 1, 2);
}

static void three(struct tern_config *config)
{
	at_most(config, 3, 2);
}

static void no_limit(struct tern_config *config)
{
	at_most(config, 0, 2);
}

enum { CITIZENS = 12, QUOTA = 40 };

static void open_citizens(struct world *world, struct census *census, struct citizen *citizens,
			  tern_address *agents)
{
	for (uint32_t i = 0; i < CITIZENS; i++) {
		citizens[i].census = census;
		citizens[i].quota = QUOTA;
		agents[i] = spawn_on(world->self, i % tern_engine_lcores(world->engine),
				     &citizen_behaviour, &citizens[i]);
	}
}

static bool is_paused(const struct world *world, tern_address agent)
{
	enum tern_agent_state found = TERN_STATE_ENDING;
	(void)!tern_agent_state(world->self, agent, &found);
	return found == TERN_STATE_PAUSED;
}

static uint32_t waiting_for(const struct world *world, tern_address agent)
{
	struct tern_agent_stats stats = {0};
	(void)!tern_agent_stats(world->engine, agent, &stats);
	return stats.queued;
}

/* Returns the most that were at it at once. */
static uint64_t count_citizens(struct world *world)
{
	struct census *census = world_memory(world, sizeof(*census));
	struct citizen *citizens = world_memory(world, CITIZENS * sizeof(*citizens));
	tern_address agents[CITIZENS];
	open_citizens(world, census, citizens, agents);
	for (uint64_t round = 1; round <= 3; round++) {
		for (uint32_t i = 0; i < CITIZENS; i++) {
			assert_int_equal(tern_agent_pause(world->self, agents[i]), 0);
			UNTIL(world, is_paused(world, agents[i]));
			for (uint64_t j = 0; j < QUOTA; j++)
				UNTIL(world, send_number(world->self, agents[i], 1, j) == 0);
			UNTIL(world, waiting_for(world, agents[i]) == QUOTA);
		}
		for (uint32_t i = 0; i < CITIZENS; i++)
			assert_int_equal(tern_agent_resume(world->self, agents[i]), 0);
		for (uint32_t i = 0; i < CITIZENS; i++)
			UNTIL(world, seen(&citizens[i].runner.probe.handled) == round * QUOTA);
	}
	assert_int_equal(seen(&census->in), 0);
	return seen(&census->most);
}

static void one_at_a_time(void **state)
{
	assert_int_equal(count_citizens(*state), 1);
}

static void three_at_a_time(void **state)
{
	const struct world *world = *state;
	uint64_t most = count_citizens(*state);
	assert_in_range(most, world->polled ? 3 : 1, 3);
}

/* That the count above would show more: one lcore's at least, which are ready at once. */
static void without_a_limit_there_are_more(void **state)
{
	assert_int_equal(count_citizens(*state), CITIZENS / 2);
}

/* Three agents with one signal a turn: 0 has the one place, 1 and 2 wait for it. */
static void open_three(struct crew *crew, struct world *world)
{
	crew_open(crew, world);
	for (uint32_t i = 0; i < 3; i++) {
		crew_add_slow(crew, TERN_PRIORITY_NORMAL, 0);
		crew_load(crew, i, 10);
	}
	crew_go(crew);
	while (crew->runs->count < 3)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(runs_of(crew->runs, 0, 0, 3), 3);
}

static void a_stopped_agent_leaves_its_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_three(&crew, world);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[0]), 0);
	crew_wait(&crew, 23);
	assert_int_equal(crew.runners[0].probe.stopped, 1);
	assert_int_equal(runs_in_a_row(crew.runs, 1), 10);
	assert_int_equal(runs_in_a_row(crew.runs, 2), 10);
}

static void a_failed_agent_leaves_its_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_three(&crew, world);
	crew.runners[0].fail_at = 5;
	crew_wait(&crew, 25);
	assert_int_equal(crew.runners[0].probe.why, TERN_END_FAILED);
	assert_int_equal(runs_in_a_row(crew.runs, 1), 10);
	assert_int_equal(runs_in_a_row(crew.runs, 2), 10);
}

static void a_paused_agent_leaves_its_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_three(&crew, world);
	crew_pause(&crew, 0);
	crew_wait(&crew, 23);
	assert_int_equal(runs_in_a_row(crew.runs, 1), 10);
	assert_int_equal(runs_in_a_row(crew.runs, 2), 10);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[0]), 0);
	crew_wait(&crew, 30);
}

/* Paused while it waits: it takes no place that it cannot use. */
static void a_paused_agent_takes_no_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_three(&crew, world);
	crew_pause(&crew, 1);
	crew_wait(&crew, 20);
	assert_int_equal(crew.runners[2].probe.handled, 10);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[1]), 0);
	crew_wait(&crew, 30);
}

static void a_stopped_agent_that_waited_takes_no_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_three(&crew, world);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[1]), 0);
	crew_wait(&crew, 20);
	assert_int_equal(crew.runners[1].probe.stopped, 1);
	assert_int_equal(runs_in_a_row(crew.runs, 2), 10);
}

/*
 * Its place went to the next meanwhile: it waits until that one is through, although it would be
 * its turn long before.
 */
static void who_goes_on_waits_again(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t first = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t second = crew_add_slow(&crew, TERN_PRIORITY_HIGH, 0);
	crew_load(&crew, first, 10);
	crew_load(&crew, second, 2 * TERN_STARVATION_NORMAL);
	crew_go(&crew);
	while (crew.runs->count < 3)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(tern_agent_pause(world->self, crew.agents[first]), 0);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(crew.runs->who[3], second);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[first]), 0);
	crew_wait(&crew, 10 + 2 * TERN_STARVATION_NORMAL);
	assert_int_equal(runs_in_a_row(crew.runs, (uint8_t)second), 2 * TERN_STARVATION_NORMAL);
}

/* What waits for a thread takes no place: the thread may look at it whenever it likes. */
static void a_thread_takes_no_place(void **state)
{
	struct world *world = *state;
	struct crew crew;
	struct runner runner = {.probe = {.started = 1}, .cost_ns = 100000};
	crew_open(&crew, world);
	runner.runs = world_memory(world, sizeof(struct runs));
	struct tern_agent *self = tern_thread_attach(world->engine, &runner_behaviour, &runner);
	assert_non_null(self);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(send_number(world->self, tern_self(self), 1, i), 0);
	tern_thread_poll(self);
	assert_in_range(runner.probe.handled, 1, 299);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_send(&crew, who, 10);
	crew_wait(&crew, 10);
	UNTIL(world, (tern_thread_poll(self), runner.probe.handled == 300));
	tern_thread_detach(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_BOTH(one_at_a_time, one),
		SET_BOTH(three_at_a_time, three),
		SET_POLLED(without_a_limit_there_are_more, no_limit),
		SET_POLLED(a_stopped_agent_leaves_its_place, one),
		SET_POLLED(a_failed_agent_leaves_its_place, one),
		SET_POLLED(a_paused_agent_leaves_its_place, one),
		SET_POLLED(a_paused_agent_takes_no_place, one),
		SET_POLLED(a_stopped_agent_that_waited_takes_no_place, one),
		SET_POLLED(who_goes_on_waits_again, one),
		SET_POLLED(a_thread_takes_no_place, one),
	};
	return cmocka_run_group_tests_name("concurrent", tests, NULL, NULL);
}
