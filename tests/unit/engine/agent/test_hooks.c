/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: hooks of the engine hear of every agent, of whatever kind and on whichever lcore: once of
 * its start, once of its failure, once of its end, in the order promised beside the behaviour's;
 * a hook that faults takes one agent with it and nobody else.
 * Method: a census that all hooks write to, agents that keep the order of all that runs for them,
 * and faults in each function of both sides.
 */
#include "tests/unit/engine/faulty.h"

enum step { OWN_START, ALL_START, OWN_ERROR, ALL_ERROR, OWN_STOP, ALL_STOP, STEPS_MAX = 12 };
enum { PLAIN = 1, EXIT, FAIL, FAULT, GREETING };

/* What the hooks see of all agents; one that faults does so for agents that are marked. */
struct census {
	uint64_t started, failed, stopped;
	uint64_t elsewhere; /* hooks that ran on another lcore than the agent's functions */
	uint64_t unknown;   /* hooks for who is no agent of the test */
	uint64_t greets;    /* on_start sends the agent a signal */
	uint64_t leaves;    /* on_start ends the agent: 1 by an exit, 2 as failed */
};

/* An agent of the test, and what ran for it. */
struct guest {
	uint64_t is_guest; /* a mark: `state` is one */
	uint64_t step_count;
	enum step steps[STEPS_MAX];
	enum step crashes; /* in this step */
	bool crashing;
	uint64_t lcore;
	uint64_t handled, greeted;
	uint64_t why;
	int64_t result;
	struct tern_error error;
};

#define GUEST 0x6775657374u

/* Where it ran, and what. */
static void keep_step(struct tern_agent *self, struct guest *guest, enum step step)
{
	if (guest->step_count == 0)
		guest->lcore = tern_lcore_index(self);
	if (guest->step_count < STEPS_MAX)
		guest->steps[guest->step_count] = step;
	put(&guest->step_count, guest->step_count + 1);
}

static void crash_if_told(const struct guest *guest, enum step step)
{
	if (guest->crashing && guest->crashes == step)
		crash(NULL_WRITE);
}

static void take_step(struct tern_agent *self, struct guest *guest, enum step step)
{
	keep_step(self, guest, step);
	crash_if_told(guest, step);
}

/* The counter last: who sees it sees all the rest. */
static void count_step(struct tern_agent *self, struct census *census, uint64_t *counter,
		       enum step step)
{
	struct guest *guest = tern_state(self);
	if (!guest || guest->is_guest != GUEST) {
		note(&census->unknown);
		note(counter);
		return;
	}
	if (guest->step_count && guest->lcore != tern_lcore_index(self))
		note(&census->elsewhere);
	keep_step(self, guest, step);
	note(counter);
	crash_if_told(guest, step);
}

static void announce(struct tern_agent *self, void *context) TERN_OWNS(self);
static void announce(struct tern_agent *self, void *context)
{
	struct census *census = context;
	count_step(self, census, &census->started, ALL_START);
	if (census->greets)
		(void)!send_number(self, tern_self(self), GREETING, 0);
	if (census->leaves == 1)
		tern_exit(self, 31);
	if (census->leaves == 2)
		tern_fail(self, -EPERM, "not here");
}

static void hear_failure(struct tern_agent *self, void *context, const struct tern_error *error)
{
	struct census *census = context;
	((struct guest *)tern_state(self))->error = *error;
	count_step(self, census, &census->failed, ALL_ERROR);
}

static void see_off(struct tern_agent *self, void *context, enum tern_end why, int64_t result)
{
	struct census *census = context;
	struct guest *guest = tern_state(self);
	guest->why = why;
	guest->result = result;
	count_step(self, census, &census->stopped, ALL_STOP);
}

static void guest_start(struct tern_agent *self, void *state)
{
	take_step(self, state, OWN_START);
}

static void guest_error(struct tern_agent *self, void *state, const struct tern_error *error)
{
	(void)error;
	take_step(self, state, OWN_ERROR);
}

