/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a signal and a spawn come to, whatever the machine is doing: so many instructions at
 * most, no system call, no allocation, no clock. A signal takes no lock, and one with a block
 * checks no more than one with a tag.
 * Method: an agent of a polled engine sends and spawns, in a child process that is stepped.
 */
#include <sys/mman.h>

#include "tests/unit/support.h"

#include "tests/unit/counted.h"

/* The first calls bind symbols and draw memory. */
enum { WARM = 8, SIGNALS = 64, SPAWNS = 64, BATCH = 16, VAL_MORE = 8, ISO_MORE = 64 };
#define PAGE ((size_t)4096)

static struct counts counts;

enum load { BYTES, TAG, ISO, VAL };

struct caller {
	tern_address to;
	enum load load;
	struct probe *children;
};

static int send_bytes(struct tern_agent *self, tern_address to)
{
	uint64_t number = 7;
	COUNTED_BEGIN();
	int code = tern_signal_bytes(self, to, 1, &number, sizeof(number));
	COUNTED_END();
	return code;
}

static int send_tag(struct tern_agent *self, tern_address to)
{
	tern_tag *tag = tern_tag_make(to);
	COUNTED_BEGIN();
	int code = tern_signal(self, to, 1, tag);
	COUNTED_END();
	return code;
}

static int send_iso(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 64);
	COUNTED_BEGIN();
	iso = tern_signal(self, to, 1, iso);
	COUNTED_END();
	tern_iso_drop(tern_heap(self), iso);
	return iso ? -tern_errno : 0;
}

static int send_val(struct tern_agent *self, tern_address to)
{
	const tern_val *val = tern_iso_freeze(tern_iso_create(tern_heap(self), 64));
	COUNTED_BEGIN();
	val = tern_signal(self, to, 1, val);
	COUNTED_END();
	tern_val_drop(tern_heap(self), val);
	return val ? -tern_errno : 0;
}

static int send_once(struct tern_agent *self, const struct caller *caller)
{
	static int (*const sends[])(struct tern_agent *, tern_address) = {
		[BYTES] = send_bytes, [TAG] = send_tag, [ISO] = send_iso, [VAL] = send_val};
	return sends[caller->load](self, caller->to);
}

TERN_HANDLER(static, caller_handle)
{
	(void)signal;
	if (send_once(self, state) != 0)
		tern_exit(self, 1);
}

static const struct tern_behaviour caller_behaviour = {.name = "caller", .handler = caller_handle};

TERN_HANDLER(static, parent_handle)
{
	const struct caller *caller = state;
	(void)signal;
	for (int i = 0; i < WARM + SPAWNS; i++) {
		tern_address address;
		COUNTED_BEGIN();
		int code = tern_spawn(self, &probe_behaviour, &caller->children[i], NULL, &address);
		COUNTED_END();
		if (code != 0)
			tern_exit(self, 1);
	}
}

static const struct tern_behaviour parent_behaviour = {.name = "parent", .handler = parent_handle};

/* With the clock that programs have: a virtual one is not read from the CPU. */
static void open_counted(struct world *world)
{
	struct tern_config config;
	world_config(&config, true);
	config.clock = TERN_CLOCK_TSC;
	world_open(world, &config);
}

struct scene {
	uint32_t lcore; /* of the receiver; the sender is on 0 */
	enum load load;
};

static void send_many(void *context)
{
	const struct scene *scene = context;
	struct world world;
	open_counted(&world);
	struct caller caller = {.load = scene->load,
				.to = spawn_on(world.self, scene->lcore, &probe_behaviour,
					       world_probes(&world, 1))};
	tern_address agent = spawn_on(world.self, 0, &caller_behaviour, &caller);
	world_settle(&world);
	for (int i = 0; i < WARM + SIGNALS; i++) {
		(void)send_number(world.self, agent, 1, 0);
		if (i % BATCH == BATCH - 1)
			world_settle(&world);
	}
	world_settle(&world);
}

static void spawn_many(void *context)
{
	struct world world;
	(void)context;
	open_counted(&world);
	struct caller caller = {.children = world_probes(&world, WARM + SPAWNS)};
	tern_address agent = spawn_on(world.self, 0, &parent_behaviour, &caller);
	world_settle(&world);
	(void)send_number(world.self, agent, 1, 0);
	world_settle(&world);
}

