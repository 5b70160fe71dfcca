/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a signal to an id reaches the agent that has it, by name or drawn, alone or in a burst, and
 * no other; who has ended is nobody; each of a batch has its result where that is asked for.
 * Method: agents on all lcores, written to by id from a thread and from an agent, polled and
 * threaded; bursts longer than one batch of lookups, with an id of nobody at every place.
 */
#include "tests/unit/support.h"

enum { AGENTS = 150, RELAY = 7 };

struct crowd {
	struct world *world;
	struct probe *probes;
	tern_address agents[AGENTS];
	struct tern_id ids[AGENTS];
	uint64_t numbers[AGENTS];
};

static struct crowd *open_crowd(struct world *world)
{
	struct crowd *crowd = world_memory(world, sizeof(*crowd));
	crowd->world = world;
	crowd->probes = world_memory(world, AGENTS * sizeof(struct probe));
	for (uint32_t i = 0; i < AGENTS; i++) {
		crowd->agents[i] = spawn_on(world->self, i % tern_engine_lcores(world->engine),
					    &probe_behaviour, &crowd->probes[i]);
		assert_int_equal(tern_agent_id(world->self, crowd->agents[i], &crowd->ids[i]), 0);
	}
	return crowd;
}

static void expect_handled(struct crowd *crowd, uint32_t from, uint32_t to, uint64_t each)
{
	struct world *world = crowd->world;
	for (uint32_t i = 0; i < AGENTS; i++) {
		uint64_t expected = i >= from && i < to ? each : 0;
		UNTIL(world, seen(&crowd->probes[i].handled) >= expected);
		assert_int_equal(seen(&crowd->probes[i].handled), expected);
	}
}

/* Of every slot that an id may end with, lived in, never used, or none. */
static void expect_nobody(struct world *world)
{
	for (uint64_t slot = 0; slot < 5000; slot++) {
		struct tern_id nobody = {.high = 1, .low = slot};
		assert_int_equal(tern_signal_id(world->self, nobody, 5, NULL, 0), -ENOENT);
		nobody.low = UINT64_MAX - slot;
		assert_int_equal(tern_signal_id(world->self, nobody, 5, NULL, 0), -ENOENT);
	}
}

static void each_id_reaches_its_agent(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = open_crowd(world);
	expect_nobody(world);
	for (uint32_t i = 0; i < AGENTS; i++)
		assert_int_equal(tern_signal_id(world->self, crowd->ids[i], 5, &i, 4), 0);
	expect_handled(crowd, 0, AGENTS, 1);
	assert_int_equal(tern_signal_id(world->self, crowd->ids[0], 5, NULL, 41), -EMSGSIZE);
	assert_int_equal(tern_agent_stop(world->self, crowd->agents[3]), 0);
	UNTIL(world, !tern_agent_alive(world->self, crowd->agents[3]));
	/* Its address is dead a moment before its id is nobody's. */
	UNTIL(world, tern_signal_id(world->self, crowd->ids[3], 5, NULL, 0) == -ENOENT);
}

/* Told of an agent by its id, another writes to it. */
struct introduced {
	int code;
	uint64_t told;
};

TERN_HANDLER(static, on_introduction)
{
	struct introduced *introduced = state;
	struct tern_id id;
	introduced->code =
		tern_signal_id_of(signal, &id) ? tern_signal_id(self, id, 5, NULL, 0) : -1;
	note(&introduced->told);
}

static const struct tern_behaviour introduced_behaviour = {.name = "introduced",
							   .handler = on_introduction};

static void an_id_is_passed_on(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = open_crowd(world);
	struct introduced *introduced = world_memory(world, sizeof(*introduced));
	tern_address agent = spawn_on(world->self, 0, &introduced_behaviour, introduced);
	assert_int_equal(tern_signal_tag_id(world->self, agent, 1, crowd->ids[9]), 0);
	UNTIL(world, seen(&introduced->told) == 1);
	assert_int_equal(introduced->code, 0);
	expect_handled(crowd, 9, 10, 1);
	assert_int_equal(tern_signal_bytes(world->self, agent, 1, "no id", 5), 0);
	UNTIL(world, seen(&introduced->told) == 2);
	assert_int_equal(introduced->code, -1);
}

static void a_name_is_an_id(void **state)
{
	struct world *world = *state;
	struct probe *probe = world_memory(world, sizeof(*probe));
	struct tern_spawn_options options = {.name = "keeper"};
	tern_address agent;
	assert_int_equal(tern_signal_id(world->self, tern_name_id("keeper"), 5, NULL, 0), -ENOENT);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &agent), 0);
	assert_int_equal(tern_signal_id(world->self, tern_name_id("keeper"), 5, NULL, 0), 0);
	UNTIL(world, seen(&probe->handled) == 1);
}

