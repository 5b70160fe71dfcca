/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: timers fire once each, never early, periodic ones without drift, cancelled ones not at
 * all; they end with their agent and are silent while the engine stops.
 * Method: agents that keep what fired and when, under a clock that the test moves; ten thousand
 * random timers; the same bodies with lcores on threads where no exact time is needed.
 */
#include "tests/unit/support.h"

enum { KEPT = 64, FIRED = 40 };

/* A timer's owner: does what `plan` says in on_start, keeps what fires. */
struct owner {
	struct tern_timer timers[4];
	uint64_t delay_ns;
	uint64_t period_ns;
	uint64_t fired;
	uint64_t early;
	uint64_t cancelled;
	uint64_t stopped;
	uint64_t limit; /* cancel at this firing; 0: never */
	struct tern_timeout kept[KEPT];
	uint64_t at[KEPT];
	tern_address from;
	uint16_t type;
};

TERN_HANDLER(static, owner_handle)
{
	struct owner *owner = state;
	struct tern_timeout timeout;
	memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
	uint64_t now = tern_now(self);
	owner->early += timeout.due_ns > now;
	owner->from = tern_signal_from(signal);
	owner->type = tern_signal_type(signal);
	if (owner->fired < KEPT) {
		owner->kept[owner->fired] = timeout;
		owner->at[owner->fired] = now;
	}
	if (owner->limit && owner->fired + 1 == owner->limit)
		owner->cancelled += tern_timer_cancel(self, timeout.timer);
	note(&owner->fired);
}

static void owner_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void owner_start(struct tern_agent *self, void *state)
{
	struct owner *owner = state;
	tern_timer_start(self, &owner->timers[0], owner->delay_ns, owner->period_ns, FIRED);
}

static void owner_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct owner *owner = state;
	(void)self, (void)why, (void)result;
	note(&owner->stopped);
}

static const struct tern_behaviour owner_behaviour = {
	.name = "owner", .handler = owner_handle, .on_start = owner_start, .on_stop = owner_stop};

static tern_address open_owner(struct world *world, uint64_t delay_ns, uint64_t period_ns,
			       uint64_t limit, struct owner **owner)
{
	*owner = world_memory(world, sizeof(**owner));
	(*owner)->delay_ns = delay_ns;
	(*owner)->period_ns = period_ns;
	(*owner)->limit = limit;
	return spawn_on(world->self, 0, &owner_behaviour, *owner);
}

static void advance(struct world *world, uint64_t ns)
{
	tern_engine_advance(world->engine, ns);
	world_settle(world);
}

static void a_timer_fires_once(void **state)
{
	struct world *world = *state;
	struct owner *owner;
	tern_address agent = open_owner(world, 50000, 0, 0, &owner);
	UNTIL(world, seen(&owner->fired) == 1);
	assert_int_equal(owner->early, 0);
	assert_int_equal(owner->kept[0].expired, 1);
	assert_ptr_equal(owner->kept[0].timer, &owner->timers[0]);
	assert_int_equal(owner->from, agent);
	assert_int_equal(owner->type, FIRED);
	if (world->polled) {
		assert_true(owner->at[0] <= owner->kept[0].due_ns + 2000);
		advance(world, 1000000);
		assert_int_equal(owner->fired, 1);
	}
}

static void a_period_does_not_drift(void **state)
{
	struct world *world = *state;
	struct owner *owner;
	open_owner(world, 30001, 77777, 20, &owner);
	UNTIL(world, seen(&owner->fired) == 20);
	uint64_t periods = 0;
	for (int i = 0; i < 20; i++) {
		assert_true(owner->kept[i].expired >= 1);
		/* Ticks are fractions of ns: the due time may be rounded by one each. */
		int64_t off =
			(int64_t)(owner->kept[i].due_ns - owner->kept[0].due_ns - periods * 77777);
		assert_true(off >= -40 && off <= 40);
		periods += owner->kept[i].expired;
		if (world->polled)
			assert_int_equal(owner->kept[i].expired, 1);
	}
	assert_int_equal(owner->early, 0);
	assert_int_equal(owner->cancelled, 1);
}

static void a_cancelled_period_is_silent(void **state)
{
	struct world *world = *state;
	struct owner *owner;
	open_owner(world, 10000, 10000, 3, &owner);
	world_settle(world);
	for (int i = 0; i < 100; i++)
		advance(world, 5000);
	assert_int_equal(owner->fired, 3);
	assert_false(owner->timers[0].armed);
}

