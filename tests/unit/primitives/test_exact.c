/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: with an exact bound never more than capacity is accepted and not taken up, whoever sends at
 * once, whatever the agent is at; what is accepted is handled in order; a pinned one stays.
 * Method: capacities from 1 to 1,000; agents at rest, paused, and fibers that wait for a type; one
 * sender, and four threads that race for the last place.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

#include <pthread.h>

enum { THREADS = 4, PLAIN_TYPE = 1, AWAITED = 2, TRIES = 100, EACH = 100 };

/* Receives numbers of several senders, and counts what it has taken up. */
struct receiver {
	struct actor actor; /* first */
	uint64_t taken;
	uint64_t disorder;
	uint64_t last[THREADS + 1];
};

static void take(struct receiver *receiver, const struct tern_signal *signal)
{
	uint64_t number = number_of(signal), *last = &receiver->last[number >> 48];
	number &= (1ull << 48) - 1;
	receiver->disorder += number <= *last;
	*last = number;
	note(&receiver->taken);
}

TERN_HANDLER(static, receiver_handle)
{
	take(state, signal);
}

static const struct tern_behaviour handler_behaviour = {.name = "receiver",
							.handler = receiver_handle,
							.on_start = probe_start,
							.on_event = probe_event,
							.on_stop = probe_stop};

/* Waits for a type that does not come, until it may go on. */
TERN_FIBER(static, waits_for_a_type)
{
	struct receiver *receiver = state;
	while (!seen(&receiver->actor.go))
		(void)!tern_recv_type(self, AWAITED, 20000);
	for (;;) {
		const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
		if (!signal)
			return 0;
		take(receiver, signal);
	}
}

static const struct tern_behaviour fiber_behaviour = {.name = "fiber receiver",
						      .fiber = waits_for_a_type,
						      .on_start = probe_start,
						      .on_event = probe_event,
						      .on_stop = probe_stop};

struct kind {
	struct tern_spawn_options options;
	bool fiber;
};

static const struct kind kinds[] = {
	{.options = {.lcore = 0}},
	{.options = {.roaming = true}},
	{.options = {.priority = TERN_PRIORITY_CRITICAL}},
	{.options = {.priority = TERN_PRIORITY_LOW}},
	{.options = {.policy = TERN_POLICY_BLOCK}},
	{.options = {.lcore = 0}, .fiber = true},
	{.options = {.roaming = true}, .fiber = true},
};
static const uint32_t capacities[] = {1, 2, 10, 1000};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), CASES = KINDS * 4 };

/* One that takes nothing for now: a fiber waits for a type, others are paused. */
static struct receiver *open_receiver(struct world *world, uint32_t i, tern_address *agent)
{
	const struct kind *kind = &kinds[i % KINDS];
	struct tern_spawn_options options = kind->options;
	struct receiver *receiver = world_memory(world, sizeof(*receiver));
	options.exact = true;
	options.capacity = options.high_water = capacities[i / KINDS % 4];
	options.low_water = options.capacity - 1;
	assert_int_equal(tern_spawn(world->self,
				    kind->fiber ? &fiber_behaviour : &handler_behaviour, receiver,
				    &options, agent),
			 0);
	UNTIL(world, seen(&receiver->actor.probe.started) == 1);
	if (!kind->fiber)
		pause_it(world, *agent);
	return receiver;
}

static void let_go(struct world *world, struct receiver *receiver, tern_address agent)
{
	put(&receiver->actor.go, 1);
	resume_it(world, agent);
}

static void close_receiver(struct world *world, struct receiver *receiver, tern_address agent)
{
	assert_int_equal(receiver->disorder, 0);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&receiver->actor.probe.stopped) == 1);
}

static uint32_t send_until_refused(struct world *world, tern_address agent, uint64_t *number)
{
	uint32_t accepted = 0;
	while (send_number(world->self, agent, PLAIN_TYPE, *number + 1) == 0) {
		++*number;
		accepted++;
		if (accepted % 16 == 0)
			world_poll(world); /* what has left the ring counts on */
	}
	return accepted;
}

static void one_sender_has_capacity_accepted(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < CASES; i++) {
		tern_address agent;
		uint64_t number = 0;
		struct receiver *receiver = open_receiver(world, i, &agent);
		uint32_t capacity = capacities[i / KINDS % 4];
		for (int round = 0; round < 3; round++) {
			assert_int_equal(send_until_refused(world, agent, &number),
					 round ? 0 : capacity);
			for (int n = 0; n < 20; n++)
				world_poll(world);
		}
		let_go(world, receiver, agent);
		UNTIL(world, seen(&receiver->taken) == capacity);
		/* All places are there again: none was lost, none too many. */
		for (int round = 0; round < 5; round++) {
			pause_it(world, agent);
			if (kinds[i % KINDS].fiber && receiver->actor.go)
				world_settle(world);
			assert_int_equal(send_until_refused(world, agent, &number), capacity);
			resume_it(world, agent);
			UNTIL(world, seen(&receiver->taken) == number);
		}
		close_receiver(world, receiver, agent);
	}
}

struct racer {
	struct world *world;
	tern_address to;
	const struct receiver *receiver;
	uint64_t *accepted; /* of all */
	uint64_t *go;	    /* the receiver takes */
	uint64_t tried;	    /* and was refused */
	uint64_t number;
	uint64_t over; /* saw more accepted and not taken up than is allowed */
	uint32_t who;
	uint32_t capacity;
};

