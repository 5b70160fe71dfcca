/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the wheel yields every timer once, at its wheel tick, never early, in order of ticks,
 * however far ahead it was armed and however far time jumps.
 * Method: random arming, disarming and steps of time at all scales, compared with a plain table
 * of deadlines; clocks of several rates.
 */
#include "tests/unit/support.h"

#include "engine/queue/wheel.h"

enum { TIMERS = 300, STEPS = 4000 };

struct model {
	struct tern_wheel wheel;
	struct tern_rng rng;
	struct tern_timer timers[TIMERS];
	uint64_t tick[TIMERS]; /* wheel tick at which it must fire; 0: not armed */
	uint64_t now;	       /* clock ticks */
	uint32_t armed;
};

/* A number of up to `bits` bits, small ones as likely as large ones. */
static uint64_t any_scale(struct tern_rng *rng, uint32_t bits)
{
	return tern_rng_next(rng) >> (64 - 1 - pick(rng, bits));
}

static void arm(struct model *model, uint32_t i)
{
	struct tern_timer *timer = &model->timers[i];
	uint64_t round = ((uint64_t)1 << model->wheel.shift) - 1;
	if (timer->armed)
		return;
	timer->due = model->now + any_scale(&model->rng, 46);
	model->tick[i] = (timer->due + round) >> model->wheel.shift;
	if (model->tick[i] <= model->wheel.now)
		model->tick[i] = model->wheel.now + 1;
	tern_wheel_add(&model->wheel, timer);
	assert_true(timer->armed);
	model->armed++;
}

static void disarm(struct model *model, uint32_t i)
{
	if (!model->timers[i].armed)
		return;
	tern_wheel_remove(&model->wheel, &model->timers[i]);
	assert_false(model->timers[i].armed);
	model->tick[i] = 0;
	model->armed--;
}

static uint64_t first_tick(const struct model *model)
{
	uint64_t first = UINT64_MAX;
	for (uint32_t i = 0; i < TIMERS; i++)
		if (model->tick[i] && model->tick[i] < first)
			first = model->tick[i];
	return first;
}

static void step(struct model *model, uint64_t by)
{
	struct tern_timer *timer;
	uint64_t last = 0;
	assert_true(tern_wheel_next(&model->wheel) >> model->wheel.shift <= first_tick(model));
	model->now += by;
	uint64_t now = model->now >> model->wheel.shift;
	while ((timer = tern_wheel_expire(&model->wheel, model->now)) != NULL) {
		size_t i = (size_t)(timer - model->timers);
		assert_false(timer->armed);
		assert_true(model->tick[i] != 0);
		assert_true(model->tick[i] <= now);
		assert_true(timer->due <= model->now);
		assert_true(model->tick[i] >= last);
		last = model->tick[i];
		model->tick[i] = 0;
		model->armed--;
	}
	assert_int_equal(model->wheel.armed, model->armed);
	assert_true(first_tick(model) > now);
}

static void run_model(uint64_t seed, uint64_t hz, uint32_t step_bits)
{
	struct model *model = calloc(1, sizeof(*model));
	model->rng.state = seed;
	model->now = tern_rng_next(&model->rng) >> 20;
	tern_wheel_init(&model->wheel, model->now, hz);
	assert_true(tern_wheel_next(&model->wheel) == UINT64_MAX);
	for (int i = 0; i < STEPS; i++) {
		uint32_t what = pick(&model->rng, 10);
		if (what < 5)
			arm(model, pick(&model->rng, TIMERS));
		else if (what < 7)
			disarm(model, pick(&model->rng, TIMERS));
		else
			step(model, any_scale(&model->rng, step_bits));
	}
	free(model);
}

static void the_wheel_agrees_with_a_table(void **state)
{
	uint64_t seed = test_seed(1);
	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		run_model(seed + i, 1000000000u, 26);
		run_model(seed + i, 2100000000u, 20);
		run_model(seed + i, 1000000u, 18);
	}
}

static void far_timers_fire_at_their_time(void **state)
{
	struct model *model = calloc(1, sizeof(*model));
	(void)state;
	tern_wheel_init(&model->wheel, 0, 1000000u); /* a clock tick is a wheel tick */
	const uint64_t reach = (uint64_t)1 << 32;
	const uint64_t far[] = {reach - 1, reach, reach + 1, 2 * reach + 12345};
	for (uint32_t i = 0; i < 4; i++) {
		model->timers[i].due = far[i];
		model->tick[i] = far[i];
		tern_wheel_add(&model->wheel, &model->timers[i]);
		model->armed++;
	}
	for (uint32_t i = 0; i < 4; i++) {
		step(model, far[i] - 1 - model->now);
		assert_int_equal(model->armed, 4 - i);
		step(model, 1);
		assert_int_equal(model->armed, 3 - i);
	}
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wheel_agrees_with_a_table),
		cmocka_unit_test(far_timers_fire_at_their_time),
	};
	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
