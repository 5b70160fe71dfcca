/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber receives what was sent to it once and in order, by type with the others left as
 * they were; it waits as long as it said and no less; blocks that it does not take are dropped.
 * Method: fibers that check what they get and note what was wrong; exact times under a clock that
 * the test moves; random types against what is left by counting.
 */
#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, OTHER, WANTED, LAST, MANY = 300, RANDOM = 400, TYPES = 5 };

TERN_FIBER(static, count_up)
{
	struct actor *actor = state;
	for (;;) {
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		if (tern_signal_type(signal) == LAST)
			return (int64_t)actor->count;
		EXPECT(number_of(signal) == actor->count);
		put(&actor->count, actor->count + 1);
	}
}
ACTOR(count_up);

static void a_fiber_receives_in_order(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &count_up_behaviour, actor);
	for (uint64_t i = 0; i < MANY; i++)
		send_surely(world, fiber, PLAIN, i);
	UNTIL(world, seen(&actor->count) == MANY);
	for (uint64_t i = MANY; i < 2 * MANY; i++) {
		send_surely(world, fiber, PLAIN, i);
		UNTIL(world, seen(&actor->count) == i + 1);
	}
	send_surely(world, fiber, LAST, 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 2 * MANY);
}

/* Waits for the one wanted, then keeps all up to the last. */
TERN_FIBER(static, pick_then_keep)
{
	struct actor *actor = state;
	struct tern_signal *signal = tern_recv_type(self, WANTED, TERN_FOREVER);
	EXPECT(tern_signal_type(signal) == WANTED);
	put(&actor->step, number_of(signal));
	while (tern_signal_type(signal = tern_recv(self, TERN_FOREVER)) != LAST)
		actor->numbers[actor->count++] = number_of(signal);
	return 0;
}
ACTOR(pick_then_keep);

static uint32_t queued_of(struct world *world, tern_address agent)
{
	struct tern_agent_stats stats = {0};
	assert_int_equal(tern_agent_stats(world->engine, agent, &stats), 0);
	return stats.queued;
}

/* At every place of a mailbox. */
static void the_others_stay_in_their_order(void **state)
{
	enum { OTHERS = 40 };
	struct world *world = *state;
	for (uint64_t place = 0; place <= OTHERS; place++) {
		struct actor *actor = world_actors(world, 1);
		tern_address fiber = spawn_on(world->self, 0, &pick_then_keep_behaviour, actor);
		for (uint64_t i = 0; i < OTHERS; i++) {
			if (i == place)
				send_surely(world, fiber, WANTED, 77);
			send_surely(world, fiber, i % 2 ? PLAIN : OTHER, i);
		}
		if (place == OTHERS) {
			UNTIL(world, queued_of(world, fiber) == OTHERS);
			send_surely(world, fiber, WANTED, 77);
		}
		send_surely(world, fiber, LAST, 0);
		ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
		assert_int_equal(actor->step, 77);
		assert_int_equal(actor->count, OTHERS);
		for (uint64_t i = 0; i < OTHERS; i++)
			assert_int_equal(actor->numbers[i], i);
	}
}

static void the_others_count_against_the_bound(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10, .high_water = 8, .low_water = 2};
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_with(world, &pick_then_keep_behaviour, actor, &options);
	for (uint64_t i = 0; i < 7; i++)
		send_surely(world, fiber, PLAIN, i);
	UNTIL(world, queued_of(world, fiber) == 7);
	send_surely(world, fiber, OTHER, 7);
	UNTIL(world, seen(&actor->probe.pressed) == 1);
	assert_int_equal(send_number(world->self, fiber, WANTED, 0), -EAGAIN);
	assert_int_equal(actor->step, 0);
	assert_int_equal(tern_agent_stop(world->self, fiber), 0);
	ASSERT_ENDED(world, actor, TERN_END_STOPPED, 0);
}

static void the_oldest_others_are_dropped(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.policy = TERN_POLICY_DROP_OLDEST, .capacity = 10};
	struct tern_agent_stats stats;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_with(world, &pick_then_keep_behaviour, actor, &options);
	for (uint64_t i = 0; i < 25; i++)
		send_surely(world, fiber, PLAIN, i);
	UNTIL(world, tern_agent_stats(world->engine, fiber, &stats) == 0 && stats.dropped == 15);
	assert_int_equal(stats.queued, 10);
	send_surely(world, fiber, WANTED, 77);
	UNTIL(world, seen(&actor->step) == 77);
	send_surely(world, fiber, LAST, 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	assert_int_equal(actor->count, 9);
	for (uint64_t i = 0; i < 9; i++)
		assert_int_equal(actor->numbers[i], 16 + i);
}

