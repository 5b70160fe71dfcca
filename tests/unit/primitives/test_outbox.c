/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an outbox sends in order what its receivers refused, when they take signals again, and says
 * what it cannot keep; a receiver that ends holds nobody up.
 * Method: a handler, and an attached thread, that send more to a paused agent than its mailbox
 * takes.
 */
#include "tests/unit/support.h"

#include "primitives/tern_outbox.h"

enum { ROOM = 64, CAPACITY = 10 };

struct poster {
	struct tern_outbox outbox;
	struct tern_outbox_entry entries[ROOM];
	tern_address to;
	tern_address also;
	uint64_t next;
	uint64_t sent;
	int code; /* of the last send */
};

/* Sends numbers until it may not, up to one. */
static void post(struct tern_agent *self, struct poster *poster, uint64_t until)
{
	while (poster->next < until) {
		poster->code = tern_outbox_send(self, &poster->outbox, poster->to, 1, &poster->next,
						sizeof(poster->next));
		if (poster->code != 0)
			return;
		poster->next++;
		poster->sent++;
	}
}

TERN_HANDLER(static, poster_handle)
{
	struct poster *poster = state;
	post(self, poster, number_of(signal));
	if (poster->also && tern_outbox_send(self, &poster->outbox, poster->also, 1, "", 1) == 0)
		poster->also = TERN_ADDRESS_NONE;
}

static void poster_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct poster *poster = state;
	tern_outbox_event(self, &poster->outbox, event);
}

static const struct tern_behaviour poster_behaviour = {
	.name = "poster", .handler = poster_handle, .on_event = poster_event};
static const struct tern_behaviour deaf_behaviour = {.name = "deaf", .handler = poster_handle};

static tern_address paused_sink(struct world *world, struct sink *sink)
{
	struct tern_spawn_options options = {.capacity = CAPACITY};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &sink_behaviour, sink, &options, &agent), 0);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	world_settle(world);
	return agent;
}

static struct poster *open_poster(struct world *world, struct sink *sink)
{
	struct poster *poster = world_memory(world, sizeof(*poster));
	tern_outbox_init(&poster->outbox, poster->entries, ROOM);
	poster->to = paused_sink(world, sink);
	return poster;
}

static void ask(struct world *world, tern_address agent, uint64_t until)
{
	assert_int_equal(send_number(world->self, agent, 1, until), 0);
	world_settle(world);
}

static void what_was_refused_leaves_in_order(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct poster *poster = open_poster(world, &sink);
	tern_address agent = spawn_on(world->self, 0, &poster_behaviour, poster);
	for (uint64_t until = 1; until <= 50; until++)
		ask(world, agent, until);
	assert_int_equal(poster->sent, 50);
	assert_int_equal(poster->outbox.count, 50 - 8); /* high water */
	assert_int_equal(poster->outbox.waited, 50 - 8);
	assert_int_equal(tern_agent_resume(world->self, poster->to), 0);
	world_settle(world);
	assert_int_equal(sink.expected, 50);
	assert_int_equal(sink.wrong, 0);
	assert_int_equal(poster->outbox.count, 0);
	assert_int_equal(poster->outbox.dead, 0);
}

/* Nothing is kept of what does not fit, and the sender may go on later where it was. */
static void a_full_outbox_refuses(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct poster *poster = open_poster(world, &sink);
	tern_address agent = spawn_on(world->self, 0, &poster_behaviour, poster);
	for (uint64_t until = 1; until <= 100; until++)
		ask(world, agent, until);
	assert_int_equal(poster->code, -EAGAIN);
	assert_int_equal(poster->sent, ROOM + 8);
	assert_int_equal(tern_agent_resume(world->self, poster->to), 0);
	world_settle(world);
	ask(world, agent, 100);
	world_settle(world);
	assert_int_equal(sink.expected, 100);
	assert_int_equal(sink.wrong, 0);
}

static void a_dead_receiver_holds_nobody_up(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct probe *probe = world_probes(world, 1);
	struct poster *poster = open_poster(world, &sink);
	tern_address agent = spawn_on(world->self, 0, &poster_behaviour, poster);
	for (uint64_t until = 1; until <= 20; until++)
		ask(world, agent, until);
	poster->also = spawn_on(world->self, 0, &probe_behaviour, probe);
	ask(world, agent, 20);
	assert_int_equal(probe->handled, 0); /* behind what waits */
	assert_int_equal(tern_agent_stop(world->self, poster->to), 0);
	world_settle(world);
	assert_int_equal(probe->handled, 1);
	assert_int_equal(poster->outbox.count, 0);
	assert_int_equal(poster->outbox.dead, 20 - 8);
}

static void what_cannot_be_sent_is_refused(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct poster *poster = open_poster(world, &sink);
	tern_address deaf = spawn_on(world->self, 0, &deaf_behaviour, poster);
	ask(world, deaf, 1);
	assert_int_equal(poster->code, -EINVAL);
	struct tern_agent *self = tern_thread_attach(world->engine, &poster_behaviour, poster);
	unsigned char much[TERN_INLINE_MAX + 1] = {0};
	assert_int_equal(tern_outbox_send(self, &poster->outbox, poster->to, 1, much, sizeof(much)),
			 -EMSGSIZE);
	assert_int_equal(
		tern_outbox_send(self, &poster->outbox, poster->to, TERN_TYPE_MAX + 1, much, 1),
		-EMSGSIZE);
	assert_int_equal(tern_outbox_send(self, &poster->outbox, TERN_ADDRESS_NONE, 1, much, 1),
			 -ESRCH);
	assert_int_equal(poster->outbox.count, 0);
	tern_thread_detach(self);
}

static void a_thread_has_one_too(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct poster *poster = open_poster(world, &sink);
	struct tern_agent *self = tern_thread_attach(world->engine, &poster_behaviour, poster);
	for (uint64_t until = 1; until <= 50; until++) {
		post(self, poster, until);
		world_settle(world);
	}
	assert_true(poster->outbox.count > 0);
	assert_int_equal(tern_agent_resume(world->self, poster->to), 0);
	UNTIL(world, (tern_thread_poll(self), sink.expected == 50));
	assert_int_equal(sink.wrong, 0);
	assert_int_equal(poster->outbox.count, 0);
	tern_thread_detach(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(what_was_refused_leaves_in_order),
		POLLED(a_full_outbox_refuses),
		POLLED(a_dead_receiver_holds_nobody_up),
		POLLED(what_cannot_be_sent_is_refused),
		POLLED(a_thread_has_one_too),
	};
	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
