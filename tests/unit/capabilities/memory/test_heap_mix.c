/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: memory freed in one size serves any other. A heap refuses only where no free memory of the
 * pool lies together; no mix of sizes and lifetimes wears it out; blocks that come home from
 * another heap count like the others; what waits in free lists stays bounded.
 * Method: two heaps beside a map of the units of one pool that knows whose each is. Refusals, and
 * what a fragmented pool still holds, are compared with what the map says.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <errno.h>

#define UNIT ((size_t)512)
/* More of the smallest blocks than may be listed. */
#define POOL ((size_t)6 << 20)
#define UNITS (POOL / UNIT)
#define CLASS_MAX (TERN_BLOCK_CLASSES - 1)
#if TERN_DEBUG_BLOCKS
#define CLASS_MIN 3
#else
#define CLASS_MIN 0
#endif
#define HOME 0
#define OTHER 1

struct held {
	tern_iso *iso;
	uint32_t at; /* unit */
	uint32_t class;
	uint32_t mark; /* begins and ends the payload */
};

struct world {
	struct heaps heaps;
	struct tern_rng rng;
	size_t units;
	bool used[UNITS]; /* held, or on its way home */
	struct held held[UNITS];
	uint32_t count;
	struct held away[UNITS];
	uint32_t away_count;
	uint64_t made, refused;
};

static struct world *world_create(uint64_t seed, size_t bytes)
{
	struct world *world = calloc(1, sizeof(*world));
	assert_non_null(world);
	heaps_init(&world->heaps, 2, bytes);
	world->rng = (struct tern_rng){.state = seed};
	world->units = bytes / UNIT;
	return world;
}

static size_t class_size(uint32_t class)
{
	return (UNIT << class) - TERN_BLOCK_OFFSET;
}

static bool is_free(const struct world *world, size_t at, uint32_t class)
{
	size_t end = at + ((size_t)1 << class);
	return end <= world->units && !memchr(world->used + at, true, end - at);
}

/* How many blocks of a class the free units are good for. */
static size_t count_free(const struct world *world, uint32_t class)
{
	size_t count = 0;
	for (size_t at = 0; at < world->units; at += (size_t)1 << class)
		count += is_free(world, at, class);
	return count;
}

static void check_counts(const struct world *world)
{
	const struct tern_heap *heap = &world->heaps.heap[HOME];
	assert_int_equal(heap->in_use, world->count + world->away_count);
	assert_int_equal(world->heaps.heap[OTHER].away_count, world->away_count);
	/* No more are listed than may be. */
	assert_true((int64_t)heap->in_use >= heap->in_use_min);
}

static void mark(const struct held *held)
{
	unsigned char *data = tern_iso_data(held->iso);
	size_t size = tern_block_size(held->iso);
	if (size >= 2 * sizeof(held->mark)) {
		memcpy(data, &held->mark, sizeof(held->mark));
		memcpy(data + size - sizeof(held->mark), &held->mark, sizeof(held->mark));
	}
}

static void check_mark(const struct held *held)
{
	const unsigned char *data = tern_iso_data(held->iso);
	size_t size = tern_block_size(held->iso);
	if (size >= 2 * sizeof(held->mark)) {
		assert_memory_equal(data, &held->mark, sizeof(held->mark));
		assert_memory_equal(data + size - sizeof(held->mark), &held->mark,
				    sizeof(held->mark));
	}
}

static uint32_t class_for(size_t size)
{
	uint32_t class = CLASS_MIN;
	while (class_size(class) < size)
		class ++;
	return class;
}

