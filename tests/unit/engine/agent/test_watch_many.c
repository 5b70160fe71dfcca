/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each end that is watched is told once, after all that its subject sent, to threads,
 * handlers, fibers and roaming ones, also to those that do not look for long, and however many
 * there are. Method: subjects by the ten thousand that end while their watcher is paused or does
 * not poll; subjects with numbered signals before their end, into small lanes and small mailboxes.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

enum { SUBJECTS = 60, WATCH_ALL = 1, SPEAK, SEND_LAST };

/* Where blocks are guarded each takes a page, and mappings of its own. */
enum { MANY = QUARANTINES ? 3000 : 30000 };

static void many(struct tern_config *config)
{
	config->max_agents = 40000;
	config->block_mib = 64;
}

static void narrow(struct tern_config *config)
{
	config->data_depth = 64;
	config->express_depth = 16;
}

/* Who watches `subjects` when told, and whose signals it counts by sender. */
struct guard {
	struct probe probe; /* first */
	const tern_address *subjects;
	uint32_t count;
	bool twice; /* watches each two times */
	uint64_t watched;
	uint64_t wrong;
	uint64_t told;
	uint64_t *heard;	/* signals, by subject */
	uint64_t *heard_before; /* of them, when it was told of the end */
	uint64_t *ends;		/* by subject */
};

static uint32_t place_of(const struct guard *guard, tern_address subject)
{
	uint32_t i = 0;
	while (i < guard->count && guard->subjects[i] != subject)
		i++;
	return i;
}

TERN_HANDLER(static, guard_handle)
{
	struct guard *guard = state;
	if (tern_signal_type(signal) == SPEAK) {
		guard->heard[place_of(guard, tern_signal_from(signal))]++;
		note(&guard->probe.handled);
		return;
	}
	if (tern_signal_type(signal) == SEND_LAST) {
		if (send_number(self, guard->subjects[guard->count - 1], 1, 0) != 0)
			note(&guard->wrong);
		put(&guard->watched, 2);
		return;
	}
	for (uint32_t i = 0; i < guard->count; i++)
		for (int n = 0; n <= guard->twice; n++)
			if (tern_watch(self, guard->subjects[i]) != 0)
				note(&guard->wrong);
	put(&guard->watched, 1);
}

static void guard_told(struct guard *guard, const struct tern_ended *ended)
{
	if (guard->ends) {
		uint32_t i = place_of(guard, ended->agent);
		guard->ends[i]++;
		guard->heard_before[i] = guard->heard[i];
	}
	if (ended->why != TERN_END_EXIT && ended->why != TERN_END_STOPPED)
		note(&guard->wrong);
	note(&guard->told);
}

static void guard_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	(void)self;
	if (event->kind == TERN_EVENT_ENDED)
		guard_told(state, &event->ended);
}

static const struct tern_behaviour guard_behaviour = {.name = "guard",
						      .handler = guard_handle,
						      .on_start = probe_start,
						      .on_event = guard_event,
						      .on_stop = probe_stop};

/* The same as a fiber, which asks for the ends by tern_wait(). */
TERN_FIBER(static, guards)
{
	struct guard *guard = state;
	struct tern_ended ended;
	for (uint32_t i = 0; i < guard->count; i++)
		if (tern_watch(self, guard->subjects[i]) != 0)
			note(&guard->wrong);
	put(&guard->watched, 1);
	for (uint32_t i = 0; i < guard->count; i++) {
		/* In another order than they end, and in the order told. */
		tern_address which =
			i % 3 == 0 ? guard->subjects[guard->count - 1 - i / 3] : TERN_ADDRESS_NONE;
		int code = tern_wait(self, which, i % 3 == 0 ? 0 : TERN_FOREVER, &ended);
		if (code == -ETIMEDOUT && i % 3 == 0)
			code = tern_wait(self, TERN_ADDRESS_NONE, TERN_FOREVER, &ended);
		if (code != 0)
			note(&guard->wrong);
		guard_told(guard, &ended);
	}
	if (tern_wait(self, TERN_ADDRESS_NONE, 0, &ended) != -ETIMEDOUT)
		note(&guard->wrong);
	return 0;
}

