/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber's result reaches on_stop and those who watch, whichever way it ends; nothing it
 * held is left; only a fiber may wait; it hears of events and of its timers while it waits; what
 * cannot be spawned is refused.
 * Method: fibers that end in each way, with blocks in hand and in the mailbox; waits tried from
 * every other kind of function; the world's end insists that no block is left.
 */
#include <sys/epoll.h>

#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, OTHER, TICK };

TERN_FIBER(static, give_result)
{
	struct actor *actor = state;
	return actor->code;
}
ACTOR(give_result);

TERN_FIBER(static, leave_by_exit)
{
	struct actor *actor = state;
	tern_yield(self);
	tern_exit(self, actor->code);
	actor->wrong = __LINE__;
	return -1;
}
ACTOR(leave_by_exit);

TERN_FIBER(static, leave_by_fail)
{
	struct actor *actor = state;
	tern_yield(self);
	tern_fail(self, -EPROTO, "number %d", (int)actor->code);
	actor->wrong = __LINE__;
	return -1;
}
ACTOR(leave_by_fail);

static void wait_for(struct world *world, tern_address agent, enum tern_end why, int64_t result)
{
	struct tern_ended ended = {0};
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.agent, agent);
	assert_int_equal(ended.why, why);
	assert_int_equal(ended.result, result);
}

static void its_result_is_told(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.watch = true};
	struct actor *actors = world_actors(world, 3);
	tern_address agents[3];
	for (int i = 0; i < 3; i++)
		actors[i].code = 1000 + i;
	agents[0] = spawn_with(world, &give_result_behaviour, &actors[0], &options);
	agents[1] = spawn_with(world, &leave_by_exit_behaviour, &actors[1], &options);
	agents[2] = spawn_with(world, &leave_by_fail_behaviour, &actors[2], &options);
	wait_for(world, agents[2], TERN_END_FAILED, -EPROTO);
	wait_for(world, agents[1], TERN_END_EXIT, 1001);
	wait_for(world, agents[0], TERN_END_EXIT, 1000);
	ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, 1000);
	ASSERT_ENDED(world, &actors[1], TERN_END_EXIT, 1001);
	ASSERT_ENDED(world, &actors[2], TERN_END_FAILED, -EPROTO);
	assert_int_equal(actors[2].errors, 1);
	assert_string_equal(actors[2].error.text, "number 1002");
	assert_int_equal(actors[0].errors + actors[1].errors, 0);
}

/* Spawns children and waits for them, by address and in any order. */
TERN_FIBER(static, be_parent)
{
	struct actor *actor = state;
	struct tern_spawn_options options = {.lcore = 1, .watch = true};
	struct tern_ended ended = {.result = 5};
	tern_address children[3];
	for (int i = 0; i < 3; i++)
		EXPECT(tern_spawn(self, &give_result_behaviour, &actor->others[i], &options,
				  &children[i]) == 0);
	EXPECT(tern_wait(self, tern_self(self), 1000, &ended) == -ETIMEDOUT && ended.result == 5);
	EXPECT(tern_wait(self, children[1], TERN_FOREVER, &ended) == 0);
	EXPECT(ended.agent == children[1] && ended.result == 1);
	int64_t sum = 0;
	for (int i = 0; i < 2; i++) {
		EXPECT(tern_wait(self, TERN_ADDRESS_NONE, TERN_FOREVER, &ended) == 0);
		EXPECT(ended.agent != children[1] && ended.why == TERN_END_EXIT);
		sum += ended.result;
	}
	EXPECT(tern_wait(self, TERN_ADDRESS_NONE, 0, &ended) == -ETIMEDOUT);
	EXPECT(tern_watch(self, children[0]) == -ESRCH);
	return sum;
}
ACTOR(be_parent);

static void a_fiber_waits_for_its_children(void **state)
{
	struct world *world = *state;
	struct actor *actors = world_actors(world, 4);
	for (int i = 0; i < 3; i++)
		actors[i].code = i;
	actors[3].others = actors;
	spawn_on(world->self, 0, &be_parent_behaviour, &actors[3]);
	ASSERT_ENDED(world, &actors[3], TERN_END_EXIT, 2);
}

/* Takes every other block; ends with one in hand and others in its mailbox. */
TERN_FIBER(static, take_every_other)
{
	struct actor *actor = state;
	for (uint64_t i = 0; i < 10; i++) {
		struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		EXPECT(tern_signal_has_iso(signal) || tern_signal_has_val(signal));
		if (i % 4 == 0)
			tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
		if (i % 4 == 1)
			tern_val_drop(tern_heap(self), tern_signal_take_val(signal));
		EXPECT(!tern_recv_type(self, OTHER, 0));
		note(&actor->step);
	}
	struct tern_signal *last = tern_recv(self, TERN_FOREVER);
	tern_iso *kept = tern_signal_take_iso(last);
	last = tern_recv(self, TERN_FOREVER);
	EXPECT(kept && tern_signal_has_val(last) && *(char *)tern_iso_data(kept) == 'k');
	tern_iso_drop(tern_heap(self), kept);
	note(&actor->step);
	if (actor->go)
		tern_exit(self, 0);
	tern_recv_type(self, OTHER, actor->code ? TERN_FOREVER : 0);
	return 0;
}
ACTOR(take_every_other);

