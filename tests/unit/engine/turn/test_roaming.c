/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming agent is an agent like any other: what is sent to it and by it, in every form
 * and to and from every kind of agent, arrives once and in order, or comes back.
 * Method: the same bodies with polled lcores and with threads; forwarders of both kinds in a row,
 * moved all the while as by the rebalance; blocks with contents; receivers that are dead.
 */
#include "tests/unit/engine/roamers.h"

enum { COUNT = 3000, HOPS = 6, BLOCK = 300 };

/* Send the next number as soon as the receiver takes it. */
static void feed(struct world *world, tern_address to, uint64_t number)
{
	int code;
	UNTIL(world, (code = send_number(world->self, to, 1, numbered(1, number))) != -EAGAIN);
	assert_int_equal(code, 0);
}

static void signals_are_handled_in_order(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	uint32_t lcores = tern_engine_lcores(world->engine);
	tern_address agent = spawn_roaming(world, 0, &roamer_behaviour, roamer);
	for (uint64_t i = 1; i <= COUNT; i++) {
		feed(world, agent, i);
		if (i % 100 == 0)
			move_to(world, agent, (uint32_t)(i / 100) % lcores);
		if (i % 30 == 0)
			world_poll(world);
	}
	UNTIL(world, seen(&roamer->probe.handled) == COUNT);
	assert_int_equal(roamer->disorder, 0);
	assert_int_equal(roamer->twice, 0);
	assert_int_equal(roamer->probe.started, 1);
	assert_int_equal(roamer->probe.early, 0);
	/* On threads it may be told to move on before it has run. */
	if (world->polled)
		assert_int_equal(roamer->lcores, (1ull << lcores) - 1);
}

/* Sends on what it is sent; what is refused is kept and sent first the next time. */
struct forwarder {
	struct roamer roamer; /* first */
	uint64_t waiting[COUNT + 1];
	uint64_t first, count;
};

static void forward_all(struct tern_agent *self, struct forwarder *forwarder) TERN_OWNS(self);
static void forward_all(struct tern_agent *self, struct forwarder *forwarder)
{
	while (forwarder->first < forwarder->count &&
	       send_number(self, forwarder->roamer.to, 1, forwarder->waiting[forwarder->first]) ==
		       0)
		forwarder->first++;
	if (forwarder->first < forwarder->count && !forwarder->roamer.timer.armed)
		tern_timer_start(self, &forwarder->roamer.timer, 2000, 0, TICK);
}

TERN_HANDLER(static, forwarder_handle)
{
	struct forwarder *forwarder = state;
	roamer_enter(self, &forwarder->roamer);
	if (tern_signal_type(signal) != TICK) {
		roamer_check(&forwarder->roamer, number_of(signal));
		forwarder->waiting[forwarder->count++] = number_of(signal);
	}
	forward_all(self, forwarder);
	put(&forwarder->roamer.inside, 0);
	probe_handle(self, &forwarder->roamer.probe, signal);
}

static const struct tern_behaviour forwarder_behaviour = {.name = "forwarder",
							  .handler = forwarder_handle,
							  .on_start = probe_start,
							  .on_event = probe_event,
							  .on_stop = probe_stop};

/* A row that ends at `last`; bit i of `kinds`: the hop i roams. Returns the first. */
static tern_address open_row(struct world *world, uint32_t kinds, tern_address last,
			     struct forwarder *row, tern_address *agents)
{
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = HOPS; i-- > 0;) {
		row[i].roamer.to = last;
		last = kinds >> i & 1
			       ? spawn_roaming(world, i % lcores, &forwarder_behaviour, &row[i])
			       : spawn_on(world->self, i % lcores, &forwarder_behaviour, &row[i]);
		agents[i] = last;
	}
	return last;
}

static void check_row(struct world *world, uint32_t kinds)
{
	struct forwarder *row = world_memory(world, HOPS * sizeof(*row));
	struct roamer *last = world_roamers(world, 1);
	tern_address agents[HOPS];
	uint32_t lcores = tern_engine_lcores(world->engine);
	struct tern_agent *end = tern_thread_attach(world->engine, &roamer_behaviour, last);
	tern_address first = open_row(world, kinds, tern_self(end), row, agents);
	for (uint64_t i = 1; i <= COUNT; i++) {
		feed(world, first, i);
		if (i % 20 == 0 && kinds >> i % HOPS & 1)
			move_to(world, agents[i % HOPS], (uint32_t)(i / 20 % lcores));
		if (i % 10 == 0)
			tern_thread_poll(end);
	}
	UNTIL(world, (tern_thread_poll(end), last->probe.handled == COUNT));
	assert_int_equal(last->disorder, 0);
	for (uint32_t i = 0; i < HOPS; i++) {
		assert_int_equal(row[i].roamer.disorder, 0);
		assert_int_equal(row[i].roamer.twice, 0);
		assert_int_equal(tern_agent_stop(world->self, agents[i]), 0);
	}
	for (uint32_t i = 0; i < HOPS; i++)
		UNTIL(world, seen(&row[i].roamer.probe.stopped));
	tern_thread_detach(end);
}

