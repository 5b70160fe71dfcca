/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent starts once, ends once with its reason and result, and is dead to everybody
 * after; a stop overtakes data, and an agent may end from any of its functions.
 * Method: probes in both modes; an agent told in which of its functions to end.
 */
#include "tests/unit/support.h"

enum place { NOWHERE, IN_START, IN_HANDLER, IN_EVENT, IN_TIMER, IN_STOP };

struct mortal {
	struct probe probe;
	enum place ends;
	struct tern_timer timer;
	tern_address victim;
};

static void end_here(struct tern_agent *self, const struct mortal *mortal, enum place place)
	TERN_OWNS(self);
static void end_here(struct tern_agent *self, const struct mortal *mortal, enum place place)
{
	if (mortal->ends == place) {
		tern_exit(self, 1000 + (int64_t)place);
		tern_exit(self, -1); /* the first result counts */
	}
}

TERN_HANDLER(static, mortal_handle)
{
	struct mortal *mortal = state;
	probe_handle(self, &mortal->probe, signal);
	if (tern_signal_from(signal) == tern_self(self))
		end_here(self, mortal, IN_TIMER);
	else if (mortal->victim)
		(void)!send_number(self, mortal->victim, 0, 0);
	else
		end_here(self, mortal, IN_HANDLER);
}

static void mortal_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void mortal_start(struct tern_agent *self, void *state)
{
	struct mortal *mortal = state;
	probe_start(self, &mortal->probe);
	end_here(self, mortal, IN_START);
	if (mortal->ends == IN_TIMER)
		tern_timer_start(self, &mortal->timer, 1000, 1000, 1);
}

static void mortal_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self);
static void mortal_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct mortal *mortal = state;
	probe_event(self, &mortal->probe, event);
	end_here(self, mortal, IN_EVENT);
}

static void mortal_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void mortal_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct mortal *mortal = state;
	probe_stop(self, &mortal->probe, why, result);
	end_here(self, mortal, IN_STOP);
}

static const struct tern_behaviour mortal_behaviour = {.name = "mortal",
						       .handler = mortal_handle,
						       .on_start = mortal_start,
						       .on_event = mortal_event,
						       .on_stop = mortal_stop};

static tern_address open_mortal(struct world *world, enum place ends, struct mortal **mortal)
{
	*mortal = world_memory(world, sizeof(**mortal));
	(*mortal)->ends = ends;
	return spawn_on(world->self, 0, &mortal_behaviour, *mortal);
}

static void assert_dead(struct world *world, tern_address agent, const struct mortal *mortal,
			enum place place)
{
	struct tern_agent_stats stats;
	UNTIL(world, seen(&mortal->probe.stopped) == 1);
	assert_int_equal(mortal->probe.why, TERN_END_EXIT);
	assert_int_equal(mortal->probe.result, 1000 + (int)place);
	assert_int_equal(mortal->probe.started, 1);
	assert_int_equal(mortal->probe.early, 0);
	UNTIL(world, !tern_agent_alive(world->self, agent));
	assert_int_equal(send_number(world->self, agent, 0, 0), -ESRCH);
	assert_int_equal(tern_agent_stop(world->self, agent), -ESRCH);
	assert_int_equal(tern_agent_stats(world->engine, agent, &stats), -ESRCH);
}

static void it_may_end_in_its_start(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, IN_START, &mortal);
	assert_dead(world, agent, mortal, IN_START);
	assert_int_equal(mortal->probe.handled, 0);
}

static void it_may_end_in_its_handler(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, IN_HANDLER, &mortal);
	assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	(void)!send_number(world->self, agent, 0, 0);
	assert_dead(world, agent, mortal, IN_HANDLER);
	assert_int_equal(mortal->probe.handled, 1);
}

static void it_may_end_in_its_timer(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, IN_TIMER, &mortal);
	assert_dead(world, agent, mortal, IN_TIMER);
	assert_int_equal(mortal->probe.handled, 1);
	if (world->polled)
		assert_false(mortal->timer.armed);
}

/* Its signal reaches an agent that is gone by then: the event ends it. */
static void it_may_end_in_its_event(void **state)
{
	struct world *world = *state;
	struct mortal *mortal, *victim;
	tern_address agent = open_mortal(world, IN_EVENT, &mortal);
	world_settle(world);
	tern_address gone = open_mortal(world, NOWHERE, &victim);
	world_settle(world);
	mortal->victim = gone;
	assert_int_equal(tern_agent_stop(world->self, gone), 0);
	assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	/* One turn: the stop is taken first, but the end waits for the ready queue. */
	world_settle(world);
	assert_dead(world, agent, mortal, IN_EVENT);
	assert_int_equal(mortal->probe.returned, 1);
}

