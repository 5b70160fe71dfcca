/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fiber that never leaves is suspended in its own text, as often as it takes, and loses
 * nothing; it is never suspended in other code, and that is counted.
 * Method: fibers that loop for ever in functions in and outside the section; fibers that check
 * what they keep in registers, rounding mode and errno, against what others do meanwhile.
 */
#include "tests/unit/support.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "engine/text/fault.h"
#include "engine/text/fault_pc.h"
#include "engine/text/preempt.h"

#define AGENT TERN_TEXT __attribute__((no_sanitize("thread", "undefined")))
#define FOREIGN __attribute__((noinline))

#define SLICE_NS 500000u
#define STACK_BYTES ((size_t)256 << 10)

enum { TIMES = 100, REFUSALS = 5, WHILE = 10000000 };

struct fiber {
	struct tern_context context;
	struct tern_stack stack;
	struct bench *bench;
	uint64_t laps;	  /* the fiber writes; volatile accesses only */
	uint64_t inside;  /* it is in foreign code */
	uint64_t wrong;	  /* what it found changed */
	int *error_place; /* its thread's errno */
	int error;
	int rounding;
};

/* A scheduler thread's things. */
struct bench {
	struct tern_stacks stacks;
	struct tern_clock clock;
	struct tern_preempt preempt;
	struct tern_fault_scope scope;
	struct tern_text_set text;
	uint8_t source[65536];
	uint8_t target[65536];
};

static struct bench *bench_new(void)
{
	struct bench *bench = aligned_alloc(alignof(struct bench), sizeof(*bench));
	if (!bench)
		return NULL;
	memset(bench, 0, sizeof(*bench));
	tern_stacks_init(&bench->stacks);
	tern_clock_init(&bench->clock, false);
	bench->text = (struct tern_text_set){.count = 1, .ranges = {tern_text_own()}};
	return bench;
}

static struct bench *bench_open(void)
{
	struct bench *bench = bench_new();
	assert_non_null(bench);
	if (tern_preempt_thread_init(&bench->preempt, &bench->clock, SLICE_NS))
		fail_msg("%s", "no timer");
	tern_preempt_start(&bench->preempt);
	return bench;
}

static uint64_t bench_free(struct bench *bench)
{
	uint64_t used = tern_stacks_fini(&bench->stacks);
	free(bench);
	return used;
}

static void bench_close(struct bench *bench)
{
	tern_preempt_stop(&bench->preempt);
	tern_preempt_thread_fini(&bench->preempt);
	assert_int_equal(bench_free(bench), 0);
}

static void fiber_open(struct bench *bench, struct fiber *fiber, void (*entry)(void *))
{
	int code = tern_stacks_take(&bench->stacks, STACK_BYTES, &fiber->stack);
	assert_int_equal(code, 0);
	fiber->bench = bench;
	fiber->error_place = &errno;
	tern_context_make(&fiber->context, &fiber->stack, entry, fiber);
}

static void fiber_close(struct fiber *fiber)
{
	tern_context_abandon(&fiber->context);
	tern_stacks_put(&fiber->bench->stacks, &fiber->stack);
}

/* One slice. */
static void run(struct fiber *fiber)
{
	tern_preempt_enter(&fiber->bench->preempt, &fiber->context, &fiber->bench->text);
}

static void needs_signals_in_time(void)
{
	if (TERN_SIGNALS_DELAYED) {
		print_message("ThreadSanitizer delays signals until own text calls something\n");
		skip();
	}
}

AGENT static void loop_for_ever(void *argument)
{
	volatile uint64_t *laps = &((struct fiber *)argument)->laps;
	for (;;)
		*laps = *laps + 1;
}

/* On a busy machine a slice may pass before the fiber's first instruction. */
static void fibers_that_never_leave_take_turns(void **state)
{
	struct fiber fibers[2] = {0};
	uint64_t advanced = 0;
	(void)state;
	needs_signals_in_time();
	struct bench *bench = bench_open();
	for (int i = 0; i < 2; i++)
		fiber_open(bench, &fibers[i], loop_for_ever);
	for (uint64_t turn = 0; turn < TIMES; turn++)
		for (uint64_t i = 0; i < 2; i++) {
			uint64_t mine = fibers[i].laps, other = fibers[!i].laps;
			run(&fibers[i]);
			assert_true(fibers[i].context.preempted);
			advanced += fibers[i].laps > mine;
			assert_int_equal(fibers[!i].laps, other);
			assert_int_equal(bench->preempt.preempted, 2 * turn + i + 1);
		}
	assert_true(advanced > TIMES);
	for (int i = 0; i < 2; i++)
		fiber_close(&fibers[i]);
	bench_close(bench);
}

