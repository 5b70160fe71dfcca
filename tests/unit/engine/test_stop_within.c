/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stop from within the engine it would wait for is refused, and nothing is stopped by it;
 * a second stop meanwhile is, too.
 * Method: handlers, hooks, fibers and threads' handlers that try; then a stop that counts all.
 */
#include "tests/unit/support.h"

#include <pthread.h>

/* Tries to stop the engine from each of its functions. */
struct trier {
	struct tern_engine *engine;
	uint64_t tries;
	uint64_t wrong; /* tries that were not refused as they should be */
	uint64_t handled;
	struct tern_stop_report report;
};

static void try(struct trier *trier)
{
	trier->report.undelivered = 77;
	int code = tern_engine_stop(trier->engine, 0, &trier->report);
	if (code != -EDEADLK || trier->report.undelivered != 77)
		note(&trier->wrong);
	note(&trier->tries);
}

static void trier_start(struct tern_agent *self, void *state)
{
	(void)self;
	try(state);
}

static void trier_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)self, (void)why, (void)result;
	try(state);
}

TERN_HANDLER(static, trier_handle)
{
	struct trier *trier = state;
	try(trier);
	note(&trier->handled);
}

TERN_FIBER(static, trier_fiber)
{
	struct trier *trier = state;
	while (tern_recv(self, TERN_FOREVER)) {
		try(trier);
		note(&trier->handled);
	}
	return 0;
}

static const struct tern_behaviour trier_behaviour = {
	.name = "trier", .handler = trier_handle, .on_start = trier_start, .on_stop = trier_stop};
static const struct tern_behaviour trier_fiber_behaviour = {.name = "trier fiber",
							    .fiber = trier_fiber,
							    .on_start = trier_start,
							    .on_stop = trier_stop};

static void agents_cannot_stop_their_engine(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct world world;
		struct tern_config config;
		struct tern_stop_report report;
		world_config(&config, way & 1);
		world_open(&world, &config);
		struct trier *trier = world_memory(&world, sizeof(*trier));
		trier->engine = world.engine;
		tern_address agent = spawn_on(
			world.self, 0, way & 2 ? &trier_fiber_behaviour : &trier_behaviour, trier);
		for (uint64_t i = 0; i < 3; i++)
			assert_int_equal(send_number(world.self, agent, 1, i), 0);
		UNTIL(&world, seen(&trier->handled) == 3);
		assert_int_equal(seen(&trier->tries), 4);
		assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
		assert_int_equal(report.agents_ended, 1);
		assert_int_equal(trier->tries, 5); /* its on_stop is within, too */
		assert_int_equal(trier->wrong, 0);
		world_forget(&world);
	}
}

static void handlers_of_threads_cannot(void **state)
{
	struct world *world = *state;
	struct trier trier = {.engine = world->engine};
	struct tern_agent *self = tern_thread_attach(world->engine, &trier_behaviour, &trier);
	assert_non_null(self);
	assert_int_equal(send_number(world->self, tern_self(self), 1, 0), 0);
	UNTIL(world, (tern_thread_poll(self), trier.handled == 1));
	assert_int_equal(trier.wrong, 0);
	tern_thread_detach(self);
}

/* Another thread stops the engine while the first one drains it. */
struct second {
	struct tern_engine *engine;
	uint64_t entered;
	uint64_t go;
	int code;
};

TERN_HANDLER(static, hold_handle)
{
	struct second *second = state;
	put(&second->entered, 1);
	while (!seen(&second->go))
		breathe();
}

static void *stop_again(void *argument)
{
	struct second *second = argument;
	second->code = tern_engine_stop(second->engine, 0, NULL);
	/* Only now may the first one come to its end. */
	put(&second->go, 1);
	return NULL;
}

/* Knows that a stop is under way when it may not spawn any more. */
static void *watch_for_stop(void *argument)
{
	struct second *second = argument;
	struct tern_agent *self;
	while ((self = tern_thread_attach(second->engine, NULL, NULL)) != NULL) {
		tern_thread_detach(self);
		breathe();
	}
	return stop_again(second);
}

static void a_second_stop_is_refused(void **state)
{
	static const struct tern_behaviour hold = {.name = "hold", .handler = hold_handle};
	struct world world;
	struct tern_config config;
	struct tern_stop_report report;
	pthread_t thread;
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	struct second *second = world_memory(&world, sizeof(*second));
	second->engine = world.engine;
	tern_address agent = spawn_on(world.self, 0, &hold, second);
	assert_int_equal(send_number(world.self, agent, 1, 0), 0);
	UNTIL(&world, seen(&second->entered));
	assert_int_equal(pthread_create(&thread, NULL, watch_for_stop, second), 0);
	assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
	pthread_join(thread, NULL);
	assert_int_equal(second->code, -EALREADY);
	assert_int_equal(report.stuck, 0);
	world_forget(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_cannot_stop_their_engine),
		BOTH(handlers_of_threads_cannot),
		cmocka_unit_test(a_second_stop_is_refused),
	};
	return cmocka_run_group_tests_name("stop within", tests, NULL, NULL);
}
