/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: others see an agent in the state that it is in, at each stage of its life; what it is
 * told while it is paused waits for the resume.
 * Method: one agent taken through its life a turn at a time; from outside while a function of
 * its own does not return, whichever that is.
 */
#include "tests/unit/engine/runs.h"

static void every_stage_is_seen(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	struct tern_lcore *lcore = tern_engine_lcore(world->engine, 0);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
	crew.agents[0] = agent;
	assert_int_equal(crew_state(&crew, 0), TERN_STATE_NEW);
	tern_lcore_poll(lcore);
	assert_int_equal(crew_state(&crew, 0), TERN_STATE_IDLE);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_load(&crew, slow, 10);
	assert_int_equal(crew_state(&crew, slow), TERN_STATE_PAUSED);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[slow]), 0);
	tern_lcore_poll(lcore);
	assert_int_equal(crew_state(&crew, slow), TERN_STATE_READY);
	assert_int_equal(tern_agent_finish(world->self, crew.agents[slow], PATIENCE_NS), 0);
	tern_lcore_poll(lcore);
	assert_int_equal(crew_state(&crew, slow), TERN_STATE_FINISHING);
	assert_true(tern_agent_alive(world->self, crew.agents[slow]));
	world_settle(world);
	enum tern_agent_state found = TERN_STATE_NEW;
	assert_int_equal(tern_agent_state(world->self, crew.agents[slow], &found), -ESRCH);
	assert_int_equal(found, TERN_STATE_NEW);
	assert_int_equal(crew.runners[slow].probe.handled, 10);
}

/* Stopped, and not yet at on_stop: another agent has used up the lcore's slice. */
static void ending_is_seen(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_CRITICAL, 0);
	uint32_t low = crew_add(&crew, TERN_PRIORITY_LOW, 0);
	crew_load(&crew, slow, 5);
	crew_go(&crew);
	assert_int_equal(tern_agent_stop(world->self, crew.agents[low]), 0);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(crew_state(&crew, low), TERN_STATE_ENDING);
	assert_int_equal(crew.runners[low].probe.stopped, 0);
	world_settle(world);
	assert_int_equal(crew.runners[low].probe.stopped, 1);
}

enum function { NONE, HANDLER, START, EVENT, STOP };

/* Does not return from one of its functions until it is let go. */
struct stuck {
	struct gate gate;
	enum function where;
};

static void stay(struct stuck *stuck, enum function here)
{
	if (stuck->where != here)
		return;
	put(&stuck->gate.inside, 1);
	while (!seen(&stuck->gate.open))
		breathe();
}

TERN_HANDLER(static, stuck_handle)
{
	stay(state, HANDLER);
}

static void stuck_start(struct tern_agent *self, void *state)
{
	(void)self;
	stay(state, START);
}

static void stuck_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)self;
	if (event->kind == TERN_EVENT_PRESSURE && event->pressure.on)
		stay(state, EVENT);
}

static void stuck_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)self, (void)why, (void)result;
	stay(state, STOP);
}

static const struct tern_behaviour stuck_behaviour = {.name = "stuck",
						      .handler = stuck_handle,
						      .on_start = stuck_start,
						      .on_event = stuck_event,
						      .on_stop = stuck_stop};

/*
 * Brings the agent into the function; its mailbox is full after two signals. The other agent of
 * its lcore was the last to run before.
 */
static void provoke(struct world *world, tern_address agent, tern_address other,
		    enum function where)
{
	if (where == HANDLER)
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	if (where == STOP)
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	if (where != EVENT)
		return;
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	enum tern_agent_state found = TERN_STATE_NEW;
	UNTIL(world,
	      tern_agent_state(world->self, agent, &found) == 0 && found == TERN_STATE_PAUSED);
	UNTIL(world, send_number(world->self, agent, 1, 0) == -EAGAIN);
	struct tern_agent_stats stats = {0};
	assert_int_equal(send_number(world->self, other, 1, 0), 0);
	UNTIL(world, tern_agent_stats(world->engine, other, &stats) == 0 && stats.signals_in);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
}

