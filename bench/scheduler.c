/* SPDX-License-Identifier: Apache-2.0 */

/* fiber_switch, fiber_yield, context_switch, priority_latency. */
#include <stdalign.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "bench.h"
#include "capabilities/memory/arena.h"
#include "capabilities/rng.h"
#include "engine/text/context.h"
#include "tern_fiber.h"

#define FIBERS 2
#define STACK_BYTES ((size_t)16 << 10)
#define SWITCHERS 64
#define FLOODERS 64
#define FLOOD_TOKENS 4
#define FLOOD_NS_MAX 200
#define PERIOD_NS 10000
#define OUTSTANDING_MAX 64

/* Two fibers of one lcore that let each other run. */
struct yielder {
	alignas(64) struct bench *bench;
	uint32_t left;
	uint64_t from, to; /* ticks */
};

/* An inexact result first: its flag differs from the scheduler's from then on (float_flags.h). */
static void be_inexact(void)
{
	volatile double three = 3;
	three = 1 / three;
}

TERN_FIBER(static, yields)
{
	struct yielder *yielder = state;
	be_inexact();
	yielder->from = rte_rdtsc();
	while (yielder->left-- && tern_yield(self) == 0)
		;
	yielder->to = rte_rdtsc();
	sem_post(&yielder->bench->done);
	return 0;
}

static const struct tern_behaviour yielding = {.name = "yields", .fiber = yields};

static uint64_t yield_round(struct bench *bench, uint32_t yields_each)
{
	struct yielder states[FIBERS];
	tern_address agents[FIBERS];
	uint64_t from = UINT64_MAX, to = 0;
	for (int i = 0; i < FIBERS; i++) {
		states[i] = (struct yielder){.bench = bench, .left = yields_each};
		agents[i] = bench_spawn(bench, &yielding, &states[i], bench->near);
	}
	for (int i = 0; i < FIBERS; i++)
		bench_wait(bench);
	for (int i = 0; i < FIBERS; i++) {
		from = states[i].from < from ? states[i].from : from;
		to = states[i].to > to ? states[i].to : to;
	}
	bench_stop(bench, agents, FIBERS);
	return bench_to_ps(bench, to - from) / (2ull * FIBERS * yields_each);
}

struct jumps {
	unsigned char *stack;
	uint32_t count;
	uint64_t from, to; /* ticks */
};

static void jump_back(struct tern_transfer transfer)
{
	for (;;)
		transfer = jump_fcontext(transfer.from, NULL);
}

static void jump_there(void *argument)
{
	struct jumps *jumps = argument;
	void *place = make_fcontext(jumps->stack + STACK_BYTES, STACK_BYTES, jump_back);
	jumps->from = rte_rdtsc();
	for (uint32_t i = 0; i < jumps->count; i++)
		place = jump_fcontext(place, NULL).from;
	jumps->to = rte_rdtsc();
}

/* The engine's own switch: a fiber that leaves as often as it is entered. */
static void leave_always(void *argument)
{
	struct tern_context *context = argument;
	be_inexact();
	for (;;)
		tern_context_leave(context);
}

static void switch_there(void *argument)
{
	struct jumps *jumps = argument;
	struct tern_context context = {0};
	struct tern_stack stack = {.base = jumps->stack, .size = STACK_BYTES};
	tern_context_make(&context, &stack, leave_always, &context);
	jumps->from = rte_rdtsc();
	for (uint32_t i = 0; i < jumps->count; i++)
		tern_context_enter(&context);
	jumps->to = rte_rdtsc();
	tern_context_abandon(&context);
}

/* Half of there and back, on a stack of its own, by `body`. */
static uint64_t stack_round(struct bench *bench, void (*body)(void *), uint32_t count)
{
	struct jumps jumps = {.stack = aligned_alloc(TERN_PAGE_4K, STACK_BYTES), .count = count};
	if (!jumps.stack)
		bench_die("no memory for a stack");
	bench_on_lcore(bench, bench->near, body, &jumps);
	free(jumps.stack);
	return bench_to_ps(bench, jumps.to - jumps.from) / (2ull * count);
}

static void fiber_switch(struct bench *bench, struct bench_result *result)
{
	uint32_t count = bench->smoke ? 1000 : 200000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = stack_round(bench, jump_there, count);
		bench_round(result, floor, stack_round(bench, switch_there, count));
	}
}

