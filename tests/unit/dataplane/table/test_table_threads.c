/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: readers that run beside a writer see, for each id, what was true at some moment between
 * the begin and the end of their lookup, whole, and never again what has been replaced; through
 * growth, and while places are used again.
 * Method: every id has a history, a number that goes up with each change; the writer says before
 * a change that it has begun and after it that it is done, and a reader that looks in between
 * knows which numbers it may see. Over seeds, kernels and shapes of ids. Ids of one tag come and go
 * in ten places beside readers that are never quiet. The seed is printed at a failure; the first
 * argument gives the number of seeds, the second the first one.
 */
#include "tests/unit/dataplane/routes.h"

#include "capabilities/counter.h"
#include "capabilities/sanitizer.h"

#include <pthread.h>

enum { IDS = 120, READERS = 2, STEPS = 400, BATCH = 40 };

/* Of an id: change number n makes it absent where n is even, else puts version n there. */
struct history {
	uint64_t begun, done;
};

struct arena {
	struct tern_table *table;
	struct rte_rcu_qsbr *quiet;
	uint64_t seed;
	struct history histories[IDS];
	uint64_t wrong; /* histories that were seen otherwise */
	uint64_t looked;
	bool over;
};

struct reader {
	struct arena *arena;
	uint32_t number;
	pthread_t thread;
};

static uint64_t seeds = 1000, first_seed = 1;

static struct tern_id id_of(const struct arena *arena, uint32_t i)
{
	return make_id(arena->seed, (uint32_t)arena->seed, i + 1);
}

/* Change n leads to an address that tells n, and whose: even, or odd so that there is more to tell.
 */
static tern_address address_of(uint32_t i, uint64_t change)
{
	return (uint64_t)(i + 1) << 32 | (2 * change + change / 2 % 2);
}

static bool may_be(uint32_t i, tern_address address, uint64_t done, uint64_t begun)
{
	uint64_t change = (uint32_t)address / 2;
	if (address)
		return change >= done && change <= begun && change % 2 &&
		       address == address_of(i, change);
	return done % 2 == 0 || begun > done;
}

static uint64_t done_of(const struct arena *arena, uint32_t i)
{
	return __atomic_load_n(&arena->histories[i].done, __ATOMIC_ACQUIRE);
}

static void look_one(struct arena *arena, uint32_t i)
{
	uint64_t done = done_of(arena, i);
	tern_address address = tern_table_find(arena->table, id_of(arena, i));
	uint64_t begun = __atomic_load_n(&arena->histories[i].begun, __ATOMIC_ACQUIRE);
	if (!may_be(i, address, done, begun))
		__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
}

static void look_closely(struct arena *arena, uint32_t i)
{
	struct tern_route route = {0};
	uint64_t done = done_of(arena, i);
	bool there = tern_table_route(arena->table, id_of(arena, i), &route);
	uint64_t begun = __atomic_load_n(&arena->histories[i].begun, __ATOMIC_ACQUIRE);
	if (!may_be(i, route.address, done, begun) || (there && !is_whole(&route, id_of(arena, i))))
		__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
}

static void look_many(struct arena *arena, uint32_t from)
{
	tern_address found[BATCH];
	struct tern_id ids[BATCH];
	uint64_t done[BATCH];
	for (uint32_t i = 0; i < BATCH; i++) {
		ids[i] = id_of(arena, (from + i) % IDS);
		done[i] = done_of(arena, (from + i) % IDS);
	}
	tern_table_find_batch(arena->table, ids, BATCH, found);
	for (uint32_t i = 0; i < BATCH; i++) {
		const struct history *history = &arena->histories[(from + i) % IDS];
		uint64_t begun = __atomic_load_n(&history->begun, __ATOMIC_ACQUIRE);
		if (!may_be((from + i) % IDS, found[i], done[i], begun))
			__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
	}
}

static bool check_one(void *context, const struct tern_route *route)
{
	struct arena *arena = context;
	if (!is_whole(route, route->id))
		__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
	return true;
}

