/* SPDX-License-Identifier: Apache-2.0 */

/* signal_call, rtt_same_lcore, rtt_cross_lcore, ring_100. */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "bench.h"
#include "fenced.h"

#define RING_AGENTS 100
#define CALLS_PER_TURN 16

/* A round of dependent steps, timed one by one or as a whole. */
struct steps {
	struct bench *bench;
	struct tern_histogram *ps; /* of single steps */
	uint64_t mean_ps;	   /* of a round timed as a whole */
	tern_address peer;
	uint32_t left;
	uint32_t count;
	uint64_t before;
	uint64_t from;
};

TERN_HANDLER(static, on_pong)
{
	if (tern_signal_bytes(self, tern_signal_from(signal), 0, tern_signal_data(signal), 8) != 0)
		bench_die("pong refused");
}

const struct tern_behaviour bench_pong = {.name = "pong", .handler = on_pong};

/* Refused, it is sent again when there is room: the trip then counts from the first try. */
static void send_ping(struct tern_agent *self, const struct steps *steps)
{
	int code = tern_signal_bytes(self, steps->peer, 0, &steps->before, sizeof(steps->before));
	if (code != 0 && code != -EAGAIN)
		bench_die("ping refused: %s", strerror(-code));
}

static void on_ping_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	if (event->kind == TERN_EVENT_RELEASED)
		send_ping(self, state);
}

/* The signal from the main thread starts the round; each later one ends a trip. */
TERN_HANDLER(static, on_ping)
{
	struct steps *steps = state;
	uint64_t now = rte_rdtsc();
	if (steps->left < steps->count)
		tern_histogram_record(steps->ps, bench_to_ps(steps->bench, now - steps->before));
	steps->before = now;
	if (steps->left-- == 0)
		sem_post(&steps->bench->done);
	else
		send_ping(self, steps);
}

static const struct tern_behaviour ping = {
	.name = "ping", .handler = on_ping, .on_event = on_ping_event};

void bench_ping(struct bench *bench, struct tern_histogram *ps, tern_address peer, uint32_t trips)
{
	struct steps steps = {
		.bench = bench, .ps = ps, .peer = peer, .left = trips, .count = trips};
	tern_address agent = bench_spawn(bench, &ping, &steps, bench->near);
	bench_send(bench, agent, 0, 0);
	bench_wait(bench);
	bench_stop(bench, &agent, 1);
}

static void rtt_cross(struct bench *bench, struct bench_result *result)
{
	uint32_t trips = bench->smoke ? 1000 : 20000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		bench_floor_line(bench, &result->floor, trips);
		tern_address peer = bench_spawn(bench, &bench_pong, NULL, bench->far);
		bench_ping(bench, &result->figure, peer, trips);
		bench_stop(bench, &peer, 1);
	}
}

/* Without a clock reading per trip: it would double the figure. One sample per round. */
TERN_HANDLER(static, on_step)
{
	struct steps *steps = state;
	if (steps->left == steps->count)
		steps->from = rte_rdtsc();
	if (steps->left-- == 0) {
		uint64_t ps = bench_to_ps(steps->bench, rte_rdtsc() - steps->from);
		steps->mean_ps = (uint64_t)((double)ps / steps->count);
		sem_post(&steps->bench->done);
	} else if (tern_signal_bytes(self, steps->peer, 0, &steps, 8) != 0) {
		bench_die("step refused");
	}
}

static const struct tern_behaviour step = {.name = "step", .handler = on_step};

static void rtt_same(struct bench *bench, struct bench_result *result)
{
	uint32_t trips = bench->smoke ? 1000 : 200000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		struct steps steps = {.bench = bench, .left = trips, .count = trips};
		uint64_t floor = 2 * bench_floor_ring_local_ps(bench, trips);
		tern_address agents[] = {bench_spawn(bench, &step, &steps, bench->near),
					 bench_spawn(bench, &bench_pong, NULL, bench->near)};
		steps.peer = agents[1];
		bench_send(bench, agents[0], 0, 0);
		bench_wait(bench);
		bench_stop(bench, agents, 2);
		bench_round(result, floor, steps.mean_ps);
	}
}

TERN_HANDLER(static, on_hop)
{
	const tern_address *next = state;
	if (tern_signal_bytes(self, *next, 0, tern_signal_data(signal), 8) != 0)
		bench_die("hop refused");
}

static const struct tern_behaviour hop = {.name = "hop", .handler = on_hop};

