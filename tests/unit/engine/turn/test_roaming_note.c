/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what an agent sent by the lanes of an lcore holds it there, and nobody else: neither that
 * agent where it went since, nor who lives in its room next, who is held by what it sent itself.
 * Method: senders on polled lcores that are asked to move, with a receiver that reads when the
 * test says so; rooms used again at once.
 */
#include "tests/unit/engine/roamers.h"

enum { HOME, NEXT, AWAY };

struct scene {
	struct world *world;
	struct roamer *sender;
	struct roamer *receiver;
	tern_address to;
	tern_address from;
};

static void spawn_sender(struct scene *scene, uint32_t lcore)
{
	scene->sender = world_roamers(scene->world, 1);
	scene->from = spawn_roaming(scene->world, lcore, &roamer_behaviour, scene->sender);
	scene->receiver->last[1] = 0;
}

static void open_scene(void **state, struct scene *scene)
{
	roaming_setup_three(state);
	*scene = (struct scene){.world = *state};
	scene->receiver = world_roamers(scene->world, 1);
	scene->to = spawn_on(scene->world->self, AWAY, &roamer_behaviour, scene->receiver);
	spawn_sender(scene, HOME);
	world_settle(scene->world);
}

static void close_scene(void **state, struct scene *scene)
{
	world_settle(scene->world);
	assert_int_equal(scene->receiver->disorder, 0);
	world_teardown(state);
}

/* One run on its lcore, which sends a signal or nothing. */
static void run_sender(struct scene *scene, bool sends)
{
	uint64_t handled = scene->sender->probe.handled;
	scene->sender->to = sends ? scene->to : TERN_ADDRESS_NONE;
	wake_all(scene->world, &scene->from, 1);
	for (int i = 0; i < 3; i++)
		poll_one(scene->world, lcore_of(scene->world, scene->from));
	assert_int_equal(scene->sender->probe.handled, handled + 1);
}

/* Ask it to go; where does it run next? */
static uint32_t asked_to_go(struct scene *scene, uint32_t lcore)
{
	move_to(scene->world, scene->from, lcore);
	run_sender(scene, false);
	return lcore_of(scene->world, scene->from);
}

/* Notes of the lcore have gone by then, and been passed. */
static void send_five(struct scene *scene)
{
	for (int i = 0; i < 5; i++) {
		run_sender(scene, true);
		world_settle(scene->world);
	}
	settle_fully(scene->world);
}

static void moved_it_is_free(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	send_five(&scene);
	assert_int_equal(asked_to_go(&scene, NEXT), NEXT);
	assert_int_equal(asked_to_go(&scene, HOME), HOME);
	close_scene(state, &scene);
}

static void stolen_it_is_free(void **state)
{
	struct scene scene;
	tern_address hogs[TERN_ROAMING_ADMITTED];
	open_scene(state, &scene);
	struct world *world = scene.world;
	send_five(&scene);
	spawn_hogs(world, HOME, TERN_ROAMING_ADMITTED, hogs);
	scene.sender->to = TERN_ADDRESS_NONE;
	wake_all(world, hogs, TERN_ROAMING_ADMITTED);
	wake_all(world, &scene.from, 1);
	poll_one(world, HOME);
	for (int i = 0; i < 50 && stats_of(world, NEXT).migrated == 0; i++)
		poll_one(world, NEXT);
	assert_int_equal(lcore_of(world, scene.from), NEXT);
	assert_int_equal(asked_to_go(&scene, HOME), HOME);
	close_scene(state, &scene);
}

static void who_lives_there_next_is_free(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	send_five(&scene);
	assert_int_equal(tern_agent_stop(scene.world->self, scene.from), 0);
	settle_fully(scene.world);
	spawn_sender(&scene, NEXT);
	world_settle(scene.world);
	assert_int_equal(asked_to_go(&scene, HOME), HOME);
	close_scene(state, &scene);
}

/* The second to live there sends as many signals in its first run as the first one did in all. */
static void who_lives_there_next_is_held_by_its_own(void **state)
{
	struct scene scene;
	open_scene(state, &scene);
	const struct tern_lcore *lcore = scene.world->self->lcore;
	const struct tern_room *room = tern_room_of(lcore, tern_address_slot(scene.from));
	run_sender(&scene, true);
	world_settle(scene.world);
	assert_int_equal(tern_agent_stop(scene.world->self, scene.from), 0);
	settle_fully(scene.world);
	spawn_sender(&scene, HOME);
	assert_ptr_equal(tern_room_of(lcore, tern_address_slot(scene.from)), room);
	run_sender(&scene, true);
	assert_int_equal(asked_to_go(&scene, NEXT), HOME);
	poll_one(scene.world, AWAY);
	poll_one(scene.world, HOME);
	assert_int_equal(asked_to_go(&scene, NEXT), NEXT);
	close_scene(state, &scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_it_is_free),
		cmocka_unit_test(stolen_it_is_free),
		cmocka_unit_test(who_lives_there_next_is_free),
		cmocka_unit_test(who_lives_there_next_is_held_by_its_own),
	};
	return cmocka_run_group_tests_name("roaming: notes", tests, NULL, NULL);
}
