/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber that sends to an agent which blocks its senders waits at high water and goes on at
 * low water, with nothing lost, doubled or overtaken, while others run; the wait ends by its time,
 * the receiver's end, a request to finish; other policies, and handlers, are refused at once.
 * Method: a receiver that takes signals only when the test lets it; fibers that count; a handler
 * that holds its lcore so that the lane fills.
 */
#include "stuck.h"

enum { PLAIN = 1, OTHER, MANY = 2000 };

/* Takes as many as the test allows, by `go`. */
TERN_FIBER(static, take_allowed)
{
	struct actor *actor = state;
	while (actor->count < MANY) {
		while (seen(&actor->go) <= actor->count)
			tern_sleep(self, 1000);
		EXPECT(number_of(tern_recv(self, TERN_FOREVER)) == actor->count);
		note(&actor->count);
	}
	return MANY;
}
ACTOR(take_allowed);

/* Sends `code` numbers. */
TERN_FIBER(static, send_all)
{
	struct actor *actor = state;
	for (uint64_t i = 0; i < (uint64_t)actor->code; i++) {
		EXPECT(tern_send(self, actor->peer, PLAIN, &i, sizeof(i), TERN_FOREVER) == 0);
		note(&actor->count);
	}
	return actor->code;
}
ACTOR(send_all);

static tern_address open_pair(struct world *world, struct actor *actors, int64_t count,
			      uint32_t lcore)
{
	struct tern_spawn_options options = blocking;
	options.lcore = lcore;
	actors[0].peer = spawn_with(world, &take_allowed_behaviour, &actors[1], &options);
	actors[0].code = count;
	return spawn_on(world->self, 0, &send_all_behaviour, &actors[0]);
}

/* The sender waits, and all it sent lies in the receiver's mailbox: it is not for a lane. */
static bool is_parked(struct world *world, const struct actor *sender, tern_address fiber)
{
	enum tern_agent_state at = TERN_STATE_NEW;
	struct tern_agent_stats stats;
	uint64_t sent = seen(&sender->count);
	return tern_agent_state(world->self, fiber, &at) == 0 && at == TERN_STATE_IDLE &&
	       tern_agent_stats(world->engine, sender->peer, &stats) == 0 && stats.queued == sent &&
	       seen(&sender->count) == sent;
}

static void at_high_water_it_waits_for_low_water(void **state)
{
	struct world *world = *state;
	struct actor *actors = world_actors(world, 2);
	struct probe *other = world_probes(world, 1);
	tern_address echo = spawn_on(world->self, 0, &probe_behaviour, other);
	tern_address fiber = open_pair(world, actors, MANY, 1);
	UNTIL(world, seen(&actors[1].probe.pressed) == 1 && is_parked(world, &actors[0], fiber));
	/* What one turn's lane takes is on its way; then it is parked. */
	uint64_t sent = seen(&actors[0].count);
	assert_true(sent >= HIGH && sent < MANY);
	/* One above low water: still parked, and its lcore serves others. */
	put(&actors[1].go, sent - LOW - 1);
	UNTIL(world, seen(&actors[1].count) == sent - LOW - 1);
	for (uint64_t i = 1; i <= 20; i++) {
		send_surely(world, echo, PLAIN, 0);
		UNTIL(world, seen(&other->handled) == i);
	}
	assert_int_equal(seen(&actors[0].count), sent);
	put(&actors[1].go, sent - LOW);
	UNTIL(world, seen(&actors[0].count) > sent);
	put(&actors[1].go, MANY);
	ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, MANY);
	ASSERT_ENDED(world, &actors[1], TERN_END_EXIT, MANY);
	assert_true(actors[1].probe.pressed > 1);
}

/* Numbers of several senders, each in its order. */
struct merge {
	struct probe probe;
	uint64_t counts[8];
	uint64_t wrong;
	uint64_t total;
};

struct numbered {
	uint32_t sender;
	uint32_t number;
};

