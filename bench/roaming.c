/* SPDX-License-Identifier: Apache-2.0 */

/* steal_speedup, steal_cost, roaming_send, roaming_send_far, roaming_preempted, roaming_beside. */
#include <stdalign.h>

#include <rte_cycles.h>

#include "bench.h"
#include "capabilities/rng.h"
#include "engine/lcore/engine.h"
#include "engine/lcore/room.h"
#include "engine/schedule/roaming.h"

#include <rte_ring_elem.h>

#define WORKERS 64
#define WORK_SIGNALS 400
#define WORK_STEPS_MIN 250 /* dependent multiplications: about a microsecond at most */
#define SENDS_PER_TURN 64
#define HOLD_NS 20000
#define BESIDE 100

enum { START, WORK };

/* Agents that compute. Each stocks itself with signals first, so that it is ready until the end. */
struct crew {
	struct bench *bench;
	uint32_t signals; /* of each worker */
	alignas(64) uint32_t finished;
};

struct worker {
	alignas(64) struct crew *crew;
	struct tern_rng rng;
	uint32_t left;
	uint64_t from, to; /* ticks */
};

static void compute(struct tern_rng *rng)
{
	uint64_t steps = WORK_STEPS_MIN + tern_rng_next(rng) % WORK_STEPS_MIN, value = rng->state;
	while (steps--)
		value = value * 6364136223846793005ull + 1442695040888963407ull;
	rng->state ^= value & 1;
}

TERN_HANDLER(static, on_work)
{
	struct worker *worker = state;
	struct crew *crew = worker->crew;
	if (tern_signal_type(signal) == START) {
		worker->from = rte_rdtsc();
		for (worker->left = 0; worker->left < crew->signals; worker->left++)
			if (tern_signal_bytes(self, tern_self(self), WORK, &worker->from, 8) != 0)
				bench_die("a worker's stock is refused");
		return;
	}
	compute(&worker->rng);
	if (--worker->left)
		return;
	worker->to = rte_rdtsc();
	if (__atomic_add_fetch(&crew->finished, 1, __ATOMIC_ACQ_REL) == WORKERS)
		sem_post(&crew->bench->done);
}

static const struct tern_behaviour working = {.name = "work", .handler = on_work};

/* Signals per second of workers that start on one lcore, or on both. */
static uint64_t work_round(struct bench *bench, bool roaming, bool spread)
{
	struct crew crew = {.bench = bench, .signals = bench->smoke ? 20 : WORK_SIGNALS};
	struct worker workers[WORKERS];
	tern_address agents[WORKERS];
	uint64_t from = UINT64_MAX, to = 0;
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct tern_spawn_options options = {
			.lcore = spread && i % 2 ? bench->far : bench->near, .roaming = roaming};
		workers[i] = (struct worker){.crew = &crew, .rng = {.state = i + 1}};
		agents[i] = bench_spawn_as(bench, &working, &workers[i], &options);
	}
	for (uint32_t i = 0; i < WORKERS; i++)
		bench_send(bench, agents[i], START, 0);
	bench_wait(bench);
	for (uint32_t i = 0; i < WORKERS; i++) {
		from = workers[i].from < from ? workers[i].from : from;
		to = workers[i].to > to ? workers[i].to : to;
	}
	bench_stop(bench, agents, WORKERS);
	return bench_per_second(bench, (uint64_t)WORKERS * crew.signals, to - from);
}

static void steal_speedup(struct bench *bench, struct bench_result *result)
{
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = work_round(bench, false, true);
		bench_round(result, floor, work_round(bench, true, false));
	}
}

/* The lcores look at it whenever they are idle: the same engine, agents and memory both ways. */
static uint64_t with_stealing(struct bench *bench, bool steal)
{
	bool *option = &bench->engine->config.steal;
	bool before = tern_load(option);
	tern_store(option, steal);
	uint64_t rate = work_round(bench, true, true);
	tern_store(option, before);
	return rate;
}

static void steal_cost(struct bench *bench, struct bench_result *result)
{
	for (uint32_t i = 0; i < 2 * bench->rounds; i++) {
		bool steals = i % 2; /* neither is always the first */
		uint64_t first = with_stealing(bench, steals);
		uint64_t second = with_stealing(bench, !steals);
		bench_round(result, steals ? second : first, steals ? first : second);
	}
}