/* Leaves by itself between slices used up. */
AGENT static void loop_and_leave(void *argument)
{
	struct fiber *fiber = argument;
	for (volatile int lap = 0; lap < TIMES; lap = lap + 1) {
		uint64_t until = fiber->bench->preempt.preempted + 1;
		while (tern_load(&fiber->bench->preempt.preempted) < until)
			;
		tern_context_leave(&fiber->context);
	}
}

static void a_preempted_fiber_may_leave_and_finish(void **state)
{
	struct fiber fiber = {0};
	uint64_t preempted = 0, left = 0;
	(void)state;
	needs_signals_in_time();
	struct bench *bench = bench_open();
	fiber_open(bench, &fiber, loop_and_leave);
	for (run(&fiber); !fiber.context.finished; run(&fiber)) {
		preempted += fiber.context.preempted;
		left += !fiber.context.preempted;
	}
	assert_int_equal(left, TIMES);
	assert_true(preempted >= TIMES);
	fiber_close(&fiber);
	bench_close(bench);
}

static bool refused_enough(const struct tern_preempt *preempt, uint64_t before)
{
	return tern_load(&preempt->refused) >= before + REFUSALS;
}

FOREIGN static void loop_in_foreign_code(struct fiber *fiber)
{
	struct tern_preempt *preempt = &fiber->bench->preempt;
	uint64_t before = tern_load(&preempt->refused);
	tern_store(&fiber->inside, 1);
	while (!refused_enough(preempt, before))
		breathe(); /* where TSan delivers signals */
	tern_store(&fiber->inside, 0);
}

FOREIGN static void loop_in_libc(struct fiber *fiber)
{
	struct bench *bench = fiber->bench;
	uint64_t before = tern_load(&bench->preempt.refused);
	tern_store(&fiber->inside, 1);
	while (!refused_enough(&bench->preempt, before)) {
		memcpy(bench->target, bench->source, sizeof(bench->target));
		fiber->wrong += memcmp(bench->target, bench->source, sizeof(bench->target)) != 0;
		breathe();
	}
	tern_store(&fiber->inside, 0);
}

AGENT static void call_foreign_code(void *argument)
{
	for (volatile int lap = 0; lap < TIMES / 10; lap = lap + 1) {
		loop_in_foreign_code(argument);
		loop_in_libc(argument);
	}
}

static void foreign_code_is_not_interrupted(void **state)
{
	struct fiber fiber = {0};
	(void)state;
	struct bench *bench = bench_open();
	fiber_open(bench, &fiber, call_foreign_code);
	for (run(&fiber); !fiber.context.finished; run(&fiber)) {
		assert_true(fiber.context.preempted);
		assert_false(fiber.inside);
	}
	assert_int_equal(fiber.wrong, 0);
	assert_true(bench->preempt.refused >= TIMES / 10 * 2 * REFUSALS);
	fiber_close(&fiber);
	bench_close(bench);
}

/* The same numbers every time, in registers, with the rounding mode that is set. */
AGENT static double series(int terms)
{
	double a = 1, b = 1, c = 3;
	for (int i = 1; i <= terms; i++) {
		a = a + b / (c + i);
		b = b * 0.999 + a / 7;
		c = c + b / a;
	}
	return a + b + c;
}

static double series_of(int rounding, int terms)
{
	int before = fegetround();
	fesetround(rounding);
	double result = series(terms);
	fesetround(before);
	return result;
}

AGENT static void keep_all(void *argument)
{
	struct fiber *fiber = argument;
	fesetround(fiber->rounding);
	double expected = series(10000);
	*fiber->error_place = fiber->error;
	for (;;) {
		if (series(10000) != expected || *fiber->error_place != fiber->error)
			fiber->wrong++;
		fiber->laps++;
	}
}

