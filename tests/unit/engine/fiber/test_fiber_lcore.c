/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: fibers share an lcore among themselves and with handlers: turns alternate, none takes more
 * than its share, every policy and priority runs them, a thousand of them work; stacks have the
 * size asked for and are used again; a run is the same every time.
 * Method: fibers that write their numbers into one log; recursion over most of a stack; the
 * same crowd twice under the virtual clock.
 */
#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, LAST, TURN = 10, YIELDERS = 4, ROUNDS = 50, CROWD = 1000, LAPS = 20 };

/* Fibers of one lcore that write into one log. */
struct member {
	struct actor actor;
	struct actor *log;
	uint64_t number;
};

TERN_FIBER(static, take_turns)
{
	struct member *member = state;
	struct actor *log = member->log;
	note(&log->step);
	while (seen(&log->step) < YIELDERS)
		tern_yield(self);
	for (int i = 0; i < ROUNDS; i++) {
		log->numbers[log->count++] = member->number;
		expect(&member->actor, tern_yield(self) == 0, __LINE__);
	}
	return 0;
}
ACTOR(take_turns);

static void turns_alternate(void **state)
{
	struct world *world = *state;
	struct actor *log = world_actors(world, 1);
	struct member *members = world_memory(world, YIELDERS * sizeof(*members));
	for (uint64_t i = 0; i < YIELDERS; i++) {
		members[i] = (struct member){.log = log, .number = i};
		spawn_on(world->self, 0, &take_turns_behaviour, &members[i]);
	}
	for (int i = 0; i < YIELDERS; i++)
		ASSERT_ENDED(world, &members[i].actor, TERN_END_EXIT, 0);
	assert_int_equal(log->count, YIELDERS * ROUNDS);
	for (int i = YIELDERS; i < YIELDERS * ROUNDS; i++)
		assert_int_equal(log->numbers[i], log->numbers[i - YIELDERS]);
}

/* Goes down to an address, touching all on the way. */
static uint64_t go_down(uintptr_t to) // NOLINT(misc-no-recursion)
{
	volatile unsigned char here[512];
	here[0] = here[sizeof(here) - 1] = 1;
	bool there = (uintptr_t)__builtin_frame_address(0) < to;
	uint64_t below = there ? 0 : go_down(to);
	return below + here[0] + here[sizeof(here) - 1];
}

TERN_FIBER(static, use_its_stack)
{
	struct actor *actor = state;
	uintptr_t top = (uintptr_t)__builtin_frame_address(0);
	uintptr_t to = top - actor->go / 8 * 5;
	uint64_t sum = go_down(to);
	tern_yield(self);
	EXPECT(sum > actor->go / 4096 && go_down(to) == sum);
	return (int64_t)top;
}
ACTOR(use_its_stack);

static void a_stack_has_the_size_asked_for(void **state)
{
	const uint32_t sizes[] = {1, 16 << 10, (16 << 10) + 1, 50000, 0, 128 << 10, 1 << 20};
	struct world *world = *state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct actor *actor = world_actors(world, 1);
		struct tern_spawn_options options = {.stack_bytes = sizes[i]};
		uint32_t least = sizes[i] ? sizes[i] : 64 << 10;
		actor->go = least < 16 << 10 ? 16 << 10 : least;
		spawn_with(world, &use_its_stack_behaviour, actor, &options);
		UNTIL(world, seen(&actor->probe.stopped) == 1);
		assert_int_equal(actor->wrong, 0);
		assert_int_equal(actor->probe.why, TERN_END_EXIT);
	}
}

/* One after the other, in two sizes: a stack of each is enough. */
static void stacks_are_used_again(void **state)
{
	struct world *world = *state;
	int64_t places[2] = {0};
	for (int i = 0; i < 400; i++) {
		struct actor *actor = world_actors(world, 1);
		struct tern_spawn_options options = {.stack_bytes = i % 2 ? 1 << 20 : 1};
		actor->go = 8192;
		tern_address fiber = spawn_with(world, &use_its_stack_behaviour, actor, &options);
		UNTIL(world, !tern_agent_alive(world->self, fiber));
		/* The address is dead before the stack is put back. */
		UNTIL(world, tern_agent_stop(world->self, fiber) == -ESRCH);
		if (world->polled && i >= 2)
			assert_int_equal(actor->probe.result, places[i % 2]);
		places[i % 2] = seen(&actor->probe.result);
	}
}

/* Sends to its neighbour, lap by lap. */
TERN_FIBER(static, pass_on)
{
	struct actor *actor = state;
	for (uint64_t lap = 0; lap < LAPS; lap++) {
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		EXPECT(number_of(signal) == lap);
		EXPECT(tern_send(self, actor->peer, PLAIN, &lap, sizeof(lap), TERN_FOREVER) == 0);
		note(&actor->count);
	}
	return LAPS;
}
ACTOR(pass_on);

