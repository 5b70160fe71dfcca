/* SPDX-License-Identifier: Apache-2.0 */

/*
 * capability_10, capability_100, capability_1000: who has a capability? Against an index that is
 * replaced whole at each change: its readers find a plain array.
 */
#include <stdlib.h>

#include <rte_cycles.h>

#include "capabilities/memory/arena.h"
#include "capabilities/rng.h"
#include "lookup.h"
#include "tern_sets.h"

#define MEMBERS 100000u	     /* over all capabilities */
#define MEMBERS_SMOKE 10000u /* rte_hash takes no table of less than 8 ids */
#define BYTES_PER_MEMBER 128u
#define CHUNKS 16u
#define CHUNKS_SMOKE 2u
#define CHUNK 512u /* lookups between two readings of the clock */

enum { NEAR, READERS };

/* Who answers. */
struct party {
	const char *name;
	void *table;
	lookup_copier *copy;
};

/* The same agents of the same capabilities, as each party keeps them. */
struct fair {
	struct bench *bench;
	struct rte_rcu_qsbr *quiet;
	uint32_t sets, members;
	struct tern_id *ids; /* of the capabilities, then of the agents */
	uint64_t *sums;	     /* of the addresses of each capability's agents */
	struct lookup_lists lists;
	struct tern_sets *indexed;
	struct party parties[LOOKUP_CONTENDERS];
	tern_address *answer;

	/* a round */
	struct tern_rng rng;
	struct tern_id asked[CHUNKS * CHUNK];
	uint64_t last_sums[CHUNKS]; /* expected of the last answer of each chunk */
	const struct party *asks;
	uint64_t ps[CHUNKS]; /* per lookup */
};

static uint64_t copy_members(const void *table, const struct tern_id *ids, uint32_t count,
			     const struct lookup_lists *lists, tern_address *copy)
{
	uint64_t copied = 0;
	for (uint32_t i = 0; i < count; i++)
		copied += tern_sets_find(table, ids[i], NULL, copy, lists->each);
	return copied;
}

/* Ask for some capabilities; ps for each. All addresses are counted, the last answer's summed. */
static uint64_t ask(const struct fair *fair, const struct tern_id *ids, uint32_t count,
		    uint64_t last_sum)
{
	const struct party *party = fair->asks;
	uint64_t start = rte_rdtsc();
	uint64_t copied = party->copy(party->table, ids, count, &fair->lists, fair->answer);
	uint64_t ticks = rte_rdtsc() - start, sum = 0;
	for (uint32_t i = 0; i < fair->lists.each; i++)
		sum += fair->answer[i];
	if (copied != (uint64_t)count * fair->lists.each || sum != last_sum)
		bench_die("%s gave a wrong answer", party->name);
	return bench_to_ps(fair->bench, ticks) / count;
}

static uint32_t chunks_of(const struct fair *fair)
{
	return fair->bench->smoke ? CHUNKS_SMOKE : CHUNKS;
}

/* Every capability once, each sum checked, which brings back what the other parties have pushed
 * out of the caches; then the round. */
static void read_near(void *argument)
{
	struct fair *fair = argument;
	rte_rcu_qsbr_thread_online(fair->quiet, NEAR);
	for (uint32_t i = 0; i < fair->sets; i++)
		ask(fair, &fair->ids[i], 1, fair->sums[i]);
	for (uint32_t i = 0; i < chunks_of(fair); i++) {
		fair->ps[i] = ask(fair, &fair->asked[i * CHUNK], CHUNK, fair->last_sums[i]);
		rte_rcu_qsbr_quiescent(fair->quiet, NEAR);
	}
	rte_rcu_qsbr_thread_offline(fair->quiet, NEAR);
}

/* One round of a party; ps per lookup: the middle chunk, as in lookup_round(). */
static uint64_t play(struct fair *fair, enum lookup_table table)
{
	fair->asks = &fair->parties[table];
	bench_on_lcore(fair->bench, fair->bench->near, read_near, fair);
	return bench_median(fair->ps, chunks_of(fair));
}

/* What all parties are asked in the next round. */
static void draw(struct fair *fair)
{
	for (uint32_t i = 0; i < chunks_of(fair) * CHUNK; i++) {
		uint32_t place = (uint32_t)(tern_rng_next(&fair->rng) % fair->sets);
		fair->asked[i] = fair->ids[place];
		fair->last_sums[i / CHUNK] = fair->sums[place];
	}
}

/* Agents come to all capabilities in turn, so that every set grows beside the others. */
static void fill_sets(struct fair *fair)
{
	uint32_t sets = fair->sets, each = fair->lists.each;
	for (uint32_t i = 0; i < fair->members; i++) {
		uint32_t place = i % sets;
		const struct tern_id *agent = &fair->ids[sets + i];
		tern_address address = agent->low; /* any number will do */
		if (tern_sets_add(fair->indexed, fair->ids[place], *agent, address) != 0)
			bench_die("the sets refused agent %u of %u", i + 1, fair->members);
		fair->lists.words[(place + 1) * (each + 1) + 1 + i / sets] = address;
		fair->sums[place] += address;
	}
}

