/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what was accepted, asked, watched, armed or refused has its one end, whatever agents and
 * threads do to each other, and also while every pool of the engine is as small as it can be:
 * sent + firings = handled + dropped + returned + lost + undelivered, ends told = ends watched,
 * finishes asked = finishes done, nothing fires that was cancelled, who was refused is released.
 * Method: parties of every kind and policy act at random over many seeds (TERN_SEEDS says how
 * many, TERN_SEED which is the first) and keep books of what they see. A quarter of the seeds fill
 * the mailbox memory, in a quarter nobody who sends ends. Lcores are polled in random order under
 * a virtual clock; then all go on, and either end in order or are stopped in the middle.
 */
#include "conservation_course.h"

enum { SEEDS = SANITIZED ? 120 : 2000, ROUNDS = 20000 };

enum ending { AT_ONCE, IN_A_WHILE, IN_ORDER };

struct totals {
	struct tern_lcore_stats stats;
	uint64_t ran_out, faults, told, released, undelivered;
};

static struct totals totals;

static void poll_all(struct course *course)
{
	tern_engine_poll(course->run->world.engine);
	for (uint32_t i = 0; i < course->threads; i++)
		poll_way(&course->ways[i]);
	note_memory(course->run);
}

/* Everybody and the clock, until nothing is found. */
static void run_until_none(struct course *course,
			   const char *(*find)(const struct run *, uint32_t *), const char *when)
{
	struct run *run = course->run;
	const char *missing;
	uint32_t who;
	for (int round = 0; (missing = find(run, &who)) != NULL; round++) {
		if (round > ROUNDS)
			FAIL(run, "%s: party %u: %s", when, who, missing);
		poll_all(course);
		tern_engine_advance(run->world.engine, 500);
		tern_engine_poll(run->world.engine);
	}
}

OWNS_BY_ATTACHING static void live(struct course *course)
{
	struct run *run = course->run;
	struct tern_engine *engine = run->world.engine;
	struct tern_rng *rng = &course->rng;
	for (uint32_t i = 4 + pick(rng, 6); i; i--)
		spawn_one(course->ways[0].self, course->ways[0].party, pick(rng, 3) == 0);
	if (run->fills)
		fill_memory(course);
	while (run->budget > 0) {
		struct way *way = &course->ways[pick(rng, course->threads)];
		act(way->self, way->party, false);
		for (uint32_t i = pick(rng, 4); i; i--)
			tern_lcore_poll(
				tern_engine_lcore(engine, pick(rng, tern_engine_lcores(engine))));
		if (pick(rng, 3) == 0)
			poll_way(&course->ways[pick(rng, course->threads)]);
		if (!run->is_gentle && pick(rng, 40) == 0 && parties_of(run) < PARTIES - 1) {
			detach(way);
			attach(run, way, rng);
		}
		if (pick(rng, 8) == 0)
			move_agent(engine, run->parties[run->present[pick(rng, PRESENT)]].address,
				   pick(rng, engine->lcore_count));
		tern_engine_advance(engine, pick(rng, 1000));
		note_memory(run);
	}
	run->budget = 0;
}

static void add_totals(struct course *course, const struct tern_lcore_stats *stats,
		       uint64_t undelivered)
{
	for (size_t i = 0; i < sizeof(*stats) / sizeof(uint64_t); i++)
		((uint64_t *)(void *)&totals.stats)[i] +=
			((const uint64_t *)(const void *)stats)[i];
	totals.ran_out += course->run->ran_out;
	totals.faults += course->run->faults;
	totals.told += course->run->told;
	totals.released += course->run->released;
	totals.undelivered += undelivered;
}