static void a_thousand_fibers_pass_signals_on(void **state)
{
	struct world *world = *state;
	struct actor *actors = world_actors(world, CROWD);
	struct sink *sink = world_memory(world, CROWD * sizeof(*sink));
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	tern_address *agents = world_memory(world, CROWD * sizeof(*agents));
	options.stack_bytes = 16 << 10;
	for (size_t i = 0; i < CROWD; i++) {
		actors[i].peer = spawn_on(world->self, i % 2, &sink_behaviour, &sink[i]);
		agents[i] = spawn_with(world, &pass_on_behaviour, &actors[i], &options);
	}
	for (uint64_t lap = 0; lap < LAPS; lap++)
		for (size_t i = 0; i < CROWD; i++)
			send_surely(world, agents[i], PLAIN, lap);
	for (size_t i = 0; i < CROWD; i++) {
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, LAPS);
		UNTIL(world, seen(&sink[i].expected) == LAPS);
		assert_int_equal(sink[i].wrong, 0);
	}
}

/* Ping and pong: one is a fiber, the other a fiber or a handler. */
TERN_FIBER(static, pong)
{
	struct actor *actor = state;
	for (;;) {
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		uint64_t number = number_of(signal) + 1;
		if (tern_signal_type(signal) == LAST)
			return (int64_t)actor->count;
		EXPECT(send_number(self, tern_signal_from(signal), PLAIN, number) == 0);
		actor->count++;
	}
}
ACTOR(pong);

TERN_HANDLER(static, pong_handle)
{
	struct actor *actor = state;
	if (tern_signal_type(signal) == LAST)
		tern_exit(self, (int64_t)actor->count);
	else
		EXPECT(send_number(self, tern_signal_from(signal), PLAIN, number_of(signal) + 1) ==
		       0);
	actor->count++;
}

static const struct tern_behaviour pong_handler = {.name = "pong handler",
						   .handler = pong_handle,
						   .on_start = probe_start,
						   .on_stop = probe_stop};

TERN_FIBER(static, ping)
{
	struct actor *actor = state;
	for (uint64_t i = 0; i < CROWD; i++) {
		EXPECT(send_number(self, actor->peer, PLAIN, i) == 0);
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		EXPECT(number_of(signal) == i + 1 && tern_signal_from(signal) == actor->peer);
	}
	EXPECT(send_number(self, actor->peer, LAST, 0) == 0);
	return 0;
}
ACTOR(ping);

static void ping_pong(void **state)
{
	struct world *world = *state;
	for (uint32_t way = 0; way < 4; way++) {
		struct actor *actors = world_actors(world, 2);
		const struct tern_behaviour *other = way % 2 ? &pong_behaviour : &pong_handler;
		actors[0].peer = spawn_on(world->self, way / 2, other, &actors[1]);
		spawn_on(world->self, 0, &ping_behaviour, &actors[0]);
		ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, 0);
		ASSERT_ENDED(world, &actors[1], TERN_END_EXIT, CROWD);
	}
}

/* Never waits while there is something: its runs end all the same, and the other has its own. */
TERN_FIBER(static, devour)
{
	struct actor *actor = state;
	while (tern_signal_type(tern_recv(self, TERN_FOREVER)) != LAST) {
		note(&actor->count);
		EXPECT(actor->count <= actor->others->count + TURN);
	}
	return (int64_t)actor->count;
}
ACTOR(devour);

static void a_full_mailbox_is_handled_in_turns(void **state)
{
	enum { SENT = 500 };
	struct world world;
	struct tern_config config;
	(void)state;
	world_config(&config, true);
	config.turn_signals = TURN;
	world_open(&world, &config);
	struct actor *actors = world_actors(&world, 2);
	tern_address agents[2];
	for (int i = 0; i < 2; i++) {
		actors[i].others = &actors[!i];
		agents[i] = spawn_on(world.self, 0, &devour_behaviour, &actors[i]);
	}
	world_settle(&world);
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(tern_agent_pause(world.self, agents[i]), 0);
	for (uint64_t i = 0; i < SENT; i++)
		for (int j = 0; j < 2; j++)
			send_surely(&world, agents[j], PLAIN, i);
	world_settle(&world);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(actors[i].count, 0);
		assert_int_equal(tern_agent_resume(world.self, agents[i]), 0);
	}
	UNTIL(&world, actors[0].count == SENT && actors[1].count == SENT);
	for (int i = 0; i < 2; i++) {
		send_surely(&world, agents[i], LAST, 0);
		ASSERT_ENDED(&world, &actors[i], TERN_END_EXIT, SENT);
	}
	world_close(&world);
}

