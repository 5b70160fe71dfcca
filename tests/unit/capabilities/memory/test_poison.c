/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who touches a block that is no longer its own is stopped there and then: after a send with
 * the sender's name (-Ddebug_blocks=true), after a drop by AddressSanitizer, at a second drop in
 * any build; and what debug builds hold back is no leak.
 * Method: children that misuse a block, and how they die. Skipped where the build has no such
 * check.
 */
#include "tests/unit/capabilities/capability_test.h"

#include "tern.h"

#if TERN_DEBUG_BLOCKS
#define DEBUG_BLOCKS 1
#else
#define DEBUG_BLOCKS 0
#endif
#if TERN_ASAN
#define ASAN 1
#else
#define ASAN 0
#endif

static const size_t sizes[] = {1, 200, 3000, 20000, TERN_BLOCK_SIZE_MAX};

struct misuse {
	size_t size;
	size_t at; /* which byte is touched */
	enum { READ, WRITE, SEND, DROP } how;
	bool roaming; /* who it was sent to */
	tern_address sink;
	const struct tern_behaviour *of; /* who does it */
};

static void on_sink(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	uint64_t *received = state;
	tern_iso *iso = tern_signal_take_iso(signal);
	const unsigned char *data = tern_iso_data(iso);
	size_t size = tern_block_size(iso);
	if (data[0] == 0x5A && data[size - 1] == 0x5A)
		++*received;
	tern_iso_drop(tern_heap(self), iso);
}

static tern_iso *make(struct tern_agent *self, size_t size)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), size);
	if (iso)
		memset(tern_iso_data(iso), 0x5A, size);
	return iso;
}

/* Not through tern_iso_data(): the compiler must not see what is wrong here. */
static volatile unsigned char *byte_of(uintptr_t block, size_t at)
{
	return (unsigned char *)block + TERN_BLOCK_OFFSET + at;
}

/* Inline, so that it is in the text of who calls it. */
static inline __attribute__((always_inline)) void touch(const struct misuse *misuse,
							uintptr_t block)
{
	if (misuse->how == READ)
		(void)*byte_of(block, misuse->at);
	else
		*byte_of(block, misuse->at) = 1;
}

static void misuse_sent(struct tern_agent *self, const struct misuse *misuse, uintptr_t block)
{
	tern_iso *iso = (tern_iso *)block;
	if (misuse->how == READ || misuse->how == WRITE)
		touch(misuse, block);
	else if (misuse->how == DROP)
		tern_iso_drop(tern_heap(self), iso);
	else
		tern_iso_drop(tern_heap(self), tern_signal(self, misuse->sink, 1, iso));
}

static uintptr_t send_one(struct tern_agent *self, const struct misuse *misuse)
{
	tern_iso *iso = make(self, misuse->size);
	uintptr_t block = (uintptr_t)iso;
	if (!iso || tern_signal(self, misuse->sink, 1, iso) != NULL)
		_exit(3);
	return block;
}

static void on_leaver(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct misuse *misuse = state;
	(void)signal;
	misuse_sent(self, misuse, send_one(self, misuse));
}

/* In the agent's own text, where any other fault is its failure and no more. */
TERN_HANDLER(static, on_careless)
{
	touch(state, send_one(self, state));
}

TERN_FIBER(static, careless)
{
	touch(state, send_one(self, state));
	return 0;
}

static const struct tern_behaviour sink = {.name = "sink", .handler = on_sink};
static const struct tern_behaviour leaver = {.name = "careless leaver", .handler = on_leaver};
static const struct tern_behaviour own = {.name = "careless leaver", .handler = on_careless};
static const struct tern_behaviour fiber = {.name = "careless leaver", .fiber = careless};

static struct tern_engine *start(void)
{
	struct tern_config config;
	struct tern_engine *engine = NULL;
	struct tern_error error = {0};
	tern_config_init(&config);
	config.mode = TERN_MODE_POLLED;
	config.clock = TERN_CLOCK_VIRTUAL;
	config.max_agents = 64;
	config.block_mib = 4; /* 64 of the largest class: fewer than are held untouchable */
	if (tern_engine_start(&engine, &config, &error) != 0)
		fail_msg("%s", error.text);
	return engine;
}

