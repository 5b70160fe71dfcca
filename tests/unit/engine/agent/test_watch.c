/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who watches an agent learns of its end once per call, with reason and result, after all
 * that the agent sent it, however early the end comes; who does not wait for it leaves nothing
 * behind.
 * Method: agents that end in every way, watched from threads and from agents; a thousand joined.
 */
#include "tests/unit/engine/runs.h"

/* Ends at once, with its number as the result; or at its first signal. */
struct brief {
	int64_t result;
	bool at_once;
	uint64_t sends; /* signals to the sender of the first, before the end */
	uint64_t sent;
};

static void brief_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void brief_start(struct tern_agent *self, void *state)
{
	const struct brief *brief = state;
	if (brief->at_once)
		tern_exit(self, brief->result);
}

TERN_HANDLER(static, brief_handle)
{
	struct brief *brief = state;
	for (; brief->sent < brief->sends; brief->sent++)
		if (send_number(self, tern_signal_from(signal), 1, brief->sent) != 0)
			break;
	tern_exit(self, brief->result);
}

static const struct tern_behaviour brief_behaviour = {
	.name = "brief", .handler = brief_handle, .on_start = brief_start};

static tern_address spawn_brief(struct world *world, uint32_t lcore, int64_t result, bool at_once)
{
	struct brief *brief = world_memory(world, sizeof(*brief));
	*brief = (struct brief){.result = result, .at_once = at_once};
	return spawn_on(world->self, lcore % tern_engine_lcores(world->engine), &brief_behaviour,
			brief);
}

static void assert_ended(struct world *world, tern_address agent, enum tern_end why, int64_t result)
{
	struct tern_ended ended = {0};
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.agent, agent);
	assert_int_equal(ended.why, why);
	assert_int_equal(ended.result, result);
	assert_int_equal(tern_wait(world->self, agent, 0, &ended), -ETIMEDOUT);
}

static void a_thread_learns_why_and_with_what(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < 2; lcore++) {
		tern_address agent = spawn_brief(world, lcore, -77, false);
		assert_int_equal(tern_watch(world->self, agent), 0);
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		assert_ended(world, agent, TERN_END_EXIT, -77);
		agent = spawn_brief(world, lcore, 5, false);
		assert_int_equal(tern_watch(world->self, agent), 0);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		assert_ended(world, agent, TERN_END_STOPPED, 0);
		agent = spawn_brief(world, lcore, 5, false);
		assert_int_equal(tern_watch(world->self, agent), 0);
		assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
		assert_ended(world, agent, TERN_END_STOPPED, 0);
	}
}

/* Once per call. */
static void asked_twice_told_twice(void **state)
{
	struct world *world = *state;
	struct tern_ended ended;
	tern_address agent = spawn_brief(world, 0, 9, false);
	assert_int_equal(tern_watch(world->self, agent), 0);
	assert_int_equal(tern_watch(world->self, agent), 0);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_ended(world, agent, TERN_END_EXIT, 9);
}

static void a_wait_runs_out(void **state)
{
	struct world *world = *state;
	struct tern_ended ended = {.result = 123};
	tern_address agent = spawn_brief(world, 0, 9, false);
	assert_int_equal(tern_wait(world->self, agent, 0, &ended), -ETIMEDOUT);
	assert_int_equal(tern_watch(world->self, agent), 0);
	uint64_t from = tern_engine_now(world->engine);
	assert_int_equal(tern_wait(world->self, agent, 2000000, &ended), -ETIMEDOUT);
	uint64_t took = tern_engine_now(world->engine) - from;
	assert_true(took >= 2000000);
	if (world->polled)
		assert_true(took <= 2010000);
	assert_int_equal(tern_wait(world->self, TERN_ADDRESS_NONE, 0, &ended), -ETIMEDOUT);
	assert_int_equal(ended.result, 123);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	assert_ended(world, agent, TERN_END_EXIT, 9);
}

