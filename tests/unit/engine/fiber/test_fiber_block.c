/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber that sends a block waits for whatever refuses it; accepted, the block is the
 * receiver's, refused for good or too late, it is the fiber's again, as it was.
 * Method: numbered blocks to a receiver that takes its time, and to one that never does.
 */
#include "stuck.h"

enum { PLAIN = 1, MANY = 2000 };

/* Debug builds keep blocks that were sent for a while, so that there may be none. */
static tern_iso *make_block(struct tern_agent *self, uint64_t number) TERN_OWNS(self);
static tern_iso *make_block(struct tern_agent *self, uint64_t number)
{
	tern_iso *iso;
	while ((iso = tern_iso_create(tern_heap(self), 100)) == NULL)
		tern_sleep(self, 1000);
	memcpy(tern_iso_data(iso), &number, sizeof(number));
	return iso;
}

/* Blocks that say who they are; refused, they come back and are dropped here. */
TERN_FIBER(static, send_blocks)
{
	struct actor *actor = state;
	int64_t code = 0;
	for (uint64_t i = 0; code == 0 && i < MANY; i++) {
		tern_iso *iso = make_block(self, i);
		iso = tern_signal_wait(self, actor->peer, PLAIN, iso,
				       actor->go ? actor->go : TERN_FOREVER);
		code = iso ? -tern_errno : 0;
		EXPECT(!iso || memcmp(tern_iso_data(iso), &i, sizeof(i)) == 0);
		tern_iso_drop(tern_heap(self), iso);
		actor->count += code == 0;
		tern_sleep(self, 1000); /* before the lane is full of blocks */
	}
	return code;
}
ACTOR(send_blocks);

TERN_FIBER(static, take_blocks)
{
	struct actor *actor = state;
	for (; actor->count < MANY; actor->count++) {
		struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		EXPECT(memcmp(tern_iso_data(signal->payload.iso), &actor->count, 8) == 0);
		if (actor->count % 5 == 0)
			tern_sleep(self, 1000);
	}
	return 0;
}
ACTOR(take_blocks);

static void blocks_are_waited_with(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < 2; lcore++) {
		struct actor *actors = world_actors(world, 2);
		struct tern_spawn_options options = blocking;
		options.lcore = lcore;
		/* It waits for whatever refuses. */
		options.policy = lcore ? TERN_POLICY_BLOCK : TERN_POLICY_REFUSE;
		actors[0].peer = spawn_with(world, &take_blocks_behaviour, &actors[1], &options);
		spawn_on(world->self, 0, &send_blocks_behaviour, &actors[0]);
		ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, 0);
		ASSERT_ENDED(world, &actors[1], TERN_END_EXIT, 0);
	}
}

static void a_block_refused_is_handed_back(void **state)
{
	struct world *world = *state;
	struct probe *probe;
	struct actor *actors = world_actors(world, 2);
	actors[0].peer = actors[1].peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	actors[0].go = ACTOR_MS;
	spawn_on(world->self, 0, &send_blocks_behaviour, &actors[0]);
	ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, -ETIMEDOUT);
	spawn_on(world->self, 0, &send_blocks_behaviour, &actors[1]);
	assert_int_equal(tern_agent_stop(world->self, actors[0].peer), 0);
	ASSERT_ENDED(world, &actors[1], TERN_END_EXIT, -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(blocks_are_waited_with),
		BOTH(a_block_refused_is_handed_back),
	};
	return cmocka_run_group_tests_name("fiber block", tests, NULL, NULL);
}
