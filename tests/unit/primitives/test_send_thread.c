/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an attached thread waits for a receiver as a fiber does: under the policy that lets senders
 * wait, or in a full lane, until it is accepted, refused for good or out of time, and handles what
 * is sent to it meanwhile; nowhere else does a send wait. Method: receivers that are paused, slow,
 * or answer, each with a small mailbox; exact ends of time under the virtual clock; streams of
 * numbered signals on threads.
 */
#include "tests/unit/support.h"

#include <pthread.h>

enum { CAPACITY = 20, HIGH = 16, LOW = 4, COUNT = 5000, ENDS = 20, MS = 1000000 };

static tern_address spawn_small(struct world *world, enum tern_policy policy,
				const struct tern_behaviour *behaviour, void *state)
{
	struct tern_spawn_options options = {.lcore = 1,
					     .policy = policy,
					     .capacity = CAPACITY,
					     .high_water = HIGH,
					     .low_water = LOW};
	tern_address agent = TERN_ADDRESS_NONE;
	options.lcore = tern_engine_lcores(world->engine) - 1;
	assert_int_equal(tern_spawn(world->self, behaviour, state, &options, &agent), 0);
	return agent;
}

static void pause_surely(struct world *world, tern_address agent)
{
	enum tern_agent_state at = TERN_STATE_NEW;
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	UNTIL(world, tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
}

/* By itself, that is: a full lane refuses only its own sender, and not for long. */
static bool refuses(struct world *world, tern_address agent)
{
	struct tern_pressure pressure;
	for (int i = 0; i < CAPACITY; i++)
		if (send_number(world->self, agent, 0, 0) == -EAGAIN) {
			tern_pressure(world->self, &pressure);
			return pressure.source == TERN_PRESSURE_AGENT;
		}
	return false;
}

/* Fill a paused receiver's mailbox: it refuses whoever sends. */
static void fill(struct world *world, tern_address agent)
{
	UNTIL(world, refuses(world, agent));
}

static void close_with_waiting(struct world *world)
{
	world_stop(world, 0, NULL);
	world_forget(world);
}

static int send_timed(struct world *world, tern_address to, uint64_t timeout_ns, uint64_t *took)
{
	uint64_t from = tern_now(world->self), number = 0;
	int code = tern_send(world->self, to, 0, &number, sizeof(number), timeout_ns);
	*took = tern_now(world->self) - from;
	return code;
}

static void a_thread_waits_as_long_as_it_said(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		uint64_t took;
		world_config(&config, polled);
		world_open(&world, &config);
		tern_address to = spawn_small(&world, TERN_POLICY_BLOCK, &probe_behaviour,
					      world_probes(&world, 1));
		pause_surely(&world, to);
		fill(&world, to);
		assert_int_equal(send_timed(&world, to, 2 * MS, &took), -ETIMEDOUT);
		assert_true(took >= 2 * MS && (!polled || took < 2 * MS + 2000));
		assert_int_equal(send_timed(&world, to, 0, &took), -ETIMEDOUT);
		assert_true(!polled || took == 0);
		close_with_waiting(&world);
	}
}

/* Any refusal for want of space will do: the policy only says whether senders are told. */
static void a_block_waits_as_long_as_it_said(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		world_config(&config, polled);
		world_open(&world, &config);
		tern_address to = spawn_small(&world, TERN_POLICY_REFUSE, &probe_behaviour,
					      world_probes(&world, 1));
		pause_surely(&world, to);
		fill(&world, to);
		uint64_t from = tern_now(world.self);
		tern_iso *iso = tern_iso_create(tern_heap(world.self), 100);
		iso = tern_signal_wait(world.self, to, 0, iso, 2 * MS);
		assert_non_null(iso);
		assert_int_equal(tern_errno, ETIMEDOUT);
		assert_true(tern_now(world.self) - from >= 2 * MS);
		assert_int_equal(tern_agent_resume(world.self, to), 0);
		iso = tern_signal_wait(world.self, to, 0, iso, PATIENCE_NS);
		assert_null(iso);
		close_with_waiting(&world);
	}
}

static void other_policies_refuse_at_once(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct world world;
		struct tern_config config;
		uint64_t took;
		world_config(&config, polled);
		world_open(&world, &config);
		tern_address to = spawn_small(&world, TERN_POLICY_REFUSE, &probe_behaviour,
					      world_probes(&world, 1));
		pause_surely(&world, to);
		fill(&world, to);
		assert_int_equal(send_timed(&world, to, PATIENCE_NS, &took), -EAGAIN);
		assert_true(took < (uint64_t)PATIENCE_NS / 2);
		close_with_waiting(&world);
	}
}

