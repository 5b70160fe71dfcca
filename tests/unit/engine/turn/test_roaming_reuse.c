/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a mailbox that serves one roaming agent after the other, while senders still put signals in
 * for the one before, gives every agent its own signals and no other's, returns the rest, loses
 * none and wakes whoever has some. Method: one agent at a time, with a mailbox so large that the
 * next one has the same at once, of another bound; handlers on both lcores and threads send to
 * whoever lives, and find out by a refusal or a return that it has ended; at the end the counts
 * agree.
 */
#include "tests/unit/support.h"

#include <pthread.h>

#include "engine/lcore/engine.h"

enum { LIVES = 5000, THREADS = 2, HANDLED_EACH = 3, SENT_EACH = 8, CAPACITY_MIN = 32768 };

struct relay {
	struct world *world;
	uint64_t lives; /* begun */
	uint64_t current;
	uint64_t accepted, handled, returned;
	uint64_t foreign; /* handled by another than it was sent to */
	uint64_t over;
};

/* Who sends: to each life so many signals, so that what comes back has room. */
struct sender {
	struct relay *relay;
	tern_address to;
	uint64_t sent;
};

struct runner {
	struct relay *relay;
	uint64_t handled;
};

TERN_HANDLER(static, runner_handle)
{
	struct runner *runner = state;
	if (number_of(signal) != tern_self(self))
		note(&runner->relay->foreign);
	note(&runner->relay->handled);
	if (++runner->handled == HANDLED_EACH)
		tern_exit(self, 0);
}

static const struct tern_behaviour runner_behaviour = {.name = "runner", .handler = runner_handle};

static void send_to_current(struct tern_agent *self, struct sender *sender)
{
	struct relay *relay = sender->relay;
	tern_address to = seen(&relay->current);
	if (to != sender->to)
		*sender = (struct sender){.relay = relay, .to = to};
	if (to == TERN_ADDRESS_NONE || sender->sent == SENT_EACH)
		return;
	note(&relay->accepted); /* before: it may be handled at once */
	if (send_number(self, to, 1, to) == 0)
		sender->sent++;
	else
		__atomic_fetch_sub(&relay->accepted, 1, __ATOMIC_RELEASE);
}

static void note_return(struct tern_agent *self, void *state, const struct tern_event *event)
{
	const struct sender *sender = state;
	struct relay *relay = sender->relay;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED)
		__atomic_fetch_add(&relay->returned, event->returned.count, __ATOMIC_RELEASE);
}

/* Sends, and sends itself word to go on. */
TERN_HANDLER(static, sender_handle)
{
	struct sender *sender = state;
	(void)signal;
	send_to_current(self, sender);
	if (!seen(&sender->relay->over))
		(void)!send_number(self, tern_self(self), 0, 0);
}

static const struct tern_behaviour sender_behaviour = {
	.name = "sender", .handler = sender_handle, .on_event = note_return};

/* Nobody sends to them. */
TERN_HANDLER(static, thread_handle)
{
	struct sender *sender = state;
	note(&sender->relay->foreign);
}

static const struct tern_behaviour thread_behaviour = {
	.name = "thread", .handler = thread_handle, .on_event = note_return};

static void *send_on(void *argument) OWNS_BY_ATTACHING
{
	struct relay *relay = argument;
	struct sender sender = {.relay = relay};
	struct tern_agent *self =
		tern_thread_attach(relay->world->engine, &thread_behaviour, &sender);
	while (!seen(&relay->over)) {
		send_to_current(self, &sender);
		if (tern_thread_poll(self) == 0)
			sched_yield();
	}
	/* What comes back comes to this address only. */
	while (seen(&relay->over) == 1) {
		tern_thread_poll(self);
		breathe();
	}
	tern_thread_detach(self);
	return NULL;
}

static void live(struct world *world, struct sender *sender, struct runner *runners)
{
	struct relay *relay = sender->relay;
	struct tern_rng rng = {.state = test_seed(1)};
	for (uint64_t life = 0; life < LIVES; life++) {
		struct tern_spawn_options options = {.lcore = TERN_LCORE_ANY,
						     .roaming = true,
						     .capacity = CAPACITY_MIN + pick(&rng, 1000)};
		tern_address agent;
		runners[life].relay = relay;
		assert_int_equal(tern_spawn(world->self, &runner_behaviour, &runners[life],
					    &options, &agent),
				 0);
		put(&relay->current, agent);
		struct patience patience = {0};
		for (int i = 1; tern_agent_alive(world->self, agent); i++) {
			send_to_current(world->self, sender);
			if (i % 64 == 0)
				world_wait(world, &patience, "the end of a life", __LINE__);
		}
	}
}

static void each_has_its_own_signals(void **state)
{
	struct tern_config config;
	struct world world;
	struct relay relay = {.world = &world};
	struct sender senders[1 + WORLD_LCORES] = {
		{.relay = &relay}, {.relay = &relay}, {.relay = &relay}};
	pthread_t threads[THREADS];
	(void)state;
	world_config(&config, false);
	world_open(&world, &config);
	tern_thread_detach(world.self);
	world.self = tern_thread_attach(world.engine, &thread_behaviour, &senders[0]);
	struct runner *runners = world_memory(&world, LIVES * sizeof(*runners));
	for (uint32_t i = 0; i < tern_engine_lcores(world.engine); i++) {
		tern_address sender = spawn_on(world.self, i, &sender_behaviour, &senders[1 + i]);
		assert_int_equal(send_number(world.self, sender, 0, 0), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_on, &relay), 0);
	live(&world, &senders[0], runners);
	put(&relay.over, 1);
	UNTIL(&world, seen(&relay.accepted) == seen(&relay.handled) + seen(&relay.returned));
	put(&relay.over, 2);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	print_message("%" PRIu64 " handled, %" PRIu64 " returned\n", relay.handled, relay.returned);
	assert_int_equal(relay.foreign, 0);
	assert_true(relay.returned > 0);
	assert_true(world.engine->room_bytes <= 64u << 20);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own_signals),
	};
	return cmocka_run_group_tests_name("roaming: rooms used again", tests, NULL, NULL);
}
