/* SPDX-License-Identifier: Apache-2.0 */

/* fan_in_1, fan_in_4, all_to_all_120: signals handled per second, a handler run for each. */
#include <stdalign.h>
#include <string.h>

#include <rte_cycles.h>

#include "bench.h"

#define SOURCES_MAX 4
#define SENDS_PER_TURN 128
#define MESH 120

/* One line per writer: what the sink counts must not share a line with what sources read. */
struct sink {
	alignas(64) uint64_t left;
	uint64_t to; /* ticks */
	sem_t *done;
};

struct source {
	alignas(64) tern_address sink;
	uint64_t left;
	uint64_t from; /* ticks */
};

/* Send until refused or the share of a turn is done, then go on in the next turn. */
TERN_HANDLER(static, on_source)
{
	struct source *source = state;
	if (source->from == 0)
		source->from = rte_rdtsc();
	for (uint32_t i = 0; i < SENDS_PER_TURN && source->left; i++) {
		if (tern_signal_bytes(self, source->sink, 0, &source->left, 8) != 0)
			break;
		source->left--;
	}
	if (source->left && tern_signal_bytes(self, tern_self(self), 0, &source->left, 8) != 0)
		bench_die("source refused");
}

TERN_HANDLER(static, on_sink)
{
	struct sink *sink = state;
	if (--sink->left)
		return;
	sink->to = rte_rdtsc();
	sem_post(sink->done);
}

static const struct tern_behaviour source_behaviour = {.name = "source", .handler = on_source};
static const struct tern_behaviour sink_behaviour = {.name = "sink", .handler = on_sink};

static uint64_t fan_in_round(struct bench *bench, uint32_t sources, uint64_t signals)
{
	uint64_t expected = signals / sources * sources, from = UINT64_MAX;
	struct sink sink = {.left = expected, .done = &bench->done};
	struct source states[SOURCES_MAX];
	tern_address agents[SOURCES_MAX + 1];
	agents[sources] = bench_spawn(bench, &sink_behaviour, &sink, bench->far);
	for (uint32_t i = 0; i < sources; i++) {
		states[i] = (struct source){.sink = agents[sources], .left = signals / sources};
		agents[i] = bench_spawn(bench, &source_behaviour, &states[i], bench->near);
	}
	for (uint32_t i = 0; i < sources; i++)
		bench_send(bench, agents[i], 0, 0);
	bench_wait(bench);
	bench_stop(bench, agents, sources + 1);
	for (uint32_t i = 0; i < sources; i++)
		from = states[i].from < from ? states[i].from : from;
	return bench_per_second(bench, expected, sink.to - from);
}

static void fan_in(struct bench *bench, struct bench_result *result, uint32_t sources)
{
	uint32_t signals = bench->smoke ? 20000 : 4000000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = bench_floor_lane_rate(bench, signals);
		bench_round(result, floor, fan_in_round(bench, sources, signals));
	}
}

static void fan_in_1(struct bench *bench, struct bench_result *result)
{
	fan_in(bench, result, 1);
}

static void fan_in_4(struct bench *bench, struct bench_result *result)
{
	fan_in(bench, result, 4);
}

struct mesh {
	struct bench *bench;
	tern_address agents[MESH];
	uint32_t rounds;
	alignas(64) uint32_t finished; /* agents that are through; any lcore adds */
};

struct member {
	alignas(64) struct mesh *mesh;
	uint32_t index;
	uint32_t round;
	uint32_t next; /* peer to send to next in this round */
	bool retrying; /* a signal to itself is under way */
	uint64_t received;
	uint64_t from, to; /* ticks */
};

enum { VALUE, START, RETRY };

/* Send this round to all others; a full lane leaves the rest for the next turn. */
static void member_send(struct tern_agent *self, struct member *member)
{
	struct mesh *mesh = member->mesh;
	for (; member->next < MESH; member->next++) {
		uint32_t peer = (member->index + member->next) % MESH;
		if (peer == member->index)
			continue;
		if (tern_signal_bytes(self, mesh->agents[peer], VALUE, &member->round, 4) != 0)
			break;
	}
	if (member->next < MESH && !member->retrying)
		member->retrying =
			tern_signal_bytes(self, tern_self(self), RETRY, &member->round, 4) == 0;
}

/* Peers may be a round ahead, never two: they wait for this member's signal too. */
TERN_HANDLER(static, on_member)
{
	struct member *member = state;
	struct mesh *mesh = member->mesh;
	if (tern_signal_type(signal) == START)
		member->from = rte_rdtsc();
	else if (tern_signal_type(signal) == RETRY)
		member->retrying = false;
	else
		member->received++;
	if (member->next < MESH)
		member_send(self, member);
	while (member->next == MESH && member->round < mesh->rounds &&
	       member->received >= (uint64_t)(member->round + 1) * (MESH - 1)) {
		member->round++;
		member->next = member->round < mesh->rounds ? 0 : MESH;
		member_send(self, member);
	}
	if (member->round < mesh->rounds || member->to)
		return;
	member->to = rte_rdtsc();
	if (__atomic_add_fetch(&mesh->finished, 1, __ATOMIC_ACQ_REL) == MESH)
		sem_post(&mesh->bench->done);
}

static const struct tern_behaviour member_behaviour = {.name = "member", .handler = on_member};

static uint64_t mesh_round(struct bench *bench, uint32_t rounds)
{
	struct mesh mesh = {.bench = bench, .rounds = rounds};
	struct member members[MESH];
	uint64_t from = UINT64_MAX, to = 0;
	for (uint32_t i = 0; i < MESH; i++) {
		members[i] = (struct member){.mesh = &mesh, .index = i};
		mesh.agents[i] = bench_spawn(bench, &member_behaviour, &members[i],
					     i % 2 ? bench->far : bench->near);
	}
	for (uint32_t i = 0; i < MESH; i++)
		bench_send(bench, mesh.agents[i], START, 0);
	bench_wait(bench);
	for (uint32_t i = 0; i < MESH; i++) {
		from = members[i].from < from ? members[i].from : from;
		to = members[i].to > to ? members[i].to : to;
	}
	bench_stop(bench, mesh.agents, MESH);
	return bench_per_second(bench, (uint64_t)rounds * MESH * (MESH - 1), to - from);
}

static void all_to_all(struct bench *bench, struct bench_result *result)
{
	uint32_t rounds = bench->smoke ? 5 : 400;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = bench_floor_ring_rate(bench, bench->smoke ? 20000 : 2000000);
		bench_round(result, floor, mesh_round(bench, rounds));
	}
}

const struct bench_case bench_rate_cases[] = {
	{.name = "fan_in_1",
	 .unit = "signals/s",
	 .floor_name = "bare lane, same slots, no agents",
	 .note = "one agent to one on another lcore, a handler run for each signal",
	 .budget = 100e6,
	 .ratio = 0.29,
	 .needs_two = true,
	 .run = fan_in_1},
	{.name = "fan_in_4",
	 .unit = "signals/s",
	 .floor_name = "bare lane, same slots, no agents",
	 .note = "four agents on one lcore to one on another, a handler run for each signal",
	 .budget = 100e6,
	 .ratio = 0.29,
	 .needs_two = true,
	 .run = fan_in_4},
	{.name = "all_to_all_120",
	 .unit = "signals/s",
	 .floor_name = "rte_ring SPSC between the two lcores, 64-byte elements, bursts of 32",
	 .note = "120 agents on two lcores, each to all others, half of it across",
	 .budget = 60e6,
	 .ratio = 0.85,
	 .needs_two = true,
	 .run = all_to_all},
	{0},
};