static void running_is_seen_from_outside(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 2, .high_water = 2};
	for (enum function where = HANDLER; where <= STOP; where++) {
		struct stuck *stuck = world_memory(world, sizeof(*stuck));
		enum tern_agent_state found = TERN_STATE_NEW;
		tern_address agent, other;
		stuck->where = where;
		other = spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
		assert_int_equal(tern_spawn(world->self, &stuck_behaviour, stuck, &options, &agent),
				 0);
		provoke(world, agent, other, where);
		UNTIL(world, seen(&stuck->gate.inside));
		assert_int_equal(tern_agent_state(world->self, agent, &found), 0);
		put(&stuck->gate.open, 1); /* first, or a failure below never ends */
		assert_int_equal(found, where == STOP ? TERN_STATE_ENDING : TERN_STATE_RUNNING);
		UNTIL(world, tern_agent_state(world->self, agent, &found) != 0 ||
				     found == TERN_STATE_IDLE);
		UNTIL(world, tern_agent_state(world->self, other, &found) == 0 &&
				     found == TERN_STATE_IDLE);
	}
}

/* One that sends to the dead and watches, and keeps in what order it was told what. */
struct listener {
	tern_address victim;
	uint64_t events;
	uint64_t returned_at;
	uint64_t ended_at;
	uint64_t handled;
	struct tern_ended ended;
};

TERN_HANDLER(static, listener_handle)
{
	struct listener *listener = state;
	if (seen(&listener->handled) == 0) {
		(void)!tern_watch(self, listener->victim);
		(void)!send_number(self, listener->victim, 1, 0);
	}
	note(&listener->handled);
}

static void listener_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct listener *listener = state;
	(void)self;
	if (event->kind == TERN_EVENT_PRESSURE)
		return;
	uint64_t nth = listener->events + 1;
	if (event->kind == TERN_EVENT_ENDED) {
		listener->ended = event->ended;
		put(&listener->ended_at, nth);
	} else if (event->kind == TERN_EVENT_RETURNED) {
		put(&listener->returned_at, nth);
	}
	note(&listener->events);
}

static const struct tern_behaviour listener_behaviour = {
	.name = "listener", .handler = listener_handle, .on_event = listener_event};

/* The victim is paused, so that what it is sent comes back when it is stopped. */
static void listen_and_pause(struct crew *crew, struct listener *listener,
			     const struct tern_spawn_options *options)
{
	struct world *world = crew->world;
	listener->victim = spawn_on(world->self, 1 % tern_engine_lcores(world->engine),
				    &probe_behaviour, world_probes(world, 1));
	assert_int_equal(
		tern_spawn(world->self, &listener_behaviour, listener, options, &crew->agents[0]),
		0);
	crew->agents[1] = listener->victim;
	crew_pause(crew, 1);
	crew_send(crew, 0, 1);
	UNTIL(world, crew_stats(crew, 1).queued == 1);
	crew_pause(crew, 0);
	assert_int_equal(tern_agent_stop(world->self, listener->victim), 0);
	UNTIL(world, !tern_agent_alive(world->self, listener->victim));
}

static void what_it_is_told_waits(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	struct listener *listener = world_memory(world, sizeof(*listener));
	struct crew crew;
	crew_open(&crew, world);
	listen_and_pause(&crew, listener, &options);
	UNTIL(world, crew_stats(&crew, 0).queued == 1); /* the end is in no mailbox */
	assert_int_equal(seen(&listener->events), 0);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[0]), 0);
	UNTIL(world, seen(&listener->events) == 2);
	assert_int_equal(listener->returned_at, 1);
	assert_int_equal(listener->ended_at, 2);
	assert_int_equal(listener->ended.agent, listener->victim);
	assert_int_equal(listener->ended.why, TERN_END_STOPPED);
}

/* Its mailbox drops what is oldest: of the signals, not of what it is told. */
static void what_it_is_told_is_not_dropped(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 4, .policy = TERN_POLICY_DROP_OLDEST};
	struct listener *listener = world_memory(world, sizeof(*listener));
	struct crew crew;
	crew_open(&crew, world);
	listen_and_pause(&crew, listener, &options);
	UNTIL(world, crew_stats(&crew, 0).queued == 1); /* the end is in no mailbox */
	crew_send(&crew, 0, 20);
	UNTIL(world, crew_stats(&crew, 0).dropped >= 16);
	assert_int_equal(tern_agent_resume(world->self, crew.agents[0]), 0);
	UNTIL(world, crew_stats(&crew, 0).queued == 0 && crew_state(&crew, 0) == TERN_STATE_IDLE);
	assert_int_equal(seen(&listener->events), 2);
	/* What came back takes space, too. */
	assert_in_range(seen(&listener->handled), 1 + 3, 1 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(every_stage_is_seen),
		POLLED(ending_is_seen),
		THREADED(running_is_seen_from_outside),
		BOTH(what_it_is_told_waits),
		BOTH(what_it_is_told_is_not_dropped),
	};
	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