TERN_FIBER(static, merge_all)
{
	struct merge *merge = state;
	for (uint64_t i = 0; i < 8 * (MANY / 8); i++) {
		struct numbered numbered;
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		memcpy(&numbered, tern_signal_data(signal), sizeof(numbered));
		merge->wrong += merge->counts[numbered.sender]++ != numbered.number;
		if (i % 7 == 0)
			tern_sleep(self, 1000);
		note(&merge->total);
	}
	return 0;
}
ACTOR(merge_all);

TERN_FIBER(static, send_numbered)
{
	struct actor *actor = state;
	struct numbered numbered = {.sender = (uint32_t)actor->code};
	for (; numbered.number < MANY / 8; numbered.number++)
		EXPECT(tern_send(self, actor->peer, PLAIN, &numbered, sizeof(numbered),
				 TERN_FOREVER) == 0);
	return 0;
}
ACTOR(send_numbered);

static void many_senders_keep_their_order(void **state)
{
	struct world *world = *state;
	struct merge *merge = world_memory(world, sizeof(*merge));
	struct actor *actors = world_actors(world, 8);
	struct tern_spawn_options options = blocking;
	tern_address to = spawn_with(world, &merge_all_behaviour, merge, &options);
	for (uint32_t i = 0; i < 8; i++) {
		actors[i].peer = to;
		actors[i].code = i;
		spawn_on(world->self, i % 2, &send_numbered_behaviour, &actors[i]);
	}
	for (int i = 0; i < 8; i++)
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, 0);
	UNTIL(world, seen(&merge->probe.stopped) == 1);
	assert_int_equal(merge->total, 8 * (MANY / 8));
	assert_int_equal(merge->wrong, 0);
}

/* Sends until the receiver, not the lane to it, does not accept one in time. */
static int fill(struct tern_agent *self, struct actor *actor, uint64_t timeout_ns) TERN_OWNS(self);
static int fill(struct tern_agent *self, struct actor *actor, uint64_t timeout_ns)
{
	struct tern_pressure pressure = {0};
	int code = 0;
	while (pressure.source != TERN_PRESSURE_AGENT) {
		code = tern_send(self, actor->peer, PLAIN, NULL, 0, timeout_ns);
		actor->count += code == 0;
		if (code != 0)
			tern_pressure(self, &pressure);
		tern_yield(self);
	}
	return code;
}

TERN_FIBER(static, fill_and_wait)
{
	struct actor *actor = state;
	EXPECT(fill(self, actor, 0) == -ETIMEDOUT);
	uint64_t due = tern_now(self) + actor->go;
	put(&actor->step, 1);
	int code =
		tern_send(self, actor->peer, PLAIN, NULL, 0, actor->go ? actor->go : TERN_FOREVER);
	EXPECT(code != -ETIMEDOUT || tern_now(self) >= due);
	put(&actor->step, 2);
	return code;
}
ACTOR(fill_and_wait);

static void resume_all(struct world *world, const struct actor *actor, const struct probe *probe)
{
	assert_int_equal(tern_agent_resume(world->self, actor->peer), 0);
	UNTIL(world, seen(&probe->handled) == actor->count);
}

static void the_wait_ends_at_its_time(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	actor->go = 3 * ACTOR_MS;
	spawn_on(world->self, 0, &fill_and_wait_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, -ETIMEDOUT);
	resume_all(world, actor, probe);
}

static tern_address open_waiting(struct world *world, struct actor *actor)
{
	enum tern_agent_state at = TERN_STATE_NEW;
	tern_address fiber = spawn_on(world->self, 0, &fill_and_wait_behaviour, actor);
	UNTIL(world, seen(&actor->step) == 1 && tern_agent_state(world->self, fiber, &at) == 0 &&
			     at == TERN_STATE_IDLE);
	return fiber;
}

static void the_receiver_dies_meanwhile(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	open_waiting(world, actor);
	assert_int_equal(tern_agent_stop(world->self, actor->peer), 0);
	/* On another lcore it may find a place while what waits there goes back, and goes, too. */
	UNTIL(world, seen(&actor->probe.stopped) == 1);
	bool returns = !world->polled && actor->probe.result == 0;
	ASSERT_ENDED(world, actor, TERN_END_EXIT, returns ? 0 : -ESRCH);
}