static void guest_stop(struct tern_agent *self, void *state, enum tern_end why, int64_t result)
{
	(void)why;
	(void)result;
	take_step(self, state, OWN_STOP);
}

TERN_HANDLER(static, guest_handle)
{
	struct guest *guest = state;
	uint16_t type = tern_signal_type(signal);
	if (type == EXIT)
		tern_exit(self, 7);
	if (type == FAIL)
		tern_fail(self, -EPROTO, "told to");
	if (type == FAULT)
		crash(NULL_WRITE);
	if (type == GREETING)
		note(&guest->greeted);
	note(&guest->handled);
}

TERN_FIBER(static, guest_wait)
{
	struct guest *guest = state;
	while (tern_recv(self, TERN_FOREVER))
		note(&guest->handled);
	return 0;
}

static const struct tern_behaviour full = {.name = "full",
					   .handler = guest_handle,
					   .on_start = guest_start,
					   .on_error = guest_error,
					   .on_stop = guest_stop};
static const struct tern_behaviour bare = {.name = "bare", .handler = guest_handle};
static const struct tern_behaviour fiber = {.name = "fiber", .fiber = guest_wait};

/* A world with hooks. The census outlives its end. */
struct hotel {
	struct world world;
	struct census *census;
	struct tern_hooks hooks;
};

static void hotel_open(struct hotel *hotel, const bool *polled)
{
	struct tern_config config;
	world_config(&config, *polled);
	*hotel = (struct hotel){.census = calloc(1, sizeof(struct census))};
	assert_non_null(hotel->census);
	hotel->hooks = (struct tern_hooks){.context = hotel->census,
					   .on_start = announce,
					   .on_error = hear_failure,
					   .on_stop = see_off};
	config.hooks = &hotel->hooks;
	world_open(&hotel->world, &config);
}

/* Whoever came has left, and was seen where it lived. */
static void hotel_close(struct hotel *hotel)
{
	world_close(&hotel->world);
	assert_int_equal(hotel->census->stopped, hotel->census->started);
	assert_int_equal(hotel->census->elsewhere, 0);
	assert_int_equal(hotel->census->unknown, 0);
	free(hotel->census);
}

static struct guest *hotel_guest(struct hotel *hotel)
{
	struct guest *guest = world_memory(&hotel->world, sizeof(*guest));
	guest->is_guest = GUEST;
	return guest;
}

static tern_address let_in(struct hotel *hotel, const struct tern_behaviour *behaviour,
			   struct guest *guest, uint32_t lcore)
{
	return spawn_on(hotel->world.self, lcore, behaviour, guest);
}

static void assert_steps(const struct guest *guest, const enum step *steps, uint64_t count)
{
	assert_int_equal(guest->step_count, count);
	assert_memory_equal(guest->steps, steps, count * sizeof(steps[0]));
}

#define ASSERT_STEPS(guest, ...)                                \
	assert_steps((guest), (const enum step[]){__VA_ARGS__}, \
		     sizeof((const enum step[]){__VA_ARGS__}) / sizeof(enum step))

static void an_agent_is_announced_and_seen_off(void **state)
{
	struct hotel hotel;
	hotel_open(&hotel, *state);
	struct world *world = &hotel.world;
	for (uint32_t i = 0; i < 4; i++) {
		struct guest *guest = hotel_guest(&hotel);
		tern_address agent = let_in(&hotel, i / 2 ? &bare : &full, guest, i % 2);
		UNTIL(world, seen(&hotel.census->started) == i + 1);
		assert_int_equal(seen(&hotel.census->stopped), i);
		send_surely(world, agent, PLAIN, 0);
		UNTIL(world, seen(&guest->handled) == 1);
		send_surely(world, agent, EXIT, 0);
		UNTIL(world, seen(&hotel.census->stopped) == i + 1);
		assert_int_equal(guest->why, TERN_END_EXIT);
		assert_int_equal(guest->result, 7);
		if (i / 2)
			ASSERT_STEPS(guest, ALL_START, ALL_STOP);
		else
			ASSERT_STEPS(guest, OWN_START, ALL_START, OWN_STOP, ALL_STOP);
	}
	assert_int_equal(hotel.census->failed, 0);
	hotel_close(&hotel);
}

