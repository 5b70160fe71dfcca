/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the table holds exactly what was put in and not taken out, whatever the ids, at any size,
 * with every kernel, through growth and reuse; it refuses what it must, and says how large it is.
 * Method: random operations beside a plain list, over seeds; then one table for each limit.
 */
#include <inttypes.h>
#include <math.h>

#include "tests/unit/dataplane/routes.h"

enum { IDS = 3000, STEPS = 12000, SEEDS = 40 };

struct model {
	struct tern_table *table;
	struct tern_rng rng;
	uint64_t seed;
	uint32_t kind;
	uint32_t live;
	tern_address addresses[IDS]; /* TERN_ADDRESS_NONE: not in it */
	uint8_t visited[IDS];
};

static struct tern_id id_of(const struct model *model, uint32_t i)
{
	return make_id(model->seed, model->kind, i + 1);
}

static void check_find(const struct model *model, uint32_t i)
{
	struct tern_route route;
	tern_address address = tern_table_find(model->table, id_of(model, i));
	assert_int_equal(address, model->addresses[i]);
	assert_int_equal(tern_table_route(model->table, id_of(model, i), &route), address != 0);
	if (!address)
		return;
	assert_true(is_whole(&route, id_of(model, i)));
	assert_int_equal(route.address, address);
}

static void change(struct model *model, uint32_t i)
{
	bool in = model->addresses[i] != TERN_ADDRESS_NONE, replace = pick(&model->rng, 2);
	tern_address address = draw_address(&model->rng);
	struct tern_route route = route_to(id_of(model, i), address);
	if (in && pick(&model->rng, 3) == 0) {
		assert_int_equal(tern_table_remove(model->table, route.id, 3), -ENOENT);
		tern_address only = replace ? model->addresses[i] : TERN_ADDRESS_NONE;
		assert_int_equal(tern_table_remove(model->table, route.id, only), 0);
		assert_int_equal(tern_table_remove(model->table, route.id, 0), -ENOENT);
		model->addresses[i] = TERN_ADDRESS_NONE;
		model->live--;
		return;
	}
	int code = tern_table_put(model->table, &route, replace);
	assert_int_equal(code, in && !replace ? -EEXIST : 0);
	if (code == 0)
		model->addresses[i] = address;
	model->live += !in;
}

static bool visit(void *context, const struct tern_route *route)
{
	struct model *model = context;
	for (uint32_t i = 0; i < IDS; i++)
		if (model->addresses[i] == route->address) {
			assert_true(is_whole(route, id_of(model, i)));
			model->visited[i]++;
			return true;
		}
	fail_msg("a route that nobody put in");
	return false;
}

static void check_all(struct model *model)
{
	struct tern_table_stats stats;
	struct tern_id ids[IDS];
	tern_address found[IDS];
	uint32_t count = 1 + pick(&model->rng, IDS);
	for (uint32_t i = 0; i < IDS; i++)
		ids[i] = id_of(model, i);
	tern_table_find_batch(model->table, ids, count, found);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(found[i], model->addresses[i]);
		check_find(model, i);
	}
	memset(model->visited, 0, sizeof(model->visited));
	tern_table_each(model->table, visit, model);
	for (uint32_t i = 0; i < IDS; i++)
		assert_int_equal(model->visited[i], model->addresses[i] != TERN_ADDRESS_NONE);
	tern_table_stats(model->table, &stats);
	assert_int_equal(stats.routes, model->live);
}

static void run_model(uint64_t seed, const char *kernel)
{
	const uint64_t keys[2] = {seed, 7};
	struct model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->rng = tern_rng_stream(seed, 1);
	model->seed = seed;
	model->kind = (uint32_t)seed;
	struct tern_table_options options = {.routes_max = IDS,
					     .shards = 1u << pick(&model->rng, 3),
					     .seed = keys,
					     .kernel = kernel,
					     .page_bytes_max = 4096};
	model->table = make_table(&options);
	for (int step = 0; step < STEPS; step++) {
		/* At first few ids, later all: so it grows in the midst of everything else. */
		uint32_t most = 10 + (uint32_t)step * (IDS - 10) / STEPS;
		uint32_t i = pick(&model->rng, most);
		if (pick(&model->rng, 4))
			change(model, i);
		else
			check_find(model, i);
		if (pick(&model->rng, 400) == 0)
			(void)!tern_table_prepare(model->table);
	}
	check_all(model);
	tern_table_destroy(model->table);
	free(model);
}

