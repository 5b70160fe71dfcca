/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: as test_conservation.c, with lcores on threads of their own.
 * Method: the same parties and books. Two threads act beside the lcores, detach and attach; then
 * all go on until nothing is owed, and end in order or are stopped in the middle.
 */
#include <pthread.h>

#include "conservation_course.h"

enum { SEEDS = SANITIZED ? 12 : 80 };

struct helper {
	struct run *run;
	struct way *way;
	struct tern_rng rng;
	uint32_t done;
};

/* The helper's party is looked at by others at the end: it stays the same from then on. */
static void change_way(struct run *run, struct way *way, struct tern_rng *rng)
{
	if (run->is_gentle || pick(rng, 40) || parties_of(run) >= PARTIES - 2)
		return;
	detach(way);
	attach(run, way, rng);
}

OWNS_BY_ATTACHING static void *help(void *argument)
{
	struct helper *helper = argument;
	while (!seen(&helper->done)) {
		if (seen(&helper->run->budget) > 0) {
			act(helper->way->self, helper->way->party, false);
			change_way(helper->run, helper->way, &helper->rng);
		}
		poll_way(helper->way);
		breathe();
	}
	return NULL;
}

OWNS_BY_ATTACHING static void live(struct course *course)
{
	struct run *run = course->run;
	struct way *way = &course->ways[0];
	while (seen(&run->budget) > 0) {
		act(way->self, way->party, false);
		change_way(run, way, &course->rng);
		poll_way(way);
		if (pick(&course->rng, 4) == 0)
			breathe();
	}
	while (seen(&run->acting)) {
		poll_way(way);
		breathe();
	}
}

static void run_until_none(struct course *course,
			   const char *(*find)(const struct run *, uint32_t *), const char *when)
{
	struct run *run = course->run;
	struct patience patience = {0};
	const char *missing;
	uint32_t who;
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while ((missing = find(run, &who)) != NULL) {
		if (patience_ns(&patience) > PATIENCE_NS)
			FAIL(run, "%s: party %u: %s", when, who, missing);
		poll_way(&course->ways[0]);
		breathe();
	}
}

/* A fiber's signal counts as handled when it asks for the next; timers go on. */
static void check_all(struct course *course)
{
	struct run *run = course->run;
	struct tern_lcore_stats stats;
	UNTIL(&run->world, (poll_way(&course->ways[0]), stats = engine_stats(run->world.engine),
			    counters_agree(run, &stats)));
	check_gentle(run, &stats);
	check_signals(run, &stats, 0);
}

static void end_in_order(struct course *course)
{
	stop_half(course);
	run_until_none(course, find_unended, "while some are paused");
	ask_all(course, tern_agent_resume, 0, 1);
	run_until_none(course, find_missing, "after half were stopped");
	if (pick(&course->rng, 2))
		finish_all(course);
	else
		ask_all(course, tern_agent_stop, 0, 1);
	run_until_none(course, find_missing, "after all were stopped");
	check_all(course);
}

static void stop_helper(struct helper *helper, pthread_t thread)
{
	put(&helper->done, 1);
	pthread_join(thread, NULL);
}

/* What is on its way is reported, and no more than that. */
static void stop_now(struct run *run, uint64_t timeout_ns)
{
	struct tern_stop_report report;
	uint64_t missing = 0;
	int code = world_stop(&run->world, timeout_ns, &report);
	assert_int_equal(code, report.drained ? 0 : -ETIMEDOUT);
	assert_int_equal(report.blocks_leaked, 0);
	for (uint32_t i = 1; i <= numbers_of(run); i++) {
		check_entry(run, i, true);
		missing += has_no_end(&run->books[i]);
	}
	assert_true(report.undelivered <= missing);
	world_forget(&run->world);
}

OWNS_BY_ATTACHING static void run_seed(uint64_t seed)
{
	struct course course = {0};
	pthread_t thread;
	open_course(&course, seed, false);
	struct run *run = course.run;
	struct helper helper = {.run = run, .way = &course.ways[1], .rng = {.state = ~seed}};
	for (uint32_t i = 4 + pick(&course.rng, 6); i; i--)
		spawn_one(course.ways[0].self, course.ways[0].party, pick(&course.rng, 3) == 0);
	if (run->fills)
		fill_memory(&course);
	assert_int_equal(pthread_create(&thread, NULL, help, &helper), 0);
	live(&course);
	bool in_order = pick(&course.rng, 4);
	if (in_order) {
		/* Timers that are due all the time keep lesser agents from running. */
		put(&run->closing, 1);
		run_until_none(&course, find_unended, "before all went on");
		ask_all(&course, tern_agent_resume, 0, 1);
		run_until_none(&course, find_missing, "after all went on");
		check_all(&course);
		end_in_order(&course);
	}
	stop_helper(&helper, thread);
	for (uint32_t i = 0; i < course.threads; i++)
		detach(&course.ways[i]);
	if (in_order)
		world_close(&run->world);
	else
		stop_now(run, pick(&course.rng, 2) * 1000000);
	check_parties(run);
	free(run);
}

static void every_signal_and_request_has_one_end_on_threads(void **state)
{
	uint64_t first = test_seed(1), count = seed_count(SEEDS);
	(void)state;
	for (last_seed = first; last_seed < first + count; last_seed++)
		run_seed(last_seed);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_signal_and_request_has_one_end_on_threads,
					  say_seed),
	};
	return cmocka_run_group_tests_name("conservation on threads", tests, NULL, NULL);
}
