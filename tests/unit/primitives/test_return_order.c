/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what comes back to a roaming sender does so in order, whatever its ring, its policy and it
 * itself are at; cells that were lent come home, blocks too; and beyond a quarter of the cells what
 * comes back to who does not look is lost and counted.
 * Method: senders that fill paused receivers, which then end, on their lcore and on the other one;
 * senders with full rings, paused, moved, and ended meanwhile.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

enum { ROUND = 40, TELL = 1, BLOCKS };

/* Sends numbers when it is told to, and checks that they come back in order. */
struct sender {
	struct probe probe; /* first */
	tern_address to;
	uint64_t count; /* to be sent in one round */
	uint64_t sent;
	uint64_t back;
	uint64_t wrong;
	uint64_t handled;
};

TERN_HANDLER(static, sender_handle)
{
	struct sender *sender = state;
	uint16_t type = tern_signal_type(signal);
	for (uint64_t i = 0; i < sender->count && type == TELL; i++)
		if (send_number(self, sender->to, 1, sender->sent) == 0)
			put(&sender->sent, sender->sent + 1);
	for (uint64_t i = 0; i < sender->count && type == BLOCKS; i++) {
		tern_iso *iso = tern_iso_create(tern_heap(self), 100);
		memcpy(tern_iso_data(iso), &sender->sent, 8);
		iso = tern_signal_iso(self, sender->to, 1, iso);
		if (!iso)
			put(&sender->sent, sender->sent + 1);
		tern_iso_drop(tern_heap(self), iso);
	}
	note(&sender->handled);
}

static void sender_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct sender *sender = state;
	(void)self;
	if (event->kind != TERN_EVENT_RETURNED)
		return;
	for (uint32_t i = 0; i < event->returned.count; i++) {
		const struct tern_signal *signal = &event->returned.signals[i];
		uint64_t number = UINT64_MAX;
		if (tern_signal_has_iso(signal))
			memcpy(&number, tern_iso_data(signal->payload.iso), 8);
		else
			number = number_of(signal);
		sender->wrong += number != sender->back;
		put(&sender->back, sender->back + 1);
	}
}

static const struct tern_behaviour sender_behaviour = {.name = "sender",
						       .handler = sender_handle,
						       .on_start = probe_start,
						       .on_event = sender_event,
						       .on_stop = probe_stop};

/* A fiber that sends once and then waits for a type that never comes. */
TERN_FIBER(static, fiber_sends)
{
	struct sender *sender = state;
	for (uint64_t i = 0; i < sender->count; i++)
		if (send_number(self, sender->to, 1, sender->sent) == 0)
			put(&sender->sent, sender->sent + 1);
	put(&sender->handled, 1);
	(void)!tern_recv_type(self, 77, TERN_FOREVER);
	return 0;
}

static const struct tern_behaviour fiber_behaviour = {.name = "fiber sender",
						      .fiber = fiber_sends,
						      .on_start = probe_start,
						      .on_event = sender_event,
						      .on_stop = probe_stop};

static struct sender *open_sender(struct world *world, const struct tern_behaviour *behaviour,
				  const struct tern_spawn_options *options, uint32_t home,
				  uint64_t count, tern_address *agent)
{
	struct sender *sender = world_memory(world, sizeof(*sender));
	struct tern_spawn_options receiver = {.lcore = home, .capacity = 100000};
	sender->count = count;
	sender->to = spawn_paused(world, world_probes(world, 1), &receiver);
	assert_int_equal(tern_spawn(world->self, behaviour, sender, options, agent), 0);
	return sender;
}

static void tell(struct world *world, tern_address agent, struct sender *sender, uint16_t type)
{
	uint64_t handled = seen(&sender->handled);
	UNTIL(world, send_number(world->self, agent, type, 0) == 0);
	UNTIL(world, seen(&sender->handled) == handled + 1);
}

/* The receiver ends; another takes its place for the next round. */
static void end_receiver(struct world *world, struct sender *sender)
{
	assert_int_equal(tern_agent_stop(world->self, sender->to), 0);
	UNTIL(world, !tern_agent_alive(world->self, sender->to));
}

/* Cells that were lent, or wait in an outbox, are among those used. */
static bool is_all_home(const struct world *world)
{
	for (uint32_t i = 0; i < tern_engine_lcores(world->engine); i++) {
		const struct tern_lcore *lcore = &world->engine->lcores[i];
		if (tern_load(&lcore->mail.cells.used))
			return false;
		assert_true(!world->polled ||
			    (lcore->outboxes.lent == 0 && lcore->outboxes.deferred == 0));
	}
	return true;
}

