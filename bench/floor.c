/* SPDX-License-Identifier: Apache-2.0 */

/* What the machine itself can do: a cache line, an rte_ring, a bare lane, a random line. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <rte_pause.h>
#include <rte_ring_elem.h>

#include "bench.h"
#include "capabilities/counter.h"
#include "capabilities/lane.h"
#include "capabilities/rng.h"
#include "fenced.h"

#define RING_ENTRIES 1024
#define LANE_DEPTH 4096
#define RING_BURST 32

struct line_trip {
	alignas(TERN_LINE) uint64_t there;
	alignas(TERN_LINE) uint64_t back;
	alignas(TERN_LINE) uint32_t trips;
	struct bench *bench;
	struct tern_histogram *ps;
};

static void line_near(void *argument)
{
	struct line_trip *trip = argument;
	uint64_t before = rte_rdtsc();
	for (uint64_t i = 1; i <= trip->trips; i++) {
		__atomic_store_n(&trip->there, i, __ATOMIC_RELEASE);
		while (__atomic_load_n(&trip->back, __ATOMIC_ACQUIRE) != i)
			;
		uint64_t now = rte_rdtsc();
		tern_histogram_record(trip->ps, bench_to_ps(trip->bench, now - before));
		before = now;
	}
}

static void line_far(void *argument)
{
	struct line_trip *trip = argument;
	for (uint64_t i = 1; i <= trip->trips; i++) {
		while (__atomic_load_n(&trip->there, __ATOMIC_ACQUIRE) != i)
			;
		__atomic_store_n(&trip->back, i, __ATOMIC_RELEASE);
	}
}

void bench_floor_line(struct bench *bench, struct tern_histogram *ps, uint32_t trips)
{
	struct line_trip trip = {.trips = trips, .bench = bench, .ps = ps};
	bench_duet(bench, line_near, line_far, &trip);
}

struct ring_pair {
	struct rte_ring *there;
	struct rte_ring *back;
	struct tern_lane *lane;
	uint32_t count;
	struct bench *bench;
	struct tern_histogram *ps;
	uint64_t from, to; /* ticks */
};

