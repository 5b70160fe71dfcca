/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who was refused is told, once for each receiver, when that takes signals again, whatever
 * refused it and whatever became of either; and nothing is left of it afterwards.
 * Method: handlers and a thread that fill paused receivers of every kind and lanes that nobody
 * polls; receivers are let go, stopped and finished; senders pause, end and move meanwhile.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "engine/schedule/roaming.h"

enum { CAPACITY = 10, LOW = 2, LOOKS = 64 };

static struct tern_spawn_options small_mailbox(uint32_t lcore)
{
	return (struct tern_spawn_options){
		.lcore = lcore, .capacity = CAPACITY, .high_water = 8, .low_water = LOW};
}

/* Refused as often as the test likes: a few rounds, so that the receiver's lcore has looked. */
static void fill(struct world *world, tern_address agent, struct asker *asker)
{
	uint64_t refused = seen(&asker->refused);
	UNTIL(world, (ask_to(world, agent, asker, TRY), seen(&asker->refused) >= refused + 3));
}

static void is_told_once(struct world *world, uint32_t from,
			 const struct tern_spawn_options *options,
			 const struct tern_spawn_options *sender)
{
	struct probe *probe = world_probes(world, 1);
	tern_address *to = world_memory(world, sizeof(*to)), agent;
	struct asker *asker = make_asker(world, to, 1);
	struct tern_spawn_options own = *sender;
	own.lcore = from;
	*to = spawn_paused(world, probe, options);
	assert_int_equal(tern_spawn(world->self, &asker_behaviour, asker, &own, &agent), 0);
	put(&asker->again, true);
	for (uint64_t round = 1; round <= 3; round++) {
		fill(world, agent, asker);
		ask_to(world, agent, asker, TRY);
		assert_int_equal(seen(&asker->told), round - 1);
		resume_it(world, *to);
		UNTIL(world, seen(&asker->told) == round);
		assert_int_equal(seen(&asker->who), *to);
		assert_true(asker->queued <= LOW);
		UNTIL(world, seen(&probe->handled) == seen(&asker->sent));
		pause_it(world, *to);
		assert_int_equal(seen(&asker->told), round);
	}
	assert_int_equal(asker->wrong, 0);
	assert_int_equal(asker->told_all, 0);
}

static void a_refused_handler_is_told_once(void **state)
{
	static const struct tern_spawn_options plain = {0};
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < 4; i++) {
		struct tern_spawn_options options = small_mailbox(i / 2 % lcores);
		is_told_once(world, i % 2 % lcores, &options, &plain);
	}
	if (world->polled)
		assert_nobody_waits(world);
}

static void whoever_refuses(void **state)
{
	static const struct tern_spawn_options plain = {0};
	struct world *world = *state;
	struct tern_spawn_options kinds[] = {{.roaming = true},
					     {.exact = true},
					     {.priority = TERN_PRIORITY_CRITICAL},
					     {.priority = TERN_PRIORITY_LOW},
					     {.policy = TERN_POLICY_BLOCK}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		kinds[i].capacity = CAPACITY;
		kinds[i].low_water = LOW;
		is_told_once(world, 0, &kinds[i], &plain);
	}
	if (world->polled)
		assert_nobody_waits(world);
}

static void whoever_is_refused(void **state)
{
	static const struct tern_spawn_options kinds[] = {{.roaming = true},
							  {.exact = true},
							  {.priority = TERN_PRIORITY_CRITICAL},
							  {.priority = TERN_PRIORITY_LOW}};
	struct world *world = *state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tern_spawn_options options =
			small_mailbox(1 % tern_engine_lcores(world->engine));
		is_told_once(world, 0, &options, &kinds[i]);
	}
	if (world->polled)
		assert_nobody_waits(world);
}

