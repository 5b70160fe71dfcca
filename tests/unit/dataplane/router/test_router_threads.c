/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: beside threads that tell news, lookups give what was true meanwhile, ask for a missing id
 * once, and never wait for each other; who looks at the router sees numbers that were true.
 * Method: readers that look up agents which move from node to node in step with a clock, agents
 * that stay, and agents that are missing; the moves have numbers that only go up.
 */
#include "tests/unit/dataplane/recorder.h"

#include "capabilities/sanitizer.h"

#include <pthread.h>

/* Threads of the quiet variable, behind the readers. */
enum { ONLOOKER = 2, TELLER };
enum { READERS = ONLOOKER, STEADY = 50, MOVING = 20, MISSING = 30, ROUNDS = 3000 };

struct arena {
	struct recorder *recorder;
	struct rte_rcu_qsbr *quiet;
	uint64_t wrong;
	bool over;
};

struct reader {
	struct arena *arena;
	uint32_t number;
	pthread_t thread;
};

/* Move n of an agent leads to slot n of its node. */
static struct tern_update move(uint64_t agent, uint64_t n)
{
	struct tern_update update = news(100 + agent, (uint16_t)(2 + n % 3), n + 1);
	update.address = tern_address_make((uint32_t)(2 + n % 3), (uint32_t)n, (uint32_t)agent + 1);
	update.base = n;
	return update;
}

static void look(struct reader *reader, uint64_t *last)
{
	struct tern_router *router = reader->arena->recorder->router;
	struct tern_id ids[MOVING];
	tern_address address, found[MOVING];
	for (uint64_t i = 0; i < STEADY; i++)
		if (tern_router_find(router, reader->number, number_id(i), &address) !=
			    TERN_WHERE_LOCAL ||
		    address != on(0, (uint32_t)i))
			note(&reader->arena->wrong);
	for (uint64_t i = 0; i < MISSING; i++)
		if (tern_router_find(router, reader->number, number_id(1000 + i), &address) !=
		    TERN_WHERE_UNKNOWN)
			note(&reader->arena->wrong);
	for (uint64_t i = 0; i < MOVING; i++)
		ids[i] = number_id(100 + i);
	tern_router_find_batch(router, reader->number, ids, MOVING, found);
	for (uint64_t i = 0; i < MOVING; i++) {
		uint64_t n = tern_address_slot(found[i]);
		if (!found[i] || n < last[i] || tern_address_generation(found[i]) != i + 1 ||
		    tern_address_node(found[i]) != 2 + n % 3)
			note(&reader->arena->wrong);
		last[i] = n;
	}
}

static void *read_on(void *argument)
{
	struct reader *reader = argument;
	uint64_t last[MOVING] = {0};
	rte_rcu_qsbr_thread_register(reader->arena->quiet, reader->number);
	rte_rcu_qsbr_thread_online(reader->arena->quiet, reader->number);
	while (!seen(&reader->arena->over)) {
		look(reader, last);
		tern_sanitizer_unlocking(reader->arena->quiet);
		rte_rcu_qsbr_quiescent(reader->arena->quiet, reader->number);
	}
	rte_rcu_qsbr_thread_offline(reader->arena->quiet, reader->number);
	rte_rcu_qsbr_thread_unregister(reader->arena->quiet, reader->number);
	return NULL;
}

/* A thread that looks at what only goes up, until it is over. */
struct onlooker {
	const struct tern_router *router;
	struct rte_rcu_qsbr *quiet;
	uint32_t number;
	pthread_t thread;
	uint64_t looks, wrong;
	bool joining; /* nobody leaves a set */
	bool over;
};

static bool has_gone_down(const struct onlooker *onlooker, const struct tern_router_stats *now,
			  const struct tern_router_stats *before)
{
	return now->counts.local < before->counts.local ||
	       now->updates.applied < before->updates.applied ||
	       now->table.routes < before->table.routes ||
	       (onlooker->joining && now->sets.agents < before->sets.agents);
}