static const struct tern_behaviour guards_behaviour = {
	.name = "guards", .fiber = guards, .on_start = probe_start, .on_stop = probe_stop};

static tern_address *spawn_subjects(struct world *world, uint32_t count)
{
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	struct probe *probes = world_probes(world, count);
	tern_address *subjects = world_memory(world, count * sizeof(*subjects));
	for (uint32_t i = 0; i < count; i++) {
		options.lcore = i % tern_engine_lcores(world->engine);
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, &probes[i], &options,
					    &subjects[i]),
				 0);
	}
	return subjects;
}

static void stop_all(struct world *world, const tern_address *subjects, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(tern_agent_stop(world->self, subjects[i]), 0);
}

static void until_dead(struct world *world, const tern_address *subjects, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		UNTIL(world, !tern_agent_alive(world->self, subjects[i]));
}

static void thirty_thousand_by_a_thread(void **state)
{
	enum { COUNT = MANY };
	struct world *world = *state;
	struct tern_agent *self = tern_thread_attach(world->engine, NULL, NULL);
	tern_address *subjects = spawn_subjects(world, COUNT);
	bool *told = world_memory(world, world->engine->slots * sizeof(bool));
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(tern_watch(self, subjects[i]), 0);
	stop_all(world, subjects, COUNT);
	until_dead(world, subjects, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct tern_ended ended;
		tern_address which = i % 2 ? TERN_ADDRESS_NONE : subjects[COUNT - 1 - i / 2];
		if (which && told[tern_address_slot(which)])
			which = TERN_ADDRESS_NONE;
		assert_int_equal(tern_wait(self, which, PATIENCE_NS, &ended), 0);
		assert_false(told[tern_address_slot(ended.agent)]);
		told[tern_address_slot(ended.agent)] = true;
	}
	struct tern_ended ended;
	assert_int_equal(tern_wait(self, TERN_ADDRESS_NONE, 0, &ended), -ETIMEDOUT);
	tern_thread_detach(self);
}

/* By a handler, a roaming one, one with an exact bound: paused while all end. */
static void thirty_thousand_by(struct world *world, const struct tern_spawn_options *options,
			       const struct tern_behaviour *behaviour, uint32_t count)
{
	struct guard *guard = world_memory(world, sizeof(*guard));
	tern_address agent;
	guard->subjects = spawn_subjects(world, count);
	guard->count = count;
	assert_int_equal(tern_spawn(world->self, behaviour, guard, options, &agent), 0);
	if (behaviour == &guard_behaviour)
		assert_int_equal(send_number(world->self, agent, WATCH_ALL, 0), 0);
	UNTIL(world, seen(&guard->watched));
	pause_it(world, agent);
	guard->heard = world_memory(world, (count + 1) * sizeof(uint64_t));
	if (behaviour == &guard_behaviour) /* they wait before all that is told */
		for (uint64_t i = 0; i < 50; i++)
			assert_int_equal(send_number(world->self, agent, SPEAK, i), 0);
	stop_all(world, guard->subjects, count);
	until_dead(world, guard->subjects, count);
	assert_int_equal(seen(&guard->told), 0);
	resume_it(world, agent);
	UNTIL(world, seen(&guard->told) == count);
	if (behaviour == &guards_behaviour)
		UNTIL(world, seen(&guard->probe.stopped) == 1);
	for (int i = 0; i < 10; i++)
		world_poll(world);
	assert_int_equal(seen(&guard->told), count);
	assert_int_equal(seen(&guard->wrong), 0);
	if (behaviour == &guard_behaviour)
		UNTIL(world, seen(&guard->probe.handled) == 50);
}

static void thirty_thousand_by_a_handler(void **state)
{
	static const struct tern_spawn_options options = {.lcore = 0};
	thirty_thousand_by(*state, &options, &guard_behaviour, MANY);
}

static void thirty_thousand_by_a_roaming_handler(void **state)
{
	static const struct tern_spawn_options options = {.roaming = true};
	thirty_thousand_by(*state, &options, &guard_behaviour, MANY);
}

