/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a program may use its whole pool for one size of block after the other, though other lcores
 * free what it sends them.
 * Method: a thread fills its pool with blocks of one size, sends some of them to agents of two
 * lcores, which drop them, and drops the rest; once all are home, the next size fills as much as it
 * would a new pool.
 */
#include "tests/unit/support.h"

#define POOL ((size_t)4 << 20)

static void on_block(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	(void)state;
	tern_iso_drop(tern_heap(self), tern_signal_take_iso(signal));
}

static const struct tern_behaviour sink = {.name = "sink", .handler = on_block};

static size_t room_for(size_t size)
{
	size_t bytes = QUARANTINES ? 4096 : 512;
	while (bytes < size + TERN_BLOCK_OFFSET)
		bytes *= 2;
	return POOL / bytes;
}

/* All blocks of a size that are to be had; none where some are not home yet. */
static bool fill(struct world *world, size_t size, tern_iso **blocks) OWNS_BY_ATTACHING
{
	struct tern_heap *heap = tern_heap(world->self);
	size_t count = 0;
	while ((blocks[count] = tern_iso_create(heap, size)) != NULL)
		count++;
	assert_true(count <= room_for(size));
	if (count == room_for(size))
		return true;
	while (count > 0)
		tern_iso_drop(heap, blocks[--count]);
	return false;
}

static void send_block(struct world *world, tern_address to, tern_iso *iso) OWNS_BY_ATTACHING
{
	UNTIL(world, (iso = tern_signal(world->self, to, 1, iso)) == NULL);
}

static void one_size_after_the_other(void **state) OWNS_BY_ATTACHING
{
	static const size_t sizes[] = {
		1, TERN_BLOCK_SIZE_MAX, 200, 30000, TERN_BLOCK_SIZE_MAX, 3000, 1, 700, 15000, 1};
	static tern_iso *blocks[POOL / 512 + 1];
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(31)};
	tern_address sinks[2];
	for (uint32_t i = 0; i < 2; i++) {
		struct tern_spawn_options options = {.lcore =
							     i % tern_engine_lcores(world->engine)};
		assert_int_equal(tern_spawn(world->self, &sink, NULL, &options, &sinks[i]), 0);
	}
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		UNTIL(world, fill(world, sizes[s], blocks));
		for (size_t b = 0; b < room_for(sizes[s]); b++) {
			uint64_t way = tern_rng_next(&rng) % 3;
			if (way < 2)
				send_block(world, sinks[way], blocks[b]);
			else
				tern_iso_drop(tern_heap(world->self), blocks[b]);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {BOTH(one_size_after_the_other)};
	if (argc > 1)
		setenv("TERN_SEED", argv[1], 1);
	return cmocka_run_group_tests_name("block sizes", tests, NULL, NULL);
}
