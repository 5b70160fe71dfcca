/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent that is to finish handles all that was accepted, takes nothing new, and ends
 * when it is through or when its time is up; then the rest goes back to those who sent it.
 * Method: agents with signals waiting, finished in every state they can be in.
 */
#include "tests/unit/engine/runs.h"

#include <pthread.h>

static void all_that_was_accepted_is_handled(void **state)
{
	enum { COUNT = 700 };
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	for (uint64_t i = 0; i < COUNT; i++)
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
	assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
	UNTIL(world, seen(&probe->stopped) == 1);
	assert_int_equal(probe->handled, COUNT);
	assert_int_equal(probe->early, 0);
	assert_int_equal(probe->why, TERN_END_STOPPED);
	assert_int_equal(probe->result, 0);
	UNTIL(world, !tern_agent_alive(world->self, agent));
	assert_int_equal(tern_agent_finish(world->self, agent, 0), -ESRCH);
}

/* More than a turn takes from a lane, and more behind it: a mailbox empty by chance is no end. */
static void a_lane_is_emptied_first(void **state)
{
	enum { COUNT = 1000 };
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1), sender = {.started = 1};
	struct tern_agent *mine = tern_thread_attach(world->engine, &probe_behaviour, &sender);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	world_settle(world);
	for (uint64_t i = 0; i < COUNT; i++)
		assert_int_equal(send_number(mine, agent, 1, i), 0);
	assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
	UNTIL(world, seen(&probe->stopped) == 1);
	assert_int_equal(probe->handled, COUNT);
	UNTIL(world, tern_thread_poll(mine) == 0);
	assert_int_equal(sender.returned, 0);
	tern_thread_detach(mine);
}

static void later_senders_are_refused(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_load(&crew, slow, 20);
	assert_int_equal(tern_agent_finish(world->self, crew.agents[slow], PATIENCE_NS), 0);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(crew_state(&crew, slow), TERN_STATE_FINISHING);
	assert_int_equal(send_number(world->self, crew.agents[slow], 1, 0), -ESRCH);
	tern_iso *iso = tern_iso_create(tern_heap(world->self), 8);
	iso = tern_signal_iso(world->self, crew.agents[slow], 1, iso);
	assert_non_null(iso);
	assert_int_equal(tern_errno, ESRCH);
	tern_iso_drop(tern_heap(world->self), iso);
	crew_wait(&crew, 20);
	UNTIL(world, crew.runners[slow].probe.stopped == 1);
	assert_int_equal(crew.runners[slow].probe.handled, 20);
}

/* What it sends itself is new, too. */
static void it_does_not_keep_itself_busy(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	crew.runners[slow].tell = crew.agents[slow];
	crew.runners[slow].tell_at = 3;
	crew_load(&crew, slow, 5);
	assert_int_equal(tern_agent_finish(world->self, crew.agents[slow], PATIENCE_NS), 0);
	crew_wait(&crew, 5);
	world_settle(world);
	assert_int_equal(crew.runners[slow].told, -1);
	assert_int_equal(crew.runners[slow].probe.stopped, 1);
}

/* 100 us a signal: 20 signals until the deadline, the other 30 go back, blocks and all. */
static void the_deadline_ends_it(void **state)
{
	struct world *world = *state;
	struct probe sender = {.started = 1};
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, &sender);
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_pause(&crew, slow);
	for (int i = 0; i < 50; i++)
		assert_null(tern_signal_iso(self, crew.agents[slow], 1,
					    tern_iso_create(tern_heap(self), 100)));
	assert_int_equal(tern_agent_finish(self, crew.agents[slow], 20 * 100000 - 1), 0);
	UNTIL(world, seen(&crew.runners[slow].probe.stopped) == 1);
	UNTIL(world, (tern_thread_poll(self), sender.returned >= 29));
	assert_in_range(crew.runners[slow].probe.handled, 20, 21);
	assert_int_equal(crew.runners[slow].probe.handled + sender.returned, 50);
	assert_int_equal(crew.runners[slow].probe.why, TERN_END_STOPPED);
	tern_thread_detach(self);
}

/* Of two calls the earlier end counts, in both orders. */
static void the_earliest_end_counts(void **state)
{
	static const uint64_t ends[2][2] = {{PATIENCE_NS, 500000}, {500000, PATIENCE_NS}};
	struct world *world = *state;
	for (int i = 0; i < 2; i++) {
		struct crew crew;
		crew_open(&crew, world);
		uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
		crew_load(&crew, slow, 50);
		for (int j = 0; j < 2; j++)
			assert_int_equal(
				tern_agent_finish(world->self, crew.agents[slow], ends[i][j]), 0);
		UNTIL(world, crew.runners[slow].probe.stopped == 1);
		assert_in_range(crew.runners[slow].probe.handled, 4, 6);
		world_settle(world);
	}
}

static void a_paused_agent_goes_on_to_finish(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_load(&crew, who, 300);
	assert_int_equal(tern_agent_finish(world->self, crew.agents[who], PATIENCE_NS), 0);
	UNTIL(world, seen(&crew.runners[who].probe.stopped) == 1);
	assert_int_equal(crew.runners[who].probe.handled, 300);
}

static void a_new_agent_starts_to_finish(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < tern_engine_lcores(world->engine); lcore++) {
		struct probe *probe = world_probes(world, 1);
		tern_address agent = spawn_on(world->self, lcore, &probe_behaviour, probe);
		for (uint64_t i = 0; i < 10; i++)
			assert_int_equal(send_number(world->self, agent, 1, i), 0);
		assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
		UNTIL(world, seen(&probe->stopped) == 1);
		assert_int_equal(probe->started, 1);
		assert_int_equal(probe->handled, 10);
		assert_int_equal(probe->early, 0);
	}
}

