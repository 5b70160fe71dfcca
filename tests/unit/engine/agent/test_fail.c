/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent that fails hears of it in on_error, then ends with its code; those who watch
 * learn of it, the counters know, and all others go on. It fails once, wherever and however
 * often it says so.
 * Method: an agent told in which of its functions to fail, with a neighbour that must not notice.
 */
#include "tests/unit/engine/runs.h"

enum place { NOWHERE, IN_START, IN_HANDLER, IN_EVENT, IN_ERROR, IN_STOP, AFTER_EXIT };

struct fragile {
	enum place fails;
	uint64_t errors;
	uint64_t errors_at_stop;
	uint64_t stopped;
	uint64_t handled;
	uint64_t why;
	int64_t result;
	struct tern_error error;
};

static void fail_here(struct tern_agent *self, const struct fragile *fragile, enum place place)
	TERN_OWNS(self);
static void fail_here(struct tern_agent *self, const struct fragile *fragile, enum place place)
{
	if (fragile->fails != place)
		return;
	tern_fail(self, -EPROTO, "place %d", (int)place);
	tern_fail(self, -EIO, "once more"); /* the first one counts */
}

TERN_HANDLER(static, fragile_handle)
{
	struct fragile *fragile = state;
	note(&fragile->handled);
	fail_here(self, fragile, IN_HANDLER);
	if (fragile->fails == IN_ERROR)
		tern_fail(self, -EPROTO, "place %d", IN_ERROR);
	if (fragile->fails == AFTER_EXIT) {
		tern_exit(self, 12);
		fail_here(self, fragile, AFTER_EXIT);
	}
}

static void fragile_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void fragile_start(struct tern_agent *self, void *state)
{
	fail_here(self, state, IN_START);
}

static void fragile_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void fragile_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)event;
	fail_here(self, state, IN_EVENT);
}

static void fragile_error(struct tern_agent *self, void *state, const struct tern_error *error)
	TERN_OWNS(self);
static void fragile_error(struct tern_agent *self, void *state, const struct tern_error *error)
{
	struct fragile *fragile = state;
	if (fragile->errors == 0)
		fragile->error = *error;
	/* Not for ever, where it is told of this one, too. */
	if (note(&fragile->errors) < 3)
		fail_here(self, fragile, IN_ERROR);
}

static void fragile_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void fragile_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct fragile *fragile = state;
	fragile->errors_at_stop = fragile->errors;
	fragile->why = why;
	fragile->result = result;
	fail_here(self, fragile, IN_STOP);
	note(&fragile->stopped);
}

static const struct tern_behaviour fragile_behaviour = {.name = "fragile",
							.handler = fragile_handle,
							.on_start = fragile_start,
							.on_event = fragile_event,
							.on_stop = fragile_stop,
							.on_error = fragile_error};

static uint64_t failed(const struct world *world)
{
	uint64_t all = 0;
	struct tern_lcore_stats stats;
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++) {
		tern_lcore_stats(world->engine, i, &stats);
		all += stats.failed;
	}
	return all;
}

static tern_address spawn_watched(struct world *world, const struct tern_behaviour *behaviour,
				  void *state)
{
	struct tern_spawn_options options = {.watch = true, .capacity = 4, .high_water = 2};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, behaviour, state, &options, &agent), 0);
	return agent;
}

/* Brings it to where it fails; in its event, by a full mailbox. */
static void provoke(struct world *world, tern_address agent, enum place fails)
{
	enum tern_agent_state found = TERN_STATE_NEW;
	if (fails == IN_STOP)
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	if (fails == IN_EVENT) {
		assert_int_equal(tern_agent_pause(world->self, agent), 0);
		UNTIL(world, tern_agent_state(world->self, agent, &found) == 0 &&
				     found == TERN_STATE_PAUSED);
		UNTIL(world, send_number(world->self, agent, 1, 0) == -EAGAIN);
		assert_int_equal(tern_agent_resume(world->self, agent), 0);
	}
	if (fails == IN_HANDLER || fails == IN_ERROR || fails == AFTER_EXIT)
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
}

