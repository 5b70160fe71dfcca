/* SPDX-License-Identifier: Apache-2.0 */

/* Single lookups while the table grows under them, against a table that does not. */
#include <stdalign.h>
#include <stdlib.h>

#include "capabilities/counter.h"
#include "capabilities/rng.h"
#include "fenced.h"
#include "lookup.h"

#define IDS_FIRST 1000u
#define IDS_LAST 10000000u
#define IDS_LAST_SMOKE 100000u
#define ROUNDS_SHARE 30u /* a round takes many seconds: one for so many of others */
#define LOOKUPS_PER_QUIET 64
#define PUTS_PER_PREPARE 64
#define BYTES_PER_ID 200u /* three tables, one of them twice while it grows, and the ids */

enum { NEAR, FAR, LCORES };

struct growth {
	struct bench *bench;
	struct rte_rcu_qsbr *quiet;
	struct tern_id *ids;
	uint32_t ids_last;
	struct tern_table *read;    /* on the near lcore */
	struct tern_table *written; /* on the far one; the same, or its own */
	struct tern_histogram *ps;
	alignas(2 * TERN_LINE) uint32_t count; /* ids that are in `written` */
};

static void put(const struct growth *growth, struct tern_table *table, uint32_t place)
{
	const struct tern_route route = {
		.id = growth->ids[place], .address = place + 1, .expires_ns = TERN_ROUTE_FOREVER};
	if (tern_table_put(table, &route, false) != 0)
		bench_die("the table refused id %u of %u", place + 1, growth->ids_last);
}

/* One fenced lookup of an id that is in, ticks. */
static uint64_t look_up(const struct growth *growth, uint32_t place)
{
	struct tern_id id = growth->ids[place];
	uint64_t from = fenced_ticks();
	tern_address found = tern_table_find(growth->read, id);
	uint64_t ticks = fenced_ticks() - from;
	if (found != place + 1)
		bench_die("the table gave a wrong answer while it grew");
	return ticks;
}

static void read_near(void *argument)
{
	struct growth *growth = argument;
	struct tern_rng rng = {.state = 1};
	uint64_t pair = bench_clock_pair();
	uint32_t written;
	rte_rcu_qsbr_thread_online(growth->quiet, NEAR);
	do {
		written = __atomic_load_n(&growth->count, __ATOMIC_ACQUIRE);
		uint32_t among = growth->read == growth->written ? written : growth->ids_last;
		for (int i = 0; i < LOOKUPS_PER_QUIET; i++) {
			uint64_t ticks = look_up(growth, (uint32_t)(tern_rng_next(&rng) % among));
			ticks = ticks > pair ? ticks - pair : 0;
			tern_histogram_record(growth->ps, bench_to_ps(growth->bench, ticks));
		}
		rte_rcu_qsbr_quiescent(growth->quiet, NEAR);
	} while (written < growth->ids_last);
	rte_rcu_qsbr_thread_offline(growth->quiet, NEAR);
}

static void fill(void *argument)
{
	struct growth *growth = argument;
	for (uint32_t i = 0; i < growth->count; i++)
		put(growth, growth->written, i);
}

/* The helper's work too: a thread for it would take the reader's CPU now and then, where there are
 * but two. */
static void write_far(void *argument)
{
	struct growth *growth = argument;
	for (uint32_t i = IDS_FIRST; i < growth->ids_last; i++) {
		put(growth, growth->written, i);
		if (i % PUTS_PER_PREPARE == 0)
			tern_table_prepare(growth->written);
		__atomic_store_n(&growth->count, i + 1, __ATOMIC_RELEASE);
	}
}

/* A table of so many ids. */
static struct tern_table *make_table(struct growth *growth, uint32_t ids)
{
	const struct tern_table_options options = {
		.routes_max = growth->ids_last, .routes_expected = ids, .quiet = growth->quiet};
	struct tern_error error;
	if (tern_table_create(&growth->written, &options, &error) != 0)
		bench_die("%s", error.text);
	growth->count = ids;
	bench_on_lcore(growth->bench, growth->bench->far, fill, growth);
	return growth->written;
}

/* The p99.9 of a round; its samples join `all`. */
static uint64_t growth_round(struct growth *growth, struct tern_table *fixed,
			     struct tern_histogram *all)
{
	struct tern_histogram ps = {0};
	make_table(growth, IDS_FIRST);
	growth->read = fixed ? fixed : growth->written;
	growth->ps = &ps;
	bench_duet(growth->bench, read_near, write_far, growth);
	tern_table_destroy(growth->written);
	tern_histogram_merge(all, &ps);
	return tern_histogram_percentile(&ps, 99.9);
}

void lookup_growth(struct bench *bench, struct bench_result *result)
{
	struct growth growth = {.bench = bench,
				.ids_last = bench->smoke ? IDS_LAST_SMOKE : IDS_LAST};
	uint32_t rounds = bench->rounds < ROUNDS_SHARE ? 1 : bench->rounds / ROUNDS_SHARE;
	result->skipped = bench_memory_lacks(bench, (uint64_t)growth.ids_last * BYTES_PER_ID);
	if (result->skipped)
		return;
	growth.quiet = lookup_quiet_make(LCORES);
	growth.ids = lookup_ids_make(growth.ids_last);
	struct tern_table *fixed = make_table(&growth, growth.ids_last);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t floor = growth_round(&growth, fixed, &result->floor);
		bench_round(result, floor, growth_round(&growth, NULL, &result->figure));
	}
	tern_table_destroy(fixed);
	free(growth.ids);
	free(growth.quiet);
}
