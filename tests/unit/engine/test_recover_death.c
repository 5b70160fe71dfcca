/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fault that is not in an agent's own text kills the process by its signal, after a report
 * that names the agent that ran; one in on_stop at the engine's stop is contained like any other.
 * Method: engines in forked children, whose stderr is read.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "capabilities/sanitizer.h"
#include "faulty.h"

enum { PLAIN = 1, REPORT_MAX = 1024 };

FOREIGN static void foreign_null(void)
{
	*nowhere = 1;
}

FOREIGN static void foreign_trap(void)
{
	__builtin_trap();
}

TERN_HANDLER(FAULTY static, call_foreign)
{
	foreign_null();
	result_sink = 1; /* no tail call */
}

TERN_FIBER(FAULTY static, call_foreign_deep)
{
	tern_sleep(self, 1000);
	foreign_trap();
	return 1;
}

FOREIGN static void foreign_start(struct tern_agent *self, void *state)
{
	(void)self, (void)state;
	foreign_null();
	result_sink = 1;
}

static const struct tern_behaviour handler_behaviour = {.name = "calls foreign code",
							.handler = call_foreign};
static const struct tern_behaviour fiber_behaviour = {.name = "fiber", .fiber = call_foreign_deep};
static const struct tern_behaviour start_behaviour = {
	.name = "starts", .handler = call_foreign, .on_start = foreign_start};

/* What a child is to do. */
struct scene {
	const struct tern_behaviour *behaviour;
	const char *name;
	bool polled;
};

/* In the child: neither cmocka's nor a sanitizer's handlers are there. */
static void be_child(int errors)
{
	const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	prctl(PR_SET_DUMPABLE, 0);
	dup2(errors, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

static bool child_open(struct world *world, bool polled)
{
	struct tern_config config;
	world_config(&config, polled);
	*world = (struct world){.polled = polled};
	if (tern_engine_start(&world->engine, &config, NULL) != 0)
		return false;
	world->self = tern_thread_attach(world->engine, NULL, NULL);
	return world->self;
}

static int die_of_it(const struct scene *scene)
{
	struct tern_spawn_options options = {.name = scene->name};
	struct world world;
	tern_address agent;
	if (!child_open(&world, scene->polled) ||
	    tern_spawn(world.self, scene->behaviour, NULL, &options, &agent) != 0)
		return 2;
	(void)!send_number(world.self, agent, PLAIN, 0);
	for (int i = 0; i < 100000; i++) {
		world_poll(&world);
		if (scene->polled)
			tern_engine_advance(world.engine, 1000);
	}
	return 3;
}

/* What a child did: exit code or signal, and what it wrote. */
struct fate {
	int status;
	char report[REPORT_MAX];
};

static struct fate fate_of(int (*body)(const struct scene *scene), const struct scene *scene)
{
	struct fate fate = {0};
	size_t length = 0;
	ssize_t n;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		be_child(ends[1]);
		_exit(body(scene));
	}
	close(ends[1]);
	while ((n = read(ends[0], fate.report + length, sizeof(fate.report) - 1 - length)) > 0)
		length += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(child, &fate.status, 0), child);
	return fate;
}

static void check_death(const struct scene *scene, int signo, const char *text)
{
	struct fate fate = fate_of(die_of_it, scene);
	if (!WIFSIGNALED(fate.status) || WTERMSIG(fate.status) != signo)
		fail_msg("status %#x: %s", (unsigned)fate.status, fate.report);
	if (!strstr(fate.report, text))
		fail_msg("no \"%s\" in: %s", text, fate.report);
}

static void a_fault_in_foreign_code_names_the_agent(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct scene scenes[] = {{&handler_behaviour, NULL, polled},
					 {&handler_behaviour, "desk/7", polled},
					 {&fiber_behaviour, "desk/8", polled},
					 {&start_behaviour, NULL, polled}};
		check_death(&scenes[0], SIGSEGV,
			    "outside the own text of agent calls foreign code\n");
		check_death(&scenes[1], SIGSEGV, "outside the own text of agent desk/7\n");
		check_death(&scenes[2], SIGILL, "outside the own text of agent desk/8\n");
		check_death(&scenes[3], SIGSEGV, "outside the own text of agent starts\n");
		check_death(&scenes[3], SIGSEGV, "tern: SIGSEGV at address 0x0, pc 0x");
	}
}