static void assert_failed(struct world *world, enum place fails)
{
	struct fragile *fragile = world_memory(world, sizeof(*fragile));
	struct tern_ended ended = {0};
	char text[32];
	uint64_t before = failed(world);
	fragile->fails = fails;
	tern_address agent = spawn_watched(world, &fragile_behaviour, fragile);
	provoke(world, agent, fails);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.agent, agent);
	assert_int_equal(ended.why, TERN_END_FAILED);
	assert_int_equal(ended.result, -EPROTO);
	assert_int_equal(fragile->errors_at_stop, 1);
	assert_int_equal(fragile->errors, 1);
	assert_int_equal(fragile->stopped, 1);
	assert_int_equal(fragile->why, TERN_END_FAILED);
	assert_int_equal(fragile->result, -EPROTO);
	snprintf(text, sizeof(text), "place %d", (int)fails);
	assert_string_equal(fragile->error.text, text);
	assert_int_equal(failed(world) - before, 1);
	assert_false(tern_agent_alive(world->self, agent));
}

static void it_hears_of_it_and_ends(void **state)
{
	assert_failed(*state, IN_START);
	assert_failed(*state, IN_HANDLER);
	assert_failed(*state, IN_EVENT);
}

static void it_may_fail_while_it_hears_of_it(void **state)
{
	assert_failed(*state, IN_ERROR);
}

/* Who ends already ends as it was to: on_error would have no on_stop after it. */
static void who_ends_already_does_not_fail(void **state)
{
	static const enum place places[] = {IN_STOP, AFTER_EXIT};
	struct world *world = *state;
	for (int i = 0; i < 2; i++) {
		struct fragile *fragile = world_memory(world, sizeof(*fragile));
		struct tern_ended ended = {0};
		fragile->fails = places[i];
		tern_address agent = spawn_watched(world, &fragile_behaviour, fragile);
		provoke(world, agent, places[i]);
		assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, i ? TERN_END_EXIT : TERN_END_STOPPED);
		assert_int_equal(ended.result, i ? 12 : 0);
		assert_int_equal(fragile->why, ended.why);
		assert_int_equal(fragile->errors, 0);
		assert_int_equal(failed(world), 0);
	}
}

static void others_go_on(void **state)
{
	struct world *world = *state;
	struct probe sender = {.started = 1};
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, &sender);
	struct crew crew;
	crew_open(&crew, world);
	for (uint32_t i = 0; i < 10; i++) {
		crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
		crew.runners[i].fail_at = i % 2 ? 3 : 0;
		crew_pause(&crew, i);
		for (uint64_t j = 0; j < 20; j++)
			assert_int_equal(send_number(self, crew.agents[i], 1, j), 0);
		UNTIL(world, crew_stats(&crew, i).queued == 20);
	}
	crew_go(&crew);
	crew_wait(&crew, 5 * 20 + 5 * 3);
	for (uint32_t i = 0; i < 10; i++) {
		UNTIL(world, seen(&crew.runners[i].probe.stopped) == i % 2);
		assert_int_equal(crew.runners[i].probe.handled, i % 2 ? 3 : 20);
		assert_int_equal(tern_agent_alive(world->self, crew.agents[i]), i % 2 == 0);
	}
	UNTIL(world, (tern_thread_poll(self), sender.returned == 5 * 17));
	assert_int_equal(failed(world), 5);
	tern_thread_detach(self);
}

/* Without on_error, and an agent of a thread, which ends by detaching alone. */
static void on_error_is_optional(void **state)
{
	struct world *world = *state;
	struct tern_behaviour plain = {.name = "plain", .handler = fragile_handle};
	struct fragile *fragile = world_memory(world, sizeof(*fragile)), thread = {0};
	struct tern_ended ended = {0};
	fragile->fails = thread.fails = IN_HANDLER;
	tern_address agent = spawn_watched(world, &plain, fragile);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.why, TERN_END_FAILED);
	struct tern_agent *self = tern_thread_attach(world->engine, &fragile_behaviour, &thread);
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(send_number(world->self, tern_self(self), 1, 0), 0);
		UNTIL(world, (tern_thread_poll(self), thread.handled == i));
	}
	assert_int_equal(thread.errors + thread.stopped, 0);
	tern_thread_detach(self);
	assert_int_equal(failed(world), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(it_hears_of_it_and_ends),	      BOTH(it_may_fail_while_it_hears_of_it),
		BOTH(who_ends_already_does_not_fail), BOTH(others_go_on),
		BOTH(on_error_is_optional),
	};
	return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
