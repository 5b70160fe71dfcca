/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a walk in steps visits each route that stays exactly once and each that comes or goes at
 * most once, whatever happens to the table between two steps; no step is long; no cursor is unsafe;
 * what is told without locks is what is told under them.
 * Method: random tables walked in steps of many sizes, changed and grown between the steps; ids of
 * one hash; cursors made of random bytes.
 */
#include "tests/unit/dataplane/routes.h"

#include "dataplane/table/table.h"

enum { MANY = 6000 };

struct walk {
	struct tern_table *table;
	struct tern_table_cursor cursor;
	uint64_t seed;
	uint32_t steps;
	uint32_t visits;
	uint32_t step_visits;
	uint8_t visited[MANY + 1]; /* by address */
};

static struct tern_id id_of(const struct walk *walk, uint64_t i)
{
	return make_id(walk->seed, (uint32_t)walk->seed, i);
}

static void put_in(struct walk *walk, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		struct tern_route route = route_to(id_of(walk, i), i);
		assert_int_equal(tern_table_put(walk->table, &route, false), 0);
	}
}

static bool visit(void *context, const struct tern_route *route)
{
	struct walk *walk = context;
	assert_in_range(route->address, 1, MANY);
	assert_true(is_whole(route, id_of(walk, route->address)));
	walk->visited[route->address]++;
	walk->visits++;
	walk->step_visits++;
	return true;
}

static bool step(struct walk *walk, uint32_t count)
{
	walk->step_visits = 0;
	bool more = tern_table_each_from(walk->table, &walk->cursor, count, visit, walk);
	assert_true(walk->step_visits <= count);
	walk->steps++;
	return more;
}

static struct walk *walk_open(uint64_t seed, uint32_t shards, const char *kernel)
{
	const uint64_t keys[2] = {seed, 1};
	struct walk *walk = calloc(1, sizeof(*walk));
	assert_non_null(walk);
	struct tern_table_options options = {.routes_max = MANY,
					     .shards = shards,
					     .seed = keys,
					     .kernel = kernel,
					     .page_bytes_max = 4096};
	walk->seed = seed;
	walk->table = make_table(&options);
	return walk;
}

static void walk_close(struct walk *walk)
{
	tern_table_destroy(walk->table);
	free(walk);
}

static void at_rest_each_is_visited_once(void **state)
{
	static const uint32_t counts[] = {1, 2, 7, 64, MANY, UINT32_MAX};
	(void)state;
	for (uint32_t k = 0; tern_table_kernel_name(k); k++)
		for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			struct walk *walk = walk_open(i, 1u << i % 4, tern_table_kernel_name(k));
			put_in(walk, 1, MANY / 2);
			while (step(walk, counts[i]))
				;
			for (uint32_t at = 1; at <= MANY; at++)
				assert_int_equal(walk->visited[at], at <= MANY / 2);
			assert_false(step(walk, counts[i]));
			assert_int_equal(walk->step_visits, 0);
			walk_close(walk);
		}
}

/* Of each three ids one stays, one goes and one comes; the table grows several times meanwhile. */
static void a_changing_table_is_walked(uint64_t seed)
{
	struct walk *walk = walk_open(seed, 1u << seed % 3, NULL);
	struct tern_rng rng = tern_rng_stream(seed, 1);
	struct tern_table_stats before, after;
	uint64_t next = 1;
	for (uint64_t i = 1; i <= MANY; i++)
		if (i % 3 < 2 && (i < MANY / 8 || i % 3 == 0))
			put_in(walk, i, i);
	tern_table_stats(walk->table, &before);
	while (step(walk, 1 + pick(&rng, 9)))
		for (uint32_t end = pick(&rng, 40); end && next <= MANY; end--, next++) {
			struct tern_id id = id_of(walk, next);
			if (next % 3 == 2)
				put_in(walk, next, next);
			else if (next % 3 == 1)
				(void)!tern_table_remove(walk->table, id, 0);
		}
	tern_table_stats(walk->table, &after);
	assert_true(after.grown > before.grown);
	for (uint64_t i = 1; i <= MANY; i++)
		if (i % 3 == 0 ? walk->visited[i] != 1 : walk->visited[i] > 1)
			fail_msg("seed %" PRIu64 ": route %" PRIu64 " visited %d times", seed, i,
				 walk->visited[i]);
	walk_close(walk);
}

