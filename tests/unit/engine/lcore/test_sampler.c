/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: looks at the clock become seldom while signals are short and frequent once the slice is
 * used up; a sample is one signal and nothing else, and nothing counts as a sample of which the
 * start is not known.
 * Method: the rules one by one on a bare sampler, with clock ticks that the test makes up; then
 * random steps beside an account of what really was in each window.
 */
#include "tests/unit/support.h"

#include "engine/lcore/sampler.h"

enum { SLICE = 1000, EVERY_MAX = TERN_SAMPLER_EVERY_MAX, STEPS = 200000 };

struct bench {
	struct tern_sampler sampler;
	uint64_t now;
};

/* In a slice that has just begun. */
static struct bench open_bench(void)
{
	struct bench bench = {.now = 5000000};
	tern_sampler_init(&bench.sampler, SLICE);
	tern_sampler_open_slice(&bench.sampler, bench.now);
	return bench;
}

/* Signals of so many ticks each until the next look; returns how many. */
static uint32_t run_window(struct bench *bench, uint64_t each, struct tern_look *look)
{
	for (uint32_t signals = 1;; signals++) {
		bench->now += each;
		if (!tern_sampler_count(&bench->sampler))
			continue;
		*look = tern_sampler_look(&bench->sampler, bench->now);
		return signals;
	}
}

static void use_up_slice(struct bench *bench)
{
	struct tern_look look;
	bench->now += SLICE + 1;
	do
		run_window(bench, 0, &look);
	while (!look.is_late);
}

static void a_single_signal_lies_between_two_windows_of_many(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	assert_int_equal(run_window(&bench, 2, &look), EVERY_MAX);
	assert_false(look.is_sample);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_window(&bench, 2, &look), 1);
		assert_true(look.is_sample && look.took == 2);
		assert_int_equal(run_window(&bench, 2, &look), EVERY_MAX);
		assert_false(look.is_sample);
		assert_int_equal(look.took, 2 * EVERY_MAX);
	}
}

static void a_slice_used_up_is_found_at_the_next_look(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	run_window(&bench, 1, &look);
	bench.now = bench.sampler.slice.start + SLICE - 1;
	assert_false(tern_sampler_is_late(&bench.sampler, bench.now));
	run_window(&bench, 1, &look);
	assert_false(look.is_late);
	assert_int_equal(bench.now, bench.sampler.slice.start + SLICE);
	run_window(&bench, 1, &look);
	assert_true(look.is_late);
}

static void looks_are_frequent_after_a_slice_used_up(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	use_up_slice(&bench);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(run_window(&bench, 3, &look), 1);
		assert_true(look.is_late && look.is_sample && look.took == 3);
	}
}

static void windows_double_in_the_next_slice(void **state)
{
	static const uint32_t lengths[] = {1, 2, 1, 8, 1, 32, 1, EVERY_MAX, 1, EVERY_MAX, 1};
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	use_up_slice(&bench);
	tern_sampler_open_slice(&bench.sampler, bench.now);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(run_window(&bench, 1, &look), lengths[i]);
		assert_int_equal(look.is_sample, lengths[i] == 1);
		assert_false(look.is_late);
	}
}

static void an_unknown_start_gives_no_sample(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	run_window(&bench, 1, &look);
	assert_true(bench.sampler.single);
	/* What was only queued: the window goes on to the next signal. */
	bench.now += 100;
	assert_false(tern_sampler_count_if(&bench.sampler, false));
	assert_true(tern_sampler_lacks_start(&bench.sampler));
	assert_int_equal(run_window(&bench, 1, &look), 1);
	assert_false(look.is_sample);
	assert_int_equal(look.took, 0);
	/* The one after it is known again. */
	assert_int_equal(run_window(&bench, 7, &look), 1);
	assert_true(look.is_sample && look.took == 7);
}

static void who_knows_the_start_gives_it(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	run_window(&bench, 1, &look);
	tern_sampler_count_if(&bench.sampler, false);
	bench.now += 100;
	tern_sampler_restart(&bench.sampler, bench.now);
	assert_false(tern_sampler_lacks_start(&bench.sampler));
	run_window(&bench, 5, &look);
	assert_true(look.is_sample && look.took == 5);
}

static void in_a_window_of_many_queued_ones_count(void **state)
{
	struct bench bench = open_bench();
	(void)state;
	for (int i = 1; i < EVERY_MAX; i++)
		assert_false(tern_sampler_count_if(&bench.sampler, false));
	assert_true(tern_sampler_count_if(&bench.sampler, false));
}

