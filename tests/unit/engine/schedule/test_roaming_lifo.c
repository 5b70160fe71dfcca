/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the agent woken last runs next only where it overtakes nobody with a better right: not a
 * high agent that is ready, not those that waited longer where a policy wants to see all.
 * Method: agents that are woken in a known order on a polled lcore and note who ran as which.
 */
#include "tests/unit/engine/roamers.h"
#include "engine/schedule/roaming.h"

/* A high agent that is ready goes before it. */
static void the_slot_is_passed_by_for_higher_ones(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 2);
	struct tern_spawn_options options = {.roaming = true, .priority = TERN_PRIORITY_HIGH};
	tern_address agents[2] = {TERN_ADDRESS_NONE,
				  spawn_roaming(world, 0, &roamer_behaviour, &roamers[1])};
	uint64_t clock = 0;
	assert_int_equal(
		tern_spawn(world->self, &roamer_behaviour, &roamers[0], &options, &agents[0]), 0);
	world_settle(world);
	struct tern_lcore *lcore = &world->engine->lcores[0];
	for (uint32_t i = 0; i < 2; i++) {
		roamers[i].clock = &clock;
		tern_roaming_wake(lcore, agent_of(world, agents[i]));
	}
	assert_ptr_equal(lcore->roaming.lifo, agent_of(world, agents[1]));
	wake_all(world, agents, 2);
	poll_one(world, 0);
	assert_int_equal(roamers[0].ran_at, 0);
	assert_int_equal(roamers[1].ran_at, 1);
}

static void round_robin(struct tern_config *config)
{
	config->schedules[0] = TERN_SCHEDULE_ROUND_ROBIN;
}

static void one_at_a_time(struct tern_config *config)
{
	config->max_concurrent = 1;
}

/* Who wakes whom is no reason to run before those who waited longer. */
static void a_policy_that_sees_all_has_no_slot(void **state)
{
	static void (*const configure[])(struct tern_config *) = {round_robin, one_at_a_time};
	(void)state;
	for (size_t way = 0; way < sizeof(configure) / sizeof(configure[0]); way++) {
		struct world world;
		struct tern_config config;
		uint64_t clock = 0;
		tern_address agents[4];
		roaming_config(&config, 1);
		configure[way](&config);
		world_open(&world, &config);
		struct roamer *roamers = world_roamers(&world, 4);
		for (uint32_t i = 0; i < 4; i++)
			agents[i] = spawn_roaming(&world, 0, &roamer_behaviour, &roamers[i]);
		world_settle(&world);
		for (uint32_t i = 0; i < 4; i++)
			roamers[i].clock = &clock;
		roamers[0].to = agents[3];
		wake_all(&world, agents, 3);
		poll_one(&world, 0);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(roamers[i].ran_at, i);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_TWO(the_slot_is_passed_by_for_higher_ones),
		cmocka_unit_test(a_policy_that_sees_all_has_no_slot),
	};
	return cmocka_run_group_tests_name("roaming: woken last", tests, NULL, NULL);
}
