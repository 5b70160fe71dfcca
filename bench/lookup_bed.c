/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "capabilities/memory/arena.h"
#include "capabilities/counter.h"
#include "capabilities/rng.h"
#include "lookup.h"

#define MOVING_SHARE 64 /* one id in so many comes and goes */
#define QUERIES_MIN LOOKUP_BATCH_MAX
#define QUERIES_MAX (1u << 22)
#define MIXED_SHARE 10 /* one id in so many is absent */
#define READERS 2

/* What is random about a bed, each with a generator of its own. */
enum { SEED_IDS = 1, SEED_ORDER, SEED_ABSENT, SEED_MIX };

const struct lookup_contender *lookup_contender(enum lookup_table table)
{
	static const struct lookup_contender *const contenders[LOOKUP_TABLES] = {
		[LOOKUP_TERN] = &lookup_tern,
		[LOOKUP_RTE_HASH] = &lookup_rte_hash,
		[LOOKUP_CK_HT] = &lookup_ck_ht,
		[LOOKUP_APART] = &lookup_tern,
	};
	return contenders[table];
}

bool lookup_reserve(struct tern_region *region, uint64_t bytes, bool huge)
{
	if (tern_region_reserve(region, bytes, huge) != 0)
		return false;
	if (tern_region_extend(region, bytes) == 0)
		return true;
	tern_region_release(region);
	return false;
}

struct rte_rcu_qsbr *lookup_quiet_make(uint32_t threads)
{
	struct rte_rcu_qsbr *quiet = aligned_alloc(TERN_LINE, rte_rcu_qsbr_get_memsize(threads));
	if (!quiet || rte_rcu_qsbr_init(quiet, threads) != 0)
		bench_die("no memory for a quiet variable");
	for (uint32_t i = 0; i < threads; i++)
		rte_rcu_qsbr_thread_register(quiet, i);
	return quiet;
}

const char *lookup_bed_pages(const struct lookup_bed *bed)
{
	return bed->huge ? "2 MiB" : "4 KiB";
}

static struct tern_id draw_id(struct tern_rng *rng)
{
	return (struct tern_id){.high = tern_rng_next(rng), .low = tern_rng_next(rng)};
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (!memory)
		bench_die("no memory for %zu ids", count);
	return memory;
}

struct tern_id *lookup_ids_make(uint32_t count)
{
	struct tern_rng rng = tern_rng_stream(SEED_IDS, 0);
	struct tern_id *ids = allocate(count, sizeof(*ids));
	for (uint32_t i = 0; i < count; i++)
		ids[i] = draw_id(&rng);
	return ids;
}

/* 0 to count - 1, shuffled. Source: Fisher and Yates, as Durstenfeld has it. */
static uint32_t *make_order(uint32_t count)
{
	struct tern_rng rng = tern_rng_stream(SEED_ORDER, 0);
	uint32_t *order = allocate(count, sizeof(*order));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = (uint32_t)(tern_rng_next(&rng) % (i + 1));
		order[i] = order[other];
		order[other] = i;
	}
	return order;
}

static void make_queries(struct lookup_bed *bed)
{
	struct tern_rng absent = tern_rng_stream(SEED_ABSENT, 0),
			mix = tern_rng_stream(SEED_MIX, 0);
	uint32_t *order = make_order(bed->ids_staying), count = bed->query_count;
	struct lookup_queries *queries = bed->queries;
	for (int i = 0; i < LOOKUP_KEYS; i++)
		queries[i] = (struct lookup_queries){allocate(count, sizeof(struct tern_id)),
						     allocate(count, sizeof(uint32_t))};
	for (uint32_t i = 0; i < count; i++) {
		uint32_t place = order[i % bed->ids_staying];
		queries[LOOKUP_PRESENT].ids[i] = bed->ids[place];
		queries[LOOKUP_PRESENT].values[i] = place + 1;
		queries[LOOKUP_ABSENT].ids[i] = draw_id(&absent);
		enum lookup_keys from =
			tern_rng_next(&mix) % MIXED_SHARE ? LOOKUP_PRESENT : LOOKUP_ABSENT;
		queries[LOOKUP_MIXED].ids[i] = queries[from].ids[i];
		queries[LOOKUP_MIXED].values[i] = queries[from].values[i];
	}
	free(order);
}