static tern_iso *make_block(struct world *world)
{
	tern_iso *iso = tern_iso_create(tern_heap(world->self), 200);
	assert_non_null(iso);
	memset(tern_iso_data(iso), 'k', 200);
	return iso;
}

static void blocks_not_taken_are_dropped(void **state)
{
	struct world *world = *state;
	struct actor *actors = world_actors(world, 3);
	for (int way = 0; way < 3; way++) {
		struct actor *actor = &actors[way];
		const tern_val *val = tern_iso_freeze(make_block(world));
		actor->go = way == 1;
		actor->code = way == 2;
		tern_address to = spawn_on(world->self, 0, &take_every_other_behaviour, actor);
		for (int i = 0; i < 20; i++) {
			if (i % 2)
				val = val ? tern_val_share(val) : NULL;
			void *back =
				i % 2 ? (void *)(uintptr_t)tern_signal_val(world->self, to, PLAIN,
									   val)
				      : tern_signal_iso(world->self, to, PLAIN, make_block(world));
			/* In threads it may have ended by now. */
			if (back && i % 2)
				tern_val_drop(tern_heap(world->self), back);
			else if (back)
				tern_iso_drop(tern_heap(world->self), back);
		}
		if (way == 2) {
			/* Not sooner: a block in its hand would be on_stop's to drop. */
			UNTIL(world, seen(&actor->step) == 11);
			assert_int_equal(tern_agent_stop(world->self, to), 0);
		}
		ASSERT_ENDED(world, actor, way == 2 ? TERN_END_STOPPED : TERN_END_EXIT, 0);
		UNTIL(world, !tern_agent_alive(world->self, to) && tern_val_count(val) == 1);
		tern_val_drop(tern_heap(world->self), val);
	}
}

/* Everything that waits, where nothing may: returns how many were not refused. */
static uint64_t try_to_wait(struct tern_agent *self) TERN_OWNS(self);
static uint64_t try_to_wait(struct tern_agent *self)
{
	struct tern_ended ended;
	uint32_t ready;
	uint64_t done = 0;
	done += tern_recv(self, 1000) != NULL || tern_errno != EDEADLK;
	done += tern_recv_type(self, 1, TERN_FOREVER) != NULL || tern_errno != EDEADLK;
	done += tern_sleep(self, 0) != -EDEADLK;
	done += tern_sleep(self, 1000) != -EDEADLK;
	done += tern_yield(self) != -EDEADLK;
	done += tern_wait_fd(self, 0, EPOLLIN, 1000, &ready) != -EDEADLK;
	done += tern_wait(self, TERN_ADDRESS_NONE, 1000, &ended) != -EDEADLK;
	tern_iso *iso = tern_iso_create(tern_heap(self), 10);
	iso = tern_signal_wait(self, tern_self(self), 0, iso, 1000);
	done += !iso || tern_errno != EDEADLK;
	tern_iso_drop(tern_heap(self), iso);
	return done;
}

#define TRIES(name, ...)                                                        \
	static void name(struct tern_agent *self, __VA_ARGS__) TERN_OWNS(self); \
	static void name(struct tern_agent *self, __VA_ARGS__)

TRIES(try_start, void *state)
{
	struct actor *actor = state;
	EXPECT(try_to_wait(self) == 0);
	probe_start(self, state);
}

TRIES(try_event, void *state, const struct tern_event *event)
{
	struct actor *actor = state;
	EXPECT(try_to_wait(self) == 0);
	probe_event(self, state, event);
}

TRIES(try_error, void *state, const struct tern_error *error)
{
	struct actor *actor = state;
	EXPECT(try_to_wait(self) == 0);
	actor_error(self, state, error);
}

TRIES(try_stop, void *state, enum tern_end why, int64_t result)
{
	struct actor *actor = state;
	EXPECT(try_to_wait(self) == 0);
	probe_stop(self, state, why, result);
}

TERN_HANDLER(static, try_handle)
{
	struct actor *actor = state;
	EXPECT(try_to_wait(self) == 0);
	tern_fail(self, -EIO, "seen enough");
}

static void only_fibers_wait(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "tries",
							.handler = try_handle,
							.on_start = try_start,
							.on_stop = try_stop,
							.on_error = try_error};
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address agent = spawn_on(world->self, 0, &behaviour, actor);
	assert_int_equal(send_number(world->self, agent, PLAIN, 0), 0);
	ASSERT_ENDED(world, actor, TERN_END_FAILED, -EIO);
	assert_int_equal(actor->errors, 1);
}

/* It sends to one that is stopped before the signal is handled, and waits. */
TERN_FIBER(static, send_to_the_dying)
{
	struct actor *actor = state;
	EXPECT(tern_agent_stop(self, actor->peer) == 0);
	for (uint64_t i = 0; i < 5; i++)
		EXPECT(send_number(self, actor->peer, PLAIN, i) == 0);
	EXPECT(!tern_recv(self, ACTOR_MS));
	EXPECT(actor->probe.returned == 5);
	EXPECT(send_number(self, actor->peer, PLAIN, 0) == -ESRCH);
	tern_fail(self, -EIO, "seen enough");
	return 0;
}

