/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: threads attach up to max_threads, send and are sent to, and detach; the next thread in
 * a place has another address and inherits nothing.
 * Method: threads of the test beside the lcores; the refusals one by one.
 */
#include "tests/unit/support.h"

#include <pthread.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* gcc; some header gives it a __has_feature() that knows nothing */
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* Answers each signal with its own bytes. */
TERN_HANDLER(static, echo_handle)
{
	(void)!tern_signal_bytes(self, tern_signal_from(signal), tern_signal_type(signal),
				 tern_signal_data(signal), tern_signal_size(signal));
}

static const struct tern_behaviour echo_behaviour = {.name = "echo", .handler = echo_handle};

static void max_threads_is_exact(void **state)
{
	struct world *world = *state;
	struct tern_agent *threads[3];
	for (int i = 0; i < 3; i++) {
		threads[i] = tern_thread_attach(world->engine, NULL, NULL);
		assert_non_null(threads[i]);
		assert_true(tern_agent_alive(threads[i], tern_self(threads[i])));
		for (int j = 0; j < i; j++)
			assert_int_not_equal(tern_self(threads[i]), tern_self(threads[j]));
	}
	for (int i = 0; i < 10; i++) {
		tern_errno = 0;
		assert_null(tern_thread_attach(world->engine, NULL, NULL));
		assert_int_equal(tern_errno, EAGAIN);
		tern_thread_detach(threads[i % 3]);
		threads[i % 3] = tern_thread_attach(world->engine, NULL, NULL);
		assert_non_null(threads[i % 3]);
	}
	for (int i = 0; i < 3; i++)
		tern_thread_detach(threads[i]);
}

static void poll_handles_what_is_sent_to_the_thread(void **state)
{
	enum { COUNT = 5000 };
	struct world *world = *state;
	struct sink sink = {0};
	struct tern_agent *self = tern_thread_attach(world->engine, &sink_behaviour, &sink);
	tern_address echo = spawn_on(self, 0, &echo_behaviour, NULL);
	for (uint64_t i = 0; i < COUNT; i++) {
		/* No more on their way than the thread's mailbox takes: an echo is not repeated. */
		UNTIL(world, (tern_thread_poll(self), i - sink.expected < 200));
		UNTIL(world, send_number(self, echo, 1, i) == 0);
	}
	UNTIL(world, (tern_thread_poll(self), sink.expected == COUNT));
	assert_int_equal(sink.wrong, 0);
	assert_int_equal(tern_thread_poll(self), 0);
	tern_thread_detach(self);
}

static void threads_send_to_threads(void **state)
{
	struct world *world = *state;
	struct sink sink = {0};
	struct tern_agent *self = tern_thread_attach(world->engine, &sink_behaviour, &sink);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(send_number(world->self, tern_self(self), 1, i), 0);
		tern_thread_poll(self);
	}
	assert_int_equal(sink.expected, 100);
	/* And to itself. */
	for (uint64_t i = 100; i < 5000; i++)
		assert_int_equal(send_number(self, tern_self(self), 1, i), 0),
			tern_thread_poll(self);
	assert_int_equal(sink.expected, 5000);
	assert_int_equal(sink.wrong, 0);
	tern_thread_detach(self);
}

/* What was sent to a thread and not polled comes back; its address dies with it. */
static void an_address_dies_with_its_thread(void **state)
{
	struct world *world = *state;
	struct probe first = {.started = 1}, second = {.started = 1}, sender = {.started = 1};
	struct tern_agent *mine = tern_thread_attach(world->engine, &probe_behaviour, &sender);
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, &first);
	tern_address old = tern_self(self);
	for (int i = 0; i < 10; i++)
		assert_int_equal(send_number(mine, old, 1, 0), 0);
	tern_thread_detach(self);
	assert_int_equal(first.handled, 0);
	assert_int_equal(send_number(mine, old, 1, 0), -ESRCH);
	assert_false(tern_agent_alive(mine, old));
	self = tern_thread_attach(world->engine, &probe_behaviour, &second);
	assert_non_null(self);
	assert_int_not_equal(tern_self(self), old);
	assert_int_equal(send_number(mine, old, 1, 0), -ESRCH);
	assert_int_equal(send_number(mine, tern_self(self), 1, 0), 0);
	UNTIL(world, (tern_thread_poll(self), tern_thread_poll(mine), second.handled == 1));
	assert_int_equal(sender.returned, 10);
	assert_int_equal(first.handled + first.returned, 0);
	tern_thread_detach(self);
	tern_thread_detach(mine);
}