static void registers_rounding_and_errno_survive(void **state)
{
	const int modes[] = {FE_UPWARD, FE_DOWNWARD};
	struct fiber fibers[2] = {0};
	(void)state;
	needs_signals_in_time();
	double expected = series_of(FE_TONEAREST, 1000);
	struct bench *bench = bench_open();
	for (int i = 0; i < 2; i++) {
		fibers[i].rounding = modes[i];
		fibers[i].error = 1000 + i;
		fiber_open(bench, &fibers[i], keep_all);
	}
	for (int turn = 0; turn < TIMES; turn++)
		for (int i = 0; i < 2; i++) {
			errno = 77;
			run(&fibers[i]);
			assert_int_equal(fegetround(), FE_TONEAREST);
			assert_true(series_of(FE_TONEAREST, 1000) == expected);
			assert_int_equal(fibers[i].wrong, 0);
		}
	for (int i = 0; i < 2; i++) {
		assert_true(fibers[i].laps > 0);
		fiber_close(&fibers[i]);
	}
	bench_close(bench);
}

/* Recursion down to the last bytes of the stack, then a loop: a signal finds no space there. */
AGENT static void fill_the_stack(struct fiber *fiber) // NOLINT(misc-no-recursion)
{
	volatile unsigned char here[64];
	here[0] = 0;
	if ((uintptr_t)here - (uintptr_t)fiber->stack.base > 1024)
		fill_the_stack(fiber);
	while (!tern_load(&fiber->inside))
		here[0]++;
}

AGENT static void fill_and_loop(void *argument)
{
	fill_the_stack(argument);
}

static bool faulted(struct bench *bench, struct fiber *fiber)
{
	if (TERN_FAULT_POINT(&bench->scope)) {
		tern_preempt_clear(&bench->preempt);
		return true;
	}
	tern_fault_arm(&bench->scope, &bench->text, "full", &fiber->context);
	run(fiber);
	tern_fault_disarm(&bench->scope);
	return false;
}

static void a_signal_without_room_is_an_overflow(void **state)
{
	(void)state;
	needs_signals_in_time();
	struct bench *bench = bench_open();
	assert_int_equal(tern_fault_install(), 0);
	assert_int_equal(tern_fault_thread_init(&bench->scope), 0);
	for (int i = 0; i < TIMES; i++) {
		struct fiber fiber = {0};
		fiber_open(bench, &fiber, fill_and_loop);
		while (!faulted(bench, &fiber))
			assert_true(fiber.context.preempted); /* further up */
		assert_int_equal(bench->scope.fault.signo, SIGSEGV);
		assert_true(bench->scope.fault.overflow);
		fiber_close(&fiber);
	}
	tern_fault_thread_fini(&bench->scope);
	tern_fault_remove();
	bench_close(bench);
}

/* Faults of preempted fibers, and fibers preempted between faults. */
AGENT static void loop_then_fault(void *argument)
{
	struct fiber *fiber = argument;
	uint64_t until = fiber->bench->preempt.preempted + 2;
	while (tern_load(&fiber->bench->preempt.preempted) < until)
		;
	__builtin_trap();
}

static void a_preempted_fiber_may_fault(void **state)
{
	(void)state;
	needs_signals_in_time();
	struct bench *bench = bench_open();
	assert_int_equal(tern_fault_install(), 0);
	assert_int_equal(tern_fault_thread_init(&bench->scope), 0);
	for (int i = 0; i < TIMES; i++) {
		struct fiber fiber = {0};
		fiber_open(bench, &fiber, loop_then_fault);
		uint64_t times = 0;
		for (; !faulted(bench, &fiber); times++)
			assert_true(fiber.context.preempted);
		assert_int_equal(bench->scope.fault.signo, SIGILL);
		assert_true(times >= 2);
		fiber_close(&fiber);
	}
	tern_fault_thread_fini(&bench->scope);
	tern_fault_remove();
	bench_close(bench);
}

/* A thread of its own, without cmocka: what went wrong in its place. */
struct runner {
	pthread_t thread;
	const char *wrong;
};

static const char *run_two(struct bench *bench, struct fiber *fibers)
{
	for (int turn = 0; turn < TIMES; turn++)
		for (int i = 0; i < 2; i++) {
			run(&fibers[i]);
			if (!fibers[i].context.preempted)
				return "not preempted";
		}
	return bench->preempt.preempted == 2 * TIMES ? NULL : "preempted by another's timer";
}

static void *runner_run(void *argument)
{
	struct runner *runner = argument;
	struct fiber fibers[2] = {0};
	struct bench *bench = bench_new();
	if (!bench || tern_preempt_thread_init(&bench->preempt, &bench->clock, SLICE_NS)) {
		runner->wrong = "no timer";
		return NULL;
	}
	for (int i = 0; i < 2; i++)
		fiber_open(bench, &fibers[i], loop_for_ever);
	tern_preempt_start(&bench->preempt);
	runner->wrong = run_two(bench, fibers);
	tern_preempt_stop(&bench->preempt);
	tern_preempt_thread_fini(&bench->preempt);
	for (int i = 0; i < 2; i++)
		fiber_close(&fibers[i]);
	bench_free(bench);
	return NULL;
}

