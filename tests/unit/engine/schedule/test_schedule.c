/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each policy runs whom it says: fair_share gives equal time, round_robin equal turns,
 * rate_based no more than the rate and no less where there is work; lcores may differ; a run
 * ends with its budget of signals or its slice of time, up to one of a second.
 * Method: a crew with handlers of known cost on the virtual clock, made ready at once; the list
 * of runs and its times are compared with the promise, window by window.
 */
#include "tests/unit/engine/runs.h"

static void choose(struct tern_config *config, const char *policies, uint32_t turn_signals)
{
	struct tern_error error = {""};
	config->turn_signals = turn_signals;
	config->metrics_interval_ms = 0;
	if (tern_config_set(config, policies, &error) != 0)
		fail_msg("%s", error.text);
}

static void fair(struct tern_config *config)
{
	choose(config, "scheduler.policy=fair_share", 4);
}

static void in_turn(struct tern_config *config)
{
	choose(config, "scheduler.policy=round_robin", 1);
}

static void by_rate(struct tern_config *config)
{
	choose(config, "scheduler.policy=rate_based", 256);
}

static void by_lcore(struct tern_config *config)
{
	choose(config, "scheduler.policy=round_robin,priority", 1);
}

static void in_tens(struct tern_config *config)
{
	choose(config, "scheduler.policy=priority", 10);
}

static void by_tenths_of_a_second(struct tern_config *config)
{
	choose(config, "engine.slice_us=100000", 256);
}

static void by_seconds(struct tern_config *config)
{
	choose(config, "engine.slice_us=1000000", 256);
}

/* Most that one agent is ahead of another in time run, over all moments of runs from..to - 1. */
static uint64_t most_ahead(const struct crew *crew, uint64_t from, uint64_t to)
{
	uint64_t busy[CREW_MAX] = {0}, most = 0;
	for (uint64_t i = from; i < to; i++) {
		uint64_t least = UINT64_MAX, longest = 0;
		busy[crew->runs->who[i]] += crew->runners[crew->runs->who[i]].cost_ns;
		for (uint32_t who = 0; who < crew->count; who++) {
			least = busy[who] < least ? busy[who] : least;
			longest = busy[who] > longest ? busy[who] : longest;
		}
		most = longest - least > most ? longest - least : most;
	}
	return most;
}

/* Costs of 1 : 20, priorities the wrong way round: equal time all the same. */
static void fair_share_gives_equal_time(void **state)
{
	static const uint64_t costs[] = {5000, 20000, 100000};
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 3; i++) {
		crew_add(&crew, i == 0 ? TERN_PRIORITY_LOW : TERN_PRIORITY_HIGH, costs[i]);
		crew_load(&crew, i, (uint32_t)(10000000 / costs[i]));
	}
	crew_go(&crew);
	crew_wait(&crew, 2000 + 500 + 100);
	/* A run is four signals. */
	assert_true(most_ahead(&crew, 0, 2500) <= 2 * 4 * 100000);
	for (uint64_t end = 500; end < 2500; end += 500)
		assert_true(runs_of(crew.runs, 0, 0, end) > 0);
}

/* One sleeps while another runs for 10 ms: then both get the same, not the sleeper alone. */
static void fair_share_makes_up_for_no_sleep(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t busy = crew_add(&crew, TERN_PRIORITY_NORMAL, 10000);
	uint32_t sleeper = crew_add(&crew, TERN_PRIORITY_NORMAL, 10000);
	crew_send(&crew, sleeper, 4);
	world_settle(world);
	crew_load(&crew, busy, 2000);
	crew_go(&crew);
	while (crew.runs->count < 1004)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	uint64_t from = crew.runs->count;
	uint32_t newcomer = crew_add(&crew, TERN_PRIORITY_NORMAL, 10000);
	crew_send(&crew, sleeper, 100);
	crew_send(&crew, newcomer, 100);
	while (crew.runs->count < from + 240)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_true(most_ahead(&crew, from + 12, from + 240) <= 2 * 4 * 10000);
	world_settle(world);
	assert_int_equal(crew.runs->count, 2204);
}