static void send_and_misuse(void *argument)
{
	struct misuse *misuse = argument;
	struct tern_engine *engine = start();
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_spawn_options options = {.roaming = misuse->roaming};
	uint64_t received = 0;
	tern_address agent;
	if (tern_spawn(self, &sink, &received, &options, &misuse->sink) != 0 ||
	    tern_spawn(self, misuse->of, misuse, NULL, &agent) != 0 ||
	    tern_signal_bytes(self, agent, 1, "", 1) != 0)
		_exit(3);
	tern_engine_poll(engine);
}

static void needs_debug_blocks(void)
{
	if (DEBUG_BLOCKS)
		return;
	print_message("skipped: needs a build with -Ddebug_blocks=true\n");
	skip();
}

static void expect_named(const struct misuse *misuse)
{
	struct misuse copy = *misuse;
	char text[4096];
	copy.of = misuse->of ? misuse->of : &leaver;
	int status = run_in_child(send_and_misuse, &copy, text, sizeof(text));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		fail_msg("size %zu, byte %zu: status %d, not SIGSEGV: %s", misuse->size, misuse->at,
			 status, text);
	assert_contains(text, "touch after send");
	assert_contains(text, "sent by agent 'careless leaver'");
}

static void test_touch_after_send(void **state)
{
	(void)state;
	needs_debug_blocks();
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		expect_named(&(struct misuse){.size = sizes[i], .how = READ});
		expect_named(&(struct misuse){.size = sizes[i], .how = WRITE});
		expect_named(&(struct misuse){.size = sizes[i], .at = sizes[i] - 1, .how = WRITE});
		expect_named(&(struct misuse){.size = sizes[i], .how = WRITE, .roaming = true});
	}
}

/* One that a full mailbox refuses is still its sender's, whole, and goes there again. */
static void test_refused_block_stays(void **state)
{
	struct tern_engine *engine = start();
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_stop_report report;
	uint64_t received = 0;
	tern_address agent;
	(void)state;
	for (int roaming = 0; roaming <= 1; roaming++) {
		struct tern_spawn_options options = {.roaming = roaming, .capacity = 1};
		assert_int_equal(tern_spawn(self, &sink, &received, &options, &agent), 0);
		assert_int_equal(tern_agent_pause(self, agent), 0);
		tern_iso *iso = NULL;
		while (!iso) { /* beyond its bound a pinned one has what lies in the lane */
			tern_engine_poll(engine);
			iso = make(self, 3000);
			uintptr_t block = (uintptr_t)iso;
			iso = tern_signal(self, agent, 1, iso);
			assert_true(!iso || (uintptr_t)iso == block);
		}
		memset(tern_iso_data(iso), 0x5A, 3000);
		assert_int_equal(tern_agent_resume(self, agent), 0);
		tern_engine_poll(engine);
		uint64_t before = received;
		assert_true(before > 0);
		assert_null(tern_signal(self, agent, 1, iso));
		tern_engine_poll(engine);
		assert_int_equal(received, before + 1);
	}
	tern_thread_detach(self);
	assert_int_equal(tern_engine_stop(engine, 1000000000, &report), 0);
	assert_int_equal(report.blocks_leaked, 0);
}

/* Not contained: the block may be another agent's by now. */
static void test_touch_after_send_in_own_text(void **state)
{
	static const struct tern_behaviour *const agents[] = {&own, &fiber};
	(void)state;
	needs_debug_blocks();
	for (size_t i = 0; i < RTE_DIM(sizes); i++)
		for (size_t who = 0; who < RTE_DIM(agents); who++) {
			expect_named(
				&(struct misuse){.size = sizes[i], .how = READ, .of = agents[who]});
			expect_named(&(struct misuse){.size = sizes[i],
						      .at = sizes[i] - 1,
						      .how = WRITE,
						      .of = agents[who]});
		}
}

static void test_double_send(void **state)
{
	(void)state;
	needs_debug_blocks();
	for (size_t i = 0; i < RTE_DIM(sizes); i++)
		expect_named(&(struct misuse){.size = sizes[i], .how = SEND});
}

static void test_drop_after_send(void **state)
{
	(void)state;
	needs_debug_blocks();
	for (size_t i = 0; i < RTE_DIM(sizes); i++)
		expect_named(&(struct misuse){.size = sizes[i], .how = DROP});
}

static void fault_elsewhere(void *argument)
{
	volatile uintptr_t nowhere = 8;
	start();
	if (*(bool *)argument)
		raise(SIGSEGV); /* by hand: does not happen again by itself */
	else
		*(volatile uint64_t *)nowhere = 0;
	_exit(4);
}

