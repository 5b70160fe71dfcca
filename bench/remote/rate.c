/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signals and blocks one way, as fast as they are taken. Bare DPDK then sends as many frames, of
 * the size that those of the round had.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "party.h"
#include "dataplane/frame/wire.h"
#include "tern_node.h"

#define SENDS_PER_TURN 128
#define SIGNALS 2000000u
#define BLOCKS 8000u
#define ETHERNET_BYTES 14
#define FRAMES_MIN 10000u

struct source {
	tern_address sink;
	uint32_t left;
	bool is_block;
	uint64_t from; /* ticks */
};

static int send_block(struct tern_agent *self, const struct source *source)
{
	tern_iso *block = tern_iso_create(tern_heap(self), PARTY_BLOCK_BYTES);
	if (!block)
		return -1;
	*(uint32_t *)tern_iso_data(block) = source->left;
	block = tern_signal_iso(self, source->sink, PARTY_VALUE, block);
	tern_iso_drop(tern_heap(self), block);
	return block ? -1 : 0;
}

static int send_value(struct tern_agent *self, const struct source *source)
{
	const uint64_t value[PARTY_VALUE_BYTES / 8] = {source->left};
	return tern_signal_bytes(self, source->sink, PARTY_VALUE, value, sizeof(value));
}

/* Send until refused or the share of a turn is done, then go on in the next turn. */
TERN_HANDLER(static, on_source)
{
	struct source *source = state;
	if (source->from == 0)
		source->from = rte_rdtsc();
	for (uint32_t i = 0; i < SENDS_PER_TURN && source->left; i++) {
		int code = source->is_block ? send_block(self, source) : send_value(self, source);
		if (code != 0)
			break;
		source->left--;
	}
	if (source->left && tern_signal_bytes(self, tern_self(self), 0, &source->left, 4) != 0)
		bench_die("source refused");
}

static const struct tern_behaviour source_behaviour = {.name = "source", .handler = on_source};

/* One round, and what its frames were. */
struct rate {
	uint32_t agents; /* at each end */
	uint32_t items;
	uint64_t item_bytes; /* of wire entries */
	uint64_t frames;
	uint64_t ticks;
};

static uint64_t frames_out(const struct party_side *near)
{
	struct tern_peer peer;
	if (tern_node_peers(near->bench.engine, &peer, 1) != 1)
		bench_die("the far node is no peer");
	return peer.frames_out;
}

static uint64_t begin_sources(struct party_side *near, struct rate *rate, struct source *sources,
			      tern_address *agents)
{
	bool is_block = near->plan->task == PARTY_BLOCK;
	for (uint32_t i = 0; i < rate->agents; i++) {
		sources[i] = (struct source){.sink = near->shared->sinks[i],
					     .left = rate->items / rate->agents,
					     .is_block = is_block};
		agents[i] = bench_spawn(&near->bench, &source_behaviour, &sources[i], 0);
	}
	uint64_t frames = frames_out(near);
	for (uint32_t i = 0; i < rate->agents; i++)
		bench_send(&near->bench, agents[i], 0, 0);
	return frames;
}

static void measure_tern(struct party_side *near, struct rate *rate)
{
	struct source sources[PARTY_SINKS];
	tern_address agents[PARTY_SINKS];
	uint64_t from = UINT64_MAX;
	const struct party_told told = {.count = rate->items / rate->agents * rate->agents};
	party_tell(near, near->shared->sinks[0], PARTY_EXPECT, told);
	uint64_t before = begin_sources(near, rate, sources, agents);
	party_wait(&near->shared->ended, "signals are missing at the far side");
	rate->frames = frames_out(near) - before;
	bench_stop(&near->bench, agents, rate->agents);
	for (uint32_t i = 0; i < rate->agents; i++)
		from = sources[i].from < from ? sources[i].from : from;
	rate->ticks = near->shared->to - from;
	rate->items = told.count;
}

struct sending {
	struct party_side *near;
	struct party_told told;
	uint64_t from;
};

static void send_bare(void *argument)
{
	struct sending *sending = argument;
	sending->from = party_bare_send(sending->near, sending->told);
}

/* Frames a second of bare DPDK. */
static double measure_bare(struct party_side *near, struct party_told told)
{
	struct sending sending = {.near = near, .told = told};
	party_tell(near, near->shared->bare, PARTY_SINK, told);
	bench_on_lcore(&near->bench, 0, send_bare, &sending);
	party_wait(&near->shared->ended, "bare DPDK does not end");
	if (near->shared->received == 0)
		bench_die("bare DPDK: no frame arrived");
	return (double)bench_per_second(&near->bench, near->shared->received,
					near->shared->to - sending.from);
}

/* What entries take in a frame, a block with the fixed parts of its fragments. */
static uint64_t bytes_of(const struct party_side *near, const struct rate *rate)
{
	const uint64_t before = sizeof(struct tern_wire_header) + sizeof(struct tern_wire_data);
	uint64_t entry = sizeof(struct tern_wire_entry), bytes = rate->items;
	if (near->plan->task == PARTY_BLOCK)
		bytes = bytes * PARTY_BLOCK_BYTES +
			rate->frames * (entry + sizeof(struct tern_wire_fragment));
	else
		bytes *= entry + PARTY_VALUE_BYTES;
	return bytes / rate->frames + before + ETHERNET_BYTES;
}

void party_rate_round(struct party_side *near, struct party_report *report, uint64_t pair[2])
{
	bool is_block = near->plan->task == PARTY_BLOCK;
	struct rate rate = {.agents = near->plan->task == PARTY_RATE_64 ? PARTY_SINKS : 1,
			    .items = is_block ? BLOCKS : SIGNALS};
	if (near->plan->smoke)
		rate.items /= 100;
	measure_tern(near, &rate);
	uint64_t length = bytes_of(near, &rate);
	uint32_t frames = near->plan->smoke ? FRAMES_MIN : 10 * FRAMES_MIN;
	const struct party_told told = {.count = frames, .length = (uint32_t)length};
	double bare = measure_bare(near, told);
	double per_frame = is_block ? (double)length : (double)rate.items / (double)rate.frames;
	uint64_t unit = is_block ? PARTY_BLOCK_BYTES : 1;
	pair[0] = (uint64_t)(bare * per_frame);
	pair[1] = bench_per_second(&near->bench, rate.items * unit, rate.ticks);
	if (!is_block)
		report->frames += (double)bench_per_second(&near->bench, rate.frames, rate.ticks) /
				  near->plan->rounds;
}
