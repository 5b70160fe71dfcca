/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: all kernels give the same answers, on random and on malicious ids; an id chosen by
 * somebody who does not know the seed costs no more than a random one.
 * Method: ten million lookups of random ids, present and absent, by every kernel of this machine;
 * hashes of batches of every length beside those of single ids; a flood of ids chosen to meet
 * under one seed, put in under that and under others.
 */
#include "dataplane/table/table.h"
#include "tests/unit/dataplane/routes.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 20
#else
#define SLOWER 1
#endif

enum { ROUTES = 50000, PROBES = 10000000 / SLOWER, BLOCK = 250, FLOOD = 1200 };

static struct tern_table *fill(const char *kernel, const uint64_t *keys, uint32_t shards)
{
	struct tern_table_options options = {
		.routes_max = ROUTES, .kernel = kernel, .seed = keys, .shards = shards};
	struct tern_table *table = make_table(&options);
	for (uint64_t i = 1; i <= ROUTES; i++) {
		struct tern_route route = route_to(make_id(7, (uint32_t)i, i), i);
		assert_int_equal(tern_table_put(table, &route, true), 0);
	}
	return table;
}

/* Half of them in the table, in every shape. */
static void draw(struct tern_rng *rng, struct tern_id *ids)
{
	for (uint32_t i = 0; i < BLOCK; i++) {
		uint64_t number = 1 + tern_rng_next(rng) % (2 * ROUTES);
		ids[i] = make_id(7, (uint32_t)number, number);
	}
}

static void compare_kernels(uint32_t shards)
{
	const uint64_t keys[2] = {5, 6};
	struct tern_table *tables[4];
	struct tern_rng rng = {.state = 1};
	struct tern_id ids[BLOCK];
	tern_address first[BLOCK], again[BLOCK];
	uint32_t count = 0, found = 0;
	for (; tern_table_kernel_name(count); count++)
		tables[count] = fill(tern_table_kernel_name(count), keys, shards);
	for (uint32_t done = 0; done < PROBES / 2; done += BLOCK) {
		draw(&rng, ids);
		tern_table_find_batch(tables[0], ids, BLOCK, first);
		for (uint32_t k = 0; k < count; k++) {
			tern_table_find_batch(tables[k], ids, BLOCK, again);
			for (uint32_t i = 0; i < BLOCK; i++)
				if (again[i] != first[i] ||
				    again[i] != tern_table_find(tables[k], ids[i]))
					fail_msg("kernels %s and %s disagree",
						 tern_table_kernel_name(0),
						 tern_table_kernel_name(k));
		}
		for (uint32_t i = 0; i < BLOCK; i++)
			found += first[i] != TERN_ADDRESS_NONE;
	}
	assert_in_range(found, PROBES / 6, PROBES / 3);
	while (count--)
		tern_table_destroy(tables[count]);
}

static void kernels_agree(void **state)
{
	(void)state;
	compare_kernels(1);
	compare_kernels(2);
}

static void kernels_hash_alike(void **state)
{
	const uint64_t keys[2] = {5, 6};
	struct tern_rng rng = {.state = 2};
	struct tern_id ids[67];
	uint64_t hashes[67];
	(void)state;
	for (uint32_t k = 0; tern_table_kernel_name(k); k++) {
		struct tern_table_options options = {.kernel = tern_table_kernel_name(k),
						     .seed = keys};
		struct tern_table *table = make_table(&options);
		for (uint32_t count = 0; count <= 67; count++) {
			for (uint32_t i = 0; i < count; i++)
				ids[i] = (struct tern_id){tern_rng_next(&rng), tern_rng_next(&rng)};
			memset(hashes, 0, sizeof(hashes));
			tern_table_hash(table, ids, count, hashes);
			for (uint32_t i = 0; i < count; i++)
				assert_int_equal(hashes[i], tern_table_hash_one(table, ids[i]));
			for (uint32_t i = count; i < 67; i++)
				assert_int_equal(hashes[i], 0);
		}
		tern_table_destroy(table);
	}
}