static bool is_wanted(enum lookup_table table, uint32_t with)
{
	if (table == LOOKUP_TERN)
		return true;
	return with & (table == LOOKUP_APART ? LOOKUP_WITH_APART : LOOKUP_WITH_RIVALS);
}

static uint64_t table_bytes(const struct lookup_space *space, uint32_t with)
{
	uint64_t bytes = 0;
	for (enum lookup_table i = 0; i < LOOKUP_TABLES; i++)
		if (is_wanted(i, with))
			bytes += RTE_ALIGN_CEIL(lookup_contender(i)->bytes(space),
						(uint64_t)TERN_PAGE_2M);
	return bytes;
}

/* Insert all that stay, and half of those that move, into every table. */
static void fill(void *argument)
{
	const struct lookup_bed *bed = argument;
	uint32_t count = bed->ids_staying + bed->ids_moving / 2;
	for (enum lookup_table table = 0; table < LOOKUP_TABLES; table++) {
		const struct lookup_contender *contender = lookup_contender(table);
		for (uint32_t i = 0; bed->tables[table] && i < count; i++)
			if (!contender->put(bed->tables[table], &bed->ids[i], i + 1))
				bench_die("%s refused id %u of %u", contender->name, i + 1, count);
	}
}

static void make_tables(struct lookup_bed *bed, const struct lookup_space *space, uint32_t with)
{
	for (enum lookup_table i = 0; i < LOOKUP_TABLES; i++) {
		if (!is_wanted(i, with))
			continue;
		bed->tables[i] = lookup_contender(i)->create(space);
		if (!bed->tables[i])
			bench_die("no memory for a table of %u ids: %s", space->ids,
				  lookup_contender(i)->name);
	}
}

const char *lookup_bed_make(struct lookup_bed *bed, struct bench *bench, uint32_t ids,
			    uint32_t with)
{
	uint32_t moving = RTE_MAX(ids / MOVING_SHARE, 64u);
	uint32_t queries = RTE_MIN(RTE_MAX(ids, QUERIES_MIN), QUERIES_MAX);
	struct lookup_space space = {.ids = ids + moving};
	uint64_t bytes = table_bytes(&space, with);
	uint64_t arrays = ((uint64_t)space.ids + queries * LOOKUP_KEYS) *
			  (sizeof(struct tern_id) + sizeof(uint32_t));
	const char *refused = bench_memory_lacks(bench, bytes + arrays);
	if (!refused && with & LOOKUP_WITH_RIVALS)
		refused = bench_eal_start(bench);
	if (refused)
		return refused;
	*bed = (struct lookup_bed){.bench = bench,
				   .quiet = lookup_quiet_make(READERS),
				   .ids = lookup_ids_make(space.ids),
				   .ids_staying = ids,
				   .ids_moving = moving,
				   .query_count = queries,
				   .huge = bench_huge_bytes() >= bytes};
	space.huge = bed->huge;
	space.quiet = bed->quiet;
	make_queries(bed);
	make_tables(bed, &space, with);
	/* There, since the main thread has no CPU of its own. */
	bench_on_lcore(bench, bench->near, fill, bed);
	return NULL;
}

void lookup_bed_free(struct lookup_bed *bed)
{
	for (enum lookup_table i = 0; i < LOOKUP_TABLES; i++)
		if (bed->tables[i])
			lookup_contender(i)->destroy(bed->tables[i]);
	for (int i = 0; i < LOOKUP_KEYS; i++) {
		free(bed->queries[i].ids);
		free(bed->queries[i].values);
	}
	free(bed->ids);
	free(bed->quiet);
}