static void an_exit_while_stopping_changes_nothing(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, IN_STOP, &mortal);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&mortal->probe.stopped) == 1);
	UNTIL(world, !tern_agent_alive(world->self, agent));
	assert_int_equal(mortal->probe.why, TERN_END_STOPPED);
	assert_int_equal(mortal->probe.result, 0);
}

static void stopping_twice_ends_once(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, NOWHERE, &mortal);
	UNTIL(world, seen(&mortal->probe.started) == 1);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	int again = tern_agent_stop(world->self, agent);
	assert_true(again == 0 || again == -ESRCH);
	UNTIL(world, seen(&mortal->probe.stopped) == 1);
	/* Its slot's next life must not inherit the second stop. */
	for (int i = 0; i < 200; i++) {
		struct mortal *next;
		tern_address other = open_mortal(world, NOWHERE, &next);
		assert_int_equal(send_number(world->self, other, 0, 0), 0);
		UNTIL(world, seen(&next->probe.handled) == 1);
		assert_int_equal(seen(&next->probe.stopped), 0);
	}
	assert_int_equal(mortal->probe.stopped, 1);
}

static void a_stop_may_come_before_the_start(void **state)
{
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, NOWHERE, &mortal);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&mortal->probe.stopped) == 1);
	assert_int_equal(mortal->probe.started, 1);
	assert_int_equal(mortal->probe.why, TERN_END_STOPPED);
}

static void a_stop_overtakes_data(void **state)
{
	enum { DATA = 500 };
	struct world *world = *state;
	struct mortal *mortal;
	tern_address agent = open_mortal(world, NOWHERE, &mortal);
	world_settle(world);
	for (int i = 0; i < DATA; i++)
		assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	world_settle(world);
	assert_int_equal(mortal->probe.stopped, 1);
	assert_int_equal(mortal->probe.handled, 0);
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, tern_lcore_index(world->self), &stats);
	assert_int_equal(stats.returned, DATA);
}

/* An agent that stops others, wherever they live, and then itself. */
struct killer {
	tern_address victims[2];
	uint64_t refused;
	uint64_t stopped;
};

TERN_HANDLER(static, killer_handle)
{
	struct killer *killer = state;
	for (int i = 0; i < 2; i++)
		killer->refused += tern_agent_stop(self, killer->victims[i]) != 0;
	killer->refused += tern_agent_stop(self, tern_self(self)) != 0;
}

static void killer_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct killer *killer = state;
	(void)self, (void)result;
	put(&killer->stopped, why == TERN_END_STOPPED ? 1 : 2);
}

static void agents_stop_agents(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "killer", .handler = killer_handle, .on_stop = killer_stop};
	struct world *world = *state;
	struct killer *killer = world_memory(world, sizeof(*killer));
	struct probe *probes = world_probes(world, 2);
	for (uint32_t i = 0; i < 2; i++)
		killer->victims[i] = spawn_on(world->self, i % tern_engine_lcores(world->engine),
					      &probe_behaviour, &probes[i]);
	tern_address agent = spawn_on(world->self, 0, &behaviour, killer);
	assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	UNTIL(world, seen(&killer->stopped) == 1);
	for (int i = 0; i < 2; i++) {
		UNTIL(world, seen(&probes[i].stopped) == 1);
		assert_int_equal(probes[i].why, TERN_END_STOPPED);
	}
	assert_int_equal(killer->refused, 0);
}

/* Its state is its own, timers included: on_stop may free it. */
struct owner {
	struct tern_timer timers[4];
	uint64_t *freed;
};

static void owner_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void owner_start(struct tern_agent *self, void *state)
{
	struct owner *owner = state;
	for (uint16_t i = 0; i < 4; i++)
		tern_timer_start(self, &owner->timers[i], 1000000000u * (i + 1ull), i, i);
}

static void owner_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)self, (void)why, (void)result;
	struct owner *owner = state;
	note(owner->freed);
	memset(owner->timers, 0xFF, sizeof(owner->timers));
	free(owner);
}

TERN_HANDLER(static, owner_handle)
{
}

static void state_may_be_freed_when_it_ends(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "owner",
							.handler = owner_handle,
							.on_start = owner_start,
							.on_stop = owner_stop};
	struct world *world = *state;
	uint64_t *freed = world_memory(world, sizeof(*freed));
	for (int i = 0; i < 10; i++) {
		struct owner *owner = calloc(1, sizeof(*owner));
		assert_non_null(owner);
		owner->freed = freed;
		tern_address agent = spawn_on(world->self, 0, &behaviour, owner);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	}
	UNTIL(world, seen(freed) == 10);
}

