/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of each timer one firing is pending at a time, however long its agent does not look; it
 * says how many periods passed; and once a timer is cancelled or started anew nothing of it comes,
 * so that its memory may be freed. Method: fibers that do not receive, paused handlers and roaming
 * ones, under a clock that the test moves; timers are in memory of their own, which is freed at
 * once.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

enum {
	PERIOD_NS = 10000,
	FIRED = 40,
	OTHER = 41,
	DATA = 9,
	START = 1,
	CANCEL,
	RESTART,
	MANY,
	RACE
};

/* A handler with one timer on the heap, and orders what to do with it. */
struct keeper {
	struct probe probe; /* first */
	struct tern_timer *timer;
	struct tern_timer *crowd;
	struct tern_timer *rivals[3]; /* the first that fires cancels and frees the others */
	uint64_t delay_ns;
	uint64_t period_ns;
	uint64_t fired;
	uint64_t expired;
	uint64_t data; /* signals handled that are no firings */
	uint64_t cancelled;
};

static void drop_timer(struct tern_agent *self, struct keeper *keeper) TERN_OWNS(self)
{
	keeper->cancelled += tern_timer_cancel(self, keeper->timer);
	free(keeper->timer);
	keeper->timer = NULL;
}

static void start_many(struct tern_agent *self, struct keeper *keeper) TERN_OWNS(self)
{
	for (uint64_t i = 0; i < keeper->delay_ns; i++)
		tern_timer_start(self, &keeper->crowd[i], PERIOD_NS + i, 0, FIRED);
}

static void start_rivals(struct tern_agent *self, struct keeper *keeper) TERN_OWNS(self)
{
	for (int i = 0; i < 3; i++) {
		keeper->rivals[i] = calloc(1, sizeof(struct tern_timer));
		tern_timer_start(self, keeper->rivals[i], PERIOD_NS, PERIOD_NS, FIRED);
	}
}

static void end_rivals(struct tern_agent *self, struct keeper *keeper) TERN_OWNS(self)
{
	for (int i = 0; i < 3; i++) {
		keeper->cancelled += tern_timer_cancel(self, keeper->rivals[i]);
		free(keeper->rivals[i]);
		keeper->rivals[i] = NULL;
	}
}

TERN_HANDLER(static, keeper_handle)
{
	struct keeper *keeper = state;
	struct tern_timeout timeout;
	uint16_t type = tern_signal_type(signal);
	if (type == FIRED) {
		memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
		keeper->expired += timeout.expired;
		if (keeper->rivals[0])
			end_rivals(self, keeper);
		note(&keeper->fired);
		return;
	}
	keeper->data += type == DATA;
	if (type == START) {
		keeper->timer = calloc(1, sizeof(*keeper->timer));
		tern_timer_start(self, keeper->timer, keeper->delay_ns, keeper->period_ns, FIRED);
	}
	if (type == CANCEL)
		drop_timer(self, keeper);
	if (type == RESTART)
		tern_timer_start(self, keeper->timer, keeper->delay_ns, keeper->period_ns, FIRED);
	if (type == MANY)
		start_many(self, keeper);
	if (type == RACE)
		start_rivals(self, keeper);
	note(&keeper->probe.handled);
}

static void keeper_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void keeper_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct keeper *keeper = state;
	if (keeper->timer)
		drop_timer(self, keeper);
	probe_stop(self, state, why, result);
}

static const struct tern_behaviour keeper_behaviour = {.name = "keeper",
						       .handler = keeper_handle,
						       .on_start = probe_start,
						       .on_stop = keeper_stop};

static const struct tern_spawn_options kinds[] = {
	{.lcore = 0}, {.roaming = true}, {.exact = true}, {.priority = TERN_PRIORITY_LOW}};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct keeper *open_keeper(struct world *world, uint32_t kind, uint64_t delay_ns,
				  uint64_t period_ns, tern_address *agent)
{
	struct keeper *keeper = world_memory(world, sizeof(*keeper));
	keeper->delay_ns = delay_ns;
	keeper->period_ns = period_ns;
	assert_int_equal(tern_spawn(world->self, &keeper_behaviour, keeper, &kinds[kind], agent),
			 0);
	world_settle(world);
	return keeper;
}