static void thirty_thousand_by_a_fiber(void **state)
{
	static const struct tern_spawn_options pinned = {.lcore = 0}, roaming = {.roaming = true};
	thirty_thousand_by(*state, &pinned, &guards_behaviour, 15000);
	thirty_thousand_by(*state, &roaming, &guards_behaviour, 15000);
}

/* Sends to its watcher, as much as it takes, then ends. */
struct subject {
	struct probe probe; /* first */
	tern_address to;
	uint64_t wants;
	uint64_t sent;
};

TERN_HANDLER(static, subject_handle)
{
	struct subject *subject = state;
	while (subject->sent < subject->wants &&
	       send_number(self, subject->to, SPEAK, subject->sent) == 0)
		put(&subject->sent, subject->sent + 1);
	tern_exit(self, 0);
}

static const struct tern_behaviour subject_behaviour = {
	.name = "subject", .handler = subject_handle, .on_stop = probe_stop};

/* Told after all data of each, whatever the watcher is, and told twice where it watches twice. */
static void the_end_is_last(struct world *world, const struct tern_spawn_options *options,
			    bool twice, bool paused)
{
	struct guard *guard = world_memory(world, sizeof(*guard));
	struct subject *states = world_memory(world, SUBJECTS * sizeof(*states));
	tern_address *subjects = world_memory(world, SUBJECTS * sizeof(*subjects)), agent;
	uint64_t sent = 0;
	*guard = (struct guard){.subjects = subjects,
				.count = SUBJECTS,
				.twice = twice,
				.heard = world_memory(world, SUBJECTS * 8 + 8),
				.heard_before = world_memory(world, SUBJECTS * 8 + 8),
				.ends = world_memory(world, SUBJECTS * 8 + 8)};
	assert_int_equal(tern_spawn(world->self, &guard_behaviour, guard, options, &agent), 0);
	for (uint32_t i = 0; i < SUBJECTS; i++) {
		struct tern_spawn_options own = {.roaming = i % 5 == 4};
		own.lcore = i % tern_engine_lcores(world->engine);
		states[i] = (struct subject){.to = agent, .wants = i % 4 * 7};
		assert_int_equal(
			tern_spawn(world->self, &subject_behaviour, &states[i], &own, &subjects[i]),
			0);
	}
	assert_int_equal(send_number(world->self, agent, WATCH_ALL, 0), 0);
	UNTIL(world, seen(&guard->watched));
	if (paused)
		pause_it(world, agent);
	for (uint32_t i = 0; i < SUBJECTS; i++)
		UNTIL(world, send_number(world->self, subjects[i], 1, 0) == 0);
	until_dead(world, subjects, SUBJECTS);
	if (paused)
		resume_it(world, agent);
	UNTIL(world, seen(&guard->told) == SUBJECTS * (1u + twice));
	for (int i = 0; i < 20; i++)
		world_poll(world);
	assert_int_equal(guard->told, SUBJECTS * (1u + twice));
	for (uint32_t i = 0; i < SUBJECTS; i++) {
		assert_int_equal(guard->ends[i], 1u + twice);
		assert_int_equal(guard->heard_before[i], guard->heard[i]);
		if (options->policy == TERN_POLICY_REFUSE)
			assert_int_equal(guard->heard[i], states[i].sent);
		sent += states[i].sent;
	}
	assert_true(sent > SUBJECTS);
	assert_int_equal(seen(&guard->wrong), 0);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&guard->probe.stopped) == 1);
}

static void ends_come_after_all_data(void **state)
{
	static const struct tern_spawn_options kinds[] = {
		{.lcore = 0},
		{.roaming = true},
		{.exact = true},
		{.priority = TERN_PRIORITY_CRITICAL},
		{.priority = TERN_PRIORITY_LOW},
		{.policy = TERN_POLICY_DROP_OLDEST, .capacity = 30},
		{.policy = TERN_POLICY_DROP_OLDEST, .capacity = 30, .roaming = true},
		{.policy = TERN_POLICY_CONFLATE, .capacity = 1000, .key_length = 8},
	};
	struct world *world = *state;
	for (uint32_t i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		the_end_is_last(world, &kinds[i / 2], i % 4 < 2, i % 2);
	}
}

/*
 * Something came back to it, and the end waits behind data that is then dropped: it waits behind
 * what came back.
 */
