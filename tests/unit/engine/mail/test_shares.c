/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: mailbox memory that paused agents hold stops nobody else: who holds it is refused, or its
 * policy acts, and is named; others are served all the time; what was accepted is handled or comes
 * back, and afterwards memory and lanes are as before.
 * Method: an lcore with 1 MiB of mailbox memory, filled by paused agents that are all below their
 * own bounds, from a thread and from an agent on the other lcore; down to the last cell, too.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

enum { HOARDERS = 200, LARGE = 100000, EACH = 300 };

static void small(struct tern_config *config)
{
	config->mailbox_mib = 1;
	config->max_agents = 20000;
}

static void small_fair(struct tern_config *config)
{
	small(config);
	config->schedules[0] = TERN_SCHEDULE_FAIR_SHARE;
}

/* A thread that sends, and the paused agents of lcore 0 that it sends to. */
struct hoard {
	struct world *world;
	struct asker asker;
	struct tern_agent *self;
	struct probe *probes;
	tern_address *agents;
	uint32_t count;
};

static void open_hoard(struct world *world, struct hoard *hoard, uint32_t count,
		       const struct tern_spawn_options *options)
{
	*hoard = (struct hoard){.world = world,
				.probes = world_probes(world, count),
				.agents = world_memory(world, count * sizeof(tern_address)),
				.count = count};
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(tern_spawn(world->self, &probe_behaviour, &hoard->probes[i],
					    options, &hoard->agents[i]),
				 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(tern_agent_pause(world->self, hoard->agents[i]), 0);
	for (uint32_t i = 0; i < count; i++)
		UNTIL(world, state_of(world, hoard->agents[i]) == TERN_STATE_PAUSED);
	hoard->asker = (struct asker){.to = hoard->agents, .count = count};
	hoard->self = tern_thread_attach(world->engine, &asker_behaviour, &hoard->asker);
	assert_non_null(hoard->self);
}

/* Nothing that was sent is in a lane any more. */
static bool is_taken(const struct hoard *hoard)
{
	uint64_t queued = 0;
	for (uint32_t i = 0; i < hoard->count; i++) {
		struct tern_agent_stats stats = {0};
		(void)!tern_agent_stats(hoard->world->engine, hoard->agents[i], &stats);
		queued += stats.queued + stats.dropped;
	}
	return queued + hoard->asker.returned == hoard->asker.sent;
}

/* Send to one after the other until all refuse. Each refusal names the agent. */
static void fill_hoard(struct hoard *hoard)
{
	struct tern_pressure pressure;
	bool accepted = true;
	while (accepted) {
		accepted = false;
		for (uint32_t i = 0; i < hoard->count; i++) {
			int code = asker_send(hoard->self, &hoard->asker, i);
			accepted = accepted || code == 0;
			tern_pressure(hoard->self, &pressure);
			if (code == 0)
				continue;
			if (pressure.source == TERN_PRESSURE_LANE) {
				accepted = true;
				world_poll(hoard->world);
				continue;
			}
			assert_int_equal(pressure.source, TERN_PRESSURE_AGENT);
			assert_int_equal(pressure.culprit, hoard->agents[i]);
			assert_int_equal(pressure.lcore, 0);
		}
		UNTIL(hoard->world, (tern_thread_poll(hoard->self), is_taken(hoard)));
	}
}

static uint64_t handled_by(const struct probe *probes, uint32_t count)
{
	uint64_t handled = 0;
	for (uint32_t i = 0; i < count; i++)
		handled += seen(&probes[i].handled);
	return handled;
}

/* All is handled or has come back, and its memory is free. */
static void release_hoard(struct hoard *hoard)
{
	struct world *world = hoard->world;
	for (uint32_t i = 0; i < hoard->count; i++)
		resume_it(world, hoard->agents[i]);
	UNTIL(world, (tern_thread_poll(hoard->self),
		      handled_by(hoard->probes, hoard->count) + hoard->asker.returned ==
			      hoard->asker.sent));
	tern_thread_detach(hoard->self);
}

/* The last of them: nothing is held any more. */
static void release_last(struct hoard *hoard)
{
	struct world *world = hoard->world;
	const struct tern_lcore *lcore = &world->engine->lcores[0];
	release_hoard(hoard);
	UNTIL(world, seen(&lcore->mail.cells.used) == 0);
	UNTIL(world, seen(&lcore->mail.credit) == UINT32_MAX);
	if (!world->polled)
		return;
	assert_int_equal(lcore->mail.shorts.count, 0);
	assert_int_equal(lcore->outboxes.deferred, 0);
}

/* A lane carries what it is deep again: nobody takes from it meanwhile. */
static void check_lane(struct world *world, uint32_t depth)
{
	struct probe *probe = world_probes(world, 1);
	struct tern_spawn_options options = {.capacity = LARGE};
	tern_address agent;
	uint32_t sent = 0;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &agent), 0);
	world_settle(world);
	while (send_number(world->self, agent, 1, 0) == 0)
		sent++;
	assert_int_equal(sent, depth);
	world_settle(world);
	assert_int_equal(probe->handled, sent);
}

