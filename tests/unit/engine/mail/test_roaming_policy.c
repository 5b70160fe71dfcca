/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming agent's mailbox keeps its bound as its policy says: senders are refused between
 * the water marks, wait there if they may, or the oldest goes, or the agent; control and what came
 * back are neither dropped nor reason to evict.
 * Method: a receiver on a polled lcore that the test polls when it likes, so that its ring fills
 * up; fibers, pinned and roaming, that wait for a receiver, in both modes.
 */
#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/roamers.h"

enum { CAPACITY = 20, HIGH = 16, LOW = 4, WAITERS = 4, EACH = 300 };

static tern_address spawn_bounded(struct world *world, uint32_t lcore, enum tern_policy policy,
				  const struct tern_behaviour *behaviour, void *state)
{
	struct tern_spawn_options options = {.lcore = lcore,
					     .roaming = true,
					     .policy = policy,
					     .capacity = CAPACITY,
					     .high_water = HIGH,
					     .low_water = LOW};
	tern_address address = TERN_ADDRESS_NONE;
	assert_int_equal(tern_spawn(world->self, behaviour, state, &options, &address), 0);
	return address;
}

/* One that handles a signal a turn. */
static tern_address spawn_slow(struct world *world, enum tern_policy policy, struct roamer *roamer)
{
	struct tern_spawn_options options = {.lcore = 1,
					     .roaming = true,
					     .policy = policy,
					     .slice_us = 20,
					     .capacity = CAPACITY,
					     .high_water = HIGH,
					     .low_water = LOW};
	tern_address agent = spawn_costly(world, roamer, &options);
	world_settle(world);
	return agent;
}

static uint32_t send_until_refused(struct world *world, tern_address to, uint32_t most)
{
	uint32_t sent = 0;
	while (sent < most && send_number(world->self, to, 1, numbered(1, sent + 1)) == 0)
		sent++;
	return sent;
}

static struct tern_agent_stats agent_stats(struct world *world, tern_address agent)
{
	struct tern_agent_stats stats = {0};
	assert_int_equal(tern_agent_stats(world->engine, agent, &stats), 0);
	return stats;
}

static void refused_from_high_water_to_low(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	struct tern_pressure pressure;
	tern_address agent = spawn_bounded(world, 1, TERN_POLICY_REFUSE, &roamer_behaviour, roamer);
	world_settle(world);
	assert_int_equal(send_until_refused(world, agent, 100), HIGH);
	assert_int_equal(send_number(world->self, agent, 1, 1), -EAGAIN);
	tern_pressure(world->self, &pressure);
	assert_int_equal(pressure.source, TERN_PRESSURE_AGENT);
	assert_int_equal(pressure.culprit, agent);
	assert_int_equal(pressure.lcore, 1);
	assert_int_equal(agent_stats(world, agent).queued, HIGH);
	assert_int_equal(agent_stats(world, agent).pressured, 1);
	assert_int_equal(stats_of(world, world->self->lcore->index).refused_agent, 2);
	poll_one(world, 1);
	assert_int_equal(roamer->probe.handled, HIGH);
	assert_int_equal(roamer->probe.pressed, 1);
	assert_int_equal(roamer->probe.released, 1);
	assert_int_equal(send_number(world->self, agent, 1, numbered(1, HIGH + 1)), 0);
	world_settle(world);
	assert_int_equal(roamer->disorder, 0);
}

/* One signal a turn: let in again at low water, not before. */
static void let_in_at_low_water(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	tern_address agent = spawn_slow(world, TERN_POLICY_REFUSE, roamer);
	assert_int_equal(send_until_refused(world, agent, 100), HIGH);
	for (uint32_t left = HIGH; left > LOW; left--) {
		assert_int_equal(send_number(world->self, agent, 1, 0), -EAGAIN);
		assert_int_equal(agent_stats(world, agent).queued, left);
		assert_int_equal(roamer->probe.released, 0);
		poll_one(world, 1);
	}
	assert_int_equal(roamer->probe.released, 1);
	assert_int_equal(send_number(world->self, agent, 1, numbered(1, HIGH + 1)), 0);
	world_settle(world);
	assert_int_equal(roamer->probe.pressed, 1);
}

