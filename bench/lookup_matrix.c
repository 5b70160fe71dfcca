/* SPDX-License-Identifier: Apache-2.0 */

/* lookup_single and lookup_batch in full: one row for each size, kind of ids and way to ask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"

#define SIZES_MAX 5

static const char *const key_names[LOOKUP_KEYS] = {"present", "absent", "mixed"};
static const char *const order_names[LOOKUP_ORDERS] = {"independent", "chain", "batch"};
static const char *const company_names[LOOKUP_COMPANIES] = {"alone", "reader", "writer"};

/* Medians, ns; 0: not measured. */
struct row {
	uint32_t ids;
	struct lookup_trial trial;
	double ns[LOOKUP_TABLES];
};

struct sizes {
	uint32_t ids[SIZES_MAX]; /* 0: no more */
};

static struct sizes sizes_of(const struct bench *bench)
{
	static const struct sizes full = {{1000, 10000, 100000, 1000000, 10000000}};
	static const struct sizes smoke = {{1000, 10000}};
	return bench->smoke ? smoke : full;
}

static void print_head(const struct bench *bench, const char *name)
{
	printf("\n%s: ns per lookup, medians of %u rounds\n", name, bench->rounds);
	printf("%9s %-8s %-11s %5s %-7s %9s %9s %9s %6s %6s\n", "ids", "keys", "order", "batch",
	       "beside", "tern", "rte_hash", "ck_ht", "ratio", "apart");
}

static double ratio(double value, double floor)
{
	return floor > 0 ? value / floor : 0;
}

static void print_row(const struct row *row)
{
	const struct lookup_trial *trial = &row->trial;
	printf("%9u %-8s %-11s ", row->ids, key_names[trial->keys], order_names[trial->order]);
	if (trial->batch)
		printf("%5u ", trial->batch);
	else
		printf("%5s ", "-");
	printf("%-7s %9.1f %9.1f %9.1f %6.2f ", company_names[trial->company], row->ns[LOOKUP_TERN],
	       row->ns[LOOKUP_RTE_HASH], row->ns[LOOKUP_CK_HT],
	       ratio(row->ns[LOOKUP_TERN], row->ns[LOOKUP_RTE_HASH]));
	if (trial->company == LOOKUP_ALONE)
		printf("%6s\n", "-");
	else
		printf("%6.2f\n", ratio(row->ns[LOOKUP_TERN], row->ns[LOOKUP_APART]));
	fflush(stdout);
}

static json_t *row_json(const struct row *row, const char *pages)
{
	const struct lookup_trial *trial = &row->trial;
	json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "ids",
				 (int)row->ids, "keys", key_names[trial->keys], "order",
				 order_names[trial->order], "beside", company_names[trial->company],
				 "pages", pages, "tern", row->ns[LOOKUP_TERN], "rte_hash",
				 row->ns[LOOKUP_RTE_HASH], "ck_ht", row->ns[LOOKUP_CK_HT], "ratio",
				 ratio(row->ns[LOOKUP_TERN], row->ns[LOOKUP_RTE_HASH]));
	if (trial->batch)
		json_object_set_new(json, "batch", json_integer(trial->batch));
	if (trial->company != LOOKUP_ALONE)
		json_object_set_new(json, "apart", json_real(row->ns[LOOKUP_APART]));
	return json;
}

/* All contenders in turn, each round of the same ids. */
static struct row measure(struct lookup_bed *bed, const struct lookup_trial *trial)
{
	struct row row = {.ids = bed->ids_staying, .trial = *trial};
	uint32_t rounds = bed->bench->rounds;
	uint32_t tables = trial->company == LOOKUP_ALONE ? LOOKUP_CONTENDERS : LOOKUP_TABLES;
	uint64_t *ps = calloc((size_t)rounds * tables, sizeof(*ps));
	if (!ps)
		bench_die("no memory for %u rounds", rounds);
	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t table = 0; table < tables; table++)
			ps[table * rounds + i] = lookup_round(bed, trial, table);
		lookup_bed_advance(bed);
	}
	for (uint32_t table = 0; table < tables; table++)
		row.ns[table] = (double)bench_median(ps + table * rounds, rounds) / BENCH_PS_PER_NS;
	free(ps);
	return row;
}

static void add_row(struct lookup_bed *bed, const struct lookup_trial *trial, json_t *rows)
{
	struct row row = measure(bed, trial);
	if (rows)
		json_array_append_new(rows, row_json(&row, lookup_bed_pages(bed)));
	else
		print_row(&row);
}

static void add_singles(struct lookup_bed *bed, enum lookup_keys keys, json_t *rows)
{
	bool two = bed->bench->near != bed->bench->far;
	for (enum lookup_order order = LOOKUP_SINGLE; order <= LOOKUP_CHAIN; order++)
		for (enum lookup_company company = 0; company < LOOKUP_COMPANIES; company++) {
			const struct lookup_trial trial = {
				.order = order, .keys = keys, .company = company};
			if (company == LOOKUP_ALONE || two)
				add_row(bed, &trial, rows);
		}
}

static void add_batches(struct lookup_bed *bed, enum lookup_keys keys, json_t *rows)
{
	static const uint32_t batches[] = {10, 32, 100, 1000, LOOKUP_BATCH_MAX};
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		const struct lookup_trial trial = {
			.order = LOOKUP_BATCH, .keys = keys, .batch = batches[i]};
		add_row(bed, &trial, rows);
	}
}

static void skip(uint32_t ids, const char *reason, json_t *rows)
{
	if (rows)
		json_array_append_new(rows,
				      json_pack("{s:i, s:s}", "ids", (int)ids, "skipped", reason));
	else
		printf("%9u skipped: %s\n", ids, reason);
}

static void run(struct bench *bench, json_t *rows, uint32_t with,
		void (*add)(struct lookup_bed *bed, enum lookup_keys keys, json_t *rows))
{
	struct sizes sizes = sizes_of(bench);
	struct lookup_bed bed;
	for (int i = 0; i < SIZES_MAX && sizes.ids[i]; i++) {
		const char *reason = lookup_bed_make(&bed, bench, sizes.ids[i], with);
		if (reason) {
			skip(sizes.ids[i], reason, rows);
			continue;
		}
		if (!rows)
			printf("%9u in %s pages\n", sizes.ids[i], lookup_bed_pages(&bed));
		for (enum lookup_keys keys = 0; keys < LOOKUP_KEYS; keys++)
			add(&bed, keys, rows);
		lookup_bed_free(&bed);
	}
}

static void single(struct bench *bench, json_t *rows)
{
	if (!rows)
		print_head(bench, "lookup_single");
	run(bench, rows, LOOKUP_WITH_RIVALS | LOOKUP_WITH_APART, add_singles);
}

static void batch(struct bench *bench, json_t *rows)
{
	if (!rows)
		print_head(bench, "lookup_batch");
	run(bench, rows, LOOKUP_WITH_RIVALS, add_batches);
}

const struct bench_matrix bench_lookup_matrices[] = {
	{.name = "lookup_single",
	 .note = "1,000 to 10,000,000 ids, present, absent, mixed, independent or in a chain, "
		 "alone, beside a reader, beside a writer; apart: tern over tern beside one with "
		 "a table of its own",
	 .run = single},
	{.name = "lookup_batch",
	 .note = "the same sizes and ids, 10 to 10,000 a call",
	 .run = batch},
	{0},
};
