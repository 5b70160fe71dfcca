/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fault in any function of an agent, in what it calls, in libc on its behalf or by a call
 * that leads nowhere fails that agent alone, at any optimisation, whether the library is linked
 * statically or not, and in plug-ins; faults leave nothing behind; whoever polls contains them.
 * Method: own_ways.h, gone from every function of an agent beside a neighbour that counts; without
 * a mark anywhere. A hundred thousand faults (a million with `--long`), and the memory before and
 * after.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include "actor.h"
#include "capabilities/sanitizer.h"
#include "own_ways.h"

#if TERN_ASAN || TERN_TSAN
enum { INTERCEPTED = 1 };
#else
enum { INTERCEPTED = 0 };
#endif

enum { PLAIN = 1, TICK };

enum place { IN_HANDLER, IN_TIMER, IN_START, IN_EVENT, IN_ERROR, IN_STOP, IN_FIBER, PLACES };

static const char *const places[PLACES] = {"handler",  "timer",	  "on_start", "on_event",
					   "on_error", "on_stop", "fiber"};

struct straying {
	struct actor actor;
	enum place place;
	const struct own_way *way;
};

/* With sanitizers one takes a millisecond. */
static uint64_t faults_in_a_row = INTERCEPTED ? 1000 : 100000;

/* Not marked: no TERN_HANDLER, no TERN_TEXT. */
static void go_in(const struct straying *straying, enum place place)
{
	if (straying->place == place)
		straying->way->go();
}

static void handle(struct tern_agent *self, void *state, struct tern_signal *signal) TERN_OWNS(self)
{
	struct straying *straying = state;
	go_in(straying, tern_signal_type(signal) == TICK ? IN_TIMER : IN_HANDLER);
	if (straying->place == IN_TIMER)
		tern_timer_start(self, &straying->actor.timer, 1000, 0, TICK);
	else if (straying->place == IN_ERROR)
		tern_fail(self, -EIO, "on purpose");
	else if (straying->place == IN_STOP)
		tern_exit(self, 5);
	else if (straying->place == IN_EVENT && tern_watch(self, straying->actor.peer) == 0)
		(void)!tern_agent_stop(self, straying->actor.peer);
}

static void start(struct tern_agent *self, void *state)
{
	probe_start(self, state);
	go_in(state, IN_START);
}

static void hear(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)self, (void)event;
	go_in(state, IN_EVENT);
}

static void hear_error(struct tern_agent *self, void *state, const struct tern_error *error)
{
	actor_error(self, state, error);
	go_in(state, IN_ERROR);
}

static void stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	probe_stop(self, state, why, result);
	go_in(state, IN_STOP);
}

static int64_t run(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	tern_sleep(self, 1000);
	go_in(state, IN_FIBER);
	return 0;
}

static const struct tern_behaviour straying_handler = {.name = "straying",
						       .handler = handle,
						       .on_start = start,
						       .on_event = hear,
						       .on_error = hear_error,
						       .on_stop = stop};
static const struct tern_behaviour straying_fiber = {.name = "straying",
						     .fiber = run,
						     .on_start = start,
						     .on_error = hear_error,
						     .on_stop = stop};

static void check_end(const struct straying *straying, const struct tern_ended *ended)
{
	const struct actor *actor = &straying->actor;
	bool failed = straying->place != IN_STOP;
	bool told = straying->place != IN_ERROR;
	int64_t result = straying->place == IN_STOP ? 5 : told ? -EFAULT : -EIO;
	if (ended->why != (failed ? TERN_END_FAILED : TERN_END_EXIT) || ended->result != result)
		fail_msg("%s in %s: ended by %d with %lld", straying->way->name,
			 places[straying->place], (int)ended->why, (long long)ended->result);
	assert_int_equal(actor->errors, failed);
	assert_int_equal(actor->probe.stopped, told);
}

static void go_once(struct world *world, enum place place, const struct own_way *way)
{
	struct tern_spawn_options options = {.lcore = 0, .watch = true};
	struct straying *straying = world_memory(world, sizeof(*straying));
	struct tern_ended ended;
	straying->place = place;
	straying->way = way;
	if (place == IN_EVENT)
		straying->actor.peer =
			spawn_on(world->self, 1, &probe_behaviour, world_probes(world, 1));
	tern_address agent = spawn_with(
		world, place == IN_FIBER ? &straying_fiber : &straying_handler, straying, &options);
	if (place != IN_START && place != IN_FIBER)
		send_surely(world, agent, PLAIN, 0);
	if (tern_wait(world->self, agent, PATIENCE_NS, &ended) != 0)
		fail_msg("%s in %s: did not end", way->name, places[place]);
	check_end(straying, &ended);
}