static void the_receiver_finishes_meanwhile(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	open_waiting(world, actor);
	assert_int_equal(tern_agent_finish(world->self, actor->peer, PATIENCE_NS), 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, -ESRCH);
	UNTIL(world, seen(&probe->stopped) == 1);
	assert_int_equal(probe->handled, actor->count);
}

static void the_sender_is_asked_to_finish_meanwhile(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	tern_address fiber = open_waiting(world, actor);
	assert_int_equal(tern_agent_finish(world->self, fiber, PATIENCE_NS), 0);
	ASSERT_ENDED(world, actor, TERN_END_STOPPED, -ECANCELED);
	resume_all(world, actor, probe);
}

static void the_sender_is_stopped_meanwhile(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	tern_address fiber = open_waiting(world, actor);
	assert_int_equal(tern_agent_stop(world->self, fiber), 0);
	ASSERT_ENDED(world, actor, TERN_END_STOPPED, 0);
	assert_int_equal(actor->step, 1);
	/* A place is nobody's: the slot of the one that waited may be another's by now. */
	struct actor *next = world_actors(world, 1);
	next->peer = actor->peer;
	open_waiting(world, next);
	assert_int_equal(tern_agent_resume(world->self, actor->peer), 0);
	ASSERT_ENDED(world, next, TERN_END_EXIT, 0);
	UNTIL(world, seen(&probe->handled) == actor->count + next->count + 1);
}

TERN_FIBER(static, fill_for_ever)
{
	return fill(self, state, TERN_FOREVER);
}
ACTOR(fill_for_ever);

static void refused_by_policy_it_does_not_wait(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_REFUSE, &probe);
	spawn_on(world->self, 0, &fill_for_ever_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, -EAGAIN);
	assert_true(actor->count >= HIGH);
	resume_all(world, actor, probe);
}

/* From a handler as by tern_signal_bytes(), whatever the time given. */
TERN_HANDLER(static, send_from_handler)
{
	struct actor *actor = state;
	int code = 0;
	if (tern_signal_type(signal) == OTHER)
		return;
	while (code == 0) {
		code = tern_send(self, actor->peer, PLAIN, NULL, 0, TERN_FOREVER);
		actor->count += code == 0;
	}
	put(&actor->step, (uint64_t)-code);
}

static void a_handler_is_refused_at_once(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "sender",
							.handler = send_from_handler};
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *probe;
	actor->peer = open_stuck(world, TERN_POLICY_BLOCK, &probe);
	tern_address sender = spawn_on(world->self, 0, &behaviour, actor);
	send_surely(world, sender, PLAIN, 0);
	UNTIL(world, seen(&actor->step) == EAGAIN);
	resume_all(world, actor, probe);
}

/* A policy that never refuses, on an lcore that is not run: the lane is what fills. */
static void a_full_lane_is_waited_out(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct sink *sink = world_memory(world, sizeof(*sink));
	actor->peer = spawn_on(world->self, 1, &sink_behaviour, sink);
	actor->code = MANY;
	world_settle(world);
	spawn_on(world->self, 0, &send_all_behaviour, actor);
	for (int i = 0; i < 50; i++)
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(actor->count, 1024);
	assert_int_equal(actor->probe.stopped, 0);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, MANY);
	world_settle(world);
	assert_int_equal(sink->expected, MANY);
	assert_int_equal(sink->wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(at_high_water_it_waits_for_low_water),
		BOTH(many_senders_keep_their_order),
		BOTH(the_wait_ends_at_its_time),
		BOTH(the_receiver_dies_meanwhile),
		BOTH(the_receiver_finishes_meanwhile),
		BOTH(the_sender_is_asked_to_finish_meanwhile),
		BOTH(the_sender_is_stopped_meanwhile),
		BOTH(refused_by_policy_it_does_not_wait),
		BOTH(a_handler_is_refused_at_once),
		POLLED(a_full_lane_is_waited_out),
	};
	return cmocka_run_group_tests_name("fiber send", tests, NULL, NULL);
}
