/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a paused agent runs none of its functions and loses nothing: signals queue up under its
 * mailbox policy, timers stand still, what comes back and what it is told waits; all of it goes
 * on at the resume. Others see it in the state that it is in.
 * Method: probes and timers in both modes; every state looked at from outside, the running one
 * while a handler does not return.
 */
#include "tests/unit/engine/runs.h"

static enum tern_agent_state state_of(const struct world *world, tern_address agent)
{
	enum tern_agent_state found = TERN_STATE_ENDING;
	(void)!tern_agent_state(world->self, agent, &found);
	return found;
}

static void pause_and_see(struct world *world, tern_address agent)
{
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	UNTIL(world, state_of(world, agent) == TERN_STATE_PAUSED);
}

static void signals_wait_and_none_is_lost(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	for (uint32_t i = 0; i < 4; i++)
		crew_add(&crew, (enum tern_priority)((int)i - 1), 0);
	for (uint32_t i = 0; i < 4; i++)
		crew_load(&crew, i, 500);
	assert_int_equal(crew.runs->count, 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(tern_agent_resume(world->self, crew.agents[i]), 0);
	crew_wait(&crew, 2000);
	for (uint32_t i = 0; i < 4; i++) {
		UNTIL(world, crew_state(&crew, i) == TERN_STATE_IDLE);
		assert_int_equal(crew.runners[i].probe.handled, 500);
		crew_send(&crew, i, 1);
	}
	crew_wait(&crew, 2004);
}

static void order_outlasts_a_pause(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	struct tern_spawn_options options = {.capacity = 8192};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &sink_behaviour, sink, &options, &agent), 0);
	for (uint64_t i = 0; i < 4000; i++) {
		if (i % 400 == 100)
			assert_int_equal(tern_agent_pause(world->self, agent), 0);
		else if (i % 400 == 300)
			assert_int_equal(tern_agent_resume(world->self, agent), 0);
		UNTIL(world, send_number(world->self, agent, 1, i) == 0);
		if (i % 7 == 0)
			world_poll(world);
	}
	UNTIL(world, seen(&sink->expected) == 4000);
	assert_int_equal(sink->wrong, 0);
}

static void water_marks_hold_while_paused(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct tern_spawn_options options = {.capacity = 10, .high_water = 8, .low_water = 2};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &agent), 0);
	pause_and_see(world, agent);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	UNTIL(world, send_number(world->self, agent, 1, 8) == -EAGAIN);
	assert_int_equal(seen(&probe->pressed), 0); /* it hears of nothing */
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	UNTIL(world, seen(&probe->released) == 1);
	assert_int_equal(probe->pressed, 1);
	UNTIL(world, send_number(world->self, agent, 1, 9) == 0);
	UNTIL(world, seen(&probe->handled) >= 9);
}

static void the_oldest_are_dropped_while_paused(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	struct tern_spawn_options options = {.capacity = 10, .policy = TERN_POLICY_DROP_OLDEST};
	struct tern_agent_stats stats = {0};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &sink_behaviour, sink, &options, &agent), 0);
	pause_and_see(world, agent);
	for (uint64_t i = 0; i < 25; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	UNTIL(world, (tern_agent_stats(world->engine, agent, &stats), stats.dropped == 15));
	put(&sink->expected, 15);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	UNTIL(world, seen(&sink->expected) == 25);
	assert_int_equal(sink->wrong, 0);
}

static void an_overflow_evicts_while_paused(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct tern_spawn_options options = {.capacity = 4, .policy = TERN_POLICY_EVICT};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &agent), 0);
	pause_and_see(world, agent);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	UNTIL(world, seen(&probe->stopped) == 1);
	assert_int_equal(probe->why, TERN_END_EVICTED);
	assert_int_equal(probe->handled, 0);
}

/* An agent with a timer each of 10 us, once and again and again. */
struct clockwork {
	struct tern_timer once;
	struct tern_timer often;
	uint64_t fired_once;
	uint64_t fired;
	uint64_t periods;
	uint64_t longest; /* most periods of one firing */
	uint64_t stopped;
};

TERN_HANDLER(static, clockwork_handle)
{
	struct clockwork *clockwork = state;
	struct tern_timeout timeout;
	memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
	if (timeout.timer == &clockwork->once) {
		note(&clockwork->fired_once);
		return;
	}
	clockwork->periods += timeout.expired;
	if (timeout.expired > clockwork->longest)
		put(&clockwork->longest, timeout.expired);
	note(&clockwork->fired);
}

static void clockwork_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void clockwork_start(struct tern_agent *self, void *state)
{
	struct clockwork *clockwork = state;
	tern_timer_start(self, &clockwork->once, 10000, 0, 1);
	tern_timer_start(self, &clockwork->often, 10000, 10000, 1);
}

static void clockwork_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct clockwork *clockwork = state;
	(void)self, (void)why, (void)result;
	note(&clockwork->stopped);
}

static const struct tern_behaviour clockwork_behaviour = {.name = "clockwork",
							  .handler = clockwork_handle,
							  .on_start = clockwork_start,
							  .on_stop = clockwork_stop};

