/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming agent is paused, resumed, finished, stopped, watched and failed wherever it is:
 * at rest, handed to its lcore, in the LIFO slot, a run ring, the policy, the global queue, or just
 * stolen; the engine stops with agents in all of these places and loses nothing.
 * Method: a table of places, each reached by polls on purpose, times a table of what is asked; then
 * the end of rooms: late senders, memory that is used again, also while one lcore is never quiet.
 */
#include "tests/unit/engine/roamers.h"
#include "engine/schedule/roaming.h"

enum { FILLERS = TERN_RUN_RING_SIZE + 8 };

/* Where an agent with one signal is. */
enum place { HANDED, LIFO, RING, POLICY, GLOBAL, STOLEN, PLACES };

struct stage {
	struct world *world;
	struct roamer *roamer;
	tern_address agent;
	tern_address hogs[FILLERS];
};

static void wake_agent(struct stage *stage)
{
	assert_int_equal(send_number(stage->world->self, stage->agent, 1, numbered(1, 1)), 0);
}

/* From a hog on its lcore, which then ends the turn. */
static void to_lifo(struct stage *stage)
{
	struct roamer *hog = agent_of(stage->world, stage->hogs[0])->state;
	hog->to = stage->agent;
	wake_all(stage->world, stage->hogs, 1);
	poll_one(stage->world, 0);
	hog->to = TERN_ADDRESS_NONE;
	assert_ptr_equal(stage->world->engine->lcores[0].roaming.lifo,
			 agent_of(stage->world, stage->agent));
}

/* Behind `count` hogs, of which lcore 0 runs one. */
static void behind(struct stage *stage, uint32_t count)
{
	wake_all(stage->world, stage->hogs, count);
	wake_agent(stage);
	poll_one(stage->world, 0);
}

static void go_to(struct stage *stage, enum place place)
{
	struct world *world = stage->world;
	if (place == HANDED) {
		wake_agent(stage);
		assert_int_equal(world->engine->lcores[0].arrivals.woken,
				 tern_address_slot(stage->agent));
	} else if (place == LIFO) {
		to_lifo(stage);
	} else if (place == RING || place == STOLEN) {
		behind(stage, TERN_ROAMING_ADMITTED);
		assert_int_equal(ring_of(world, 0), 1);
		for (int i = 0; place == STOLEN && ring_of(world, 1) == 0 && i < 50; i++)
			poll_one(world, 1);
		assert_int_equal(ring_of(world, 1), place == STOLEN);
	} else if (place == POLICY) {
		tern_address hog = spawn_pinned_hog(world, 0);
		wake_all(world, &hog, 1);
		behind(stage, 0);
		assert_true(agent_of(world, stage->agent)->flags & TERN_AGENT_ADMITTED);
	} else {
		behind(stage, TERN_RUN_RING_SIZE);
		assert_int_equal(tern_global_count(world->engine), 1);
	}
}

static struct stage *open_stage(void **state, enum place place)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	roaming_setup(state, 3);
	stage->world = *state;
	stage->roamer = world_roamers(stage->world, 1);
	stage->agent = spawn_roaming(stage->world, 0, &roamer_behaviour, stage->roamer);
	spawn_hogs(stage->world, 0, place == GLOBAL ? TERN_RUN_RING_SIZE : TERN_ROAMING_ADMITTED,
		   stage->hogs);
	assert_int_equal(stage->roamer->probe.started, 1);
	return stage;
}

static void close_stage(void **state, struct stage *stage)
{
	assert_int_equal(stage->roamer->twice, 0);
	assert_int_equal(stage->roamer->disorder, 0);
	assert_int_equal(stage->roamer->probe.early, 0);
	world_teardown(state);
	free(stage);
}

static enum tern_agent_state state_of(struct stage *stage)
{
	enum tern_agent_state at = TERN_STATE_NEW;
	assert_int_equal(tern_agent_state(stage->world->self, stage->agent, &at), 0);
	return at;
}