static void while_paused_the_bound_is_the_same(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	tern_address agent = spawn_bounded(world, 1, TERN_POLICY_REFUSE, &roamer_behaviour, roamer);
	world_settle(world);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	world_settle(world);
	/* Looked at after each: none of them runs it. */
	uint32_t sent = 0;
	while (sent < 100 && send_number(world->self, agent, 1, numbered(1, sent + 1)) == 0) {
		sent++;
		world_settle(world);
	}
	assert_int_equal(sent, HIGH);
	assert_int_equal(agent_stats(world, agent).queued, HIGH);
	assert_int_equal(roamer->probe.handled, 0);
	assert_int_equal(roamer->probe.pressed, 0);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	world_settle(world);
	assert_int_equal(roamer->probe.handled, HIGH);
	assert_int_equal(roamer->probe.released, roamer->probe.pressed);
	assert_int_equal(send_number(world->self, agent, 1, numbered(1, HIGH + 1)), 0);
	world_settle(world);
	assert_int_equal(roamer->disorder, 0);
}

static void the_oldest_is_dropped_and_counted(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	tern_address agent =
		spawn_bounded(world, 1, TERN_POLICY_DROP_OLDEST, &roamer_behaviour, roamer);
	world_settle(world);
	for (uint32_t i = 0; i < 30; i++) {
		tern_iso *iso = tern_iso_create(tern_heap(world->self), 100);
		assert_null(tern_signal(world->self, agent, PLAIN, iso));
	}
	for (uint64_t i = 1; i <= 25; i++)
		assert_int_equal(send_number(world->self, agent, 1, numbered(1, i)), 0);
	roamer->last[1] = 25 - CAPACITY;
	assert_int_equal(agent_stats(world, agent).dropped, 55 - CAPACITY);
	assert_int_equal(stats_of_all(world).dropped, 55 - CAPACITY);
	world_settle(world);
	assert_int_equal(roamer->probe.handled, CAPACITY);
	assert_int_equal(roamer->disorder, 0);
	assert_int_equal(roamer->last[1], 25);
	/* Pressure is told, though nobody is refused. */
	assert_int_equal(roamer->probe.pressed, 1);
	assert_int_equal(roamer->probe.released, 1);
}

static const enum tern_policy policies[] = {TERN_POLICY_REFUSE, TERN_POLICY_BLOCK,
					    TERN_POLICY_DROP_OLDEST, TERN_POLICY_EVICT};

/* Below what evicts it; what is refused is not sent. */
static void send_some(struct world *world, tern_address agent, uint32_t most)
{
	while (most-- && agent_stats(world, agent).queued < CAPACITY - 1)
		(void)send_number(world->self, agent, PLAIN, 0);
}

/* Each time it is told that it is above high water, it is told that it is not any more. */
static void pressure_and_relief_take_turns(void **state)
{
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(1)};
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct roamer *roamer = world_roamers(world, 1);
		tern_address agent = spawn_slow(world, policies[i], roamer);
		uint64_t crossed = 0;
		bool over = false;
		for (int step = 0; step < 3000; step++) {
			send_some(world, agent, pick(&rng, step / 50 % 2 ? 2 : 5));
			uint32_t queued = agent_stats(world, agent).queued;
			crossed += !over && queued >= HIGH;
			over = over || queued >= HIGH;
			poll_one(world, 1);
			assert_int_equal(roamer->probe.pressed, crossed);
			over = over && agent_stats(world, agent).queued > LOW;
			assert_int_equal(roamer->probe.released, crossed - over);
		}
		world_settle(world);
		assert_true(crossed > 10);
		assert_int_equal(roamer->probe.released, crossed);
		assert_int_equal(agent_stats(world, agent).pressured, crossed);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	}
}

