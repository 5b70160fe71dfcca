/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a reader that walks a set beside a writer is told each agent that stays exactly once, under
 * an address that it had meanwhile; one that comes or goes once at most; and none that was out all
 * the while, or of another set; while arrays are copied, sets emptied, and memory is used again.
 * Method: every membership has a history, a number that goes up with each change and lies in the
 * address; the writer says before a change that it has begun and after it that it is done, and a
 * reader that looks in between knows which numbers it may be told. Over seeds and kernels. The seed
 * is printed at a failure; the first argument gives the number of seeds, the second the first one.
 */
#include "tests/unit/dataplane/agent_sets.h"

#include "capabilities/counter.h"
#include "capabilities/sanitizer.h"

#include <pthread.h>

enum { SETS = 5, AGENTS = 40, STAYING = 8, READERS = 2, STEPS = 600 };

/* Change number n leaves the agent out where n is even, else in with an address that tells n. */
struct history {
	uint64_t begun, done;
};

struct arena {
	struct tern_sets *sets;
	struct rte_rcu_qsbr *quiet;
	uint64_t seed;
	/* The first agents stay in the first set, and move; the others come and go anywhere. */
	struct history histories[SETS][AGENTS];
	uint64_t wrong; /* walks that were told otherwise */
	uint64_t looked;
	bool over;
};

struct reader {
	struct arena *arena;
	uint32_t number;
	pthread_t thread;
};

static uint64_t seeds = 1000, first_seed = 1;

static struct tern_id set_id(uint32_t set)
{
	return make_id(1, 0, set);
}

static struct tern_id agent_id(uint32_t agent)
{
	return make_id(2, 0, agent);
}

static tern_address address_of(uint32_t set, uint32_t agent, uint64_t change)
{
	return tern_address_make(set, agent, (uint32_t)change);
}

static bool stays(uint32_t set, uint32_t agent)
{
	return set == 0 && agent < STAYING;
}

/* What a walk told of an agent: how often, and the change. */
struct told {
	uint32_t times;
	uint64_t change;
};

static bool may_be(struct told told, uint64_t done, uint64_t begun, bool staying)
{
	if (told.times == 0)
		return !staying && (done % 2 == 0 || begun > done);
	return told.times == 1 && told.change % 2 && told.change >= done && told.change <= begun;
}

/* Lets all pass, slowly: the writer may do a lot between two runs. */
static uint32_t linger(void *context, tern_address *addresses, uint32_t count)
{
	(void)context;
	(void)addresses;
	breathe();
	return count;
}

static bool walk(const struct arena *arena, uint32_t set, struct told *told, bool slowly)
{
	const struct tern_sets_query query = {.keep = slowly ? linger : NULL};
	tern_address found[AGENTS + 1];
	uint32_t count = tern_sets_find(arena->sets, set_id(set), &query, found, AGENTS + 1);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t agent = tern_address_slot(found[i]);
		if (tern_address_node(found[i]) != set || agent >= AGENTS)
			return false;
		told[agent].times++;
		told[agent].change = tern_address_generation(found[i]);
	}
	return true;
}

static bool look(const struct arena *arena, uint32_t set, bool slowly)
{
	uint64_t done[AGENTS];
	struct told told[AGENTS] = {0};
	const struct history *histories = arena->histories[set];
	for (uint32_t i = 0; i < AGENTS; i++)
		done[i] = __atomic_load_n(&histories[i].done, __ATOMIC_ACQUIRE);
	bool right = walk(arena, set, told, slowly);
	for (uint32_t i = 0; i < AGENTS; i++) {
		uint64_t begun = __atomic_load_n(&histories[i].begun, __ATOMIC_ACQUIRE);
		right &= may_be(told[i], done[i], begun, stays(set, i));
	}
	return right && tern_sets_count(arena->sets, set_id(set)) <= AGENTS;
}

static void *read_on(void *argument)
{
	struct reader *reader = argument;
	struct arena *arena = reader->arena;
	struct tern_rng rng = tern_rng_stream(arena->seed, reader->number);
	rte_rcu_qsbr_thread_register(arena->quiet, reader->number);
	rte_rcu_qsbr_thread_online(arena->quiet, reader->number);
	while (!tern_load(&arena->over)) {
		uint32_t set = pick(&rng, 2) ? 0 : pick(&rng, SETS);
		if (!look(arena, set, pick(&rng, 4) == 0))
			__atomic_fetch_add(&arena->wrong, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&arena->looked, 1, __ATOMIC_RELAXED);
		tern_sanitizer_unlocking(arena->quiet);
		rte_rcu_qsbr_quiescent(arena->quiet, reader->number);
	}
	tern_sanitizer_unlocking(arena->quiet);
	rte_rcu_qsbr_thread_offline(arena->quiet, reader->number);
	rte_rcu_qsbr_thread_unregister(arena->quiet, reader->number);
	return NULL;
}

static uint64_t begin(struct history *history, uint64_t step)
{
	uint64_t change = history->done + step;
	__atomic_store_n(&history->begun, change, __ATOMIC_RELEASE);
	return change;
}

static void end(struct history *history)
{
	__atomic_store_n(&history->done, history->begun, __ATOMIC_RELEASE);
}