/* Ids of one home and one tag under the seed of a table, found by trying. */
static void make_flood(const struct tern_table *table, struct tern_id *ids)
{
	struct tern_rng rng = {.state = 3};
	for (uint32_t found = 0; found < FLOOD;) {
		uint64_t hashes[BLOCK];
		struct tern_id tried[BLOCK];
		for (uint32_t i = 0; i < BLOCK; i++)
			tried[i] = (struct tern_id){tern_rng_next(&rng), tern_rng_next(&rng)};
		tern_table_hash(table, tried, BLOCK, hashes);
		for (uint32_t i = 0; i < BLOCK && found < FLOOD; i++)
			if (hashes[i] >> 48 == 5)
				ids[found++] = tried[i];
	}
}

static uint64_t distance_of(struct tern_table *table)
{
	struct tern_table_stats stats;
	tern_table_stats(table, &stats);
	return stats.distance_max;
}

static void a_flood_for_one_seed_is_nothing_to_another(void **state)
{
	const uint64_t known[2] = {8, 9};
	static struct tern_id ids[FLOOD];
	(void)state;
	for (uint64_t seed = 0; seed <= 20; seed++) {
		const uint64_t other[2] = {8 + seed, 9};
		struct tern_table_options options = {.routes_max = 40000,
						     .routes_expected = 40000,
						     .seed = seed ? other : known};
		struct tern_table *table = make_table(&options);
		if (seed == 0)
			make_flood(table, ids);
		for (uint64_t i = 1; i <= 30000; i++) {
			struct tern_route route = route_to(make_id(4, 0, i), i);
			assert_int_equal(tern_table_put(table, &route, true), 0);
		}
		for (uint32_t i = 0; i < FLOOD / 8; i++) {
			struct tern_route route = route_to(ids[i], i + 1);
			assert_int_equal(tern_table_put(table, &route, true), 0);
		}
		for (uint32_t i = 0; i < FLOOD / 8; i++)
			assert_int_equal(tern_table_find(table, ids[i]), i + 1);
		if (seed == 0)
			assert_true(distance_of(table) > 40);
		else
			assert_true(distance_of(table) <= 40);
		tern_table_destroy(table);
	}
}

/* More of one home than a lookup may walk are refused, and what is in stays. */
static void a_flood_for_the_known_seed_is_refused_at_last(void **state)
{
	const uint64_t known[2] = {8, 9};
	static struct tern_id ids[FLOOD];
	struct tern_table_options options = {.routes_max = 40000, .seed = known};
	struct tern_table *table = make_table(&options);
	int codes[FLOOD];
	uint32_t refused = 0;
	(void)state;
	make_flood(table, ids);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct tern_route route = route_to(ids[i], i + 1);
		codes[i] = tern_table_put(table, &route, true);
		assert_true(codes[i] == 0 || codes[i] == -ENOSPC);
		refused += codes[i] != 0;
	}
	assert_in_range(refused, 1, FLOOD / 2);
	assert_int_equal(distance_of(table), 128);
	for (uint32_t i = 0; i < FLOOD; i++)
		assert_int_equal(tern_table_find(table, ids[i]),
				 codes[i] == 0 ? i + 1 : TERN_ADDRESS_NONE);
	tern_table_destroy(table);
}

static void kernels_are_named(void **state)
{
	(void)state;
	assert_non_null(tern_table_kernel_name(0));
	for (uint32_t k = 0; tern_table_kernel_name(k); k++) {
		struct tern_table_stats stats;
		struct tern_table_options options = {.kernel = tern_table_kernel_name(k)};
		struct tern_table *table = make_table(&options);
		tern_table_stats(table, &stats);
		assert_string_equal(stats.kernel, options.kernel);
		tern_table_destroy(table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_are_named),
		cmocka_unit_test(kernels_hash_alike),
		cmocka_unit_test(kernels_agree),
		cmocka_unit_test(a_flood_for_one_seed_is_nothing_to_another),
		cmocka_unit_test(a_flood_for_the_known_seed_is_refused_at_last),
	};
	return cmocka_run_group_tests_name("routing table: kernels", tests, NULL, NULL);
}