static void it_holds_what_was_put_in(void **state)
{
	(void)state;
	for (uint32_t k = 0; tern_table_kernel_name(k); k++)
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			run_model(seed, tern_table_kernel_name(k));
}

static void it_grows_from_nothing_and_shrinks_to_it(void **state)
{
	enum { MANY = 100000 };
	(void)state;
	struct tern_table_options options = {.routes_max = MANY};
	struct tern_table *table = make_table(&options);
	struct tern_table_stats stats;
	for (uint64_t i = 1; i <= MANY; i++) {
		struct tern_route route = route_to(make_id(3, 0, i), i);
		assert_int_equal(tern_table_put(table, &route, false), 0);
		assert_int_equal(tern_table_find(table, make_id(3, 0, 1 + i / 2)), 1 + i / 2);
	}
	tern_table_stats(table, &stats);
	assert_int_equal(stats.routes, MANY);
	assert_true(stats.grown >= 10);
	assert_true(stats.distance_max <= 64);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_int_equal(tern_table_remove(table, make_id(3, 0, i), i), 0);
	tern_table_stats(table, &stats);
	assert_int_equal(stats.routes, 0);
	assert_int_equal(tern_table_find(table, make_id(3, 0, 1)), TERN_ADDRESS_NONE);
	tern_table_destroy(table);
}

/* What is absent costs one line, also after routes have come and gone for ever. */
static void churn_leaves_no_trace(void **state)
{
	enum { LIVE = 20000 };
	(void)state;
	const uint64_t keys[2] = {1, 2};
	struct tern_table_options options = {.routes_max = LIVE + 1, .seed = keys};
	struct tern_table *table = make_table(&options);
	struct tern_table_stats before, after;
	for (uint64_t i = 1; i <= 10 * LIVE; i++) {
		struct tern_route route = route_to(make_id(5, 0, i), i);
		assert_int_equal(tern_table_put(table, &route, false), 0);
		if (i == 2 * LIVE)
			tern_table_stats(table, &before);
		if (i > LIVE)
			assert_int_equal(tern_table_remove(table, make_id(5, 0, i - LIVE), 0), 0);
	}
	tern_table_stats(table, &after);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(after.buckets, before.buckets);
	tern_table_destroy(table);
}

/* A reader that is never quiet. */
static struct rte_rcu_qsbr *never_quiet(void)
{
	struct rte_rcu_qsbr *quiet = make_quiet(1);
	rte_rcu_qsbr_thread_register(quiet, 0);
	rte_rcu_qsbr_thread_online(quiet, 0);
	return quiet;
}

/* Whoever may still look: one route at a time, and as many as there may be. */
static void places_are_free_at_once(void **state)
{
	static const uint64_t lives[] = {1, 7, 64, 5000};
	(void)state;
	for (size_t n = 0; n < sizeof(lives) / sizeof(lives[0]); n++) {
		struct rte_rcu_qsbr *quiet = never_quiet();
		struct tern_table_options options = {
			.routes_max = lives[n], .routes_expected = lives[n], .quiet = quiet};
		struct tern_table *table = make_table(&options);
		struct tern_table_stats before, after;
		tern_table_stats(table, &before);
		for (uint64_t i = 1; i <= 300000; i++) {
			struct tern_id id = make_id(n, 0, i), old = make_id(n, 0, i - lives[n]);
			uint64_t hash = tern_table_prefetch(table, id);
			if (i > lives[n])
				assert_int_equal(tern_table_remove(table, old, 0), 0);
			assert_int_equal(tern_table_add(table, hash, id, i), 0);
			assert_int_equal(tern_table_find(table, id), i);
			assert_int_equal(tern_table_find(table, old), TERN_ADDRESS_NONE);
		}
		tern_table_stats(table, &after);
		assert_int_equal(after.routes, lives[n]);
		assert_int_equal(after.bytes, before.bytes);
		tern_table_destroy(table);
		free(quiet);
	}
}