TERN_FIBER(static, takes)
{
	struct actor *actor = state;
	while (tern_recv(self, TERN_FOREVER))
		note(&actor->probe.handled);
	return 0;
}
ACTOR(takes);

/* While memory is short lanes have little credit at a time; the agent itself never refuses. */
static void send_as_lanes_allow(struct world *world, struct tern_agent *self, tern_address to,
				uint64_t number)
{
	struct tern_pressure pressure;
	while (send_number(self, to, 1, number) != 0) {
		tern_pressure(self, &pressure);
		assert_int_equal(pressure.source, TERN_PRESSURE_LANE);
		world_poll(world);
	}
}

/* Handlers, a fiber, roaming ones: the probe is the first of any state. */
static void serve_others(struct world *world, struct tern_agent *self)
{
	static const struct tern_spawn_options kinds[] = {
		{.capacity = 4},
		{.priority = TERN_PRIORITY_LOW},
		{.priority = TERN_PRIORITY_CRITICAL},
		{.roaming = true},
		{.exact = true},
		{.policy = TERN_POLICY_DROP_OLDEST},
		{.policy = TERN_POLICY_CONFLATE, .key_length = 8, .capacity = 100},
		{.priority = TERN_PRIORITY_NORMAL}, /* from here on fibers */
		{.priority = TERN_PRIORITY_LOW},
		{.roaming = true},
		{.exact = true},
	};
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), FIBERS = 7 };
	struct actor *actors = world_actors(world, KINDS);
	tern_address agents[KINDS];
	for (uint32_t i = 0; i < KINDS; i++)
		assert_int_equal(tern_spawn(world->self,
					    i < FIBERS ? &probe_behaviour : &takes_behaviour,
					    &actors[i], &kinds[i], &agents[i]),
				 0);
	for (uint64_t n = 0; n < EACH; n++) {
		for (uint32_t i = 0; i < KINDS; i++)
			send_as_lanes_allow(world, self, agents[i], n);
		for (uint32_t i = 0; i < KINDS; i++)
			UNTIL(world, seen(&actors[i].probe.handled) == n + 1);
	}
	for (uint32_t i = 0; i < KINDS; i++)
		assert_int_equal(actors[i].probe.returned, 0);
}

static void paused_agents_stop_nobody_else(void **state)
{
	static const struct tern_spawn_options options = {.capacity = LARGE};
	struct world *world = *state;
	struct hoard hoard;
	open_hoard(world, &hoard, HOARDERS, &options);
	fill_hoard(&hoard);
	const struct tern_cells *cells = &world->engine->lcores[0].mail.cells;
	assert_true(hoard.asker.sent >= cells->count / 2);
	assert_true(seen(&cells->used) <= cells->count - cells->kept);
	serve_others(world, hoard.self);
	assert_int_equal(hoard.asker.returned, 0);
	release_last(&hoard);
	for (uint32_t i = 0; i < HOARDERS; i++) { /* told when pressed, and when it was over */
		UNTIL(world, seen(&hoard.probes[i].pressed) == seen(&hoard.probes[i].released));
		assert_int_equal(send_number(world->self, hoard.agents[i], 1, 0), 0);
	}
	UNTIL(world, handled_by(hoard.probes, HOARDERS) == hoard.asker.sent + HOARDERS);
	if (world->polled)
		check_lane(world, 1024);
}

