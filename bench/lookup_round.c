/* SPDX-License-Identifier: Apache-2.0 */

/* One round of lookups on the near lcore, alone or beside a reader or a writer on the far one. */
#include <stdalign.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "capabilities/counter.h"
#include "capabilities/rng.h"
#include "lookup.h"

#define LOOKUPS (1u << 17)
#define LOOKUPS_SMOKE (1u << 13)
#define CHUNK (1u << 12) /* lookups between two reports of quiet, and two readings of the clock */
#define CHUNKS_MAX (2 * LOOKUPS / CHUNK) /* those that the end of the queries cuts included */
#define UPDATES_PER_SECOND 100000u
#define WARMED_MAX (1u << 20)
#define WARMED_BATCH 32

enum { NEAR, FAR };

/* A table, and who reads or writes it, on a line of his own. */
struct party {
	alignas(2 * TERN_LINE) const struct lookup_contender *contender;
	void *table;
	uint32_t thread; /* of the quiet variable */
	uint32_t at;	 /* in the queries */
	uint64_t sum;	 /* of the values found */
	uint32_t moves;
};

struct match {
	struct lookup_bed *bed;
	const struct lookup_trial *trial;
	struct party reader, company;
	uint64_t ps[CHUNKS_MAX]; /* per lookup of the reader */
	uint32_t chunks;
	alignas(2 * TERN_LINE) uint32_t running; /* the company is */
	alignas(2 * TERN_LINE) uint32_t over;	 /* the reader has done */
};

static uint32_t lookups_of(const struct lookup_bed *bed)
{
	return bed->bench->smoke ? LOOKUPS_SMOKE : LOOKUPS;
}

/* Whole batches, and no more than are left. */
static uint32_t chunk_of(const struct match *match, const struct party *party, uint32_t left)
{
	uint32_t batch = match->trial->batch;
	uint32_t chunk = batch ? RTE_MAX(CHUNK / batch * batch, batch) : CHUNK;
	uint32_t ahead = match->bed->query_count - party->at;
	return RTE_MIN(RTE_MIN(chunk, ahead), left);
}

static void read_chunk(const struct match *match, struct party *party, uint32_t count)
{
	const struct lookup_bed *bed = match->bed;
	const struct lookup_trial *trial = match->trial;
	const struct tern_id *ids = bed->queries[trial->keys].ids + party->at;
	party->sum +=
		party->contender->bodies[trial->order](party->table, ids, count, trial->batch);
	party->at = party->at + count < bed->query_count ? party->at + count : 0;
	rte_rcu_qsbr_quiescent(bed->quiet, party->thread);
}

static void read_timed(struct match *match, struct party *party, uint32_t left)
{
	const struct bench *bench = match->bed->bench;
	match->chunks = 0;
	while (left && match->chunks < CHUNKS_MAX) {
		uint32_t count = chunk_of(match, party, left);
		uint64_t start = rte_rdtsc();
		read_chunk(match, party, count);
		uint64_t ps = bench_to_ps(bench, rte_rdtsc() - start);
		match->ps[match->chunks++] = ps / count;
		left -= count;
	}
}

/*
 * What another table has pushed out of the caches comes back first: all ids are looked up once, or
 * as many as a large cache may hold.
 */
static void warm(const struct match *match)
{
	const struct lookup_bed *bed = match->bed;
	struct party party = match->reader;
	for (uint32_t left = RTE_MIN(bed->query_count, WARMED_MAX), some; left; left -= some) {
		some = chunk_of(match, &party, left);
		party.sum += party.contender->bodies[LOOKUP_BATCH](
			party.table, bed->queries[match->trial->keys].ids + party.at, some,
			WARMED_BATCH);
		party.at = party.at + some < bed->query_count ? party.at + some : 0;
	}
}

