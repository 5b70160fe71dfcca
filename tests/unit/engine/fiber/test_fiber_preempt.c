/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber that asked for it and never leaves its own text lets others on its lcore run, is
 * stopped where it is, and computes what it would have computed alone; it is not suspended in
 * anybody else's code; its stack does not grow however often it is suspended. The engine may ask
 * for all fibers, and one of them may decline.
 * Method: endless loops beside fibers that sleep; long integer and floating point sums compared
 * with the same done at once; a library call that would be noticed half done.
 */
#include <signal.h>

#include "engine/lcore/agent.h"
#include "engine/text/preempt.h"
#include "tests/unit/engine/actor.h"

/* Instrumented own text is not own text all the time: under TSan the runtime runs, too. */
#define AGENT TERN_TEXT __attribute__((no_sanitize("thread", "undefined")))

enum { PLAIN = 1, START, NAPS = 100, TERMS = 40000000, SWITCHES = 1000 };

static const struct tern_spawn_options preemptible = {.preempt = true};

static void needs_signals_in_time(void)
{
	if (TERN_SIGNALS_DELAYED) {
		print_message("ThreadSanitizer delays signals until own text calls something\n");
		skip();
	}
}

/* Only `go` ends it. */
AGENT static int64_t loop(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	(void)self;
	put(&actor->step, 1);
	while (!seen(&actor->go))
		put(&actor->count, actor->count + 1);
	return (int64_t)actor->count;
}
ACTOR(loop);

/* As above, but for 5 s at most, so that a test of who may never be preempted ends. */
AGENT static int64_t loop_briefly(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	uint64_t end = tern_now(self) + 5000 * (uint64_t)ACTOR_MS;
	put(&actor->step, 1);
	while (tern_now(self) < end)
		for (volatile int spin = 0; spin < 100000; spin = spin + 1)
			;
	return 0;
}
ACTOR(loop_briefly);

TERN_FIBER(static, take_naps)
{
	struct actor *actor = state;
	for (int i = 0; i < NAPS; i++) {
		uint64_t due = tern_now(self) + ACTOR_MS;
		EXPECT(tern_sleep(self, ACTOR_MS) == 0);
		EXPECT(tern_now(self) >= due);
		note(&actor->count);
	}
	return NAPS;
}
ACTOR(take_naps);

static void an_endless_loop_lets_others_run(void **state)
{
	enum { LOOPS = 4 };
	struct world *world = *state;
	needs_signals_in_time();
	struct actor *loops = world_actors(world, LOOPS), *naps = world_actors(world, 1);
	struct probe *probe = world_probes(world, 1);
	for (int i = 0; i < LOOPS; i++)
		spawn_with(world, &loop_behaviour, &loops[i], &preemptible);
	for (int i = 0; i < LOOPS; i++)
		UNTIL(world, seen(&loops[i].step) == 1);
	spawn_on(world->self, 0, &take_naps_behaviour, naps);
	tern_address echo = spawn_on(world->self, 0, &probe_behaviour, probe);
	for (uint64_t i = 1; i <= 20; i++) {
		send_surely(world, echo, PLAIN, 0);
		UNTIL(world, seen(&probe->handled) == i);
	}
	ASSERT_ENDED(world, naps, TERN_END_EXIT, NAPS);
	/* All went on meanwhile. */
	for (int i = 0; i < LOOPS; i++) {
		uint64_t count = seen(&loops[i].count);
		UNTIL(world, seen(&loops[i].count) > count);
		assert_int_equal(seen(&loops[i].probe.stopped), 0);
	}
	for (int i = 0; i < LOOPS; i++) {
		put(&loops[i].go, 1);
		UNTIL(world, seen(&loops[i].probe.stopped) == 1);
		assert_int_equal(loops[i].probe.why, TERN_END_EXIT);
		assert_int_equal((uint64_t)loops[i].probe.result, loops[i].count);
	}
}

/* Endless, stopped: by request, by a deadline, by the engine's stop at the end of the world. */
static void a_loop_is_stopped_where_it_is(void **state)
{
	struct world *world = *state;
	needs_signals_in_time();
	for (int i = 0; i < 10; i++) {
		struct actor *actor = world_actors(world, 1);
		tern_address agent = spawn_with(world, &loop_behaviour, actor, &preemptible);
		UNTIL(world, seen(&actor->step) == 1);
		if (i % 2)
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
		else
			assert_int_equal(tern_agent_finish(world->self, agent, 2 * ACTOR_MS), 0);
		ASSERT_ENDED(world, actor, TERN_END_STOPPED, 0);
		UNTIL(world, !tern_agent_alive(world->self, agent));
	}
	struct actor *last = world_actors(world, 2);
	for (int i = 0; i < 2; i++) {
		spawn_with(world, &loop_behaviour, &last[i], &preemptible);
		UNTIL(world, seen(&last[i].step) == 1);
	}
}