static void a_thread_is_told_when_it_polls(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(0);
	struct probe *probe = world_probes(world, 1);
	tern_address to = spawn_paused(world, probe, &options);
	struct asker asker = {.to = &to, .count = 1, .again = true};
	struct tern_agent *self = tern_thread_attach(world->engine, &asker_behaviour, &asker);
	for (uint64_t round = 1; round <= 3; round++) {
		UNTIL(world, asker_send(self, &asker, 0) == -EAGAIN);
		(void)!asker_send(self, &asker, 0);
		UNTIL(world, tern_thread_poll(self) == 0);
		assert_int_equal(asker.told, round - 1);
		resume_it(world, to);
		UNTIL(world, (tern_thread_poll(self), asker.told == round));
		assert_int_equal(asker.who, to);
		UNTIL(world, seen(&probe->handled) == asker.sent);
		pause_it(world, to);
		UNTIL(world, tern_thread_poll(self) == 0);
		assert_int_equal(asker.told, round);
	}
	assert_int_equal(asker.wrong, 0);
	tern_thread_detach(self);
}

/* Its lcore is not polled: the lane fills up, and has credit again when it is. */
static void a_full_lane_has_room_again(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.lcore = 1, .capacity = 100000};
	struct probe *probe = world_probes(world, 1);
	tern_address to, agent;
	struct asker *asker = make_asker(world, &to, 1);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &to), 0);
	agent = spawn_on(world->self, 0, &asker_behaviour, asker);
	world_settle(world);
	for (uint64_t round = 1; round <= 3; round++) {
		assert_int_equal(send_number(world->self, agent, FLOOD, 0), 0);
		for (int i = 0; i < 100; i++)
			poll_one(world, 0);
		assert_int_equal(asker->refused, round);
		assert_int_equal(asker->told, round - 1);
		poll_one(world, 1);
		for (int i = 0; i < 3; i++)
			poll_one(world, 0);
		assert_int_equal(asker->told, round);
		assert_int_equal(asker->who, to);
		world_settle(world);
		assert_int_equal(asker->told, round);
		assert_int_equal(probe->handled, asker->sent);
	}
	assert_nobody_waits(world);
}

/* Told, and then refused as dead: nobody waits for who does not come back. */
static void who_is_gone_lets_go(void **state)
{
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < 8; i++) {
		struct tern_spawn_options options = small_mailbox(i % 2 % lcores);
		struct probe *probe = world_probes(world, 1);
		tern_address *to = world_memory(world, sizeof(*to)), agent;
		struct asker *asker = make_asker(world, to, 1);
		options.roaming = i & 2;
		*to = spawn_paused(world, probe, &options);
		agent = spawn_on(world->self, 0, &asker_behaviour, asker);
		fill(world, agent, asker);
		put(&asker->again, true);
		if (i & 4)
			assert_int_equal(tern_agent_finish(world->self, *to, PATIENCE_NS), 0);
		else
			assert_int_equal(tern_agent_stop(world->self, *to), 0);
		UNTIL(world, seen(&asker->told) == 1);
		assert_int_equal(seen(&asker->who), *to);
		/* One that is stopped lets go before it is gone: what is sent then comes back. */
		assert_true(asker->dead == 1 || !(i & 4));
		UNTIL(world, seen(&probe->handled) + seen(&asker->returned) == seen(&asker->sent));
		if (i & 4)
			assert_int_equal(asker->returned, 0);
	}
	if (world->polled)
		assert_nobody_waits(world);
}

static void each_receiver_is_one_refusal(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(0);
	struct probe *probes = world_probes(world, 2);
	tern_address *to = world_memory(world, 2 * sizeof(*to)), agent;
	struct asker *asker = make_asker(world, to, 2);
	for (uint32_t i = 0; i < 2; i++)
		to[i] = spawn_paused(world, &probes[i], &options);
	agent = spawn_on(world->self, 0, &asker_behaviour, asker);
	UNTIL(world, (ask_to(world, agent, asker, TRY), seen(&asker->refused) >= 6));
	resume_it(world, to[1]);
	UNTIL(world, seen(&asker->told) == 1);
	assert_int_equal(seen(&asker->who), to[1]);
	UNTIL(world, seen(&probes[1].handled) > 0);
	ask_to(world, agent, asker, TRY);
	assert_int_equal(seen(&asker->told), 1);
	resume_it(world, to[0]);
	UNTIL(world, seen(&asker->told) == 2);
	assert_int_equal(seen(&asker->who), to[0]);
}

