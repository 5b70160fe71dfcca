/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an engine changes its scheduling policy while it runs: from its next turn on an lcore
 * chooses by the new one, no ready agent is lost or runs twice, and all that is refused changes
 * nothing. Method: a crew whose list of runs shows the order before and after; agents of all sorts
 * under random changes by seed; senders on threads while the policy goes back and forth; a policy
 * of the test's own that can keep agents to itself.
 */
#include "tests/unit/engine/runs.h"

enum { SEEDS_EACH_TIME = 60, FLOOD = 200000 };

/* A stack of places; while it is told to, it gives none, or only to who asks for all. */
struct pile {
	uint32_t height;
	uint32_t places[4096];
};

static struct pile_orders {
	uint64_t inits;
	uint64_t unclean;  /* states that were not zeroed */
	uint64_t withhold; /* 1: for now; 2: whoever asks */
} orders;

static size_t pile_bytes(uint32_t places)
{
	(void)places;
	return sizeof(struct pile);
}

static void pile_init(void *state, uint32_t places, uint64_t seed)
{
	const struct pile *pile = state;
	(void)places;
	(void)seed;
	if (pile->height || pile->places[0])
		note(&orders.unclean);
	note(&orders.inits);
}

static void pile_push(void *state, uint32_t place, const struct tern_task *task)
{
	struct pile *pile = state;
	(void)task;
	pile->places[pile->height++] = place;
}

static bool pile_pop(void *state, uint64_t now_ns, uint32_t *place)
{
	struct pile *pile = state;
	uint64_t withhold = seen(&orders.withhold);
	if (!pile->height || withhold == 2 || (withhold && now_ns != UINT64_MAX))
		return false;
	*place = pile->places[--pile->height];
	return true;
}

static const struct tern_scheduler pile_scheduler = {
	.name = "pile", .bytes = pile_bytes, .init = pile_init, .push = pile_push, .pop = pile_pop};

static void one_a_run(struct tern_config *config)
{
	struct tern_error error = {""};
	orders = (struct pile_orders){0};
	config->turn_signals = 1;
	config->metrics_interval_ms = 0;
	if (tern_config_set(config, "scheduler.policy=priority", &error) != 0)
		fail_msg("%s", error.text);
}

static void by_rate(struct tern_config *config)
{
	one_a_run(config);
	config->schedules[0] = TERN_SCHEDULE_RATE;
}

static void ask_for(struct world *world, enum tern_schedule schedule)
{
	assert_int_equal(
		tern_engine_reschedule(world->engine, TERN_LCORES_ALL, schedule, &pile_scheduler),
		0);
}

static void change_to(struct world *world, enum tern_schedule schedule)
{
	ask_for(world, schedule);
	UNTIL(world, tern_engine_rescheduled(world->engine));
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++)
		assert_int_equal(tern_engine_schedule(world->engine, i), schedule);
}

/* Four agents of falling priority that take 10 us a signal: a turn of 20 us is a few runs. */
static void open_four(struct crew *crew, struct world *world)
{
	static const enum tern_priority priorities[] = {TERN_PRIORITY_LOW, TERN_PRIORITY_NORMAL,
							TERN_PRIORITY_HIGH, TERN_PRIORITY_CRITICAL};
	crew_open(crew, world);
	for (uint32_t i = 0; i < 4; i++) {
		crew_add(crew, priorities[i], 10000);
		crew_load(crew, i, 200);
	}
	crew_go(crew);
}

/* So many runs, but for who else ran in the turn of the last. */
static uint64_t run_some(struct crew *crew, uint64_t runs)
{
	uint64_t from = crew->runs->count;
	while (crew->runs->count < from + runs)
		assert_true(tern_lcore_poll(tern_engine_lcore(crew->world->engine, 0)) > 0);
	return from;
}

static void assert_in_turn(const struct runs *runs, uint64_t from)
{
	for (uint64_t i = from + 4; i < runs->count; i++)
		assert_int_equal(runs->who[i], runs->who[i - 4]);
	for (uint8_t who = 0; who < 4; who++)
		assert_true(runs_of(runs, who, from, from + 4) == 1);
}

/* The highest, but for one run in 17 that the starvation bounds give to others. */
static void assert_first(const struct runs *runs, uint8_t who, uint64_t from)
{
	uint64_t all = runs->count - from;
	assert_true(runs_of(runs, who, from, runs->count) >= all - all / 16 - 3);
}