static void round_robin_takes_turns(void **state)
{
	static const enum tern_priority priorities[] = {TERN_PRIORITY_LOW, TERN_PRIORITY_CRITICAL,
							TERN_PRIORITY_NORMAL, TERN_PRIORITY_HIGH};
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 4; i++) {
		crew_add(&crew, priorities[i], 0);
		crew_load(&crew, i, 100);
	}
	crew_go(&crew);
	crew_wait(&crew, 400);
	for (uint64_t i = 0; i < 400; i++)
		assert_int_equal(crew.runs->who[i], i % 4);
}

static uint32_t add_rated(struct crew *crew, uint32_t rate, uint32_t burst)
{
	struct tern_spawn_options options = {
		.rate = rate, .rate_burst = burst, .capacity = RUNS_KEPT};
	return crew_add_as(crew, &options, 0);
}

/* No window [at[i], at[j]] holds more than burst + rate * its length. */
static void assert_windows(const struct runs *runs, uint8_t who, uint64_t rate, uint64_t burst)
{
	static uint64_t at[RUNS_KEPT];
	uint64_t count = 0;
	for (uint64_t i = 0; i < runs->count; i++)
		if (runs->who[i] == who)
			at[count++] = runs->at[i];
	for (uint64_t i = 0; i < count; i++)
		for (uint64_t j = i; j < count; j++)
			assert_true((j - i + 1 - (j - i + 1 < burst ? j - i + 1 : burst)) *
					    1000000000u <=
				    rate * (at[j] - at[i]));
}

static void run_rated(struct world *world, uint32_t rate, uint32_t burst, uint64_t step_ns)
{
	struct crew crew;
	crew_open(&crew, world);
	uint32_t rated = add_rated(&crew, rate, burst);
	crew_load(&crew, rated, 3000);
	crew_go(&crew);
	uint64_t start = tern_engine_now(world->engine);
	world_settle(world);
	assert_int_equal(crew.runs->count, burst);
	while (crew.runs->count < 2000) {
		tern_engine_advance(world->engine, step_ns);
		world_settle(world);
	}
	uint64_t span = tern_engine_now(world->engine) - start;
	assert_windows(crew.runs, (uint8_t)rated, rate, burst);
	/* And no less: what came back while it waited is there to be used, but for a step's. */
	double least = (double)burst + ((double)span - (double)step_ns) * rate / 1e9;
	assert_true((double)crew.runs->count >= least * 0.98 - 1);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[rated]), 0);
	world_settle(world);
}

static void a_rate_is_kept_in_every_window(void **state)
{
	run_rated(*state, 1000, 1, 100000);
	run_rated(*state, 100000, 50, 33333);
	run_rated(*state, 1000, 200, 7000000);
	run_rated(*state, 1, 1000, 1000000000);
}

/* 3.33 ns a signal: a fraction that is cut off would let one in ten too many through. */
static void a_rate_between_ticks_is_kept(void **state)
{
	run_rated(*state, 300000000, 500, 1000);
}

static void who_has_no_rate_has_no_limit(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t rated = add_rated(&crew, 1000, 1);
	uint32_t free = crew_add(&crew, TERN_PRIORITY_LOW, 0);
	crew_load(&crew, rated, 20);
	crew_load(&crew, free, 700);
	crew_go(&crew);
	UNTIL(world, seen(&crew.runners[free].probe.handled) == 700);
	crew_wait(&crew, 720);
	assert_int_equal(crew.runs->who[719], rated);
	assert_windows(crew.runs, (uint8_t)rated, 1000, 1);
	assert_true(crew.runs->at[719] - crew.runs->at[0] >= 18900000);
}

static void a_rate_without_a_burst_has_a_millisecond_of_it(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t rated = add_rated(&crew, 50000, 0);
	crew_load(&crew, rated, 80);
	crew_go(&crew);
	world_settle(world);
	assert_int_equal(crew.runs->count, 50);
	tern_engine_advance(world->engine, 30 * 20000);
	world_settle(world);
	assert_int_equal(crew.runs->count, 80);
}