/* A place taken without a behaviour must not run the behaviour of who had it before. */
static void nothing_is_inherited_from_who_was_there_before(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct probe *victim = world_probes(world, 1);
	probe->started = 1;
	struct tern_agent *self = tern_thread_attach(world->engine, &probe_behaviour, probe);
	tern_thread_detach(self);
	self = tern_thread_attach(world->engine, NULL, NULL);
	tern_address agent = spawn_on(self, 0, &probe_behaviour, victim);
	world_settle(world);
	/* One signal comes back to it, one is sent to it. */
	assert_int_equal(tern_agent_stop(self, agent), 0);
	assert_int_equal(send_number(self, agent, 1, 0), 0);
	assert_int_equal(send_number(world->self, tern_self(self), 1, 0), 0);
	world_settle(world);
	while (tern_thread_poll(self))
		;
	assert_int_equal(victim->stopped, 1);
	assert_int_equal(probe->handled + probe->returned, 0);
	tern_thread_detach(self);
}

/* Blocks of a thread come home to its place, whoever has it then. */
static void blocks_come_home_after_the_thread_has_gone(void **state)
{
	enum { BLOCKS = 100 };
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &probe_behaviour, probe);
	struct tern_agent *self = tern_thread_attach(world->engine, NULL, NULL);
	uint32_t index = tern_lcore_index(self);
	for (int i = 0; i < BLOCKS; i++) {
		tern_iso *iso = tern_iso_create(tern_heap(self), 1000);
		assert_null(tern_signal_iso(self, agent, 1, iso));
	}
	tern_thread_detach(self);
	UNTIL(world, seen(&probe->handled) == BLOCKS);
	struct tern_lcore_stats stats = {0};
	self = tern_thread_attach(world->engine, NULL, NULL);
	assert_int_equal(tern_lcore_index(self), index);
	UNTIL(world, (tern_thread_poll(self), tern_lcore_stats(world->engine, index, &stats),
		      QUARANTINES || stats.blocks_out == 0));
	tern_thread_detach(self);
}

/* Gives a block of its own for each signal. */
TERN_HANDLER(static, giver_handle)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 100);
	assert_null(tern_signal_iso(self, tern_signal_from(signal), 1, iso));
}

static const struct tern_behaviour giver_behaviour = {.name = "giver", .handler = giver_handle};

enum { GIVEN = 5 };

struct taker {
	tern_iso *isos[GIVEN];
	uint64_t count;
};

static void taker_handle(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct taker *taker = state;
	(void)self;
	taker->isos[taker->count++] = tern_signal_take_iso(signal);
}

static const struct tern_behaviour taker_behaviour = {.name = "taker", .handler = taker_handle};

/* The lane by which others' blocks go home is full when it leaves: they go later, by an lcore. */
static void pass_on(int comes)
{
	struct world world;
	struct tern_config config;
	struct taker taker = {.count = 0};
	struct tern_spawn_options critical = {.lcore = 0, .priority = TERN_PRIORITY_CRITICAL};
	struct tern_lcore_stats stats = {0};
	tern_address urgent;
	uint64_t sent = 0;
	world_config(&config, true);
	config.max_threads = 2;
	config.express_depth = 16;
	world_open(&world, &config);
	struct probe *probe = world_probes(&world, 1);
	struct tern_agent *self = tern_thread_attach(world.engine, &taker_behaviour, &taker);
	tern_address giver = spawn_on(self, 0, &giver_behaviour, NULL);
	assert_int_equal(tern_spawn(self, &probe_behaviour, probe, &critical, &urgent), 0);
	for (uint64_t i = 0; i < GIVEN; i++)
		assert_int_equal(send_number(self, giver, 1, i), 0);
	UNTIL(&world, (tern_thread_poll(self), taker.count == GIVEN));
	while (send_number(self, urgent, 1, sent) == 0)
		sent++;
	for (int i = 0; i < GIVEN; i++)
		tern_iso_drop(tern_heap(self), taker.isos[i]);
	tern_thread_detach(self);
	/* Somebody may come at once, and leave. */
	for (int i = 0; i < comes; i++) {
		self = tern_thread_attach(world.engine, NULL, NULL);
		assert_non_null(self);
		tern_thread_detach(self);
	}
	tern_lcore_stats(world.engine, 0, &stats);
	assert_true(QUARANTINES || stats.blocks_out == GIVEN);
	world_settle(&world);
	tern_lcore_stats(world.engine, 0, &stats);
	assert_true(QUARANTINES || stats.blocks_out == 0);
	assert_int_equal(probe->handled, sent);
	self = tern_thread_attach(world.engine, NULL, NULL);
	assert_non_null(self);
	tern_thread_detach(self);
	world_close(&world);
}

