/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming agent that may start anywhere starts where the forecast is lowest; where
 * forecasts are about the same, lcores take turns.
 * Method: polled lcores under a virtual clock; pinned agents work for some intervals, so that the
 * observer forecasts a different load for each lcore; on_start says where a new agent is.
 */
#include "tests/unit/engine/roamers.h"

enum { LCORES = 3, INTERVALS = 8, STARTS = 7 };
#define INTERVAL_NS 1000000u

static void open_observed(struct world *world)
{
	struct tern_config config;
	roaming_config(&config, LCORES);
	config.metrics_interval_ms = INTERVAL_NS / 1000000;
	config.rebalance = false;
	config.steal = false;
	world_open(world, &config);
}

/* Each lcore's pinned agent handles so many signals of a tenth of an interval in each interval. */
static void work_for_intervals(struct world *world, const uint32_t tenths[LCORES])
{
	tern_address hogs[LCORES];
	_Static_assert(HOG_NS * 10 == INTERVAL_NS, "a signal takes a tenth of an interval");
	for (uint32_t i = 0; i < LCORES; i++)
		hogs[i] = spawn_pinned_hog(world, i);
	for (uint32_t interval = 0; interval < INTERVALS; interval++) {
		uint64_t end = tern_engine_now(world->engine) + INTERVAL_NS;
		for (uint32_t i = 0; i < LCORES; i++)
			for (uint32_t signal = 0; signal < tenths[i]; signal++) {
				wake_all(world, &hogs[i], 1);
				world_settle(world);
			}
		tern_engine_advance(world->engine, end - tern_engine_now(world->engine));
		world_settle(world);
	}
}

/* Where a new one starts. */
static uint64_t start_anywhere(struct world *world)
{
	struct roamer *roamer = world_roamers(world, 1);
	spawn_roaming(world, TERN_LCORE_ANY, &roamer_behaviour, roamer);
	world_settle(world);
	assert_int_equal(roamer->probe.started, 1);
	return roamer->probe.lcore;
}

/* Always there, whosever turn it is. */
static void it_starts_where_the_forecast_is_lowest(void **state)
{
	static const struct {
		uint32_t tenths[LCORES];
		uint32_t lowest;
	} cases[] = {{{1, 3, 5}, 0}, {{5, 1, 3}, 1}, {{3, 5, 1}, 2}, {{4, 4, 1}, 2}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;
		open_observed(&world);
		work_for_intervals(&world, cases[i].tenths);
		for (uint32_t start = 0; start < STARTS; start++)
			assert_int_equal(start_anywhere(&world), cases[i].lowest);
		world_close(&world);
	}
}

static void lcores_take_turns_where_forecasts_are_alike(void **state)
{
	static const uint32_t alike[LCORES] = {3, 3, 3};
	struct world world;
	uint32_t starts[LCORES] = {0};
	(void)state;
	open_observed(&world);
	work_for_intervals(&world, alike);
	for (uint32_t start = 0; start < 2 * LCORES; start++)
		starts[start_anywhere(&world)]++;
	for (uint32_t i = 0; i < LCORES; i++)
		assert_int_equal(starts[i], 2);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_where_the_forecast_is_lowest),
		cmocka_unit_test(lcores_take_turns_where_forecasts_are_alike),
	};
	return cmocka_run_group_tests_name("roaming: places", tests, NULL, NULL);
}