static void *look_on(void *argument)
{
	struct onlooker *onlooker = argument;
	struct tern_router_stats now, before = {0};
	rte_rcu_qsbr_thread_register(onlooker->quiet, onlooker->number);
	while (!seen(&onlooker->over)) {
		rte_rcu_qsbr_thread_online(onlooker->quiet, onlooker->number);
		tern_router_look(onlooker->router, &now);
		tern_sanitizer_unlocking(onlooker->quiet);
		rte_rcu_qsbr_thread_offline(onlooker->quiet, onlooker->number);
		onlooker->wrong += has_gone_down(onlooker, &now, &before);
		before = now;
		note(&onlooker->looks);
		if (onlooker->looks % 64 == 0)
			breathe();
	}
	rte_rcu_qsbr_thread_unregister(onlooker->quiet, onlooker->number);
	return NULL;
}

static void onlooker_start(struct onlooker *onlooker)
{
	assert_int_equal(pthread_create(&onlooker->thread, NULL, look_on, onlooker), 0);
}

static void onlooker_stop(struct onlooker *onlooker)
{
	put(&onlooker->over, true);
	pthread_join(onlooker->thread, NULL);
	assert_true(onlooker->looks > 0);
	assert_int_equal(onlooker->wrong, 0);
}

static void prepare(struct arena *arena)
{
	for (uint64_t i = 0; i < STEADY; i++) {
		const struct tern_route route = {.id = number_id(i),
						 .address = on(0, (uint32_t)i),
						 .expires_ns = TERN_ROUTE_FOREVER};
		tern_table_put(tern_router_table(arena->recorder->router), &route, false);
	}
	for (uint64_t i = 0; i < MOVING; i++)
		tell(arena->recorder, move(i, 0));
}

/* Who tells reads as well. */
static int tell_online(struct arena *arena, struct tern_update update)
{
	rte_rcu_qsbr_thread_online(arena->quiet, TELLER);
	int code = tell(arena->recorder, update);
	tern_sanitizer_unlocking(arena->quiet);
	rte_rcu_qsbr_thread_offline(arena->quiet, TELLER);
	return code;
}

/* Moves wait for memory that readers have to be quiet about. */
static void move_on(struct arena *arena, uint64_t agent, uint64_t n)
{
	while (tell_online(arena, move(agent, n)) == -ENOMEM)
		breathe();
}