/* A stop overtakes what waits for its time. */
static void who_waits_for_its_rate_can_be_stopped(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t rated = add_rated(&crew, 1, 1);
	crew_load(&crew, rated, 20);
	crew_go(&crew);
	world_settle(world);
	assert_int_equal(crew.runs->count, 1);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[rated]), 0);
	world_settle(world);
	assert_int_equal(crew.runners[rated].probe.stopped, 1);
}

static void a_rate_needs_its_policy(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.rate = 10};
	tern_address agent = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, NULL, &options, &agent),
			 -EINVAL);
	assert_int_equal(agent, TERN_ADDRESS_NONE);
}

/* Round robin on lcore 0, by priority on lcore 1. */
static void lcores_have_policies_of_their_own(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < 2; lcore++) {
		struct crew crew;
		crew_open(&crew, world);
		for (uint32_t i = 0; i < 2; i++) {
			struct tern_spawn_options options = {.lcore = lcore,
							     .priority = i ? TERN_PRIORITY_HIGH
									   : TERN_PRIORITY_LOW};
			crew_add_as(&crew, &options, 0);
			crew_load(&crew, i, 20);
		}
		crew_go(&crew);
		crew_wait(&crew, 40);
		for (uint64_t i = 0; i < 40; i++)
			assert_int_equal(crew.runs->who[i], lcore ? i < 20 : i % 2);
	}
}

static void a_run_ends_after_so_many_signals(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	for (uint32_t i = 0; i < 2; i++) {
		crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
		crew_load(&crew, i, 105);
	}
	crew_go(&crew);
	crew_wait(&crew, 210);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(crew.runs->who[i], i / 10 % 2);
	for (uint64_t i = 200; i < 210; i++)
		assert_int_equal(crew.runs->who[i], i / 5 % 2);
}

/* Signals of 100 us: one a run under a slice of 20 us, ten and more under one of 1 ms. */
static void a_slice_is_an_agents_own(void **state)
{
	struct crew crew;
	crew_open(&crew, *state);
	struct tern_spawn_options options = {.slice_us = 1000, .capacity = RUNS_KEPT};
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t slower = crew_add_as(&crew, &options, 100000);
	crew_load(&crew, slow, 10);
	crew_load(&crew, slower, 200);
	crew_go(&crew);
	crew_wait(&crew, 210);
	assert_int_equal(runs_in_a_row(crew.runs, (uint8_t)slow), 1);
	uint64_t last = 210;
	while (crew.runs->who[last - 1] != slow)
		last--;
	crew.runs->count = last;
	assert_in_range(runs_in_a_row(crew.runs, (uint8_t)slower), 10, 30);
}

static uint64_t overruns_of(const struct crew *crew, uint32_t who)
{
	struct tern_agent_profile profile;
	assert_int_equal(tern_agent_profile(crew->world->engine, crew->agents[who], &profile), 0);
	return profile.overruns;
}

/*
 * Signals of a tenth of the slice: a turn ends after ten, or twice as many where the clock was not
 * looked at between. The first turn is another: its looks are 64 signals apart.
 */
static void run_by_slices(struct world *world, uint64_t slice_ns)
{
	struct tern_lcore *lcore = tern_engine_lcore(world->engine, 0);
	struct crew crew;
	crew_open(&crew, world);
	for (uint32_t i = 0; i < 2; i++) {
		crew_add(&crew, TERN_PRIORITY_NORMAL, slice_ns / 10);
		crew_load(&crew, i, 150);
	}
	crew_go(&crew);
	tern_lcore_poll(lcore);
	uint64_t first = crew.runs->count, turns = 0;
	assert_in_range(first, 10, 80);
	for (uint64_t before = first; before < 300; before = crew.runs->count, turns++) {
		tern_lcore_poll(lcore);
		if (crew.runs->count < 300)
			assert_in_range(crew.runs->count - before, 10, 20);
	}
	assert_in_range(turns, (300 - first) / 20, (300 - first) / 10 + 1);
	assert_int_equal(overruns_of(&crew, 0) + overruns_of(&crew, 1), 0);
	uint32_t slow = crew_add(&crew, TERN_PRIORITY_NORMAL, slice_ns + 1000);
	crew_load(&crew, slow, 30);
	crew_go(&crew);
	crew_wait(&crew, 330);
	assert_in_range(overruns_of(&crew, slow), 10, 30);
}