/* It hears of what came while it was paused when it goes on, and only then. */
static void pressure_of_a_paused_agent_is_told_at_its_resume(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct roamer *roamer = world_roamers(world, 1);
		tern_address agent =
			spawn_bounded(world, 1, policies[i], &roamer_behaviour, roamer);
		for (int times = 1; times <= 2; times++) {
			assert_int_equal(tern_agent_pause(world->self, agent), 0);
			world_settle(world);
			for (int sent = 0; sent < CAPACITY; sent++) {
				send_some(world, agent, 1);
				world_settle(world);
			}
			assert_int_equal(roamer->probe.pressed, times - 1);
			assert_int_equal(tern_agent_resume(world->self, agent), 0);
			world_settle(world);
			assert_int_equal(roamer->probe.pressed, times);
			assert_int_equal(roamer->probe.released, times);
			assert_int_equal(agent_stats(world, agent).pressured, times);
		}
		assert_int_equal(roamer->probe.stopped, 0);
	}
}

static void dropping_spares_what_the_engine_tells(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 2);
	tern_address agent =
		spawn_bounded(world, 1, TERN_POLICY_DROP_OLDEST, &roamer_behaviour, &roamers[0]);
	tern_address dead = spawn_on(world->self, 0, &roamer_behaviour, &roamers[1]);
	world_settle(world);
	/* Five come back to it, and a request to finish, then far more than it can hold. */
	roamers[0].to = dead;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_number(world->self, agent, PLAIN, 0), 0);
	poll_one(world, 1);
	assert_int_equal(roamers[0].sent, 5);
	roamers[0].to = TERN_ADDRESS_NONE;
	assert_int_equal(tern_agent_stop(world->self, dead), 0);
	poll_one(world, 0);
	assert_int_equal(tern_agent_finish(world->self, agent, 1000000), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_number(world->self, agent, PLAIN, 0), 0);
	UNTIL(world, seen(&roamers[0].probe.stopped));
	assert_int_equal(roamers[0].probe.returned + roamers[1].probe.handled, 5);
	assert_int_equal(roamers[0].probe.why, TERN_END_STOPPED);
	struct tern_lcore_stats all = stats_of_all(world);
	assert_int_equal(all.sent + all.timers,
			 all.handled + all.dropped + all.returned + all.lost);
}

static void full_it_is_evicted(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	tern_address agent = spawn_bounded(world, 1, TERN_POLICY_EVICT, &roamer_behaviour, roamer);
	world_settle(world);
	assert_int_equal(send_until_refused(world, agent, 100), CAPACITY);
	world_settle(world);
	assert_int_equal(roamer->probe.stopped, 1);
	assert_int_equal(roamer->probe.why, TERN_END_EVICTED);
	assert_int_equal(roamer->probe.handled, 0);
	assert_int_equal(send_number(world->self, agent, 1, 0), -ESRCH);
	assert_int_equal(stats_of_all(world).returned, CAPACITY);
}

/* What comes back to it beyond its bound waits elsewhere. */
static void evicting_heeds_what_is_sent_alone(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 2);
	tern_address agent =
		spawn_bounded(world, 1, TERN_POLICY_EVICT, &roamer_behaviour, &roamers[0]);
	tern_address dead = spawn_on(world->self, 0, &roamer_behaviour, &roamers[1]);
	world_settle(world);
	assert_int_equal(tern_agent_pause(world->self, dead), 0);
	roamers[0].to = dead;
	for (int i = 0; i < 3 * CAPACITY; i++) {
		assert_int_equal(send_number(world->self, agent, PLAIN, 0), 0);
		poll_one(world, 1);
	}
	world_settle(world);
	assert_int_equal(roamers[0].sent, 3 * CAPACITY);
	assert_int_equal(tern_agent_stop(world->self, dead), 0);
	for (int i = 0; i < 5; i++)
		poll_one(world, 0); /* not the agent's lcore: its ring fills up */
	assert_int_equal(roamers[1].probe.stopped, 1);
	world_settle(world);
	assert_int_equal(roamers[0].probe.returned, 3 * CAPACITY);
	assert_int_equal(roamers[0].probe.stopped, 0);
}

static void conflating_is_refused_at_spawn(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {
		.roaming = true, .policy = TERN_POLICY_CONFLATE, .key_length = 4};
	tern_address agent = 7;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, NULL, &options, &agent),
			 -EINVAL);
	assert_int_equal(agent, 7);
	options.roaming = false;
	struct probe *probe = world_probes(world, 1);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &agent), 0);
}

