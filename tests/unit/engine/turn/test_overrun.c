/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a run longer than its slice is counted and named for the agent that overran and for
 * nobody else; one that does not return is seen and logged while it runs.
 * Method: neighbours of an agent that overruns in each of its functions, on the virtual clock; a
 * handler held on its lcore's thread, looked at from outside.
 */
#include "tests/unit/engine/runs.h"

#include <unistd.h>

static void looked_at(struct tern_config *config)
{
	config->watchdog_ms = 1;
	config->log_level = TERN_LOG_WARN;
}

static struct tern_agent_profile profile_of(const struct world *world, tern_address agent)
{
	struct tern_agent_profile profile = {0};
	assert_int_equal(tern_agent_profile(world->engine, agent, &profile), 0);
	return profile;
}

static uint64_t overruns_of(const struct world *world)
{
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, 0, &stats);
	return stats.overruns;
}

static void it_is_named_and_nobody_else(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t slow = crew_add(&crew, TERN_PRIORITY_NORMAL, 21000);
	uint32_t quick = crew_add(&crew, TERN_PRIORITY_NORMAL, 19000);
	for (int i = 0; i < 3000; i++) {
		crew_send(&crew, slow, 1);
		world_settle(world);
		crew_send(&crew, quick, 1 + (uint32_t)i % 3);
		world_settle(world);
	}
	struct tern_agent_profile profile = profile_of(world, crew.agents[slow]);
	assert_true(profile.overruns > 10);
	assert_int_equal(profile.overruns, profile.measured);
	assert_int_equal(overruns_of(world), profile.overruns);
	assert_int_equal(profile_of(world, crew.agents[quick]).overruns, 0);
	assert_true(profile_of(world, crew.agents[quick]).measured > 0);
	assert_true(profile_of(world, crew.agents[quick]).longest_ns <= 19000);
}

static void a_slice_of_its_own_counts(void **state)
{
	struct world *world = *state;
	static const uint32_t slices[] = {99, 101};
	for (int i = 0; i < 2; i++) {
		struct tern_spawn_options options = {.slice_us = slices[i]};
		struct crew crew;
		crew_open(&crew, world);
		uint32_t who = crew_add_as(&crew, &options, 100000);
		for (int j = 0; j < 200; j++) {
			crew_send(&crew, who, 1);
			world_settle(world);
		}
		struct tern_agent_profile profile = profile_of(world, crew.agents[who]);
		assert_true(profile.measured > 50);
		assert_int_equal(profile.overruns, i ? 0 : profile.measured);
	}
}

/* Reached while another runs under a slice of 1 us, a critical one has its own all the same. */
static void anothers_slice_does_not(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.slice_us = 1};
	struct crew crew;
	crew_open(&crew, world);
	uint32_t tight = crew_add_as(&crew, &options, 2000);
	uint32_t critical = crew_add(&crew, TERN_PRIORITY_CRITICAL, 10000);
	crew.runners[tight].tell = crew.agents[critical];
	for (uint64_t i = 1; i <= 200; i++) {
		crew.runners[tight].tell_at = i;
		crew_send(&crew, tight, 1);
		world_settle(world);
	}
	assert_int_equal(crew.runners[critical].probe.handled, 200);
	assert_true(profile_of(world, crew.agents[critical]).measured > 0);
	assert_int_equal(profile_of(world, crew.agents[critical]).overruns, 0);
	assert_int_equal(overruns_of(world), profile_of(world, crew.agents[tight]).overruns);
	assert_true(overruns_of(world) > 0);
}

/* Takes 5 ms to start, to be told something, and to end. */
static void dawdle(struct tern_agent *self)
{
	tern_engine_advance(tern_engine_of(self), 5000000);
}

static void dawdler_start(struct tern_agent *self, void *state)
{
	(void)state;
	dawdle(self);
}

static void dawdler_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)state, (void)event;
	dawdle(self);
}

static void dawdler_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)state, (void)why, (void)result;
	dawdle(self);
}

static const struct tern_behaviour dawdler_behaviour = {.name = "dawdler",
							.handler = probe_handle,
							.on_start = dawdler_start,
							.on_event = dawdler_event,
							.on_stop = dawdler_stop};

/* A neighbour's signal in the turn of each: it costs what it costs. */
static void the_neighbours_of_a_dawdler_are_not_blamed(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {
		.priority = TERN_PRIORITY_CRITICAL, .capacity = 4, .high_water = 2};
	struct crew crew;
	crew_open(&crew, world);
	uint32_t quick = crew_add(&crew, TERN_PRIORITY_NORMAL, 1000);
	uint32_t queued = crew_add(&crew, TERN_PRIORITY_LOW, 1000);
	crew.count++; /* the dawdler's */
	for (uint64_t i = 0; i < 100; i++) {
		struct probe *probe = world_probes(world, 1);
		tern_address *dawdler = &crew.agents[queued + 1];
		assert_int_equal(
			tern_spawn(world->self, &dawdler_behaviour, probe, &options, dawdler), 0);
		crew_send(&crew, quick, 1);
		crew_send(&crew, queued, 1);
		world_settle(world);
		crew_load(&crew, queued + 1, 2); /* to high water: it is told at the resume */
		assert_int_equal(tern_agent_resume(world->self, *dawdler), 0);
		/* The clock is looked at after each signal now. */
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
		assert_int_equal(tern_agent_stop(world->self, *dawdler), 0);
		crew_send(&crew, quick, 1);
		crew_send(&crew, queued, 1);
		world_settle(world);
	}
	assert_int_equal(crew.runners[quick].probe.handled, 200);
	assert_int_equal(crew.runners[queued].probe.handled, 200);
	for (uint32_t i = quick; i <= queued; i++) {
		assert_true(profile_of(world, crew.agents[i]).longest_ns <= 1000);
		assert_int_equal(profile_of(world, crew.agents[i]).overruns, 0);
	}
}

