/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_COURSE_H
#define CONSERVATION_COURSE_H

/*
 * How a run begins, and what the threads of a run do for all: they attach and detach, spawn those
 * who fill the memory, and ask all to go on or to end.
 */
#include <signal.h>
#include <unistd.h>

#include "conservation_acts.h"
#include "conservation_checks.h"

enum { ACTS = 600, THREADS_MAX = 2 };

/* A run that takes so long hangs. */
#define HANG_S 60u

static uint64_t last_seed; /* of the run that a test was at last: the culprit, where one fails */
static char hang_text[64];

static void say_hang(int signo)
{
	(void)signo;
	ssize_t written = write(STDERR_FILENO, hang_text, strlen(hang_text));
	_exit(written < 0 ? 2 : 1);
}

/* A run begins, which may never come back. */
static void watch_run(uint64_t seed)
{
	snprintf(hang_text, sizeof(hang_text), "TERN_SEED=%" PRIu64 ": hangs\n", seed);
	signal(SIGALRM, say_hang);
	alarm(HANG_S);
}

/* A thread's way in, and whose it is now. */
struct way {
	struct tern_agent *self;
	struct party *party;
};

struct course {
	struct run *run;
	struct way ways[THREADS_MAX];
	uint32_t threads;
	struct tern_rng rng;
};

static const struct tern_behaviour *behaviour_of(enum kind kind)
{
	return kind == THREAD ? &handler_behaviour : kind == THREAD_DEAF ? &deaf_behaviour : NULL;
}

static bool attach(struct run *run, struct way *way, struct tern_rng *rng)
{
	uint32_t which = run->is_gentle ? 0 : pick(rng, 5);
	enum kind kind = which < 3 ? THREAD : which == 3 ? THREAD_DEAF : THREAD_MUTE;
	struct party *party = enter_party(run, kind, tern_rng_next(rng));
	if (!party)
		return false;
	way->party = party;
	way->self = tern_thread_attach(run->world.engine, behaviour_of(kind), party);
	assert_non_null(way->self);
	put(&party->started, 1);
	put(&party->address, tern_self(way->self));
	put(&run->present[pick(rng, PRESENT)], party->number);
	return true;
}

static void detach(struct way *way)
{
	put(&way->party->ended, 1);
	tern_thread_detach(way->self);
	for (uint32_t i = 0; i < ALARMS; i++)
		if (way->party->alarms[i])
			free_alarm(way->party, i);
	way->self = NULL;
}

OWNS_BY_ATTACHING static void poll_way(struct way *way)
{
	tern_thread_poll(way->self);
	struct tern_ended ended;
	while (asks_for_ends(way->party) && tern_wait(way->self, TERN_ADDRESS_NONE, 0, &ended) == 0)
		check_end(way->party, &ended);
}

/* Whether mailbox memory has run out. Polled: lcores stand still. */
static void note_memory(struct run *run)
{
	const struct tern_engine *engine = run->world.engine;
	for (uint32_t i = 0; i < engine->lcore_count; i++) {
		const struct tern_lcore *lcore = &engine->lcores[i];
		bool is_full = tern_cells_left(&lcore->mail.cells) <= lcore->mail.cells.kept;
		run->ran_out |= is_full || lcore->mail.full_due;
	}
}

static void let_others_work(struct course *course)
{
	if (course->run->world.polled) {
		tern_engine_poll(course->run->world.engine);
		note_memory(course->run);
	} else {
		poll_way(&course->ways[0]);
		breathe();
	}
}

/* Ask every so-manieth agent. */
static void ask_all(struct course *course, int (*ask)(struct tern_agent *, tern_address),
		    uint32_t from, uint32_t every)
{
	struct run *run = course->run;
	for (uint32_t i = from; i < parties_of(run); i += every) {
		struct party *party = &run->parties[i];
		tern_address address = seen(&party->address);
		if (!address || is_thread(party))
			continue;
		if (ask == tern_agent_pause)
			put(&party->was_paused, true);
		if (ask(course->ways[0].self, address) == 0 && ask == tern_agent_stop)
			put(&party->stop_asked, true);
	}
}

/* Of those who hear of it, some are paused then. */
static void stop_half(struct course *course)
{
	ask_all(course, tern_agent_pause, pick(&course->rng, 3), 3);
	let_others_work(course);
	ask_all(course, tern_agent_stop, pick(&course->rng, 2), 2);
}

