/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <rte_rcu_qsbr.h>

#include "bench.h"
#include "capabilities/memory/region.h"
#include "tern_table.h"

/*
 * Tables of random ids, ours and others', filled alike in memory of the same pages, and asked for
 * the same ids in the same order. The value of an id is its place among the ids, counted from 1.
 */

#define LOOKUP_BATCH_MAX 10000u
#define LOOKUP_IDS 1000000u /* where the budgets hold */
#define LOOKUP_IDS_SMOKE 10000u

enum lookup_order {
	LOOKUP_SINGLE, /* independent: they overlap */
	LOOKUP_CHAIN,  /* which id is next depends on the value before */
	LOOKUP_BATCH,
	LOOKUP_ORDERS,
};

enum lookup_keys {
	LOOKUP_PRESENT,
	LOOKUP_ABSENT,
	LOOKUP_MIXED, /* nine in ten are present */
	LOOKUP_KEYS,
};

/** What the other lcore does meanwhile. */
enum lookup_company { LOOKUP_ALONE, LOOKUP_READER, LOOKUP_WRITER, LOOKUP_COMPANIES };

/** Tables of a bed. */
enum lookup_table {
	LOOKUP_TERN,
	LOOKUP_RTE_HASH,
	LOOKUP_CK_HT,
	LOOKUP_CONTENDERS,
	LOOKUP_APART = LOOKUP_CONTENDERS, /* one more of ours, that only company touches */
	LOOKUP_TABLES,
};

/** What a table is made for. */
struct lookup_space {
	uint32_t ids; /* known, though not all of them are in */
	bool huge;    /* in pages of 2 MiB, where they fit */
	struct rte_rcu_qsbr *quiet;
};

/** Look `count` ids up; returns the sum of the values found. A whole call is one body. */
typedef uint64_t lookup_body(const void *table, const struct tern_id *ids, uint32_t count,
			     uint32_t batch);

/** Plain arrays that the values of a table lead to, each after its length; 0 leads to an empty one.
 */
struct lookup_lists {
	uint64_t *words;
	uint32_t each; /* addresses in an array */
};

/**
 * Look `count` ids up and copy the array of each out, over the one before; returns how many
 * addresses that were.
 */
typedef uint64_t lookup_copier(const void *table, const struct tern_id *ids, uint32_t count,
			       const struct lookup_lists *lists, tern_address *copy);

/** A kind of table. */
struct lookup_contender {
	const char *name;
	uint64_t (*bytes)(const struct lookup_space *space);
	void *(*create)(const struct lookup_space *space); /* NULL: no memory */
	void (*destroy)(void *table);
	bool (*put)(void *table, const struct tern_id *id, uint64_t value); /* false: refused */
	void (*remove)(void *table, const struct tern_id *id);
	lookup_body *bodies[LOOKUP_ORDERS];
	lookup_copier *copy; /* the rivals' */
};

extern const struct lookup_contender lookup_tern, lookup_rte_hash, lookup_ck_ht;

/** The kind of a table. */
const struct lookup_contender *lookup_contender(enum lookup_table table);

/** Have memory: in pages of 2 MiB where they are wanted, fit and are to be had, else of 4 KiB. */
bool lookup_reserve(struct tern_region *region, uint64_t bytes, bool huge);

/** Ids to look up, in an order that nobody inserted them in, and the value of each; 0: none. */
struct lookup_queries {
	struct tern_id *ids;
	uint32_t *values;
};

/** Tables filled with the same ids, and what they are asked. */
struct lookup_bed {
	struct bench *bench;
	struct rte_rcu_qsbr *quiet; /* thread 0 reads on the near lcore, 1 on the far one */
	struct tern_id *ids;
	uint32_t ids_staying; /* which are looked up */
	uint32_t ids_moving;  /* after them: half are in at a time, a writer moves which */
	struct lookup_queries queries[LOOKUP_KEYS];
	uint32_t query_count; /* of each */
	uint32_t window;      /* where the next round begins in them */
	void *tables[LOOKUP_TABLES];
	uint32_t moves[LOOKUP_TABLES]; /* by a writer, ever */
	bool huge;
};

/** What a bed has, beside the table under test. */
enum { LOOKUP_WITH_RIVALS = 1, LOOKUP_WITH_APART = 2 };

/**
 * Make a bed.
 *
 * @return NULL; or why there is none, and then nothing is left of it
 */
const char *lookup_bed_make(struct lookup_bed *bed, struct bench *bench, uint32_t ids,
			    uint32_t with);
void lookup_bed_free(struct lookup_bed *bed);

/** "2 MiB" or "4 KiB". */
const char *lookup_bed_pages(const struct lookup_bed *bed);

struct lookup_trial {
	enum lookup_order order;
	enum lookup_keys keys;
	enum lookup_company company;
	uint32_t batch;
};

/**
 * One round on the near lcore; ends the program if an answer is wrong.
 *
 * @param table  to read; LOOKUP_APART: ours, while the company keeps to the table apart
 * @return ps per lookup
 */
uint64_t lookup_round(struct lookup_bed *bed, const struct lookup_trial *trial,
		      enum lookup_table table);

/** Let the next rounds ask for other ids. */
void lookup_bed_advance(struct lookup_bed *bed);

/** A quiet variable of `threads` threads, all registered. To be freed by free(). */
struct rte_rcu_qsbr *lookup_quiet_make(uint32_t threads);

/** Random ids, the same each time. To be freed by free(). */
struct tern_id *lookup_ids_make(uint32_t count);

/** lookup_growth. */
void lookup_growth(struct bench *bench, struct bench_result *result);

#endif