/* One agent sends to another as fast as it is handled. */
struct stream {
	struct bench *bench;
	tern_address sink;
	alignas(64) uint32_t to_send;
	uint64_t from; /* ticks */
	alignas(64) uint32_t to_come;
	uint64_t to; /* ticks */
};

TERN_HANDLER(static, on_source)
{
	struct stream *stream = state;
	if (stream->from == 0)
		stream->from = rte_rdtsc();
	for (uint32_t i = 0; i < SENDS_PER_TURN && stream->to_send; i++, stream->to_send--)
		if (tern_signal_bytes(self, stream->sink, 0, &stream->from, 8) != 0)
			break;
	if (stream->to_send && tern_signal_bytes(self, tern_self(self), 0, &stream->from, 8) != 0)
		bench_die("source refused");
}

TERN_HANDLER(static, on_sink)
{
	struct stream *stream = state;
	if (--stream->to_come)
		return;
	stream->to = rte_rdtsc();
	sem_post(&stream->bench->done);
}

static const struct tern_behaviour source = {.name = "source", .handler = on_source};
static const struct tern_behaviour sink = {.name = "sink", .handler = on_sink};

static uint64_t stream_round(struct bench *bench, uint32_t lcore, bool roaming)
{
	uint32_t count = bench->smoke ? 1000 : 200000;
	struct tern_spawn_options options = {.lcore = lcore, .roaming = roaming};
	struct stream stream = {.bench = bench, .to_send = count, .to_come = count};
	stream.sink = bench_spawn_as(bench, &sink, &stream, &options);
	tern_address agents[] = {stream.sink, bench_spawn(bench, &source, &stream, bench->near)};
	bench_send(bench, agents[1], 0, 0);
	bench_wait(bench);
	bench_stop(bench, agents, 2);
	return bench_to_ps(bench, stream.to - stream.from) / count;
}

static void stream_case(struct bench *bench, struct bench_result *result, uint32_t lcore)
{
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = stream_round(bench, lcore, false);
		bench_round(result, floor, stream_round(bench, lcore, true));
	}
}

static void roaming_send(struct bench *bench, struct bench_result *result)
{
	stream_case(bench, result, bench->near);
}

static void roaming_send_far(struct bench *bench, struct bench_result *result)
{
	stream_case(bench, result, bench->far);
}

/*
 * Two senders of one roaming agent. One has its place in the ring and is stopped before it fills
 * it: what the kernel does to a thread, done by hand. The other sends beside it meanwhile.
 */
struct beside {
	struct bench *bench;
	struct tern_histogram *seen_ps; /* from send to handler; NULL: not of interest */
	struct tern_histogram *call_ps; /* of the other's sends; NULL: not of interest */
	tern_address sink;
	bool held;
	alignas(64) uint32_t to_come;
};

enum { BESIDE_TYPE, HELD_TYPE };

struct place {
	struct tern_lcore *lcore;
	struct tern_room *room;
	uint32_t at;
};

/* The first half of a put: the steps of DPDK's enqueue, as in
 * tests/unit/engine/queue/test_mail_ring.c.
 */
static struct place reserve(struct beside *beside, struct tern_agent *self)
{
	struct tern_engine *engine = beside->bench->engine;
	struct place place = {.lcore = &engine->lcores[tern_lcore_index(self)],
			      .room = engine->rooms[tern_address_slot(beside->sink)]};
	uint32_t left;
	if (__rte_ring_rts_move_prod_head(&place.room->ring.ring, 1, RTE_RING_QUEUE_FIXED,
					  &place.at, &left) != 1)
		bench_die("no place to hold");
	return place;
}

static void fill(const struct place *place, tern_address to)
{
	struct rte_ring *ring = &place->room->ring.ring;
	struct tern_signal signal = {.type = HELD_TYPE,
				     .to_slot = tern_address_slot(to),
				     .to_generation = tern_address_generation(to) & 0xFFFFFF};
	tern_count(&place->lcore->signals.accepted, 1);
	__rte_ring_enqueue_elems(ring, place->at, &signal, sizeof(signal), 1);
	__rte_ring_rts_update_tail(&ring->rts_prod);
	tern_roaming_wake(place->lcore, &place->lcore->agents[signal.to_slot]);
}

