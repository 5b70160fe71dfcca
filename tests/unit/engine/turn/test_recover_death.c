/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fault that is not an agent's alone kills the process by its signal, after a report that
 * names the agent that ran, its function, and why; one in on_stop at the engine's stop is contained
 * like any other.
 * Method: engines in forked children, whose stderr is read.
 */
#include <link.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "capabilities/sanitizer.h"
#include "tests/unit/engine/faulty.h"

#if TERN_ASAN || TERN_TSAN
enum { INTERCEPTED = 1 };
#else
enum { INTERCEPTED = 0 };
#endif

enum { PLAIN = 1, REPORT_MAX = 1024 };

/* Bad pointers, and nothing that the compiler could know of them. */
static FILE *volatile no_stream = (FILE *)8;
static char *volatile no_text = (char *)8;
static FILE *volatile a_stream;

/* Ways to have other people's code fault. */
AGENT static void use_no_stream(struct tern_agent *self)
{
	(void)self;
	rewind(no_stream);
	result_sink = 1; /* no tail call */
}

AGENT static void print_no_text(struct tern_agent *self)
{
	(void)self;
	result_sink = fprintf(a_stream, "%s %s", "no", no_text);
}

AGENT static void free_no_block(struct tern_agent *self)
{
	(void)self;
	free(no_text);
}

static int look_at_module(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)info, (void)size, (void)context;
	crash(NULL_WRITE);
	return 1;
}

/* Own text, but the loader's lock is held below it. */
AGENT static void fail_below_the_loader(struct tern_agent *self)
{
	result_sink = dl_iterate_phdr(look_at_module, self);
}

AGENT static void send_no_bytes(struct tern_agent *self) TERN_OWNS(self);
AGENT static void send_no_bytes(struct tern_agent *self)
{
	result_sink = tern_signal_bytes(self, tern_self(self), 0, no_text, 40);
}

AGENT static void give_up(struct tern_agent *self)
{
	(void)self;
	abort();
}

static void (*volatile way)(struct tern_agent *self);

TERN_HANDLER(FAULTY static, go_that_way)
{
	way(self);
	result_sink = 1;
}

TERN_FIBER(FAULTY static, go_deep)
{
	tern_sleep(self, 1000);
	way(self);
	return 1;
}

AGENT static void start_that_way(struct tern_agent *self, void *state)
{
	(void)state;
	way(self);
	result_sink = 1;
}

static const struct tern_behaviour handler_behaviour = {.name = "goes astray",
							.handler = go_that_way};
static const struct tern_behaviour fiber_behaviour = {.name = "fiber", .fiber = go_deep};
static const struct tern_behaviour start_behaviour = {
	.name = "starts", .handler = go_that_way, .on_start = start_that_way};