/* Also of names, which are looked for before they are put in. */
static void an_id_may_come_again_at_once(void **state)
{
	(void)state;
	struct rte_rcu_qsbr *quiet = never_quiet();
	struct tern_table_options options = {.routes_max = 4, .quiet = quiet};
	struct tern_table *table = make_table(&options);
	struct tern_table_stats stats;
	for (uint32_t i = 0; i < 4000; i++) {
		struct tern_route route = route_to(make_id(1, 0, i % 4), 2 + 2 * i);
		tern_address found;
		assert_int_equal(tern_table_put(table, &route, false), 0);
		assert_int_equal(tern_table_find(table, route.id), route.address);
		tern_table_find_batch(table, &route.id, 1, &found);
		assert_int_equal(found, route.address);
		assert_int_equal(tern_table_remove(table, route.id, 0), 0);
		assert_int_equal(tern_table_find(table, route.id), TERN_ADDRESS_NONE);
		tern_table_find_batch(table, &route.id, 1, &found);
		assert_int_equal(found, TERN_ADDRESS_NONE);
	}
	tern_table_stats(table, &stats);
	assert_int_equal(stats.grown, 0);
	tern_table_destroy(table);
	free(quiet);
}

static uint64_t bytes_of(struct tern_table *table)
{
	struct tern_table_stats stats;
	tern_table_stats(table, &stats);
	return stats.bytes;
}

/* Routes of other nodes have records. */
static int update_often(struct tern_table *table, uint64_t times)
{
	int code = 0;
	for (uint64_t i = 1; i <= times && code == 0; i++) {
		const struct tern_route route = {.id = make_id(1, 0, 1),
						 .address = tern_address_make(2, (uint32_t)i, 1),
						 .expires_ns = i};
		struct tern_route found;
		code = tern_table_put(table, &route, true);
		assert_true(tern_table_route(table, route.id, &found));
		if (code == 0)
			assert_int_equal(found.expires_ns, i);
	}
	return code;
}

static void a_reader_that_is_not_quiet_costs_memory(void **state)
{
	enum { ROUTES = 1000, TIMES = 100 * ROUTES };
	struct rte_rcu_qsbr *quiet = never_quiet();
	const struct tern_table_options options = {
		.routes_max = ROUTES, .quiet = quiet, .page_bytes_max = 4096};
	struct tern_table *table = make_table(&options);
	(void)state;
	uint64_t before = bytes_of(table);
	assert_int_equal(update_often(table, TIMES), 0);
	uint64_t kept = bytes_of(table) - before;
	assert_in_range(kept, TIMES * 64ull, TIMES * 64ull / 8 * 9);
	/* Whatever it kept is used again, and nothing more is taken. */
	rte_rcu_qsbr_quiescent(quiet, 0);
	assert_int_equal(update_often(table, TIMES / 2), 0);
	assert_int_equal(bytes_of(table) - before, kept);
	for (int round = 0; round < 2 * TIMES; round++) {
		rte_rcu_qsbr_quiescent(quiet, 0);
		assert_int_equal(update_often(table, 1), 0);
	}
	assert_int_equal(update_often(table, TIMES / 2), 0);
	assert_int_equal(bytes_of(table) - before, kept);
	tern_table_destroy(table);
	free(quiet);
}

/* The bound is what is said, and ends with the quiet that it waits for. */
static void what_readers_keep_is_bounded(void **state)
{
	enum { ROUTES = 1000 };
	const uint64_t most = TERN_TABLE_RETIRED_MIN + ROUTES * TERN_TABLE_RETIRED_TIMES + ROUTES;
	struct rte_rcu_qsbr *quiet = never_quiet();
	const struct tern_table_options options = {
		.routes_max = ROUTES, .quiet = quiet, .page_bytes_max = 4096};
	struct tern_table *table = make_table(&options);
	(void)state;
	assert_int_equal(update_often(table, most), 0);
	assert_int_equal(update_often(table, 1), -ENOMEM);
	struct tern_route found;
	assert_true(tern_table_route(table, make_id(1, 0, 1), &found));
	assert_int_equal(found.expires_ns, most);
	uint64_t bytes = bytes_of(table);
	rte_rcu_qsbr_quiescent(quiet, 0);
	assert_int_equal(update_often(table, ROUTES), 0);
	assert_int_equal(bytes_of(table), bytes);
	tern_table_destroy(table);
	free(quiet);
}

