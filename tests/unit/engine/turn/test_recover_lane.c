/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: wherever in its turn an lcore is when an agent fails, each signal that it has taken from a
 * lane is handled or freed once: none twice, none never; permits come back; a fiber's overflow of
 * its stack is named, and what it held is freed.
 * Method: faults met at places made for them: in an express lane between two signals of a data
 * lane, on a traced signal among untraced ones, from a handler that has flooded its own lane; the
 * counters' sums; fibers that recurse in own and in foreign code.
 */
#include "tests/unit/engine/faulty.h"

enum { PLAIN = 1, OTHER, LAST };

/* Does what the signal's type says. */
struct doer {
	struct actor actor;
	uint64_t blocks; /* found whole */
	uint64_t broken;
};

enum { KEEP, CRASH, FORWARD, FLOOD_AND_CRASH };

AGENT static void flood(struct tern_agent *self) TERN_OWNS(self);
AGENT static void flood(struct tern_agent *self)
{
	for (uint64_t i = 0; i < 3000; i++)
		if (send_number(self, tern_self(self), KEEP, i) != 0)
			break;
}

AGENT static void look_at_block(struct doer *doer, struct tern_signal *signal)
{
	const char *bytes = tern_iso_data(signal->payload.iso);
	bool whole = tern_block_size(signal->payload.iso) == 300;
	for (int i = 0; i < 300; i++)
		whole = whole && bytes[i] == 'k';
	note(whole ? &doer->blocks : &doer->broken);
}

TERN_HANDLER(FAULTY static, doer_handle)
{
	struct doer *doer = state;
	note(&doer->actor.count);
	if (tern_signal_has_iso(signal))
		look_at_block(doer, signal);
	switch (tern_signal_type(signal)) {
	case FLOOD_AND_CRASH:
		flood(self);
		crash(NULL_WRITE);
		break;
	case CRASH:
		crash(NULL_WRITE);
		break;
	case FORWARD:
		doer->actor.code = send_number(self, doer->actor.peer, CRASH, 0);
		break;
	}
}

static const struct tern_behaviour doer_behaviour = {.name = "doer",
						     .handler = doer_handle,
						     .on_start = probe_start,
						     .on_stop = probe_stop,
						     .on_error = actor_error};

static tern_address open_doer(struct world *world, struct doer **doer, enum tern_priority priority)
{
	struct tern_spawn_options options = {.priority = priority};
	*doer = world_memory(world, sizeof(**doer));
	return spawn_with(world, &doer_behaviour, *doer, &options);
}

static void send_block(struct world *world, tern_address to, uint16_t type)
{
	tern_iso *iso = tern_iso_create(tern_heap(world->self), 300);
	assert_non_null(iso);
	memset(tern_iso_data(iso), 'k', 300);
	iso = tern_signal_iso(world->self, to, type, iso);
	assert_null(iso);
}

/* sent + timers = handled + dropped + returned + lost, over all. */
static void assert_sums(struct world *world)
{
	struct tern_lcore_stats stats;
	uint64_t in = 0, out = 0;
	world_settle(world);
	for (uint32_t i = 0; i < WORLD_LCORES + 4; i++) {
		tern_lcore_stats(world->engine, i, &stats);
		in += stats.sent + stats.timers;
		out += stats.handled + stats.dropped + stats.returned + stats.lost;
	}
	assert_int_equal(in, out);
}

/*
 * Seven blocks go to the mailbox of a paused agent; with the eighth signal of the data lane the
 * express lane is looked at, where one fails.
 */