static void timers_stand_still(void **state)
{
	struct world *world = *state;
	struct clockwork *clockwork = world_memory(world, sizeof(*clockwork));
	tern_address agent = spawn_on(world->self, 0, &clockwork_behaviour, clockwork);
	world_settle(world);
	pause_and_see(world, agent);
	for (int i = 0; i < 100; i++) {
		tern_engine_advance(world->engine, 10000);
		world_settle(world);
	}
	assert_int_equal(clockwork->fired + clockwork->fired_once, 0);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	world_settle(world);
	tern_engine_advance(world->engine, 2000);
	world_settle(world);
	assert_int_equal(clockwork->fired_once, 1);
	assert_int_equal(clockwork->fired, 1);
	assert_int_equal(clockwork->longest, 100);
	tern_engine_advance(world->engine, 10000);
	world_settle(world);
	assert_int_equal(clockwork->fired, 2);
	assert_int_equal(clockwork->periods, 101);
	assert_int_equal(clockwork->fired_once, 1);
}

/* The same on a clock that goes by itself: how many periods passed is not known, but some. */
static void timers_go_on_after_a_pause(void **state)
{
	struct world *world = *state;
	struct clockwork *clockwork = world_memory(world, sizeof(*clockwork));
	tern_address agent = spawn_on(world->self, 0, &clockwork_behaviour, clockwork);
	UNTIL(world, seen(&clockwork->fired) > 0);
	pause_and_see(world, agent);
	uint64_t fired = seen(&clockwork->fired), from = tern_engine_now(world->engine);
	UNTIL(world, tern_engine_now(world->engine) - from > 500000);
	assert_int_equal(seen(&clockwork->fired), fired);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	UNTIL(world, seen(&clockwork->longest) >= 50);
}

static void a_paused_agent_with_timers_can_be_stopped(void **state)
{
	struct world *world = *state;
	struct clockwork *clockwork = world_memory(world, sizeof(*clockwork));
	tern_address agent = spawn_on(world->self, 0, &clockwork_behaviour, clockwork);
	UNTIL(world, state_of(world, agent) != TERN_STATE_NEW);
	pause_and_see(world, agent);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&clockwork->stopped) == 1);
	assert_false(clockwork->once.armed);
	assert_false(clockwork->often.armed);
}

/* Of several calls the last one counts, whether the lcore has seen those before it or not. */
static void the_last_call_counts(void **state)
{
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(5)};
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	for (int i = 0; i < 200; i++) {
		bool paused = false;
		for (uint32_t calls = 1 + pick(&rng, 5); calls; calls--) {
			paused = pick(&rng, 2);
			assert_int_equal(paused ? tern_agent_pause(world->self, agent)
						: tern_agent_resume(world->self, agent),
					 0);
			if (pick(&rng, 3) == 0)
				world_poll(world);
		}
		UNTIL(world, (state_of(world, agent) == TERN_STATE_PAUSED) == paused);
		world_settle(world);
		assert_int_equal(state_of(world, agent) == TERN_STATE_PAUSED, paused);
	}
	assert_int_equal(probe->started, 1);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	UNTIL(world, seen(&probe->handled) == 1);
}

static void a_new_agent_can_be_paused(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 1 % tern_engine_lcores(world->engine),
				      &probe_behaviour, probe);
	if (world->polled)
		assert_int_equal(state_of(world, agent), TERN_STATE_NEW);
	pause_and_see(world, agent);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	struct tern_agent_stats stats = {0};
	UNTIL(world, (tern_agent_stats(world->engine, agent, &stats), stats.queued == 1));
	assert_int_equal(seen(&probe->handled), 0);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	UNTIL(world, seen(&probe->handled) == 1);
	assert_int_equal(probe->started, 1);
	assert_int_equal(probe->early, 0);
}

static void a_stop_ends_a_paused_agent(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1), sender = {.started = 1};
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, &sender);
	tern_address agent = spawn_on(self, 0, &probe_behaviour, probe);
	pause_and_see(world, agent);
	for (uint64_t i = 0; i < 30; i++)
		assert_int_equal(send_number(self, agent, 1, i), 0);
	assert_int_equal(tern_agent_stop(self, agent), 0);
	UNTIL(world, (tern_thread_poll(self), seen(&probe->stopped) == 1));
	UNTIL(world, (tern_thread_poll(self), sender.returned == 30));
	assert_int_equal(probe->handled, 0);
	assert_int_equal(probe->why, TERN_END_STOPPED);
	UNTIL(world, !tern_agent_alive(self, agent)); /* just after its on_stop */
	assert_int_equal(tern_agent_pause(self, agent), -ESRCH);
	assert_int_equal(tern_agent_resume(self, agent), -ESRCH);
	tern_thread_detach(self);
}

/* The state of a thread's own agent is not the agent's to change. */
static void threads_are_not_paused(void **state)
{
	struct world *world = *state;
	tern_address self = tern_self(world->self);
	enum tern_agent_state untouched = TERN_STATE_FINISHING;
	assert_int_equal(tern_agent_pause(world->self, self), -ESRCH);
	assert_int_equal(tern_agent_resume(world->self, self), -ESRCH);
	assert_int_equal(tern_agent_finish(world->self, self, 0), -ESRCH);
	assert_int_equal(tern_agent_state(world->self, TERN_ADDRESS_NONE, &untouched), -ESRCH);
	assert_int_equal(untouched, TERN_STATE_FINISHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(signals_wait_and_none_is_lost),
		BOTH(order_outlasts_a_pause),
		BOTH(water_marks_hold_while_paused),
		BOTH(the_oldest_are_dropped_while_paused),
		BOTH(an_overflow_evicts_while_paused),
		POLLED(timers_stand_still),
		BOTH(timers_go_on_after_a_pause),
		BOTH(a_paused_agent_with_timers_can_be_stopped),
		BOTH(the_last_call_counts),
		BOTH(a_new_agent_can_be_paused),
		BOTH(a_stop_ends_a_paused_agent),
		BOTH(threads_are_not_paused),
	};
	return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