static void fiber_yield(struct bench *bench, struct bench_result *result)
{
	uint32_t count = bench->smoke ? 1000 : 100000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = stack_round(bench, jump_there, count);
		bench_round(result, floor, yield_round(bench, count));
	}
}

/* A token for each of the agents, so that all are ready, and a switch lies between two signals. */
struct switches {
	struct bench *bench;
	tern_address agents[SWITCHERS];
	uint64_t left;
	uint64_t from, to; /* ticks */
};

struct switcher {
	struct switches *switches;
	tern_address next;
};

TERN_HANDLER(static, on_switch)
{
	const struct switcher *switcher = state;
	struct switches *switches = switcher->switches;
	if (switches->from == 0)
		switches->from = rte_rdtsc();
	if (switches->left == 0)
		return;
	if (--switches->left == 0) {
		switches->to = rte_rdtsc();
		sem_post(&switches->bench->done);
	} else if (tern_signal_bytes(self, switcher->next, 0, tern_signal_data(signal), 8) != 0) {
		bench_die("token refused");
	}
}

static const struct tern_behaviour switching = {.name = "switch", .handler = on_switch};

/* Low agents never run in place: each signal takes the way through mailbox and ready queue. */
static uint64_t switch_round(struct bench *bench, uint64_t count)
{
	const struct tern_spawn_options options = {.lcore = bench->near,
						   .priority = TERN_PRIORITY_LOW};
	struct switches switches = {.bench = bench, .left = count};
	struct switcher states[SWITCHERS];
	for (uint32_t i = 0; i < SWITCHERS; i++) {
		states[i].switches = &switches;
		switches.agents[i] = bench_spawn_as(bench, &switching, &states[i], &options);
	}
	for (uint32_t i = 0; i < SWITCHERS; i++)
		states[i].next = switches.agents[(i + 1) % SWITCHERS];
	for (uint32_t i = 0; i < SWITCHERS; i++)
		bench_send(bench, switches.agents[i], 0, 0);
	bench_wait(bench);
	bench_stop(bench, switches.agents, SWITCHERS);
	return bench_to_ps(bench, switches.to - switches.from) / count;
}

static void context_switch(struct bench *bench, struct bench_result *result)
{
	uint32_t count = bench->smoke ? 1000 : 200000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = bench_floor_ring_local_ps(bench, count);
		bench_round(result, floor, switch_round(bench, count));
	}
}

/*
 * An open loop: requests leave at fixed times, whatever became of those before. What is measured
 * counts from the time a request was meant to leave.
 */
struct requests {
	struct bench *bench;
	struct tern_histogram *ps;
	tern_address server, client;
	uint64_t period, next; /* ticks */
	uint32_t to_send, to_come;
};

/* Late, it catches up, but never with more than the lanes take. */
static bool may_send(const struct requests *requests)
{
	return requests->to_send && requests->to_come - requests->to_send < OUTSTANDING_MAX &&
	       rte_rdtsc() >= requests->next;
}

/* Between two yields the lcore looks at its express lanes, by which the answers come. */
TERN_FIBER(static, sends_requests)
{
	struct requests *requests = state;
	requests->next = rte_rdtsc() + requests->period;
	while (requests->to_send) {
		while (may_send(requests) &&
		       tern_signal_bytes(self, requests->server, 0, &requests->next, 8) == 0) {
			requests->next += requests->period;
			requests->to_send--;
		}
		tern_yield(self);
	}
	return 0;
}

TERN_HANDLER(static, on_request)
{
	const struct requests *requests = state;
	if (tern_signal_bytes(self, requests->client, 0, tern_signal_data(signal), 8) != 0)
		bench_die("answer refused");
}

TERN_HANDLER(static, on_answer)
{
	struct requests *requests = state;
	uint64_t meant = *(const uint64_t *)tern_signal_data(signal);
	tern_histogram_record(requests->ps, bench_to_ps(requests->bench, rte_rdtsc() - meant));
	if (--requests->to_come == 0)
		sem_post(&requests->bench->done);
}

static const struct tern_behaviour metronome = {.name = "metronome", .fiber = sends_requests};
static const struct tern_behaviour server = {.name = "server", .handler = on_request};
static const struct tern_behaviour client = {.name = "client", .handler = on_answer};