/* Each policy in its turn, with the same agents ready all the time. */
static void the_order_is_the_new_policys(void **state)
{
	struct world *world = *state;
	struct crew crew;
	open_four(&crew, world);
	uint64_t from = run_some(&crew, 10);
	assert_first(crew.runs, 3, from);
	ask_for(world, TERN_SCHEDULE_ROUND_ROBIN);
	assert_false(tern_engine_rescheduled(world->engine));
	assert_int_equal(tern_engine_schedule(world->engine, 0), TERN_SCHEDULE_PRIORITY);
	from = run_some(&crew, 40);
	assert_in_turn(crew.runs, from);
	/* The other lcore takes it up when it has a turn. */
	tern_lcore_poll(tern_engine_lcore(world->engine, 1));
	assert_true(tern_engine_rescheduled(world->engine));
	change_to(world, TERN_SCHEDULE_PRIORITY);
	from = run_some(&crew, 40);
	assert_first(crew.runs, 3, from);
	change_to(world, TERN_SCHEDULE_CUSTOM);
	/* A stack: whoever ran is on top again. */
	from = run_some(&crew, 20);
	assert_int_equal(runs_of(crew.runs, crew.runs->who[from], from, crew.runs->count),
			 crew.runs->count - from);
	change_to(world, TERN_SCHEDULE_FAIR_SHARE);
	from = run_some(&crew, 80);
	for (uint8_t who = 0; who < 4; who++)
		assert_in_range(runs_of(crew.runs, who, from, from + 80), 18, 22);
	crew_wait(&crew, 800);
}

static uint64_t queued_of(struct world *world, tern_address agent, struct probe *probe)
{
	struct tern_lcore_stats before, after;
	tern_lcore_stats(world->engine, 0, &before);
	for (uint64_t i = probe->handled, end = i + 100; i < end; i++) {
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
		world_settle(world);
		assert_int_equal(probe->handled, i + 1);
	}
	tern_lcore_stats(world->engine, 0, &after);
	return after.queued - before.queued;
}

/* Signals to an idle agent go through the policies that want to see them, and through no other. */
static void signals_run_in_place_where_they_may(void **state)
{
	static const enum tern_schedule all[] = {TERN_SCHEDULE_ROUND_ROBIN,
						 TERN_SCHEDULE_FAIR_SHARE, TERN_SCHEDULE_CUSTOM};
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	world_settle(world);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(queued_of(world, agent, probe), 0);
		change_to(world, all[i]);
		assert_int_equal(queued_of(world, agent, probe), 100);
		change_to(world, i % 2 ? TERN_SCHEDULE_PRIORITY : TERN_SCHEDULE_RATE);
	}
	assert_int_equal(queued_of(world, agent, probe), 0);
}

/* Who ran much under fair share, before and under another policy, begins as the others do. */
static void fair_share_begins_anew(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	change_to(world, TERN_SCHEDULE_FAIR_SHARE);
	uint32_t busy = crew_add(&crew, TERN_PRIORITY_NORMAL, 10000);
	crew_load(&crew, busy, 1000);
	crew_go(&crew);
	crew_wait(&crew, 1000);
	change_to(world, TERN_SCHEDULE_PRIORITY);
	uint32_t fresh = crew_add(&crew, TERN_PRIORITY_NORMAL, 10000);
	crew_load(&crew, busy, 100);
	crew_load(&crew, fresh, 100);
	change_to(world, TERN_SCHEDULE_FAIR_SHARE);
	crew_go(&crew);
	uint64_t from = run_some(&crew, 40);
	assert_in_range(runs_of(crew.runs, (uint8_t)busy, from, from + 40), 19, 21);
	crew_wait(&crew, 1200);
}

/* One whose tokens are used up waits under its policy alone. */
static void who_waits_for_a_rate_is_let_go(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	struct tern_spawn_options options = {.rate = 1, .rate_burst = 1, .capacity = RUNS_KEPT};
	uint32_t rated = crew_add_as(&crew, &options, 0);
	crew_load(&crew, rated, 20);
	crew_go(&crew);
	world_settle(world);
	assert_int_equal(crew.runs->count, 1);
	change_to(world, TERN_SCHEDULE_PRIORITY);
	world_settle(world);
	assert_int_equal(crew.runs->count, 20);
	tern_address agent = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, NULL, &options, &agent),
			 -EINVAL);
	/* Its rate counts again, where it does. */
	change_to(world, TERN_SCHEDULE_RATE);
	tern_engine_advance(world->engine, 1000000000);
	crew_load(&crew, rated, 3);
	crew_go(&crew);
	world_settle(world);
	assert_int_equal(crew.runs->count, 21);
	change_to(world, TERN_SCHEDULE_ROUND_ROBIN);
	crew_wait(&crew, 23);
}

