/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a lookup says local, remote or unknown, and unknown without asking twice; what is out of
 * date goes when it is seen; routes live as long as they are steady; whoever has a capability and
 * can take signals is found; all of it is counted, and timed now and then.
 * Method: a router under a clock that the test sets, with a recorder of what it asks for.
 */
#include "tests/unit/dataplane/recorder.h"

#include "dataplane/router/router.h"
#include "dataplane/sets/sets.h"

static void add_local(struct recorder *recorder, uint64_t number)
{
	const struct tern_route route = {.id = number_id(number),
					 .address = on(0, (uint32_t)number),
					 .expires_ns = TERN_ROUTE_FOREVER};
	assert_int_equal(tern_table_put(tern_router_table(recorder->router), &route, false), 0);
}

static void local_remote_unknown(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	tern_address address;
	add_local(recorder, 1);
	assert_int_equal(tell(recorder, news(2, 5, 1)), TERN_APPLIED);
	assert_int_equal(where_is(recorder, 1, &address), TERN_WHERE_LOCAL);
	assert_int_equal(address, on(0, 1));
	assert_int_equal(where_is(recorder, 2, &address), TERN_WHERE_REMOTE);
	assert_int_equal(address, on(5, 2));
	assert_int_equal(where_is(recorder, 3, &address), TERN_WHERE_UNKNOWN);
	assert_int_equal(address, TERN_ADDRESS_NONE);
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.counts.local, 1);
	assert_int_equal(stats.counts.remote, 1);
	assert_int_equal(stats.counts.unknown, 1);
	recorder_close(recorder);
}

static void a_missing_id_is_asked_for_once(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	for (int i = 0; i < 10; i++)
		assert_false(is_known(recorder, 3));
	assert_int_equal(recorder->asked_count, 1);
	assert_int_equal(recorder->asked[0].low, number_id(3).low);
	assert_int_equal(router_stats(recorder).counts.absent_hits, 9);
	recorder->now += SECOND - 1;
	assert_false(is_known(recorder, 3));
	assert_int_equal(recorder->asked_count, 1);
	recorder->now += 1;
	assert_false(is_known(recorder, 3));
	assert_int_equal(recorder->asked_count, 2);
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.counts.absent_expired, 1);
	assert_int_equal(stats.counts.discoveries, 2);
	assert_int_equal(stats.absent, 1);
	recorder_close(recorder);
}

static void an_answer_ends_the_missing(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	assert_false(is_known(recorder, 3));
	assert_int_equal(tell(recorder, news(3, 9, 1)), TERN_APPLIED);
	assert_true(is_known(recorder, 3));
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.absent, 0);
	assert_int_equal(stats.updates.invalidated, 1);
	recorder_close(recorder);
}

static void the_oldest_missing_makes_room(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){.absent_max = 8});
	for (uint64_t i = 0; i < 100; i++)
		assert_false(is_known(recorder, i));
	assert_int_equal(recorder->asked_count, 100);
	assert_int_equal(router_stats(recorder).absent, 8);
	for (uint64_t i = 92; i < 100; i++)
		assert_false(is_known(recorder, i));
	assert_int_equal(recorder->asked_count, 100);
	assert_false(is_known(recorder, 91));
	assert_int_equal(recorder->asked_count, 101);
	recorder_close(recorder);
}

static struct tern_update gone(uint64_t number, uint16_t node, uint64_t version)
{
	struct tern_update update = news(number, node, version);
	update.address = TERN_ADDRESS_NONE;
	return update;
}