static void what_it_cannot_pass_on_lcores_do(void **state)
{
	(void)state;
	pass_on(0);
	pass_on(3);
}

/* Attach, exchange and detach in a loop, beside others that do the same. */
struct visitor {
	struct tern_engine *engine;
	tern_address echo;
	uint64_t failures;
};

static void *visit(void *argument)
{
	struct visitor *visitor = argument;
	for (int round = 0; round < 30; round++) {
		struct sink sink = {0};
		struct tern_agent *self =
			tern_thread_attach(visitor->engine, &sink_behaviour, &sink);
		uint64_t sent = 0;
		if (!self) {
			visitor->failures++;
			break;
		}
		while (sink.expected < 200) {
			if (sent < 200 && send_number(self, visitor->echo, 1, sent) == 0)
				sent++;
			if (!tern_thread_poll(self))
				breathe();
		}
		visitor->failures += sink.wrong;
		tern_thread_detach(self);
	}
	return NULL;
}

static void threads_come_and_go(void **state)
{
	enum { VISITORS = 3 };
	struct world *world = *state;
	struct visitor visitors[VISITORS] = {0};
	pthread_t threads[VISITORS];
	tern_address echo = spawn_on(world->self, 0, &echo_behaviour, NULL);
	for (int i = 0; i < VISITORS; i++) {
		visitors[i] = (struct visitor){.engine = world->engine, .echo = echo};
		assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
	}
	for (int i = 0; i < VISITORS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(visitors[i].failures, 0);
	}
}

/* While the engine drains, a handler looks at what threads are told. */
struct late {
	struct tern_agent *thread; /* polled from here: the stopping thread is this one, too */
	uint64_t attached;
	uint64_t spawned;
	uint64_t sent;
	int attach_errno;
	int spawn_code;
	int thread_code;
};

static void late_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	struct late *late = state;
	tern_address agent = 0;
	(void)why, (void)result;
	late->attached = tern_thread_attach(tern_engine_of(self), NULL, NULL) != NULL;
	late->attach_errno = tern_errno;
	late->spawn_code = tern_spawn(self, &probe_behaviour, NULL, NULL, &agent);
	late->thread_code = send_number(late->thread, tern_self(self), 1, 0);
	late->spawned = agent != 0;
	late->sent++;
}

static void a_stopping_engine_refuses_threads(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "late", .handler = probe_handle, .on_stop = late_stop};
	struct tern_config config;
	struct world world;
	(void)state;
	world_config(&config, true);
	world_open(&world, &config);
	struct late *late = world_memory(&world, sizeof(*late));
	late->thread = tern_thread_attach(world.engine, NULL, NULL);
	spawn_on(world.self, 0, &behaviour, late);
	world_settle(&world);
	assert_int_equal(world_stop(&world, PATIENCE_NS, NULL), 0);
	assert_int_equal(late->sent, 1);
	assert_int_equal(late->attached, 0);
	assert_int_equal(late->attach_errno, ESHUTDOWN);
	assert_int_equal(late->spawn_code, -ESHUTDOWN);
	assert_int_equal(late->spawned, 0);
	assert_int_equal(late->thread_code, -ESHUTDOWN);
	world_forget(&world);
}

/* What a thread's handler must not do to itself. */
struct nosy {
	uint64_t entered;
	uint64_t depth;
	uint64_t deepest;
	uint64_t polled;
	int waited;
	tern_address other;
};

TERN_HANDLER(static, nosy_handle)
{
	struct nosy *nosy = state;
	nosy->depth++;
	nosy->entered++;
	nosy->deepest = nosy->depth > nosy->deepest ? nosy->depth : nosy->deepest;
	nosy->polled += tern_thread_poll(self);
	tern_iso *iso = tern_iso_create(tern_heap(self), 8);
	assert_non_null(iso);
	iso = tern_signal_wait(self, nosy->other, 0, iso, PATIENCE_NS);
	nosy->waited = tern_errno;
	tern_iso_drop(tern_heap(self), iso);
	tern_exit(self, 0);
	nosy->depth--;
}

static void a_thread_is_not_entered_twice(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "nosy", .handler = nosy_handle};
	struct world *world = *state;
	struct nosy *nosy = world_memory(world, sizeof(*nosy));
	struct tern_agent *thread = tern_thread_attach(world->engine, &behaviour, nosy);
	assert_non_null(thread);
	nosy->other = tern_self(world->self);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(send_number(world->self, tern_self(thread), 0, i), 0);
	while (tern_thread_poll(thread))
		;
	assert_int_equal(nosy->entered, 3);
	assert_int_equal(nosy->deepest, 1);
	assert_int_equal(nosy->polled, 0);
	assert_int_equal(nosy->waited, EDEADLK);
	/* Its tern_exit() did nothing: the place is still its own. */
	assert_true(tern_agent_alive(world->self, tern_self(thread)));
	tern_thread_detach(thread);
}