static void read_near(void *argument)
{
	struct match *match = argument;
	struct party *reader = &match->reader;
	const struct lookup_bed *bed = match->bed;
	while (match->trial->company != LOOKUP_ALONE &&
	       !__atomic_load_n(&match->running, __ATOMIC_ACQUIRE))
		rte_pause();
	rte_rcu_qsbr_thread_online(bed->quiet, reader->thread);
	warm(match);
	read_timed(match, reader, lookups_of(bed));
	rte_rcu_qsbr_thread_offline(bed->quiet, reader->thread);
	tern_store(&match->over, 1);
}

static void read_far(void *argument)
{
	struct match *match = argument;
	struct party *company = &match->company;
	rte_rcu_qsbr_thread_online(match->bed->quiet, company->thread);
	__atomic_store_n(&match->running, 1, __ATOMIC_RELEASE);
	while (!tern_load(&match->over))
		read_chunk(match, company, chunk_of(match, company, UINT32_MAX));
	rte_rcu_qsbr_thread_offline(match->bed->quiet, company->thread);
}

/* In turn: give a random id the value that it has; take out the id that is in for longest; put
 * in the one that is out for longest. */
static void write_once(const struct lookup_bed *bed, struct party *writer, struct tern_rng *rng)
{
	const struct lookup_contender *contender = writer->contender;
	uint32_t turn = writer->moves++, moved = turn / 3 + (turn % 3 == 2) * bed->ids_moving / 2;
	uint32_t place = turn % 3 ? bed->ids_staying + moved % bed->ids_moving
				  : (uint32_t)(tern_rng_next(rng) % bed->ids_staying);
	if (turn % 3 == 1)
		contender->remove(writer->table, &bed->ids[place]);
	else if (!contender->put(writer->table, &bed->ids[place], place + 1))
		bench_die("%s refused to update an id", contender->name);
}

static void write_far(void *argument)
{
	struct match *match = argument;
	struct party *writer = &match->company;
	struct tern_rng rng = {.state = writer->moves};
	uint64_t period = (uint64_t)(1e12 / UPDATES_PER_SECOND / match->bed->bench->ps_per_tick);
	__atomic_store_n(&match->running, 1, __ATOMIC_RELEASE);
	for (uint64_t next = rte_rdtsc(); !tern_load(&match->over);) {
		if (rte_rdtsc() < next)
			continue;
		write_once(match->bed, writer, &rng);
		next += period;
	}
}

/* By the values that the ids were given; a wrong or missing answer is no figure. */
static void check(const struct match *match)
{
	const struct lookup_bed *bed = match->bed;
	const uint32_t *values = bed->queries[match->trial->keys].values;
	uint32_t at = bed->window;
	uint64_t sum = 0;
	for (uint32_t left = lookups_of(bed); left; left--) {
		sum += values[at];
		at = at + 1 < bed->query_count ? at + 1 : 0;
	}
	if (sum != match->reader.sum)
		bench_die("%s gave a wrong answer", match->reader.contender->name);
}

uint64_t lookup_round(struct lookup_bed *bed, const struct lookup_trial *trial,
		      enum lookup_table table)
{
	enum lookup_table own = table == LOOKUP_APART ? LOOKUP_TERN : table;
	struct match match = {.bed = bed, .trial = trial};
	match.reader = (struct party){.contender = lookup_contender(own),
				      .table = bed->tables[own],
				      .thread = NEAR,
				      .at = bed->window};
	match.company = (struct party){.contender = lookup_contender(table),
				       .table = bed->tables[table],
				       .thread = FAR,
				       .at = bed->query_count / 2,
				       .moves = bed->moves[table]};
	if (trial->company == LOOKUP_ALONE)
		bench_on_lcore(bed->bench, bed->bench->near, read_near, &match);
	else
		bench_duet(bed->bench, read_near,
			   trial->company == LOOKUP_READER ? read_far : write_far, &match);
	bed->moves[table] = match.company.moves;
	check(&match);
	/* The middle one, since whoever else uses this CPU lengthens some. */
	return bench_median(match.ps, match.chunks);
}

void lookup_bed_advance(struct lookup_bed *bed)
{
	bed->window = (uint32_t)(((uint64_t)bed->window + lookups_of(bed)) % bed->query_count);
}
