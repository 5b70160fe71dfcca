/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an agent's profile tells what its handler costs, how often and how long it runs and what
 * memory it holds, on its own account alone: neither what waits nor what others do is in it.
 * Method: handlers that cost exactly so much on the virtual clock; rates and shares computed by
 * hand.
 */
#include "tests/unit/engine/runs.h"

#define NS_PER_S 1000000000u

static void each_10_ms(struct tern_config *config)
{
	config->metrics_interval_ms = 10;
}

static void no_metrics(struct tern_config *config)
{
	config->metrics_interval_ms = 0;
}

static struct tern_agent_profile profile_of(const struct world *world, tern_address agent)
{
	struct tern_agent_profile profile;
	memset(&profile, 0xFF, sizeof(profile));
	assert_int_equal(tern_agent_profile(world->engine, agent, &profile), 0);
	return profile;
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(value >= expected - tolerance && value <= expected + tolerance))
		fail_msg("%g is not %g, give or take %g", value, expected, tolerance);
}

/* One signal each turn. */
static void send_singly(struct crew *crew, uint32_t who, uint32_t signals)
{
	for (uint32_t i = 0; i < signals; i++) {
		crew_send(crew, who, 1);
		world_settle(crew->world);
	}
}

static void it_tells_what_a_signal_costs(void **state)
{
	static const uint64_t costs[] = {300, 5000, 30000, 700000};
	struct world *world = *state;
	for (int i = 0; i < 4; i++) {
		struct crew crew;
		crew_open(&crew, world);
		uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, costs[i]);
		assert_int_equal(profile_of(world, crew.agents[who]).measured, 0);
		assert_true(profile_of(world, crew.agents[who]).execution_ns == 0);
		send_singly(&crew, who, 700);
		struct tern_agent_profile profile = profile_of(world, crew.agents[who]);
		assert_near(profile.execution_ns, (double)costs[i], (double)costs[i] / 100);
		assert_near(profile.longest_ns, (double)costs[i], 1);
		assert_int_equal(profile.signals_in, 700);
		assert_int_equal(profile.signals_out, 0);
		if (costs[i] <= 20000)
			assert_in_range(profile.measured, 700 / 65 - 1, 700 / 65 + 10);
		else
			assert_true(profile.measured > 700 * 9 / 10);
	}
}

static void it_follows_a_change(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 50000);
	send_singly(&crew, who, 200);
	crew.runners[who].cost_ns = 100000;
	send_singly(&crew, who, 8);
	double between = profile_of(world, crew.agents[who]).execution_ns;
	assert_true(between > 70000 && between < 90000); /* an eighth of the way, eight times */
	send_singly(&crew, who, 100);
	assert_near(profile_of(world, crew.agents[who]).execution_ns, 100000, 1000);
}

/* Signals that are queued behind a long one cost nothing, and are not counted as its cost. */
static void what_waits_is_not_measured(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 100000);
	send_singly(&crew, who, 100);
	for (int i = 0; i < 20; i++) {
		crew_send(&crew, who, 50);
		tern_lcore_poll(tern_engine_lcore(world->engine, 0));
		assert_int_equal(crew_stats(&crew, who).queued, 48);
		assert_near(profile_of(world, crew.agents[who]).execution_ns, 100000, 1000);
		world_settle(world);
		assert_near(profile_of(world, crew.agents[who]).execution_ns, 100000, 1000);
	}
}

/* Signals that go back, for nobody is there any more, are no samples of who ran last. */
static void what_goes_back_is_not_measured(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 100000);
	uint32_t gone = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	crew.runners[gone].fail_at = 1;
	send_singly(&crew, who, 100);
	uint64_t before = profile_of(world, crew.agents[who]).measured;
	crew_send(&crew, gone, 1);
	crew_send(&crew, who, 1);
	crew_send(&crew, gone, 200);
	world_settle(world);
	assert_int_equal(crew.runners[gone].probe.handled, 1);
	assert_in_range(profile_of(world, crew.agents[who]).measured, before, before + 1);
	assert_near(profile_of(world, crew.agents[who]).execution_ns, 100000, 1000);
}

/* 100 us a step, of which `cost` in the handler. */
static void run_steps(struct crew *crew, uint32_t who, uint64_t cost_ns, uint32_t steps)
{
	crew->runners[who].cost_ns = cost_ns;
	for (uint32_t i = 0; i < steps; i++) {
		tern_engine_advance(crew->world->engine, 100000 - cost_ns);
		crew_send(crew, who, 1);
		world_settle(crew->world);
	}
}

static void rate_and_share_are_exact(void **state)
{
	static const uint64_t costs[] = {20000, 50000, 99000};
	struct world *world = *state;
	for (int i = 0; i < 3; i++) {
		struct crew crew;
		crew_open(&crew, world);
		uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
		run_steps(&crew, who, costs[i], 2000);
		struct tern_agent_profile profile = profile_of(world, crew.agents[who]);
		assert_near(profile.signals_per_s, 10000, 100);
		assert_near(profile.cpu, (double)costs[i] / 100000, 0.01);
		assert_near(profile.cpu_next, (double)costs[i] / 100000, 0.02);
		assert_near(profile.forecast_error, 0, 0.05);
	}
}

static void the_forecast_follows(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	run_steps(&crew, who, 80000, 2000);
	assert_near(profile_of(world, crew.agents[who]).cpu_next, 0.8, 0.03);
	run_steps(&crew, who, 30000, 3000);
	assert_near(profile_of(world, crew.agents[who]).cpu_next, 0.3, 0.03);
	/* Idle for 1 s of looks. */
	for (int i = 0; i < 100; i++) {
		tern_engine_advance(world->engine, NS_PER_S / 100);
		world_settle(world);
	}
	struct tern_agent_profile profile = profile_of(world, crew.agents[who]);
	assert_true(profile.cpu == 0);
	assert_near(profile.cpu_next, 0, 0.01);
	assert_near(profile.signals_per_s, 0, 1);
}