static bool create(struct world *world, size_t size)
{
	struct held held = {.class = class_for(size), .mark = (uint32_t)world->made};
	tern_errno = 0;
	held.iso = tern_iso_create(&world->heaps.heap[HOME], size);
	if (!held.iso) {
		assert_int_equal(tern_errno, ENOMEM);
		assert_int_equal(count_free(world, held.class), 0);
		world->refused++;
		return false;
	}
	size_t offset = (size_t)((unsigned char *)held.iso - world->heaps.arena.base);
	held.at = (uint32_t)(offset / UNIT);
	assert_int_equal(offset % (UNIT << held.class), 0);
	assert_true(is_free(world, held.at, held.class));
	assert_int_equal(tern_block_size(held.iso), size);
	memset(world->used + held.at, true, (size_t)1 << held.class);
	mark(&held);
	world->held[world->count++] = held;
	world->made++;
	return true;
}

static void drop(struct world *world, uint32_t which, uint32_t by)
{
	struct held held = world->held[which];
	check_mark(&held);
	tern_iso_drop(&world->heaps.heap[by], held.iso);
	world->held[which] = world->held[--world->count];
	if (by == HOME)
		memset(world->used + held.at, false, (size_t)1 << held.class);
	else
		world->away[world->away_count++] = held;
}

static void bring_home(struct world *world)
{
	heaps_hand_over(&world->heaps, OTHER, HOME);
	while (world->away_count > 0) {
		const struct held *held = &world->away[--world->away_count];
		memset(world->used + held->at, false, (size_t)1 << held->class);
	}
}

/* In random order; each by one of the first `heaps`. */
static void drop_all(struct world *world, uint32_t heaps)
{
	while (world->count > 0)
		drop(world, (uint32_t)draw(&world->rng, world->count),
		     (uint32_t)draw(&world->rng, heaps));
	bring_home(world);
	check_counts(world);
}

static size_t fill(struct world *world, uint32_t class)
{
	size_t count = 0;
	while (create(world, class_size(class)))
		count++;
	check_counts(world);
	return count;
}

/* Whatever went before, each class is to be had as often as from a new pool. */
static void check_whole(struct world *world)
{
	for (uint32_t class = CLASS_MAX + 1; class -- > CLASS_MIN;) {
		assert_int_equal(fill(world, class), world->units >> class);
		drop_all(world, 2);
	}
}

static void world_destroy(struct world *world)
{
	heaps_fini(&world->heaps);
	free(world);
}

static void test_any_class_after_any_other(void **state)
{
	uint64_t seed = test_rng(21).state;
	(void)state;
	for (uint32_t first = CLASS_MIN; first <= CLASS_MAX; first++)
		for (uint32_t then = CLASS_MIN; then <= CLASS_MAX; then++) {
			struct world *world = world_create(seed, POOL);
			assert_int_equal(fill(world, first), UNITS >> first);
			drop_all(world, 1 + (first + then) % 2);
			assert_int_equal(fill(world, then), UNITS >> then);
			drop_all(world, 1);
			world_destroy(world);
		}
}

/* The one that stays lies anywhere; it costs its own 64 KiB and no more. */
static void test_one_stays(void **state)
{
	struct world *world = world_create(test_rng(22).state, POOL);
	(void)state;
	for (int round = 0; round < 10; round++) {
		fill(world, CLASS_MIN);
		struct held stays = world->held[draw(&world->rng, world->count)];
		for (uint32_t i = world->count; i-- > 0;)
			if (world->held[i].iso != stays.iso)
				drop(world, i, (uint32_t)draw(&world->rng, 2));
		bring_home(world);
		assert_int_equal(fill(world, CLASS_MAX), (UNITS >> CLASS_MAX) - 1);
		drop_all(world, 1);
	}
	world_destroy(world);
}

static size_t draw_size(struct world *world)
{
	uint64_t class = CLASS_MIN + draw(&world->rng, TERN_BLOCK_CLASSES - CLASS_MIN);
	return draw(&world->rng, class_size((uint32_t) class) + 1);
}