/* Pausing counts from the next turn: it is suspended, and stays so. */
static void a_loop_is_paused(void **state)
{
	struct world *world = *state;
	needs_signals_in_time();
	struct actor *actor = world_actors(world, 1);
	struct probe *probe = world_probes(world, 1);
	enum tern_agent_state at = TERN_STATE_NEW;
	tern_address agent = spawn_with(world, &loop_behaviour, actor, &preemptible);
	tern_address echo = spawn_on(world->self, 0, &probe_behaviour, probe);
	for (uint64_t i = 1; i <= 10; i++) {
		uint64_t before = seen(&actor->count);
		UNTIL(world, seen(&actor->count) > before);
		assert_int_equal(tern_agent_pause(world->self, agent), 0);
		UNTIL(world,
		      tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
		uint64_t count = seen(&actor->count);
		send_surely(world, echo, PLAIN, 0);
		UNTIL(world, seen(&probe->handled) == i);
		assert_int_equal(seen(&actor->count), count);
		assert_int_equal(tern_agent_resume(world->self, agent), 0);
	}
	put(&actor->go, 1);
	UNTIL(world, seen(&actor->probe.stopped) == 1);
}

AGENT static uint64_t sum_integers(uint64_t seed)
{
	uint64_t a = seed, b = ~seed, c = seed * 3, d = seed ^ 0x5555, sum = 0;
	for (uint64_t i = 0; i < TERMS; i++) {
		a = a * 6364136223846793005u + i;
		b ^= a >> 17;
		c += b * d;
		d = d << 7 | d >> 57;
		sum += c ^ a;
	}
	return sum;
}

/* Eight sums side by side, so that vector registers hold them. */
AGENT static double sum_numbers(double seed)
{
	double sums[8] = {seed, seed + 1, seed + 2, seed + 3, seed, 1, 2, 3};
	for (uint64_t i = 1; i < TERMS / 8; i++)
		for (int j = 0; j < 8; j++)
			sums[j] = sums[j] * 0.9999 + seed / (double)(i + (uint64_t)j);
	double sum = 0;
	for (int j = 0; j < 8; j++)
		sum += sums[j];
	return sum;
}

AGENT static int64_t compute(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	double number = sum_numbers((double)actor->code);
	(void)self;
	actor->numbers[0] = sum_integers((uint64_t)actor->code);
	memcpy(&actor->numbers[1], &number, sizeof(number));
	return actor->code;
}
ACTOR(compute);

static void long_sums_come_out_right(void **state)
{
	enum { FIBERS = 6 };
	struct world *world = *state;
	struct actor *actors = world_actors(world, FIBERS), *naps = world_actors(world, 1);
	for (int i = 0; i < FIBERS; i++) {
		actors[i].code = i + 1;
		spawn_with(world, &compute_behaviour, &actors[i], &preemptible);
	}
	spawn_on(world->self, 0, &take_naps_behaviour, naps);
	for (int i = 0; i < FIBERS; i++) {
		double number = sum_numbers(i + 1), found;
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, i + 1);
		memcpy(&found, &actors[i].numbers[1], sizeof(found));
		assert_memory_equal(&found, &number, sizeof(number));
		assert_int_equal(actors[i].numbers[0], sum_integers((uint64_t)i + 1));
	}
	ASSERT_ENDED(world, naps, TERN_END_EXIT, NAPS);
}

/* Everything that it calls is libc's: another fiber of the lcore never sees it half done. */
struct library {
	struct actor actor;
	unsigned char bytes[1 << 16];
	uint64_t inside;
};

AGENT static int64_t fill_in_libc(struct tern_agent *self, void *state)
{
	struct library *library = state;
	(void)self;
	for (int value = 0; !seen(&library->actor.go); value++) {
		memset(library->bytes, value & 0xFF, sizeof(library->bytes));
		for (volatile int spin = 0; spin < 1000; spin = spin + 1)
			;
		put(&library->actor.count, library->actor.count + 1);
	}
	return 0;
}
ACTOR(fill_in_libc);

TERN_FIBER(static, look_for_halves)
{
	struct actor *actor = state;
	const struct library *library = (const struct library *)(void *)actor->others;
	while (!seen(&actor->go)) {
		const unsigned char *bytes = library->bytes;
		EXPECT(memcmp(bytes, bytes + 1, sizeof(library->bytes) - 1) == 0);
		note(&actor->count);
		tern_sleep(self, 10000);
	}
	return 0;
}
ACTOR(look_for_halves);