static void lookups_beside_news(void **state)
{
	(void)state;
	struct arena arena = {.quiet = make_quiet(TELLER + 1)};
	struct reader readers[READERS];
	struct onlooker onlooker = {.quiet = arena.quiet, .number = ONLOOKER};
	arena.recorder = recorder_open((struct tern_router_options){
		.readers = READERS, .table = {.quiet = arena.quiet}, .remote_ttl_ns = 1ull << 60});
	rte_rcu_qsbr_thread_register(arena.quiet, TELLER);
	prepare(&arena);
	onlooker.router = arena.recorder->router;
	onlooker_start(&onlooker);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.arena = &arena, .number = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	while (!seen(&onlooker.looks))
		breathe();
	for (uint64_t n = 1; n < ROUNDS; n++)
		for (uint64_t i = 0; i < MOVING; i++)
			move_on(&arena, i, n);
	put(&arena.over, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	onlooker_stop(&onlooker);
	assert_int_equal(arena.wrong, 0);
	assert_int_equal(router_stats(arena.recorder).updates.applied, MOVING * ROUNDS);
	/* The clock stood still: each missing id counts as missing for all of the time. */
	assert_true(arena.recorder->asked_count <= MISSING);
	assert_int_equal(router_stats(arena.recorder).counts.discoveries,
			 arena.recorder->asked_count);
	for (uint32_t i = 0; i < arena.recorder->asked_count; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(arena.recorder->asked[i].low,
					     arena.recorder->asked[j].low);
	recorder_close(arena.recorder);
	free(arena.quiet);
}

/* A thread that tells where an agent of this process is, or is not. */
struct liar {
	struct recorder *recorder;
	struct rte_rcu_qsbr *quiet;
	pthread_t thread;
	uint64_t version; /* of the last news */
	bool over;
};

static void *lie_on(void *argument)
{
	struct liar *liar = argument;
	rte_rcu_qsbr_thread_register(liar->quiet, 1);
	while (!seen(&liar->over)) {
		uint64_t version = liar->version + 1;
		struct tern_update update = news(1, (uint16_t)(2 + version % 3), version);
		if (version % 5 == 0)
			update.address = TERN_ADDRESS_NONE;
		if (version % 5 == 1)
			update.address = on(1, 7);
		rte_rcu_qsbr_thread_online(liar->quiet, 1);
		tell(liar->recorder, update);
		tern_sanitizer_unlocking(liar->quiet);
		rte_rcu_qsbr_thread_offline(liar->quiet, 1);
		put(&liar->version, version);
	}
	rte_rcu_qsbr_thread_unregister(liar->quiet, 1);
	return NULL;
}

/*
 * It comes as soon as nobody is held to have its id, or every other time whoever is, and offers a
 * capability while it is there.
 */
static uint64_t live_and_end(struct liar *liar, uint32_t life)
{
	struct tern_router *router = liar->recorder->router;
	const struct tern_route route = {
		.id = number_id(1), .address = on(0, life), .expires_ns = TERN_ROUTE_FOREVER};
	uint64_t wrong = 0, before = seen(&liar->version);
	if (tern_table_put(tern_router_table(router), &route, life % 2) != 0)
		return 0;
	wrong += tern_router_offer(router, number_id(90), route.id, route.address) != 0;
	while (seen(&liar->version) < before + 2)
		breathe();
	tern_address found = TERN_ADDRESS_NONE;
	wrong += tern_table_find(tern_router_table(router), route.id) != route.address;
	wrong += tern_router_providers(router, 0, number_id(90), &found, 1) != 1 ||
		 found != route.address;
	wrong += tern_table_remove(tern_router_table(router), route.id, route.address) != 0;
	wrong += tern_router_forget(router, route.id) == 0;
	return wrong;
}

static void no_news_take_an_agent_s_place(void **state)
{
	enum { LIVES = 2000, TRIES = 400000 };
	(void)state;
	struct rte_rcu_qsbr *quiet = make_quiet(2);
	struct liar liar = {
		.quiet = quiet,
		.recorder = recorder_open((struct tern_router_options){.table = {.quiet = quiet}})};
	uint64_t wrong = 0;
	uint32_t lives = 0;
	rte_rcu_qsbr_thread_register(quiet, 0);
	assert_int_equal(pthread_create(&liar.thread, NULL, lie_on, &liar), 0);
	for (uint32_t i = 0; i < TRIES && lives < LIVES; i++) {
		uint64_t version = seen(&liar.version);
		rte_rcu_qsbr_thread_online(quiet, 0);
		wrong += live_and_end(&liar, i + 1);
		lives += seen(&liar.version) >= version + 2;
		tern_sanitizer_unlocking(quiet);
		rte_rcu_qsbr_thread_offline(quiet, 0);
	}
	put(&liar.over, true);
	pthread_join(liar.thread, NULL);
	assert_in_range(lives, LIVES, LIVES);
	assert_int_equal(wrong, 0);
	rte_rcu_qsbr_thread_unregister(quiet, 0);
	recorder_close(liar.recorder);
	free(quiet);
}

/* Each time anew, while somebody looks: the sets' table of agents frees what it grew out of at
 * once.
 */
static void grow(struct rte_rcu_qsbr *quiet)
{
	enum { AGENTS = 4000, BETWEEN = 500 };
	struct recorder *recorder =
		recorder_open((struct tern_router_options){.table = {.quiet = quiet}});
	struct onlooker onlooker = {.router = recorder->router, .quiet = quiet, .joining = true};
	struct tern_router_stats stats;
	onlooker_start(&onlooker);
	for (uint64_t i = 0; i < AGENTS; i++) {
		uint64_t looks = seen(&onlooker.looks);
		assert_int_equal(tern_router_offer(recorder->router, number_id(AGENTS + i % 100),
						   number_id(i), on(0, (uint32_t)i)),
				 0);
		while (i % BETWEEN == 0 && seen(&onlooker.looks) == looks)
			breathe();
	}
	onlooker_stop(&onlooker);
	tern_router_look(recorder->router, &stats);
	assert_int_equal(stats.sets.agents, AGENTS);
	assert_int_equal(stats.sets.members, AGENTS);
	recorder_close(recorder);
}

static void looks_beside_growth(void **state)
{
	(void)state;
	struct rte_rcu_qsbr *quiet = make_quiet(1);
	for (int i = 0; i < 50; i++)
		grow(quiet);
	free(quiet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups_beside_news),
		cmocka_unit_test(looks_beside_growth),
		cmocka_unit_test(no_news_take_an_agent_s_place),
	};
	return cmocka_run_group_tests_name("router: threads", tests, NULL, NULL);
}