static void send_beside(struct beside *beside, struct tern_agent *self)
{
	uint64_t step = (uint64_t)(HOLD_NS * BENCH_PS_PER_NS / beside->bench->ps_per_tick) / BESIDE;
	for (uint64_t i = 0, next = rte_rdtsc(); i < BESIDE; i++, next += step) {
		uint64_t from;
		while ((from = rte_rdtsc()) < next)
			;
		if (tern_signal_bytes(self, beside->sink, BESIDE_TYPE, &from, 8) != 0)
			bench_die("a sender is refused beside one that is stopped");
		if (beside->call_ps)
			tern_histogram_record(beside->call_ps,
					      bench_to_ps(beside->bench, rte_rdtsc() - from));
	}
}

TERN_HANDLER(static, on_beside)
{
	struct beside *beside = state;
	if (!beside->held) {
		send_beside(beside, self);
		return;
	}
	struct place place = reserve(beside, self);
	send_beside(beside, self);
	fill(&place, beside->sink);
}

TERN_HANDLER(static, on_seen)
{
	struct beside *beside = state;
	if (tern_signal_type(signal) == HELD_TYPE)
		return;
	uint64_t age = rte_rdtsc() - *(const uint64_t *)tern_signal_data(signal);
	if (beside->seen_ps)
		tern_histogram_record(beside->seen_ps, bench_to_ps(beside->bench, age));
	if (--beside->to_come == 0)
		sem_post(&beside->bench->done);
}

static const struct tern_behaviour sends_beside = {.name = "beside", .handler = on_beside};
static const struct tern_behaviour sees = {.name = "sees", .handler = on_seen};

static void beside_round(struct bench *bench, struct beside *beside)
{
	const struct tern_spawn_options options = {.lcore = bench->far, .roaming = true};
	beside->bench = bench;
	beside->to_come = BESIDE;
	beside->sink = bench_spawn_as(bench, &sees, beside, &options);
	tern_address agents[] = {beside->sink,
				 bench_spawn(bench, &sends_beside, beside, bench->near)};
	bench_send(bench, agents[1], 0, 0);
	bench_wait(bench);
	bench_stop(bench, agents, 2);
}

static void roaming_preempted(struct bench *bench, struct bench_result *result)
{
	for (uint32_t i = 0; i < 10 * bench->rounds; i++) {
		struct beside free = {.seen_ps = &result->floor};
		struct beside held = {.seen_ps = &result->figure, .held = true};
		beside_round(bench, &free);
		beside_round(bench, &held);
	}
}

static void roaming_beside(struct bench *bench, struct bench_result *result)
{
	for (uint32_t i = 0; i < 10 * bench->rounds; i++) {
		struct beside free = {.call_ps = &result->floor};
		struct beside held = {.call_ps = &result->figure, .held = true};
		beside_round(bench, &free);
		beside_round(bench, &held);
	}
}

const struct bench_case bench_roaming_cases[] = {
	{.name = "steal_speedup",
	 .unit = "signals/s",
	 .floor_name = "half of the same agents pinned to each lcore",
	 .note = "64 roaming agents that compute, all started on one of two lcores; budget is 0.85 "
		 "of the floor",
	 .budget = -0.85,
	 .needs_two = true,
	 .run = steal_speedup},
	{.name = "steal_cost",
	 .unit = "signals/s",
	 .floor_name = "the same without stealing",
	 .note = "64 roaming agents that compute, half of them started on each lcore; budget is "
		 "0.98 of the floor",
	 .budget = -0.98,
	 .needs_two = true,
	 .run = steal_cost},
	{.name = "roaming_send",
	 .unit = "ns",
	 .floor_name = "the same to a pinned agent",
	 .note = "put, wake and handle a signal to a roaming agent of the same lcore; mean of a "
		 "round per sample",
	 .run = roaming_send},
	{.name = "roaming_send_far",
	 .unit = "ns",
	 .floor_name = "the same to a pinned agent",
	 .note = "put, wake and handle a signal to a roaming agent of another lcore; mean of a "
		 "round per sample",
	 .needs_two = true,
	 .run = roaming_send_far},
	{.name = "roaming_preempted",
	 .unit = "ns",
	 .floor_name = "the same with nobody stopped",
	 .note = "from send to handler while another sender is stopped for 20 us in its put",
	 .needs_two = true,
	 .run = roaming_preempted},
	{.name = "roaming_beside",
	 .unit = "ns",
	 .floor_name = "the same with nobody stopped",
	 .note = "one call of a sender while another is stopped in its put, the clock included",
	 .needs_two = true,
	 .run = roaming_beside},
	{0},
};