static void a_busy_agent_is_near_one(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t busy = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	uint32_t idle = crew_add(&crew, TERN_PRIORITY_NORMAL, 100);
	run_steps(&crew, busy, 100000, 500);
	for (int i = 0; i < 10; i++) {
		send_singly(&crew, idle, 1);
		run_steps(&crew, busy, 100000, 100);
	}
	assert_near(profile_of(world, crew.agents[busy]).cpu, 1, 0.02);
	assert_near(profile_of(world, crew.agents[idle]).cpu, 0, 0.001);
	assert_near(profile_of(world, crew.agents[idle]).signals_per_s, 100, 10);
}

/* Works by a timer alone: 300 us in each ms. */
struct ticker {
	struct tern_timer timer;
	uint64_t fired;
};

TERN_HANDLER(static, ticker_handle)
{
	struct ticker *ticker = state;
	tern_engine_advance(tern_engine_of(self), 300000);
	ticker->fired++;
}

static void ticker_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void ticker_start(struct tern_agent *self, void *state)
{
	struct ticker *ticker = state;
	tern_timer_start(self, &ticker->timer, 1000000, 1000000, 1);
}

static void work_by_timers_counts(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "ticker", .handler = ticker_handle, .on_start = ticker_start};
	struct world *world = *state;
	struct ticker *ticker = world_memory(world, sizeof(*ticker));
	tern_address agent = spawn_on(world->self, 0, &behaviour, ticker);
	while (ticker->fired < 300) {
		tern_engine_advance(world->engine, 100000);
		world_settle(world);
	}
	struct tern_agent_profile profile = profile_of(world, agent);
	assert_near(profile.signals_per_s, 1000, 20);
	assert_near(profile.execution_ns, 300000, 3000);
	assert_near(profile.cpu, 0.3, 0.02);
}

static void without_metrics_rates_stay_zero(void **state)
{
	struct world *world = *state;
	struct crew crew;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	run_steps(&crew, who, 50000, 3000);
	struct tern_agent_profile profile = profile_of(world, crew.agents[who]);
	assert_true(profile.signals_per_s == 0 && profile.cpu == 0 && profile.cpu_next == 0 &&
		    profile.forecast_error == 0);
	assert_near(profile.execution_ns, 50000, 500);
}

/* A signal that waits takes a line and 4 bytes. */
static void memory_grows_with_what_waits(void **state)
{
	struct world *world = *state;
	struct crew crew;
	struct tern_memory memory;
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	tern_engine_memory(world->engine, &memory);
	uint64_t before = profile_of(world, crew.agents[who]).memory_bytes;
	assert_int_equal(before, memory.bytes_per_agent);
	crew_load(&crew, who, 150);
	assert_int_equal(profile_of(world, crew.agents[who]).memory_bytes - before, 150 * 68);
	crew_go(&crew);
	crew_wait(&crew, 150);
	UNTIL(world, profile_of(world, crew.agents[who]).memory_bytes == before);
	struct tern_spawn_options named = {.name = "named"};
	uint32_t other = crew_add_as(&crew, &named, 0);
	assert_true(profile_of(world, crew.agents[other]).memory_bytes > before);
}

/* Who lives in a slot now does not inherit the profile of who lived there before. */
static void the_next_in_a_slot_starts_anew(void **state)
{
	struct world *world = *state;
	struct crew crew;
	struct tern_agent_profile gone = {.measured = 42};
	crew_open(&crew, world);
	uint32_t who = crew_add(&crew, TERN_PRIORITY_NORMAL, 0);
	run_steps(&crew, who, 90000, 1000);
	tern_address old = crew.agents[who], next = TERN_ADDRESS_NONE;
	assert_true(profile_of(world, old).overruns > 0);
	assert_int_equal(tern_agent_stop(world->self, old), 0);
	world_settle(world);
	assert_int_equal(tern_agent_profile(world->engine, old, &gone), -ESRCH);
	assert_int_equal(gone.measured, 42);
	for (int i = 0; i < 10000; i++) {
		next = spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
		world_settle(world);
		if (tern_address_slot(next) == tern_address_slot(old))
			break;
		assert_int_equal(tern_agent_stop(world->self, next), 0);
		world_settle(world);
	}
	assert_int_equal(tern_address_slot(next), tern_address_slot(old));
	struct tern_agent_profile profile = profile_of(world, next);
	assert_true(profile.execution_ns == 0 && profile.longest_ns == 0);
	assert_true(profile.signals_per_s == 0 && profile.cpu == 0 && profile.cpu_next == 0);
	assert_int_equal(profile.measured + profile.overruns + profile.signals_in, 0);
	assert_int_equal(tern_agent_profile(world->engine, old, &gone), -ESRCH);
	assert_int_equal(tern_agent_profile(world->engine, TERN_ADDRESS_NONE, &gone), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(it_tells_what_a_signal_costs),
		POLLED(it_follows_a_change),
		POLLED(what_waits_is_not_measured),
		POLLED(what_goes_back_is_not_measured),
		SET_POLLED(rate_and_share_are_exact, each_10_ms),
		SET_POLLED(the_forecast_follows, each_10_ms),
		SET_POLLED(a_busy_agent_is_near_one, each_10_ms),
		SET_POLLED(work_by_timers_counts, each_10_ms),
		SET_POLLED(without_metrics_rates_stay_zero, no_metrics),
		BOTH(memory_grows_with_what_waits),
		SET_POLLED(the_next_in_a_slot_starts_anew, each_10_ms),
	};
	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
