/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber goes on where it left with all that it had, on whichever thread; its scheduler,
 * too; ten thousand of them at once.
 * Method: fibers that count what they find wrong in their own variables; two threads that take
 * turns; rounding modes that must not leak; recursion over most of a stack.
 */
#include "tests/unit/support.h"

#include <fenv.h>
#include <pthread.h>
#include <unistd.h>

#include "engine/text/context.h"

/* ThreadSanitizer of gcc 12 and clang 14 knows 8,128 threads, and a fiber is one. */
#if TERN_TSAN
enum { FIBERS = 1000 };
#else
enum { FIBERS = 10000 };
#endif
enum { LAPS = 20, HANDOVERS = 1000, DEPTH = 1500 };

struct fiber {
	struct tern_context context;
	struct tern_stack stack;
	uint64_t number;
	uint64_t laps;
	uint64_t wrong;
	pid_t thread; /* that it runs on */
	int rounding;
};

static struct tern_stacks *setup_stacks(void)
{
	struct tern_stacks *stacks = aligned_alloc(alignof(struct tern_stacks), sizeof(*stacks));
	assert_non_null(stacks);
	tern_stacks_init(stacks);
	return stacks;
}

static void fiber_open(struct tern_stacks *stacks, struct fiber *fiber, size_t size,
		       void (*entry)(void *))
{
	assert_int_equal(tern_stacks_take(stacks, size, &fiber->stack), 0);
	tern_context_make(&fiber->context, &fiber->stack, entry, fiber);
}

static void fiber_close(struct tern_stacks *stacks, struct fiber *fiber)
{
	tern_context_abandon(&fiber->context);
	tern_stacks_put(stacks, &fiber->stack);
}

static void teardown_stacks(struct tern_stacks *stacks)
{
	assert_int_equal(tern_stacks_fini(stacks), 0);
	free(stacks);
}

/* Its variables live on its stack and in registers over all switches. */
static void lap(void *argument)
{
	struct fiber *fiber = argument;
	uint64_t a = fiber->number, b = a * 3, c = a ^ 0x5555, d = ~a, e = a + 7, f = a << 8;
	double x = (double)a + 0.5;
	uint64_t kept[16];
	for (size_t i = 0; i < 16; i++)
		kept[i] = a + i;
	for (int i = 0; i < LAPS; i++) {
		fiber->laps++;
		tern_context_leave(&fiber->context);
		if (a != fiber->number || b != a * 3 || c != (a ^ 0x5555) || d != ~a ||
		    e != a + 7 || f != a << 8 || x < (double)a || x > (double)a + 1)
			fiber->wrong++;
		for (size_t j = 0; j < 16; j++)
			fiber->wrong += kept[j] != a + j;
	}
}

static void ten_thousand_fibers_take_turns(void **state)
{
	struct tern_stacks *stacks = setup_stacks();
	struct fiber *fibers = calloc(FIBERS, sizeof(*fibers));
	(void)state;
	for (uint64_t i = 0; i < FIBERS; i++) {
		fibers[i].number = i * 0x9E3779B9u;
		fiber_open(stacks, &fibers[i], TERN_STACK_SIZE_MIN, lap);
	}
	for (uint64_t turn = 1; turn <= LAPS; turn++)
		for (uint64_t i = 0; i < FIBERS; i++) {
			tern_context_enter(&fibers[i].context);
			assert_int_equal(fibers[i].laps, turn);
			assert_false(fibers[i].context.finished);
		}
	for (uint64_t i = 0; i < FIBERS; i++) {
		tern_context_enter(&fibers[i].context);
		assert_true(fibers[i].context.finished);
		assert_int_equal(fibers[i].wrong, 0);
		fiber_close(stacks, &fibers[i]);
	}
	free(fibers);
	teardown_stacks(stacks);
}

static void a_suspended_fiber_can_be_abandoned(void **state)
{
	struct tern_stacks *stacks = setup_stacks();
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct fiber fiber = {.number = 7};
		fiber_open(stacks, &fiber, TERN_STACK_SIZE_MIN, lap);
		/* Never begun, suspended once, twice: on the same warm stack. */
		for (int entered = 0; entered < i % 3; entered++)
			tern_context_enter(&fiber.context);
		fiber_close(stacks, &fiber);
	}
	teardown_stacks(stacks);
}

/* Two threads, one fiber: `turn` says whose it is and hands over what it wrote. */
struct pair {
	struct fiber fiber;
	int turn;
	uint64_t wrong;
};

static void find_threads(void *argument)
{
	struct fiber *fiber = argument;
	uint8_t kept[512]; /* an array, so that sanitizers guard this frame */
	for (;;) {
		memset(kept, (int)fiber->laps & 0xFF, sizeof(kept));
		if (gettid() != fiber->thread)
			fiber->wrong++;
		fiber->laps++;
		tern_context_leave(&fiber->context);
		for (size_t i = 0; i < sizeof(kept); i++)
			fiber->wrong += kept[i] != (uint8_t)(fiber->laps - 1);
	}
}

static void take_turns(struct pair *pair, int me)
{
	for (uint64_t i = 0; i < HANDOVERS; i++) {
		while (seen(&pair->turn) != me)
			breathe();
		pair->fiber.thread = gettid();
		tern_context_enter(&pair->fiber.context);
		if (pair->fiber.laps != 2 * i + (uint64_t)me + 1)
			pair->wrong++;
		put(&pair->turn, !me);
	}
}