CONTAINED(a_queued_block_outlives_a_fault_between_two_lanes)
{
	struct doer *relay, *paused, *critical;
	tern_address agents[3] = {open_doer(world, &relay, TERN_PRIORITY_NORMAL),
				  open_doer(world, &paused, TERN_PRIORITY_NORMAL),
				  open_doer(world, &critical, TERN_PRIORITY_CRITICAL)};
	relay->actor.peer = agents[2];
	world_settle(world);
	assert_int_equal(tern_agent_pause(world->self, agents[1]), 0);
	world_settle(world);
	send_surely(world, agents[0], FORWARD, 0);
	for (int i = 0; i < 15; i++)
		send_block(world, agents[1], KEEP);
	world_settle(world);
	ASSERT_ENDED(world, &critical->actor, TERN_END_FAILED, -EFAULT);
	assert_int_equal(tern_agent_resume(world->self, agents[1]), 0);
	UNTIL(world, seen(&paused->actor.count) == 15);
	assert_int_equal(paused->blocks, 15);
	assert_int_equal(paused->broken, 0);
	assert_sums(world);
}

/* Traced signals are handled from a copy. */
static void run_traced(uint32_t before, uint32_t trace_every)
{
	struct tern_config config;
	struct world world;
	world_config(&config, true);
	config.trace_every = trace_every;
	world_open(&world, &config);
	for (int i = 0; i < 10; i++) {
		struct doer *victim, *other;
		tern_address agents[2] = {open_doer(&world, &victim, TERN_PRIORITY_NORMAL),
					  open_doer(&world, &other, TERN_PRIORITY_NORMAL)};
		world_settle(&world);
		for (uint32_t j = 0; j < before; j++)
			send_block(&world, agents[1], KEEP);
		send_block(&world, agents[0], CRASH);
		for (uint32_t j = 0; j < 20; j++)
			send_block(&world, agents[1], KEEP);
		world_settle(&world);
		ASSERT_ENDED(&world, &victim->actor, TERN_END_FAILED, -EFAULT);
		assert_int_equal(other->blocks, before + 20);
		assert_int_equal(victim->blocks, 1);
	}
	assert_sums(&world);
	world_close(&world);
}

static void a_traced_signal_is_freed_once(void **state)
{
	(void)state;
	for (uint32_t before = 0; before < 5; before++)
		for (uint32_t every = 1; every < 5; every++)
			run_traced(before, every);
}

/* The lane that the signal came by is in other memory by then. */
CONTAINED(a_flood_before_the_fault_changes_nothing)
{
	for (int i = 0; i < 5; i++) {
		struct doer *doer, *other;
		tern_address agent = open_doer(world, &doer, TERN_PRIORITY_NORMAL);
		tern_address neighbour = open_doer(world, &other, TERN_PRIORITY_NORMAL);
		world_settle(world);
		/* By the lane of the thread, and by its own. */
		if (i % 2)
			send_block(world, agent, KEEP);
		send_block(world, agent, FLOOD_AND_CRASH);
		for (int j = 0; j < 10; j++)
			send_block(world, neighbour, KEEP);
		ASSERT_ENDED(world, &doer->actor, TERN_END_FAILED, -EFAULT);
		UNTIL(world, seen(&other->blocks) == 10);
		assert_int_equal(doer->blocks, 1 + i % 2);
		UNTIL(world, !tern_agent_alive(world->self, agent));
	}
	if (world->polled)
		assert_sums(world);
}

/* A fiber hands a block on by its own lcore's lane to one that floods that lane and fails. */
TERN_FIBER(static, hand_on)
{
	struct actor *actor = state;
	tern_iso *iso = tern_iso_create(tern_heap(self), 300);
	memset(tern_iso_data(iso), 'k', 300);
	EXPECT(number_of(tern_recv(self, TERN_FOREVER)) == 5);
	EXPECT(send_number(self, actor->peer, KEEP, 0) == 0);
	iso = tern_signal_iso(self, actor->peer, FLOOD_AND_CRASH, iso);
	EXPECT(!iso);
	tern_iso_drop(tern_heap(self), iso);
	return 0;
}
ACTOR(hand_on);

CONTAINED(a_flood_of_the_lane_stood_on)
{
	for (int i = 0; i < 5; i++) {
		struct doer *doer;
		struct actor *actor = world_actors(world, 1);
		actor->peer = open_doer(world, &doer, TERN_PRIORITY_NORMAL);
		tern_address fiber = spawn_on(world->self, 0, &hand_on_behaviour, actor);
		send_surely(world, fiber, PLAIN, 5);
		ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
		ASSERT_ENDED(world, &doer->actor, TERN_END_FAILED, -EFAULT);
		assert_int_equal(doer->blocks, 1);
	}
	if (world->polled)
		assert_sums(world);
}