static void a_paused_sender_is_told_later(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(0);
	for (uint32_t roaming = 0; roaming < 2; roaming++) {
		struct tern_spawn_options own = {.roaming = roaming};
		struct probe *probe = world_probes(world, 1);
		tern_address *to = world_memory(world, sizeof(*to)), agent;
		struct asker *asker = make_asker(world, to, 1);
		*to = spawn_paused(world, probe, &options);
		assert_int_equal(tern_spawn(world->self, &asker_behaviour, asker, &own, &agent), 0);
		fill(world, agent, asker);
		pause_it(world, agent);
		resume_it(world, *to);
		UNTIL(world, seen(&probe->handled) == seen(&asker->sent));
		for (int i = 0; i < 100; i++)
			world_poll(world);
		assert_int_equal(seen(&asker->told), 0);
		resume_it(world, agent);
		UNTIL(world, seen(&asker->told) == 1);
		assert_int_equal(seen(&asker->who), *to);
	}
}

static void of_an_ended_sender_nothing_is_left(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(0);
	struct probe *probes = world_probes(world, 2);
	for (uint32_t i = 0; i < 4; i++) {
		struct tern_spawn_options own = {.roaming = i & 1};
		tern_address *to = world_memory(world, 2 * sizeof(*to)), agent;
		struct asker *asker = make_asker(world, to, 2);
		for (uint32_t k = 0; k < 2; k++)
			to[k] = spawn_paused(world, &probes[k], &options);
		assert_int_equal(tern_spawn(world->self, &asker_behaviour, asker, &own, &agent), 0);
		UNTIL(world, (ask_to(world, agent, asker, TRY), asker->refused >= 6));
		/* One of the two is over when the sender ends, and not told. */
		pause_it(world, agent);
		if (i & 2)
			resume_it(world, to[0]);
		settle_fully(world);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		settle_fully(world);
		assert_int_equal(asker->probe.stopped, 1);
		assert_int_equal(asker->told, 0);
		assert_nobody_waits(world);
		for (uint32_t k = 0; k < 2; k++)
			assert_int_equal(tern_agent_stop(world->self, to[k]), 0);
		settle_fully(world);
	}
}

/* What it waits for is looked at by the lcore that it was refused on. */
static void a_roaming_sender_stays_until_it_is_told(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(1), own = {.roaming = true};
	struct probe *probe = world_probes(world, 1);
	tern_address to = spawn_paused(world, probe, &options), agent;
	struct asker *asker = make_asker(world, &to, 1);
	assert_int_equal(tern_spawn(world->self, &asker_behaviour, asker, &own, &agent), 0);
	fill(world, agent, asker);
	settle_fully(world);
	assert_int_equal(lcore_of(world, agent), 0);
	assert_false(tern_roaming_is_loose(agent_of(world, agent)));
	move_to(world, agent, 1);
	ask_to(world, agent, asker, 3);
	settle_fully(world);
	assert_int_equal(lcore_of(world, agent), 0);
	resume_it(world, to);
	UNTIL(world, asker->told == 1);
	settle_fully(world);
	assert_true(tern_roaming_is_loose(agent_of(world, agent)));
	move_to(world, agent, 1);
	ask_to(world, agent, asker, 3);
	settle_fully(world);
	assert_int_equal(lcore_of(world, agent), 1);
}

static void who_has_no_on_event_is_not_kept(void **state)
{
	static const struct tern_behaviour deaf = {.name = "deaf", .handler = asker_handle};
	struct world *world = *state;
	struct tern_spawn_options options = small_mailbox(0);
	tern_address to = spawn_paused(world, world_probes(world, 1), &options);
	struct asker *asker = make_asker(world, &to, 1);
	fill(world, spawn_on(world->self, 0, &deaf, asker), asker);
	assert_int_equal(send_number(world->self, to, 1, 0), -EAGAIN); /* a thread without */
	assert_nobody_waits(world);
	assert_int_equal(asker->told, 0);
	resume_it(world, to);
}

static void many_config(struct tern_config *config)
{
	world_config(config, true);
	config->max_agents = 20000;
	config->data_depth = 8192;
}

static int many_setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct tern_config config;
	many_config(&config);
	world_open(world, &config);
	*state = world;
	return 0;
}

#define MANY(body) cmocka_unit_test_setup_teardown(body, many_setup, world_teardown)