static const struct tern_behaviour hearer = {.name = "hearer",
					     .fiber = send_to_the_dying,
					     .on_start = try_start,
					     .on_event = try_event,
					     .on_stop = try_stop,
					     .on_error = try_error};

static void a_waiting_fiber_hears_what_came_back(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *victim = world_probes(world, 1);
	actor->peer = spawn_on(world->self, 0, &probe_behaviour, victim);
	world_settle(world);
	spawn_on(world->self, 0, &hearer, actor);
	ASSERT_ENDED(world, actor, TERN_END_FAILED, -EIO);
	assert_int_equal(actor->errors, 1);
	assert_int_equal(victim->handled, 0);
}

TERN_FIBER(static, let_it_pile_up)
{
	struct actor *actor = state;
	while (!seen(&actor->go))
		tern_sleep(self, 1000);
	for (uint64_t i = 0; i < 9; i++)
		EXPECT(number_of(tern_recv(self, TERN_FOREVER)) == i);
	EXPECT(!tern_recv(self, 1000));
	return 0;
}
ACTOR(let_it_pile_up);

static void a_sleeping_fiber_hears_of_pressure(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10, .high_water = 9, .low_water = 2};
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_with(world, &let_it_pile_up_behaviour, actor, &options);
	for (uint64_t i = 0; i < 9; i++)
		assert_int_equal(send_number(world->self, fiber, PLAIN, i), 0);
	UNTIL(world, seen(&actor->probe.pressed) == 1);
	assert_int_equal(actor->probe.released, 0);
	put(&actor->go, 1);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	assert_int_equal(actor->probe.released, 1);
}

TERN_FIBER(static, live_by_timers)
{
	struct actor *actor = state;
	uint64_t began = tern_now(self), periods = 0;
	tern_timer_start(self, &actor->timer, ACTOR_MS, ACTOR_MS, TICK);
	while (periods < 5) {
		struct tern_timeout timeout;
		const struct tern_signal *signal = tern_recv_type(self, TICK, TERN_FOREVER);
		memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
		periods += timeout.expired;
		EXPECT(timeout.timer == &actor->timer && timeout.due_ns <= tern_now(self));
		/* Of the first period that passed; 1000 for rounding. */
		uint64_t first = periods - timeout.expired + 1;
		EXPECT(timeout.due_ns + 1000 >= began + first * ACTOR_MS);
		EXPECT(tern_signal_from(signal) == tern_self(self));
		tern_sleep(self, ACTOR_MS / 2);
	}
	EXPECT(tern_timer_cancel(self, &actor->timer));
	while (tern_recv(self, 0))
		;
	EXPECT(!tern_recv(self, 3 * ACTOR_MS));
	tern_timer_start(self, &actor->timer, ACTOR_MS, 0, TICK); /* ends with it */
	return 0;
}
ACTOR(live_by_timers);

static void its_timers_arrive_as_signals(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	spawn_on(world->self, 0, &live_by_timers_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

static void refuse_spawn(struct world *world, struct tern_behaviour behaviour,
			 struct tern_spawn_options options)
{
	tern_address agent = 7;
	assert_int_equal(tern_spawn(world->self, &behaviour, NULL, &options, &agent), -EINVAL);
	assert_int_equal(agent, 7);
}

static void what_does_not_go_together_is_refused(void **state)
{
	struct world *world = *state;
	struct tern_behaviour handler = {.name = "handler", .handler = try_handle};
	struct tern_behaviour fiber = {.name = "fiber", .fiber = give_result};
	struct tern_behaviour both = {.name = "both", .fiber = give_result, .handler = try_handle};
	struct tern_spawn_options defaults = TERN_SPAWN_DEFAULTS, stack = defaults;
	struct tern_spawn_options preempt = defaults, large = defaults;
	stack.stack_bytes = 65536;
	preempt.preempt = true;
	large.stack_bytes = (1u << 20) + 1;
	refuse_spawn(world, handler, stack);
	refuse_spawn(world, handler, preempt);
	refuse_spawn(world, both, defaults);
	refuse_spawn(world, (struct tern_behaviour){.name = "neither"}, defaults);
	refuse_spawn(world, fiber, large);
	large.stack_bytes = UINT32_MAX;
	refuse_spawn(world, fiber, large);
	if (world->polled)
		refuse_spawn(world, fiber, preempt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(its_result_is_told),
		BOTH(a_fiber_waits_for_its_children),
		BOTH(blocks_not_taken_are_dropped),
		BOTH(only_fibers_wait),
		POLLED(a_waiting_fiber_hears_what_came_back),
		BOTH(a_sleeping_fiber_hears_of_pressure),
		BOTH(its_timers_arrive_as_signals),
		BOTH(what_does_not_go_together_is_refused),
	};
	return cmocka_run_group_tests_name("fiber life", tests, NULL, NULL);
}