static void a_stop_does_not_wait_for_a_finish(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add_slow(&crew, TERN_PRIORITY_NORMAL, 0);
	crew_load(&crew, slow, 50);
	assert_int_equal(tern_agent_finish(world->self, crew.agents[slow], PATIENCE_NS), 0);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(tern_agent_stop(world->self, crew.agents[slow]), 0);
	world_settle(world);
	assert_int_equal(crew.runners[slow].probe.stopped, 1);
	assert_in_range(crew.runners[slow].probe.handled, 1, 2);
}

/* Several at once, on the list of those that finish, end in another order than they came. */
static void many_finish_at_once(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	for (uint32_t i = 0; i < CREW_MAX; i++) {
		crew_add_slow(&crew, TERN_PRIORITY_NORMAL, i % 2);
		crew_load(&crew, i, 1 + i * 7 % CREW_MAX);
	}
	for (uint32_t i = 0; i < CREW_MAX; i++)
		assert_int_equal(tern_agent_finish(world->self, crew.agents[i], PATIENCE_NS), 0);
	for (uint32_t i = 0; i < CREW_MAX; i++)
		UNTIL(world, seen(&crew.runners[i].probe.stopped) == 1);
	for (uint32_t i = 0; i < CREW_MAX; i++)
		assert_int_equal(crew.runners[i].probe.handled, 1 + i * 7 % CREW_MAX);
}

/* Accepted in the turn of the finish, and in a lane that this turn had looked at before. */
static void a_lane_behind_the_finish_is_emptied_too(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t subject = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t teller = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t low = crew_add(&crew, TERN_PRIORITY_LOW, 0);
	crew.runners[teller].tell = crew.agents[subject];
	crew.runners[teller].tell_at = 1;
	crew_send(&crew, teller, 1);
	world_settle(world); /* the lcore's lane to itself is there, before the next one */
	crew.runners[teller].tell_at = 2;
	crew.runners[teller].finishes = true;
	struct tern_agent *later = tern_thread_attach(world->engine, NULL, NULL);
	assert_int_equal(send_number(later, crew.agents[teller], 1, 0), 0);
	/* Run after the lanes: the finish is taken up then, in the same turn. */
	assert_int_equal(send_number(later, crew.agents[low], 1, 0), 0);
	world_settle(world);
	assert_int_equal(crew.runners[teller].told, 1);
	assert_int_equal(crew.runners[subject].probe.handled, 2);
	assert_int_equal(crew.runners[subject].probe.stopped, 1);
	tern_thread_detach(later);
}

/* Sends numbers for as long as they are accepted, then polls for what comes back. */
struct sender {
	struct world *world;
	tern_address to;
	uint64_t accepted;
	uint64_t returned;
	uint64_t refusal;
	uint64_t done;
};

static void sender_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct sender *sender = state;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED)
		note(&sender->returned);
}

static const struct tern_behaviour sender_behaviour = {
	.name = "sender", .handler = probe_handle, .on_event = sender_event};

static void *sender_main(void *argument)
{
	struct sender *sender = argument;
	struct tern_agent *self =
		tern_thread_attach(sender->world->engine, &sender_behaviour, sender);
	while (self && !seen(&sender->done)) {
		int code = sender->refusal ? 0 : send_number(self, sender->to, 1, 0);
		if (code == 0 && !sender->refusal)
			note(&sender->accepted);
		else if (code != 0 && code != -EAGAIN)
			put(&sender->refusal, (uint64_t)-code);
		tern_thread_poll(self);
	}
	if (self)
		tern_thread_detach(self);
	return NULL;
}

/* Senders that race with the finish: every accepted signal is handled, but for one of each that
 * was between the look at the address and the lane: that one comes back. */
static void nothing_is_lost_to_a_racing_sender(void **state)
{
	struct world *world = *state;
	for (int round = 0; round < 20; round++) {
		struct probe *probe = world_probes(world, 1);
		struct sender senders[2] = {{.world = world}, {.world = world}};
		pthread_t threads[2];
		tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
		for (int i = 0; i < 2; i++) {
			senders[i].to = agent;
			assert_int_equal(
				pthread_create(&threads[i], NULL, sender_main, &senders[i]), 0);
		}
		for (int i = 0; i < 2; i++)
			UNTIL(world, seen(&senders[i].accepted) > 100);
		assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
		UNTIL(world, seen(&senders[0].refusal) && seen(&senders[1].refusal));
		uint64_t accepted = seen(&senders[0].accepted) + seen(&senders[1].accepted);
		UNTIL(world, seen(&probe->handled) + seen(&senders[0].returned) +
					     seen(&senders[1].returned) ==
				     accepted);
		for (int i = 0; i < 2; i++) {
			put(&senders[i].done, 1);
			pthread_join(threads[i], NULL);
			assert_int_equal(senders[i].refusal, ESRCH);
			assert_in_range(senders[i].returned, 0, 1);
		}
		UNTIL(world, seen(&probe->stopped) == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(all_that_was_accepted_is_handled),
		BOTH(a_lane_is_emptied_first),
		POLLED(a_lane_behind_the_finish_is_emptied_too),
		POLLED(later_senders_are_refused),
		POLLED(it_does_not_keep_itself_busy),
		POLLED(the_deadline_ends_it),
		POLLED(the_earliest_end_counts),
		BOTH(a_paused_agent_goes_on_to_finish),
		BOTH(a_new_agent_starts_to_finish),
		POLLED(a_stop_does_not_wait_for_a_finish),
		POLLED(many_finish_at_once),
		THREADED(nothing_is_lost_to_a_racing_sender),
	};
	return cmocka_run_group_tests_name("finish", tests, NULL, NULL);
}