/* The p99.9 of a round; its samples join `all`. */
static uint64_t request_round(struct bench *bench, struct tern_histogram *all, uint32_t count)
{
	struct tern_histogram ps = {0};
	struct requests requests = {.bench = bench, .ps = &ps, .to_send = count, .to_come = count};
	struct tern_spawn_options options = {.lcore = bench->far,
					     .priority = TERN_PRIORITY_CRITICAL};
	requests.period = (uint64_t)(PERIOD_NS * BENCH_PS_PER_NS / bench->ps_per_tick);
	requests.server = bench_spawn_as(bench, &server, &requests, &options);
	options.lcore = bench->near;
	requests.client = bench_spawn_as(bench, &client, &requests, &options);
	tern_address agents[] = {requests.server, requests.client,
				 bench_spawn(bench, &metronome, &requests, bench->near)};
	bench_wait(bench);
	bench_stop(bench, agents, 3);
	tern_histogram_merge(all, &ps);
	return tern_histogram_percentile(&ps, 99.9);
}

/* Low agents that always have work: each token comes back to one of them. */
struct flooder {
	alignas(64) tern_address next;
	struct tern_rng rng;
	uint64_t ticks_max; /* of one signal */
};

TERN_HANDLER(static, on_flood)
{
	struct flooder *flooder = state;
	uint64_t until = rte_rdtsc() + tern_rng_next(&flooder->rng) % flooder->ticks_max;
	/* Refused only once the flood is being stopped. */
	if (tern_signal_bytes(self, flooder->next, 0, tern_signal_data(signal), 8) != 0)
		return;
	while (rte_rdtsc() < until)
		;
}

static const struct tern_behaviour flooding = {.name = "flood", .handler = on_flood};

static uint64_t flooded_round(struct bench *bench, struct tern_histogram *all, uint32_t count)
{
	const struct tern_spawn_options options = {.lcore = bench->far,
						   .priority = TERN_PRIORITY_LOW};
	struct flooder flooders[FLOODERS];
	tern_address agents[FLOODERS];
	uint64_t ticks_max = (uint64_t)(FLOOD_NS_MAX * BENCH_PS_PER_NS / bench->ps_per_tick);
	for (uint32_t i = 0; i < FLOODERS; i++) {
		flooders[i] = (struct flooder){.rng = {.state = i + 1}, .ticks_max = ticks_max};
		agents[i] = bench_spawn_as(bench, &flooding, &flooders[i], &options);
	}
	for (uint32_t i = 0; i < FLOODERS; i++)
		flooders[i].next = agents[(i + 1) % FLOODERS];
	for (uint32_t i = 0; i < FLOODERS * FLOOD_TOKENS; i++)
		bench_send(bench, agents[i % FLOODERS], 0, 0);
	uint64_t ps = request_round(bench, all, count);
	bench_stop(bench, agents, FLOODERS);
	return ps;
}

static void priority_latency(struct bench *bench, struct bench_result *result)
{
	uint32_t count = bench->smoke ? 100 : 3000;
	for (uint32_t i = 0; i < bench->rounds; i++) {
		uint64_t floor = request_round(bench, &result->floor, count);
		bench_round(result, floor, flooded_round(bench, &result->figure, count));
	}
}

const struct bench_case bench_scheduler_cases[] = {
	{.name = "fiber_switch",
	 .unit = "ns",
	 .floor_name = "bare jump_fcontext there and back, halved",
	 .note = "half of scheduler to fiber to scheduler, as the engine switches; mean of a "
		 "round per sample",
	 .budget = 15,
	 .ratio = 3.7,
	 .run = fiber_switch},
	{.name = "fiber_yield",
	 .unit = "ns",
	 .floor_name = "bare jump_fcontext there and back, halved",
	 .note = "half of a tern_yield() between two fibers of one lcore: the switch, the ready "
		 "queue, budgets and samples of the scheduler",
	 .run = fiber_yield},
	{.name = "context_switch",
	 .unit = "ns",
	 .floor_name = "rte_ring SPSC, 64-byte elements, push and pop on one thread",
	 .note = "from one agent's handler to the next through lane, mailbox and ready queue, "
		 "64 low agents ready; mean of a round per sample",
	 .run = context_switch},
	{.name = "priority_latency",
	 .unit = "ns",
	 .floor_name = "the same without the low agents",
	 .note = "value: p99.9 of a round, median over rounds; from the intended send, every "
		 "10 us, to a critical agent on another lcore and back, while 64 low agents there "
		 "always have work of 0..200 ns; budget is 3x the floor",
	 .budget = -3,
	 .needs_two = true,
	 .run = priority_latency},
	{0},
};