/* Writes down its turn among those that start. */
struct starter {
	uint64_t *started;
	uint64_t turn;
};

static void starter_start(struct tern_agent *self, void *state)
{
	(void)self;
	struct starter *starter = state;
	starter->turn = (*starter->started)++;
}

static void agents_start_in_the_order_made(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "starter", .handler = owner_handle, .on_start = starter_start};
	struct world *world = *state;
	uint64_t *started = world_memory(world, sizeof(*started));
	struct starter *starters = world_memory(world, 50 * sizeof(*starters));
	for (uint32_t i = 0; i < 50; i++) {
		starters[i].started = started;
		spawn_on(world->self, 1, &behaviour, &starters[i]);
	}
	world_settle(world);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(starters[i].turn, i);
}

#define CROWD 30000u

/*
 * More requests than any lane or outbox could hold, before an lcore looks once: none is lost.
 */
static void a_crowd_stops_at_once(void **state)
{
	(void)state;
	struct world world;
	struct tern_config config;
	world_config(&config, true);
	config.max_agents = CROWD;
	world_open(&world, &config);
	struct probe *probe = world_probes(&world, 1);
	tern_address *agents = world_memory(&world, CROWD * sizeof(*agents));
	for (uint32_t i = 0; i < CROWD; i++)
		agents[i] = spawn_on(world.self, i % 2, &probe_behaviour, probe);
	for (uint32_t i = 0; i < CROWD; i++)
		assert_int_equal(tern_agent_stop(world.self, agents[i]), 0);
	world_settle(&world);
	for (uint32_t i = 0; i < CROWD; i++)
		assert_false(tern_agent_alive(world.self, agents[i]));
	assert_int_equal(probe->started, CROWD);
	assert_int_equal(probe->stopped, CROWD);
	/* Every slot is to be had again. */
	for (uint32_t i = 0; i < CROWD; i++)
		agents[i] = spawn_on(world.self, i % 2, &probe_behaviour, probe);
	world_settle(&world);
	world_close(&world);
}

static void the_engines_own_agents_cannot_be_stopped(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(tern_agent_stop(world->self, tern_address_make(0, i, 1)), -ESRCH);
	assert_int_equal(tern_agent_stop(world->self, tern_self(world->self)), -ESRCH);
}

/* What an agent can learn of itself and its place. */
struct curious {
	uint64_t asked;
	uint64_t wrong;
	uint32_t lcore;
	tern_address address;
	struct tern_engine *engine;
};

TERN_HANDLER(static, curious_handle)
{
	struct curious *curious = state;
	curious->wrong += tern_self(self) != curious->address;
	curious->wrong += tern_state(self) != curious;
	curious->wrong += tern_engine_of(self) != curious->engine;
	curious->wrong += tern_lcore_index(self) != curious->lcore;
	curious->wrong += !tern_heap(self);
	curious->wrong += tern_turn_time(self) > tern_now(self);
	curious->wrong += tern_now(self) > tern_engine_now(curious->engine);
	curious->wrong += tern_signal_age(self, signal) > PATIENCE_NS;
	curious->wrong += !tern_agent_alive(self, tern_self(self));
	note(&curious->asked);
}

static void an_agent_knows_its_place(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "curious",
							.handler = curious_handle};
	struct world *world = *state;
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++) {
		struct curious *curious = world_memory(world, sizeof(*curious));
		curious->lcore = i;
		curious->engine = world->engine;
		curious->address = spawn_on(world->self, i, &behaviour, curious);
		assert_int_equal(send_number(world->self, curious->address, 0, 0), 0);
		UNTIL(world, seen(&curious->asked) == 1);
		assert_int_equal(curious->wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(it_may_end_in_its_start),
		BOTH(it_may_end_in_its_handler),
		BOTH(it_may_end_in_its_timer),
		POLLED(it_may_end_in_its_event),
		BOTH(an_exit_while_stopping_changes_nothing),
		BOTH(stopping_twice_ends_once),
		BOTH(a_stop_may_come_before_the_start),
		POLLED(a_stop_overtakes_data),
		BOTH(agents_stop_agents),
		cmocka_unit_test(a_crowd_stops_at_once),
		BOTH(state_may_be_freed_when_it_ends),
		POLLED(agents_start_in_the_order_made),
		POLLED(the_engines_own_agents_cannot_be_stopped),
		BOTH(an_agent_knows_its_place),
	};
	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