/* From each function, and a neighbour on the same lane that loses nothing. */
static void go_all_ways(struct world *world, const struct own_way *ways)
{
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address neighbour = spawn_on(world->self, 0, &sink_behaviour, sink);
	uint64_t number = 0;
	for (const struct own_way *way = ways; way->name; way++)
		for (int place = 0; place < PLACES; place++) {
			if (way->also && INTERCEPTED)
				continue;
			send_surely(world, neighbour, PLAIN, number++);
			go_once(world, (enum place)place, way);
			send_surely(world, neighbour, PLAIN, number++);
		}
	UNTIL(world, seen(&sink->expected) == number);
	assert_int_equal(sink->wrong, 0);
}

static struct world world_of(bool polled)
{
	struct tern_config config;
	struct world world;
	world_config(&config, polled);
	world_open(&world, &config);
	return world;
}

static void any_function_fails_alone(void **state)
{
	struct world world = world_of(*(const bool *)*state);
	go_all_ways(&world, own_ways);
	world_close(&world);
}

/* Loaded while the engine runs: by the table it knows nothing of it. */
static void so_does_a_plug_in(void **state)
{
	struct world world = world_of(*(const bool *)*state);
	void *plug_in = dlopen(PLUG_IN, RTLD_NOW | RTLD_LOCAL);
	if (!plug_in)
		fail_msg("%s", dlerror());
	const struct own_way *ways = dlsym(plug_in, "own_ways");
	assert_non_null(ways);
	assert_ptr_not_equal(ways, own_ways);
	go_all_ways(&world, ways);
	world_close(&world);
	dlclose(plug_in);
}

/* On the lcore's own stack, of megabytes: each frame of it would be walked. */
static volatile int no_depth;

static __attribute__((noinline, no_sanitize("thread", "undefined", "address"))) int
go_down(int depth) // NOLINT(misc-no-recursion)
{
	volatile char here[2000];
	here[0] = (char)depth;
	return depth < no_depth ? 0 : go_down(depth + 1) + here[0];
}

static void go_down_for_ever(void)
{
	no_depth = go_down(0) * 0;
}

static void so_does_one_without_end(void **state)
{
	static const struct own_way way = {"without end", go_down_for_ever, false};
	struct world world = world_of(*(const bool *)*state);
	for (int i = 0; i < 10; i++)
		go_once(&world, i % 2 ? IN_HANDLER : IN_STOP, &way);
	world_close(&world);
}

static uint64_t resident_kib(void)
{
	unsigned long long all, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu %llu", &all, &resident), 2);
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* Eight ways, four functions, a block in hand each: in the heap, the slots and the stacks. */
static void fail_many_times(struct world *world, struct straying *straying, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++) {
		struct tern_spawn_options options = {.lcore = i % 2};
		straying->actor.errors = 0;
		straying->place = i % 4 == 0 ? IN_FIBER : i % 4 == 1 ? IN_START : IN_HANDLER;
		straying->way = &own_ways[i % (INTERCEPTED ? 8 : 12)];
		bool fiber = straying->place == IN_FIBER;
		tern_address agent = spawn_with(world, fiber ? &straying_fiber : &straying_handler,
						straying, &options);
		tern_iso *iso = tern_iso_create(tern_heap(world->self), 300);
		assert_non_null(iso);
		iso = tern_signal_iso(world->self, agent, PLAIN, iso);
		assert_null(iso);
		UNTIL(world, !tern_agent_alive(world->self, agent));
		if (straying->actor.errors != 1)
			fail_msg("fault %llu: %s in %s", (unsigned long long)i, straying->way->name,
				 places[straying->place]);
	}
	world_settle(world);
}

static void many_faults_leave_nothing_behind(void **state)
{
	struct world world = world_of(true);
	struct straying *straying = world_memory(&world, sizeof(*straying));
	struct timespec from;
	(void)state;
	/* Until each slot, block and stack has been used once. */
	fail_many_times(&world, straying, INTERCEPTED ? 100 : 10000);
	uint64_t before = resident_kib();
	clock_gettime(CLOCK_MONOTONIC, &from);
	fail_many_times(&world, straying, faults_in_a_row);
	uint64_t ns = patience_ns(&(struct patience){.from = from});
	uint64_t after = resident_kib();
	print_message("%" PRIu64 " faults, %" PRIu64 " ns each; resident KiB %" PRIu64 ", %" PRIu64
		      "\n",
		      faults_in_a_row, ns / faults_in_a_row, before, after);
	/* Random ids touch the routing table's pages one by one, 2 MiB of them; a line lost by each
	 * fault would be 6 MiB at least. */
	if (!INTERCEPTED)
		assert_in_range(after, 0, before + 3072);
	world_close(&world); /* no block is left */
}