static void a_burst_ends_at_the_first_of_nobody(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = open_crowd(world);
	uint64_t each = 0;
	for (uint32_t hole = 1; hole <= AGENTS; hole += 29, each++) {
		struct tern_id ids[AGENTS];
		memcpy(ids, crowd->ids, sizeof(ids));
		if (hole < AGENTS)
			ids[hole] = (struct tern_id){.high = hole, .low = 0};
		uint32_t sent = tern_signal_id_burst(world->self, ids, 5, crowd->numbers, 8, hole);
		assert_int_equal(sent, hole);
		if (hole < AGENTS) {
			tern_errno = 0;
			sent = tern_signal_id_burst(world->self, ids + 1, 5, crowd->numbers, 8,
						    AGENTS - 1);
			assert_int_equal(sent, hole - 1);
			assert_int_equal(tern_errno, ENOENT);
		}
	}
	/* The first got one of each round. */
	UNTIL(world, seen(&crowd->probes[0].handled) == each);
	assert_int_equal(tern_signal_id_burst(world->self, crowd->ids, 5, NULL, 0, 0), 0);
}

/* Nobody, one just full and one ended among them: the others get theirs. */
static void each_has_a_result_of_its_own(void **state)
{
	enum { FULL = 70, ENDED = 100 };
	struct world *world = *state;
	struct crowd *crowd = open_crowd(world);
	struct probe *probe = world_memory(world, sizeof(*probe));
	struct tern_spawn_options options = {.capacity = 4, .exact = true};
	struct tern_id ids[AGENTS];
	int codes[AGENTS];
	enum tern_agent_state state_of_full = TERN_STATE_NEW;
	uint64_t waiting = 0;
	tern_address full;
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &full), 0);
	assert_int_equal(tern_agent_pause(world->self, full), 0);
	UNTIL(world, tern_agent_state(world->self, full, &state_of_full) == 0 &&
			     state_of_full == TERN_STATE_PAUSED);
	while (tern_signal_bytes(world->self, full, 5, NULL, 0) == 0)
		waiting++;
	assert_int_equal(tern_agent_stop(world->self, crowd->agents[ENDED]), 0);
	UNTIL(world, !tern_agent_alive(world->self, crowd->agents[ENDED]));
	UNTIL(world, tern_signal_id(world->self, crowd->ids[ENDED], 5, NULL, 0) == -ENOENT);
	memcpy(ids, crowd->ids, sizeof(ids));
	assert_int_equal(tern_agent_id(world->self, full, &ids[FULL]), 0);
	for (uint32_t i = 0; i < AGENTS; i += 13)
		ids[i] = (struct tern_id){.high = i, .low = 0};
	uint32_t accepted =
		tern_signal_id_each(world->self, ids, 5, crowd->numbers, 8, AGENTS, codes);
	uint32_t expected = 0;
	for (uint32_t i = 0; i < AGENTS; i++) {
		int code = i % 13 == 0 || i == ENDED ? -ENOENT : i == FULL ? -EAGAIN : 0;
		assert_int_equal(codes[i], code);
		expected += code == 0;
		if (code == 0)
			UNTIL(world, seen(&crowd->probes[i].handled) == 1);
	}
	assert_int_equal(accepted, expected);
	assert_int_equal(tern_signal_id_each(world->self, ids, 5, crowd->numbers, 41, 3, codes), 0);
	assert_int_equal(codes[0], -ENOENT);
	assert_int_equal(codes[1], -EMSGSIZE);
	assert_int_equal(tern_agent_resume(world->self, full), 0);
	UNTIL(world, seen(&probe->handled) == waiting);
}

/* Passes on what it is sent, to the id in it. */
TERN_HANDLER(static, on_relay)
{
	const struct tern_id *to = tern_signal_data(signal);
	uint64_t *wrong = state;
	if (tern_signal_id(self, *to, RELAY, NULL, 0) != 0)
		note(wrong);
}

static const struct tern_behaviour relay_behaviour = {.name = "relay", .handler = on_relay};

static void agents_send_by_id_too(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = open_crowd(world);
	uint64_t *wrong = world_memory(world, sizeof(*wrong));
	tern_address relay = spawn_on(world->self, 0, &relay_behaviour, wrong);
	for (uint32_t i = 0; i < AGENTS; i++)
		UNTIL(world, tern_signal_bytes(world->self, relay, 1, &crowd->ids[i],
					       sizeof(crowd->ids[i])) == 0);
	expect_handled(crowd, 0, AGENTS, 1);
	for (uint32_t i = 0; i < AGENTS; i++)
		assert_int_equal(crowd->probes[i].type, RELAY);
	assert_int_equal(seen(wrong), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(each_id_reaches_its_agent),
		BOTH(an_id_is_passed_on),
		BOTH(a_name_is_an_id),
		BOTH(a_burst_ends_at_the_first_of_nobody),
		BOTH(each_has_a_result_of_its_own),
		BOTH(agents_send_by_id_too),
	};
	return cmocka_run_group_tests_name("signals by id", tests, NULL, NULL);
}