static void run_under(enum tern_schedule schedule, bool polled)
{
	struct world world;
	struct tern_config config;
	world_config(&config, polled);
	config.schedules[0] = (uint8_t)schedule;
	config.schedule_count = 1;
	config.max_concurrent = schedule == TERN_SCHEDULE_ROUND_ROBIN ? 2 : 0;
	world_open(&world, &config);
	struct actor *actors = world_actors(&world, 2 * TERN_PRIORITIES);
	for (int i = 0; i < TERN_PRIORITIES; i++) {
		struct tern_spawn_options options = {.priority = (enum tern_priority)(i - 1)};
		struct actor *pair = &actors[2 * i];
		options.slice_us = i % 2 ? 50 : 0;
		options.lcore = (uint32_t)i % 2;
		pair[0].peer = spawn_with(&world, &pong_behaviour, &pair[1], &options);
		options.lcore = 0;
		options.rate = schedule == TERN_SCHEDULE_RATE ? 1000000 : 0;
		spawn_with(&world, &ping_behaviour, &pair[0], &options);
	}
	for (int i = 0; i < TERN_PRIORITIES; i++) {
		ASSERT_ENDED(&world, &actors[2 * i], TERN_END_EXIT, 0);
		ASSERT_ENDED(&world, &actors[2 * i + 1], TERN_END_EXIT, CROWD);
	}
	world_close(&world);
}

static void every_policy_runs_fibers_of_every_priority(void **state)
{
	(void)state;
	for (int schedule = 0; schedule < TERN_SCHEDULE_CUSTOM; schedule++) {
		run_under((enum tern_schedule)schedule, true);
		run_under((enum tern_schedule)schedule, false);
	}
}

/* Wanders: sends to a random other, sleeps, yields, receives with a timeout; all into a log. */
struct wanderer {
	uint64_t *log; /* a hash of who did what when */
	const tern_address *others;
	struct tern_rng rng;
	uint64_t number;
	uint64_t stopped;
};

static void log_step(struct wanderer *wanderer, uint64_t what, uint64_t now)
{
	uint64_t word = wanderer->number << 48 ^ what << 40 ^ now;
	*wanderer->log = (*wanderer->log ^ word) * 0x100000001B3u;
}

TERN_FIBER(static, wander)
{
	struct wanderer *wanderer = state;
	for (int i = 0; i < 100; i++) {
		uint32_t what = pick(&wanderer->rng, 4);
		if (what == 0)
			tern_sleep(self, pick(&wanderer->rng, 5000));
		else if (what == 1)
			tern_yield(self);
		else if (what == 2)
			(void)!send_number(self, wanderer->others[pick(&wanderer->rng, 20)],
					   (uint16_t)i, 0);
		else
			what += tern_recv(self, pick(&wanderer->rng, 3000)) != NULL;
		log_step(wanderer, what, tern_now(self));
	}
	note(&wanderer->stopped);
	return 0;
}

static uint64_t wander_all(uint64_t seed)
{
	static const struct tern_behaviour behaviour = {.name = "wander", .fiber = wander};
	struct world world;
	struct tern_config config;
	uint64_t log = 1;
	world_config(&config, true);
	world_open(&world, &config);
	struct wanderer *wanderers = world_memory(&world, 20 * sizeof(*wanderers));
	tern_address *others = world_memory(&world, 20 * sizeof(*others));
	for (uint64_t i = 0; i < 20; i++) {
		wanderers[i] = (struct wanderer){
			.log = &log, .others = others, .rng.state = seed + i, .number = i};
		others[i] = spawn_on(world.self, i % 2, &behaviour, &wanderers[i]);
	}
	for (uint64_t i = 0; i < 20; i++)
		UNTIL(&world, seen(&wanderers[i].stopped) == 1);
	world_close(&world);
	return log;
}

static void a_run_is_the_same_every_time(void **state)
{
	uint64_t seed = test_seed(3);
	(void)state;
	uint64_t log = wander_all(seed);
	for (int i = 0; i < 5; i++)
		assert_int_equal(wander_all(seed), log);
	assert_int_not_equal(wander_all(seed + 100), log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(turns_alternate),
		BOTH(a_stack_has_the_size_asked_for),
		BOTH(stacks_are_used_again),
		BOTH(a_thousand_fibers_pass_signals_on),
		BOTH(ping_pong),
		cmocka_unit_test(a_full_mailbox_is_handled_in_turns),
		cmocka_unit_test(every_policy_runs_fibers_of_every_priority),
		cmocka_unit_test(a_run_is_the_same_every_time),
	};
	return cmocka_run_group_tests_name("fiber lcore", tests, NULL, NULL);
}
