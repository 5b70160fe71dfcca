/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a signal that finds its receiver gone comes back to its sender as an event, as it was
 * sent, in order, with its block; never to a handler; to a sender that is gone too it is lost
 * and counted.
 * Method: receivers end with signals in the lane, in the mailbox, and in both; senders are
 * agents at home, agents abroad and a thread that is slow to look.
 */
#include "tests/unit/support.h"

enum { COUNT = 50, BLOCK = 300 };

enum order { SEND = 1, SEND_AND_END };

/* Sends COUNT signals of mixed forms when told; keeps and checks what comes back. */
struct sender {
	tern_address to;
	uint64_t sent;
	uint64_t returned;
	uint64_t wrong;
	uint64_t stopped;
};

static bool send_one(struct tern_agent *self, tern_address to, uint64_t number)
{
	uint64_t words[3] = {number, ~number, number * 3};
	uint16_t type = (uint16_t)(number + 100);
	if (number % 3 == 0)
		return tern_signal_bytes(self, to, type, words, sizeof(words)) == 0;
	if (number % 3 == 1)
		return tern_signal_tag(self, to, type, tern_tag_make(number)) == 0;
	tern_iso *iso = tern_iso_create(tern_heap(self), BLOCK);
	memset(tern_iso_data(iso), (int)number, BLOCK);
	const tern_val *val = NULL;
	if (number % 2)
		iso = tern_signal_iso(self, to, type, iso);
	else
		val = tern_signal_val(self, to, type, tern_iso_freeze(iso)), iso = NULL;
	bool sent = !iso && !val;
	tern_iso_drop(tern_heap(self), iso);
	tern_val_drop(tern_heap(self), val);
	return sent;
}

static bool block_holds(const unsigned char *bytes, uint64_t number)
{
	for (int i = 0; i < BLOCK; i++)
		if (bytes[i] != (unsigned char)number)
			return false;
	return true;
}

static bool came_back_whole(const struct tern_signal *signal, uint64_t number, tern_address from)
{
	if (tern_signal_type(signal) != number + 100 || tern_signal_from(signal) != from)
		return false;
	if (number % 3 == 0)
		return tern_signal_size(signal) == 24 && number_of(signal) == number;
	if (number % 3 == 1)
		return tern_tag_address(tern_signal_tag_of(signal)) == number;
	if (number % 2)
		return tern_signal_has_iso(signal) &&
		       block_holds(tern_iso_data(signal->payload.iso), number);
	return tern_signal_has_val(signal) &&
	       block_holds(tern_val_data(tern_signal_peek_val(signal)), number);
}

static void send_all(struct tern_agent *self, struct sender *sender)
{
	for (; sender->sent < COUNT; sender->sent++)
		if (!send_one(self, sender->to, sender->sent))
			note(&sender->wrong);
}

TERN_HANDLER(static, sender_handle)
{
	struct sender *sender = state;
	uint16_t type = tern_signal_type(signal);
	if (type != SEND && type != SEND_AND_END) {
		note(&sender->wrong);
		return;
	}
	send_all(self, sender);
	if (type == SEND_AND_END)
		tern_exit(self, 0);
}

static void sender_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct sender *sender = state;
	(void)self;
	if (event->kind != TERN_EVENT_RETURNED)
		return;
	for (uint32_t i = 0; i < event->returned.count; i++) {
		if (!came_back_whole(&event->returned.signals[i], sender->returned, sender->to))
			note(&sender->wrong);
		note(&sender->returned);
	}
}

static void sender_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct sender *sender = state;
	(void)self, (void)why, (void)result;
	note(&sender->stopped);
}

static const struct tern_behaviour sender_behaviour = {.name = "sender",
						       .handler = sender_handle,
						       .on_event = sender_event,
						       .on_stop = sender_stop};

static struct sender *open_sender(struct world *world, uint32_t lcore, tern_address to,
				  tern_address *agent)
{
	struct sender *sender = world_memory(world, sizeof(*sender));
	sender->to = to;
	*agent = spawn_on(world->self, lcore, &sender_behaviour, sender);
	return sender;
}

static void order_to(struct world *world, tern_address agent, enum order order)
{
	assert_int_equal(tern_signal_bytes(world->self, agent, (uint16_t)order, NULL, 0), 0);
}