static void events_are_nobodys_sample(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	for (int i = 0; i < 2; i++) {
		bench.now += 400; /* events are told */
		tern_sampler_look_after_next(&bench.sampler);
		assert_int_equal(run_window(&bench, 50, &look), 1);
		assert_false(look.is_sample || look.is_overrun || look.is_late);
	}
	bench.now += 400;
	tern_sampler_look_after_next(&bench.sampler);
	run_window(&bench, 50, &look);
	assert_true(look.is_late && !look.is_sample);
}

static void many_that_took_too_long_are_an_overrun_of_one_not_named(void **state)
{
	struct bench bench = open_bench();
	struct tern_look look;
	(void)state;
	run_window(&bench, SLICE, &look);
	assert_int_equal(look.took, SLICE * EVERY_MAX);
	assert_false(look.is_overrun);
	bench = open_bench();
	bench.now++;
	run_window(&bench, SLICE, &look);
	assert_true(look.is_overrun && look.is_late && !look.is_sample);
	/* A single one has a name. */
	run_window(&bench, 2 * SLICE, &look);
	assert_true(look.is_sample && !look.is_overrun);
}

static void an_own_slice_begins_with_a_sample(void **state)
{
	struct bench bench = open_bench();
	struct tern_slice outer = bench.sampler.slice;
	struct tern_look look;
	(void)state;
	bench.now += 300;
	tern_sampler_open_own_slice(&bench.sampler, bench.now, 20);
	assert_int_equal(run_window(&bench, 15, &look), 1);
	assert_true(look.is_sample && look.took == 15 && !look.is_late);
	assert_int_equal(run_window(&bench, 1, &look), 2);
	assert_false(look.is_sample || look.is_late);
	tern_sampler_open_own_slice(&bench.sampler, bench.now, 20);
	run_window(&bench, 21, &look);
	assert_true(look.is_sample && look.is_late);
	bench.sampler.slice = outer;
	assert_false(tern_sampler_is_late(&bench.sampler, bench.now));
}

/* What was in the window that is open. */
struct account {
	uint64_t began;
	uint32_t signals;
	bool known;
};

static void step(struct bench *bench, struct account *account, struct tern_rng *rng)
{
	struct tern_sampler *sampler = &bench->sampler;
	bool signal = pick(rng, 4) != 0;
	bool single = sampler->single;
	bench->now += pick(rng, 40);
	account->signals += signal || !single;
	account->known = account->known && (signal || !single);
	if (!tern_sampler_count_if(sampler, signal))
		return;
	struct tern_look look = tern_sampler_look(sampler, bench->now);
	assert_true(account->signals >= 1 && account->signals <= EVERY_MAX);
	assert_true(account->signals == 1 || !single);
	assert_int_equal(look.is_sample, single && account->known);
	assert_int_equal(look.took, account->known ? bench->now - account->began : 0);
	assert_int_equal(look.is_late, bench->now - sampler->slice.start > SLICE);
	*account = (struct account){.began = bench->now, .known = true};
}

static void random_steps_agree_with_the_account(void **state)
{
	struct tern_rng rng = {.state = test_seed(1)};
	struct bench bench = open_bench();
	struct account account = {.began = bench.now, .known = true};
	(void)state;
	for (int i = 0; i < STEPS; i++) {
		if (pick(&rng, 300) == 0) {
			tern_sampler_open_slice(&bench.sampler, bench.now);
			account.began = bench.now;
			account.known = true;
		} else if (pick(&rng, 50) == 0) {
			bench.now += pick(&rng, 100);
			tern_sampler_restart(&bench.sampler, bench.now);
			account.began = bench.now;
			account.known = true;
		} else {
			step(&bench, &account, &rng);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_signal_lies_between_two_windows_of_many),
		cmocka_unit_test(a_slice_used_up_is_found_at_the_next_look),
		cmocka_unit_test(looks_are_frequent_after_a_slice_used_up),
		cmocka_unit_test(windows_double_in_the_next_slice),
		cmocka_unit_test(an_unknown_start_gives_no_sample),
		cmocka_unit_test(who_knows_the_start_gives_it),
		cmocka_unit_test(in_a_window_of_many_queued_ones_count),
		cmocka_unit_test(events_are_nobodys_sample),
		cmocka_unit_test(many_that_took_too_long_are_an_overrun_of_one_not_named),
		cmocka_unit_test(an_own_slice_begins_with_a_sample),
		cmocka_unit_test(random_steps_agree_with_the_account),
	};
	return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
