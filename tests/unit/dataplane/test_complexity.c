/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a change of a route costs the same in a table of any size, growth included; who has a
 * capability costs as much as they are; a batch as much as its ids.
 * Method: the data plane is built once more with a call at each of its branches; the calls are
 * counted, over four sizes. No clock, and the same count at each run.
 */
#include "tests/unit/dataplane/recorder.h"

enum { SIZES = 4, NODES = 4, GROUP = 64, ASKS = 20, FOUND_MAX = 4000 };

/* Of routes, and of a question. */
static const uint32_t table_sizes[SIZES] = {250, 1000, 4000, 16000};
static const uint32_t asked_sizes[SIZES] = {4, 40, 400, 4000};

/* How much more than the smallest size another may cost: chains and fill of a hash table differ. */
#define AS_MUCH 1.25

/* Branches so far; what the compiler calls. */
static uint64_t steps;
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

static struct recorder *open_router(void)
{
	static const uint64_t seed[2] = {1, 2};
	struct tern_router_options options = {
		.table = {.routes_max = 20000, .seed = seed, .kernel = "scalar"},
		.members_max = 50000,
		.absent_max = 20000};
	return recorder_open(options);
}

static struct tern_update news_of(uint64_t number, uint64_t version)
{
	return news(number, (uint16_t)(2 + number % NODES), version);
}

/* Steps of each, on average. */
struct update_costs {
	double insert, change, remove;
};

static double per_update(struct recorder *recorder, uint32_t count, uint64_t from, bool remove)
{
	uint64_t before = steps;
	for (uint32_t i = 1; i <= count; i++) {
		struct tern_update update = news_of(i, from + i);
		if (remove)
			update.address = TERN_ADDRESS_NONE;
		assert_true(tell(recorder, update) >= 0);
	}
	return (double)(steps - before) / count;
}

static struct update_costs count_updates(uint32_t count)
{
	struct recorder *recorder = open_router();
	struct update_costs costs;
	costs.insert = per_update(recorder, count, 0, false);
	assert_int_equal(router_stats(recorder).table.routes, count);
	costs.change = per_update(recorder, count, count, false);
	costs.remove = per_update(recorder, count, 2 * count, true);
	assert_int_equal(router_stats(recorder).table.routes, 0);
	print_message("%6u routes: %.1f steps to insert, %.1f to change, %.1f to remove\n", count,
		      costs.insert, costs.change, costs.remove);
	recorder_close(recorder);
	return costs;
}

static void a_change_of_a_route_costs_the_same_at_any_size(void **state)
{
	(void)state;
	struct update_costs least = count_updates(table_sizes[0]);
	for (int i = 1; i < SIZES; i++) {
		struct update_costs costs = count_updates(table_sizes[i]);
		assert_true(costs.insert <= AS_MUCH * least.insert);
		assert_true(costs.change <= AS_MUCH * least.change);
		assert_true(costs.remove <= AS_MUCH * least.remove);
	}
}

/* One capability has `members` of the agents, another has the rest. Steps to ask for the first. */
static double count_providers(uint32_t agents, uint32_t members)
{
	static tern_address found[FOUND_MAX];
	struct recorder *recorder = open_router();
	const struct tern_id asked = number_id(1000001), other = number_id(1000002);
	for (uint32_t i = 1; i <= agents; i++) {
		assert_true(tell(recorder, news_of(i, i)) >= 0);
		assert_int_equal(tern_router_offer(recorder->router, i <= members ? asked : other,
						   number_id(i), news_of(i, i).address),
				 0);
	}
	uint64_t before = steps;
	for (int i = 0; i < ASKS; i++)
		assert_int_equal(
			tern_router_providers(recorder->router, 0, asked, found, FOUND_MAX),
			members);
	double each = (double)(steps - before) / ASKS;
	print_message("%6u agents, %5u of the capability: %.1f steps\n", agents, members, each);
	recorder_close(recorder);
	return each;
}

static void a_capability_costs_as_much_as_its_members(void **state)
{
	(void)state;
	double before = count_providers(4000, asked_sizes[0]) / asked_sizes[0];
	for (int i = 1; i < SIZES; i++) {
		double member = count_providers(4000, asked_sizes[i]) / asked_sizes[i];
		assert_true(member <= before);
		before = member;
	}
}

static void a_capability_costs_the_same_among_any_number_of_agents(void **state)
{
	(void)state;
	double least = count_providers(table_sizes[0], GROUP);
	for (int i = 1; i < SIZES; i++)
		assert_true(count_providers(table_sizes[i], GROUP) <= AS_MUCH * least);
}

static double count_batch(uint32_t routes, uint32_t ids)
{
	static struct tern_id asked[FOUND_MAX];
	static tern_address found[FOUND_MAX];
	struct recorder *recorder = open_router();
	for (uint32_t i = 1; i <= routes; i++)
		assert_true(tell(recorder, news_of(i, i)) >= 0);
	for (uint32_t i = 0; i < ids; i++)
		asked[i] = number_id(1 + i * 7919u % routes);
	uint64_t before = steps;
	for (int i = 0; i < ASKS; i++)
		assert_int_equal(tern_router_find_batch(recorder->router, 0, asked, ids, found),
				 ids);
	double each = (double)(steps - before) / ASKS / ids;
	print_message("%6u routes, %5u ids: %.2f steps an id\n", routes, ids, each);
	recorder_close(recorder);
	return each;
}

static void a_batch_costs_as_much_as_its_ids(void **state)
{
	(void)state;
	double least = count_batch(4000, asked_sizes[0]);
	for (int i = 1; i < SIZES; i++)
		assert_true(count_batch(4000, asked_sizes[i]) <= AS_MUCH * least);
}

static void a_batch_costs_the_same_in_a_table_of_any_size(void **state)
{
	(void)state;
	double least = count_batch(table_sizes[0], GROUP);
	for (int i = 1; i < SIZES; i++)
		assert_true(count_batch(table_sizes[i], GROUP) <= AS_MUCH * least);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_of_a_route_costs_the_same_at_any_size),
		cmocka_unit_test(a_capability_costs_as_much_as_its_members),
		cmocka_unit_test(a_capability_costs_the_same_among_any_number_of_agents),
		cmocka_unit_test(a_batch_costs_as_much_as_its_ids),
		cmocka_unit_test(a_batch_costs_the_same_in_a_table_of_any_size),
	};
	return cmocka_run_group_tests_name("data plane: complexity", tests, NULL, NULL);
}