/* All of them together, past those that are first; printed, to see how far the limits are. */
static struct counted sum_of(const char *what, uint32_t times)
{
	assert_int_equal(counts.count, WARM + times);
	struct counted sum = counted_sum(&counts, WARM, times);
	print_message("%s: %.1f instructions, at most %" PRIu64 "; %.2f locked\n", what,
		      (double)sum.instructions / times, counted_most(&counts, WARM, times),
		      (double)sum.locked / times);
	assert_int_equal(sum.system_calls, 0);
	assert_int_equal(sum.allocations, 0);
	assert_int_equal(sum.clock_reads, 0);
	return sum;
}

static struct counted count_signals(const char *what, struct scene scene)
{
	count_passages(send_many, &scene, &counts);
	struct counted sum = sum_of(what, SIGNALS);
	assert_int_equal(sum.locked, 0);
	return sum;
}

static void a_signal_is_a_few_plain_instructions(void **state)
{
	(void)state;
	for (uint32_t lcore = 0; lcore < WORLD_LCORES; lcore++) {
		struct counted sum = count_signals(lcore ? "signal to another lcore" : "signal",
						   (struct scene){.lcore = lcore});
		assert_in_range(sum.instructions, SIGNALS, 200 * SIGNALS);
		assert_in_range(counted_most(&counts, WARM, SIGNALS), 1, 400);
	}
}

/* A tag points to nothing that could be checked. */
static void a_block_is_passed_on_like_a_tag(void **state)
{
	(void)state;
	struct counted tag = count_signals("tag", (struct scene){.lcore = 1, .load = TAG});
	struct counted iso = count_signals("iso", (struct scene){.lcore = 1, .load = ISO});
	struct counted val = count_signals("val", (struct scene){.lcore = 1, .load = VAL});
	assert_in_range(val.instructions, SIGNALS, tag.instructions + VAL_MORE * SIGNALS);
	/* The place where debug_blocks builds move it is a call in others, too. */
	assert_in_range(iso.instructions, SIGNALS, tag.instructions + ISO_MORE * SIGNALS);
}

/* Keeps what it is sent, as a number. */
TERN_HANDLER(static, keep_block)
{
	uintptr_t *kept = state;
	(void)self;
	put(kept, tern_signal_has_iso(signal) ? (uintptr_t)tern_signal_take_iso(signal)
					      : (uintptr_t)tern_signal_take_val(signal));
}

static const struct tern_behaviour keeper_behaviour = {.name = "keeper", .handler = keep_block};

/* A block, as a number that may change: compilers find that it has several owners here. */
static volatile uintptr_t place;

/* One that cannot be read: who looked into it would end the program. */
static void nobody_looks_into_a_block_on_its_way(void **state)
{
	struct world *world = *state;
	uintptr_t *kept = world_memory(world, sizeof(*kept));
	if (QUARANTINES)
		skip(); /* they move it */
	void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	place = (uintptr_t)page;
	assert_ptr_not_equal(page, MAP_FAILED);
	for (uint32_t roaming = 0; roaming < 2; roaming++) {
		struct tern_spawn_options options = {.roaming = roaming};
		tern_address to = TERN_ADDRESS_NONE;
		assert_int_equal(tern_spawn(world->self, &keeper_behaviour, kept, &options, &to),
				 0);
		put(kept, 0);
		assert_null(tern_signal(world->self, to, 1, (tern_iso *)place));
		UNTIL(world, seen(kept) == place);
		put(kept, 0);
		assert_null(tern_signal(world->self, to, 1, (const tern_val *)place));
		UNTIL(world, seen(kept) == place);
	}
	assert_int_equal(munmap((void *)place, PAGE), 0);
}

static void a_spawn_is_a_thousand_instructions(void **state)
{
	(void)state;
	count_passages(spawn_many, NULL, &counts);
	struct counted sum = sum_of("spawn", SPAWNS);
	assert_in_range(sum.instructions, SPAWNS, 1400 * SPAWNS);
	assert_in_range(counted_most(&counts, WARM, SPAWNS), 1, 3000);
	/* The lock of a shard of the routing table, and now and then that of the pools. */
	assert_in_range(sum.locked, 1, 3 * SPAWNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_a_few_plain_instructions),
		cmocka_unit_test(a_block_is_passed_on_like_a_tag),
		BOTH(nobody_looks_into_a_block_on_its_way),
		cmocka_unit_test(a_spawn_is_a_thousand_instructions),
	};
	return cmocka_run_group_tests_name("costs", tests, NULL, NULL);
}