/* Room for 8 that have gone. */
static void who_is_said_to_have_gone_stays_gone(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){.absent_max = 8});
	for (uint64_t i = 0; i < 8; i++) {
		assert_int_equal(tell(recorder, news(i, 5, 10)), TERN_APPLIED);
		assert_int_equal(tell(recorder, gone(i, 5, 11)), TERN_APPLIED);
	}
	/* No room to remember: nothing has changed. */
	assert_int_equal(tell(recorder, news(8, 5, 10)), TERN_APPLIED);
	assert_int_equal(tell(recorder, gone(8, 5, 11)), -ENOSPC);
	assert_true(is_known(recorder, 8));
	/* Those that nobody knows do not drive out those that have gone. */
	for (uint64_t i = 100; i < 200; i++)
		assert_false(is_known(recorder, i));
	for (uint64_t i = 0; i < 8; i++) {
		assert_int_equal(tell(recorder, news(i, 5, 10)), TERN_REJECTED);
		assert_int_equal(tell(recorder, gone(i, 5, 11)), TERN_MERGED);
		assert_int_equal(tell(recorder, gone(i, 5, 12)), TERN_APPLIED);
	}
	recorder->now += 4 * 8 * SECOND - 1;
	assert_int_equal(tell(recorder, news(0, 5, 11)), TERN_REJECTED);
	assert_int_equal(tell(recorder, gone(8, 5, 11)), -ENOSPC);
	recorder->now += 1;
	assert_int_equal(tell(recorder, gone(8, 5, 11)), TERN_APPLIED);
	assert_int_equal(tell(recorder, news(8, 5, 10)), TERN_REJECTED);
	/* Newer news brings one back, and makes room. */
	assert_int_equal(tell(recorder, news(1, 5, 13)), TERN_APPLIED);
	assert_true(is_known(recorder, 1));
	assert_int_equal(tell(recorder, gone(9, 5, 11)), TERN_APPLIED);
	recorder_close(recorder);
}

static void without_a_clock_the_oldest_gone_gives_way(void **state)
{
	(void)state;
	const struct tern_router_options options = {
		.node = 1, .absent_max = 8, .table = {.routes_max = 100}};
	struct tern_router *router = make_router(&options);
	for (uint64_t i = 0; i < 100; i++) {
		struct tern_update update = gone(i, 5, 11), old = news(i, 5, 10);
		assert_int_equal(tern_router_update(router, &update, NULL), TERN_APPLIED);
		assert_int_equal(tern_router_update(router, &old, NULL), TERN_REJECTED);
	}
	tern_router_destroy(router);
}

static void times_do_not_wrap(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){
		.remote_ttl_ns = UINT64_MAX - 1, .absent_ttl_ns = UINT64_MAX - 1});
	assert_int_equal(tell(recorder, news(1, 5, 10)), TERN_APPLIED);
	for (uint64_t i = 0; i < 8; i++)
		tell(recorder, news(1, 5, 10));
	assert_true(is_known(recorder, 1));
	for (int i = 0; i < 3; i++)
		assert_false(is_known(recorder, 2));
	assert_int_equal(recorder->asked_count, 1);
	assert_int_equal(tell(recorder, gone(1, 5, 11)), TERN_APPLIED);
	assert_int_equal(tell(recorder, news(1, 5, 10)), TERN_REJECTED);
	recorder_close(recorder);
}

static void a_stale_route_goes_when_it_is_seen(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	tern_address found[4];
	assert_int_equal(tell(recorder, news(2, 5, 10)), TERN_APPLIED);
	assert_int_equal(tern_router_on_node(recorder->router, 5, found, 4), 1);
	recorder->now += 8 * SECOND - 1;
	assert_true(is_known(recorder, 2));
	recorder->now += 1;
	assert_int_equal(router_stats(recorder).table.routes, 1);
	assert_false(is_known(recorder, 2));
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.table.routes, 0);
	assert_int_equal(stats.counts.stale_removed, 1);
	assert_int_equal(tern_router_on_node(recorder->router, 5, found, 4), 0);
	assert_int_equal(recorder->asked_count, 1);
	/* What was known is not forgotten with it: older news is old, the same told again counts.
	 */
	assert_int_equal(tell(recorder, news(2, 5, 9)), TERN_REJECTED);
	assert_false(is_known(recorder, 2));
	assert_int_equal(tell(recorder, news(2, 5, 10)), TERN_APPLIED);
	assert_true(is_known(recorder, 2));
	recorder_close(recorder);
}

/* Nanoseconds for which the route of agent 2 is good from now on. */
static uint64_t lives_for(struct recorder *recorder)
{
	struct tern_route route;
	assert_true(tern_table_route(tern_router_table(recorder->router), number_id(2), &route));
	return route.expires_ns - recorder->now;
}