struct poller {
	struct world *world;
	uint64_t done;
};

static void *poll_until_done(void *argument)
{
	struct poller *poller = argument;
	while (!seen(&poller->done))
		for (uint32_t i = 0; i < WORLD_LCORES; i++)
			tern_lcore_poll(tern_engine_lcore(poller->world->engine, i));
	return NULL;
}

/* Not the thread that started the engine; one after the other, as many as there are. */
static void another_thread_may_poll(void **state)
{
	struct world world = world_of(true);
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct poller poller = {.world = &world};
		struct straying *straying = world_memory(&world, sizeof(*straying));
		pthread_t thread;
		straying->place = IN_HANDLER;
		straying->way = &own_ways[i % 4];
		tern_address agent = spawn_on(world.self, 0, &straying_handler, straying);
		send_surely(&world, agent, PLAIN, 0);
		assert_int_equal(pthread_create(&thread, NULL, poll_until_done, &poller), 0);
		for (int j = 0; j < 100000 && !seen(&straying->actor.probe.stopped); j++) {
			tern_thread_poll(world.self);
			breathe();
		}
		put(&poller.done, 1);
		pthread_join(thread, NULL);
		assert_int_equal(straying->actor.probe.stopped, 1);
		assert_int_equal(straying->actor.probe.why, TERN_END_FAILED);
	}
	world_close(&world);
}

/* An agent that polls the engine of others, and its own lcore, in vain; then it fails. */
static struct world *inner;

static void poll_others(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct straying *straying = state;
	(void)signal;
	for (uint32_t i = 0; i < WORLD_LCORES; i++)
		straying->actor.count += tern_lcore_poll(tern_engine_lcore(inner->engine, i));
	straying->actor.step =
		tern_lcore_poll(tern_engine_lcore(tern_engine_of(self), tern_lcore_index(self)));
	straying->way->go();
}

static void an_engine_may_be_polled_by_anothers_agent(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "poller",
							.handler = poll_others,
							.on_error = hear_error,
							.on_stop = probe_stop};
	struct world outer = world_of(*(const bool *)*state), within = world_of(true);
	struct straying *straying = world_memory(&outer, sizeof(*straying));
	struct straying *polled = world_memory(&within, sizeof(*polled));
	inner = &within;
	straying->way = polled->way = &own_ways[0];
	tern_address agent = spawn_on(within.self, 0, &straying_handler, polled);
	send_surely(&within, agent, PLAIN, 0);
	send_surely(&outer, spawn_on(outer.self, 0, &behaviour, straying), PLAIN, 0);
	UNTIL(&outer, seen(&straying->actor.probe.stopped));
	assert_int_equal(straying->actor.probe.why, TERN_END_FAILED);
	assert_int_equal(straying->actor.step, 0);
	assert_true(straying->actor.count > 0);
	UNTIL(&within, seen(&polled->actor.probe.stopped));
	assert_int_equal(polled->actor.probe.why, TERN_END_FAILED);
	world_close(&within);
	world_close(&outer);
}

int main(int argc, char **argv)
{
	static bool polled = true, threaded = false;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(any_function_fails_alone, &polled),
		cmocka_unit_test_prestate(any_function_fails_alone, &threaded),
		cmocka_unit_test_prestate(so_does_a_plug_in, &polled),
		cmocka_unit_test_prestate(so_does_a_plug_in, &threaded),
		cmocka_unit_test_prestate(so_does_one_without_end, &polled),
		cmocka_unit_test_prestate(so_does_one_without_end, &threaded),
		cmocka_unit_test(many_faults_leave_nothing_behind),
		cmocka_unit_test(another_thread_may_poll),
		cmocka_unit_test_prestate(an_engine_may_be_polled_by_anothers_agent, &polled),
		cmocka_unit_test_prestate(an_engine_may_be_polled_by_anothers_agent, &threaded),
	};
	if (argc > 1 && strcmp(argv[1], "--long") == 0)
		faults_in_a_row = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	return cmocka_run_group_tests_name("own", tests, NULL, NULL);
}