static void library_calls_are_not_interrupted(void **state)
{
	struct world *world = *state;
	needs_signals_in_time();
	struct library *library = world_memory(world, sizeof(*library));
	struct actor *looker = world_actors(world, 1);
	looker->others = &library->actor;
	spawn_with(world, &fill_in_libc_behaviour, library, &preemptible);
	spawn_on(world->self, 0, &look_for_halves_behaviour, looker);
	UNTIL(world, seen(&looker->count) >= 50 || seen(&looker->wrong));
	put(&looker->go, 1);
	ASSERT_ENDED(world, looker, TERN_END_EXIT, 0);
	put(&library->actor.go, 1);
	ASSERT_ENDED(world, &library->actor, TERN_END_EXIT, 0);
}

/* Mixed: own text, waits, sends; each waits for the other now and then. */
TERN_FIBER(static, work_and_wait)
{
	struct actor *actor = state;
	tern_recv_type(self, START, TERN_FOREVER);
	for (uint64_t i = 0; i < 50; i++) {
		for (volatile int spin = 0; spin < 300000; spin = spin + 1)
			;
		EXPECT(send_number(self, actor->peer, PLAIN, i) == 0);
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		EXPECT(number_of(signal) == i);
		if (i % 10 == 0)
			EXPECT(tern_sleep(self, 1000) == 0);
	}
	return 50;
}
ACTOR(work_and_wait);

static void preempted_fibers_talk(void **state)
{
	struct world *world = *state;
	struct actor *actors = world_actors(world, 6);
	for (int i = 0; i < 6; i += 2) {
		struct tern_spawn_options options = preemptible;
		actors[i].peer =
			spawn_with(world, &work_and_wait_behaviour, &actors[i + 1], &options);
		options.lcore = (uint32_t)i / 2 % 2;
		actors[i + 1].peer =
			spawn_with(world, &work_and_wait_behaviour, &actors[i], &options);
	}
	for (int i = 0; i < 6; i++)
		send_surely(world, actors[i].peer, START, 0);
	for (int i = 0; i < 6; i++)
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, 50);
}

/* Two that count how often they find that the other one ran. */
AGENT static int64_t loop_and_look(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	uint64_t last = 0;
	(void)self;
	while (!seen(&actor->go)) {
		uint64_t now = seen(&actor->others->step);
		put(&actor->step, actor->step + 1);
		if (now != last)
			put(&actor->count, actor->count + 1);
		last = now;
	}
	return 0;
}
ACTOR(loop_and_look);

/* On the smallest stack, with short slices. */
static void its_stack_does_not_grow(void **state)
{
	struct tern_spawn_options options = {.preempt = true, .stack_bytes = 1};
	struct world world;
	struct tern_config config;
	(void)state;
	needs_signals_in_time();
	world_config(&config, false);
	config.slice_us = 50;
	world_open(&world, &config);
	struct actor *actors = world_actors(&world, 2);
	for (int i = 0; i < 2; i++)
		actors[i].others = &actors[!i];
	for (int i = 0; i < 2; i++)
		spawn_with(&world, &loop_and_look_behaviour, &actors[i], &options);
	UNTIL(&world, seen(&actors[0].count) + seen(&actors[1].count) >= SWITCHES ||
			      seen(&actors[0].probe.stopped) || seen(&actors[1].probe.stopped));
	for (int i = 0; i < 2; i++) {
		put(&actors[i].go, 1);
		ASSERT_ENDED(&world, &actors[i], TERN_END_EXIT, 0);
	}
	world_close(&world);
}