static void fill(void *argument)
{
	struct fair *fair = argument;
	fill_sets(fair);
	for (uint32_t i = 1; i <= fair->sets; i++) {
		fair->lists.words[i * (fair->lists.each + 1)] = fair->lists.each;
		for (enum lookup_table table = LOOKUP_RTE_HASH; table <= LOOKUP_CK_HT; table++)
			if (!lookup_contender(table)->put(fair->parties[table].table,
							  &fair->ids[i - 1], i))
				bench_die("%s refused capability %u of %u",
					  fair->parties[table].name, i, fair->sets);
	}
}

/* In pages of 4 KiB, as the arrays of the sets are. */
static void make_parties(struct fair *fair)
{
	const struct tern_sets_options options = {.sets_max = fair->sets,
						  .members_max = fair->members,
						  .agents_expected = fair->members,
						  .quiet = fair->quiet,
						  .page_bytes_max = TERN_PAGE_4K};
	const struct lookup_space space = {.ids = fair->sets, .quiet = fair->quiet};
	struct tern_error error;
	if (tern_sets_create(&fair->indexed, &options, &error) != 0)
		bench_die("%s", error.text);
	fair->parties[LOOKUP_TERN] = (struct party){"tern", fair->indexed, copy_members};
	for (enum lookup_table table = LOOKUP_RTE_HASH; table <= LOOKUP_CK_HT; table++) {
		const struct lookup_contender *contender = lookup_contender(table);
		struct party party = {contender->name, contender->create(&space), contender->copy};
		if (!party.table)
			bench_die("no memory for a table of %u ids: %s", space.ids, party.name);
		fair->parties[table] = party;
	}
}

static struct fair *open_fair(struct bench *bench, uint32_t each)
{
	struct fair *fair = calloc(1, sizeof(*fair));
	if (!fair)
		bench_die("no memory for the sets of %u agents", each);
	fair->bench = bench;
	fair->members = bench->smoke ? MEMBERS_SMOKE : MEMBERS;
	fair->sets = fair->members / each;
	fair->lists.each = each;
	fair->rng.state = each;
	fair->ids = lookup_ids_make(fair->sets + fair->members);
	fair->quiet = lookup_quiet_make(READERS);
	fair->sums = calloc(fair->sets, sizeof(*fair->sums));
	fair->answer = calloc(each, sizeof(*fair->answer));
	fair->lists.words = calloc((fair->sets + 1ull) * (each + 1), sizeof(uint64_t));
	if (!fair->sums || !fair->answer || !fair->lists.words)
		bench_die("no memory for the sets of %u agents", each);
	make_parties(fair);
	bench_on_lcore(bench, bench->near, fill, fair);
	return fair;
}

static void close_fair(struct fair *fair)
{
	tern_sets_destroy(fair->indexed);
	for (enum lookup_table table = LOOKUP_RTE_HASH; table <= LOOKUP_CK_HT; table++)
		lookup_contender(table)->destroy(fair->parties[table].table);
	free(fair->lists.words);
	free(fair->answer);
	free(fair->sums);
	free(fair->quiet);
	free(fair->ids);
	free(fair);
}

static void run(struct bench *bench, struct bench_result *result, uint32_t each)
{
	result->skipped = bench_memory_lacks(bench, (uint64_t)MEMBERS * BYTES_PER_MEMBER);
	if (!result->skipped)
		result->skipped = bench_eal_start(bench);
	if (result->skipped)
		return;
	uint64_t *beside = calloc(bench->rounds, sizeof(*beside));
	if (!beside)
		bench_die("no memory for %u rounds", bench->rounds);
	struct fair *fair = open_fair(bench, each);
	for (uint32_t i = 0; i < bench->rounds; i++) {
		draw(fair);
		uint64_t floor = play(fair, LOOKUP_RTE_HASH);
		bench_round(result, floor, play(fair, LOOKUP_TERN));
		beside[i] = play(fair, LOOKUP_CK_HT);
	}
	bench_stand_beside(result, "ck_ht", beside, bench->rounds);
	result->pages = "4 KiB";
	close_fair(fair);
	free(beside);
}

static void agents_10(struct bench *bench, struct bench_result *result)
{
	run(bench, result, 10);
}

static void agents_100(struct bench *bench, struct bench_result *result)
{
	run(bench, result, 100);
}

static void agents_1000(struct bench *bench, struct bench_result *result)
{
	run(bench, result, 1000);
}

#define ARRAYS_ARE "rte_hash, lock-free readers, to a plain array of the same addresses, copied out"

const struct bench_case bench_capability_cases[] = {
	{.name = "capability_10",
	 .unit = "ns",
	 .floor_name = ARRAYS_ARE,
	 .note = "all 10 agents of a capability picked at random among 10,000, addresses copied "
		 "out; a sample per round: the middle one of its means of 512",
	 .run = agents_10},
	{.name = "capability_100",
	 .unit = "ns",
	 .floor_name = ARRAYS_ARE,
	 .note = "as capability_10, 100 agents of each of 1,000 capabilities",
	 .run = agents_100},
	{.name = "capability_1000",
	 .unit = "ns",
	 .floor_name = ARRAYS_ARE,
	 .note = "as capability_10, 1,000 agents of each of 100 capabilities",
	 .run = agents_1000},
	{0},
};
