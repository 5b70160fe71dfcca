/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a signal says when it was sent, by its sender's turn or by itself, to 16 ticks of the
 * clock, and says the same however long it has waited, up to the age that is promised. Method:
 * signals kept as they came, asked under a virtual clock that is moved on by random spans and to
 * both sides of the limit; stamps made older and newer; the time stamp counter beside tern_now().
 */
#include "tests/unit/support.h"

enum { STAMP_NS = 16, ROUNDS = 2000 };

#define WRAP_NS (UINT64_C(1) << 36)
#define LIMIT_NS (WRAP_NS - (UINT64_C(1) << 20))

/* Keeps what it is sent; told to whom, lets time pass in its turn and sends. */
struct keeper {
	unsigned char kept[sizeof(struct tern_signal)]; /* the keeper is not aligned as one */
	uint64_t count;
	tern_address to;
};

TERN_HANDLER(static, keeper_handle)
{
	struct keeper *keeper = state;
	memcpy(keeper->kept, signal, sizeof(keeper->kept));
	if (keeper->to) {
		tern_engine_advance(tern_engine_of(self), 1600);
		assert_int_equal(send_number(self, keeper->to, 0, 0), 0);
	}
	note(&keeper->count);
}

static const struct tern_behaviour keeper_behaviour = {.name = "keeper", .handler = keeper_handle};

static struct keeper *open_keeper(struct world *world, tern_address *agent)
{
	struct keeper *keeper = world_memory(world, sizeof(*keeper));
	*agent = spawn_on(world->self, 0, &keeper_behaviour, keeper);
	return keeper;
}

static struct tern_signal kept_by(const struct keeper *keeper)
{
	struct tern_signal signal;
	memcpy(&signal, keeper->kept, sizeof(signal));
	return signal;
}

/* Sent by a thread, which stamps each. */
static struct tern_signal send_one(struct world *world, struct keeper *keeper, tern_address agent)
{
	uint64_t before = seen(&keeper->count);
	assert_int_equal(send_number(world->self, agent, 0, 0), 0);
	UNTIL(world, seen(&keeper->count) > before);
	return kept_by(keeper);
}

static uint64_t time_of_second(bool stamp_each, uint64_t *sent)
{
	struct world world;
	struct tern_config config;
	tern_address first, second;
	world_config(&config, true);
	config.stamp_each_signal = stamp_each;
	world_open(&world, &config);
	struct keeper *receiver = open_keeper(&world, &second);
	struct keeper *sender = open_keeper(&world, &first);
	sender->to = second;
	tern_engine_advance(world.engine, 123457);
	*sent = tern_now(world.self);
	assert_int_equal(send_number(world.self, first, 0, 0), 0);
	UNTIL(&world, seen(&receiver->count) == 1);
	tern_engine_advance(world.engine, 5000000);
	struct tern_signal kept = kept_by(receiver);
	uint64_t time = tern_signal_time(world.self, &kept);
	world_close(&world);
	return time;
}

static void it_is_the_turns_or_the_signals_own(void **state)
{
	uint64_t sent, time;
	(void)state;
	time = time_of_second(false, &sent);
	assert_int_equal(time, sent / STAMP_NS * STAMP_NS);
	time = time_of_second(true, &sent);
	assert_int_equal(time, (sent + 1600) / STAMP_NS * STAMP_NS);
}

/* What a signal sent at `sent` says now, which is at most LIMIT_NS later. */
static void expect(const struct world *world, const struct tern_signal *signal, uint64_t sent)
{
	uint64_t stamped = sent / STAMP_NS * STAMP_NS, now = tern_now(world->self);
	assert_int_equal(tern_signal_time(world->self, signal), stamped);
	assert_int_equal(tern_signal_age(world->self, signal), now / STAMP_NS * STAMP_NS - stamped);
}

static void it_is_the_same_at_every_age(void **state)
{
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(31)};
	tern_address agent;
	struct keeper *keeper = open_keeper(world, &agent);
	for (int i = 0; i < ROUNDS; i++) {
		tern_engine_advance(world->engine, tern_rng_next(&rng) >> (24 + pick(&rng, 40)));
		uint64_t sent = tern_now(world->self), end = sent + LIMIT_NS;
		struct tern_signal signal = send_one(world, keeper, agent);
		for (int looks = 0; looks < 4; looks++) {
			expect(world, &signal, sent);
			uint64_t left = end - tern_now(world->self) - 1;
			tern_engine_advance(world->engine, tern_rng_next(&rng) % left);
		}
		tern_engine_advance(world->engine, end - tern_now(world->self) - STAMP_NS);
		expect(world, &signal, sent);
	}
}

/* As the comment has it: by a multiple of what a stamp can count. */
static void beyond_the_limit_it_is_too_late(void **state)
{
	struct world *world = *state;
	tern_address agent;
	struct keeper *keeper = open_keeper(world, &agent);
	uint64_t sent = tern_now(world->self) / STAMP_NS * STAMP_NS;
	struct tern_signal signal = send_one(world, keeper, agent);
	for (uint64_t times = 1; times <= 3; times++) {
		tern_engine_advance(world->engine, WRAP_NS);
		assert_int_equal(tern_signal_time(world->self, &signal), sent + times * WRAP_NS);
	}
}

/* Its sender may have read the clock a little later than this lcore: not a wrap earlier. */
static void a_stamp_ahead_has_no_age(void **state)
{
	struct world *world = *state;
	tern_address agent;
	struct keeper *keeper = open_keeper(world, &agent);
	tern_engine_advance(world->engine, 1000000);
	uint64_t sent = tern_now(world->self) / STAMP_NS * STAMP_NS;
	struct tern_signal signal = send_one(world, keeper, agent);
	for (uint32_t ahead = 1; ahead <= 0x10000; ahead *= 2) {
		struct tern_signal early = signal;
		early.stamp += ahead;
		assert_int_equal(tern_signal_age(world->self, &early), 0);
		assert_int_equal(tern_signal_time(world->self, &early), sent + ahead * STAMP_NS);
	}
}

/* On the time stamp counter, too, it goes with tern_now(): from a thread, between two looks. */
static void it_goes_with_the_clock(void **state)
{
	struct world *world = *state;
	tern_address agent;
	struct keeper *keeper = open_keeper(world, &agent);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before = tern_now(world->self);
		struct tern_signal signal = send_one(world, keeper, agent);
		uint64_t time = tern_signal_time(world->self, &signal);
		assert_true(time + 2 * STAMP_NS > before);
		assert_true(time <= tern_now(world->self));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_turns_or_the_signals_own),
		POLLED(it_is_the_same_at_every_age),
		POLLED(beyond_the_limit_it_is_too_late),
		POLLED(a_stamp_ahead_has_no_age),
		BOTH(it_goes_with_the_clock),
	};
	return cmocka_run_group_tests_name("time of a signal", tests, NULL, NULL);
}