static void order(struct world *world, tern_address agent, uint16_t type)
{
	assert_int_equal(send_number(world->self, agent, type, 0), 0);
	world_settle(world);
}

static void advance(struct world *world, uint64_t ns)
{
	tern_engine_advance(world->engine, ns);
	settle_fully(world);
}

/* Resumed, it hears of all periods in one firing, ahead of what was sent meanwhile. */
static void a_pause_ends_with_one_firing(void **state)
{
	struct world *world = *state;
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		tern_address agent;
		struct keeper *keeper = open_keeper(world, kind, PERIOD_NS, PERIOD_NS, &agent);
		order(world, agent, START);
		advance(world, PERIOD_NS + 2000);
		assert_int_equal(keeper->fired, 1);
		pause_it(world, agent);
		for (int i = 0; i < 50; i++)
			advance(world, PERIOD_NS);
		order(world, agent, DATA);
		assert_int_equal(keeper->fired, 1);
		resume_it(world, agent);
		world_settle(world);
		advance(world, 2000);
		assert_int_equal(keeper->fired, 2);
		assert_in_range(keeper->expired, 51, 52);
		assert_int_equal(keeper->data, 1);
		advance(world, PERIOD_NS * 9);
		uint64_t all = keeper->expired;
		for (int i = 0; i < 9; i++)
			advance(world, PERIOD_NS);
		assert_int_equal(keeper->expired, all + 9);
		order(world, agent, CANCEL);
		assert_int_equal(keeper->cancelled, 1);
	}
}

/* Roaming ones get a firing in their reserve; a signal before it in the ring runs in the same run.
 */
static void after_a_cancel_nothing_comes(void **state)
{
	static const uint16_t orders[] = {CANCEL, RESTART};
	struct world *world = *state;
	for (uint32_t kind = 0; kind < KINDS; kind++)
		for (int what = 0; what < 2; what++) {
			tern_address agent;
			struct keeper *keeper =
				open_keeper(world, kind, PERIOD_NS, PERIOD_NS, &agent);
			order(world, agent, START);
			/* Both in one turn: due by now, and told to cancel. */
			tern_engine_advance(world->engine, PERIOD_NS * 3 + 2000);
			assert_int_equal(send_number(world->self, agent, orders[what], 0), 0);
			settle_fully(world);
			uint64_t fired = keeper->fired;
			assert_in_range(fired, 0, 1);
			assert_int_equal(keeper->expired, fired * 3);
			if (what == 0) {
				assert_int_equal(keeper->cancelled, 1);
				advance(world, PERIOD_NS * 20);
				assert_int_equal(keeper->fired, fired);
				continue;
			}
			advance(world, PERIOD_NS - 1000); /* from the restart */
			assert_int_equal(keeper->fired, fired);
			advance(world, 3000);
			assert_int_equal(keeper->fired, fired + 1);
			order(world, agent, CANCEL);
		}
}

/* Three fire at once; the first one's handler cancels the others, and frees all. */
static void a_pending_firing_is_cancelled(void **state)
{
	struct world *world = *state;
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		tern_address agent;
		struct keeper *keeper = open_keeper(world, kind, 0, 0, &agent);
		order(world, agent, RACE);
		tern_engine_advance(world->engine, PERIOD_NS + 2000);
		assert_int_equal(send_number(world->self, agent, DATA, 0), 0);
		settle_fully(world);
		assert_int_equal(keeper->fired, 1);
		assert_int_equal(keeper->cancelled, 3);
		advance(world, PERIOD_NS * 9);
		assert_int_equal(keeper->fired, 1);
		assert_int_equal(keeper->data, 1);
		assert_int_equal(world->engine->lcores[0].wheel.armed, 0);
	}
}

