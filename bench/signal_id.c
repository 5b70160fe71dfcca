/* SPDX-License-Identifier: Apache-2.0 */

/* signal_id_64, signal_id_one: what a sender pays who knows an id, among a million. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "capabilities/memory/arena.h"
#include "capabilities/counter.h"
#include "capabilities/rng.h"
#include "dataplane/table/table.h"
#include "engine/lcore/engine.h"
#include "fenced.h"

#define AGENTS 1000000u
#define AGENTS_SMOKE 10000u
#define BURST 64u
#define TURNS 2000
#define TURNS_SMOKE 20
#define SINGLES 16 /* a turn */

/* Times of calls in a round: exact, and as they add up over rounds. */
struct samples {
	struct tern_histogram *ps;
	uint64_t *values;
	uint32_t count;
};

/* Receivers on the far lcore, in a random order, and a sender on the near one. */
struct crowd {
	struct bench *bench;
	tern_address *agents;
	struct tern_id *ids;
	uint32_t count;
	uint32_t next; /* to be sent to */
	uint32_t turns_left;
	uint64_t sent;
	bool in_bursts;
	struct samples figure, floor;
	struct tern_rng rng;
	alignas(2 * TERN_LINE) uint64_t handled; /* the far lcore counts */
};

TERN_HANDLER(static, on_receive)
{
	struct crowd *crowd = state;
	__atomic_store_n(&crowd->handled, crowd->handled + 1, __ATOMIC_RELEASE);
}

static const struct tern_behaviour receiver = {.name = "receiver", .handler = on_receive};

static void shuffle(struct crowd *crowd)
{
	for (uint32_t i = crowd->count - 1; i > 0; i--) {
		uint32_t other = (uint32_t)(tern_rng_next(&crowd->rng) % (i + 1));
		tern_address agent = crowd->agents[i];
		crowd->agents[i] = crowd->agents[other];
		crowd->agents[other] = agent;
	}
}

/* Where the next `count` receivers begin. */
static uint32_t take(struct crowd *crowd, uint32_t count)
{
	uint32_t at = crowd->next + count <= crowd->count ? crowd->next : 0;
	crowd->next = at + count;
	crowd->sent += count;
	return at;
}

static uint64_t by_address(struct tern_agent *self, const tern_address *agents)
{
	const uint64_t words[BURST] = {0};
	uint64_t start = fenced_ticks();
	for (uint32_t i = 0; i < BURST; i++)
		if (tern_signal_bytes(self, agents[i], 0, &words[i], 8) != 0)
			bench_die("a signal by address was refused");
	return fenced_ticks() - start;
}

static uint64_t by_id(struct tern_agent *self, const struct tern_id *ids)
{
	const uint64_t words[BURST] = {0};
	uint64_t start = fenced_ticks();
	if (tern_signal_id_burst(self, ids, 0, words, 8, BURST) != BURST)
		bench_die("a signal by id was refused: %s", strerror(tern_errno));
	return fenced_ticks() - start;
}

/* Ticks that so many calls took together, beyond the clock pair. */
static void record(const struct crowd *crowd, struct samples *samples, uint64_t ticks,
		   uint32_t calls)
{
	uint64_t all = bench_to_ps(crowd->bench, ticks), pair = crowd->bench->clock_pair_ps;
	uint64_t each = all > pair ? (all - pair) / calls : 0;
	tern_histogram_record(samples->ps, each);
	samples->values[samples->count++] = each;
}

/* By turns by address and by id: what is paid for beyond the address is the lookup. */
static void send_burst(struct tern_agent *self, struct crowd *crowd)
{
	uint32_t at = take(crowd, BURST);
	if (crowd->turns_left % 2)
		record(crowd, &crowd->floor, by_address(self, &crowd->agents[at]), BURST);
	else
		record(crowd, &crowd->figure, by_id(self, &crowd->ids[at]), BURST);
}

/* A line that a lookup of some id would read first. */
static const uint64_t *random_line(struct crowd *crowd, const struct tern_table *table)
{
	uint64_t hash = tern_rng_next(&crowd->rng);
	struct tern_bucket *index = tern_table_shard(table, hash)->index;
	return &index[tern_index_home(index, hash)].meta;
}

static void send_singles(struct tern_agent *self, struct crowd *crowd)
{
	const struct tern_table *table = crowd->bench->engine->table;
	uint64_t word = 0;
	uint32_t at = take(crowd, SINGLES);
	for (uint32_t i = 0; i < SINGLES; i++) {
		const uint64_t *line = random_line(crowd, table);
		struct tern_id id = crowd->ids[at + i];
		uint64_t start = fenced_ticks();
		tern_load(line);
		uint64_t between = fenced_ticks();
		int code = tern_signal_id(self, id, 0, &word, sizeof(word));
		uint64_t end = fenced_ticks();
		if (code != 0)
			bench_die("a signal by id was refused: %s", strerror(-code));
		record(crowd, &crowd->floor, between - start, 1);
		record(crowd, &crowd->figure, end - between, 1);
	}
}

