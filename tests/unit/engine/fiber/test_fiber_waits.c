/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever a fiber waits for, it can be paused and goes on where it was; stopped, and leaves
 * nothing; asked to finish, and is told once what was sent before is handled; and one that does
 * not listen is ended at the deadline.
 * Method: the same four bodies over every wait there is, with what ends the wait in the test's
 * hands.
 */
#include <fcntl.h>
#include <sys/epoll.h>

#include "tests/unit/engine/actor.h"

enum { PLAIN = 1, WANTED, LAST };

/** Every way to wait. */
enum wait { FOR_SIGNAL, FOR_TYPE, FOR_TIME, FOR_END, FOR_ROOM, FOR_ROOM_OF_BLOCK, FOR_FD, WAITS };

/* Longer than any test, where time itself is not to end the wait. */
#define LONG_NS (3600 * 1000 * (uint64_t)ACTOR_MS)
#define SHORT_NS (1000 * (uint64_t)ACTOR_MS)
static uint64_t nap_ns = LONG_NS;

static int result_of(const struct tern_signal *signal)
{
	return signal ? 0 : -tern_errno;
}

static int wait_with_block(struct tern_agent *self, tern_address to) TERN_OWNS(self);
static int wait_with_block(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	if (!iso)
		return -ENOMEM;
	iso = tern_signal_wait(self, to, PLAIN, iso, TERN_FOREVER);
	int code = iso ? -tern_errno : 0;
	tern_iso_drop(tern_heap(self), iso);
	return code;
}

static int wait_for(struct tern_agent *self, struct actor *actor, enum wait wait) TERN_OWNS(self);
static int wait_for(struct tern_agent *self, struct actor *actor, enum wait wait)
{
	struct tern_ended ended;
	switch (wait) {
	case FOR_SIGNAL:
		return result_of(tern_recv(self, TERN_FOREVER));
	case FOR_TYPE:
		return result_of(tern_recv_type(self, WANTED, TERN_FOREVER));
	case FOR_TIME:
		return tern_sleep(self, nap_ns);
	case FOR_END:
		EXPECT(actor->count || tern_watch(self, actor->peer) == 0);
		return tern_wait(self, actor->peer, TERN_FOREVER, &ended);
	case FOR_ROOM:
		return tern_send(self, actor->peer, PLAIN, NULL, 0, TERN_FOREVER);
	case FOR_ROOM_OF_BLOCK:
		return wait_with_block(self, actor->peer);
	default:
		return tern_wait_fd(self, actor->fds[0], EPOLLIN, TERN_FOREVER, NULL);
	}
}

/* Says when it is about to wait; what it returns is how the wait ended. */
TERN_FIBER(static, wait_once)
{
	struct actor *actor = state;
	put(&actor->step, 1);
	int code = wait_for(self, actor, (enum wait)actor->go);
	put(&actor->step, 2);
	return code;
}
ACTOR(wait_once);