static void paused_and_resumed_wherever_it_is(void **state)
{
	for (enum place place = HANDED; place < PLACES; place++) {
		struct stage *stage = open_stage(state, place);
		struct world *world = stage->world;
		go_to(stage, place);
		assert_int_equal(tern_agent_pause(world->self, stage->agent), 0);
		world_settle(world);
		assert_int_equal(state_of(stage), TERN_STATE_PAUSED);
		assert_int_equal(stage->roamer->probe.handled, 0);
		assert_int_equal(send_number(world->self, stage->agent, PLAIN, 0), 0);
		world_settle(world);
		assert_int_equal(stage->roamer->probe.handled, 0);
		assert_int_equal(tern_agent_resume(world->self, stage->agent), 0);
		world_settle(world);
		assert_int_equal(stage->roamer->probe.handled, 2);
		assert_int_equal(state_of(stage), TERN_STATE_IDLE);
		close_stage(state, stage);
	}
}

static void stopped_wherever_it_is(void **state)
{
	for (enum place place = HANDED; place < PLACES; place++) {
		struct stage *stage = open_stage(state, place);
		struct world *world = stage->world;
		struct tern_ended ended = {0};
		assert_int_equal(tern_watch(world->self, stage->agent), 0);
		go_to(stage, place);
		assert_int_equal(tern_agent_stop(world->self, stage->agent), 0);
		assert_int_equal(tern_wait(world->self, stage->agent, PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_STOPPED);
		assert_int_equal(stage->roamer->probe.stopped, 1);
		assert_int_equal(stage->roamer->probe.handled, 0);
		settle_fully(world);
		struct tern_lcore_stats all = stats_of_all(world);
		assert_int_equal(all.returned + all.lost, 1);
		close_stage(state, stage);
	}
}

static void finished_wherever_it_is(void **state)
{
	for (enum place place = HANDED; place < PLACES; place++) {
		struct stage *stage = open_stage(state, place);
		struct world *world = stage->world;
		struct tern_ended ended = {0};
		assert_int_equal(tern_watch(world->self, stage->agent), 0);
		go_to(stage, place);
		assert_int_equal(tern_agent_finish(world->self, stage->agent, 1000000000), 0);
		assert_int_equal(tern_wait(world->self, stage->agent, PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_STOPPED);
		assert_int_equal(stage->roamer->probe.handled, 1);
		close_stage(state, stage);
	}
}

static void the_engine_stops_wherever_they_are(void **state)
{
	for (enum place place = HANDED; place < PLACES; place++) {
		struct tern_stop_report report;
		struct stage *stage = open_stage(state, place);
		struct world *world = stage->world;
		go_to(stage, place);
		uint64_t waiting = tern_run_ring_count(&world->engine->lcores[0].roaming.rings[1]);
		assert_int_equal(world_stop(world, 0, &report), -ETIMEDOUT);
		assert_true(report.undelivered >= (waiting ? waiting : 1));
		assert_int_equal(report.blocks_leaked, 0);
		assert_int_equal(stage->roamer->probe.stopped, 1);
		assert_int_equal(stage->roamer->probe.why, TERN_END_SHUTDOWN);
		world_forget(world);
		free(world);
		free(stage);
		stage = open_stage(state, place);
		go_to(stage, place);
		close_stage(state, stage);
	}
}

/* A full mailbox of a paused agent is no reason to forget that it is to finish. */
static void paused_and_full_it_finishes(void **state)
{
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	struct tern_spawn_options options = {.lcore = 0, .roaming = true, .capacity = 10};
	tern_address agent;
	assert_int_equal(tern_spawn(world->self, &roamer_behaviour, roamer, &options, &agent), 0);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	uint64_t sent = 0;
	for (int i = 0; i < 50; i++) {
		world_settle(world);
		sent += send_number(world->self, agent, PLAIN, 0) == 0;
	}
	assert_int_equal(tern_agent_finish(world->self, agent, PATIENCE_NS), 0);
	UNTIL(world, seen(&roamer->probe.stopped));
	assert_int_equal(roamer->probe.handled, sent);
}

/* What it is sent waits in its ring, takes none of its lcore's memory, and runs nobody. */
static void paused_it_may_be_sent_more_than_its_lcore_holds(void **state)
{
	enum { SENT = 20000 };
	struct world world;
	struct tern_config config;
	struct tern_spawn_options options = {.roaming = true, .capacity = 2 * SENT};
	tern_address agent;
	uint64_t work = 1;
	(void)state;
	roaming_config(&config, 1);
	config.mailbox_mib = 1;
	world_open(&world, &config);
	struct roamer *roamer = world_roamers(&world, 1);
	assert_int_equal(tern_spawn(world.self, &roamer_behaviour, roamer, &options, &agent), 0);
	assert_int_equal(tern_agent_pause(world.self, agent), 0);
	world_settle(&world);
	for (uint64_t i = 1; i <= SENT; i++)
		assert_int_equal(send_number(world.self, agent, 1, numbered(1, i)), 0);
	for (int i = 0; i < 100 && work; i++)
		work = world_poll(&world);
	assert_int_equal(work, 0);
	assert_int_equal(world.engine->lcores[0].mail.cells.used, 0);
	assert_int_equal(tern_agent_resume(world.self, agent), 0);
	world_settle(&world);
	assert_int_equal(roamer->probe.handled, SENT);
	assert_int_equal(roamer->disorder, 0);
	world_close(&world);
}

TERN_HANDLER(static, failing_handle)
{
	probe_handle(self, state, signal);
	tern_fail(self, -EPROTO, "told to");
}

static const struct tern_behaviour failing_behaviour = {.name = "failing",
							.handler = failing_handle,
							.on_start = probe_start,
							.on_stop = probe_stop};

static void failed_it_ends_and_returns_the_rest(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_probes(world, 1);
	struct tern_ended ended = {0};
	tern_address agent = spawn_roaming(world, 0, &failing_behaviour, probe);
	assert_int_equal(tern_watch(world->self, agent), 0);
	for (int i = 0; i < 5; i++)
		UNTIL(world, send_number(world->self, agent, PLAIN, 0) != -EAGAIN);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.why, TERN_END_FAILED);
	assert_int_equal(ended.result, -EPROTO);
	assert_int_equal(probe->handled, 1);
	assert_int_equal(probe->stopped, 1);
}

/* Who looked at the directory just before the end may put a signal in just after it. */
static void a_late_signal_comes_back(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 2);
	tern_address agent = spawn_roaming(world, 0, &roamer_behaviour, &roamers[0]);
	tern_address sender = spawn_on(world->self, 1, &roamer_behaviour, &roamers[1]);
	world_settle(world);
	struct tern_room *room = world->engine->rooms[tern_address_slot(agent)];
	struct tern_signal signal = {
		.type = 1, .to_slot = tern_address_slot(agent), .kind = 8, .from = sender};
	uint32_t count;
	signal.to_generation = tern_address_generation(agent) & TERN_ADDRESS_GENERATION_MASK;
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	/* Lcore 1 does not work meanwhile: for all that is known it is about to put. */
	for (int i = 0; i < 20; i++)
		poll_one(world, 0);
	assert_int_equal(roamers[0].probe.stopped, 1);
	assert_null(world->engine->rooms[tern_address_slot(agent)]);
	assert_int_equal(tern_mail_ring_put(&room->ring, &signal, &count), 0);
	tern_count(&world->engine->lcores[1].signals.accepted, 1);
	tern_roaming_wake(&world->engine->lcores[1], agent_of(world, agent));
	for (int i = 0; i < 20; i++)
		poll_one(world, 0);
	assert_int_equal(roamers[1].probe.returned, 0);
	settle_fully(world);
	assert_int_equal(roamers[1].probe.returned, 1);
	assert_int_equal(world->engine->lcores[0].roaming.graves, 0);
}