/* The receiver's lcore looks after the stop is there, so that the signals are still in the lane. */
static void signals_in_a_lane_come_back(void **state)
{
	struct world *world = *state;
	for (uint32_t home = 0; home < WORLD_LCORES; home++) {
		struct probe *probe = world_probes(world, 1);
		tern_address agent, to = spawn_on(world->self, 1, &probe_behaviour, probe);
		struct sender *sender = open_sender(world, home, to, &agent);
		world_settle(world);
		order_to(world, agent, SEND);
		tern_lcore_poll(tern_engine_lcore(world->engine, home));
		if (home != 1)
			assert_int_equal(sender->sent, COUNT);
		assert_int_equal(tern_agent_stop(world->self, to), 0);
		world_settle(world);
		if (home == 1)
			continue; /* its own lane is drained in the turn that fills it */
		assert_int_equal(probe->handled, 0);
		assert_int_equal(sender->returned, COUNT);
		assert_int_equal(sender->wrong, 0);
	}
}

/* A receiver that ends itself at its first signal, with the rest waiting behind it. */
TERN_HANDLER(static, first_handle)
{
	probe_handle(self, state, signal);
	tern_exit(self, 0);
}

static const struct tern_behaviour first_behaviour = {
	.name = "first", .handler = first_handle, .on_start = probe_start, .on_stop = probe_stop};

static void what_waits_at_the_end_comes_back(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t home = 0; home < lcores; home++) {
		struct probe *probe = world_probes(world, 1);
		tern_address agent, to = spawn_on(world->self, 0, &first_behaviour, probe);
		struct sender *sender = open_sender(world, home, to, &agent);
		UNTIL(world, seen(&probe->started) == 1);
		/* The first signal is number 0 and is handled: the returns start at 1. */
		sender->returned = 1;
		order_to(world, agent, SEND);
		UNTIL(world, seen(&sender->returned) + seen(&sender->wrong) >= COUNT ||
				     !tern_agent_alive(world->self, to));
		if (world->polled) {
			world_settle(world);
			assert_int_equal(sender->returned, COUNT);
			assert_int_equal(sender->wrong, 0);
		}
		assert_int_equal(seen(&probe->handled), 1);
		UNTIL(world, seen(&probe->stopped) == 1);
	}
}

/* A mailbox holds what came while the agent was listed; stopped, it gives everything back. */
static void signals_in_a_mailbox_come_back(void **state)
{
	struct world world;
	struct tern_config config;
	(void)state;
	world_config(&config, true);
	config.data_depth = 64; /* the sender floods it: the lane spills to the mailbox */
	world_open(&world, &config);
	struct probe *probe = world_probes(&world, 1);
	struct tern_spawn_options options = {.lcore = 0, .capacity = 1000};
	tern_address agent, to;
	assert_int_equal(tern_spawn(world.self, &first_behaviour, probe, &options, &to), 0);
	struct sender *sender = open_sender(&world, 0, to, &agent);
	world_settle(&world);
	sender->returned = 1;
	/* Eight rounds of signals, all in one handler: its own lane holds but one of them. */
	order_to(&world, agent, SEND);
	world_settle(&world);
	assert_int_equal(probe->handled, 1);
	assert_int_equal(sender->returned, COUNT);
	assert_int_equal(sender->wrong, 0);
	world_close(&world);
}

static void to_a_dead_sender_they_are_lost(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct tern_lcore_stats stats[WORLD_LCORES];
	tern_address agent, to = spawn_on(world->self, 1, &probe_behaviour, probe);
	struct sender *sender = open_sender(world, 0, to, &agent);
	world_settle(world);
	order_to(world, agent, SEND_AND_END);
	tern_lcore_poll(tern_engine_lcore(world->engine, 0));
	assert_int_equal(sender->stopped, 1);
	assert_int_equal(tern_agent_stop(world->self, to), 0);
	world_settle(world);
	assert_int_equal(probe->handled, 0);
	assert_int_equal(sender->returned, 0);
	for (uint32_t i = 0; i < WORLD_LCORES; i++)
		tern_lcore_stats(world->engine, i, &stats[i]);
	assert_int_equal(stats[0].lost + stats[1].lost, COUNT);
	assert_int_equal(stats[0].returned + stats[1].returned, 0);
}