/* A spawner on an lcore: its agents start there without being asked to. */
TERN_HANDLER(static, let_in_another)
{
	tern_address agent;
	(void)signal;
	if (tern_spawn(self, &bare, ((struct guest *)state) + 1, NULL, &agent) == 0)
		note(&((struct guest *)state)->handled);
}

static void agents_of_every_kind_are_counted(void **state)
{
	static const struct tern_behaviour spawner = {.name = "spawner", .handler = let_in_another};
	struct hotel hotel;
	struct tern_spawn_options roaming = {.roaming = true}, exact = {.exact = true};
	hotel_open(&hotel, *state);
	struct world *world = &hotel.world;
	struct guest *guests = world_memory(world, 6 * sizeof(*guests));
	for (int i = 0; i < 6; i++)
		guests[i].is_guest = GUEST;
	tern_address agent = let_in(&hotel, &spawner, &guests[0], 0);
	send_surely(world, agent, PLAIN, 0);
	spawn_with(world, &bare, &guests[2], &roaming);
	spawn_with(world, &bare, &guests[3], &exact);
	let_in(&hotel, &fiber, &guests[4], 0);
	UNTIL(world, seen(&hotel.census->started) == 5);
	/* One that is stopped before it can start is announced all the same. */
	agent = let_in(&hotel, &bare, &guests[5], 1);
	assert_int_equal(tern_agent_stop(world->self, agent), 0);
	UNTIL(world, seen(&hotel.census->stopped) == 1);
	ASSERT_STEPS(&guests[5], ALL_START, ALL_STOP);
	assert_int_equal(guests[5].why, TERN_END_STOPPED);
	struct census *census = hotel.census;
	struct tern_stop_report report;
	assert_int_equal(world_stop(world, PATIENCE_NS, &report), 0);
	for (int i = 0; i < 5; i++) {
		ASSERT_STEPS(&guests[i], ALL_START, ALL_STOP);
		assert_int_equal(guests[i].why, TERN_END_SHUTDOWN);
	}
	assert_int_equal(census->started, 6);
	assert_int_equal(census->stopped, 6);
	assert_int_equal(census->elsewhere + census->unknown, 0);
	world_forget(world);
	free(census);
}

static void a_failure_is_heard_first(void **state)
{
	struct hotel hotel;
	hotel_open(&hotel, *state);
	for (uint32_t i = 0; i < 4; i++) {
		struct guest *guest = hotel_guest(&hotel);
		tern_address agent = let_in(&hotel, &full, guest, i % 2);
		send_surely(&hotel.world, agent, i / 2 ? FAULT : FAIL, 0);
		UNTIL(&hotel.world, seen(&hotel.census->stopped) == i + 1);
		ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_ERROR, OWN_STOP, ALL_STOP);
		assert_int_equal(guest->why, TERN_END_FAILED);
		assert_int_equal(guest->result, i / 2 ? -EFAULT : -EPROTO);
		assert_non_null(strstr(guest->error.text, i / 2 ? "below its handler" : "told to"));
	}
	assert_int_equal(hotel.census->failed, 4);
	hotel_close(&hotel);
}