/* All of it, or a step from anywhere. */
static void walk(struct arena *arena, struct tern_rng *rng)
{
	struct tern_table_cursor cursor = {.hash = tern_rng_next(rng)};
	struct tern_table_stats stats;
	if (pick(rng, 2))
		tern_table_each(arena->table, check_one, arena);
	else
		tern_table_each_from(arena->table, &cursor, BATCH, check_one, arena);
	tern_table_look(arena->table, &stats);
	if (stats.routes > IDS)
		__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
}

static void *read_on(void *argument)
{
	struct reader *reader = argument;
	struct arena *arena = reader->arena;
	struct tern_rng rng = tern_rng_stream(arena->seed, reader->number);
	rte_rcu_qsbr_thread_register(arena->quiet, reader->number);
	rte_rcu_qsbr_thread_online(arena->quiet, reader->number);
	while (!tern_load(&arena->over)) {
		uint32_t what = pick(&rng, 8);
		if (what == 0)
			look_many(arena, pick(&rng, IDS));
		else if (what == 1 && pick(&rng, 20) == 0)
			walk(arena, &rng);
		else if (what < 4)
			look_closely(arena, pick(&rng, IDS));
		else
			look_one(arena, pick(&rng, IDS));
		__atomic_fetch_add(&arena->looked, 1, __ATOMIC_RELAXED);
		tern_sanitizer_unlocking(arena->quiet);
		rte_rcu_qsbr_quiescent(arena->quiet, reader->number);
	}
	tern_sanitizer_unlocking(arena->quiet);
	rte_rcu_qsbr_thread_offline(arena->quiet, reader->number);
	rte_rcu_qsbr_thread_unregister(arena->quiet, reader->number);
	return NULL;
}

static void change(struct arena *arena, struct tern_rng *rng, uint32_t i)
{
	struct history *history = &arena->histories[i];
	uint64_t before = history->done, after = before + 1 + (before % 2 && pick(rng, 2));
	struct tern_route route = route_to(id_of(arena, i), address_of(i, after));
	__atomic_store_n(&history->begun, after, __ATOMIC_RELEASE);
	int code = after % 2 ? tern_table_put(arena->table, &route, true)
			     : tern_table_remove(arena->table, route.id, address_of(i, before));
	assert_int_equal(code, 0);
	__atomic_store_n(&history->done, after, __ATOMIC_RELEASE);
}