/* A turn sends once all that was sent before is handled, so that no lane is ever full. */
TERN_HANDLER(static, on_turn)
{
	struct crowd *crowd = state;
	if (__atomic_load_n(&crowd->handled, __ATOMIC_ACQUIRE) == crowd->sent) {
		if (crowd->turns_left-- == 0) {
			sem_post(&crowd->bench->done);
			return;
		}
		if (crowd->in_bursts)
			send_burst(self, crowd);
		else
			send_singles(self, crowd);
	}
	if (tern_signal_bytes(self, tern_self(self), 0, NULL, 0) != 0)
		bench_die("a sender's turn was refused");
}

static const struct tern_behaviour sender = {.name = "sender", .handler = on_turn};

static struct crowd *gather(struct bench *bench)
{
	uint32_t count = bench->smoke ? AGENTS_SMOKE : AGENTS;
	struct crowd *crowd = aligned_alloc(2 * TERN_LINE, sizeof(*crowd));
	tern_address *agents = calloc(count, sizeof(*agents));
	struct tern_id *ids = calloc(count, sizeof(*ids));
	if (!crowd || !agents || !ids)
		bench_die("no memory for %u agents", count);
	*crowd = (struct crowd){
		.bench = bench, .agents = agents, .ids = ids, .count = count, .rng = {.state = 1}};
	for (uint32_t i = 0; i < count; i++)
		agents[i] = bench_spawn(bench, &receiver, crowd, bench->far);
	shuffle(crowd);
	for (uint32_t i = 0; i < count; i++)
		if (tern_agent_id(bench->self, agents[i], &ids[i]) != 0)
			bench_die("agent %u of %u has no id", i, count);
	return crowd;
}

/* The engine ends after each of these benchmarks, and the receivers with it. */
static void disperse(struct crowd *crowd, struct bench_result *result)
{
	struct tern_table_stats stats;
	tern_table_stats(crowd->bench->engine->table, &stats);
	result->pages = stats.page_bytes < TERN_PAGE_2M ? "4 KiB" : "2 MiB";
	free(crowd->figure.values);
	free(crowd->floor.values);
	free(crowd->agents);
	free(crowd->ids);
	free(crowd);
}

static uint32_t turns_of(const struct bench *bench)
{
	return bench->smoke ? TURNS_SMOKE : TURNS;
}

static void send_round(struct crowd *crowd)
{
	struct bench *bench = crowd->bench;
	crowd->turns_left = turns_of(bench);
	crowd->figure.count = crowd->floor.count = 0;
	bench->clock_pair_ps = bench_to_ps(bench, bench_clock_pair());
	tern_address agent = bench_spawn(bench, &sender, crowd, bench->near);
	bench_send(bench, agent, 0, 0);
	bench_wait(bench);
	bench_stop(bench, &agent, 1);
}

static void prepare(struct samples *samples, struct tern_histogram *ps, const struct bench *bench)
{
	samples->ps = ps;
	samples->values = calloc(turns_of(bench) * SINGLES, sizeof(*samples->values));
	if (!samples->values)
		bench_die("no memory for a round's samples");
}

static void run(struct bench *bench, struct bench_result *result, bool in_bursts)
{
	struct crowd *crowd = gather(bench);
	crowd->in_bursts = in_bursts;
	prepare(&crowd->figure, &result->figure, bench);
	prepare(&crowd->floor, &result->floor, bench);
	for (uint32_t i = 0; i < bench->rounds; i++) {
		send_round(crowd);
		bench_round(result, bench_median(crowd->floor.values, crowd->floor.count),
			    bench_median(crowd->figure.values, crowd->figure.count));
	}
	disperse(crowd, result);
}

static void signal_id_64(struct bench *bench, struct bench_result *result)
{
	run(bench, result, true);
}

static void signal_id_one(struct bench *bench, struct bench_result *result)
{
	run(bench, result, false);
}

const struct bench_case bench_signal_id_cases[] = {
	{.name = "signal_id_64",
	 .unit = "ns",
	 .floor_name = "64 signals by address to other agents drawn at random",
	 .note = "a signal by id to one of a million agents on another lcore, 64 random ids a "
		 "call, amortised; a call per sample; only it is counted",
	 .budget = 60,
	 .ratio = 2.8,
	 .needs_two = true,
	 .run = signal_id_64},
	{.name = "signal_id_one",
	 .unit = "ns",
	 .floor_name = "fenced read of a random line of the same routing table",
	 .note = "one fenced call by id, beyond the clock pair, to one of a million agents on "
		 "another lcore; budget is the floor and 40 ns",
	 .budget_beyond = 40,
	 .ratio = 2.6,
	 .needs_two = true,
	 .run = signal_id_one},
	{0},
};
