/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fault in an agent's own text, or an overflow of its fiber's stack, comes back to the
 * recovery point and says what it was, a thousand times in a row; any other fault kills the
 * process by its signal, after a report; handlers from before are called, and put back.
 * Method: functions that fault in all ways, and one that has libc fault where it may hold a lock.
 * What must die does so in a forked child whose stderr is read.
 */
#include "tests/unit/support.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/text/fault.h"

/*
 * An access instrumented by ThreadSanitizer goes through its runtime, where a fault is not in own
 * text; UndefinedBehaviorSanitizer would report the fault before it happens.
 */
#define FAULTY __attribute__((no_sanitize("thread", "undefined")))
#define AGENT TERN_TEXT FAULTY
#define FOREIGN FAULTY __attribute__((noinline))

/* A division by zero gives 0 on arm64. */
#if defined(__x86_64__)
enum { DIVISION_TRAPS = 1 };
#else
enum { DIVISION_TRAPS = 0 };
#endif

enum { TIMES = 1000, REPORT_MAX = 512 };

static int *volatile nowhere;
static volatile int zero;
static volatile int sink_of_numbers;

AGENT static void agent_null(void *argument)
{
	(void)argument;
	*nowhere = 1;
}

AGENT static void agent_divide(void *argument)
{
	(void)argument;
	sink_of_numbers = 7 / zero;
}

AGENT static void agent_trap(void *argument)
{
	(void)argument;
	__builtin_trap();
}

AGENT static void agent_well(void *argument)
{
	(void)argument;
	sink_of_numbers = 1;
}

AGENT static int agent_go_down(int depth) // NOLINT(misc-no-recursion)
{
	volatile char here[200];
	here[0] = (char)depth;
	return depth < zero ? 0 : agent_go_down(depth + 1) + here[0];
}

AGENT static void agent_overflow(void *argument)
{
	(void)argument;
	sink_of_numbers = agent_go_down(0);
}

/* Overflows as well, where neither the agent's text nor a program counter helps. */
FOREIGN static int foreign_go_down(int depth) // NOLINT(misc-no-recursion)
{
	volatile char here[200];
	here[0] = (char)depth;
	return depth < zero ? 0 : foreign_go_down(depth + 1) + here[0];
}

AGENT static void agent_overflow_elsewhere(void *argument)
{
	(void)argument;
	sink_of_numbers = foreign_go_down(0);
}

static FILE *volatile no_stream = (FILE *)8;

AGENT static void agent_uses_no_stream(void *argument)
{
	(void)argument;
	rewind(no_stream);
	sink_of_numbers = 1; /* no tail call: the agent's frame stays below */
}

struct bench {
	struct tern_fault_scope scope;
	struct tern_text_set text;
	struct tern_stacks stacks;
};

static struct bench *bench_open(void)
{
	struct bench *bench = aligned_alloc(alignof(struct bench), sizeof(*bench));
	assert_non_null(bench);
	bench->text = (struct tern_text_set){.count = 1, .ranges = {tern_text_own()}};
	assert_true(bench->text.ranges[0].start < bench->text.ranges[0].end);
	tern_stacks_init(&bench->stacks);
	assert_int_equal(tern_fault_install(), 0);
	assert_int_equal(tern_fault_thread_init(&bench->scope), 0);
	return bench;
}

static void bench_close(struct bench *bench)
{
	tern_fault_thread_fini(&bench->scope);
	tern_fault_remove();
	assert_int_equal(tern_stacks_fini(&bench->stacks), 0);
	free(bench);
}

/* As a scheduler runs code: whether a fault was contained. */
static bool caught(struct bench *bench, struct tern_context *context, void (*code)(void *))
{
	if (TERN_FAULT_POINT(&bench->scope))
		return true;
	tern_fault_arm(&bench->scope, &bench->text, "tester", context);
	if (context)
		tern_context_enter(context);
	else
		code(NULL);
	tern_fault_disarm(&bench->scope);
	return false;
}