static void a_pause_counts_the_periods_missed(void **state)
{
	struct world *world = *state;
	struct owner *owner;
	open_owner(world, 10000, 10000, 0, &owner);
	world_settle(world);
	advance(world, 10000 * 1000 + 5000);
	assert_int_equal(owner->fired, 1);
	assert_int_equal(owner->kept[0].expired, 1000);
	advance(world, 10000);
	assert_int_equal(owner->fired, 2);
	assert_int_equal(owner->kept[1].expired, 1);
	assert_int_equal(owner->kept[1].due_ns, owner->kept[0].due_ns + 1000 * 10000);
}

/* Does what the test says in its handler: signals carry one of these. */
enum order { ARM = 1, CANCEL, EXIT };

struct worker {
	struct tern_timer timer;
	uint64_t fired;
	uint64_t cancelled;
	uint64_t delay_ns;
	uint64_t stopped;
};

TERN_HANDLER(static, worker_handle)
{
	struct worker *worker = state;
	switch (tern_signal_type(signal)) {
	case ARM:
		tern_timer_start(self, &worker->timer, worker->delay_ns, 0, FIRED);
		break;
	case CANCEL:
		worker->cancelled += tern_timer_cancel(self, &worker->timer);
		break;
	case EXIT:
		tern_timer_start(self, &worker->timer, 0, 1000, FIRED);
		tern_exit(self, 0);
		break;
	default:
		worker->fired++;
	}
}

static void worker_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
	TERN_OWNS(self);
static void worker_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct worker *worker = state;
	(void)why, (void)result;
	worker->stopped++;
	tern_timer_start(self, &worker->timer, 0, 1000, FIRED);
}

static const struct tern_behaviour worker_behaviour = {
	.name = "worker", .handler = worker_handle, .on_stop = worker_stop};

static void tell(struct world *world, tern_address agent, enum order order)
{
	assert_int_equal(tern_signal_bytes(world->self, agent, (uint16_t)order, NULL, 0), 0);
	world_settle(world);
}

static void arming_again_moves_a_timer(void **state)
{
	struct world *world = *state;
	struct worker *worker = world_memory(world, sizeof(*worker));
	tern_address agent = spawn_on(world->self, 1, &worker_behaviour, worker);
	worker->delay_ns = 100000;
	tell(world, agent, ARM);
	advance(world, 90000);
	tell(world, agent, ARM);
	advance(world, 90000);
	assert_int_equal(worker->fired, 0);
	advance(world, 20000);
	assert_int_equal(worker->fired, 1);
	tell(world, agent, ARM);
	tell(world, agent, CANCEL);
	tell(world, agent, CANCEL);
	assert_int_equal(worker->cancelled, 1);
	advance(world, 1000000);
	assert_int_equal(worker->fired, 1);
}

static void a_timer_of_zero_fires_soon(void **state)
{
	struct world *world = *state;
	struct worker *worker = world_memory(world, sizeof(*worker));
	tern_address agent = spawn_on(world->self, 1, &worker_behaviour, worker);
	tell(world, agent, ARM);
	advance(world, 2000);
	assert_int_equal(worker->fired, 1);
}

static void timers_end_with_their_agent(void **state)
{
	struct world *world = *state;
	struct worker *worker = world_memory(world, sizeof(*worker));
	tern_address agent = spawn_on(world->self, 1, &worker_behaviour, worker);
	worker->delay_ns = 50000;
	tell(world, agent, ARM);
	tell(world, agent, EXIT);
	assert_int_equal(worker->stopped, 1);
	assert_false(worker->timer.armed);
	advance(world, 1000000);
	assert_int_equal(worker->fired, 0);
}

/* Beyond the reach of the wheel (71 minutes), and beyond that of the clock. */
static void far_timers_wait(void **state)
{
	const uint64_t hour = 3600u * 1000000000ull;
	struct world *world = *state;
	struct worker *worker = world_memory(world, sizeof(*worker));
	tern_address agent = spawn_on(world->self, 1, &worker_behaviour, worker);
	worker->delay_ns = 5 * hour;
	tell(world, agent, ARM);
	advance(world, 5 * hour - 10000);
	assert_int_equal(worker->fired, 0);
	advance(world, 20000);
	assert_int_equal(worker->fired, 1);
	const uint64_t forever[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 2, 1ull << 62};
	for (int i = 0; i < 4; i++) {
		worker->delay_ns = forever[i];
		tell(world, agent, ARM);
		advance(world, hour);
		assert_int_equal(worker->fired, 1);
		tell(world, agent, CANCEL);
		assert_int_equal(worker->cancelled, (uint64_t)i + 1);
	}
}