static uint64_t ring_round(struct bench *bench, uint32_t laps)
{
	struct steps steps = {.bench = bench, .left = laps, .count = laps};
	tern_address agents[RING_AGENTS];
	agents[0] = bench_spawn(bench, &step, &steps, bench->near);
	for (uint32_t i = 1; i < RING_AGENTS; i++)
		agents[i] = bench_spawn(bench, &hop, &agents[(i + 1) % RING_AGENTS], bench->near);
	steps.peer = agents[1];
	bench_send(bench, agents[0], 0, 0);
	bench_wait(bench);
	bench_stop(bench, agents, RING_AGENTS);
	return steps.mean_ps / RING_AGENTS;
}

static void ring(struct bench *bench, struct bench_result *result)
{
	uint32_t laps = bench->smoke ? 20 : 2000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = bench_floor_ring_local_ps(bench, laps * RING_AGENTS);
		bench_round(result, floor, ring_round(bench, laps));
	}
}

/* A few timed calls per turn, so that the receiver keeps up and no call meets a full lane. */
TERN_HANDLER(static, on_call)
{
	struct steps *steps = state;
	uint64_t word = 0;
	for (uint32_t i = 0; i < CALLS_PER_TURN && steps->left; i++) {
		uint64_t from = fenced_ticks();
		int code = tern_signal_bytes(self, steps->peer, 0, &word, sizeof(word));
		uint64_t ps = bench_to_ps(steps->bench, fenced_ticks() - from);
		if (code != 0)
			continue;
		steps->left--;
		uint64_t pair = steps->bench->clock_pair_ps;
		tern_histogram_record(steps->ps, ps > pair ? ps - pair : 0);
	}
	if (steps->left == 0)
		sem_post(&steps->bench->done);
	else if (tern_signal_bytes(self, tern_self(self), 0, &word, sizeof(word)) != 0)
		bench_die("call refused");
}

static const struct tern_behaviour caller = {.name = "caller", .handler = on_call};

TERN_HANDLER(static, on_sink)
{
}

const struct tern_behaviour bench_sink = {.name = "sink", .handler = on_sink};

void bench_calls(struct bench *bench, struct tern_histogram *ps, struct tern_histogram *floor_ps,
		 tern_address peer)
{
	struct steps steps = {
		.bench = bench, .ps = ps, .peer = peer, .left = bench->smoke ? 1000 : 50000};
	bench->clock_pair_ps = bench_to_ps(bench, bench_clock_pair());
	tern_histogram_record(floor_ps, bench->clock_pair_ps);
	tern_address agent = bench_spawn(bench, &caller, &steps, bench->near);
	bench_send(bench, agent, 0, 0);
	bench_wait(bench);
	bench_stop(bench, &agent, 1);
}

static void signal_call(struct bench *bench, struct bench_result *result)
{
	for (uint32_t i = 0; i < bench->rounds; i++) {
		tern_address peer = bench_spawn(bench, &bench_sink, NULL, bench->far);
		bench_calls(bench, &result->figure, &result->floor, peer);
		bench_stop(bench, &peer, 1);
	}
}

const struct bench_case bench_latency_cases[] = {
	{.name = "signal_call",
	 .unit = "ns",
	 .floor_name = "fenced clock pair, subtracted from the figure",
	 .note = "one call to another lcore by address, beyond the clock pair; independent calls",
	 .budget = 12,
	 .budget_p99 = 40,
	 .ratio = 1.4,
	 .needs_two = true,
	 .run = signal_call},
	{.name = "rtt_same_lcore",
	 .unit = "ns",
	 .floor_name = "rte_ring SPSC, 64-byte elements, push and pop twice on one thread",
	 .note = "agent to agent and back, one lcore; dependent; mean of a round per sample",
	 .budget = 45,
	 .ratio = 2.3,
	 .run = rtt_same},
	{.name = "rtt_cross_lcore",
	 .unit = "ns",
	 .floor_name = "raw cache line there and back, same two threads",
	 .note = "agent to agent and back, two lcores; dependent; each trip timed; "
		 "budget is 1.3x the floor",
	 .budget = -1.3,
	 .needs_two = true,
	 .run = rtt_cross},
	{.name = "ring_100",
	 .unit = "ns",
	 .floor_name = "rte_ring SPSC, 64-byte elements, push and pop on one thread",
	 .note = "one hop of a token round 100 agents on one lcore; mean of a round per sample",
	 .budget = 25,
	 .ratio = 2.4,
	 .run = ring},
	{0},
};