static void the_others_are_conflated(void **state)
{
	const uint64_t sent[] = {0x10A, 0x10B, 0x20A, 0x10C, 0x20B, 0x30A};
	const uint64_t kept[] = {0x30A, 0x20B, 0x10C, 0x10D};
	struct world *world = *state;
	struct tern_spawn_options options = {
		.policy = TERN_POLICY_CONFLATE, .capacity = 10, .key_length = 1};
	struct tern_agent_stats stats;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_with(world, &pick_then_keep_behaviour, actor, &options);
	for (int i = 0; i < 6; i++)
		send_surely(world, fiber, PLAIN, sent[i]);
	UNTIL(world, tern_agent_stats(world->engine, fiber, &stats) == 0 && stats.dropped == 3);
	send_surely(world, fiber, PLAIN, 0x10D);
	send_surely(world, fiber, WANTED, 0x10A);
	send_surely(world, fiber, LAST, 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	assert_int_equal(actor->step, 0x10A);
	assert_int_equal(actor->count, 4);
	assert_memory_equal(actor->numbers, kept, sizeof(kept));
}

/* Asks for types at random: each time the oldest that is left must come. */
TERN_FIBER(static, pick_at_random)
{
	struct actor *actor = state;
	struct tern_rng rng = {.state = actor->go};
	bool gone[RANDOM] = {false};
	for (uint32_t taken = 0; taken < RANDOM; taken++) {
		uint32_t next = pick(&rng, RANDOM);
		while (gone[next])
			next = (next + 1) % RANDOM;
		uint16_t type = (uint16_t)actor->numbers[next];
		for (next = 0; gone[next] || actor->numbers[next] != type;)
			next++;
		const struct tern_signal *signal = tern_recv_type(self, type, TERN_FOREVER);
		EXPECT(tern_signal_type(signal) == type && number_of(signal) == next);
		gone[next] = true;
	}
	EXPECT(!tern_recv(self, 0));
	return 0;
}
ACTOR(pick_at_random);

static void types_at_random_come_oldest_first(void **state)
{
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(11)};
	struct actor *actor = world_actors(world, 1);
	actor->go = tern_rng_next(&rng);
	for (uint32_t i = 0; i < RANDOM; i++)
		actor->numbers[i] = pick(&rng, TYPES);
	tern_address fiber = spawn_on(world->self, 0, &pick_at_random_behaviour, actor);
	for (uint32_t i = 0; i < RANDOM; i++)
		send_surely(world, fiber, (uint16_t)actor->numbers[i], i);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

/* Each wait with a timeout and nothing that ends it. */
TERN_FIBER(static, wait_in_vain)
{
	struct actor *actor = state;
	for (uint64_t ns = 1000; ns < 5 * ACTOR_MS; ns *= 16) {
		uint64_t due = tern_now(self) + ns;
		EXPECT(!tern_recv_type(self, WANTED, ns) && tern_errno == ETIMEDOUT);
		EXPECT(tern_now(self) >= due);
		due = tern_now(self) + ns;
		EXPECT(tern_sleep(self, ns) == 0);
		EXPECT(tern_now(self) >= due);
		EXPECT(number_of(tern_recv(self, TERN_FOREVER)) == PLAIN);
		due = tern_now(self) + ns;
		EXPECT(!tern_recv(self, ns) && tern_errno == ETIMEDOUT);
		EXPECT(tern_now(self) >= due);
		note(&actor->step);
	}
	return (int64_t)actor->step;
}
ACTOR(wait_in_vain);

static void a_wait_ends_at_its_time_and_not_before(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &wait_in_vain_behaviour, actor);
	for (uint64_t step = 0; step < 4; step++) {
		send_surely(world, fiber, PLAIN, PLAIN);
		UNTIL(world, seen(&actor->step) == step + 1);
	}
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 4);
}

/* To the tick: the turn after the last ns before it is too early. */
static void a_wait_ends_in_the_turn_it_is_due(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &wait_in_vain_behaviour, actor);
	world_settle(world);
	uint64_t due = tern_engine_now(world->engine) + 1000;
	while (tern_engine_now(world->engine) < due) {
		assert_int_equal(world_poll(world), 0);
		tern_engine_advance(world->engine, 1);
	}
	for (int us = 0; us < 3 && world_poll(world) == 0; us++)
		tern_engine_advance(world->engine, 1000);
	assert_true(tern_engine_now(world->engine) <= due + 2000);
	assert_int_equal(tern_agent_stop(world->self, fiber), 0);
	world_settle(world);
	assert_int_equal(actor->wrong, 0);
	assert_int_equal(actor->probe.stopped, 1);
}