/* Ten years without timers: the first one must not have to walk through them. */
static void a_wheel_that_stood_still_catches_up(void **state)
{
	struct world *world = *state;
	struct worker *worker = world_memory(world, sizeof(*worker));
	tern_address agent = spawn_on(world->self, 1, &worker_behaviour, worker);
	worker->delay_ns = 10000;
	for (int i = 0; i < 3; i++) {
		advance(world, 10ull * 365 * 86400 * 1000000000u);
		tell(world, agent, ARM);
		advance(world, 12000);
		assert_int_equal(worker->fired, (uint64_t)i + 1);
	}
}

enum { MANY = 10000 };

struct crowd {
	struct tern_timer timers[MANY];
	uint64_t delays[MANY];
	uint8_t fired[MANY];
	uint64_t count;
	uint64_t early;
	uint64_t late;
	uint64_t disorder;
	uint64_t last_due;
	uint64_t base;
	bool exact;
};

TERN_HANDLER(static, crowd_handle)
{
	struct crowd *crowd = state;
	struct tern_timeout timeout;
	memcpy(&timeout, tern_signal_data(signal), sizeof(timeout));
	crowd->fired[timeout.timer - crowd->timers]++;
	crowd->early += timeout.due_ns > tern_now(self);
	crowd->late += crowd->exact && tern_now(self) > timeout.due_ns + 20000;
	crowd->disorder += timeout.due_ns + 1100 < crowd->last_due;
	crowd->last_due = timeout.due_ns;
	note(&crowd->count);
}

static void crowd_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void crowd_start(struct tern_agent *self, void *state)
{
	struct crowd *crowd = state;
	for (int i = 0; i < MANY; i++)
		tern_timer_start(self, &crowd->timers[i], crowd->delays[i], 0, FIRED);
}

static void ten_thousand_fire_once_in_order(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "crowd", .handler = crowd_handle, .on_start = crowd_start};
	struct world *world = *state;
	struct crowd *crowd = world_memory(world, sizeof(*crowd));
	struct tern_rng rng = {.state = test_seed(3)};
	for (int i = 0; i < MANY; i++)
		crowd->delays[i] = tern_rng_next(&rng) % 100000000u;
	crowd->exact = world->polled;
	spawn_on(world->self, 0, &behaviour, crowd);
	UNTIL(world, seen(&crowd->count) == MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(crowd->fired[i], 1);
	assert_int_equal(crowd->early, 0);
	assert_int_equal(crowd->late, 0);
	assert_int_equal(crowd->disorder, 0);
}

static void timers_are_silent_while_stopping(void **state)
{
	struct world world;
	struct tern_config config;
	struct owner *owner;
	struct tern_stop_report report;
	(void)state;
	world_config(&config, true);
	world_open(&world, &config);
	open_owner(&world, 1000, 1000, 0, &owner);
	world_settle(&world);
	advance(&world, 5000);
	uint64_t fired = owner->fired;
	assert_true(fired > 0);
	tern_engine_advance(world.engine, 1000000);
	assert_int_equal(world_stop(&world, 1000000, &report), 0);
	assert_true(report.drained);
	assert_int_equal(owner->fired, fired);
	assert_int_equal(owner->stopped, 1);
	assert_int_equal(report.agents_ended, 1);
	world_forget(&world);
}

/* An attached thread has timers, too, while it polls. It owns its agent by attaching. */
OWNS_BY_ATTACHING static void a_thread_has_timers(void **state)
{
	struct world *world = *state;
	struct owner owner = {0};
	struct tern_agent *self = tern_thread_attach(world->engine, &owner_behaviour, &owner);
	assert_non_null(self);
	tern_timer_start(self, &owner.timers[0], 20000, 0, FIRED);
	tern_timer_start(self, &owner.timers[1], UINT64_MAX, 0, FIRED);
	UNTIL(world, (tern_thread_poll(self), owner.fired == 1));
	assert_int_equal(owner.early, 0);
	tern_thread_detach(self);
	assert_false(owner.timers[1].armed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_timer_fires_once),
		BOTH(a_period_does_not_drift),
		POLLED(a_cancelled_period_is_silent),
		POLLED(a_pause_counts_the_periods_missed),
		POLLED(arming_again_moves_a_timer),
		POLLED(a_timer_of_zero_fires_soon),
		POLLED(timers_end_with_their_agent),
		POLLED(far_timers_wait),
		POLLED(a_wheel_that_stood_still_catches_up),
		BOTH(ten_thousand_fire_once_in_order),
		cmocka_unit_test(timers_are_silent_while_stopping),
		BOTH(a_thread_has_timers),
	};
	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
