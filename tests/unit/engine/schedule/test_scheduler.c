/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a policy of the program's own is told all it needs and decides who runs; one that errs
 * harms nobody but those it holds back.
 * Method: a policy that keeps a stack of places and all it was told, and can be told to
 * withhold them or to name others.
 */
#include "tests/unit/engine/runs.h"

enum { PLACES_KEPT = 256 };

/* One deck per test: its one lcore's. */
static struct deck {
	uint32_t places;
	uint64_t seed;
	uint32_t inits;
	uint32_t pushes;
	uint32_t pops;
	uint32_t height;
	uint32_t stack[PLACES_KEPT];
	struct tern_task tasks[PLACES_KEPT]; /* by push */
	uint64_t ran_ns[PLACES_KEPT];	     /* by run */
	uint32_t ran_signals[PLACES_KEPT];
	uint32_t ran_place[PLACES_KEPT];
	uint32_t runs;
	uint64_t last_now;
	uint64_t wrong; /* state not zeroed, not ours; time that goes back */
	bool withholds;
	uint32_t lies; /* names so many wrong places before each right one */
	uint32_t lied;
} deck;

struct deck_state {
	uint64_t zero;
	uint64_t mine;
};

static size_t deck_bytes(uint32_t places)
{
	deck.places = places;
	return sizeof(struct deck_state);
}

static void deck_init(void *state, uint32_t places, uint64_t seed)
{
	struct deck_state *own = state;
	deck.wrong += own->zero != 0 || own->mine != 0 || places != deck.places;
	own->mine = 7;
	deck.inits++;
	deck.seed ^= seed; /* 0 after two equal ones */
}

static void deck_push(void *state, uint32_t place, const struct tern_task *task)
{
	const struct deck_state *own = state;
	deck.wrong += own->mine != 7 || place >= deck.places || deck.height == PLACES_KEPT;
	if (deck.pushes < PLACES_KEPT)
		deck.tasks[deck.pushes] = *task;
	deck.pushes++;
	deck.stack[deck.height++] = place;
}

/* A place that nobody pushed: none at all, an agent at rest, or one popped before. */
static uint32_t lie(void)
{
	static const uint32_t places[] = {UINT32_MAX, 0, 1, 5};
	uint32_t which = deck.lied++ % 6;
	if (which == 4)
		return deck.places;
	return which == 5 ? deck.ran_place[0] : places[which];
}

static bool deck_pop(void *state, uint64_t now_ns, uint32_t *place)
{
	(void)state;
	deck.pops++;
	deck.wrong += now_ns < deck.last_now;
	deck.last_now = now_ns;
	if (deck.withholds || !deck.height)
		return false;
	if (deck.lies && deck.lied % (deck.lies + 1) < deck.lies) {
		*place = lie();
		return true;
	}
	deck.lied++;
	*place = deck.stack[--deck.height];
	return true;
}

static void deck_ran(void *state, uint32_t place, uint64_t ns, uint32_t signals)
{
	(void)state;
	if (deck.runs < PLACES_KEPT) {
		deck.ran_place[deck.runs] = place;
		deck.ran_ns[deck.runs] = ns;
		deck.ran_signals[deck.runs] = signals;
	}
	deck.runs++;
}

static const struct tern_scheduler deck_scheduler = {.name = "deck",
						     .bytes = deck_bytes,
						     .init = deck_init,
						     .push = deck_push,
						     .pop = deck_pop,
						     .ran = deck_ran};

static void one_deck(struct tern_config *config)
{
	deck = (struct deck){0};
	config->lcore_count = 1;
	config->schedules[0] = TERN_SCHEDULE_CUSTOM;
	config->scheduler = &deck_scheduler;
	config->turn_signals = 3;
}

static void two_decks(struct tern_config *config)
{
	one_deck(config);
	config->lcore_count = 2;
}

static void least_deck(struct tern_config *config)
{
	static const struct tern_scheduler least = {
		.name = "least", .push = deck_push, .pop = deck_pop};
	one_deck(config);
	config->scheduler = &least;
}

static void open_five(struct crew *crew, struct world *world, uint32_t signals, uint64_t cost_ns)
{
	crew_open(crew, world);
	for (uint32_t i = 0; i < 5; i++) {
		crew_add(crew, TERN_PRIORITY_NORMAL, cost_ns);
		crew_load(crew, i, signals);
	}
}