static void finish_all(struct course *course)
{
	for (uint32_t i = 0; i < parties_of(course->run); i++) {
		struct party *party = &course->run->parties[i];
		if (lives(party) && !is_thread(party) && !party->finish_asked)
			ask_to_finish(course->ways[0].self, course->ways[0].party, party);
	}
}

/* All pools at their smallest, or near. */
static void choose_config(const struct run *run, struct tern_rng *rng, struct tern_config *config,
			  bool polled)
{
	world_config(config, polled);
	if (polled)
		config->lcore_count = 1 + pick(rng, 3);
	for (uint16_t i = 0; i < config->lcore_count; i++) {
		if (polled)
			config->lcores[i] = i;
		config->schedules[i] = (uint8_t)pick(rng, TERN_SCHEDULE_CUSTOM);
	}
	config->schedule_count = config->lcore_count;
	config->seed = run->seed;
	config->turn_signals = 1 + pick(rng, 64);
	config->max_concurrent = pick(rng, 3) ? 0 : 1 + pick(rng, 6);
	config->steal = pick(rng, 4) != 0;
	config->steal_after_us = pick(rng, 4);
	config->slice_us = 1 + pick(rng, 10);
	config->trace_every = pick(rng, 2) * pick(rng, 7);
	config->data_depth = run->fills && pick(rng, 2) ? 2048 : 64;
	config->express_depth = 16;
	config->max_agents = (run->fills ? 20 : 4) + pick(rng, 20);
	config->max_threads = polled ? 1 + pick(rng, THREADS_MAX) : THREADS_MAX;
	config->block_mib = 1;
	config->mailbox_mib = 1;
}

static void open_course(struct course *course, uint64_t seed, bool polled)
{
	struct run *run = calloc(1, sizeof(*run));
	struct tern_config config;
	assert_non_null(run);
	watch_run(seed);
	course->run = run;
	course->rng.state = seed;
	run->seed = seed;
	run->is_gentle = seed % 4 == 0;
	run->fills = seed % 4 == 1;
	run->ran_out = !polled; /* nobody can look */
	choose_config(run, &course->rng, &config, polled);
	world_open(&run->world, &config);
	tern_thread_detach(run->world.self);
	run->world.self = NULL;
	course->threads = config.max_threads;
	for (uint32_t i = 0; i < course->threads; i++)
		attach(run, &course->ways[i], &course->rng);
	run->budget = ACTS;
}

/* One that does not run is sent much. */
static void fill_one(struct course *course, struct party *party, struct party *hog)
{
	struct way *way = &course->ways[0];
	put(&hog->was_paused, true);
	(void)tern_agent_pause(way->self, hog->address);
	for (uint32_t rounds = pick(&course->rng, 150); rounds; rounds--) {
		send_some(way->self, way->party, party, party == hog ? 100 : 1);
		let_others_work(course);
	}
}

/* What a party on the same lcore has sent comes back to it, but it does not look, either. */
static void return_all(struct course *course, struct party *pump, struct party *hog)
{
	struct way *way = &course->ways[0];
	put(&pump->pumps, hog->number);
	fill_one(course, pump, hog);
	put(&pump->was_paused, true);
	(void)tern_agent_pause(way->self, pump->address);
	if (tern_agent_stop(way->self, hog->address) == 0)
		put(&hog->stop_asked, true);
	let_others_work(course);
}

/* Agents that do not run are sent more than there is memory for. */
OWNS_BY_ATTACHING static void fill_memory(struct course *course)
{
	struct run *run = course->run;
	struct way *way = &course->ways[0];
	for (uint32_t i = 6 + pick(&course->rng, 8); i; i--) {
		struct party *hog = spawn_one(way->self, way->party, true);
		struct party *pump = pick(&course->rng, 2)
					     ? hog
					     : spawn_as(way->self, way->party, HANDLER, true);
		if (hog && pump == hog)
			fill_one(course, hog, hog);
		else if (hog && pump)
			return_all(course, pump, hog);
		if (run->world.polled && run->ran_out)
			return;
	}
}

/* A test that failed says at which seed. */
static int say_seed(void **state)
{
	(void)state;
	if (last_seed)
		print_message("TERN_SEED=%" PRIu64 " was the last\n", last_seed);
	return 0;
}

#endif