/* A room of 4 MiB is used again at once: the next agent takes what comes late to the one before. */
static void a_late_signal_to_the_one_before_comes_back(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 3);
	struct tern_spawn_options large = {.roaming = true, .capacity = 65535};
	struct tern_spawn_options less = {.roaming = true, .capacity = 40000};
	tern_address sender = spawn_on(world->self, 1, &roamer_behaviour, &roamers[2]), old, new;
	uint32_t count;
	assert_int_equal(tern_spawn(world->self, &roamer_behaviour, &roamers[0], &large, &old), 0);
	world_settle(world);
	struct tern_room *room = world->engine->rooms[tern_address_slot(old)];
	struct tern_signal late = {
		.type = 1, .to_slot = tern_address_slot(old), .kind = 8, .from = sender};
	late.to_generation = tern_address_generation(old) & TERN_ADDRESS_GENERATION_MASK;
	assert_int_equal(tern_agent_stop(world->self, old), 0);
	for (int i = 0; i < 20; i++)
		poll_one(world, 0);
	assert_int_equal(roamers[0].probe.stopped, 1);
	assert_int_equal(tern_mail_ring_put(&room->ring, &late, &count), 0);
	assert_int_equal(tern_spawn(world->self, &roamer_behaviour, &roamers[1], &less, &new), 0);
	assert_ptr_equal(world->engine->rooms[tern_address_slot(new)], room);
	/* One before its first run, one while it rests. */
	tern_count(&world->engine->lcores[1].signals.accepted, 2);
	world_settle(world);
	assert_int_equal(roamers[2].probe.returned, 1);
	assert_int_equal(tern_mail_ring_put(&room->ring, &late, &count), 0);
	tern_roaming_wake(&world->engine->lcores[1], agent_of(world, new));
	world_settle(world);
	assert_int_equal(roamers[2].probe.returned, 2);
	assert_int_equal(roamers[1].probe.handled, 0);
	assert_int_equal(send_number(world->self, new, PLAIN, 0), 0);
	settle_fully(world);
	assert_int_equal(roamers[1].probe.handled, 1);
}