/* The one that holds most is refused first; one that comes later still finds some left. */
static void who_comes_later_gets_a_share(void **state)
{
	static const struct tern_spawn_options options = {.capacity = LARGE};
	struct world *world = *state;
	struct hoard first, later;
	open_hoard(world, &first, 1, &options);
	open_hoard(world, &later, 1, &options);
	fill_hoard(&first);
	fill_hoard(&later);
	const struct tern_cells *cells = &world->engine->lcores[0].mail.cells;
	assert_in_range(first.asker.sent, cells->count / 2, cells->count);
	assert_in_range(later.asker.sent, cells->count / 64, first.asker.sent / 2);
	release_hoard(&later);
	release_last(&first);
}

/* Once others have given memory back it takes again, though it is still paused. */
static void memory_that_comes_back_lets_senders_in(void **state)
{
	static const struct tern_spawn_options options = {.capacity = LARGE};
	struct world *world = *state;
	struct hoard hoard, later;
	open_hoard(world, &hoard, HOARDERS, &options);
	open_hoard(world, &later, 1, &options);
	fill_hoard(&hoard);
	fill_hoard(&later);
	later.asker.again = false;
	UNTIL(world, tern_thread_poll(later.self) == 0);
	assert_int_equal(later.asker.told, 0);
	for (uint32_t i = 0; i < HOARDERS; i++)
		resume_it(world, hoard.agents[i]);
	UNTIL(world, (tern_thread_poll(later.self), later.asker.told == 1));
	assert_int_equal(later.asker.who, later.agents[0]);
	assert_int_equal(asker_send(later.self, &later.asker, 0), 0);
	release_hoard(&later);
	release_last(&hoard);
}

static void an_agent_abroad_may_fill_it(void **state)
{
	static const struct tern_spawn_options options = {.capacity = LARGE};
	struct world *world = *state;
	struct hoard hoard;
	open_hoard(world, &hoard, HOARDERS, &options);
	struct asker *asker = make_asker(world, hoard.agents, HOARDERS);
	tern_address agent = spawn_on(world->self, tern_engine_lcores(world->engine) - 1,
				      &asker_behaviour, asker);
	uint32_t half = world->engine->lcores[0].mail.cells.count / 2;
	UNTIL(world, (ask_to(world, agent, asker, FLOOD), seen(&asker->sent) >= half));
	put(&asker->again, true);
	for (uint32_t i = 0; i < HOARDERS; i++)
		resume_it(world, hoard.agents[i]);
	UNTIL(world, handled_by(hoard.probes, HOARDERS) == seen(&asker->sent) &&
			     seen(&asker->told) >= HOARDERS);
	/* Who is still to be told would send while the engine ends. */
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&asker->probe.stopped) == 1);
	assert_int_equal(asker->returned, 0);
	hoard.asker.sent = asker->sent;
	release_last(&hoard);
	if (world->polled)
		assert_nobody_waits(world);
}

/* Policies that drop do so at the agent's share, far below its capacity. */
static void policies_act_at_their_share(void **state)
{
	enum { SENT = 4000, CAPACITY = 4096 };
	static const struct tern_spawn_options large = {.capacity = LARGE};
	static const struct tern_spawn_options kinds[] = {
		{.policy = TERN_POLICY_DROP_OLDEST, .capacity = CAPACITY},
		{.policy = TERN_POLICY_CONFLATE, .capacity = CAPACITY, .key_length = 8},
		{.policy = TERN_POLICY_EVICT, .capacity = CAPACITY}};
	struct world *world = *state;
	struct hoard hoard;
	open_hoard(world, &hoard, HOARDERS, &large);
	fill_hoard(&hoard);
	for (int kind = 0; kind < 3; kind++) {
		struct hoard one;
		struct tern_agent_stats stats = {0};
		open_hoard(world, &one, 1, &kinds[kind]);
		bool gone = false;
		while (one.asker.sent < SENT && !gone) {
			gone = asker_send(one.self, &one.asker, 0) == -ESRCH;
			world_settle(world);
		}
		(void)tern_agent_stats(world->engine, one.agents[0], &stats);
		assert_int_equal(gone, kind == 2);
		assert_true(stats.queued < CAPACITY / 8);
		if (kind < 2)
			assert_int_equal(stats.queued + stats.dropped, SENT);
		(void)!tern_agent_resume(world->self, one.agents[0]);
		world_settle(world);
		while (tern_thread_poll(one.self))
			;
		assert_int_equal(one.probes[0].handled, stats.queued);
		assert_int_equal(one.probes[0].stopped, kind == 2);
		assert_int_equal(one.asker.returned, kind == 2 ? one.asker.sent : 0);
		tern_thread_detach(one.self);
	}
	release_last(&hoard);
}