/* Paused receivers that one signal fills, on lcore 1. */
static tern_address *spawn_full(struct world *world, uint32_t count)
{
	struct tern_spawn_options options = {.lcore = 1, .capacity = 1};
	struct probe *probes = world_probes(world, count);
	tern_address *to = world_memory(world, count * sizeof(*to));
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(
			tern_spawn(world->self, &probe_behaviour, &probes[i], &options, &to[i]), 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(tern_agent_pause(world->self, to[i]), 0);
	world_settle(world);
	return to;
}

/* More than are kept apart: told to try all, now and then only, and nobody is forgotten. */
static void more_than_are_kept_are_told_to_try_all(void **state)
{
	enum { COUNT = 5000, TURNS = 640 };
	struct world *world = *state;
	tern_address *to = spawn_full(world, COUNT);
	struct asker *asker = make_asker(world, to, COUNT);
	asker->accepted = world_memory(world, COUNT * sizeof(uint64_t));
	asker->owed = world_memory(world, COUNT * sizeof(bool));
	put(&asker->again, true);
	tern_address agent = spawn_on(world->self, 0, &asker_behaviour, asker);
	ask_to(world, agent, asker, TRY);
	world_settle(world);
	assert_int_equal(asker->sent, COUNT);
	ask_to(world, agent, asker, TRY);
	assert_int_equal(asker->refused, COUNT);
	for (int i = 0; i < TURNS; i++)
		poll_one(world, 0);
	assert_int_equal(asker->told, asker->told_all);
	assert_in_range(asker->told_all, 1, TURNS / LOOKS + 1);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_agent_resume(world->self, to[i]), 0);
	UNTIL(world, asker->sent == 2 * COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(asker->accepted[i], 2);
	assert_int_equal(asker->wrong, 0);
	for (int i = 0; i < 2 * LOOKS; i++)
		world_poll(world);
	world_settle(world);
	assert_nobody_waits(world);
}

static void who_ends_while_it_is_to_try_all_leaves_nothing(void **state)
{
	enum { COUNT = 5000 };
	struct world *world = *state;
	tern_address *to = spawn_full(world, COUNT);
	for (int turns = 0; turns < 2; turns++) {
		struct asker *asker = make_asker(world, to, COUNT);
		tern_address agent = spawn_on(world->self, 0, &asker_behaviour, asker);
		ask_to(world, agent, asker, TRY);
		world_settle(world);
		ask_to(world, agent, asker, TRY);
		assert_true(asker->refused >= COUNT);
		pause_it(world, agent);
		for (int i = 0; i < turns * 100; i++)
			poll_one(world, 0);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		world_settle(world);
		assert_int_equal(asker->probe.stopped, 1);
		assert_nobody_waits(world);
	}
	for (uint32_t i = 0; i < COUNT; i++)
		resume_it(world, to[i]);
}

/* Steps of the round of those who wait that one turn of lcore 0 takes. */
static uint32_t looks_of_a_turn(struct world *world)
{
	const struct tern_waiters *waiters = &world->engine->lcores[0].waiters;
	const struct tern_waiter *from = waiters->round;
	uint32_t steps = 0;
	poll_one(world, 0);
	for (; from != waiters->round; from = from->next)
		steps++;
	return steps;
}

/* A fiber that sends to a full receiver, whatever else waits on its lcore. */
TERN_FIBER(static, sends)
{
	struct actor *actor = state;
	uint64_t number = 1;
	EXPECT(tern_send(self, actor->peer, 1, &number, 8, TERN_FOREVER) == 0);
	note(&actor->step);
	EXPECT(tern_send(self, actor->peer, 1, &number, 8, TERN_FOREVER) == 0);
	note(&actor->step);
	return 0;
}
ACTOR(sends);

static void a_turn_looks_at_some(void **state)
{
	enum { COUNT = 3000, FIBERS = 1000 };
	struct world *world = *state;
	struct tern_spawn_options options = {
		.lcore = 1, .capacity = 1, .policy = TERN_POLICY_BLOCK};
	tern_address *to = spawn_full(world, COUNT);
	tern_address full = spawn_paused(world, world_probes(world, 1), &options);
	struct asker *asker = make_asker(world, to, COUNT);
	struct actor *actors = world_actors(world, FIBERS);
	tern_address agent = spawn_on(world->self, 0, &asker_behaviour, asker);
	assert_int_equal(send_number(world->self, full, 1, 0), 0);
	ask_to(world, agent, asker, TRY);
	world_settle(world);
	ask_to(world, agent, asker, TRY);
	assert_int_equal(asker->refused, COUNT);
	for (uint32_t i = 0; i < FIBERS; i++) {
		actors[i].peer = full;
		spawn_on(world->self, 0, &sends_behaviour, &actors[i]);
	}
	world_settle(world);
	assert_int_equal(world->engine->lcores[0].waiters.count, COUNT + FIBERS);
	for (int i = 0; i < 100; i++)
		assert_int_equal(looks_of_a_turn(world), LOOKS);
	/* All are over at once: each turn tells as many as it looks at. */
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_agent_resume(world->self, to[i]), 0);
	for (int i = 0; i < 10; i++)
		poll_one(world, 1);
	for (uint32_t i = 0; i < (COUNT + FIBERS) / LOOKS + 4; i++)
		poll_one(world, 0);
	assert_int_equal(asker->told, COUNT);
	assert_int_equal(world->engine->lcores[0].waiters.count, FIBERS);
	resume_it(world, full);
	for (uint32_t i = 0; i < FIBERS; i++)
		ASSERT_ENDED(world, &actors[i], TERN_END_EXIT, 0);
	assert_nobody_waits(world);
}

