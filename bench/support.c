/* SPDX-License-Identifier: Apache-2.0 */

/* Running things on the lcores' own threads, and waiting for them without a spinning thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "fenced.h"

#define EXIT_UNAVAILABLE 69
#define PAIRS 1001

void bench_die(const char *format, ...)
{
	va_list args;
	fputs("tern-bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_UNAVAILABLE);
}

static uint64_t *grown(uint64_t *values, uint32_t room)
{
	values = reallocarray(values, room, sizeof(*values));
	if (!values)
		bench_die("no memory for %u rounds", room);
	return values;
}

void bench_round(struct bench_result *result, uint64_t floor, uint64_t figure)
{
	struct bench_rounds *rounds = &result->rounds;
	if (rounds->count == rounds->room) {
		rounds->room = 2 * rounds->room + 1;
		rounds->figures = grown(rounds->figures, rounds->room);
		rounds->floors = grown(rounds->floors, rounds->room);
	}
	rounds->figures[rounds->count] = figure;
	rounds->floors[rounds->count++] = floor;
}

void bench_stand_beside(struct bench_result *result, const char *name, uint64_t *ps, uint32_t count)
{
	double median = (double)bench_median(ps, count) / BENCH_PS_PER_NS;
	result->beside = (struct bench_beside){.name = name, .value = median};
}

double bench_ps_per_tick(void)
{
	struct timespec from, to, pause = {.tv_nsec = 20000000};
	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t ticks = rte_rdtsc();
	nanosleep(&pause, NULL);
	ticks = rte_rdtsc() - ticks;
	clock_gettime(CLOCK_MONOTONIC_RAW, &to);
	double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	return ns * BENCH_PS_PER_NS / (double)ticks;
}

uint64_t bench_clock_pair(void)
{
	uint64_t pairs[PAIRS];
	for (int i = 0; i < PAIRS; i++) {
		uint64_t from = fenced_ticks();
		pairs[i] = fenced_ticks() - from;
	}
	return bench_median(pairs, PAIRS);
}

void bench_wait(struct bench *bench)
{
	while (sem_wait(&bench->done) != 0)
		;
}

tern_address bench_spawn(struct bench *bench, const struct tern_behaviour *behaviour, void *state,
			 uint32_t lcore)
{
	struct tern_spawn_options options = {.lcore = lcore};
	return bench_spawn_as(bench, behaviour, state, &options);
}

tern_address bench_spawn_as(struct bench *bench, const struct tern_behaviour *behaviour,
			    void *state, const struct tern_spawn_options *options)
{
	tern_address agent;
	int code = tern_spawn(bench->self, behaviour, state, options, &agent);
	if (code != 0)
		bench_die("spawn refused: %s", strerror(-code));
	return agent;
}

void bench_send(struct bench *bench, tern_address to, uint16_t type, uint64_t word)
{
	int code;
	do {
		code = tern_signal_bytes(bench->self, to, type, &word, sizeof(word));
		tern_thread_poll(bench->self);
	} while (code == -EAGAIN);
	if (code != 0)
		bench_die("signal refused: %s", strerror(-code));
}

void bench_stop(struct bench *bench, const tern_address *agents, uint32_t count)
{
	const struct timespec pause = {.tv_nsec = 20000};
	for (uint32_t i = 0; i < count; i++)
		if (tern_agent_stop(bench->self, agents[i]) == 0)
			tern_thread_poll(bench->self);
	for (uint32_t i = 0; i < count; i++)
		while (tern_agent_alive(bench->self, agents[i])) {
			tern_thread_poll(bench->self);
			nanosleep(&pause, NULL);
		}
}

struct body {
	void (*run)(void *);
	void *argument;
	sem_t *done;
};

TERN_HANDLER(static, on_body)
{
	struct body *body = state;
	body->run(body->argument);
	sem_post(body->done);
}

static const struct tern_behaviour body_behaviour = {.name = "body", .handler = on_body};

void bench_on_lcore(struct bench *bench, uint32_t lcore, void (*run)(void *), void *argument)
{
	struct body body = {.run = run, .argument = argument, .done = &bench->done};
	tern_address agent = bench_spawn(bench, &body_behaviour, &body, lcore);
	bench_send(bench, agent, 0, 0);
	bench_wait(bench);
	bench_stop(bench, &agent, 1);
}

void bench_duet(struct bench *bench, void (*near)(void *), void (*far)(void *), void *argument)
{
	struct body bodies[] = {{.run = near, .argument = argument, .done = &bench->done},
				{.run = far, .argument = argument, .done = &bench->done}};
	tern_address agents[] = {bench_spawn(bench, &body_behaviour, &bodies[0], bench->near),
				 bench_spawn(bench, &body_behaviour, &bodies[1], bench->far)};
	bench_send(bench, agents[0], 0, 0);
	bench_send(bench, agents[1], 0, 0);
	bench_wait(bench);
	bench_wait(bench);
	bench_stop(bench, agents, 2);
}

struct tern_engine *bench_engine(uint32_t lcores, uint32_t max_agents, uint32_t slice_us)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	tern_config_init(&config);
	if (tern_config_check(&config, &error) != 0)
		bench_die("%s", error.text);
	config.lcore_count = config.lcore_count < lcores ? config.lcore_count : lcores;
	config.idle = TERN_IDLE_SPIN;
	config.max_threads = 1;
	config.max_agents = max_agents;
	config.slice_us = slice_us;
	config.watchdog_ms = 0;
	if (tern_engine_start(&engine, &config, &error) != 0)
		bench_die("%s", error.text);
	return engine;
}
