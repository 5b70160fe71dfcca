/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the table finds exactly what was put in and not removed, at any fill, and readers see
 * whole routes while writers change it.
 * Method: random inserts, removals and look-ups beside a plain list; a table filled to its
 * last entry; threads that look ids up, each of which carries its own address, while others
 * insert and remove.
 */
#include "tests/unit/support.h"

#include "capabilities/counter.h"
#include "dataplane/route.h"

#include <pthread.h>

enum { IDS = 400 };

static struct tern_route *make_table(struct tern_routes *routes, size_t entries, uint64_t seed)
{
	struct tern_route *memory =
		aligned_alloc(TERN_LINE, (entries * sizeof(*memory) + 63) & ~(size_t)63);
	assert_non_null(memory);
	memset(memory, 0, entries * sizeof(*memory));
	tern_routes_init(routes, memory, entries, seed);
	return memory;
}

/* Ids in dense or equal halves must do as well as random ones. */
static struct tern_id make_id(struct tern_rng *rng, int kind, uint32_t i)
{
	switch (kind) {
	case 0:
		return (struct tern_id){.high = tern_rng_next(rng), .low = tern_rng_next(rng)};
	case 1:
		return (struct tern_id){.high = 0, .low = i};
	case 2:
		return (struct tern_id){.high = i, .low = 0};
	default:
		return (struct tern_id){.high = (uint64_t)i << 32, .low = (uint64_t)i << 32};
	}
}

static void run_model(uint64_t seed, int kind)
{
	struct tern_rng rng = {.state = seed};
	struct tern_routes routes;
	struct tern_route *memory = make_table(&routes, tern_routes_entries(IDS), seed);
	struct tern_id ids[IDS];
	tern_address addresses[IDS] = {0};
	for (uint32_t i = 0; i < IDS; i++)
		ids[i] = make_id(&rng, kind, i);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = pick(&rng, IDS);
		if (addresses[i] == TERN_ADDRESS_NONE) {
			addresses[i] = 1 + tern_rng_next(&rng) / 2;
			assert_int_equal(tern_routes_insert(&routes, ids[i], addresses[i]), 0);
		} else if (pick(&rng, 2)) {
			tern_routes_remove(&routes, ids[i], addresses[i]);
			addresses[i] = TERN_ADDRESS_NONE;
		} else {
			/* An older address of the same id must not remove the newer one. */
			tern_routes_remove(&routes, ids[i], addresses[i] + 1);
		}
		i = pick(&rng, IDS);
		tern_routes_prefetch(&routes, ids[i]);
		assert_true(tern_routes_find(&routes, ids[i]) == addresses[i]);
	}
	for (uint32_t i = 0; i < IDS; i++)
		assert_true(tern_routes_find(&routes, ids[i]) == addresses[i]);
	free(memory);
}

static void the_table_agrees_with_a_list(void **state)
{
	uint64_t seed = test_seed(1);
	(void)state;
	for (int i = 0; i < 20; i++)
		run_model(seed + (uint64_t)i, i % 4);
}

static void a_full_table_says_so(void **state)
{
	struct tern_routes routes;
	struct tern_rng rng = {.state = 3};
	struct tern_id ids[101];
	struct tern_route *memory = make_table(&routes, 100, 1);
	(void)state;
	for (uint32_t i = 0; i < 101; i++)
		ids[i] = make_id(&rng, 0, i);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(tern_routes_insert(&routes, ids[i], i + 1), 0);
	assert_int_equal(tern_routes_insert(&routes, ids[100], 999), -ENOSPC);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(tern_routes_find(&routes, ids[i]), i + 1);
	assert_int_equal(tern_routes_find(&routes, ids[100]), TERN_ADDRESS_NONE);
	tern_routes_remove(&routes, ids[50], 51);
	assert_int_equal(tern_routes_insert(&routes, ids[100], 999), 0);
	assert_int_equal(tern_routes_find(&routes, ids[100]), 999);
	assert_int_equal(tern_routes_find(&routes, ids[50]), TERN_ADDRESS_NONE);
	free(memory);
}

static void a_table_is_half_full_at_most(void **state)
{
	(void)state;
	for (size_t ids = 1; ids < 5000000; ids = ids * 3 / 2 + 1) {
		assert_true(tern_routes_entries(ids) >= 2 * ids);
		assert_true(tern_routes_entries(ids) <= 2 * ids + 64);
	}
}

/*
 * Concurrent: writer w owns ids with low % WRITERS == w; an id's address is made from the id,
 * so that a reader knows a torn route when it sees one. Ids below KEPT stay in all the time.
 */
enum { WRITERS = 2, READERS = 2, SHARED = 256, KEPT = 64, ROUNDS = 20000 };

struct shared {
	struct tern_routes routes;
	uint64_t done;
	uint64_t wrong;
	uint64_t missed;
};

struct worker {
	struct shared *shared;
	uint32_t number;
};

static struct tern_id shared_id(uint32_t i)
{
	return (struct tern_id){.high = i * 0x9E3779B97F4A7C15u, .low = i};
}

static tern_address shared_address(struct tern_id id)
{
	return (id.high ^ id.low << 20) | 1;
}

static void *write_routes(void *argument)
{
	struct worker *worker = argument;
	struct tern_routes *routes = &worker->shared->routes;
	struct tern_rng rng = {.state = worker->number};
	bool in[SHARED] = {false};
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t i = KEPT + pick(&rng, SHARED - KEPT);
		struct tern_id id = shared_id(i);
		if (i % WRITERS != worker->number)
			continue;
		if (in[i])
			tern_routes_remove(routes, id, shared_address(id));
		else if (tern_routes_insert(routes, id, shared_address(id)) != 0)
			note(&worker->shared->wrong);
		in[i] = !in[i];
		tern_address found = tern_routes_find(routes, id);
		if (found != (in[i] ? shared_address(id) : TERN_ADDRESS_NONE))
			note(&worker->shared->wrong);
	}
	note(&worker->shared->done);
	return NULL;
}

static void *read_routes(void *argument)
{
	struct worker *worker = argument;
	struct shared *shared = worker->shared;
	struct tern_rng rng = {.state = ~(uint64_t)worker->number};
	while (seen(&shared->done) < WRITERS) {
		uint32_t i = pick(&rng, SHARED);
		struct tern_id id = shared_id(i);
		tern_address found = tern_routes_find(&shared->routes, id);
		if (found != TERN_ADDRESS_NONE && found != shared_address(id))
			note(&shared->wrong);
		if (i < KEPT && found == TERN_ADDRESS_NONE)
			note(&shared->missed);
	}
	return NULL;
}

static void readers_see_whole_routes(void **state)
{
	struct shared shared = {0};
	struct worker workers[WRITERS + READERS];
	pthread_t threads[WRITERS + READERS];
	struct tern_route *memory = make_table(&shared.routes, tern_routes_entries(SHARED), 7);
	(void)state;
	for (uint32_t i = 0; i < KEPT; i++)
		assert_int_equal(tern_routes_insert(&shared.routes, shared_id(i),
						    shared_address(shared_id(i))),
				 0);
	for (uint32_t i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){.shared = &shared, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < WRITERS ? write_routes : read_routes,
						&workers[i]),
				 0);
	}
	for (int i = 0; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shared.wrong, 0);
	assert_int_equal(shared.missed, 0);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_agrees_with_a_list),
		cmocka_unit_test(a_full_table_says_so),
		cmocka_unit_test(a_table_is_half_full_at_most),
		cmocka_unit_test(readers_see_whole_routes),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