static void *second_thread(void *argument)
{
	take_turns(argument, 1);
	return NULL;
}

static void a_fiber_changes_threads(void **state)
{
	struct tern_stacks *stacks = setup_stacks();
	struct pair pair = {0};
	pthread_t thread;
	(void)state;
	fiber_open(stacks, &pair.fiber, 65536, find_threads);
	assert_int_equal(pthread_create(&thread, NULL, second_thread, &pair), 0);
	take_turns(&pair, 0);
	pthread_join(thread, NULL);
	assert_int_equal(pair.wrong, 0);
	assert_int_equal(pair.fiber.wrong, 0);
	assert_int_equal(pair.fiber.laps, 2 * HANDOVERS);
	fiber_close(stacks, &pair.fiber);
	teardown_stacks(stacks);
}

static void round_its_way(void *argument)
{
	struct fiber *fiber = argument;
	volatile double one = 1, three = 3;
	if (fegetround() != FE_TONEAREST)
		fiber->wrong++;
	fesetround(fiber->rounding);
	double third = one / three;
	for (;;) {
		tern_context_leave(&fiber->context);
		if (fegetround() != fiber->rounding || one / three < third || one / three > third)
			fiber->wrong++;
	}
}

static void each_side_keeps_its_rounding(void **state)
{
	const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
	struct tern_stacks *stacks = setup_stacks();
	struct fiber fibers[4] = {0};
	(void)state;
	for (int i = 0; i < 4; i++) {
		fibers[i].rounding = modes[i];
		fiber_open(stacks, &fibers[i], TERN_STACK_SIZE_MIN, round_its_way);
	}
	for (int turn = 0; turn < 100; turn++)
		for (int i = 0; i < 4; i++) {
			tern_context_enter(&fibers[i].context);
			assert_int_equal(fegetround(), FE_TONEAREST);
			assert_int_equal(fibers[i].wrong, 0);
		}
	for (int i = 0; i < 4; i++)
		fiber_close(stacks, &fibers[i]);
	teardown_stacks(stacks);
}

static void raise_flags(void *argument)
{
	struct fiber *fiber = argument;
	feclearexcept(FE_ALL_EXCEPT);
	tern_context_leave(&fiber->context);
	fiber->wrong += !fetestexcept(FE_INEXACT);
	feraiseexcept(FE_OVERFLOW);
	tern_context_leave(&fiber->context);
	fiber->wrong += fetestexcept(FE_ALL_EXCEPT) != 0;
}

static void exception_flags_stay_with_the_thread(void **state)
{
	struct tern_stacks *stacks = setup_stacks();
	struct fiber fiber = {0};
	(void)state;
	fiber_open(stacks, &fiber, 65536, raise_flags);
	feraiseexcept(FE_ALL_EXCEPT);
	tern_context_enter(&fiber.context);
	assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
	feraiseexcept(FE_INEXACT);
	tern_context_enter(&fiber.context);
	assert_true(fetestexcept(FE_OVERFLOW));
	feclearexcept(FE_ALL_EXCEPT);
	tern_context_enter(&fiber.context);
	assert_true(fiber.context.finished);
	assert_int_equal(fiber.wrong, 0);
	fiber_close(stacks, &fiber);
	teardown_stacks(stacks);
}

/* Leaves at every hundredth depth, both on the way down and on the way up. */
static uint64_t go_down(struct fiber *fiber, uint64_t depth) // NOLINT(misc-no-recursion)
{
	volatile uint64_t here[8];
	for (size_t i = 0; i < 8; i++)
		here[i] = depth + i;
	if (depth % 100 == 0)
		tern_context_leave(&fiber->context);
	uint64_t sum = depth == 0 ? 0 : go_down(fiber, depth - 1);
	if (depth % 100 == 0)
		tern_context_leave(&fiber->context);
	for (size_t i = 0; i < 8; i++)
		fiber->wrong += here[i] != depth + i;
	return sum + depth;
}

static void recurse(void *argument)
{
	struct fiber *fiber = argument;
	fiber->laps = go_down(fiber, DEPTH);
}

static void two_fibers_recurse_deeply(void **state)
{
	struct tern_stacks *stacks = setup_stacks();
	struct fiber fibers[2] = {0};
	(void)state;
	for (int i = 0; i < 2; i++)
		fiber_open(stacks, &fibers[i], TERN_STACK_SIZE_MAX, recurse);
	while (!fibers[0].context.finished)
		for (int i = 0; i < 2; i++)
			tern_context_enter(&fibers[i].context);
	for (int i = 0; i < 2; i++) {
		assert_true(fibers[i].context.finished);
		assert_int_equal(fibers[i].wrong, 0);
		assert_int_equal(fibers[i].laps, DEPTH * (DEPTH + 1) / 2);
		fiber_close(stacks, &fibers[i]);
	}
	teardown_stacks(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_fibers_take_turns),
		cmocka_unit_test(a_suspended_fiber_can_be_abandoned),
		cmocka_unit_test(a_fiber_changes_threads),
		cmocka_unit_test(each_side_keeps_its_rounding),
		cmocka_unit_test(exception_flags_stay_with_the_thread),
		cmocka_unit_test(two_fibers_recurse_deeply),
	};
	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