static void a_full_table_says_so(void **state)
{
	(void)state;
	struct tern_table_options options = {.routes_max = 1000, .page_bytes_max = 4096};
	struct tern_table *table = make_table(&options);
	for (uint64_t i = 1; i <= 1000; i++) {
		struct tern_route route = route_to(make_id(9, 1, i), i);
		assert_int_equal(tern_table_put(table, &route, false), 0);
	}
	struct tern_route one_more = route_to(make_id(9, 1, 1001), 1001);
	assert_int_equal(tern_table_put(table, &one_more, false), -ENOSPC);
	assert_int_equal(tern_table_find(table, one_more.id), TERN_ADDRESS_NONE);
	assert_int_equal(tern_table_remove(table, make_id(9, 1, 500), 0), 0);
	assert_int_equal(tern_table_put(table, &one_more, false), 0);
	assert_int_equal(tern_table_find(table, one_more.id), 1001);
	tern_table_destroy(table);
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		struct tern_table_options options;
		int code;
		const char *says;
	} cases[] = {
		{{.shards = 3}, -EINVAL, "3 shards; a power of two up to 64"},
		{{.shards = 128}, -EINVAL, "128 shards; a power of two up to 64"},
		{{.routes_max = 1u << 28}, -EINVAL, "268435456 routes in 1 shards"},
		{{.routes_expected = 1u << 28}, -EINVAL, "268435456 routes expected in 1 shards"},
		{{.routes_expected = 3ull << 57}, -EINVAL, "432345564227567616 routes expected"},
		{{.routes_expected = UINT64_MAX}, -EINVAL, "251658240 at most"},
		{{.page_bytes_max = 12345}, -EINVAL, "pages of 12345 bytes; 4096, 2097152, or 0"},
		{{.kernel = "sse9"}, -ENOTSUP, "no kernel 'sse9'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tern_error error = {0};
		struct tern_table *table = (void *)&error;
		assert_int_equal(tern_table_create(&table, &cases[i].options, &error),
				 cases[i].code);
		assert_non_null(strstr(error.text, cases[i].says));
		assert_ptr_equal(table, (void *)&error);
		assert_int_equal(tern_table_create(&table, &cases[i].options, NULL), cases[i].code);
	}
}

static void the_id_of_nobody_is_an_id(void **state)
{
	(void)state;
	for (uint32_t k = 0; tern_table_kernel_name(k); k++) {
		struct tern_table_options options = {.kernel = tern_table_kernel_name(k)};
		struct tern_table *table = make_table(&options);
		struct tern_id nobody = {0};
		tern_address found = 77;
		assert_int_equal(tern_table_find(table, nobody), TERN_ADDRESS_NONE);
		tern_table_find_batch(table, &nobody, 1, &found);
		assert_int_equal(found, TERN_ADDRESS_NONE);
		struct tern_route route = route_to(nobody, 5);
		assert_int_equal(tern_table_put(table, &route, false), 0);
		assert_int_equal(tern_table_find(table, nobody), 5);
		tern_table_destroy(table);
	}
}

static uint64_t version_of(struct tern_table *table)
{
	struct tern_table_stats stats;
	tern_table_stats(table, &stats);
	return stats.version;
}

static void each_change_counts(void **state)
{
	(void)state;
	struct tern_table *table = make_table(&(struct tern_table_options){.shards = 4});
	for (uint64_t i = 1; i <= 100; i++) {
		const struct tern_route route = route_to(make_id(3, 0, i), 2 * i);
		uint64_t before = version_of(table);
		assert_int_equal(tern_table_put(table, &route, false), 0);
		assert_int_equal(version_of(table), before + 1);
		assert_int_equal(tern_table_put(table, &route, false), -EEXIST);
		assert_int_equal(version_of(table), before + 1);
		assert_int_equal(tern_table_put(table, &route, true), 0);
		assert_int_equal(version_of(table), before + 2);
		assert_int_equal(tern_table_remove(table, route.id, 1), -ENOENT);
		assert_int_equal(version_of(table), before + 2);
		if (i % 2)
			assert_int_equal(tern_table_remove(table, route.id, 0), 0);
		assert_int_equal(version_of(table), before + 2 + i % 2);
	}
	tern_table_destroy(table);
}