static bool race_once(struct tern_agent *self, struct racer *racer)
{
	uint64_t number = (uint64_t)racer->who << 48 | (racer->number + 1);
	if (send_number(self, racer->to, PLAIN_TYPE, number) != 0)
		return false;
	racer->number++;
	uint64_t accepted = note(racer->accepted) + 1, taken = seen(&racer->receiver->taken);
	/* One may be in the handler, taken up and not counted. */
	racer->over += accepted > taken + racer->capacity + 1;
	return true;
}

OWNS_BY_ATTACHING static void *race(void *argument)
{
	struct racer *racer = argument;
	struct tern_agent *self = tern_thread_attach(racer->world->engine, NULL, NULL);
	while (racer->tried < TRIES)
		if (!race_once(self, racer))
			note(&racer->tried);
	while (!seen(racer->go))
		breathe();
	for (uint64_t end = racer->number + EACH; racer->number < end;)
		if (!race_once(self, racer))
			sched_yield();
	tern_thread_detach(self);
	return NULL;
}

static void four_senders_have_capacity_accepted(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < CASES; i++) {
		struct racer racers[THREADS];
		pthread_t threads[THREADS];
		uint64_t accepted = 0, go = 0;
		tern_address agent;
		struct receiver *receiver = open_receiver(world, i, &agent);
		uint32_t capacity = capacities[i / KINDS % 4];
		for (uint32_t t = 0; t < THREADS; t++) {
			racers[t] = (struct racer){.world = world,
						   .to = agent,
						   .receiver = receiver,
						   .accepted = &accepted,
						   .go = &go,
						   .who = t + 1,
						   .capacity = capacity};
			assert_int_equal(pthread_create(&threads[t], NULL, race, &racers[t]), 0);
		}
		for (uint32_t t = 0; t < THREADS; t++)
			UNTIL(world, seen(&racers[t].tried) == TRIES);
		assert_int_equal(seen(&accepted), capacity);
		put(&go, 1);
		let_go(world, receiver, agent);
		for (uint32_t t = 0; t < THREADS; t++) {
			pthread_join(threads[t], NULL);
			assert_int_equal(racers[t].over, 0);
		}
		UNTIL(world, seen(&receiver->taken) == seen(&accepted));
		assert_int_equal(accepted, capacity + THREADS * EACH);
		close_receiver(world, receiver, agent);
	}
}

static void more_threads(struct tern_config *config)
{
	config->max_threads = THREADS + 1;
}

static void policies_that_drop_are_refused(void **state)
{
	struct world *world = *state;
	const enum tern_policy policies[] = {TERN_POLICY_DROP_OLDEST, TERN_POLICY_CONFLATE,
					     TERN_POLICY_EVICT};
	for (int i = 0; i < 6; i++) {
		struct tern_spawn_options options = {.policy = policies[i % 3],
						     .key_length = 8,
						     .exact = true,
						     .capacity = 10,
						     .roaming = i >= 3};
		tern_address agent = 77;
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, world_probes(world, 1),
					    &options, &agent),
				 -EINVAL);
		assert_int_equal(agent, 77);
	}
}

/* Others roam and are stolen; it is told to go, too, and stays. */
static void a_pinned_one_stays(void **state)
{
	struct world *world = *state;
	tern_address hogs[4];
	struct roamer *roamer = world_roamers(world, 1);
	struct tern_spawn_options options = {.exact = true, .capacity = 100, .lcore = 1};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &roamer_behaviour, roamer, &options, &agent), 0);
	spawn_hogs(world, 1, 4, hogs);
	for (uint64_t i = 0; i < 200; i++) {
		move_to(world, agent, (uint32_t)i % 3);
		wake_all(world, hogs, 4);
		assert_int_equal(send_number(world->self, agent, PLAIN, i), 0);
		world_settle(world);
		assert_int_equal(lcore_of(world, agent), 1);
	}
	assert_int_equal(roamer->probe.handled, 200);
	assert_int_equal(roamer->lcores, 1u << 1);
	assert_true(stats_of_all(world).migrated > 0);
}

/* What it was sent and has not taken goes back when it ends, from its ring and its mailbox. */
static void an_end_gives_all_back(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < CASES; i++) {
		tern_address agent;
		struct receiver *receiver = open_receiver(world, i, &agent);
		struct asker asker = {.to = &agent, .count = 1};
		struct tern_agent *self =
			tern_thread_attach(world->engine, &asker_behaviour, &asker);
		while (asker_send(self, &asker, 0) == 0)
			world_poll(world);
		assert_int_equal(asker.sent, capacities[i / KINDS % 4]);
		close_receiver(world, receiver, agent);
		UNTIL(world, (tern_thread_poll(self), asker.returned == asker.sent));
		tern_thread_detach(self);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(one_sender_has_capacity_accepted),
		SET_THREADED(four_senders_have_capacity_accepted, more_threads),
		POLLED(policies_that_drop_are_refused),
		ON_THREE(a_pinned_one_stays),
		BOTH(an_end_gives_all_back),
	};
	return cmocka_run_group_tests_name("exact", tests, NULL, NULL);
}