static bool caught_in_fiber(struct bench *bench, void (*code)(void *))
{
	struct tern_context context;
	struct tern_stack stack = {0};
	assert_int_equal(tern_stacks_take(&bench->stacks, TERN_STACK_SIZE_MIN, &stack), 0);
	tern_context_make(&context, &stack, code, NULL);
	bool faulted = caught(bench, &context, NULL);
	assert_int_equal(context.finished, !faulted);
	tern_context_abandon(&context);
	tern_stacks_put(&bench->stacks, &stack);
	return faulted;
}

static void check_fault(const struct bench *bench, int signo, bool overflow)
{
	const struct tern_fault *fault = &bench->scope.fault;
	assert_int_equal(fault->signo, signo);
	assert_int_equal(fault->overflow, overflow);
	if (!overflow)
		assert_true(tern_text_has(&bench->text, fault->pc));
	if (signo == SIGSEGV && !overflow)
		assert_null(fault->address);
	assert_false(bench->scope.armed);
}

static void faults_in_a_fiber_are_contained(void **state)
{
	struct bench *bench = bench_open();
	(void)state;
	for (int i = 0; i < TIMES; i++) {
		assert_true(caught_in_fiber(bench, agent_null));
		check_fault(bench, SIGSEGV, false);
		assert_true(caught_in_fiber(bench, agent_trap));
		check_fault(bench, SIGILL, false);
		assert_int_equal(caught_in_fiber(bench, agent_divide), DIVISION_TRAPS);
		if (DIVISION_TRAPS)
			check_fault(bench, SIGFPE, false);
		assert_false(caught_in_fiber(bench, agent_well));
	}
	bench_close(bench);
}

static void faults_of_a_handler_are_contained(void **state)
{
	struct bench *bench = bench_open();
	(void)state;
	for (int i = 0; i < TIMES; i++) {
		assert_true(caught(bench, NULL, agent_null));
		check_fault(bench, SIGSEGV, false);
		assert_true(caught(bench, NULL, agent_trap));
		check_fault(bench, SIGILL, false);
		assert_int_equal(caught(bench, NULL, agent_divide), DIVISION_TRAPS);
		if (DIVISION_TRAPS)
			check_fault(bench, SIGFPE, false);
		assert_false(caught(bench, NULL, agent_well));
	}
	bench_close(bench);
}

static void overflow_is_contained_and_named(void **state)
{
	struct bench *bench = bench_open();
	(void)state;
	for (int i = 0; i < TIMES; i++) {
		assert_true(caught_in_fiber(bench, agent_overflow));
		check_fault(bench, SIGSEGV, true);
		assert_true(caught_in_fiber(bench, agent_overflow_elsewhere));
		check_fault(bench, SIGSEGV, true);
		assert_false(tern_text_has(&bench->text, bench->scope.fault.pc));
	}
	bench_close(bench);
}

static void nothing_else_is_lost(void **state)
{
	struct bench *bench = bench_open();
	sigset_t before, after;
	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &before, NULL);
	assert_true(caught_in_fiber(bench, agent_null));
	assert_true(caught(bench, NULL, agent_trap));
	pthread_sigmask(SIG_UNBLOCK, &before, &after);
	for (int signo = 1; signo < 32; signo++)
		assert_int_equal(sigismember(&after, signo), signo == SIGUSR1);
	bench_close(bench);
}

static void *faulty_thread(void *argument)
{
	struct bench *bench = argument;
	struct tern_fault_scope scope;
	if (tern_fault_thread_init(&scope))
		return NULL;
	for (volatile int i = 0; i < TIMES; i = i + 1) {
		if (TERN_FAULT_POINT(&scope))
			continue;
		tern_fault_arm(&scope, &bench->text, "second", NULL);
		agent_null(NULL);
		i = 2 * TIMES; /* not reached */
	}
	tern_fault_thread_fini(&scope);
	return scope.fault.signo == SIGSEGV ? bench : NULL;
}