static void come_or_go(struct arena *arena, uint32_t set, uint32_t agent)
{
	struct history *history = &arena->histories[set][agent];
	uint64_t change = begin(history, 1);
	int code = change % 2 ? tern_sets_add(arena->sets, set_id(set), agent_id(agent),
					      address_of(set, agent, change))
			      : tern_sets_remove(arena->sets, set_id(set), agent_id(agent));
	assert_int_equal(code, 0);
	end(history);
}

static void move(struct arena *arena, uint32_t agent)
{
	struct history *history = &arena->histories[0][agent];
	uint64_t change = begin(history, 2);
	assert_int_equal(tern_sets_move(arena->sets, agent_id(agent), address_of(0, agent, change)),
			 1);
	end(history);
}

/* Out of every set at once: one of them is emptied now and then. */
static void forget(struct arena *arena, uint32_t agent)
{
	uint32_t count = 0;
	for (uint32_t set = 0; set < SETS; set++)
		if (arena->histories[set][agent].done % 2) {
			begin(&arena->histories[set][agent], 1);
			count++;
		}
	assert_int_equal(tern_sets_forget(arena->sets, agent_id(agent)), count);
	for (uint32_t set = 0; set < SETS; set++)
		end(&arena->histories[set][agent]);
}

static void change(struct arena *arena, struct tern_rng *rng)
{
	uint32_t agent = STAYING + pick(rng, AGENTS - STAYING);
	uint32_t what = pick(rng, 16);
	if (what == 0)
		forget(arena, agent);
	else if (what < 4)
		move(arena, pick(rng, STAYING));
	else if (what < 8) /* few in the last sets: emptied, and made anew */
		come_or_go(arena, SETS - 1 - pick(rng, 2), STAYING + pick(rng, 2));
	else
		come_or_go(arena, pick(rng, 2) ? 0 : pick(rng, SETS - 2), agent);
}

static void start(struct arena *arena, const char *kernel)
{
	const struct tern_sets_options options = {.sets_max = SETS,
						  .members_max = SETS * AGENTS,
						  .quiet = arena->quiet,
						  .kernel = kernel,
						  .page_bytes_max = 4096};
	arena->sets = make_sets(&options);
	for (uint32_t agent = 0; agent < STAYING; agent++)
		come_or_go(arena, 0, agent);
}

static void run_seed(uint64_t seed, const char *kernel)
{
	struct tern_rng rng = tern_rng_stream(seed, 99);
	struct reader readers[READERS];
	struct arena arena = {.seed = seed, .quiet = make_quiet(READERS)};
	start(&arena, kernel);
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.arena = &arena, .number = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (uint32_t step = 0; step < STEPS; step++) {
		change(&arena, &rng);
		if (step % 100 == 0)
			await_look(&arena.looked);
	}
	tern_store(&arena.over, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	if (arena.wrong)
		fail_msg("seed %llu, kernel %s: %llu walks were told what never was",
			 (unsigned long long)seed, kernel, (unsigned long long)arena.wrong);
	assert_int_equal(stats_of(arena.sets).retired_bytes, 0);
	tern_sets_destroy(arena.sets);
	free(arena.quiet);
}

static void readers_are_told_what_was_true(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
		run_seed(seed, kernel_by_turns(seed));
}

/* Two writers: each with agents of its own in sets that they share, and both with the same ones. */
struct writer {
	struct tern_sets *sets;
	uint64_t from, refused;
	pthread_t thread;
};

enum { EACH = 3000, SHARED = 7 };

static void *write_on(void *argument)
{
	struct writer *writer = argument;
	for (uint64_t i = 0; i < EACH; i++) {
		struct tern_id set = set_id((uint32_t)i % SHARED);
		struct tern_id own = make_id(3, 0, writer->from + i), both = make_id(4, 0, i);
		if (tern_sets_add(writer->sets, set, own, i + 1) != 0)
			return writer;
		writer->refused += tern_sets_add(writer->sets, set, both, i + 1) == -EEXIST;
		if (i % 3 == 0 && tern_sets_forget(writer->sets, own) != 1)
			return writer;
	}
	return NULL;
}

static void writers_take_turns(void **state)
{
	(void)state;
	const struct tern_sets_options options = {0};
	struct tern_sets *sets = make_sets(&options);
	struct writer writers[2] = {{.sets = sets, .from = 1}, {.sets = sets, .from = 1 + EACH}};
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]),
				 0);
	for (int i = 0; i < 2; i++) {
		void *failed;
		assert_int_equal(pthread_join(writers[i].thread, &failed), 0);
		assert_null(failed);
	}
	/* Each shared agent was added by one of them, and refused to the other. */
	assert_int_equal(writers[0].refused + writers[1].refused, EACH);
	struct tern_sets_stats stats = stats_of(sets);
	assert_int_equal(stats.sets, SHARED);
	assert_int_equal(stats.members, EACH + 2 * EACH * 2 / 3);
	uint32_t counted = 0;
	for (uint32_t set = 0; set < SHARED; set++)
		counted += tern_sets_count(sets, set_id(set));
	assert_int_equal(counted, stats.members);
	tern_sets_destroy(sets);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_are_told_what_was_true),
		cmocka_unit_test(writers_take_turns),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("agent sets: threads", tests, NULL, NULL);
}