static const struct tern_spawn_options kinds[] = {
	{.roaming = true},
	{.roaming = true, .capacity = 4, .policy = TERN_POLICY_DROP_OLDEST},
	{.roaming = true, .capacity = 4},
	{.exact = true, .capacity = 4},
	{.lcore = 0},
	{.lcore = 0, .capacity = 4, .policy = TERN_POLICY_DROP_OLDEST},
	{.lcore = 0, .capacity = 4, .policy = TERN_POLICY_CONFLATE, .key_length = 8},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void it_comes_back_in_order(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < KINDS * 2 * 2; i++) {
		tern_address agent;
		struct sender *sender = open_sender(world, &sender_behaviour, &kinds[i % KINDS],
						    i / KINDS % 2 % lcores, ROUND, &agent);
		for (int round = 0; round < 3; round++)
			tell(world, agent, sender, i / KINDS / 2 ? BLOCKS : TELL);
		assert_int_equal(sender->sent, 3 * ROUND);
		end_receiver(world, sender);
		UNTIL(world, seen(&sender->back) == seen(&sender->sent));
		assert_int_equal(sender->wrong, 0);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	}
	UNTIL(world, is_all_home(world));
}

/* Its ring is full of signals, which are dropped meanwhile or wait: what comes back does neither.
 */
static void a_paused_sender_has_them_after_its_pause(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < KINDS * 2; i++) {
		tern_address agent;
		struct sender *sender = open_sender(world, &sender_behaviour, &kinds[i % KINDS],
						    i / KINDS % lcores, 3 * ROUND, &agent);
		tell(world, agent, sender, i % 2 ? TELL : BLOCKS);
		pause_it(world, agent);
		for (uint64_t n = 0; n < 10; n++)
			(void)!send_number(world->self, agent, 9, n);
		for (int n = 0; n < 5; n++)
			world_poll(world);
		end_receiver(world, sender);
		for (uint64_t n = 0; n < 10; n++) {
			(void)!send_number(world->self, agent, 9, 10 + n);
			world_poll(world);
		}
		assert_int_equal(seen(&sender->back), 0);
		resume_it(world, agent);
		UNTIL(world, seen(&sender->back) == 3 * ROUND);
		assert_int_equal(sender->wrong, 0);
		UNTIL(world, seen(&sender->handled) > 1);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	}
	UNTIL(world, is_all_home(world));
}

/* More than one run tells, to one that waits for something else. */
static void a_fiber_hears_of_all_while_it_waits(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 4; i++) {
		struct tern_spawn_options options = {.roaming = i & 1};
		tern_address agent;
		struct sender *sender =
			open_sender(world, &fiber_behaviour, &options,
				    i / 2 % tern_engine_lcores(world->engine), 500, &agent);
		UNTIL(world, seen(&sender->handled) == 1);
		pause_it(world, agent);
		end_receiver(world, sender);
		for (int n = 0; n < 5; n++)
			world_poll(world);
		resume_it(world, agent);
		UNTIL(world, seen(&sender->back) == 500);
		assert_int_equal(sender->wrong, 0);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
	}
	UNTIL(world, is_all_home(world));
}

/* Resumed, it has some in its mailbox when others come by the lane: those wait behind. */
static void later_ones_wait_behind_those_that_wait(void **state)
{
	struct world *world = *state;
	tern_address agent;
	struct sender *sender = open_sender(world, &sender_behaviour, &kinds[4], 1, ROUND, &agent);
	tell(world, agent, sender, TELL);
	tern_address first = sender->to;
	struct tern_spawn_options receiver = {.lcore = 1};
	sender->to = spawn_paused(world, world_probes(world, 1), &receiver);
	tell(world, agent, sender, TELL);
	pause_it(world, agent);
	assert_int_equal(tern_agent_stop(world->self, first), 0);
	settle_fully(world);
	assert_int_equal(agent_of(world, agent)->mailbox.returned, ROUND);
	assert_int_equal(tern_agent_stop(world->self, sender->to), 0);
	poll_one(world, 1);
	resume_it(world, agent);
	settle_fully(world);
	assert_int_equal(sender->back, 2 * ROUND);
	assert_int_equal(sender->wrong, 0);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	settle_fully(world);
}