static void each_thread_has_its_own_scope(void **state)
{
	struct bench *bench = bench_open();
	pthread_t thread;
	void *result = NULL;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, faulty_thread, bench), 0);
	for (int i = 0; i < TIMES; i++)
		assert_true(caught_in_fiber(bench, agent_trap));
	pthread_join(thread, &result);
	assert_ptr_equal(result, bench);
	check_fault(bench, SIGILL, false);
	bench_close(bench);
}

/* What a child did, by exit code or signal, and what it wrote. */
struct fate {
	int status;
	char report[REPORT_MAX];
};

static void set_all(void (*handler)(int))
{
	const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], handler);
}

/* In the child neither cmocka's nor a sanitizer's handlers are there. */
static void be_child(int errors, int (*body)(void))
{
	prctl(PR_SET_DUMPABLE, 0);
	dup2(errors, STDERR_FILENO);
	set_all(SIG_DFL);
	_exit(body());
}

static struct fate fate_of(int (*body)(void))
{
	struct fate fate = {0};
	size_t length = 0;
	ssize_t n;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		be_child(ends[1], body);
	close(ends[1]);
	while ((n = read(ends[0], fate.report + length, sizeof(fate.report) - 1 - length)) > 0)
		length += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(child, &fate.status, 0), child);
	return fate;
}

static void check_death(const struct fate *fate, int signo, const char *says)
{
	if (!WIFSIGNALED(fate->status) || WTERMSIG(fate->status) != signo)
		fail_msg("status %#x: %s", (unsigned)fate->status, fate->report);
	if (!strstr(fate->report, says))
		fail_msg("no \"%s\" in: %s", says, fate->report);
	assert_true(strchr(fate->report, '\n') == fate->report + strlen(fate->report) - 1);
}

static int fault_below_a_fiber(void)
{
	return caught_in_fiber(bench_open(), agent_uses_no_stream);
}

static int fault_on_the_threads_stack(void)
{
	return caught(bench_open(), NULL, agent_uses_no_stream);
}

static int fault_of_the_scheduler(void)
{
	struct bench *bench = bench_open();
	caught(bench, NULL, agent_null);
	agent_null(NULL); /* own text, but nothing is armed */
	return 0;
}

static int killed_by_somebody(void)
{
	struct bench *bench = bench_open();
	if (!TERN_FAULT_POINT(&bench->scope)) {
		tern_fault_arm(&bench->scope, &bench->text, "victim", NULL);
		raise(SIGBUS);
	}
	return 1;
}

static void a_foreign_fault_kills_the_process(void **state)
{
	(void)state;
	struct fate fate = fate_of(fault_below_a_fiber);
	check_death(&fate, SIGSEGV, "SIGSEGV at address 0x");
	check_death(&fate, SIGSEGV, "agent tester: in rewind(), which cannot be left");
	fate = fate_of(fault_on_the_threads_stack);
	check_death(&fate, SIGSEGV, "agent tester: in rewind(), which cannot be left");
	fate = fate_of(fault_of_the_scheduler);
	check_death(&fate, SIGSEGV, "no agent ran");
	fate = fate_of(killed_by_somebody);
	check_death(&fate, SIGBUS, "agent victim: sent by a process");
}

/* A handler from before that ends the child with 40 plus what it can tell. */
static void before_with_info(int signo, siginfo_t *info, void *ucontext)
{
	_exit(40 + (signo == SIGSEGV && info->si_signo == signo && ucontext));
}

static void before_plain(int signo)
{
	_exit(40 + (signo == SIGSEGV));
}

static int chain_with_info(void)
{
	struct sigaction before = {.sa_sigaction = before_with_info, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &before, NULL);
	return fault_below_a_fiber();
}

static int chain_plain(void)
{
	signal(SIGSEGV, before_plain);
	return fault_below_a_fiber();
}

static int ignore_a_kill(void)
{
	signal(SIGBUS, SIG_IGN);
	return killed_by_somebody() + 1;
}

static int ignore_a_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	return fault_below_a_fiber();
}