static void a_paused_agent_ends_with_a_firing_pending(void **state)
{
	struct world *world = *state;
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		tern_address agent;
		struct keeper *keeper = open_keeper(world, kind, PERIOD_NS, PERIOD_NS, &agent);
		order(world, agent, START);
		pause_it(world, agent);
		advance(world, PERIOD_NS * 5);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		advance(world, PERIOD_NS * 5);
		assert_int_equal(keeper->probe.stopped, 1);
		assert_int_equal(keeper->fired, 0);
		assert_int_equal(keeper->cancelled, 0); /* before on_stop */
		for (uint32_t i = 0; i < 2; i++)
			assert_int_equal(world->engine->lcores[i].wheel.armed, 0);
	}
}

/* All at once: no turn runs them all, and none is lost. */
static void ten_thousand_of_one_agent(void **state)
{
	enum { COUNT = 10000 };
	struct world *world = *state;
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		tern_address agent;
		struct keeper *keeper = open_keeper(world, kind, COUNT, 0, &agent);
		keeper->crowd = world_memory(world, COUNT * sizeof(struct tern_timer));
		order(world, agent, MANY);
		tern_engine_advance(world->engine, 4 * PERIOD_NS);
		for (int i = 0; i < 10; i++)
			world_poll(world);
		assert_in_range(keeper->fired, 1, 5000);
		UNTIL(world, keeper->fired == COUNT);
		assert_int_equal(keeper->expired, COUNT);
		for (int i = 0; i < COUNT; i++)
			assert_false(keeper->crowd[i].armed);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		settle_fully(world);
	}
}

/* Its timers go along, those that have fired as well. */
static void a_move_keeps_what_has_fired(void **state)
{
	struct world *world = *state;
	tern_address agent;
	struct keeper *keeper = open_keeper(world, 1, PERIOD_NS, PERIOD_NS, &agent);
	order(world, agent, START);
	advance(world, 2000);
	for (uint32_t i = 1; i < 20; i++) {
		move_to(world, agent, i % 2);
		advance(world, PERIOD_NS);
		assert_int_equal(keeper->fired, i);
		assert_int_equal(lcore_of(world, agent), i % 2);
	}
	assert_int_equal(keeper->expired, 19);
	order(world, agent, CANCEL);
	advance(world, PERIOD_NS * 3);
	assert_int_equal(keeper->expired, 19);
}

static bool is_virtual(const struct tern_agent *self)
{
	return tern_engine_of(self)->clock.is_virtual;
}

/* A fiber: what the test says it does with the timers, which are not the actor's own. */
TERN_FIBER(static, looks_late)
{
	struct actor *actor = state;
	struct tern_timer *timer = calloc(1, sizeof(*timer));
	tern_timer_start(self, timer, PERIOD_NS, PERIOD_NS, FIRED);
	for (uint64_t i = 0; i < 3; i++) {
		tern_sleep(self, 100 * PERIOD_NS + PERIOD_NS / 2);
		struct tern_timeout timeout;
		struct tern_signal *signal = tern_recv(self, 0);
		EXPECT(signal && tern_signal_type(signal) == FIRED);
		memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
		actor->count += timeout.expired;
		EXPECT(timeout.timer == timer);
		uint64_t next_ns = timeout.due_ns + timeout.expired * PERIOD_NS;
		signal = tern_recv(self, 0);
		EXPECT(!signal || !is_virtual(self));
		if (!signal)
			continue;
		/* Where its slice was used up in between: it has fired again since. */
		memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
		EXPECT(timeout.due_ns + PERIOD_NS / 2 >= next_ns);
	}
	/* And with one pending that nobody takes. */
	tern_sleep(self, 5 * PERIOD_NS);
	EXPECT(tern_timer_cancel(self, timer));
	free(timer);
	EXPECT(tern_recv(self, 10 * PERIOD_NS) == NULL);
	return 0;
}
ACTOR(looks_late);

static void a_fiber_that_does_not_look_has_one_pending(void **state)
{
	struct world *world = *state;
	for (uint32_t roaming = 0; roaming < 2; roaming++) {
		struct tern_spawn_options options = {.roaming = roaming, .capacity = 10};
		struct actor *actor = world_actors(world, 1);
		spawn_with(world, &looks_late_behaviour, actor, &options);
		ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
		if (world->polled)
			assert_in_range(actor->count, 300, 303);
	}
}