static void what_is_refused_changes_nothing(void **state)
{
	struct world *world = *state;
	struct tern_engine *engine = world->engine;
	struct tern_scheduler no_pop = pile_scheduler;
	no_pop.pop = NULL;
	enum tern_schedule beyond = (enum tern_schedule)(TERN_SCHEDULE_CUSTOM + 1);
	const struct tern_scheduler *none = NULL;
	uint32_t all = TERN_LCORES_ALL;
	assert_int_equal(tern_engine_reschedule(engine, all, beyond, none), -EINVAL);
	assert_int_equal(tern_engine_reschedule(engine, all, (enum tern_schedule) - 1, none),
			 -EINVAL);
	assert_int_equal(tern_engine_reschedule(engine, all, TERN_SCHEDULE_CUSTOM, none), -EINVAL);
	assert_int_equal(tern_engine_reschedule(engine, 0, TERN_SCHEDULE_CUSTOM, &no_pop), -EINVAL);
	assert_int_equal(tern_engine_reschedule(engine, 64, TERN_SCHEDULE_RATE, none), -ENODEV);
	assert_true(tern_engine_rescheduled(engine));
	for (uint32_t i = 0; i < tern_engine_lcores(engine); i++)
		assert_int_equal(tern_engine_schedule(engine, i), TERN_SCHEDULE_PRIORITY);
	if (!world->polled)
		return;
	/* One after the other on each lcore, on two beside each other. */
	assert_int_equal(tern_engine_reschedule(engine, 1, TERN_SCHEDULE_RATE, none), 0);
	assert_int_equal(tern_engine_reschedule(engine, 1, TERN_SCHEDULE_PRIORITY, none), -EBUSY);
	assert_int_equal(tern_engine_reschedule(engine, all, TERN_SCHEDULE_PRIORITY, none), -EBUSY);
	assert_int_equal(tern_engine_reschedule(engine, 0, TERN_SCHEDULE_ROUND_ROBIN, none), 0);
	UNTIL(world, tern_engine_rescheduled(engine));
	assert_int_equal(tern_engine_schedule(engine, 0), TERN_SCHEDULE_ROUND_ROBIN);
	assert_int_equal(tern_engine_schedule(engine, 1), TERN_SCHEDULE_RATE);
	/* One is left to the end of the world. */
	assert_int_equal(tern_engine_reschedule(engine, 1, TERN_SCHEDULE_CUSTOM, &pile_scheduler),
			 0);
}

/* A policy of one's own gives up all it has, or stays, with all it has. */
static void a_policy_that_keeps_agents_stays(void **state)
{
	struct world *world = *state;
	struct crew crew;
	change_to(world, TERN_SCHEDULE_CUSTOM);
	assert_int_equal(orders.inits, 2);
	open_four(&crew, world);
	put(&orders.withhold, 2);
	world_settle(world);
	uint64_t ran = crew.runs->count;
	assert_true(ran < 800);
	ask_for(world, TERN_SCHEDULE_PRIORITY);
	for (int i = 0; i < 10; i++)
		world_poll(world);
	assert_false(tern_engine_rescheduled(world->engine));
	assert_int_equal(tern_engine_schedule(world->engine, 0), TERN_SCHEDULE_CUSTOM);
	assert_int_equal(crew.runs->count, ran);
	/* For itself it gives none still, to another all. */
	put(&orders.withhold, 1);
	crew_wait(&crew, 800);
	assert_true(tern_engine_rescheduled(world->engine));
	put(&orders.withhold, 0);
	change_to(world, TERN_SCHEDULE_CUSTOM);
	assert_int_equal(orders.inits, 4);
	assert_int_equal(orders.unclean, 0);
}

/* Agents of all sorts, sent to while the policy changes: each handles each signal once, in order.
 */
struct load {
	struct sink *sinks;
	tern_address agents[12];
	uint64_t sent[12];
};