/* Polled with a real clock: on every lcore; and when the engine is gone, its ticks are, too. */
static void a_polled_engine_preempts(void **state)
{
	struct sigaction now;
	struct world world;
	struct tern_config config;
	(void)state;
	needs_signals_in_time();
	world_config(&config, true);
	config.clock = TERN_CLOCK_TSC;
	world_open(&world, &config);
	struct actor *actors = world_actors(&world, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct tern_spawn_options options = {.preempt = true, .lcore = i};
		spawn_with(&world, &loop_briefly_behaviour, &actors[i], &options);
	}
	for (int round = 0; round < 20; round++)
		world_poll(&world);
	/* Suspended, each on its lcore, before their time was up. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(seen(&actors[i].step), 1);
		assert_int_equal(seen(&actors[i].probe.stopped), 0);
	}
	world_close(&world);
	assert_int_equal(sigaction(tern_preempt_signo(), NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
}

/* Loops until it is told, or for 200 ms, so that one that is not preempted ends. */
AGENT static int64_t loop_for_200_ms(struct tern_agent *self, void *state)
{
	struct actor *actor = state;
	uint64_t end = tern_now(self) + 200 * (uint64_t)ACTOR_MS;
	put(&actor->step, 1);
	while (!seen(&actor->go) && tern_now(self) < end)
		for (volatile int spin = 0; spin < 10000; spin = spin + 1)
			;
	return (int64_t)seen(&actor->go);
}
ACTOR(loop_for_200_ms);

TERN_HANDLER(static, let_go)
{
	struct actor *actor = state;
	(void)self;
	(void)signal;
	put(&actor->go, 1);
}

static const struct tern_behaviour let_go_behaviour = {.name = "let go", .handler = let_go};

/* Whether a loop, on lcore 0 of an engine, let a handler beside it run. */
static int64_t loop_beside(struct world *world, const struct tern_spawn_options *options)
{
	struct actor *loop = world_actors(world, 1);
	tern_address other = spawn_on(world->self, 0, &let_go_behaviour, loop);
	spawn_with(world, &loop_for_200_ms_behaviour, loop, options);
	UNTIL(world, seen(&loop->step) == 1);
	send_surely(world, other, PLAIN, 0);
	UNTIL(world, seen(&loop->probe.stopped) == 1);
	assert_int_equal(loop->probe.why, TERN_END_EXIT);
	UNTIL(world, seen(&loop->go) == 1);
	return loop->probe.result;
}

static void open_preempting(struct world *world, bool polled, const char *setting)
{
	struct tern_config config;
	world_config(&config, polled);
	config.clock = TERN_CLOCK_TSC;
	assert_int_equal(tern_config_set(&config, setting, NULL), 0);
	world_open(world, &config);
}

static void preempt_by_default(bool polled)
{
	const struct tern_spawn_options plain = {0}, yes = {.preempt = TERN_PREEMPT_YES};
	const struct tern_spawn_options no = {.preempt = TERN_PREEMPT_NO};
	struct world world;
	needs_signals_in_time();
	open_preempting(&world, polled, "scheduler.preempt=true");
	assert_int_equal(loop_beside(&world, &plain), 1);
	assert_int_equal(loop_beside(&world, &yes), 1);
	assert_int_equal(loop_beside(&world, &no), 0);
	world_close(&world);
	open_preempting(&world, polled, "scheduler.preempt=false");
	assert_int_equal(loop_beside(&world, &plain), 0);
	assert_int_equal(loop_beside(&world, &yes), 1);
	assert_int_equal(loop_beside(&world, &no), 0);
	world_close(&world);
}

static void an_engine_preempts_by_default(void **state)
{
	(void)state;
	preempt_by_default(false);
}

static void a_polled_engine_preempts_by_default(void **state)
{
	(void)state;
	preempt_by_default(true);
}

/* What the engine asks of fibers is nothing to handlers, nor to a stack of 1 MiB. */
static void the_default_refuses_nobody(void **state)
{
	struct tern_spawn_options no = {.preempt = TERN_PREEMPT_NO};
	struct tern_spawn_options large = {.stack_bytes = 1 << 20};
	struct tern_spawn_options beyond = {.preempt = (enum tern_preemption)3};
	struct world world;
	tern_address agent = TERN_ADDRESS_NONE;
	(void)state;
	open_preempting(&world, false, "scheduler.preempt=true");
	struct probe *probes = world_probes(&world, 2);
	struct actor *actor = world_actors(&world, 1);
	spawn_on(world.self, 0, &probe_behaviour, &probes[0]);
	assert_int_equal(tern_spawn(world.self, &probe_behaviour, &probes[1], &no, &agent), 0);
	spawn_with(&world, &loop_for_200_ms_behaviour, actor, &large);
	put(&actor->go, 1);
	ASSERT_ENDED(&world, actor, TERN_END_EXIT, 1);
	assert_int_equal(tern_spawn(world.self, &loop_for_200_ms_behaviour, actor, &beyond, &agent),
			 -EINVAL);
	world_close(&world);
}

static void a_virtual_clock_has_no_default(void **state)
{
	struct tern_config config;
	struct tern_error error = {""};
	(void)state;
	world_config(&config, true);
	config.preempt = true;
	assert_int_equal(tern_config_check(&config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "scheduler.preempt is true while engine.clock is"));
	config.clock = TERN_CLOCK_TSC;
	assert_int_equal(tern_config_check(&config, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREADED(an_endless_loop_lets_others_run),
		THREADED(a_loop_is_stopped_where_it_is),
		THREADED(a_loop_is_paused),
		THREADED(long_sums_come_out_right),
		THREADED(library_calls_are_not_interrupted),
		THREADED(preempted_fibers_talk),
		cmocka_unit_test(its_stack_does_not_grow),
		cmocka_unit_test(a_polled_engine_preempts),
		cmocka_unit_test(an_engine_preempts_by_default),
		cmocka_unit_test(a_polled_engine_preempts_by_default),
		cmocka_unit_test(the_default_refuses_nobody),
		cmocka_unit_test(a_virtual_clock_has_no_default),
	};
	return cmocka_run_group_tests_name("fiber preempt", tests, NULL, NULL);
}