/* The receiver waited for is paused, and above high water. */
static void make_full(struct world *world, tern_address agent)
{
	enum tern_agent_state at = TERN_STATE_NEW;
	struct tern_pressure pressure = {0};
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	UNTIL(world, tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
	while (pressure.source != TERN_PRESSURE_AGENT) {
		if (tern_signal_bytes(world->self, agent, PLAIN, NULL, 0) == -EAGAIN)
			tern_pressure(world->self, &pressure);
		world_poll(world);
	}
}

struct scene {
	struct world *world;
	struct actor *actor;
	struct probe *peer;
	tern_address fiber;
	enum wait wait;
};

static struct scene scene_open(struct world *world, const struct tern_behaviour *behaviour,
			       enum wait wait)
{
	struct tern_spawn_options options = {
		.policy = TERN_POLICY_BLOCK, .lcore = 1, .capacity = 10};
	struct scene scene = {.world = world, .wait = wait};
	enum tern_agent_state at = TERN_STATE_NEW;
	scene.actor = world_actors(world, 1);
	scene.peer = world_probes(world, 1);
	scene.actor->go = wait;
	scene.actor->peer = spawn_with(world, &probe_behaviour, scene.peer, &options);
	assert_int_equal(pipe2(scene.actor->fds, O_NONBLOCK), 0);
	if (wait == FOR_ROOM || wait == FOR_ROOM_OF_BLOCK)
		make_full(world, scene.actor->peer);
	scene.fiber = spawn_on(world->self, 0, behaviour, scene.actor);
	/* At rest: it waits, whatever for. */
	UNTIL(world, seen(&scene.actor->step) == 1 &&
			     tern_agent_state(world->self, scene.fiber, &at) == 0 &&
			     at == TERN_STATE_IDLE);
	return scene;
}

/* What the wait is for happens. */
static void fulfil(struct scene *scene)
{
	struct world *world = scene->world;
	if (scene->wait == FOR_SIGNAL || scene->wait == FOR_TYPE)
		(void)!send_number(world->self, scene->fiber, WANTED, 0);
	else if (scene->wait == FOR_END)
		assert_int_equal(tern_agent_stop(world->self, scene->actor->peer), 0);
	else if (scene->wait == FOR_FD)
		assert_int_equal(write(scene->actor->fds[1], "x", 1), 1);
	else if (scene->wait != FOR_TIME)
		assert_int_equal(tern_agent_resume(world->self, scene->actor->peer), 0);
	else if (world->polled)
		tern_engine_advance(world->engine, nap_ns);
}

static void scene_close(struct scene *scene)
{
	struct world *world = scene->world;
	int code = tern_agent_resume(world->self, scene->actor->peer);
	assert_true(code == 0 || code == -ESRCH);
	close(scene->actor->fds[0]);
	close(scene->actor->fds[1]);
}

static void it_goes_on_when_there_is_what_it_waits_for(void **state)
{
	struct world *world = *state;
	nap_ns = SHORT_NS;
	for (int wait = 0; wait < WAITS; wait++) {
		struct scene scene = scene_open(world, &wait_once_behaviour, (enum wait)wait);
		fulfil(&scene);
		ASSERT_ENDED(world, scene.actor, TERN_END_EXIT, 0);
		scene_close(&scene);
	}
	nap_ns = LONG_NS;
}

/* While it is paused all that it waits for comes, and it stays where it is. */
static void paused_it_stays_and_resumed_it_goes_on(void **state)
{
	struct world *world = *state;
	nap_ns = SHORT_NS;
	for (int wait = 0; wait < WAITS; wait++) {
		struct scene scene = scene_open(world, &wait_once_behaviour, (enum wait)wait);
		enum tern_agent_state at = TERN_STATE_NEW;
		assert_int_equal(tern_agent_pause(world->self, scene.fiber), 0);
		UNTIL(world, tern_agent_state(world->self, scene.fiber, &at) == 0 &&
				     at == TERN_STATE_PAUSED);
		fulfil(&scene);
		/* A round trip through its lcore, after what happened. */
		struct probe *other = world_probes(world, 1);
		tern_address echo = spawn_on(world->self, 0, &probe_behaviour, other);
		for (uint64_t i = 1; i <= 5; i++) {
			send_surely(world, echo, PLAIN, 0);
			UNTIL(world, seen(&other->handled) == i);
		}
		assert_int_equal(seen(&scene.actor->step), 1);
		assert_int_equal(tern_agent_state(world->self, scene.fiber, &at), 0);
		assert_int_equal(at, TERN_STATE_PAUSED);
		assert_int_equal(tern_agent_resume(world->self, scene.fiber), 0);
		ASSERT_ENDED(world, scene.actor, TERN_END_EXIT, 0);
		scene_close(&scene);
	}
	nap_ns = LONG_NS;
}

static void stopped_it_leaves_nothing(void **state)
{
	struct world *world = *state;
	for (int wait = 0; wait < WAITS; wait++) {
		struct scene scene = scene_open(world, &wait_once_behaviour, (enum wait)wait);
		assert_int_equal(tern_agent_stop(world->self, scene.fiber), 0);
		ASSERT_ENDED(world, scene.actor, TERN_END_STOPPED, 0);
		assert_int_equal(scene.actor->step, 1);
		UNTIL(world, !tern_agent_alive(world->self, scene.fiber));
		/* What it waited for comes to nobody; its fd and its place are others'. */
		fulfil(&scene);
		scene_close(&scene);
		if (wait == FOR_ROOM || wait == FOR_ROOM_OF_BLOCK)
			UNTIL(world, seen(&scene.peer->released) == 1);
	}
}

static void asked_to_finish_it_is_told(void **state)
{
	struct world *world = *state;
	for (int wait = 0; wait < WAITS; wait++) {
		struct scene scene = scene_open(world, &wait_once_behaviour, (enum wait)wait);
		assert_int_equal(tern_agent_finish(world->self, scene.fiber, PATIENCE_NS), 0);
		ASSERT_ENDED(world, scene.actor, TERN_END_STOPPED, -ECANCELED);
		scene_close(&scene);
	}
}

/* Waits on, whatever it is told. */
TERN_FIBER(static, wait_on)
{
	struct actor *actor = state;
	put(&actor->step, 1);
	while (wait_for(self, actor, (enum wait)actor->go) == -ECANCELED)
		note(&actor->count);
	return -1;
}
ACTOR(wait_on);

static void deaf_it_is_ended_at_the_deadline(void **state)
{
	struct world *world = *state;
	for (int wait = 0; wait < WAITS; wait++) {
		struct scene scene = scene_open(world, &wait_on_behaviour, (enum wait)wait);
		uint64_t deadline = tern_engine_now(world->engine) + 3 * ACTOR_MS;
		assert_int_equal(tern_agent_finish(world->self, scene.fiber, 3 * ACTOR_MS), 0);
		while (!seen(&scene.actor->probe.stopped)) {
			assert_true(world_poll(world) || !world->polled);
			if (world->polled)
				tern_engine_advance(world->engine, ACTOR_MS / 10);
		}
		assert_true(tern_engine_now(world->engine) >= deadline);
		assert_true(scene.actor->count > 0 || !world->polled);
		ASSERT_ENDED(world, scene.actor, TERN_END_STOPPED, 0);
		scene_close(&scene);
	}
}

/* What was accepted before comes first, in order; then it is told at every wait. */
TERN_FIBER(static, clear_up)
{
	struct actor *actor = state;
	put(&actor->step, 1);
	while (!seen(&actor->go))
		tern_yield(self);
	const struct tern_signal *signal;
	while ((signal = tern_recv(self, TERN_FOREVER)) != NULL)
		EXPECT(number_of(signal) == actor->count++);
	EXPECT(tern_errno == ECANCELED);
	EXPECT(tern_sleep(self, 1000) == -ECANCELED);
	EXPECT(!tern_recv_type(self, WANTED, 0) && tern_errno == ECANCELED);
	EXPECT(tern_yield(self) == 0);
	EXPECT(!tern_recv(self, 1000) && tern_errno == ECANCELED);
	/* It may still send. */
	EXPECT(tern_send(self, actor->peer, PLAIN, NULL, 0, TERN_FOREVER) == 0);
	return 5;
}
ACTOR(clear_up);

static void it_handles_what_was_accepted_first(void **state)
{
	enum { SENT = 200 };
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	struct probe *peer = world_probes(world, 1);
	actor->peer = spawn_on(world->self, 1, &probe_behaviour, peer);
	tern_address fiber = spawn_on(world->self, 0, &clear_up_behaviour, actor);
	UNTIL(world, seen(&actor->step) == 1);
	for (uint64_t i = 0; i < SENT; i++)
		send_surely(world, fiber, PLAIN, i);
	assert_int_equal(tern_agent_finish(world->self, fiber, PATIENCE_NS), 0);
	put(&actor->go, 1);
	ASSERT_ENDED(world, actor, TERN_END_STOPPED, 5);
	assert_int_equal(actor->count, SENT);
	UNTIL(world, seen(&peer->handled) == 1);
}

/* Between two waits pausing counts from the next turn; nothing that it does is lost. */
TERN_FIBER(static, count_on)
{
	struct actor *actor = state;
	while (!seen(&actor->go)) {
		note(&actor->count);
		EXPECT(tern_yield(self) == 0);
	}
	return 0;
}
ACTOR(count_on);

static void one_that_never_waits_is_paused_too(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	tern_address fiber = spawn_on(world->self, 0, &count_on_behaviour, actor);
	enum tern_agent_state at = TERN_STATE_NEW;
	uint64_t count = 0;
	for (uint64_t round = 1; round <= 20; round++) {
		/* It goes on first: until then its state is the one of the round before. */
		UNTIL(world, seen(&actor->count) >= count + 3);
		assert_int_equal(tern_agent_pause(world->self, fiber), 0);
		UNTIL(world,
		      tern_agent_state(world->self, fiber, &at) == 0 && at == TERN_STATE_PAUSED);
		struct probe *other = world_probes(world, 1);
		count = seen(&actor->count);
		tern_address echo = spawn_on(world->self, 0, &probe_behaviour, other);
		send_surely(world, echo, PLAIN, 0);
		UNTIL(world, seen(&other->handled) == 1);
		assert_int_equal(seen(&actor->count), count);
		assert_int_equal(tern_agent_resume(world->self, fiber), 0);
	}
	put(&actor->go, 1);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

/* The engine's stop ends all of them where they are. */
static void the_engines_stop_ends_every_wait(void **state)
{
	const bool polled = *(const bool *)*state;
	struct tern_stop_report report;
	struct tern_config config;
	struct scene scenes[WAITS];
	struct world world;
	world_config(&config, polled);
	world_open(&world, &config);
	for (int wait = 0; wait < WAITS; wait++)
		scenes[wait] = scene_open(&world, &wait_once_behaviour, (enum wait)wait);
	for (int wait = FOR_ROOM; wait <= FOR_ROOM_OF_BLOCK; wait++)
		assert_int_equal(tern_agent_stop(world.self, scenes[wait].actor->peer), 0);
	/* One may find a place while what waits at the other goes back: then it is sent. */
	for (int wait = FOR_ROOM; wait <= FOR_ROOM_OF_BLOCK; wait++)
		UNTIL(&world, seen(&scenes[wait].actor->probe.stopped) == 1);
	assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
	assert_int_equal(report.blocks_leaked, 0);
	for (int wait = 0; wait < WAITS; wait++) {
		const struct actor *actor = scenes[wait].actor;
		bool room = wait == FOR_ROOM || wait == FOR_ROOM_OF_BLOCK;
		/* The other's end, which it waits for, may come before its own. */
		bool met = room || (wait == FOR_END && actor->step == 2);
		assert_int_equal(actor->probe.stopped, 1);
		assert_int_equal(actor->probe.why, met ? TERN_END_EXIT : TERN_END_SHUTDOWN);
		assert_int_equal(actor->step, met ? 2 : 1);
		close(actor->fds[0]);
		close(actor->fds[1]);
	}
	world_forget(&world);
}

int main(void)
{
	static bool modes[] = {false, true};
	const struct CMUnitTest tests[] = {
		BOTH(it_goes_on_when_there_is_what_it_waits_for),
		BOTH(paused_it_stays_and_resumed_it_goes_on),
		BOTH(stopped_it_leaves_nothing),
		BOTH(asked_to_finish_it_is_told),
		BOTH(deaf_it_is_ended_at_the_deadline),
		BOTH(it_handles_what_was_accepted_first),
		BOTH(one_that_never_waits_is_paused_too),
		cmocka_unit_test_prestate(the_engines_stop_ends_every_wait, &modes[0]),
		cmocka_unit_test_prestate(the_engines_stop_ends_every_wait, &modes[1]),
	};
	return cmocka_run_group_tests_name("fiber waits", tests, NULL, NULL);
}