/* With one permit in all: each that fails gives it back. */
static void permits_come_back(void **state)
{
	struct tern_config config;
	struct world world;
	struct doer *doers[20];
	tern_address agents[20];
	world_config(&config, *(const bool *)*state);
	config.max_concurrent = 1;
	world_open(&world, &config);
	for (int i = 0; i < 20; i++)
		agents[i] = open_doer(&world, &doers[i], TERN_PRIORITY_NORMAL);
	for (int i = 0; i < 20; i++) {
		send_surely(&world, agents[i], KEEP, 0);
		send_block(&world, agents[i], i % 4 == 3 ? KEEP : CRASH);
	}
	for (int i = 0; i < 20; i++) {
		UNTIL(&world, seen(&doers[i]->actor.count) == 2);
		if (i % 4 != 3)
			ASSERT_ENDED(&world, &doers[i]->actor, TERN_END_FAILED, -EFAULT);
	}
	world_close(&world);
}

/* Deep in its own code, deep in foreign code, and not so deep: a plain fault. */
AGENT static int go_down(int depth) // NOLINT(misc-no-recursion)
{
	volatile char here[200];
	here[0] = (char)depth;
	return depth < zero ? 0 : go_down(depth + 1) + here[0];
}

FOREIGN static int foreign_go_down(int depth) // NOLINT(misc-no-recursion)
{
	volatile char here[200];
	here[0] = (char)depth;
	return depth < zero ? 0 : foreign_go_down(depth + 1) + here[0];
}

TERN_FIBER(FAULTY static, fail_deep)
{
	struct actor *actor = state;
	const struct tern_signal *signal = tern_recv(self, TERN_FOREVER);
	actor->count = tern_signal_has_iso(signal);
	if (actor->go == 0)
		result_sink = go_down(0);
	else if (actor->go == 1)
		result_sink = foreign_go_down(0);
	else
		crash((enum fault)(actor->go - 2));
	return 0;
}
ACTOR(fail_deep);

CONTAINED(a_fibers_overflow_is_named)
{
	for (uint64_t i = 0; i < 40; i++) {
		struct tern_spawn_options options = {.watch = true, .stack_bytes = 16384u << i % 3};
		struct actor *actor = world_actors(world, 1);
		struct tern_ended ended;
		actor->go = i % 5;
		bool overflows = actor->go < 2;
		tern_address fiber = spawn_with(world, &fail_deep_behaviour, actor, &options);
		send_block(world, fiber, PLAIN);
		/* It may have failed already. */
		tern_iso *more = tern_iso_create(tern_heap(world->self), 300);
		assert_non_null(more);
		tern_iso_drop(tern_heap(world->self),
			      tern_signal_iso(world->self, fiber, OTHER, more));
		assert_int_equal(tern_wait(world->self, fiber, PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_FAILED);
		assert_int_equal(ended.result, overflows ? -EOVERFLOW : -EFAULT);
		ASSERT_ENDED(world, actor, TERN_END_FAILED, ended.result);
		assert_int_equal(actor->errors, 1);
		assert_int_equal(actor->count, 1);
		assert_int_equal(strstr(actor->error.text, "stack overflow") != NULL, overflows);
	}
	if (world->polled)
		assert_sums(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_POLLED(a_queued_block_outlives_a_fault_between_two_lanes),
		cmocka_unit_test(a_traced_signal_is_freed_once),
		IN_BOTH(a_flood_before_the_fault_changes_nothing),
		IN_BOTH(a_flood_of_the_lane_stood_on),
		IN_BOTH(permits_come_back),
		IN_BOTH(a_fibers_overflow_is_named),
	};
	return cmocka_run_group_tests_name("recover lane", tests, NULL, NULL);
}