static void handlers_from_before_are_called(void **state)
{
	(void)state;
	struct fate fate = fate_of(chain_with_info);
	assert_true(WIFEXITED(fate.status) && WEXITSTATUS(fate.status) == 41);
	assert_non_null(strstr(fate.report, "SIGSEGV"));
	fate = fate_of(chain_plain);
	assert_true(WIFEXITED(fate.status) && WEXITSTATUS(fate.status) == 41);
	fate = fate_of(ignore_a_kill);
	assert_true(WIFEXITED(fate.status) && WEXITSTATUS(fate.status) == 2);
	fate = fate_of(ignore_a_fault);
	check_death(&fate, SIGSEGV, "SIGSEGV");
}

static bool handled_by(int signo, void (*handler)(int))
{
	struct sigaction now;
	sigaction(signo, NULL, &now);
	return now.sa_handler == handler;
}

static int put_back(void)
{
	set_all(before_plain);
	if (tern_fault_install() || tern_fault_install() || handled_by(SIGSEGV, before_plain))
		return 1;
	tern_fault_remove();
	if (handled_by(SIGSEGV, before_plain))
		return 2;
	tern_fault_remove();
	return handled_by(SIGSEGV, before_plain) && handled_by(SIGBUS, before_plain) &&
			       handled_by(SIGFPE, before_plain) && handled_by(SIGILL, before_plain)
		       ? 0
		       : 3;
}

static struct sigaction below;

/* As crash reporters do: something of their own, then the one from before. */
static void on_top(int signo, siginfo_t *info, void *ucontext)
{
	below.sa_sigaction(signo, info, ucontext);
}

/* Somebody's handler on top of ours stays when ours goes, and works when ours comes again. */
static int stay_below(void)
{
	struct sigaction top = {.sa_sigaction = on_top, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction now;
	if (tern_fault_install())
		return 1;
	sigaction(SIGSEGV, &top, &below);
	tern_fault_remove();
	sigaction(SIGSEGV, NULL, &now);
	if (now.sa_sigaction != on_top || !handled_by(SIGBUS, SIG_DFL))
		return 2;
	struct bench *bench = bench_open();
	for (int i = 0; i < TIMES; i++)
		if (!caught_in_fiber(bench, agent_null) || !caught_in_fiber(bench, agent_overflow))
			return 3;
	bench_close(bench);
	return 0;
}

static void handlers_from_before_are_put_back(void **state)
{
	(void)state;
	struct fate fate = fate_of(put_back);
	assert_true(WIFEXITED(fate.status));
	assert_int_equal(WEXITSTATUS(fate.status), 0);
	fate = fate_of(stay_below);
	if (!WIFEXITED(fate.status))
		fail_msg("status %#x: %s", (unsigned)fate.status, fate.report);
	assert_int_equal(WEXITSTATUS(fate.status), 0);
}

static void the_signal_stack_from_before_is_put_back(void **state)
{
	struct tern_fault_scope scope;
	stack_t before, meanwhile, after;
	(void)state;
	assert_int_equal(sigaltstack(NULL, &before), 0);
	assert_int_equal(tern_fault_thread_init(&scope), 0);
	assert_int_equal(sigaltstack(NULL, &meanwhile), 0);
	assert_true(meanwhile.ss_size >= 65536);
	assert_ptr_not_equal(meanwhile.ss_sp, before.ss_sp);
	tern_fault_thread_fini(&scope);
	assert_int_equal(sigaltstack(NULL, &after), 0);
	assert_int_equal(after.ss_flags, before.ss_flags);
	if (!(before.ss_flags & SS_DISABLE))
		assert_ptr_equal(after.ss_sp, before.ss_sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_in_a_fiber_are_contained),
		cmocka_unit_test(faults_of_a_handler_are_contained),
		cmocka_unit_test(overflow_is_contained_and_named),
		cmocka_unit_test(nothing_else_is_lost),
		cmocka_unit_test(each_thread_has_its_own_scope),
		cmocka_unit_test(a_foreign_fault_kills_the_process),
		cmocka_unit_test(handlers_from_before_are_called),
		cmocka_unit_test(handlers_from_before_are_put_back),
		cmocka_unit_test(the_signal_stack_from_before_is_put_back),
	};
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