static void a_stream_is_accepted_whole(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address to = spawn_small(world, TERN_POLICY_BLOCK, &sink_behaviour, sink);
	for (uint64_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_send(world->self, to, 1, &i, sizeof(i), PATIENCE_NS), 0);
	UNTIL(world, seen(&sink->expected) == COUNT);
	assert_int_equal(sink->wrong, 0);
}

/* A receiver that takes more; a lane that does not until the lcore is polled. */
static void a_full_lane_is_waited_for(void **state)
{
	struct world *world = *state;
	struct sink *sink = world_memory(world, sizeof(*sink));
	struct tern_spawn_options options = {.capacity = 16 * COUNT};
	struct tern_lcore_stats stats;
	tern_address to;
	assert_int_equal(tern_spawn(world->self, &sink_behaviour, sink, &options, &to), 0);
	for (uint64_t i = 0; i < 4 * COUNT; i++)
		assert_int_equal(tern_send(world->self, to, 1, &i, sizeof(i), PATIENCE_NS), 0);
	UNTIL(world, seen(&sink->expected) == 4 * COUNT);
	assert_int_equal(sink->wrong, 0);
	tern_lcore_stats(world->engine, tern_lcore_index(world->self), &stats);
	assert_true(!world->polled || stats.refused_lane > 0);
}

static tern_address open_full(struct world *world)
{
	tern_address to =
		spawn_small(world, TERN_POLICY_BLOCK, &probe_behaviour, world_probes(world, 1));
	pause_surely(world, to);
	fill(world, to);
	return to;
}

static void a_dead_receiver_ends_the_wait(void **state)
{
	struct world *world = *state;
	tern_address to = open_full(world);
	uint64_t number = 0;
	assert_int_equal(tern_agent_stop(world->self, to), 0);
	int code = tern_send(world->self, to, 1, &number, sizeof(number), PATIENCE_NS);
	/* Its mailbox is empty a moment before it is dead: what gets in then comes back. */
	assert_true(code == -ESRCH || (code == 0 && !world->polled));
	UNTIL(world, send_number(world->self, to, 1, 0) == -ESRCH);
}

static void share_the_cpu_of(uint32_t lcore)
{
	uint16_t cpus[WORLD_LCORES];
	cpu_set_t one;
	world_cpus(cpus);
	CPU_ZERO(&one);
	CPU_SET(cpus[lcore], &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

/*
 * Without time to wait the thread never sleeps, and the receiver's lcore is on the same CPU, so
 * that the receiver dies while the thread is anywhere between a refusal and what it makes of it.
 */
static void a_death_is_not_taken_for_want_of_room(void **state)
{
	struct world *world = *state;
	cpu_set_t before;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (int i = 0; i < ENDS; i++) {
		tern_address to = open_full(world);
		uint64_t number = 0;
		int code = -ETIMEDOUT;
		share_the_cpu_of(tern_engine_lcores(world->engine) - 1);
		assert_int_equal(tern_agent_stop(world->self, to), 0);
		while (code == -ETIMEDOUT)
			code = tern_send(world->self, to, 1, &number, sizeof(number), 0);
		assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
		assert_true(code == -ESRCH || code == 0);
		UNTIL(world, send_number(world->self, to, 1, 0) == -ESRCH);
	}
}

/* A thread's handler that lets the receiver go which the thread waits for. */
struct opener {
	tern_address shut;
	uint64_t handled;
	int code;
};

TERN_HANDLER(static, opener_handle)
{
	struct opener *opener = state;
	(void)signal;
	opener->handled++;
	opener->code = tern_agent_resume(self, opener->shut);
}

TERN_HANDLER(static, echo_handle)
{
	uint64_t *refused = state;
	if (send_number(self, tern_signal_from(signal), 1, 0) != 0)
		note(refused);
}

/* Nobody else ends the wait, and nobody else polls for the thread. */
static void a_thread_that_waits_handles_what_comes(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "opener", .handler = opener_handle};
	static const struct tern_behaviour echo = {.name = "echo", .handler = echo_handle};
	struct world *world = *state;
	uint64_t *refused = world_memory(world, sizeof(*refused)), number = 0;
	struct probe *probe = world_probes(world, 1);
	struct opener opener = {
		.shut = spawn_small(world, TERN_POLICY_BLOCK, &probe_behaviour, probe)};
	tern_address answers = spawn_on(world->self, 0, &echo, refused);
	struct tern_agent *self = tern_thread_attach(world->engine, &behaviour, &opener);
	assert_non_null(self);
	pause_surely(world, opener.shut);
	fill(world, opener.shut);
	assert_int_equal(send_number(self, answers, 1, 0), 0);
	assert_int_equal(tern_send(self, opener.shut, 1, &number, sizeof(number), PATIENCE_NS), 0);
	assert_int_equal(opener.handled, 1);
	assert_int_equal(opener.code, 0);
	assert_int_equal(seen(refused), 0);
	tern_thread_detach(self);
}

/* Sends two for each one it gets: more than a thread hears that does not wait. */
TERN_HANDLER(static, talker_handle)
{
	uint64_t *refused = state;
	for (int i = 0; i < 2; i++)
		if (send_number(self, tern_signal_from(signal), 1, 0) != 0)
			note(refused);
}

static void who_sends_back_more_holds_nobody_up(void **state)
{
	static const struct tern_behaviour talker = {.name = "talker", .handler = talker_handle};
	struct world *world = *state;
	uint64_t *refused = world_memory(world, sizeof(*refused));
	struct probe heard = {.started = 1};
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, &heard);
	assert_non_null(self);
	tern_address to = spawn_small(world, TERN_POLICY_BLOCK, &talker, refused);
	for (uint64_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_send(self, to, 1, &i, sizeof(i), PATIENCE_NS), 0);
	UNTIL(world, (tern_thread_poll(self), heard.handled + seen(refused) == 2 * COUNT));
	tern_thread_detach(self);
}

