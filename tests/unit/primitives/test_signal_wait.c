/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the waiting form of a send ends with the block accepted, refused for good, or timed out,
 * and is not for handlers.
 * Method: a thread that sends faster than its receiver handles; a receiver that is stuck in its
 * handler until told; a handler that tries to wait.
 */
#include "tests/unit/support.h"

TERN_HANDLER(static, block_handle)
{
	struct sink *sink = state;
	uint64_t number = 0;
	if (tern_signal_has_iso(signal))
		memcpy(&number, tern_iso_data(signal->payload.iso), sizeof(number));
	if (number != sink->expected)
		note(&sink->wrong);
	put(&sink->expected, sink->expected + 1);
}

static const struct tern_behaviour block_behaviour = {.name = "block", .handler = block_handle};

static tern_iso *make_block(struct tern_agent *self, uint64_t number)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (iso)
		memcpy(tern_iso_data(iso), &number, sizeof(number));
	return iso;
}

static void waiting_sends_when_there_is_room(void **state)
{
	enum { COUNT = 5000 };
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address to = spawn_on(world->self, 0, &block_behaviour, sink);
	for (uint64_t i = 0; i < COUNT; i++) {
		tern_iso *iso;
		UNTIL(world, (iso = make_block(world->self, i)) != NULL);
		iso = tern_signal_wait(world->self, to, (uint16_t)i, iso, PATIENCE_NS);
		assert_null(iso);
	}
	UNTIL(world, seen(&sink->expected) == COUNT);
	assert_int_equal(sink->wrong, 0);
	assert_int_equal(tern_agent_stop(world->self, to), 0);
	UNTIL(world, !tern_agent_alive(world->self, to));
	tern_iso *iso =
		tern_signal_wait(world->self, to, 0, make_block(world->self, 0), PATIENCE_NS);
	assert_non_null(iso);
	assert_int_equal(tern_errno, ESRCH);
	tern_iso_drop(tern_heap(world->self), iso);
}

/* The receiver's lcore is busy in a handler until told otherwise, so its lane fills. */
TERN_HANDLER(static, busy_handle)
{
	uint64_t *free = state;
	while (!seen(free))
		breathe();
}

static void waiting_ends_at_the_timeout(void **state)
{
	static const struct tern_behaviour busy = {.name = "busy", .handler = busy_handle};
	struct world *world = *state;
	uint64_t *free = world_memory(world, sizeof(*free));
	tern_address to = spawn_on(world->self, 0, &busy, free);
	while (send_number(world->self, to, 0, 0) == 0)
		;
	tern_iso *iso = make_block(world->self, 0);
	iso = tern_signal_wait(world->self, to, 0, iso, 2000000);
	assert_non_null(iso);
	assert_int_equal(tern_errno, ETIMEDOUT);
	iso = tern_signal_wait(world->self, to, 0, iso, 0);
	assert_non_null(iso);
	put(free, 1);
	iso = tern_signal_wait(world->self, to, 0, iso, PATIENCE_NS);
	assert_null(iso);
}

TERN_HANDLER(static, waiter_handle)
{
	uint64_t *refused = state;
	tern_iso *iso = tern_iso_create(tern_heap(self), 50);
	iso = tern_signal_wait(self, tern_self(self), 0, iso, 1000);
	if (iso && tern_errno == EDEADLK)
		note(refused);
	tern_iso_drop(tern_heap(self), iso);
}

static void a_handler_must_not_wait(void **state)
{
	static const struct tern_behaviour waiter = {.name = "waiter", .handler = waiter_handle};
	struct world *world = *state;
	uint64_t *refused = world_memory(world, sizeof(*refused));
	tern_address to = spawn_on(world->self, 0, &waiter, refused);
	assert_int_equal(send_number(world->self, to, 0, 0), 0);
	UNTIL(world, seen(refused) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREADED(waiting_sends_when_there_is_room),
		THREADED(waiting_ends_at_the_timeout),
		BOTH(a_handler_must_not_wait),
	};
	return cmocka_run_group_tests_name("signal wait", tests, NULL, NULL);
}