/* As the agent: what on_start sends is handled by it; and it may turn the agent away. */
static void a_hook_acts_as_the_agent(void **state)
{
	struct hotel hotel;
	hotel_open(&hotel, *state);
	struct world *world = &hotel.world;
	hotel.census->greets = 1;
	struct guest *guest = hotel_guest(&hotel);
	let_in(&hotel, &bare, guest, 1);
	UNTIL(world, seen(&guest->greeted) == 1);
	hotel_close(&hotel);
	hotel_open(&hotel, *state);
	for (uint64_t leaves = 1; leaves <= 2; leaves++) {
		put(&hotel.census->leaves, leaves);
		guest = hotel_guest(&hotel);
		let_in(&hotel, &full, guest, 0);
		UNTIL(world, seen(&hotel.census->stopped) == leaves);
		assert_int_equal(guest->why, leaves == 1 ? TERN_END_EXIT : TERN_END_FAILED);
		assert_int_equal(guest->result, leaves == 1 ? 31 : -EPERM);
		assert_int_equal(guest->handled, 0);
	}
	ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_ERROR, OWN_STOP, ALL_STOP);
	hotel_close(&hotel);
}

/* One that crashes in a step, beside one on the same lcore that goes on. */
static const struct guest *crash_in_step(struct hotel *hotel, enum step step, uint16_t order)
{
	struct world *world = &hotel->world;
	struct guest *guest = hotel_guest(hotel), *neighbour = hotel_guest(hotel);
	struct tern_spawn_options watched = {.watch = true};
	struct tern_ended ended = {0};
	tern_address other = let_in(hotel, &full, neighbour, 0);
	guest->crashes = step;
	guest->crashing = true;
	tern_address agent = spawn_with(world, &full, guest, &watched);
	send_surely(world, other, PLAIN, 0);
	if (step != OWN_START && step != ALL_START)
		send_surely(world, agent, order, 0);
	assert_int_equal(tern_wait(world->self, agent, PATIENCE_NS, &ended), 0);
	assert_int_equal(ended.why,
			 order == EXIT && step >= OWN_STOP ? TERN_END_EXIT : TERN_END_FAILED);
	send_surely(world, other, PLAIN, 0);
	UNTIL(world, seen(&neighbour->handled) == 2);
	send_surely(world, other, EXIT, 0);
	UNTIL(world, seen(&neighbour->step_count) == 4);
	return guest;
}

static void a_fault_in_a_hook_is_one_agents(void **state)
{
	const struct guest *guest;
	struct hotel hotel;
	hotel_open(&hotel, *state);
	guest = crash_in_step(&hotel, ALL_START, EXIT);
	ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_ERROR, OWN_STOP, ALL_STOP);
	assert_non_null(strstr(guest->error.text, "below its engine's on_start"));
	assert_int_equal(guest->result, -EFAULT);
	guest = crash_in_step(&hotel, ALL_ERROR, FAIL);
	ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_STOP, ALL_STOP);
	assert_int_equal(guest->result, -EPROTO);
	guest = crash_in_step(&hotel, ALL_STOP, EXIT);
	ASSERT_STEPS(guest, OWN_START, ALL_START, OWN_STOP, ALL_STOP);
	assert_int_equal(guest->result, 7);
	hotel_close(&hotel);
}

/* The engine hears of it, whatever the agent's own functions come to. */
static void a_fault_of_the_agents_own_is_heard(void **state)
{
	const struct guest *guest;
	struct hotel hotel;
	hotel_open(&hotel, *state);
	guest = crash_in_step(&hotel, OWN_START, EXIT);
	ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_ERROR, OWN_STOP, ALL_STOP);
	guest = crash_in_step(&hotel, OWN_ERROR, FAIL);
	ASSERT_STEPS(guest, OWN_START, ALL_START, ALL_ERROR, OWN_ERROR, ALL_STOP);
	guest = crash_in_step(&hotel, OWN_STOP, EXIT);
	ASSERT_STEPS(guest, OWN_START, ALL_START, OWN_STOP, ALL_STOP);
	assert_int_equal(hotel.census->failed, 2);
	hotel_close(&hotel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(an_agent_is_announced_and_seen_off),
		IN_BOTH(agents_of_every_kind_are_counted),
		IN_BOTH(a_failure_is_heard_first),
		IN_BOTH(a_hook_acts_as_the_agent),
		IN_BOTH(a_fault_in_a_hook_is_one_agents),
		IN_BOTH(a_fault_of_the_agents_own_is_heard),
	};
	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