/* Waves of growth and decline; long ones of the smallest, so that lists grow too long as well. */
static void run_lifetimes(struct world *world, uint32_t steps)
{
	for (uint32_t i = 0; i < steps; i++) {
		uint64_t drops = i / 4096 % 2 ? 9 : 4;
		bool small = i / 16384 % 2;
		if (draw(&world->rng, 4096) == 0)
			drop_all(world, 2);
		else if (draw(&world->rng, 64) == 0)
			bring_home(world);
		else if (world->count == 0 || draw(&world->rng, 13) >= drops)
			create(world, small ? draw(&world->rng, 256) : draw_size(world));
		else
			drop(world, (uint32_t)draw(&world->rng, world->count),
			     draw(&world->rng, 3) == 0);
		if (i % 64 == 0)
			check_counts(world);
	}
}

static void test_random_lifetimes(void **state)
{
	const char *rounds = getenv("TERN_SEEDS");
	uint64_t first = test_rng(23).state, made = 0, refused = 0;
	(void)state;
	for (uint64_t i = 0; i < (rounds ? strtoull(rounds, NULL, 0) : 20); i++) {
		struct world *world = world_create(first + i, i % 2 ? POOL : (size_t)300 << 10);
		run_lifetimes(world, 40000);
		drop_all(world, 2);
		check_whole(world);
		made += world->made;
		refused += world->refused;
		world_destroy(world);
	}
	print_message("%llu blocks made, %llu refused\n", (unsigned long long)made,
		      (unsigned long long)refused);
	assert_true(refused > 0);
}

/* Fill with blocks of a class, drop a share at random: all that lies together can be had. */
static void test_fragments(void **state)
{
	static const uint32_t percents[] = {10, 50, 90, 99};
	struct world *world = world_create(test_rng(24).state, POOL);
	(void)state;
	for (uint32_t class = CLASS_MIN; class <= CLASS_MAX; class += 2)
		for (size_t p = 0; p < RTE_DIM(percents); p++) {
			fill(world, class);
			for (uint32_t i = world->count; i-- > 0;)
				if (draw(&world->rng, 100) < percents[p])
					drop(world, i, (uint32_t)draw(&world->rng, 2));
			bring_home(world);
			size_t free_units = count_free(world, 0), had_units = 0;
			for (uint32_t want = CLASS_MAX + 1; want-- > CLASS_MIN;) {
				size_t lies = count_free(world, want);
				assert_int_equal(fill(world, want), lies);
				if (want == CLASS_MAX)
					had_units = lies << want;
			}
			print_message("%5zu bytes, %2u %% dropped: %zu of %zu units in the largest "
				      "class\n",
				      UNIT << class, percents[p], had_units, free_units);
			assert_int_equal(count_free(world, CLASS_MIN), 0);
			drop_all(world, 2);
		}
	world_destroy(world);
}

/* What the lists may hold comes and goes without a block that is cut or joined. */
static void test_lists_serve_first(void **state)
{
	struct world *world = world_create(test_rng(25).state, POOL);
	struct tern_heap *heap = &world->heaps.heap[HOME];
	size_t count = RTE_MIN((size_t)TERN_HEAP_LISTED_MAX, UNITS >> CLASS_MIN);
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < count; i++)
			assert_true(create(world, class_size(CLASS_MIN)));
		assert_int_equal(heap->in_use_min, (int64_t)count - TERN_HEAP_LISTED_MAX);
		tern_iso *last = world->held[world->count - 1].iso;
		drop(world, world->count - 1, HOME);
		assert_true(create(world, 1));
		assert_ptr_equal(world->held[world->count - 1].iso, last);
		while (world->count > 0)
			drop(world, world->count - 1, HOME);
		assert_int_equal(heap->in_use_min, (int64_t)count - TERN_HEAP_LISTED_MAX);
	}
	world_destroy(world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_class_after_any_other), cmocka_unit_test(test_one_stays),
		cmocka_unit_test(test_random_lifetimes),	  cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_lists_serve_first),
	};
	if (argc > 1)
		setenv("TERN_SEED", argv[1], 1);
	if (argc > 2)
		setenv("TERN_SEEDS", argv[2], 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
