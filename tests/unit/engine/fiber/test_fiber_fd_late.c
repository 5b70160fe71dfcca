/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an event that fires when its wait has timed out is of no other wait, and the descriptor can
 * be waited for again at once.
 * Method: an lcore held up between the end of the time and the fiber's run, while the descriptor
 * comes ready. Where the observer was not in time, nothing was tested: so it is done many times.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, LAST };

/*
 * Runs in every turn, ahead of the fiber. In the turn in which the fiber's time is up it makes the
 * descriptor ready, and holds the lcore up for as long as the observer may need.
 */
TERN_HANDLER(static, hold_up)
{
	struct actor *actor = state;
	uint64_t due = seen(&actor->go);
	if (tern_signal_type(signal) == LAST)
		return;
	if (due && tern_turn_time(self) >= due) {
		const uint64_t one = 1;
		EXPECT(write(actor->fds[0], &one, sizeof(one)) == sizeof(one));
		put(&actor->go, 0);
		for (int i = 0; i < 30; i++)
			breathe();
	}
	if (!seen(&actor->step))
		EXPECT(send_number(self, tern_self(self), PLAIN, 0) == 0);
}

static const struct tern_behaviour hold_up_behaviour = {.name = "hold up", .handler = hold_up};

/* However the first wait ended, the next one hears nothing of it. */
TERN_FIBER(static, wait_for_two)
{
	struct actor *actor = state;
	for (int i = 0; i < 40; i++) {
		uint64_t number, ns = ACTOR_MS / 10;
		uint32_t ready;
		put(&actor->others->go, tern_now(self) + ns);
		int code = tern_wait_fd(self, actor->fds[0], EPOLLIN, ns, &ready);
		EXPECT(code == 0 || code == -ETIMEDOUT);
		actor->count += code != 0;
		int place = i % 2;
		code = tern_wait_fd(self, actor->fds[place], EPOLLIN, 20 * ACTOR_MS, &ready);
		EXPECT(code == (place ? -ETIMEDOUT : 0));
		EXPECT(read(actor->fds[0], &number, sizeof(number)) == sizeof(number));
		EXPECT(tern_wait_fd(self, actor->fds[0], EPOLLIN, 1000, &ready) == -ETIMEDOUT);
	}
	put(&actor->others->step, 1);
	return 0;
}
ACTOR(wait_for_two);

static void a_late_event_is_of_no_other_wait(void **state)
{
	struct tern_spawn_options shy = {.slice_us = 1000000};
	struct world world;
	struct tern_config config;
	(void)state;
	world_config(&config, false);
	config.slice_us = 10000; /* one turn takes both */
	world_open(&world, &config);
	struct actor *actors = world_actors(&world, 2);
	for (int i = 0; i < 2; i++)
		actors[0].fds[i] = eventfd(0, EFD_NONBLOCK);
	actors[1].fds[0] = actors[0].fds[0];
	actors[0].others = &actors[1];
	tern_address holder = spawn_with(&world, &hold_up_behaviour, &actors[1], &shy);
	send_surely(&world, holder, PLAIN, 0);
	spawn_on(world.self, 0, &wait_for_two_behaviour, &actors[0]);
	ASSERT_ENDED(&world, &actors[0], TERN_END_EXIT, 0);
	assert_int_equal(actors[1].wrong, 0);
	print_message("%d events were late\n", (int)actors[0].count);
	for (int i = 0; i < 2; i++)
		close(actors[0].fds[i]);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_event_is_of_no_other_wait),
	};
	return cmocka_run_group_tests_name("fiber fd late", tests, NULL, NULL);
}