static void the_dead_cannot_be_watched(void **state)
{
	struct world *world = *state;
	tern_address agent = spawn_brief(world, 0, 9, true);
	UNTIL(world, !tern_agent_alive(world->self, agent));
	assert_int_equal(tern_watch(world->self, agent), -ESRCH);
	assert_int_equal(tern_watch(world->self, TERN_ADDRESS_NONE), -ESRCH);
	assert_int_equal(tern_watch(world->self, tern_self(world->self)), -ESRCH);
	/* Nor by watching who lives there now. */
	for (int i = 0; i < 200; i++) {
		spawn_brief(world, 0, i, true);
		assert_int_equal(tern_watch(world->self, agent), -ESRCH);
		world_poll(world);
	}
}

/* From before the start: an agent that ends at once is not missed. */
static void a_spawn_can_watch(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 200; i++) {
		struct brief *brief = world_memory(world, sizeof(*brief));
		struct tern_spawn_options options = {.lcore = i % tern_engine_lcores(world->engine),
						     .watch = true};
		tern_address agent;
		*brief = (struct brief){.result = (int64_t)i, .at_once = true};
		assert_int_equal(tern_spawn(world->self, &brief_behaviour, brief, &options, &agent),
				 0);
		assert_ended(world, agent, TERN_END_EXIT, (int64_t)i);
	}
}

static void a_thousand_are_joined(void **state)
{
	enum { COUNT = 1000 };
	struct world *world = *state;
	static tern_address agents[COUNT];
	int64_t sum = 0, alive = COUNT;
	for (uint32_t i = 0; i < COUNT; i++) {
		struct brief *brief = world_memory(world, sizeof(*brief));
		struct tern_spawn_options options = {.lcore = i % tern_engine_lcores(world->engine),
						     .watch = true};
		*brief = (struct brief){.result = (int64_t)i, .at_once = i % 3 != 0};
		assert_int_equal(
			tern_spawn(world->self, &brief_behaviour, brief, &options, &agents[i]), 0);
		if (i % 3 == 0)
			UNTIL(world, send_number(world->self, agents[i], 1, 0) == 0);
	}
	for (; alive; alive--) {
		struct tern_ended ended = {0};
		assert_int_equal(tern_wait(world->self, TERN_ADDRESS_NONE, PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_EXIT);
		assert_int_equal(ended.agent, agents[ended.result]);
		agents[ended.result] = TERN_ADDRESS_NONE; /* once each */
		sum += ended.result;
	}
	assert_int_equal(sum, COUNT * (COUNT - 1) / 2);
}

/* What nobody waited for is no leak: world_close() looks. */
static void who_does_not_wait_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct tern_agent *self = tern_thread_attach(world->engine, NULL, NULL);
	for (uint32_t i = 0; i < 50; i++) {
		tern_address agent = spawn_brief(world, i, 1, false);
		assert_int_equal(tern_watch(i % 2 ? world->self : self, agent), 0);
		if (i % 5)
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
		if (i == 25)
			tern_thread_detach(self), self = world->self;
	}
}

/* An agent that watches, and keeps in what order it heard what. */
struct guard {
	tern_address watches;
	int64_t code; /* of tern_watch() */
	int64_t wait; /* of tern_wait() in the handler */
	uint64_t told;
	uint64_t heard;	       /* signals of the watched one */
	uint64_t heard_before; /* of them, when it was told of the end */
	uint64_t cost_ns;
	struct tern_ended ended;
};

enum { WATCH = 2, GO };

TERN_HANDLER(static, guard_handle)
{
	struct guard *guard = state;
	struct tern_ended ended;
	if (guard->cost_ns)
		tern_engine_advance(tern_engine_of(self), guard->cost_ns);
	if (tern_signal_type(signal) == WATCH) {
		guard->wait = tern_wait(self, guard->watches, 0, &ended);
		put(&guard->code, tern_watch(self, guard->watches));
	} else if (tern_signal_type(signal) == GO) {
		(void)!send_number(self, guard->watches, 1, 0);
	} else {
		note(&guard->heard);
	}
}

static void guard_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct guard *guard = state;
	(void)self;
	if (event->kind != TERN_EVENT_ENDED)
		return;
	guard->ended = event->ended;
	guard->heard_before = guard->heard;
	note(&guard->told);
}