/* Pinned to roaming, roaming to roaming, roaming to pinned, both to and from a thread. */
static void rows_of_both_kinds_keep_the_order(void **state)
{
	static const uint32_t kinds[] = {0x3F, 0x15, 0x2A, 0x0E, 0x31};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		check_row(*state, kinds[i]);
}

struct reader {
	struct probe probe;
	uint64_t isos, vals, tags, wrong;
	tern_iso *kept;
};

TERN_HANDLER(static, reader_handle)
{
	struct reader *reader = state;
	if (tern_signal_tag_of(signal)) {
		note(&reader->tags);
	} else if (tern_signal_has_iso(signal)) {
		const unsigned char *bytes = tern_iso_data(signal->payload.iso);
		for (size_t i = 0; i < BLOCK; i++)
			reader->wrong += bytes[i] != (unsigned char)(reader->isos + i);
		tern_iso_drop(tern_heap(self), reader->kept);
		reader->kept = tern_signal_take_iso(signal);
		note(&reader->isos);
	} else {
		const unsigned char *bytes = tern_val_data(signal->payload.val);
		reader->wrong += bytes[0] != (unsigned char)reader->vals;
		note(&reader->vals);
	}
	note(&reader->probe.handled);
}

static void reader_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct reader *reader = state;
	tern_iso_drop(tern_heap(self), reader->kept);
	probe_stop(self, &reader->probe, why, result);
}

static const struct tern_behaviour reader_behaviour = {.name = "reader",
						       .handler = reader_handle,
						       .on_start = probe_start,
						       .on_stop = reader_stop};

static void send_iso_surely(struct world *world, tern_address to, uint64_t number)
{
	tern_iso *iso = tern_iso_create(tern_heap(world->self), BLOCK);
	assert_non_null(iso);
	for (size_t i = 0; i < BLOCK; i++)
		((unsigned char *)tern_iso_data(iso))[i] = (unsigned char)(number + i);
	UNTIL(world, !(iso = tern_signal(world->self, to, 1, iso)));
}

static void send_val_surely(struct world *world, tern_address to, uint64_t number)
{
	tern_iso *iso = tern_iso_create(tern_heap(world->self), BLOCK);
	assert_non_null(iso);
	memset(tern_iso_data(iso), (int)(number & 0xFF), BLOCK);
	const tern_val *val = tern_iso_freeze(iso), *mine = tern_val_share(val);
	UNTIL(world, !(val = tern_signal(world->self, to, 2, val)));
	tern_val_drop(tern_heap(world->self), mine);
}

static void blocks_arrive_whole(void **state)
{
	struct world *world = *state;
	struct reader *reader = world_memory(world, sizeof(*reader));
	tern_address agent = spawn_roaming(world, 0, &reader_behaviour, reader);
	for (uint64_t i = 0; i < 300; i++) {
		send_iso_surely(world, agent, i);
		send_val_surely(world, agent, i);
		UNTIL(world, tern_signal(world->self, agent, 3, tern_tag_make(agent)) == 0);
		if (i % 30 == 0)
			move_to(world, agent,
				(uint32_t)(i / 30 % tern_engine_lcores(world->engine)));
	}
	UNTIL(world, seen(&reader->probe.handled) == 900);
	assert_int_equal(reader->isos, 300);
	assert_int_equal(reader->vals, 300);
	assert_int_equal(reader->tags, 300);
	assert_int_equal(reader->wrong, 0);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&reader->probe.stopped));
}

/* Sends to a dead one whenever it is told to, and keeps what comes back. */
struct hopeful {
	struct roamer roamer; /* first */
	uint64_t back, disorder;
	tern_address others[2];
};

static void hopeful_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct hopeful *hopeful = state;
	(void)self;
	for (uint32_t i = 0; event->kind == TERN_EVENT_RETURNED && i < event->returned.count; i++) {
		uint64_t number = number_of(&event->returned.signals[i]) & ((1ull << 48) - 1);
		hopeful->disorder += number <= hopeful->back;
		hopeful->back = number;
		note(&hopeful->roamer.probe.returned);
	}
}

static const struct tern_behaviour hopeful_behaviour = {.name = "hopeful",
							.handler = roamer_handle,
							.on_start = probe_start,
							.on_event = hopeful_event,
							.on_stop = probe_stop};