static void steady_routes_live_longer(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	uint64_t version = 1;
	tell(recorder, news(2, 5, version));
	assert_int_equal(lives_for(recorder), 8 * SECOND);
	for (int i = 0; i < 3; i++)
		tell(recorder, news(2, 5, ++version));
	assert_int_equal(lives_for(recorder), 8 * SECOND);
	assert_int_equal(tell(recorder, news(2, 5, ++version)), TERN_APPLIED);
	assert_int_equal(lives_for(recorder), 16 * SECOND);
	assert_int_equal(tell(recorder, news(2, 5, version)), TERN_MERGED);
	assert_int_equal(lives_for(recorder), 16 * SECOND);
	/* It moves, and moves again. */
	tell(recorder, news(2, 6, ++version));
	assert_int_equal(lives_for(recorder), 8 * SECOND);
	tell(recorder, news(2, 7, ++version));
	assert_int_equal(lives_for(recorder), 4 * SECOND);
	for (int i = 0; i < 3; i++)
		tell(recorder, news(2, 7, ++version));
	assert_int_equal(lives_for(recorder), 8 * SECOND);
	/* To go and to come is a change each. */
	struct tern_update gone = news(2, 7, ++version);
	gone.address = TERN_ADDRESS_NONE;
	assert_int_equal(tell(recorder, gone), TERN_APPLIED);
	assert_false(is_known(recorder, 2));
	tell(recorder, news(2, 7, ++version));
	assert_int_equal(lives_for(recorder), 4 * SECOND);
	recorder_close(recorder);
}

static void what_is_configured_stays(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	struct tern_update fixed = news(2, 5, 1);
	fixed.source = TERN_ROUTE_STATIC;
	tell(recorder, fixed);
	recorder->now += 1000000 * SECOND;
	assert_true(is_known(recorder, 2));
	recorder_close(recorder);
}

static void batches_and_warming(void **state)
{
	(void)state;
	enum { COUNT = 150 };
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	struct tern_id ids[COUNT];
	tern_address addresses[COUNT];
	for (uint64_t i = 0; i < COUNT; i++) {
		ids[i] = number_id(i);
		if (i % 3 == 0)
			add_local(recorder, i);
		else if (i % 3 == 1)
			tell(recorder, news(i, 4, i + 1));
	}
	assert_int_equal(tern_router_warm(recorder->router, 0, ids, COUNT), 100);
	assert_int_equal(recorder->asked_count, 50);
	assert_int_equal(tern_router_find_batch(recorder->router, 0, ids, COUNT, addresses), 100);
	assert_int_equal(recorder->asked_count, 50);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(addresses[i], i % 3 == 0   ? on(0, i)
					       : i % 3 == 1 ? on(4, i)
							    : TERN_ADDRESS_NONE);
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.counts.batch_ids, 2 * COUNT);
	assert_int_equal(stats.counts.batches, 4);
	assert_int_equal(stats.counts.local, 100);
	recorder_close(recorder);
}

static void capabilities(void **state)
{
	(void)state;
	const struct tern_id quotes = number_id(1000);
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	tern_address found[8];
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 0);
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 0);
	assert_int_equal(recorder->capabilities_asked, 1);
	add_local(recorder, 1);
	tell(recorder, news(2, 5, 1));
	assert_int_equal(tern_router_offer(recorder->router, quotes, number_id(1), on(0, 1)), 0);
	assert_int_equal(tern_router_offer(recorder->router, quotes, number_id(2), on(5, 2)), 0);
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 2);
	recorder->busy = on(0, 1);
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 1);
	assert_int_equal(found[0], on(5, 2));
	/* The other moves, then goes: who asks for the capability knows at once. */
	tell(recorder, news(2, 6, 2));
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 1);
	assert_int_equal(found[0], on(6, 2));
	assert_int_equal(tern_router_on_node(recorder->router, 5, found, 8), 0);
	assert_int_equal(tern_router_on_node(recorder->router, 6, found, 8), 1);
	struct tern_update gone = news(2, 6, 3);
	gone.address = TERN_ADDRESS_NONE;
	tell(recorder, gone);
	assert_int_equal(tern_router_providers(recorder->router, 0, quotes, found, 8), 0);
	recorder->busy = TERN_ADDRESS_NONE;
	assert_int_equal(tern_router_withdraw(recorder->router, quotes, number_id(1)), 0);
	assert_int_equal(tern_router_withdraw(recorder->router, quotes, number_id(1)), -ENOENT);
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.counts.capability_found, 3);
	assert_int_equal(stats.counts.capability_unknown, 3);
	recorder_close(recorder);
}