static void a_turn_ends_after_a_slice_of_100_ms(void **state)
{
	run_by_slices(*state, 100000000);
}

static void a_turn_ends_after_a_slice_of_1_s(void **state)
{
	run_by_slices(*state, 1000000000);
}

struct told {
	tern_address watched;
	uint32_t ends;
	uint32_t signals;
};

TERN_HANDLER(static, end_at_once)
{
	(void)state;
	(void)signal;
	tern_exit(self, 0);
}

TERN_HANDLER(static, count_signal)
{
	(void)self;
	(void)signal;
	((struct told *)state)->signals++;
}

static void spawn_watched(struct tern_agent *self, void *state) TERN_OWNS(self);
static void spawn_watched(struct tern_agent *self, void *state)
{
	static const struct tern_behaviour brief = {.name = "brief", .handler = end_at_once};
	struct tern_spawn_options options = {.watch = true};
	struct told *told = state;
	assert_int_equal(tern_spawn(self, &brief, NULL, &options, &told->watched), 0);
}

static void outlast_slice(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void outlast_slice(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct told *told = state;
	assert_int_equal(event->kind, TERN_EVENT_ENDED);
	told->ends++;
	tern_engine_advance(tern_engine_of(self), 100000);
	spawn_watched(self, state);
}

/* In a run that is told of an end, which takes five slices, a signal is handled all the same. */
static void events_leave_signals_their_turn(void **state)
{
	static const struct tern_behaviour watcher = {.name = "watcher",
						      .handler = count_signal,
						      .on_start = spawn_watched,
						      .on_event = outlast_slice};
	struct world *world = *state;
	struct told told = {0};
	tern_address address;
	assert_int_equal(tern_spawn(world->self, &watcher, &told, NULL, &address), 0);
	world_settle(world);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(tern_agent_pause(world->self, address), 0);
		assert_int_equal(tern_signal_bytes(world->self, told.watched, 1, NULL, 0), 0);
		world_settle(world);
		assert_int_equal(tern_signal_bytes(world->self, address, 1, NULL, 0), 0);
		world_settle(world);
		assert_int_equal(told.ends + told.signals, 2 * (i - 1));
		assert_int_equal(tern_agent_resume(world->self, address), 0);
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
		assert_int_equal(told.ends, i);
		assert_int_equal(told.signals, i);
		world_settle(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_POLLED(fair_share_gives_equal_time, fair),
		SET_POLLED(fair_share_makes_up_for_no_sleep, fair),
		SET_BOTH(round_robin_takes_turns, in_turn),
		SET_POLLED(a_rate_is_kept_in_every_window, by_rate),
		SET_POLLED(a_rate_between_ticks_is_kept, by_rate),
		SET_BOTH(who_has_no_rate_has_no_limit, by_rate),
		SET_POLLED(a_rate_without_a_burst_has_a_millisecond_of_it, by_rate),
		SET_POLLED(who_waits_for_its_rate_can_be_stopped, by_rate),
		SET_BOTH(a_rate_needs_its_policy, in_turn),
		SET_POLLED(lcores_have_policies_of_their_own, by_lcore),
		SET_POLLED(a_run_ends_after_so_many_signals, in_tens),
		SET_POLLED(a_slice_is_an_agents_own, in_tens),
		SET_POLLED(a_turn_ends_after_a_slice_of_100_ms, by_tenths_of_a_second),
		SET_POLLED(a_turn_ends_after_a_slice_of_1_s, by_seconds),
		SET_POLLED(events_leave_signals_their_turn, in_turn),
	};
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