/* What a child is to do. */
struct scene {
	const struct tern_behaviour *behaviour;
	const char *name;
	bool polled;
	void (*way)(struct tern_agent *self);
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
	a_stream = fopen("/dev/null", "w");
	way = scene->way;
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

static void a_fault_where_a_lock_may_be_held_names_the_agent(void **state)
{
	(void)state;
	for (int polled = 0; polled < 2; polled++) {
		struct scene scenes[] = {{&handler_behaviour, NULL, polled, use_no_stream},
					 {&handler_behaviour, "desk/7", polled, use_no_stream},
					 {&fiber_behaviour, "desk/8", polled, use_no_stream},
					 {&start_behaviour, NULL, polled, use_no_stream},
					 {&handler_behaviour, NULL, polled, fail_below_the_loader}};
		check_death(&scenes[0], SIGSEGV,
			    "in agent goes astray, handler: in rewind(), which cannot be left");
		check_death(&scenes[1], SIGSEGV, "in agent desk/7, handler: in rewind()");
		check_death(&scenes[2], SIGSEGV, "in agent desk/8, fiber: in rewind()");
		check_death(&scenes[3], SIGSEGV, "in agent starts, on_start: in rewind()");
		check_death(&scenes[3], SIGSEGV, "tern: SIGSEGV at address 0x8, pc 0x");
		check_death(&scenes[4], SIGSEGV, "handler: in dl_iterate_phdr()");
	}
}

/* The sanitizers have a printf() and a free() of their own, which look first. */
static void a_fault_in_a_stream_or_the_heap_names_it(void **state)
{
	(void)state;
	if (INTERCEPTED) {
		print_message("sanitizers intercept these functions\n");
		skip();
	}
	struct scene scenes[] = {{&handler_behaviour, NULL, true, print_no_text},
				 {&fiber_behaviour, NULL, true, print_no_text},
				 {&start_behaviour, NULL, true, free_no_block}};
	check_death(&scenes[0], SIGSEGV, "in agent goes astray, handler: in fprintf()");
	check_death(&scenes[1], SIGSEGV, "in agent fiber, fiber: in fprintf()");
	check_death(&scenes[2], SIGSEGV, "in agent starts, on_start: in free()");
}

static void a_fault_in_the_engine_names_the_agent(void **state)
{
	struct scene scene = {&handler_behaviour, NULL, true, send_no_bytes};
	(void)state;
	check_death(&scene, SIGSEGV, "the engine, which cannot go on");
	check_death(&scene, SIGSEGV, "in agent goes astray");
}

static void an_abort_names_the_agent(void **state)
{
	struct scene scene = {&handler_behaviour, "desk/9", false, give_up};
	(void)state;
	check_death(&scene, SIGABRT, "in agent desk/9, handler: abort() ends the process\n");
}

/* No agent's function, though it runs between them. */
static bool pop_badly(void *state, uint64_t now_ns, uint32_t *place)
{
	(void)state, (void)now_ns, (void)place;
	crash(NULL_WRITE);
	return false;
}

static void push_nothing(void *state, uint32_t place, const struct tern_task *task)
{
	(void)state, (void)place, (void)task;
}

static int fault_in_a_policy(const struct scene *scene)
{
	static const struct tern_scheduler bad = {
		.name = "bad", .push = push_nothing, .pop = pop_badly};
	struct tern_config config;
	struct world world = {.polled = scene->polled};
	tern_address agent;
	world_config(&config, scene->polled);
	config.scheduler = &bad;
	config.schedules[0] = TERN_SCHEDULE_CUSTOM;
	config.schedule_count = 1;
	if (tern_engine_start(&world.engine, &config, NULL) != 0)
		return 2;
	world.self = tern_thread_attach(world.engine, NULL, NULL);
	if (tern_spawn(world.self, scene->behaviour, NULL, NULL, &agent) != 0 ||
	    send_number(world.self, agent, PLAIN, 0) != 0)
		return 3;
	for (int i = 0; i < 100000; i++)
		world_poll(&world);
	return 4;
}

static void a_fault_in_a_policy_is_no_agents(void **state)
{
	struct scene scene = {&handler_behaviour, NULL, true, give_up};
	(void)state;
	struct fate fate = fate_of(fault_in_a_policy, &scene);
	if (!WIFSIGNALED(fate.status) || WTERMSIG(fate.status) != SIGSEGV)
		fail_msg("status %#x: %s", (unsigned)fate.status, fate.report);
	assert_non_null(strstr(fate.report, "in the scheduling policy, which cannot be left\n"));
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
		cmocka_unit_test(a_fault_where_a_lock_may_be_held_names_the_agent),
		cmocka_unit_test(a_fault_in_a_stream_or_the_heap_names_it),
		cmocka_unit_test(a_fault_in_the_engine_names_the_agent),
		cmocka_unit_test(an_abort_names_the_agent),
		cmocka_unit_test(a_fault_in_a_policy_is_no_agents),
		cmocka_unit_test(a_fault_of_the_program_is_nobodys),
		cmocka_unit_test(a_fault_at_the_engines_stop_is_contained),
		cmocka_unit_test(after_the_stop_all_is_as_before),
	};
	return cmocka_run_group_tests_name("recover death", tests, NULL, NULL);
}