/* Lcore 1 does not work, and is never quiet: slots and rooms are used again all the same. */
static void lives_in_turn_need_no_quiet_lcore(void **state)
{
	static const uint32_t capacities[] = {1, 10, 1000, 65535, 1u << 20};
	enum { LIVES = 20000 };
	struct world *world = *state;
	struct roamer *roamer = world_roamers(world, 1);
	uint64_t lives = 0;
	world_settle(world);
	for (size_t i = 0; i < RTE_DIM(capacities); i++) {
		uint64_t before = world->engine->room_bytes;
		for (int life = 0; life < LIVES; life++, lives++) {
			struct tern_spawn_options options = {
				.lcore = 0, .roaming = true, .capacity = capacities[i]};
			tern_address agent;
			roamer->probe.started = 0;
			assert_int_equal(tern_spawn(world->self, &roamer_behaviour, roamer,
						    &options, &agent),
					 0);
			assert_int_equal(tern_agent_stop(world->self, agent), 0);
			while (seen(&roamer->probe.stopped) == lives)
				poll_one(world, 0);
		}
		/* 4 MiB that wait, and one that is alive. */
		uint64_t more = world->engine->room_bytes - before;
		assert_true(more <= (8u << 20) + 2 * 64ull * capacities[i]);
	}
	settle_fully(world);
}

static void ten_thousand_lives_fit_the_memory_of_a_few(void **state)
{
	struct world *world = *state;
	struct roamer *roamers = world_roamers(world, 10);
	tern_address agents[10];
	uint64_t rooms = 0;
	for (int round = 0; round < 1000; round++) {
		memset(roamers, 0, 10 * sizeof(*roamers));
		for (uint32_t i = 0; i < 10; i++) {
			struct tern_spawn_options options = {
				.lcore = i % 2, .roaming = true, .capacity = 100};
			assert_int_equal(tern_spawn(world->self, &roamer_behaviour, &roamers[i],
						    &options, &agents[i]),
					 0);
		}
		wake_all(world, agents, 10);
		world_settle(world);
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(tern_agent_stop(world->self, agents[i]), 0);
		settle_fully(world);
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(roamers[i].probe.stopped, 1);
		rooms = round == 0 ? world->engine->room_bytes : rooms;
	}
	assert_true(rooms > 0);
	assert_int_equal(world->engine->room_bytes, rooms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paused_and_resumed_wherever_it_is),
		cmocka_unit_test(stopped_wherever_it_is),
		cmocka_unit_test(finished_wherever_it_is),
		cmocka_unit_test(the_engine_stops_wherever_they_are),
		ON_TWO(paused_and_full_it_finishes),
		cmocka_unit_test(paused_it_may_be_sent_more_than_its_lcore_holds),
		BOTH(failed_it_ends_and_returns_the_rest),
		ON_TWO(a_late_signal_comes_back),
		ON_TWO(a_late_signal_to_the_one_before_comes_back),
		ON_TWO(lives_in_turn_need_no_quiet_lcore),
		ON_TWO(ten_thousand_lives_fit_the_memory_of_a_few),
	};
	return cmocka_run_group_tests_name("roaming: lives", tests, NULL, NULL);
}