/* A fiber that sends EACH numbers to its peer, waiting for it. */
TERN_FIBER(static, waiter)
{
	struct actor *actor = state;
	for (uint64_t i = 1; i <= EACH; i++) {
		uint64_t number = numbered((uint32_t)actor->count, i);
		EXPECT(tern_send(self, actor->peer, 1, &number, sizeof(number), TERN_FOREVER) == 0);
		put(&actor->step, i);
	}
	return 0;
}
ACTOR(waiter);

static void senders_wait_for_room(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	struct actor *actors = world_actors(world, WAITERS);
	uint32_t lcores = tern_engine_lcores(world->engine);
	tern_address agent =
		spawn_bounded(world, lcores - 1, TERN_POLICY_BLOCK, &roamer_behaviour, roamer);
	tern_address waiters[WAITERS];
	for (uint32_t i = 0; i < WAITERS; i++) {
		struct tern_spawn_options options = {.lcore = i % lcores, .roaming = i >= 2};
		actors[i].peer = agent;
		actors[i].count = i + 1;
		waiters[i] = spawn_with(world, &waiter_behaviour, &actors[i], &options);
	}
	for (uint32_t i = 0; seen(&roamer->probe.handled) < WAITERS * EACH; i++) {
		move_to(world, waiters[2 + i % 2], i / 2 % lcores);
		move_to(world, agent, i / 4 % lcores);
		UNTIL(world, (world_poll(world), true));
	}
	for (uint32_t i = 0; i < WAITERS; i++)
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, 0);
	assert_int_equal(roamer->disorder, 0);
	assert_int_equal(roamer->twice, 0);
	assert_true(agent_stats(world, agent).pressured > 0);
}

/* Its time up, or the receiver gone, a waiting sender goes on; ended, it leaves nothing behind. */
TERN_FIBER(static, hasty)
{
	struct actor *actor = state;
	uint64_t number = 0;
	int code;
	while ((code = tern_send(self, actor->peer, PLAIN, &number, 8, ACTOR_MS)) == 0)
		note(&actor->count);
	EXPECT(code == -ETIMEDOUT);
	EXPECT(tern_send(self, actor->peer, PLAIN, &number, 8, TERN_FOREVER) == -ESRCH);
	return 5;
}
ACTOR(hasty);

static void a_wait_for_room_has_other_ends(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	struct actor *actors = world_actors(world, 2);
	tern_address agent = spawn_bounded(world, 1, TERN_POLICY_BLOCK, &roamer_behaviour, roamer);
	UNTIL(world, seen(&roamer->probe.started));
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	enum tern_agent_state at = TERN_STATE_NEW;
	UNTIL(world, tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
	struct tern_spawn_options options = {.lcore = 0, .roaming = true};
	actors[0].peer = actors[1].peer = agent;
	spawn_with(world, &hasty_behaviour, &actors[0], &options);
	tern_address ended = spawn_with(world, &waiter_behaviour, &actors[1], &options);
	UNTIL(world, seen(&actors[0].count) + seen(&actors[1].step) >= HIGH);
	assert_int_equal(tern_agent_stop(world->self, ended), 0);
	ASSERT_ENDED(world, &actors[1], TERN_END_STOPPED, 0);
	for (int i = 0; i < 100; i++)
		world_poll(world);
	if (world->polled)
		tern_engine_advance(world->engine, 2 * ACTOR_MS);
	for (int i = 0; i < 100; i++)
		world_poll(world);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	ASSERT_ENDED(world, &actors[0], TERN_END_EXIT, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_TWO(refused_from_high_water_to_low),
		ON_TWO(let_in_at_low_water),
		ON_TWO(while_paused_the_bound_is_the_same),
		ON_TWO(the_oldest_is_dropped_and_counted),
		ON_TWO(pressure_and_relief_take_turns),
		ON_TWO(pressure_of_a_paused_agent_is_told_at_its_resume),
		ON_TWO(dropping_spares_what_the_engine_tells),
		ON_TWO(full_it_is_evicted),
		ON_TWO(evicting_heeds_what_is_sent_alone),
		ON_TWO(conflating_is_refused_at_spawn),
		BOTH(senders_wait_for_room),
		BOTH(a_wait_for_room_has_other_ends),
	};
	return cmocka_run_group_tests_name("roaming: policies", tests, NULL, NULL);
}