static int64_t no_fiber(struct tern_agent *self, void *state)
{
	(void)self, (void)state;
	return 0;
}

/* A thread has a stack already, and somebody has to handle what comes. */
static void a_behaviour_for_a_thread_has_a_handler(void **state)
{
	static const struct tern_behaviour behaviours[] = {
		{.name = "fiber", .fiber = no_fiber},
		{.name = "neither", .on_event = probe_event},
		{.name = "both", .handler = probe_handle, .fiber = no_fiber}};
	struct world *world = *state;
	struct probe probe = {.started = 1};
	for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		tern_errno = 0;
		assert_null(tern_thread_attach(world->engine, &behaviours[i], NULL));
		assert_int_equal(tern_errno, EINVAL);
	}
	/* And none of them has taken a place. */
	struct tern_agent *threads[3];
	for (int i = 0; i < 3; i++) {
		threads[i] = tern_thread_attach(world->engine, &probe_behaviour, &probe);
		assert_non_null(threads[i]);
		assert_int_equal(send_number(world->self, tern_self(threads[i]), 1, 0), 0);
		while (tern_thread_poll(threads[i]))
			;
		tern_thread_detach(threads[i]);
	}
	assert_int_equal(probe.handled, 3);
}

static struct tern_agent *attach_to(struct tern_engine *engine, uint32_t index)
{
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	assert_non_null(self);
	assert_int_equal(tern_lcore_index(self), index);
	return self;
}

/* All addresses of a place, one after the other: returns the first of them. */
static tern_address use_up(struct tern_engine *engine, uint32_t index)
{
	tern_address first = TERN_ADDRESS_NONE, before = TERN_ADDRESS_NONE;
	for (uint32_t i = 0; i < TERN_ADDRESS_GENERATION_MASK; i++) {
		struct tern_agent *self = attach_to(engine, index);
		first = first ? first : tern_self(self);
		assert_true(tern_self(self) > before);
		before = tern_self(self);
		tern_thread_detach(self);
	}
	return first;
}

/* Every generation there is, for real: a place then serves nobody, and old addresses stay dead. */
static void no_address_comes_to_life_again(void **state)
{
	struct world world = {.polled = true};
	struct tern_config config;
	struct tern_stop_report report;
	(void)state;
	if (SANITIZED) {
		print_message("16.8 million threads take too long under a sanitizer\n");
		skip();
	}
	world_config(&config, true);
	config.max_threads = 2;
	world_open(&world, &config);
	struct tern_agent *self = world.self;
	uint32_t index = tern_lcore_index(self);
	tern_address first = use_up(world.engine, index + 1);
	tern_errno = 0;
	assert_null(tern_thread_attach(world.engine, NULL, NULL));
	assert_int_equal(tern_errno, EAGAIN); /* the other place may come free */
	assert_false(tern_agent_alive(self, first));
	assert_int_equal(send_number(self, first, 1, 0), -ESRCH);
	/* A place that serves nobody is in nobody's way. */
	struct sink *sink = world_memory(&world, sizeof(*sink));
	tern_address agent = spawn_on(self, 0, &sink_behaviour, sink);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(send_number(self, agent, 1, i), 0);
	UNTIL(&world, seen(&sink->expected) == 100);
	tern_thread_detach(self);
	world.self = NULL;
	for (uint32_t i = 1; i < TERN_ADDRESS_GENERATION_MASK; i++)
		tern_thread_detach(attach_to(world.engine, index));
	tern_errno = 0;
	assert_null(tern_thread_attach(world.engine, NULL, NULL));
	assert_int_equal(tern_errno, ENOSPC);
	assert_int_equal(world_stop(&world, PATIENCE_NS, &report), 0);
	assert_int_equal(report.blocks_leaked, 0);
	world_forget(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(max_threads_is_exact),
		BOTH(poll_handles_what_is_sent_to_the_thread),
		BOTH(threads_send_to_threads),
		BOTH(an_address_dies_with_its_thread),
		POLLED(nothing_is_inherited_from_who_was_there_before),
		BOTH(blocks_come_home_after_the_thread_has_gone),
		cmocka_unit_test(what_it_cannot_pass_on_lcores_do),
		THREADED(threads_come_and_go),
		POLLED(a_thread_is_not_entered_twice),
		cmocka_unit_test(a_stopping_engine_refuses_threads),
		BOTH(a_behaviour_for_a_thread_has_a_handler),
		cmocka_unit_test(no_address_comes_to_life_again),
	};
	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