/* Were a lock needed that is held here, it would wait for ever. */
static void a_look_needs_no_lock(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	struct tern_router *router = recorder->router;
	struct tern_router_stats looked;
	tern_address found[2];
	add_local(recorder, 1);
	tell(recorder, news(2, 5, 1));
	tell(recorder, news(2, 6, 2));
	tern_router_offer(router, number_id(9), number_id(1), on(0, 1));
	for (uint64_t i = 1; i < 5; i++)
		is_known(recorder, i);
	tern_router_providers(router, 0, number_id(9), found, 2);
	struct tern_router_stats stats = router_stats(recorder);
	tern_lock(&router->lock);
	tern_sets_lock(router->sets);
	tern_router_look(router, &looked);
	tern_sets_unlock(router->sets);
	tern_unlock(&router->lock);
	assert_memory_equal(&looked, &stats, sizeof(stats));
	assert_int_equal(looked.table.routes, 2);
	assert_int_equal(looked.absent, 2);
	assert_int_equal(looked.sets.sets, 2);
	assert_int_equal(looked.sets.agents, 2);
	assert_int_equal(looked.sets.members, 2);
	assert_int_equal(looked.counts.local + looked.counts.remote, 2);
	assert_int_equal(looked.counts.capability_found, 1);
	assert_int_equal(looked.updates.applied, 2);
	recorder_close(recorder);
}

static void times_are_sampled(void **state)
{
	(void)state;
	struct recorder *recorder = recorder_open((struct tern_router_options){.sample_every = 10});
	struct tern_histogram *times = calloc(1, sizeof(*times));
	add_local(recorder, 1);
	for (int i = 0; i < 1000; i++)
		assert_true(is_known(recorder, 1));
	tern_router_times(recorder->router, 0, TERN_PATH_LOCAL, times);
	assert_int_equal(times->count, 100);
	tern_router_times(recorder->router, 0, TERN_PATH_REMOTE, times);
	assert_int_equal(times->count, 0);
	free(times);
	recorder_close(recorder);
}

static void who_asks_nobody_remembers_nothing(void **state)
{
	(void)state;
	struct tern_router *router = make_router(&(struct tern_router_options){.readers = 2});
	struct tern_router_counts counts;
	tern_address address;
	for (int i = 0; i < 5; i++)
		assert_int_equal(tern_router_find(router, 1, number_id(1), &address),
				 TERN_WHERE_UNKNOWN);
	tern_router_counts(router, 1, &counts);
	assert_int_equal(counts.unknown, 5);
	assert_int_equal(counts.discoveries, 0);
	tern_router_counts(router, 0, &counts);
	assert_int_equal(counts.unknown, 0);
	tern_router_destroy(router);
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	struct tern_router *router = NULL;
	struct tern_error error = {0};
	const struct tern_router_options bad[] = {
		{.node = TERN_NODE_MAX + 1},   {.readers = 1u << 20},
		{.absent_max = 1u << 30},      {.table = {.shards = 3}},
		{.table = {.kernel = "none"}}, {.sets_max = UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error.text[0] = '\0';
		assert_true(tern_router_create(&router, &bad[i], &error) < 0);
		assert_null(router);
		assert_true(error.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_remote_unknown),
		cmocka_unit_test(a_missing_id_is_asked_for_once),
		cmocka_unit_test(an_answer_ends_the_missing),
		cmocka_unit_test(the_oldest_missing_makes_room),
		cmocka_unit_test(who_is_said_to_have_gone_stays_gone),
		cmocka_unit_test(without_a_clock_the_oldest_gone_gives_way),
		cmocka_unit_test(times_do_not_wrap),
		cmocka_unit_test(a_stale_route_goes_when_it_is_seen),
		cmocka_unit_test(steady_routes_live_longer),
		cmocka_unit_test(what_is_configured_stays),
		cmocka_unit_test(batches_and_warming),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(a_look_needs_no_lock),
		cmocka_unit_test(times_are_sampled),
		cmocka_unit_test(who_asks_nobody_remembers_nothing),
		cmocka_unit_test(bad_options_are_refused),
	};
	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