/*
 * Down to the last cell: more agents than there are cells, each given a signal or two. What finds
 * no cell comes back, nothing is lost, and an idle agent is served.
 */
static void without_a_cell_signals_come_back(void **state)
{
	enum { COUNT = 17000 };
	static const struct tern_spawn_options options = {.capacity = 2};
	struct world *world = *state;
	struct hoard hoard;
	struct probe *probe = world_probes(world, 1);
	tern_address idle = spawn_on(world->self, 0, &probe_behaviour, probe);
	struct asker other = {.to = &idle, .count = 1};
	struct tern_agent *self = tern_thread_attach(world->engine, &asker_behaviour, &other);
	open_hoard(world, &hoard, COUNT, &options);
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < COUNT; i++) {
			UNTIL(world, (tern_thread_poll(hoard.self),
				      asker_send(hoard.self, &hoard.asker, i) == 0 ||
					      hoard.asker.refused > COUNT));
			if (i % 100 == 0)
				UNTIL(world,
				      (tern_thread_poll(self), asker_send(self, &other, 0) == 0));
		}
	UNTIL(world, (tern_thread_poll(hoard.self), is_taken(&hoard)));
	/* At most what comes while one waits, because the lcore is late, goes back. */
	UNTIL(world,
	      (tern_thread_poll(self), seen(&probe->handled) + other.returned == other.sent));
	assert_true(seen(&probe->handled) > other.sent / 2);
	assert_true(!world->polled || other.returned == 0);
	tern_thread_detach(self);
	assert_true(hoard.asker.returned > 0);
	const struct tern_cells *cells = &world->engine->lcores[0].mail.cells;
	assert_true(seen(&cells->used) >= cells->count - cells->kept);
	serve_others(world, hoard.self);
	release_last(&hoard);
	uint64_t lost = 0;
	for (uint32_t i = 0; i < world->engine->system_count; i++)
		lost += stats_of(world, i).lost;
	assert_int_equal(lost, 0);
	if (world->polled)
		check_lane(world, 1024);
}

/* The sender lives on that lcore, and is paused before it is told. */
static void a_paused_sender_gets_them_later(void **state)
{
	enum { COUNT = 16000, MORE = 900 };
	static const struct tern_spawn_options options = {.capacity = 2};
	struct world *world = *state;
	struct hoard hoard, more;
	open_hoard(world, &hoard, COUNT, &options);
	open_hoard(world, &more, MORE, &options);
	for (uint32_t i = 0; i < COUNT; i++) {
		while (asker_send(hoard.self, &hoard.asker, i) != 0)
			world_poll(world);
		tern_thread_poll(hoard.self);
	}
	UNTIL(world, (tern_thread_poll(hoard.self), is_taken(&hoard)));
	assert_true(hoard.asker.returned > 0);
	struct asker *asker = make_asker(world, more.agents, MORE);
	tern_address agent = spawn_on(world->self, 0, &asker_behaviour, asker);
	world_settle(world);
	assert_int_equal(send_number(world->self, agent, TRY, 0), 0);
	poll_one(world, 0);
	assert_int_equal(asker->sent, MORE);
	pause_it(world, agent);
	world_settle(world);
	assert_true(asker->returned < MORE);
	for (int i = 0; i < 100; i++)
		world_poll(world);
	resume_it(world, agent);
	world_settle(world);
	assert_int_equal(asker->returned, MORE);
	release_hoard(&hoard);
	release_last(&more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_BOTH(paused_agents_stop_nobody_else, small),
		SET_POLLED(paused_agents_stop_nobody_else, small_fair),
		SET_POLLED(who_comes_later_gets_a_share, small),
		SET_BOTH(memory_that_comes_back_lets_senders_in, small),
		SET_BOTH(an_agent_abroad_may_fill_it, small),
		SET_POLLED(policies_act_at_their_share, small),
		SET_BOTH(without_a_cell_signals_come_back, small),
		SET_POLLED(a_paused_sender_gets_them_later, small),
	};
	return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