static void each_thread_has_its_own_timer(void **state)
{
	struct runner runners[3] = {0};
	(void)state;
	needs_signals_in_time();
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&runners[i].thread, NULL, runner_run, &runners[i]),
				 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(runners[i].thread, NULL);
		if (runners[i].wrong)
			fail_msg("thread %d: %s", i, runners[i].wrong);
	}
}

static void ignore(int signo)
{
	(void)signo;
}

static bool nobody_handles(void)
{
	struct sigaction now;
	sigaction(tern_preempt_signo(), NULL, &now);
	return now.sa_handler == SIG_DFL;
}

static void what_cannot_work_is_refused(void **state)
{
	struct bench *bench = bench_new();
	struct tern_clock imagined = {.is_virtual = true};
	struct tern_preempt *preempt = &bench->preempt;
	(void)state;
	assert_int_equal(tern_preempt_thread_init(preempt, &bench->clock, 0), -EINVAL);
	assert_int_equal(tern_preempt_thread_init(preempt, &bench->clock, UINT64_MAX), -EINVAL);
	assert_int_equal(tern_preempt_thread_init(preempt, &imagined, SLICE_NS), -ENOTSUP);
	signal(tern_preempt_signo(), ignore);
	assert_int_equal(tern_preempt_thread_init(preempt, &bench->clock, SLICE_NS), -EBUSY);
	signal(tern_preempt_signo(), SIG_DFL);
	assert_int_equal(tern_preempt_thread_init(preempt, &bench->clock, SLICE_NS), 0);
	assert_false(nobody_handles());
	tern_preempt_thread_fini(preempt);
	assert_true(nobody_handles());
	assert_true(tern_preempt_stack_room() >= 4096);
	bench_free(bench);
}

AGENT static void loop_a_while(void *argument)
{
	volatile uint64_t *laps = &((struct fiber *)argument)->laps;
	while (*laps < WHILE)
		*laps = *laps + 1;
}

/* No fiber, or one within its slice: nothing is counted, nothing happens. */
static void ticks_without_need_do_nothing(void **state)
{
	struct fiber fiber = {0};
	(void)state;
	struct bench *bench = bench_open();
	for (int i = 0; i < TIMES; i++)
		breathe();
	bench->preempt.slice_ticks = UINT64_MAX;
	fiber_open(bench, &fiber, loop_a_while);
	run(&fiber);
	assert_true(fiber.context.finished);
	assert_int_equal(bench->preempt.preempted, 0);
	assert_int_equal(bench->preempt.refused, 0);
	fiber_close(&fiber);
	bench_close(bench);
}

/* A stopped timer does not tick, and may be started again. */
static void a_stopped_timer_does_not_tick(void **state)
{
	struct fiber fiber = {0};
	(void)state;
	needs_signals_in_time();
	struct bench *bench = bench_open();
	tern_preempt_stop(&bench->preempt);
	tern_preempt_stop(&bench->preempt);
	fiber_open(bench, &fiber, loop_a_while);
	run(&fiber);
	assert_true(fiber.context.finished);
	assert_int_equal(bench->preempt.preempted, 0);
	fiber_close(&fiber);
	tern_preempt_start(&bench->preempt);
	tern_preempt_start(&bench->preempt);
	fiber_open(bench, &fiber, loop_for_ever);
	run(&fiber);
	assert_true(fiber.context.preempted);
	fiber_close(&fiber);
	bench_close(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fibers_that_never_leave_take_turns),
		cmocka_unit_test(a_preempted_fiber_may_leave_and_finish),
		cmocka_unit_test(foreign_code_is_not_interrupted),
		cmocka_unit_test(registers_rounding_and_errno_survive),
		cmocka_unit_test(a_signal_without_room_is_an_overflow),
		cmocka_unit_test(a_preempted_fiber_may_fault),
		cmocka_unit_test(each_thread_has_its_own_timer),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(ticks_without_need_do_nothing),
		cmocka_unit_test(a_stopped_timer_does_not_tick),
	};
	return cmocka_run_group_tests_name("preempt", tests, NULL, NULL);
}