static void what_an_end_waits_for_may_be_dropped(void **state)
{
	static const struct tern_spawn_options options = {.policy = TERN_POLICY_DROP_OLDEST,
							  .capacity = 1};
	struct world *world = *state;
	struct guard *guard = world_memory(world, sizeof(*guard));
	struct subject *subject = world_memory(world, sizeof(*subject));
	tern_address *subjects = world_memory(world, 2 * sizeof(*subjects)), agent;
	*guard = (struct guard){
		.subjects = subjects, .count = 2, .heard = world_memory(world, 4 * 8)};
	assert_int_equal(tern_spawn(world->self, &guard_behaviour, guard, &options, &agent), 0);
	*subject = (struct subject){.to = agent, .wants = 1};
	subjects[0] = spawn_on(world->self, 1, &subject_behaviour, subject);
	subjects[1] = spawn_paused(world, world_probes(world, 1), &(struct tern_spawn_options){0});
	assert_int_equal(send_number(world->self, agent, WATCH_ALL, 0), 0);
	world_settle(world);
	assert_int_equal(send_number(world->self, agent, SEND_LAST, 0), 0);
	UNTIL(world, seen(&guard->watched) == 2);
	pause_it(world, agent);
	assert_int_equal(tern_agent_stop(world->self, subjects[1]), 0);
	settle_fully(world);
	assert_int_equal(agent_of(world, agent)->mailbox.returned, 1);
	assert_int_equal(send_number(world->self, subjects[0], 1, 0), 0);
	settle_fully(world); /* its datum, and the end behind that */
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(send_number(world->self, agent, SPEAK, i), 0);
	settle_fully(world);
	resume_it(world, agent);
	settle_fully(world);
	assert_int_equal(guard->told, 2);
	assert_int_equal(guard->probe.handled, 1);
	assert_int_equal(seen(&guard->wrong), 0);
}

/* What it would have been told goes with it; who lives in its slot hears nothing. */
static void watchers_may_end_first(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 12; i++) {
		struct tern_spawn_options options = {.roaming = i & 1};
		struct guard *guard = world_memory(world, sizeof(*guard));
		tern_address agent;
		guard->subjects = spawn_subjects(world, SUBJECTS);
		guard->count = SUBJECTS;
		guard->heard = world_memory(world, SUBJECTS * 8 + 8);
		assert_int_equal(tern_spawn(world->self, &guard_behaviour, guard, &options, &agent),
				 0);
		assert_int_equal(send_number(world->self, agent, WATCH_ALL, 0), 0);
		UNTIL(world, seen(&guard->watched));
		pause_it(world, agent);
		for (uint64_t n = 0; n < 20; n++)
			assert_int_equal(send_number(world->self, agent, SPEAK, n), 0);
		if (i & 2) /* some are marked, some due, when it ends */
			stop_all(world, guard->subjects, SUBJECTS / 2);
		if (i & 2)
			until_dead(world, guard->subjects, SUBJECTS / 2);
		settle_fully(world);
		assert_int_equal(tern_agent_stop(world->self, agent), 0);
		if (i & 4)
			settle_fully(world);
		stop_all(world, guard->subjects + (i & 2 ? SUBJECTS / 2 : 0),
			 i & 2 ? SUBJECTS / 2 : SUBJECTS);
		settle_fully(world);
		assert_int_equal(guard->told, 0);
		assert_int_equal(guard->probe.stopped, 1);
		for (uint32_t k = 0; k < world->engine->system_count; k++)
			assert_int_equal(world->engine->lcores[k].outboxes.ends_left, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_BOTH(thirty_thousand_by_a_thread, many),
		SET_BOTH(thirty_thousand_by_a_handler, many),
		SET_BOTH(thirty_thousand_by_a_roaming_handler, many),
		SET_BOTH(thirty_thousand_by_a_fiber, many),
		SET_BOTH(ends_come_after_all_data, narrow),
		ON_TWO(what_an_end_waits_for_may_be_dropped),
		ON_TWO(watchers_may_end_first),
	};
	return cmocka_run_group_tests_name("watch_many", tests, NULL, NULL);
}