/* A mistake of the program's own, while no agent runs. */
static int fault_beside_an_engine(const struct scene *scene)
{
	struct world world;
	if (!child_open(&world, scene->polled))
		return 2;
	world_poll(&world);
	crash(NULL_WRITE);
	return 3;
}

static void a_fault_of_the_program_is_nobodys(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct scene scene = {.polled = polled};
		struct fate fate = fate_of(fault_beside_an_engine, &scene);
		if (!WIFSIGNALED(fate.status) || WTERMSIG(fate.status) != SIGSEGV)
			fail_msg("status %#x: %s", (unsigned)fate.status, fate.report);
		assert_non_null(strstr(fate.report, "no agent ran\n"));
	}
}

AGENT static void stop_badly(struct tern_agent *self, void *state, enum tern_end why,
			     int64_t result)
{
	uint64_t *stopped = state;
	(void)self, (void)why, (void)result;
	note(stopped);
	crash(NULL_WRITE);
}

TERN_HANDLER(static, do_nothing)
{
}

TERN_FIBER(static, wait_for_ever)
{
	tern_sleep(self, TERN_FOREVER);
	return 0;
}

static int stop_with_bad_agents(const struct scene *scene)
{
	static const struct tern_behaviour handler = {
		.name = "handler", .handler = do_nothing, .on_stop = stop_badly};
	static const struct tern_behaviour fiber = {
		.name = "fiber", .fiber = wait_for_ever, .on_stop = stop_badly};
	struct tern_stop_report report;
	struct world world;
	tern_address agent;
	uint64_t stopped = 0;
	if (!child_open(&world, scene->polled))
		return 2;
	for (uint32_t i = 0; i < 20; i++) {
		struct tern_spawn_options options = {.lcore = i % 2};
		if (tern_spawn(world.self, i % 3 ? &handler : &fiber, &stopped, &options, &agent))
			return 3;
		world_poll(&world);
	}
	if (world_stop(&world, PATIENCE_NS, &report) != 0 || report.blocks_leaked)
		return 4;
	return stopped == 20 && report.agents_ended == 20 ? 0 : 5;
}

static void a_fault_at_the_engines_stop_is_contained(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct scene scene = {.polled = polled};
		struct fate fate = fate_of(stop_with_bad_agents, &scene);
		if (!WIFEXITED(fate.status) || WEXITSTATUS(fate.status) != 0)
			fail_msg("polled %d, status %#x: %s", polled, (unsigned)fate.status,
				 fate.report);
	}
}

/* Faults that nobody contains any more: the handlers from before are back. */
static int fault_after_the_stop(const struct scene *scene)
{
	struct world world;
	if (!child_open(&world, scene->polled))
		return 2;
	world_stop(&world, PATIENCE_NS, NULL);
	crash(BAD_INSTRUCTION);
	return 3;
}

static void after_the_stop_all_is_as_before(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct scene scene = {.polled = polled};
		struct fate fate = fate_of(fault_after_the_stop, &scene);
		if (!WIFSIGNALED(fate.status) || WTERMSIG(fate.status) != SIGILL)
			fail_msg("status %#x: %s", (unsigned)fate.status, fate.report);
		assert_string_equal(fate.report, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_in_foreign_code_names_the_agent),
		cmocka_unit_test(a_fault_of_the_program_is_nobodys),
		cmocka_unit_test(a_fault_at_the_engines_stop_is_contained),
		cmocka_unit_test(after_the_stop_all_is_as_before),
	};
	return cmocka_run_group_tests_name("recover death", tests, NULL, NULL);
}
