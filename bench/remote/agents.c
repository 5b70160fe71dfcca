/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The far side's agents. The near side's main thread gives orders; what comes of them is left in
 * the memory that both sides share.
 */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "party.h"

/* What all sinks have taken, and the judge. One lcore's. */
struct sinks {
	struct party_side *side;
	uint64_t handled; /* of this order */
	uint64_t expected;
};

static struct sinks sinks;

/* Signals of an order may come before it. */
static void look_whether_all(void)
{
	struct party_shared *shared = sinks.side->shared;
	if (sinks.handled != sinks.expected)
		return;
	shared->received = sinks.handled;
	shared->to = rte_rdtsc();
	sinks.handled = 0;
	sinks.expected = UINT64_MAX;
	sem_post(&shared->ended);
}

static void take_order(struct tern_signal *signal)
{
	sinks.expected = ((const struct party_told *)tern_signal_data(signal))->count;
	sem_post(&sinks.side->shared->begun);
	look_whether_all();
}

TERN_HANDLER(static, on_sink)
{
	if (tern_signal_type(signal) == PARTY_EXPECT) {
		take_order(signal);
		return;
	}
	tern_iso *block = tern_signal_take_iso(signal);
	if (block)
		tern_iso_drop(tern_heap(self), block);
	sinks.handled++;
	look_whether_all();
}

static const struct tern_behaviour sink = {.name = "sink", .handler = on_sink};

/* Measures how long each signal took, and sends back those of a lone one. */
TERN_HANDLER(static, on_judge)
{
	uint64_t now = rte_rdtsc();
	const struct party_sent *sent = tern_signal_data(signal);
	struct party_side *side = sinks.side;
	if (tern_signal_type(signal) == PARTY_EXPECT) {
		take_order(signal);
		return;
	}
	uint64_t ps = bench_to_ps(&side->bench, now - sent->ticks);
	bool is_lone = sent->how == PARTY_LONE;
	tern_histogram_record(is_lone ? &side->shared->undisturbed : &side->shared->latency, ps);
	if (sent->how == PARTY_OPEN_LOOP) {
		sinks.handled++;
		look_whether_all();
	} else if (tern_signal_bytes(self, tern_signal_from(signal), 0, sent, sizeof(*sent)) != 0) {
		bench_die("the far side cannot answer");
	}
}

static const struct tern_behaviour judge = {.name = "judge", .handler = on_judge};

/* Keeps the lcore from its turns as long as bare DPDK needs it. */
TERN_HANDLER(static, on_bare)
{
	struct party_side *side = state;
	struct party_told told = *(const struct party_told *)tern_signal_data(signal);
	sem_post(&side->shared->begun);
	if (tern_signal_type(signal) == PARTY_ECHO)
		party_bare_echo(side, told);
	else
		party_bare_sink(side, told);
	sem_post(&side->shared->ended);
}

static const struct tern_behaviour bare = {.name = "bare", .handler = on_bare};

void party_agents_spawn(struct party_side *side)
{
	struct party_shared *shared = side->shared;
	sinks = (struct sinks){.side = side, .expected = UINT64_MAX};
	shared->pong = bench_spawn(&side->bench, &bench_pong, NULL, 0);
	shared->bare = bench_spawn(&side->bench, &bare, side, 0);
	shared->judge = bench_spawn(&side->bench, &judge, NULL, 0);
	for (uint32_t i = 0; i < PARTY_SINKS; i++)
		shared->sinks[i] = bench_spawn(&side->bench, &sink, NULL, 0);
}

void party_tell(struct party_side *near, tern_address agent, enum party_order order,
		struct party_told told)
{
	int code;
	do {
		code = tern_signal_bytes(near->bench.self, agent, (uint16_t)order, &told,
					 sizeof(told));
		tern_thread_poll(near->bench.self);
	} while (code == -EAGAIN);
	if (code != 0)
		bench_die("the far side cannot be told: %s", strerror(-code));
	party_wait(&near->shared->begun, "the far side does not begin");
}