/* Two timers are pending, and two signals wait: by type, the others stay in their order. */
TERN_FIBER(static, takes_by_type)
{
	struct actor *actor = state;
	struct tern_timer timers[3] = {0};
	put(&actor->step, 1);
	tern_timer_start(self, &timers[0], PERIOD_NS, 0, FIRED);
	tern_timer_start(self, &timers[1], 2 * PERIOD_NS, 0, OTHER);
	tern_timer_start(self, &timers[2], 3 * PERIOD_NS, 0, OTHER);
	tern_sleep(self, 10 * PERIOD_NS);
	struct tern_timeout timeout;
	struct tern_signal *signal = tern_recv_type(self, OTHER, TERN_FOREVER);
	EXPECT(signal && tern_signal_type(signal) == OTHER);
	memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
	EXPECT(timeout.timer == &timers[1] && timeout.expired == 1);
	signal = tern_recv_type(self, DATA + 1, TERN_FOREVER);
	EXPECT(signal && number_of(signal) == 1);
	const uint16_t rest[] = {FIRED, OTHER, DATA, DATA};
	for (int i = 0; i < 4; i++) {
		signal = tern_recv(self, 0);
		EXPECT(signal && tern_signal_type(signal) == rest[i]);
	}
	EXPECT(tern_recv(self, 0) == NULL);
	return 0;
}
ACTOR(takes_by_type);

/* Two have fired; the later one is cancelled, and freed before a third one fires. */
TERN_FIBER(static, cancels_the_last)
{
	struct actor *actor = state;
	struct tern_timer timers[2] = {0}, *between = calloc(1, sizeof(*between));
	tern_timer_start(self, &timers[0], PERIOD_NS, 0, FIRED);
	tern_timer_start(self, between, 2 * PERIOD_NS, 0, FIRED);
	tern_timer_start(self, &timers[1], 20 * PERIOD_NS, 0, OTHER);
	tern_sleep(self, 10 * PERIOD_NS);
	EXPECT(tern_timer_cancel(self, between));
	memset(between, 0xEE, sizeof(*between));
	free(between);
	tern_sleep(self, 20 * PERIOD_NS);
	const struct tern_signal *signal = tern_recv(self, 0);
	EXPECT(signal && tern_signal_type(signal) == FIRED);
	signal = tern_recv(self, 0);
	EXPECT(signal && tern_signal_type(signal) == OTHER);
	EXPECT(tern_recv(self, 0) == NULL);
	return 0;
}
ACTOR(cancels_the_last);

static void the_last_that_fired_is_cancelled(void **state)
{
	struct world *world = *state;
	struct actor *actor = world_actors(world, 1);
	spawn_on(world->self, 0, &cancels_the_last_behaviour, actor);
	ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
}

static void a_firing_is_taken_by_its_type(void **state)
{
	struct world *world = *state;
	for (uint32_t roaming = 0; roaming < 2; roaming++) {
		struct tern_spawn_options options = {.roaming = roaming};
		struct actor *actor = world_actors(world, 1);
		tern_address agent = spawn_with(world, &takes_by_type_behaviour, actor, &options);
		UNTIL(world, seen(&actor->step) == 1);
		for (uint64_t i = 0; i < 3; i++)
			assert_int_equal(send_number(world->self, agent, DATA + (i == 1), i), 0);
		ASSERT_ENDED(world, actor, TERN_END_EXIT, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_TWO(a_pause_ends_with_one_firing),
		ON_TWO(after_a_cancel_nothing_comes),
		ON_TWO(a_pending_firing_is_cancelled),
		ON_TWO(a_paused_agent_ends_with_a_firing_pending),
		ON_TWO(ten_thousand_of_one_agent),
		ON_TWO(a_move_keeps_what_has_fired),
		BOTH(a_fiber_that_does_not_look_has_one_pending),
		BOTH(the_last_that_fired_is_cancelled),
		POLLED(a_firing_is_taken_by_its_type),
	};
	return cmocka_run_group_tests_name("firings", tests, NULL, NULL);
}