/* In the middle of everything: what is on its way is reported. */
static void stop_now(struct course *course, uint64_t timeout_ns)
{
	struct run *run = course->run;
	struct tern_stop_report report;
	for (uint32_t i = 0; i < course->threads; i++)
		detach(&course->ways[i]);
	run->last = engine_stats(run->world.engine);
	int code = world_stop(&run->world, timeout_ns, &report);
	assert_int_equal(code, report.drained ? 0 : -ETIMEDOUT);
	assert_int_equal(report.blocks_leaked, 0);
	assert_true(!report.drained || report.undelivered == 0);
	/* Where nobody lived, nobody could look at the counters of the drain. */
	if (timeout_ns == 0 || report.agents_ended)
		check_signals(run, &run->last, report.undelivered);
	add_totals(course, &run->last, report.undelivered);
	world_forget(&run->world);
}

/* First one half, so that the others hear of their ends. */
static void end_all(struct course *course)
{
	struct run *run = course->run;
	run->closing = 1;
	stop_half(course);
	run_until_none(course, find_unended, "while some are paused");
	ask_all(course, tern_agent_resume, 0, 1);
	run_until_none(course, find_missing, "after half were stopped");
	if (pick(&course->rng, 2))
		finish_all(course);
	else
		ask_all(course, tern_agent_stop, 0, 1);
	run_until_none(course, find_missing, "after all were stopped");
	for (uint32_t i = 0; i < course->threads; i++)
		detach(&course->ways[i]);
	for (int i = 0; i < 3; i++)
		tern_engine_poll(run->world.engine);
	check_given_back(run->world.engine);
}

static void check_counters(const struct run *run, const struct tern_lcore_stats *stats)
{
	if (!counters_agree(run, stats))
		FAIL(run,
		     "counted: sent %" PRIu64 " timers %" PRIu64 " handled %" PRIu64
		     " returned %" PRIu64 "; seen: %" PRIu64 ", %" PRIu64 " + %" PRIu64 ", %" PRIu64
		     ", %" PRIu64,
		     stats->sent, stats->timers, stats->handled, stats->returned, run->accepted,
		     run->firings, run->readies, run->handled, run->returned);
	check_gentle(run, stats);
}

static void end_in_order(struct course *course)
{
	struct run *run = course->run;
	run_until_none(course, find_unended, "before all went on");
	ask_all(course, tern_agent_resume, 0, 1);
	run_until_none(course, find_missing, "after all went on");
	struct tern_lcore_stats stats = engine_stats(run->world.engine);
	check_counters(run, &stats);
	check_signals(run, &stats, 0);
	end_all(course);
	stats = engine_stats(run->world.engine);
	check_counters(run, &stats);
	check_signals(run, &stats, 0);
	add_totals(course, &stats, 0);
	world_close(&run->world);
}

static void run_seed(uint64_t seed)
{
	struct course course = {0};
	open_course(&course, seed, true);
	live(&course);
	uint32_t how = pick(&course.rng, 8);
	if (how == AT_ONCE || how == IN_A_WHILE)
		stop_now(&course, how == AT_ONCE ? 0 : 200000);
	else
		end_in_order(&course);
	check_parties(course.run);
	free(course.run);
}

/* The runs are worth something only where all of this happens in them. */
static void check_totals(uint64_t count)
{
	const struct tern_lcore_stats *stats = &totals.stats;
	assert_true(stats->dropped && stats->lost && stats->returned && stats->timers);
	assert_true(stats->refused_lane && stats->refused_agent && stats->refused_dead);
	assert_true(stats->queued && stats->in_place && (SANITIZED || stats->migrated));
	assert_true(totals.faults && stats->failed > totals.faults);
	assert_true(totals.told && totals.released && totals.undelivered);
	assert_true(totals.ran_out > count / 20);
}

static void every_signal_firing_and_request_has_one_end(void **state)
{
	uint64_t first = test_seed(1), count = seed_count(SEEDS);
	(void)state;
	for (last_seed = first; last_seed < first + count; last_seed++)
		run_seed(last_seed);
	alarm(0);
	print_message("memory ran out in %" PRIu64 " of %" PRIu64 " runs\n", totals.ran_out, count);
	if (count >= SEEDS)
		check_totals(count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_signal_firing_and_request_has_one_end, say_seed),
	};
	return cmocka_run_group_tests_name("conservation", tests, NULL, NULL);
}