static void it_decides_who_runs(void **state)
{
	static const uint8_t order[] = {4, 4, 3, 3, 2, 2, 1, 1, 0, 0};
	struct crew crew;
	open_five(&crew, *state, 2, 0);
	crew_go(&crew);
	crew_wait(&crew, 10);
	assert_memory_equal(crew.runs->who, order, 10);
	assert_int_equal(deck.wrong, 0);
}

static void it_learns_what_it_needs(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	struct tern_spawn_options options = {.priority = TERN_PRIORITY_HIGH, .slice_us = 1000};
	uint32_t who = crew_add_as(&crew, &options, 10000);
	crew_load(&crew, who, 8);
	uint32_t pushes = deck.pushes, runs = deck.runs;
	crew_go(&crew);
	crew_wait(&crew, 8);
	world_settle(world);
	assert_int_equal(deck.pushes - pushes, 3);
	assert_int_equal(deck.runs - runs, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct tern_task *task = &deck.tasks[pushes + i];
		assert_int_equal(task->agent, crew.agents[who]);
		assert_int_equal(task->priority, TERN_PRIORITY_HIGH);
		assert_int_equal(task->queued, 8 - 3 * i);
		assert_int_equal(task->ran_ns, 30000 * i);
		assert_int_equal(task->rate, 0);
		assert_int_equal(deck.ran_ns[runs + i], i < 2 ? 30000 : 20000);
		assert_int_equal(deck.ran_signals[runs + i], i < 2 ? 3 : 2);
	}
	assert_int_equal(deck.inits, 1);
	assert_int_equal(deck.wrong, 0);
}

static void each_lcore_has_its_state(void **state)
{
	(void)state;
	assert_int_equal(deck.inits, 2);
	assert_true(deck.seed != 0);
	assert_int_equal(deck.wrong, 0);
}

static void only_push_and_pop_are_needed(void **state)
{
	struct tern_config config;
	struct tern_scheduler none = {.name = "none", .push = deck_push};
	(void)state;
	world_config(&config, true);
	least_deck(&config);
	assert_int_equal(tern_config_check(&config, NULL), 0);
	config.scheduler = &none;
	assert_int_equal(tern_config_check(&config, NULL), -EINVAL);
	config.scheduler = NULL;
	assert_int_equal(tern_config_check(&config, NULL), -EINVAL);
}

static void it_may_hold_back(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_five(&crew, world, 2, 0);
	uint32_t pops = deck.pops;
	deck.withholds = true;
	crew_go(&crew);
	for (int i = 0; i < 50; i++)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(crew.runs->count, 0);
	assert_true(deck.pops > pops + 10);
	deck.withholds = false;
	crew_wait(&crew, 10);
}

/* What it names and does not hold is not run, and nothing is lost by it. */
static void a_wrong_place_does_no_harm(void **state)
{
	struct world *world = *state;
	struct probe *idle = world_probes(world, 1);
	struct crew crew;
	spawn_on(world->self, 0, &probe_behaviour, idle); /* the first place after the system's */
	open_five(&crew, world, 40, 0);
	deck.lies = 5;
	crew_go(&crew);
	crew_wait(&crew, 200);
	assert_true(deck.lied > 200);
	assert_int_equal(idle->handled, 0);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(crew.runners[i].probe.handled, 40);
		assert_int_equal(crew.runners[i].probe.early, 0);
	}
	deck.lies = 0;
}

/* An agent that ended while the policy held it ends when it is named, and is gone then. */
static void who_ended_meanwhile_is_taken_like_any_other(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_five(&crew, world, 2, 0);
	deck.withholds = true;
	crew_go(&crew);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(deck.height, 5);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[2]), 0);
	crew_pause(&crew, 3);
	deck.withholds = false;
	world_settle(world);
	assert_int_equal(deck.height, 0);
	assert_int_equal(crew.runs->count, 6);
	assert_int_equal(crew.runners[2].probe.stopped, 1);
	assert_int_equal(crew.runners[2].probe.handled, 0);
	assert_false(tern_agent_alive(world->self, crew.agents[2]));
	assert_int_equal(tern_agent_resume(world->self, crew.agents[3]), 0);
	crew_wait(&crew, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_BOTH(it_decides_who_runs, one_deck),
		SET_POLLED(it_learns_what_it_needs, one_deck),
		SET_POLLED(each_lcore_has_its_state, two_decks),
		cmocka_unit_test(only_push_and_pop_are_needed),
		SET_POLLED(it_may_hold_back, one_deck),
		SET_POLLED(a_wrong_place_does_no_harm, one_deck),
		SET_POLLED(who_ended_meanwhile_is_taken_like_any_other, one_deck),
	};
	return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