/* A fault that has nothing to do with blocks is left to whoever handled it before. */
static void test_other_faults(void **state)
{
	char text[4096];
	(void)state;
	needs_debug_blocks();
	for (int by_hand = 0; by_hand <= 1; by_hand++) {
		bool argument = by_hand;
		int status = run_in_child(fault_elsewhere, &argument, text, sizeof(text));
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		/* No block is to blame. */
		assert_null(strstr(text, "block"));
	}
}

static void test_handler_is_given_back(void **state)
{
	struct sigaction before, after;
	(void)state;
	sigaction(SIGSEGV, NULL, &before);
	struct tern_engine *one = start(), *other = start();
	tern_engine_stop(one, 0, NULL);
	tern_engine_stop(other, 0, NULL);
	sigaction(SIGSEGV, NULL, &after);
	assert_true(before.sa_handler == after.sa_handler);
}

static void drop_twice(void *argument)
{
	struct heaps heaps;
	heaps_init(&heaps, 2, (size_t)1 << 20);
	tern_iso *iso = tern_iso_create(&heaps.heap[0], *(size_t *)argument);
	volatile uintptr_t block = (uintptr_t)iso;
	tern_iso_drop(&heaps.heap[0], iso);
	tern_iso_drop(&heaps.heap[1], (tern_iso *)block);
}

static void test_drop_twice(void **state)
{
	char text[4096];
	(void)state;
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		size_t size = sizes[i];
		int status = run_in_child(drop_twice, &size, text, sizeof(text));
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		assert_contains(text, "freed twice on lcore 1");
	}
}

static void touch_dropped(void *argument)
{
	const struct misuse *misuse = argument;
	struct heaps heaps;
	heaps_init(&heaps, 1, (size_t)1 << 20);
	tern_iso *iso = tern_iso_create(&heaps.heap[0], misuse->size);
	uintptr_t block = (uintptr_t)iso;
	if (misuse->how == DROP)
		tern_iso_drop(&heaps.heap[0], iso);
	*byte_of(block, misuse->at) = 1;
}

static void expect_reported(const struct misuse *misuse)
{
	struct misuse copy = *misuse;
	static char text[1 << 16];
	int status = run_in_child(touch_dropped, &copy, text, sizeof(text));
	assert_true(status != 0);
	assert_contains(text, "use-after-poison");
}

static void test_touch_after_drop(void **state)
{
	(void)state;
	if (!ASAN) {
		print_message("skipped: needs a build with -Db_sanitize=address\n");
		skip();
	}
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		expect_reported(&(struct misuse){.size = sizes[i], .how = DROP});
		expect_reported(
			&(struct misuse){.size = sizes[i], .at = sizes[i] - 1, .how = DROP});
	}
	/* Beyond the end, in the room that the class leaves, of a block never used before. */
	expect_reported(&(struct misuse){.size = 100, .at = 104, .how = WRITE});
}

/* Far more blocks than are held untouchable, from a pool that could not hold them all. */
static void test_nothing_leaks(void **state)
{
	enum { COUNT = 3000 };
	struct tern_engine *engine = start();
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	struct tern_rng rng = test_rng(81);
	struct tern_stop_report report;
	uint64_t received = 0;
	tern_address agent;
	(void)state;
	assert_non_null(self);
	assert_int_equal(tern_spawn(self, &sink, &received, NULL, &agent), 0);
	for (int i = 0; i < COUNT; i++) {
		tern_iso *iso = make(self, 1 + draw(&rng, TERN_BLOCK_SIZE_MAX));
		assert_non_null(iso);
		assert_null(tern_signal(self, agent, 1, iso));
		if (i % 8 == 0) {
			tern_engine_poll(engine);
			tern_thread_poll(self);
		}
	}
	tern_engine_poll(engine);
	assert_int_equal(received, COUNT);
	tern_thread_detach(self);
	assert_int_equal(tern_engine_stop(engine, 1000000000, &report), 0);
	assert_int_equal(report.blocks_leaked, 0);
	assert_int_equal(report.undelivered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_touch_after_send),
		cmocka_unit_test(test_refused_block_stays),
		cmocka_unit_test(test_touch_after_send_in_own_text),
		cmocka_unit_test(test_double_send),
		cmocka_unit_test(test_drop_after_send),
		cmocka_unit_test(test_other_faults),
		cmocka_unit_test(test_handler_is_given_back),
		cmocka_unit_test(test_drop_twice),
		cmocka_unit_test(test_touch_after_drop),
		cmocka_unit_test(test_nothing_leaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