/*
 * A thread that does not look: its returns pile up beyond its lane, and must not hold up what
 * the lcore has to tell others.
 */
static void a_thread_that_does_not_look_holds_up_nobody(void **state)
{
	enum { RETURNS = 3000 };
	struct world world;
	struct tern_config config;
	uint64_t sent = 0;
	(void)state;
	world_config(&config, true);
	world_open(&world, &config);
	struct tern_agent *lazy = tern_thread_attach(world.engine, NULL, NULL);
	struct probe *probes = world_probes(&world, RETURNS / 500 + 3);
	for (int round = 0; sent < RETURNS; round++) {
		tern_address to = spawn_on(world.self, 0, &probe_behaviour, &probes[round]);
		world_settle(&world);
		for (int i = 0; i < 500; i++)
			sent += send_number(lazy, to, 1, 0) == 0;
		assert_int_equal(tern_agent_stop(world.self, to), 0);
		world_settle(&world);
		assert_int_equal(probes[round].handled, 0);
		assert_int_equal(probes[round].stopped, 1);
	}
	/* Adoption and stop from that lcore still get through. */
	struct probe *probe = world_probes(&world, 1);
	struct sender *sender = world_memory(&world, sizeof(*sender));
	tern_address child = spawn_on(world.self, 1, &probe_behaviour, probe);
	sender->to = child;
	world_settle(&world);
	assert_int_equal(probe->started, 1);
	assert_int_equal(tern_agent_stop(world.self, child), 0);
	world_settle(&world);
	assert_int_equal(probe->stopped, 1);
	while (tern_thread_poll(lazy) || world_poll(&world))
		;
	struct tern_lcore_stats stats;
	tern_lcore_stats(world.engine, tern_lcore_index(lazy), &stats);
	assert_int_equal(stats.returned, sent);
	tern_thread_detach(lazy);
	world_close(&world);
}

/* The same lcore spawns abroad and stops abroad while its outbox waits for the lazy thread. */
struct busybody {
	tern_address child;
	struct probe *probe;
	uint64_t failures;
};

TERN_HANDLER(static, busybody_handle)
{
	struct busybody *busybody = state;
	struct tern_spawn_options options = {.lcore = 1};
	if (tern_spawn(self, &probe_behaviour, busybody->probe, &options, &busybody->child) != 0)
		busybody->failures++;
}

static void control_passes_returns_that_wait(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "busybody",
							.handler = busybody_handle};
	struct world world;
	struct tern_config config;
	uint64_t sent = 0;
	(void)state;
	world_config(&config, true);
	config.data_depth = 64;
	config.express_depth = 16;
	world_open(&world, &config);
	struct busybody *busybody = world_memory(&world, sizeof(*busybody));
	busybody->probe = world_probes(&world, 1);
	struct probe *victim = world_probes(&world, 1);
	struct tern_agent *lazy = tern_thread_attach(world.engine, NULL, NULL);
	tern_address agent = spawn_on(world.self, 0, &behaviour, busybody);
	tern_address to = spawn_on(world.self, 0, &probe_behaviour, victim);
	world_settle(&world);
	for (int i = 0; i < 64; i++)
		sent += send_number(lazy, to, 1, 0) == 0;
	assert_int_equal(sent, 64);
	assert_int_equal(tern_agent_stop(world.self, to), 0);
	world_settle(&world);
	assert_int_equal(victim->handled, 0);
	assert_int_equal(send_number(world.self, agent, 1, 0), 0);
	world_settle(&world);
	assert_int_equal(busybody->failures, 0);
	assert_int_equal(busybody->probe->started, 1);
	while (tern_thread_poll(lazy) || world_poll(&world))
		;
	tern_thread_detach(lazy);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(signals_in_a_lane_come_back),
		BOTH(what_waits_at_the_end_comes_back),
		cmocka_unit_test(signals_in_a_mailbox_come_back),
		POLLED(to_a_dead_sender_they_are_lost),
		cmocka_unit_test(a_thread_that_does_not_look_holds_up_nobody),
		cmocka_unit_test(control_passes_returns_that_wait),
	};
	return cmocka_run_group_tests_name("return", tests, NULL, NULL);
}