TERN_FIBER(static, win_a_race)
{
	struct actor *actor = state;
	for (int i = 0; i < 10; i++) {
		const struct tern_signal *signal =
			i % 2 ? tern_recv_type(self, WANTED, ACTOR_MS) : tern_recv(self, ACTOR_MS);
		EXPECT(signal && tern_signal_type(signal) == WANTED);
		note(&actor->step);
	}
	/* Nothing is left of the timers that were late. */
	EXPECT(!tern_recv_type(self, OTHER, ACTOR_MS));
	EXPECT(number_of(tern_recv(self, TERN_FOREVER)) == 99);
	return 0;
}
ACTOR(win_a_race);

static void a_signal_wins_over_the_end_of_the_time(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &win_a_race_behaviour, actor);
	for (uint64_t i = 0; i < 10; i++) {
		world_settle(world);
		assert_int_equal(actor->step, i);
		tern_engine_advance(world->engine, 2 * ACTOR_MS);
		assert_int_equal(send_number(world->self, fiber, WANTED, i), 0);
	}
	world_settle(world);
	tern_engine_advance(world->engine, 2 * ACTOR_MS);
	world_settle(world);
	assert_int_equal(actor->probe.stopped, 0);
	tern_engine_advance(world->engine, 1000 * (uint64_t)ACTOR_MS);
	world_settle(world);
	assert_int_equal(send_number(world->self, fiber, PLAIN, 99), 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

TERN_FIBER(static, look_only)
{
	struct actor *actor = state;
	uint64_t before = tern_turn_time(self);
	EXPECT(!tern_recv(self, 0) && tern_errno == ETIMEDOUT);
	EXPECT(!tern_recv_type(self, PLAIN, 0) && tern_errno == ETIMEDOUT);
	EXPECT(tern_sleep(self, 0) == 0);
	EXPECT(tern_turn_time(self) == before);
	put(&actor->step, 1);
	while (!seen(&actor->go))
		tern_yield(self);
	EXPECT(!tern_recv_type(self, OTHER, 0));
	EXPECT(number_of(tern_recv(self, 0)) == 5);
	EXPECT(!tern_recv(self, 0));
	return 0;
}
ACTOR(look_only);

static void no_time_means_a_look(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &look_only_behaviour, actor);
	UNTIL(world, seen(&actor->step) == 1);
	assert_int_equal(send_number(world->self, fiber, PLAIN, 5), 0);
	UNTIL(world, queued_of(world, fiber) == 1);
	put(&actor->go, 1);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

/* Sleepers write down their numbers; they are on one lcore. */
struct sleeper {
	struct actor actor;
	struct actor *log;
	uint64_t ms;
};

TERN_FIBER(static, sleep_and_log)
{
	struct sleeper *sleeper = state;
	uint64_t due = tern_now(self) + sleeper->ms * ACTOR_MS;
	tern_sleep(self, sleeper->ms * ACTOR_MS);
	expect(&sleeper->actor, tern_now(self) >= due, __LINE__);
	sleeper->log->numbers[sleeper->log->count] = sleeper->ms;
	note(&sleeper->log->count);
	return (int64_t)sleeper->ms;
}
ACTOR(sleep_and_log);

static void sleepers_wake_in_the_order_of_their_times(void **state)
{
	enum { SLEEPERS = 40 };
	struct world *world = *state;
	struct actor *log = world_actors(world, 1);
	struct sleeper *sleepers = world_memory(world, SLEEPERS * sizeof(*sleepers));
	for (uint64_t i = 0; i < SLEEPERS; i++) {
		sleepers[i].log = log;
		sleepers[i].ms = 1 + i * 17 % SLEEPERS;
		spawn_on(world->self, 0, &sleep_and_log_behaviour, &sleepers[i]);
	}
	UNTIL(world, seen(&log->count) == SLEEPERS);
	for (uint64_t i = 0; i < SLEEPERS; i++) {
		ASSERT_ENDED(world, &sleepers[i].actor, TERN_END_EXIT, (int64_t)sleepers[i].ms);
		if (world->polled)
			assert_int_equal(log->numbers[i], i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_fiber_receives_in_order),
		BOTH(the_others_stay_in_their_order),
		BOTH(the_others_count_against_the_bound),
		BOTH(the_oldest_others_are_dropped),
		BOTH(the_others_are_conflated),
		BOTH(types_at_random_come_oldest_first),
		BOTH(a_wait_ends_at_its_time_and_not_before),
		POLLED(a_wait_ends_in_the_turn_it_is_due),
		POLLED(a_signal_wins_over_the_end_of_the_time),
		BOTH(no_time_means_a_look),
		BOTH(sleepers_wake_in_the_order_of_their_times),
	};
	return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