static const struct tern_behaviour guard_behaviour = {
	.name = "guard", .handler = guard_handle, .on_event = guard_event};

static tern_address open_guard(struct world *world, uint32_t lcore, tern_address watches,
			       struct guard **guard)
{
	*guard = world_memory(world, sizeof(**guard));
	**guard = (struct guard){.watches = watches, .code = 1};
	tern_address agent = spawn_on(world->self, lcore, &guard_behaviour, *guard);
	assert_int_equal(send_number(world->self, agent, WATCH, 0), 0);
	UNTIL(world, seen(&(*guard)->code) != 1);
	return agent;
}

static void an_agent_learns_by_an_event(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < tern_engine_lcores(world->engine); lcore++) {
		struct guard *guard;
		tern_address agent = spawn_brief(world, 0, 31, false);
		open_guard(world, lcore, agent, &guard);
		assert_int_equal(guard->code, 0);
		assert_int_equal(guard->wait, -EDEADLK); /* a handler must not wait */
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		UNTIL(world, seen(&guard->told) == 1);
		assert_int_equal(guard->ended.agent, agent);
		assert_int_equal(guard->ended.why, TERN_END_EXIT);
		assert_int_equal(guard->ended.result, 31);
		open_guard(world, lcore, agent, &guard);
		assert_int_equal(guard->code, -ESRCH);
	}
}

static void the_end_comes_last(void **state)
{
	static const uint64_t counts[] = {1, 10, 300};
	struct world *world = *state;
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < 3 * 2 * 2; i++) {
		struct guard *guard;
		struct brief *brief = world_memory(world, sizeof(*brief));
		*brief = (struct brief){.sends = counts[i % 3]};
		tern_address agent =
			spawn_on(world->self, i / 3 % 2 % lcores, &brief_behaviour, brief);
		tern_address watcher = open_guard(world, 0, agent, &guard);
		/* Long handlers: the signals wait in its mailbox, not in the lane. */
		guard->cost_ns = i / 6 && world->polled ? 100000 : 0;
		assert_int_equal(send_number(world->self, watcher, GO, 0), 0);
		UNTIL(world, seen(&guard->told) == 1);
		UNTIL(world, seen(&guard->heard) == counts[i % 3]);
		assert_int_equal(brief->sent, counts[i % 3]);
		assert_int_equal(guard->heard_before, counts[i % 3]);
	}
}

static void a_watcher_may_die_first(void **state)
{
	struct world *world = *state;
	for (uint32_t lcore = 0; lcore < tern_engine_lcores(world->engine); lcore++) {
		struct guard *guard, *other;
		tern_address agent = spawn_brief(world, 0, 31, false);
		tern_address watcher = open_guard(world, lcore, agent, &guard);
		open_guard(world, lcore, agent, &other);
		assert_int_equal(tern_agent_stop(world->self, watcher), 0);
		UNTIL(world, !tern_agent_alive(world->self, watcher));
		/* Who lives in its slot now must not hear of it. */
		struct probe *heir = world_probes(world, 1);
		tern_address next = spawn_on(world->self, lcore, &probe_behaviour, heir);
		assert_int_equal(send_number(world->self, agent, 1, 0), 0);
		UNTIL(world, seen(&other->told) == 1);
		assert_int_equal(send_number(world->self, next, 1, 0), 0);
		UNTIL(world, seen(&heir->handled) == 1);
		assert_int_equal(guard->told, 0);
		assert_int_equal(heir->pressed + heir->released + heir->returned, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_thread_learns_why_and_with_what),
		BOTH(asked_twice_told_twice),
		BOTH(a_wait_runs_out),
		BOTH(the_dead_cannot_be_watched),
		BOTH(a_spawn_can_watch),
		BOTH(a_thousand_are_joined),
		BOTH(who_does_not_wait_leaves_nothing),
		BOTH(an_agent_learns_by_an_event),
		BOTH(the_end_comes_last),
		BOTH(a_watcher_may_die_first),
	};
	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