/* A thread's own handler must not wait for what only its thread could bring about. */
struct hasty {
	struct world *world;
	tern_address to;
	int code;
	uint64_t handled;
};

TERN_HANDLER(static, hasty_handle)
{
	struct hasty *hasty = state;
	uint64_t number = 0;
	hasty->code = tern_send(self, hasty->to, 0, &number, sizeof(number), PATIENCE_NS);
	hasty->handled++;
}

static void a_handler_of_a_thread_does_not_wait(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "hasty", .handler = hasty_handle};
	struct world *world = *state;
	tern_address to =
		spawn_small(world, TERN_POLICY_BLOCK, &probe_behaviour, world_probes(world, 1));
	struct hasty hasty = {.world = world, .to = to};
	struct tern_agent *self = tern_thread_attach(world->engine, &behaviour, &hasty);
	assert_non_null(self);
	pause_surely(world, to);
	fill(world, to);
	assert_int_equal(send_number(world->self, tern_self(self), 1, 0), 0);
	UNTIL(world, (tern_thread_poll(self), hasty.handled == 1));
	assert_int_equal(hasty.code, -EAGAIN);
	tern_thread_detach(self);
	assert_int_equal(tern_agent_stop(world->self, to), 0);
	UNTIL(world, !tern_agent_alive(world->self, to));
}

struct streamer {
	struct tern_engine *engine;
	tern_address to;
	int code;
};

static void *stream(void *argument)
{
	struct streamer *streamer = argument;
	struct tern_agent *self = tern_thread_attach(streamer->engine, NULL, NULL);
	for (uint64_t i = 0; i < COUNT && streamer->code == 0; i++)
		streamer->code = tern_send(self, streamer->to, 1, &i, sizeof(i), PATIENCE_NS);
	tern_thread_detach(self);
	return NULL;
}

static void threads_wait_for_one_receiver(void **state)
{
	enum { THREADS = 3 };
	struct world *world = *state;
	struct streamer streamers[THREADS];
	pthread_t threads[THREADS];
	struct probe *probe = world_probes(world, 1);
	tern_address to = spawn_small(world, TERN_POLICY_BLOCK, &probe_behaviour, probe);
	for (int i = 0; i < THREADS; i++) {
		streamers[i] = (struct streamer){.engine = world->engine, .to = to};
		assert_int_equal(pthread_create(&threads[i], NULL, stream, &streamers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(streamers[i].code, 0);
	}
	UNTIL(world, seen(&probe->handled) == THREADS * COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_waits_as_long_as_it_said),
		cmocka_unit_test(a_block_waits_as_long_as_it_said),
		cmocka_unit_test(other_policies_refuse_at_once),
		BOTH(a_stream_is_accepted_whole),
		BOTH(a_full_lane_is_waited_for),
		BOTH(a_dead_receiver_ends_the_wait),
		THREADED(a_death_is_not_taken_for_want_of_room),
		BOTH(a_thread_that_waits_handles_what_comes),
		BOTH(who_sends_back_more_holds_nobody_up),
		BOTH(a_handler_of_a_thread_does_not_wait),
		BOTH(threads_wait_for_one_receiver),
	};
	return cmocka_run_group_tests_name("send thread", tests, NULL, NULL);
}