static void check_returns(struct world *world, bool roams)
{
	struct hopeful *hopeful = world_memory(world, sizeof(*hopeful));
	struct roamer *victim = world_roamers(world, 1);
	uint32_t lcores = tern_engine_lcores(world->engine);
	tern_address to = roams ? spawn_roaming(world, 0, &roamer_behaviour, victim)
				: spawn_on(world->self, 0, &roamer_behaviour, victim);
	hopeful->roamer.to = to;
	tern_address from = spawn_roaming(world, lcores - 1, &hopeful_behaviour, hopeful);
	UNTIL(world, seen(&hopeful->roamer.probe.started) && seen(&victim->probe.started));
	for (int i = 0; i < 200; i++) {
		UNTIL(world, send_number(world->self, from, PLAIN, 0) == 0);
		if (i == 100)
			assert_int_equal(tern_agent_stop(world->self, to), 0);
		if (i % 10 == 0)
			move_to(world, from, (uint32_t)(i / 10) % lcores);
	}
	UNTIL(world, seen(&hopeful->roamer.probe.handled) == 200 && seen(&victim->probe.stopped));
	UNTIL(world, seen(&hopeful->roamer.probe.returned) + victim->probe.handled ==
			     hopeful->roamer.sent);
	assert_int_equal(hopeful->disorder, 0);
	assert_int_equal(hopeful->roamer.twice, 0);
}

static void what_the_dead_did_not_handle_comes_back(void **state)
{
	check_returns(*state, false);
	check_returns(*state, true);
}

/* One signal to each of two, then nothing. */
TERN_FIBER(static, writer)
{
	const tern_address *to = ((struct hopeful *)state)->others;
	for (uint64_t i = 0; i < 2; i++)
		(void)send_number(self, to[i], 1, i + 1);
	(void)tern_recv(self, TERN_FOREVER);
	return 0;
}

static const struct tern_behaviour writer_behaviour = {
	.name = "writer", .fiber = writer, .on_start = probe_start, .on_event = hopeful_event};

/* What came back while a fiber was paused is told before what comes back when it goes on. */
static void a_fiber_hears_in_order_what_came_back(void **state)
{
	struct world *world = *state;
	struct hopeful *hopeful = world_memory(world, sizeof(*hopeful));
	struct probe *probes = world_probes(world, 2);
	for (int i = 0; i < 2; i++) {
		hopeful->others[i] = spawn_on(world->self, 1, &probe_behaviour, &probes[i]);
		assert_int_equal(tern_agent_pause(world->self, hopeful->others[i]), 0);
	}
	world_settle(world);
	tern_address agent = spawn_roaming(world, 0, &writer_behaviour, hopeful);
	world_settle(world);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	assert_int_equal(tern_agent_stop(world->self, hopeful->others[0]), 0);
	world_settle(world);
	assert_int_equal(hopeful->roamer.probe.returned, 0);
	assert_int_equal(tern_agent_stop(world->self, hopeful->others[1]), 0);
	poll_one(world, 1);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	world_settle(world);
	assert_int_equal(hopeful->roamer.probe.returned, 2);
	assert_int_equal(hopeful->disorder, 0);
}

static void what_it_was_sent_and_did_not_handle_goes_back(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	struct hopeful *hopeful = world_memory(world, sizeof(*hopeful));
	struct tern_agent *self = tern_thread_attach(world->engine, &hopeful_behaviour, hopeful);
	tern_address agent = spawn_roaming(world, 0, &roamer_behaviour, roamer);
	UNTIL(world, seen(&roamer->probe.started));
	assert_int_equal(tern_agent_pause(self, agent), 0);
	enum tern_agent_state at = TERN_STATE_NEW;
	UNTIL(world, tern_agent_state(self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
	for (uint64_t i = 1; i <= 50; i++)
		assert_int_equal(send_number(self, agent, 1, numbered(1, i)), 0);
	assert_int_equal(tern_agent_stop(self, agent), 0);
	UNTIL(world, (tern_thread_poll(self), hopeful->roamer.probe.returned == 50));
	assert_int_equal(hopeful->disorder, 0);
	assert_int_equal(seen(&roamer->probe.handled), 0);
	UNTIL(world, seen(&roamer->probe.stopped) == 1);
	assert_int_equal(send_number(self, agent, 1, 1), -ESRCH);
	tern_thread_detach(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(signals_are_handled_in_order),
		BOTH(rows_of_both_kinds_keep_the_order),
		BOTH(blocks_arrive_whole),
		BOTH(what_the_dead_did_not_handle_comes_back),
		ON_TWO(a_fiber_hears_in_order_what_came_back),
		BOTH(what_it_was_sent_and_did_not_handle_goes_back),
	};
	return cmocka_run_group_tests_name("roaming", tests, NULL, NULL);
}