static void changes_and_growth_do_not_mislead(void **state)
{
	(void)state;
	uint64_t first = test_seed(1);
	for (uint64_t seed = first; seed < first + 30; seed++)
		a_changing_table_is_walked(seed);
}

/* It ends after the route that the visitor ends it at, and goes on behind it. */
static bool visit_one(void *context, const struct tern_route *route)
{
	visit(context, route);
	return false;
}

static void a_visitor_ends_a_step(void **state)
{
	(void)state;
	struct walk *walk = walk_open(3, 1, NULL);
	put_in(walk, 1, 50);
	for (uint32_t i = 1; i <= 50; i++) {
		tern_table_each_from(walk->table, &walk->cursor, 10, visit_one, walk);
		assert_int_equal(walk->visits, i);
	}
	while (step(walk, 1))
		;
	assert_int_equal(walk->visits, 50);
	walk_close(walk);
}

static void a_large_empty_table_takes_many_steps(void **state)
{
	(void)state;
	struct walk *walk = walk_open(4, 2, NULL);
	struct tern_table_options large = {.routes_max = 100000, .routes_expected = 100000};
	struct tern_table_stats stats;
	tern_table_destroy(walk->table);
	walk->table = make_table(&large);
	tern_table_stats(walk->table, &stats);
	while (step(walk, 64))
		;
	assert_int_equal(walk->visits, 0);
	assert_in_range(walk->steps, stats.buckets / TERN_TABLE_STEP_HOMES,
			stats.buckets / TERN_TABLE_STEP_HOMES + 1);
	walk_close(walk);
}

static void same_hash(const struct tern_table_keys *keys, const struct tern_id *ids, uint32_t count,
		      uint64_t *hashes)
{
	(void)keys;
	(void)ids;
	for (uint32_t i = 0; i < count; i++)
		hashes[i] = UINT64_MAX;
}

static void ids_of_one_hash_are_told_apart(void **state)
{
	(void)state;
	struct walk *walk = walk_open(10, 4, "scalar");
	struct tern_table_kernel poor = *walk->table->kernel;
	poor.hash = same_hash;
	walk->table->kernel = &poor;
	put_in(walk, 1, 100);
	while (step(walk, 1))
		;
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(walk->visited[i], 1);
	walk_close(walk);
}

static void any_cursor_is_safe(void **state)
{
	(void)state;
	struct walk *walk = walk_open(5, 4, NULL);
	struct tern_rng rng = tern_rng_stream(test_seed(1), 1);
	put_in(walk, 1, 500);
	for (int i = 0; i < 1000; i++) {
		uint64_t ones = pick(&rng, 3) ? 0 : UINT64_MAX;
		walk->cursor.shard = tern_rng_next(&rng) >> pick(&rng, 64);
		walk->cursor.hash = tern_rng_next(&rng) | ones;
		walk->cursor.id.high = tern_rng_next(&rng) | ones;
		walk->cursor.id.low = tern_rng_next(&rng) | ones;
		bool inside = walk->cursor.shard < 4;
		assert_true(inside || !step(walk, 10));
		if (!inside)
			assert_int_equal(walk->step_visits, 0);
		while (inside && step(walk, 100))
			;
	}
	walk_close(walk);
}

static void what_is_told_without_locks_is_the_same(void **state)
{
	(void)state;
	struct walk *walk = walk_open(6, 2, NULL);
	struct tern_table_stats locked, looked;
	uint64_t growing = 0;
	for (uint64_t i = 1; i <= MANY; i++) {
		put_in(walk, i, i);
		tern_table_stats(walk->table, &locked);
		tern_table_look(walk->table, &looked);
		assert_true(looked.bytes <= locked.bytes);
		growing += looked.growing;
		looked.bytes = locked.bytes;
		assert_memory_equal(&looked, &locked, sizeof(locked));
	}
	assert_int_equal(looked.shards, 2);
	assert_true(growing > 0);
	walk_close(walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest_each_is_visited_once),
		cmocka_unit_test(changes_and_growth_do_not_mislead),
		cmocka_unit_test(a_visitor_ends_a_step),
		cmocka_unit_test(a_large_empty_table_takes_many_steps),
		cmocka_unit_test(ids_of_one_hash_are_told_apart),
		cmocka_unit_test(any_cursor_is_safe),
		cmocka_unit_test(what_is_told_without_locks_is_the_same),
	};
	return cmocka_run_group_tests_name("routing table: walks in steps", tests, NULL, NULL);
}
