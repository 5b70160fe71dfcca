/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a roaming fiber that would have to pass over more than there is mailbox memory for waits
 * quietly, and goes on when there is memory again.
 * Method: handlers that are paused get back what they have sent, until their lcore has only the
 * memory left that data may not use; then the fiber waits for a type that lies behind others.
 */
#include "engine/lcore/engine.h"
#include "tests/unit/support.h"

enum { PUMPS = 6, MUCH = 20000, OTHER = 1, WANTED = 2 };

struct pump {
	tern_address to;
	uint64_t returned;
};

TERN_HANDLER(static, pump_handle)
{
	const struct pump *pump = state;
	for (uint32_t i = 0; i < MUCH; i++)
		if (send_number(self, pump->to, OTHER, i) != 0)
			return;
}

static void pump_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct pump *pump = state;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED)
		pump->returned += event->returned.count;
}

static const struct tern_behaviour pump_behaviour = {
	.name = "pump", .handler = pump_handle, .on_event = pump_event};

struct waiter {
	uint64_t got;
	uint64_t others;
};

TERN_FIBER(static, wait_for_wanted)
{
	struct waiter *waiter = state;
	const struct tern_signal *signal = tern_recv_type(self, WANTED, TERN_FOREVER);
	put(&waiter->got, signal ? number_of(signal) : 1);
	while (tern_recv(self, TERN_FOREVER))
		note(&waiter->others);
	return 0;
}

static const struct tern_behaviour waiter_behaviour = {.name = "waiter", .fiber = wait_for_wanted};

static bool is_full(const struct world *world)
{
	const struct tern_cells *cells = &world->engine->lcores[0].mail.cells;
	return tern_cells_left(cells) <= cells->kept;
}

/* All that one agent sent to another comes back to it, and waits, because it is paused. */
static tern_address fill(struct world *world, struct pump *pump, uint64_t *sent)
{
	struct tern_spawn_options options = {.capacity = MUCH};
	struct probe *probe = world_probes(world, 1);
	tern_address agent = spawn_on(world->self, 0, &pump_behaviour, pump);
	assert_int_equal(tern_spawn(world->self, &probe_behaviour, probe, &options, &pump->to), 0);
	assert_int_equal(tern_agent_pause(world->self, pump->to), 0);
	world_settle(world);
	assert_int_equal(send_number(world->self, agent, OTHER, 0), 0);
	world_settle(world);
	*sent += world->engine->agents[tern_address_slot(agent)].signals_out;
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	assert_int_equal(tern_agent_stop(world->self, pump->to), 0);
	world_settle(world);
	return agent;
}

static void a_fiber_waits_quietly_for_memory(void **state)
{
	struct tern_config config;
	struct world world;
	tern_address pumps[PUMPS], agent;
	struct tern_spawn_options options = {.roaming = true};
	uint64_t sent = 0, returned = 0;
	(void)state;
	world_config(&config, true);
	config.lcore_count = 1;
	config.mailbox_mib = 1;
	world_open(&world, &config);
	struct pump *pump = world_memory(&world, PUMPS * sizeof(*pump));
	struct waiter *waiter = world_memory(&world, sizeof(*waiter));
	assert_int_equal(tern_spawn(world.self, &waiter_behaviour, waiter, &options, &agent), 0);
	for (uint32_t i = 0; i < PUMPS; i++)
		pumps[i] = fill(&world, &pump[i], &sent);
	assert_true(is_full(&world));

	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(send_number(world.self, agent, OTHER, 0), 0);
	assert_int_equal(send_number(world.self, agent, WANTED, 7), 0);
	world_settle(&world);
	assert_int_equal(waiter->got, 0);

	for (uint32_t i = 0; i < PUMPS; i++)
		assert_int_equal(tern_agent_resume(world.self, pumps[i]), 0);
	world_settle(&world);
	assert_int_equal(waiter->got, 7);
	assert_int_equal(waiter->others, 3);
	for (uint32_t i = 0; i < PUMPS; i++)
		returned += pump[i].returned;
	assert_true(returned > 10000 && returned <= sent);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fiber_waits_quietly_for_memory),
	};
	return cmocka_run_group_tests_name("roaming memory", tests, NULL, NULL);
}