static void a_moved_sender_has_them_in_order(void **state)
{
	struct world *world = *state;
	for (uint32_t home = 0; home < 2; home++) {
		tern_address agent;
		struct sender *sender =
			open_sender(world, &sender_behaviour, &kinds[0], home, ROUND, &agent);
		for (uint32_t i = 0; i < 10; i++) {
			tell(world, agent, sender, TELL);
			settle_fully(world);
			move_to(world, agent, i % 2);
			tell(world, agent, sender, 5);
			settle_fully(world);
			assert_int_equal(lcore_of(world, agent), i % 2);
			/* From both lcores, one after the other. */
			assert_int_equal(tern_agent_stop(world->self, sender->to), 0);
			poll_one(world, home ^ (i % 3 == 0));
			move_to(world, agent, !(i % 2));
			settle_fully(world);
			assert_int_equal(sender->back, sender->sent);
			struct tern_spawn_options receiver = {.lcore = home ^ (i & 1)};
			sender->to = spawn_paused(world, world_probes(world, 1), &receiver);
		}
		assert_int_equal(sender->wrong, 0);
		resume_it(world, sender->to);
	}
	assert_true(is_all_home(world));
}

/* Told to end, ended, or about to: what was on its way back is lost, counted, and all is home. */
static void to_one_that_ends_they_are_lost(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < KINDS * 4; i++) {
		tern_address agent;
		struct sender *sender = open_sender(world, &sender_behaviour, &kinds[i % KINDS],
						    i / KINDS % 2, ROUND, &agent);
		uint64_t lost = stats_of_all(world).lost;
		tell(world, agent, sender, BLOCKS);
		pause_it(world, agent);
		settle_fully(world);
		if (i / KINDS / 2) { /* they have come back, and are not told */
			end_receiver(world, sender);
			settle_fully(world);
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
		} else {
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
			assert_int_equal(tern_agent_stop(world->self, sender->to), 0);
		}
		settle_fully(world);
		assert_int_equal(sender->probe.stopped, 1);
		assert_int_equal(sender->back + stats_of_all(world).lost - lost, ROUND);
		assert_true(is_all_home(world));
	}
	for (uint32_t i = 0; i < 2; i++)
		if (!QUARANTINES)
			assert_int_equal(stats_of(world, i).blocks_out, 0);
}

static void small(struct tern_config *config)
{
	config->mailbox_mib = 1;
	config->max_agents = 20000;
}

/* A thread that does not poll, and a paused agent: each has a quarter at most, the rest is lost. */
static void beyond_a_quarter_they_are_lost(void **state)
{
	struct world *world = *state;
	struct tern_lcore *lcore = &world->engine->lcores[1];
	uint32_t quarter = lcore->mail.cells.count / 4;
	struct asker asker = {.count = 1};
	struct tern_agent *lazy = tern_thread_attach(world->engine, &asker_behaviour, &asker);
	while (asker.sent < 8000) {
		struct tern_spawn_options options = {.lcore = 1};
		tern_address to = spawn_paused(world, world_probes(world, 1), &options);
		asker.to = &to;
		for (int i = 0; i < 1000; i++)
			assert_int_equal(asker_send(lazy, &asker, 0), 0);
		assert_int_equal(tern_agent_stop(world->self, to), 0);
		world_settle(world);
		assert_in_range(lcore->outboxes.deferred, 0, quarter);
	}
	uint64_t lost = stats_of_all(world).lost;
	assert_in_range(lost, 1, asker.sent - quarter);
	UNTIL(world, (tern_thread_poll(lazy), lcore->outboxes.deferred == 0));
	while (tern_thread_poll(lazy))
		;
	assert_int_equal(asker.returned, asker.sent - lost);
	assert_true(asker.returned >= quarter);
	assert_int_equal(lcore->mail.cells.used, 0);
	tern_thread_detach(lazy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(it_comes_back_in_order),
		BOTH(a_paused_sender_has_them_after_its_pause),
		BOTH(a_fiber_hears_of_all_while_it_waits),
		ON_TWO(later_ones_wait_behind_those_that_wait),
		ON_TWO(a_moved_sender_has_them_in_order),
		ON_TWO(to_one_that_ends_they_are_lost),
		SET_POLLED(beyond_a_quarter_they_are_lost, small),
	};
	return cmocka_run_group_tests_name("return_order", tests, NULL, NULL);
}