static void open_load(struct load *load, struct world *world, struct tern_rng *rng)
{
	*load = (struct load){.sinks = world_memory(world, 12 * sizeof(struct sink))};
	for (uint32_t i = 0; i < 12; i++) {
		struct tern_spawn_options options = {
			.lcore = pick(rng, tern_engine_lcores(world->engine)),
			.priority = (enum tern_priority)((int)pick(rng, 4) - 1),
			.slice_us = pick(rng, 3) ? 0 : 5,
			.roaming = pick(rng, 3) == 0,
			.exact = pick(rng, 5) == 0};
		assert_int_equal(tern_spawn(world->self, &sink_behaviour, &load->sinks[i], &options,
					    &load->agents[i]),
				 0);
	}
}

static void send_some(struct load *load, struct world *world, struct tern_rng *rng)
{
	for (uint32_t left = pick(rng, 200); left; left--) {
		uint32_t i = pick(rng, 12);
		if (send_number(world->self, load->agents[i], 1, load->sent[i]) == 0)
			load->sent[i]++;
	}
}

static void assert_all_handled(const struct load *load, struct world *world)
{
	for (uint32_t i = 0; i < 12; i++) {
		UNTIL(world, seen(&load->sinks[i].expected) == load->sent[i]);
		assert_int_equal(load->sinks[i].wrong, 0);
	}
}

static void change_at_random(uint64_t seed)
{
	struct tern_rng rng = tern_rng_stream(seed, 0);
	struct tern_config config;
	struct world world;
	struct load load;
	world_config(&config, true);
	one_a_run(&config);
	config.turn_signals = 1 + pick(&rng, 8);
	config.max_concurrent = pick(&rng, 3) ? 0 : 3;
	config.seed = seed;
	world_open(&world, &config);
	open_load(&load, &world, &rng);
	for (int step = 0; step < 60; step++) {
		uint32_t lcore = pick(&rng, 3);
		enum tern_schedule schedule = (enum tern_schedule)pick(&rng, 5);
		(void)tern_engine_reschedule(world.engine, lcore == 2 ? TERN_LCORES_ALL : lcore,
					     schedule, &pile_scheduler);
		send_some(&load, &world, &rng);
		for (uint32_t turns = pick(&rng, 6); turns; turns--)
			tern_lcore_poll(tern_engine_lcore(world.engine, pick(&rng, 2)));
		tern_engine_advance(world.engine, pick(&rng, 5000));
	}
	assert_all_handled(&load, &world);
	assert_true(tern_engine_rescheduled(world.engine));
	world_close(&world);
}

static void random_changes_lose_nobody(void **state)
{
	const char *given = getenv("TERN_SEEDS");
	uint64_t seed = test_seed(1), seeds = given ? strtoull(given, NULL, 0) : SEEDS_EACH_TIME;
	(void)state;
	for (uint64_t i = 0; i < seeds; i++)
		change_at_random(seed + i);
}

/* As fast as the engine takes them up, with signals under way all the time. */
static void changes_under_load_lose_nobody(void **state)
{
	struct world *world = *state;
	struct tern_rng rng = tern_rng_stream(test_seed(3), 1);
	struct load load;
	uint64_t all = 0, changes = 0;
	open_load(&load, world, &rng);
	while (all < FLOOD || changes < 50) {
		if (tern_engine_rescheduled(world->engine)) {
			ask_for(world, (enum tern_schedule)pick(&rng, 5));
			changes++;
		}
		send_some(&load, world, &rng);
		tern_thread_poll(world->self);
		all = 0;
		for (uint32_t i = 0; i < 12; i++)
			all += load.sent[i];
	}
	assert_all_handled(&load, world);
	UNTIL(world, tern_engine_rescheduled(world->engine));
	assert_int_equal(orders.unclean, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_POLLED(the_order_is_the_new_policys, one_a_run),
		SET_POLLED(signals_run_in_place_where_they_may, one_a_run),
		SET_POLLED(fair_share_begins_anew, one_a_run),
		SET_POLLED(who_waits_for_a_rate_is_let_go, by_rate),
		SET_BOTH(what_is_refused_changes_nothing, one_a_run),
		SET_POLLED(a_policy_that_keeps_agents_stays, one_a_run),
		cmocka_unit_test(random_changes_lose_nobody),
		SET_THREADED(changes_under_load_lose_nobody, one_a_run),
	};
	return cmocka_run_group_tests_name("reschedule", tests, NULL, NULL);
}