enum { STREAM = 500 };

struct stream {
	tern_address to;
	uint64_t sent;
	uint64_t refused;
};

static void pour(struct tern_agent *self, struct stream *stream)
{
	while (stream->sent < STREAM && send_number(self, stream->to, 1, stream->sent) == 0)
		stream->sent++;
	if (stream->sent < STREAM)
		note(&stream->refused);
}

TERN_HANDLER(static, begin_stream)
{
	(void)signal;
	pour(self, state);
}

static void go_on(struct tern_agent *self, void *state, const struct tern_event *event)
{
	if (event->kind == TERN_EVENT_RELEASED)
		pour(self, state);
}

/* Refused, and told so while the engine drains, it sends the rest before that ends. */
static void a_stop_waits_for_who_was_refused(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "stream", .handler = begin_stream, .on_event = go_on};
	(void)state;
	for (int polled = 0; polled <= 1; polled++) {
		struct tern_config config;
		struct world world;
		world_config(&config, polled);
		world_open(&world, &config);
		/* Its low water is when nothing is under way. */
		struct tern_spawn_options options = {.roaming = true, .capacity = 1};
		struct probe *probe = world_probes(&world, 1);
		struct stream *stream = world_memory(&world, sizeof(*stream));
		stream->to = spawn_paused(&world, probe, &options);
		tern_address agent = spawn_on(world.self, 0, &behaviour, stream);
		assert_int_equal(send_number(world.self, agent, 1, 0), 0);
		UNTIL(&world, seen(&stream->refused));
		assert_int_equal(tern_agent_resume(world.self, stream->to), 0);
		struct tern_stop_report report;
		assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
		assert_int_equal(report.undelivered, 0);
		assert_int_equal(stream->sent, STREAM);
		assert_int_equal(probe->handled, STREAM);
		world_forget(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_refused_handler_is_told_once),
		BOTH(whoever_refuses),
		BOTH(whoever_is_refused),
		BOTH(a_thread_is_told_when_it_polls),
		POLLED(a_full_lane_has_room_again),
		BOTH(who_is_gone_lets_go),
		BOTH(each_receiver_is_one_refusal),
		BOTH(a_paused_sender_is_told_later),
		ON_TWO(of_an_ended_sender_nothing_is_left),
		ON_TWO(a_roaming_sender_stays_until_it_is_told),
		POLLED(who_has_no_on_event_is_not_kept),
		MANY(more_than_are_kept_are_told_to_try_all),
		MANY(who_ends_while_it_is_to_try_all_leaves_nothing),
		MANY(a_turn_looks_at_some),
		cmocka_unit_test(a_stop_waits_for_who_was_refused),
	};
	return cmocka_run_group_tests_name("released", tests, NULL, NULL);
}