/* What is written to stderr between the two calls. */
struct capture {
	FILE *file;
	int stderr_before;
};

static void capture_start(struct capture *capture)
{
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->stderr_before = dup(STDERR_FILENO);
	dup2(fileno(capture->file), STDERR_FILENO);
}

static void capture_end(struct capture *capture, char *text, size_t size)
{
	dup2(capture->stderr_before, STDERR_FILENO);
	close(capture->stderr_before);
	rewind(capture->file);
	text[fread(text, 1, size - 1, capture->file)] = '\0';
	fclose(capture->file);
}

static struct tern_lcore_running running_on(const struct world *world, uint32_t lcore)
{
	struct tern_lcore_running running = {.for_ns = UINT64_MAX};
	assert_int_equal(tern_lcore_running(world->engine, lcore, &running), 0);
	return running;
}

/* Polled mode has nobody who looks; a threaded one finds nobody while all return. */
static void nobody_holds_an_idle_lcore(void **state)
{
	struct world *world = *state;
	struct tern_lcore_running running = {.for_ns = 17};
	uint32_t lcores = tern_engine_lcores(world->engine);
	for (uint32_t i = 0; i < lcores; i++) {
		UNTIL(world, running_on(world, i).agent == TERN_ADDRESS_NONE);
		running = running_on(world, i);
		assert_int_equal(running.for_ns, 0);
		assert_false(running.overrun);
		assert_string_equal(running.name, "");
	}
	running.for_ns = 17;
	assert_int_equal(tern_lcore_running(world->engine, lcores, &running), -ENODEV);
	assert_int_equal(running.for_ns, 17);
}

/* Named by its behaviour, or by its own name where it has one; the first also in the log. */
static void who_does_not_return_is_seen(void **state)
{
	static const char *const names[] = {NULL, "the culprit"};
	struct world *world = *state;
	char text[4096];
	for (int i = 0; i < 2; i++) {
		struct gate *gate = world_memory(world, sizeof(*gate));
		struct tern_spawn_options options = {.name = names[i]};
		struct tern_lcore_running seen_running;
		struct capture capture;
		tern_address agent;
		assert_int_equal(tern_spawn(world->self, &gate_behaviour, gate, &options, &agent),
				 0);
		capture_start(&capture);
		(void)!send_number(world->self, agent, 1, 0);
		UNTIL(world, running_on(world, 0).for_ns > 3000000);
		UNTIL(world, lseek(STDERR_FILENO, 0, SEEK_END) > 0 || i);
		seen_running = running_on(world, 0);
		capture_end(&capture, text, sizeof(text));
		put(&gate->open, 1);
		assert_int_equal(seen_running.agent, agent);
		assert_true(seen_running.overrun);
		assert_string_equal(seen_running.name, i ? names[i] : "gate");
		if (i == 0) /* then one line a second is enough */
			assert_non_null(strstr(text, "agent=\"gate\" lcore=0 running_us="));
		UNTIL(world, running_on(world, 0).agent == TERN_ADDRESS_NONE);
	}
}

/* Past its slice is past its own: an agent that may take 1000 s is seen, but does not overrun. */
static void a_long_slice_is_no_overrun(void **state)
{
	struct world *world = *state;
	struct gate *gate = world_memory(world, sizeof(*gate));
	struct tern_spawn_options options = {.slice_us = 1000000};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &gate_behaviour, gate, &options, &agent), 0);
	assert_int_equal(send_number(world->self, agent, 1, 0), 0);
	UNTIL(world, running_on(world, 0).for_ns > 3000000);
	struct tern_lcore_running running = running_on(world, 0);
	put(&gate->open, 1);
	assert_int_equal(running.agent, agent);
	assert_true(running.for_ns > 1000000000 || !running.overrun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(it_is_named_and_nobody_else),
		POLLED(a_slice_of_its_own_counts),
		POLLED(anothers_slice_does_not),
		POLLED(the_neighbours_of_a_dawdler_are_not_blamed),
		SET_BOTH(nobody_holds_an_idle_lcore, looked_at),
		SET_THREADED(who_does_not_return_is_seen, looked_at),
		SET_THREADED(a_long_slice_is_no_overrun, looked_at),
	};
	return cmocka_run_group_tests_name("overrun", tests, NULL, NULL);
}
