/* SPDX-License-Identifier: Apache-2.0 */

/* What the budgets of lookups are held against, at a million ids. */
#include <stdlib.h>

#include "lookup.h"

/* The table under test against another, or against itself in other company. */
struct contest {
	struct lookup_trial trial;
	enum lookup_table floor;
	uint32_t with;
	const char *beside_name;
	struct lookup_trial beside_trial;
	enum lookup_table beside;
};

static void fight(struct bench *bench, struct bench_result *result, struct lookup_bed *bed,
		  const struct contest *contest)
{
	uint64_t *beside = calloc(bench->rounds, sizeof(*beside));
	if (!beside)
		bench_die("no memory for %u rounds", bench->rounds);
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = lookup_round(bed, &contest->trial, contest->floor);
		bench_round(result, floor, lookup_round(bed, &contest->trial, LOOKUP_TERN));
		beside[i] = lookup_round(bed, &contest->beside_trial, contest->beside);
		lookup_bed_advance(bed);
	}
	bench_stand_beside(result, contest->beside_name, beside, bench->rounds);
	free(beside);
}

static void run(struct bench *bench, struct bench_result *result, const struct contest *contest)
{
	struct lookup_bed bed;
	uint32_t ids = bench->smoke ? LOOKUP_IDS_SMOKE : LOOKUP_IDS;
	result->skipped = lookup_bed_make(&bed, bench, ids, contest->with);
	if (result->skipped)
		return;
	fight(bench, result, &bed, contest);
	result->pages = lookup_bed_pages(&bed);
	lookup_bed_free(&bed);
}

/* rte_hash is the floor. */
static void compete(struct bench *bench, struct bench_result *result, struct lookup_trial trial)
{
	const struct contest contest = {.trial = trial,
					.floor = LOOKUP_RTE_HASH,
					.with = LOOKUP_WITH_RIVALS,
					.beside_name = "ck_ht",
					.beside_trial = trial,
					.beside = LOOKUP_CK_HT};
	run(bench, result, &contest);
}

/* One table for both lcores, against one for each: alike in size and in what is done to them. */
static void keep_company(struct bench *bench, struct bench_result *result,
			 enum lookup_company company)
{
	const struct contest contest = {.trial = {.company = company},
					.floor = LOOKUP_APART,
					.with = LOOKUP_WITH_APART,
					.beside_name = "alone",
					.beside = LOOKUP_TERN};
	run(bench, result, &contest);
}

static void single(struct bench *bench, struct bench_result *result)
{
	compete(bench, result, (struct lookup_trial){.order = LOOKUP_SINGLE});
}

static void chain(struct bench *bench, struct bench_result *result)
{
	compete(bench, result, (struct lookup_trial){.order = LOOKUP_CHAIN});
}

static void batch_32(struct bench *bench, struct bench_result *result)
{
	compete(bench, result, (struct lookup_trial){.order = LOOKUP_BATCH, .batch = 32});
}

static void absent_32(struct bench *bench, struct bench_result *result)
{
	compete(bench, result,
		(struct lookup_trial){.order = LOOKUP_BATCH, .keys = LOOKUP_ABSENT, .batch = 32});
}

static void beside_reader(struct bench *bench, struct bench_result *result)
{
	keep_company(bench, result, LOOKUP_READER);
}

static void beside_writer(struct bench *bench, struct bench_result *result)
{
	keep_company(bench, result, LOOKUP_WRITER);
}

#define RTE_HASH_IS "rte_hash, lock-free readers, CRC of 16-byte keys, the same ids and pages"

const struct bench_case bench_lookup_cases[] = {
	{.name = "lookup_single",
	 .unit = "ns",
	 .floor_name = RTE_HASH_IS,
	 .note = "a present id among a million random ones, answer certain; independent; a sample "
		 "per round: the middle one of its means of 4,096; 2 MiB pages for all if there "
		 "are enough, else 4 KiB for all; budget is 0.35x the floor",
	 .budget = -0.35,
	 .run = single},
	{.name = "lookup_chain",
	 .unit = "ns",
	 .floor_name = RTE_HASH_IS,
	 .note = "as lookup_single, but which id is next depends on the answer before; budget is "
		 "1.1x the floor",
	 .budget = -1.1,
	 .run = chain},
	{.name = "lookup_batch_32",
	 .unit = "ns",
	 .floor_name = RTE_HASH_IS ", in bulk",
	 .note = "as lookup_single, 32 ids a call; budget is 0.5x the floor",
	 .budget = -0.5,
	 .run = batch_32},
	{.name = "lookup_absent_32",
	 .unit = "ns",
	 .floor_name = RTE_HASH_IS ", in bulk",
	 .note = "as lookup_batch_32, ids that are not in; budget is the floor",
	 .budget = -1,
	 .run = absent_32},
	{.name = "lookup_beside_reader",
	 .unit = "ns",
	 .floor_name = "the same while the other lcore reads an equal table of its own",
	 .note = "as lookup_single, while another lcore reads the same table; budget is 1.1x the "
		 "floor",
	 .budget = -1.1,
	 .needs_two = true,
	 .run = beside_reader},
	{.name = "lookup_beside_writer",
	 .unit = "ns",
	 .floor_name = "the same while the other lcore writes an equal table of its own",
	 .note = "as lookup_single, while another lcore updates, removes and inserts 100,000 a "
		 "second in the same table; budget is 1.1x the floor",
	 .budget = -1.1,
	 .needs_two = true,
	 .run = beside_writer},
	{.name = "lookup_growth",
	 .unit = "ns",
	 .floor_name = "p99.9 in a table of the final size, while the other lcore fills its own",
	 .note = "value: p99.9 of a round, median over rounds, of which there is one for 30 of "
		 "others; single fenced lookups, beyond the clock pair, of random ids among those "
		 "in, while another lcore fills the table from 1,000 to 10,000,000; budget is the "
		 "floor and 1 us",
	 .budget_beyond = 1000,
	 .ratio = 1.9,
	 .needs_two = true,
	 .run = lookup_growth},
	{0},
};