static struct rte_ring *make_ring(void)
{
	size_t bytes = (size_t)rte_ring_get_memsize_elem(sizeof(struct tern_signal), RING_ENTRIES);
	struct rte_ring *ring = aligned_alloc(TERN_LINE, bytes);
	if (!ring || rte_ring_init(ring, "floor", RING_ENTRIES, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
		bench_die("no memory for a ring");
	return ring;
}

static void ring_send(struct rte_ring *ring, const struct tern_signal *signal)
{
	while (rte_ring_sp_enqueue_elem(ring, (void *)(uintptr_t)signal, sizeof(*signal)) != 0)
		;
}

static void ring_receive(struct rte_ring *ring, struct tern_signal *signal)
{
	while (rte_ring_sc_dequeue_elem(ring, signal, sizeof(*signal)) != 0)
		;
}

static void ring_near(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_signal signal = {0};
	uint64_t before = rte_rdtsc();
	for (uint32_t i = 0; i < pair->count; i++) {
		ring_send(pair->there, &signal);
		ring_receive(pair->back, &signal);
		uint64_t now = rte_rdtsc();
		tern_histogram_record(pair->ps, bench_to_ps(pair->bench, now - before));
		before = now;
	}
}

static void ring_far(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_signal signal;
	for (uint32_t i = 0; i < pair->count; i++) {
		ring_receive(pair->there, &signal);
		ring_send(pair->back, &signal);
	}
}

void bench_floor_ring_rtt(struct bench *bench, struct tern_histogram *ps, uint32_t trips)
{
	struct ring_pair pair = {.there = make_ring(),
				 .back = make_ring(),
				 .count = trips,
				 .bench = bench,
				 .ps = ps};
	bench_duet(bench, ring_near, ring_far, &pair);
	free(pair.there);
	free(pair.back);
}

static void ring_source(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_signal burst[RING_BURST] = {0};
	pair->from = rte_rdtsc();
	for (uint32_t sent = 0; sent < pair->count;)
		sent += rte_ring_sp_enqueue_burst_elem(pair->there, burst, sizeof(burst[0]),
						       RING_BURST, NULL);
}

static void ring_sink(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_signal burst[RING_BURST];
	for (uint32_t got = 0; got < pair->count;)
		got += rte_ring_sc_dequeue_burst_elem(pair->there, burst, sizeof(burst[0]),
						      RING_BURST, NULL);
	pair->to = rte_rdtsc();
}

static uint64_t rate_of(const struct bench *bench, const struct ring_pair *pair)
{
	return (uint64_t)(pair->count * 1e12 / (double)bench_to_ps(bench, pair->to - pair->from));
}

uint64_t bench_floor_ring_rate(struct bench *bench, uint32_t signals)
{
	struct ring_pair pair = {.there = make_ring(), .count = signals / RING_BURST * RING_BURST};
	bench_duet(bench, ring_source, ring_sink, &pair);
	free(pair.there);
	return rate_of(bench, &pair);
}

static void lane_source(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_lane_out out;
	tern_lane_open_out(pair->lane, &out);
	pair->from = rte_rdtsc();
	for (uint32_t i = 0; i < pair->count; i++) {
		while (tern_lane_spent(&out) && !tern_lane_refresh(&out))
			;
		struct tern_signal *slot = tern_lane_slot(&out);
		slot->from = i;
		slot->payload.words[0] = i;
		tern_lane_push(&out, slot, 0, i);
	}
}

static void lane_sink(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_lane_in in;
	uint64_t sum = 0;
	tern_lane_open_in(pair->lane, &in);
	for (uint32_t i = 0; i < pair->count; i++) {
		struct tern_signal *slot;
		while (!(slot = tern_lane_peek(&in)))
			tern_lane_publish(&in);
		sum += slot->payload.words[0];
		tern_lane_next(&in);
		if (i % 64 == 0)
			tern_lane_publish(&in);
	}
	pair->to = rte_rdtsc();
	if (sum != (uint64_t)pair->count * (pair->count - 1) / 2)
		bench_die("the bare lane lost a signal");
}

uint64_t bench_floor_lane_rate(struct bench *bench, uint32_t signals)
{
	struct ring_pair pair = {.count = signals};
	pair.lane = aligned_alloc(TERN_LINE, tern_lane_bytes(LANE_DEPTH));
	if (!pair.lane)
		bench_die("no memory for a lane");
	memset(pair.lane, 0, tern_lane_bytes(LANE_DEPTH));
	tern_lane_init(pair.lane, LANE_DEPTH);
	bench_duet(bench, lane_source, lane_sink, &pair);
	free(pair.lane);
	return rate_of(bench, &pair);
}

static void ring_local(void *argument)
{
	struct ring_pair *pair = argument;
	struct tern_signal signal = {0};
	pair->from = rte_rdtsc();
	for (uint32_t i = 0; i < pair->count; i++) {
		ring_send(pair->there, &signal);
		ring_receive(pair->there, &signal);
	}
	pair->to = rte_rdtsc();
}

uint64_t bench_floor_ring_local_ps(struct bench *bench, uint32_t hops)
{
	struct ring_pair pair = {.there = make_ring(), .count = hops};
	bench_on_lcore(bench, bench->near, ring_local, &pair);
	free(pair.there);
	return bench_to_ps(bench, pair.to - pair.from) / hops;
}

struct random_lines {
	unsigned char *memory;
	uint64_t mask; /* of lines */
	uint32_t count;
	uint64_t from, to;
};

static void write_lines(void *argument)
{
	struct random_lines *lines = argument;
	struct tern_rng rng = {.state = 1};
	lines->from = rte_rdtsc();
	for (uint32_t i = 0; i < lines->count; i++) {
		unsigned char *line = lines->memory + (tern_rng_next(&rng) & lines->mask) * 64;
		line[0]++;
	}
	lines->to = rte_rdtsc();
}

uint64_t bench_floor_random_line_ps(struct bench *bench, size_t bytes, uint32_t count)
{
	struct random_lines lines = {.memory = aligned_alloc(TERN_LINE, bytes),
				     .mask = bytes / TERN_LINE - 1,
				     .count = count};
	if (!lines.memory)
		bench_die("no memory for %zu bytes", bytes);
	memset(lines.memory, 1, bytes);
	bench_on_lcore(bench, bench->near, write_lines, &lines);
	free(lines.memory);
	return bench_to_ps(bench, lines.to - lines.from) / count;
}