static void run_seed(uint64_t seed, const char *kernel)
{
	const uint64_t keys[2] = {seed, 1};
	struct tern_rng rng = tern_rng_stream(seed, 99);
	struct reader readers[READERS];
	struct arena arena = {.seed = seed, .quiet = make_quiet(READERS)};
	struct tern_table_options options = {.routes_max = IDS,
					     .seed = keys,
					     .kernel = kernel,
					     .shards = 1u << pick(&rng, 2),
					     .quiet = arena.quiet,
					     .page_bytes_max = 4096};
	arena.table = make_table(&options);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.arena = &arena, .number = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (uint32_t step = 0; step < STEPS; step++) {
		change(&arena, &rng, pick(&rng, 5 + step * (IDS - 5) / STEPS));
		if (step % 100 == 0)
			await_look(&arena.looked);
	}
	tern_store(&arena.over, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	if (arena.wrong)
		fail_msg("seed %llu, kernel %s: %llu lookups saw what never was",
			 (unsigned long long)seed, kernel, (unsigned long long)arena.wrong);
	tern_table_destroy(arena.table);
	free(arena.quiet);
}

static void readers_see_what_was_true(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
		run_seed(seed, kernel_by_turns(seed));
}

/*
 * What a home that has moved leaves beside others is passed over unread: its records are used
 * again meanwhile. So it is seen by ThreadSanitizer, else as a route that is not whole.
 */
enum { GROWN = 6000, LOOKS = 64 };

struct grower {
	struct tern_table *table;
	struct rte_rcu_qsbr *quiet;
	uint64_t put, looked, wrong;
	bool over;
};

static void look_at_any(struct grower *grower, uint64_t put, struct tern_rng *rng)
{
	uint64_t i = 1 + tern_rng_next(rng) % (put + 1);
	struct tern_id id = make_id(1, 0, i);
	struct tern_route route;
	bool there = tern_table_route(grower->table, id, &route);
	grower->wrong += there ? !is_whole(&route, id) : i <= put;
}

static void *look_beside(void *argument)
{
	struct grower *grower = argument;
	struct tern_rng rng = tern_rng_stream(1, 0);
	rte_rcu_qsbr_thread_register(grower->quiet, 0);
	rte_rcu_qsbr_thread_online(grower->quiet, 0);
	while (!tern_load(&grower->over)) {
		uint64_t put = __atomic_load_n(&grower->put, __ATOMIC_ACQUIRE);
		for (int i = 0; i < LOOKS; i++)
			look_at_any(grower, put, &rng);
		tern_store(&grower->looked, grower->looked + 1);
		tern_sanitizer_unlocking(grower->quiet);
		rte_rcu_qsbr_quiescent(grower->quiet, 0);
	}
	tern_sanitizer_unlocking(grower->quiet);
	rte_rcu_qsbr_thread_offline(grower->quiet, 0);
	rte_rcu_qsbr_thread_unregister(grower->quiet, 0);
	return NULL;
}

static void put_at(struct grower *grower, uint64_t i, tern_address address)
{
	struct tern_route route = route_to(make_id(1, 0, i), address);
	int code;
	/* Its records run out while the reader is not quiet. */
	while ((code = tern_table_put(grower->table, &route, true)) == -ENOMEM)
		await_look(&grower->looked);
	assert_int_equal(code, 0);
}

static void records_beside_are_not_read(void **state)
{
	(void)state;
	struct grower grower = {.quiet = make_quiet(1)};
	struct tern_table_options options = {
		.routes_max = GROWN, .quiet = grower.quiet, .page_bytes_max = 4096};
	struct tern_rng rng = tern_rng_stream(1, 1);
	pthread_t reader;
	grower.table = make_table(&options);
	assert_int_equal(pthread_create(&reader, NULL, look_beside, &grower), 0);
	await_look(&grower.looked);
	for (uint64_t i = 1; i <= GROWN; i++) {
		put_at(&grower, i, 2 * i + 1);
		__atomic_store_n(&grower.put, i, __ATOMIC_RELEASE);
		for (int again = 0; again < 3; again++)
			put_at(&grower, 1 + tern_rng_next(&rng) % i, 2 * i + 3);
	}
	tern_store(&grower.over, true);
	pthread_join(reader, NULL);
	assert_int_equal(grower.wrong, 0);
	tern_table_destroy(grower.table);
	free(grower.quiet);
}

/*
 * Agents that come and go under readers that are never quiet: ids of one tag in the places of two
 * buckets, so that each comes where another has just been. An address tells whose it is, and comes
 * but once.
 */
enum { ALIKE = 64, CHANGES = 200000 };

struct turnover {
	struct tern_table *table;
	struct rte_rcu_qsbr *quiet;
	struct tern_id ids[ALIKE];
	uint64_t hashes[ALIKE];
	uint64_t looked, met, wrong;
	bool over;
};

static void check_alike(struct turnover *turnover, uint32_t which, tern_address address)
{
	turnover->met += address != TERN_ADDRESS_NONE;
	turnover->wrong += address && address % ALIKE != which;
}

static void *look_at_alike(void *argument)
{
	struct turnover *turnover = argument;
	tern_address found[ALIKE];
	struct tern_route route;
	rte_rcu_qsbr_thread_register(turnover->quiet, 0);
	rte_rcu_qsbr_thread_online(turnover->quiet, 0);
	while (!tern_load(&turnover->over)) {
		tern_table_find_batch(turnover->table, turnover->ids, ALIKE, found);
		for (uint32_t i = 0; i < ALIKE; i++) {
			check_alike(turnover, i, found[i]);
			check_alike(turnover, i,
				    tern_table_find(turnover->table, turnover->ids[i]));
			if (tern_table_route(turnover->table, turnover->ids[i], &route))
				check_alike(turnover, i, route.address);
		}
		tern_store(&turnover->looked, turnover->looked + 1);
	}
	rte_rcu_qsbr_thread_offline(turnover->quiet, 0);
	rte_rcu_qsbr_thread_unregister(turnover->quiet, 0);
	return NULL;
}

static void find_alike(struct turnover *turnover)
{
	for (uint64_t i = 0, found = 0; found < ALIKE; i++) {
		struct tern_id id = make_id(7, 0, i);
		uint64_t hash;
		tern_table_hash(turnover->table, &id, 1, &hash);
		if ((uint8_t)hash != 77)
			continue;
		turnover->hashes[found] = hash;
		turnover->ids[found++] = id;
	}
}

static void agents_turn_over(const char *kernel)
{
	enum { ALIVE = 6 };
	struct turnover turnover = {.quiet = make_quiet(1)};
	struct tern_table_options options = {
		.routes_max = ALIVE, .kernel = kernel, .quiet = turnover.quiet};
	struct tern_table_stats stats;
	struct tern_rng rng = tern_rng_stream(1, 2);
	uint32_t alive[ALIVE];
	pthread_t reader;
	turnover.table = make_table(&options);
	find_alike(&turnover);
	assert_int_equal(pthread_create(&reader, NULL, look_at_alike, &turnover), 0);
	await_look(&turnover.looked);
	for (uint64_t i = 0; i < CHANGES; i++) {
		uint32_t *one = &alive[i % ALIVE];
		if (i >= ALIVE)
			assert_int_equal(tern_table_remove(turnover.table, turnover.ids[*one], 0),
					 0);
		do {
			*one = pick(&rng, ALIKE);
		} while (tern_table_find(turnover.table, turnover.ids[*one]));
		assert_int_equal(tern_table_add(turnover.table, turnover.hashes[*one],
						turnover.ids[*one], (i + 1) * ALIKE + *one),
				 0);
		if (i % 4096 == 0)
			await_look(&turnover.looked);
	}
	tern_store(&turnover.over, true);
	pthread_join(reader, NULL);
	assert_int_equal(turnover.wrong, 0);
	assert_true(turnover.met > 0);
	tern_table_stats(turnover.table, &stats);
	assert_int_equal(stats.buckets, 2);
	tern_table_destroy(turnover.table);
	free(turnover.quiet);
}

static void no_agent_is_taken_for_the_one_before(void **state)
{
	(void)state;
	for (uint32_t k = 0; tern_table_kernel_name(k); k++)
		agents_turn_over(tern_table_kernel_name(k));
}

/* Two writers of one table, on ids of their own, and on the same ones. */
struct writer {
	struct tern_table *table;
	uint64_t from, refused;
	pthread_t thread;
};

enum { EACH = 3000 };

static void *write_on(void *argument)
{
	struct writer *writer = argument;
	for (uint64_t i = 0; i < EACH; i++) {
		struct tern_route own = route_to(make_id(1, 0, writer->from + i), i + 1);
		struct tern_route shared = route_to(make_id(2, 0, i), i + 1);
		if (tern_table_put(writer->table, &own, false) != 0)
			return writer;
		writer->refused += tern_table_put(writer->table, &shared, false) == -EEXIST;
	}
	return NULL;
}

static void writers_take_turns(void **state)
{
	(void)state;
	for (uint32_t shards = 1; shards <= 8; shards *= 8) {
		struct tern_table_options options = {.routes_max = 4 * EACH, .shards = shards};
		struct tern_table *table = make_table(&options);
		struct writer writers[2] = {{.table = table, .from = 1},
					    {.table = table, .from = 1 + EACH}};
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
		for (int i = 0; i < 2; i++) {
			void *failed;
			assert_int_equal(pthread_join(writers[i].thread, &failed), 0);
			assert_null(failed);
		}
		/* Each shared id was put in by one of them, and refused to the other. */
		assert_int_equal(writers[0].refused + writers[1].refused, EACH);
		struct tern_table_stats stats;
		tern_table_stats(table, &stats);
		assert_int_equal(stats.routes, 3 * EACH);
		tern_table_destroy(table);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_what_was_true),
		cmocka_unit_test(records_beside_are_not_read),
		cmocka_unit_test(no_agent_is_taken_for_the_one_before),
		cmocka_unit_test(writers_take_turns),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("routing table: threads", tests, NULL, NULL);
}