/* Bytes of a full table. Every nth route has more to tell, and so a record. */
static double bytes_held(uint64_t routes, uint32_t shards, uint64_t every, uint64_t seed)
{
	const uint64_t seeds[2] = {seed, 8};
	const struct tern_table_options options = {.routes_max = routes,
						   .routes_expected = routes,
						   .shards = shards,
						   .seed = seeds,
						   .page_bytes_max = 4096};
	struct tern_table *table = make_table(&options);
	struct tern_table_stats stats;
	for (uint64_t i = 0; i < routes; i++) {
		struct tern_route route = {.id = make_id(11, 0, i),
					   .address = tern_address_make(0, (uint32_t)i + 1, 1),
					   .expires_ns = TERN_ROUTE_FOREVER,
					   .version = every && i % every == 0};
		assert_int_equal(tern_table_put(table, &route, false), 0);
	}
	tern_table_stats(table, &stats);
	tern_table_destroy(table);
	return (double)stats.bytes;
}

/* Small shards differ much: a page is much to them. So the mean of some tables is compared. */
static void expect_estimate(uint64_t routes, uint32_t shards, uint64_t every)
{
	uint64_t tables = 60000 / routes + 1, records = every ? (routes + every - 1) / every : 0;
	double told = (double)tern_table_bytes(routes, records, shards), held = 0;
	for (uint64_t seed = 1; seed <= tables; seed++)
		held += bytes_held(routes, shards, every, seed) / (double)tables;
	if (fabs(held - told) > 0.05 * held)
		fail_msg("%" PRIu64 " routes, %" PRIu64 " records in %u shards: told %.0f, held "
			 "%.0f",
			 routes, records, shards, told, held);
}

static void the_estimate_is_what_it_takes(void **state)
{
	static const uint32_t shards[] = {1, 2, 4, 8, 16, 64};
	(void)state;
	for (size_t i = 0; i < sizeof(shards) / sizeof(shards[0]); i++)
		for (uint64_t routes = 1000; routes <= 300000; routes = routes * 19 / 10)
			for (uint64_t every = 0; every <= 2; every++)
				expect_estimate(routes, shards[i], every);
}

static void addresses_that_lead_nowhere_are_refused(void **state)
{
	(void)state;
	const tern_address bad[] = {TERN_ADDRESS_NONE, tern_address_make(1, 5, 1),
				    tern_address_make(8191, 5, 1), tern_address_make(8192, 5, 1),
				    UINT64_MAX};
	const struct tern_table_options options = {.routes_max = 4};
	struct tern_table *table = NULL;
	assert_int_equal(tern_table_create(&table, &options, NULL), 0);
	for (uint64_t i = 0; i < 5; i++) {
		struct tern_id id = make_id(7, 0, i);
		uint64_t hash = tern_table_prefetch(table, id);
		assert_int_equal(tern_table_add(table, hash, id, bad[i]), -EINVAL);
		assert_int_equal(tern_table_find(table, id), TERN_ADDRESS_NONE);
	}
	for (uint64_t i = 0; i < 4; i++) {
		struct tern_id id = make_id(7, 0, i);
		uint64_t hash = tern_table_prefetch(table, id);
		assert_int_equal(tern_table_add(table, hash, id, i + 1), 0);
	}
	tern_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_lead_nowhere_are_refused),
		cmocka_unit_test(it_holds_what_was_put_in),
		cmocka_unit_test(it_grows_from_nothing_and_shrinks_to_it),
		cmocka_unit_test(churn_leaves_no_trace),
		cmocka_unit_test(places_are_free_at_once),
		cmocka_unit_test(an_id_may_come_again_at_once),
		cmocka_unit_test(a_reader_that_is_not_quiet_costs_memory),
		cmocka_unit_test(what_readers_keep_is_bounded),
		cmocka_unit_test(a_full_table_says_so),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(the_id_of_nobody_is_an_id),
		cmocka_unit_test(each_change_counts),
		cmocka_unit_test(the_estimate_is_what_it_takes),
	};
	return cmocka_run_group_tests_name("routing table", tests, NULL, NULL);
}
