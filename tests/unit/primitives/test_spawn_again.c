/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whoever was told of an agent's end can spawn in its place at once, on whichever lcore, with
 * max_agents as small as can be: agents with and without a name, roaming ones, fibers, and all of
 * these; and lives in turn go on while another lcore is held up by a handler.
 * Method: lives in turn, each made by who was told of the end of the one before: a handler by its
 * event, a thread by tern_wait(), or by an address that is dead. The first refusal ends a run.
 * Polled and threaded.
 */
#include "tests/unit/support.h"

/* ThreadSanitizer takes each step some twenty times as long. */
#ifdef __SANITIZE_THREAD__
enum { LIVES = 3000, FEWER = 1000, BESIDE = 5000 };
#else
enum { LIVES = 100000, FEWER = 10000, BESIDE = 50000 };
#endif
enum { KINDS = 5 };

static const struct tern_spawn_options kinds[KINDS] = {
	{.name = NULL},
	{.name = "the only one"},
	{.roaming = true},
	{.stack_bytes = 16384},
	{.name = "the only one", .roaming = true, .stack_bytes = 16384}};

static void leave(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	(void)state;
	tern_exit(self, 0);
}

TERN_HANDLER(static, nothing_handle)
{
	(void)self;
	(void)state;
	(void)signal;
}

TERN_FIBER(static, nothing_fiber)
{
	(void)self;
	(void)state;
	return 0;
}

static const struct tern_behaviour brief = {
	.name = "brief", .handler = nothing_handle, .on_start = leave};
static const struct tern_behaviour brief_fiber = {.name = "brief", .fiber = nothing_fiber};

/* Lives of one kind, on each of some lcores in turn. */
struct succession {
	const struct tern_spawn_options *kind;
	uint32_t lcores;
	uint64_t wanted;
	uint64_t lives; /* begun */
	uint64_t ends;	/* told */
	int code;	/* of the first refusal */
	tern_address last;
};

static int spawn_next(struct tern_agent *self, struct succession *succession, bool watch)
{
	const struct tern_behaviour *behaviour =
		succession->kind->stack_bytes ? &brief_fiber : &brief;
	struct tern_spawn_options options = *succession->kind;
	options.lcore = (uint32_t)succession->lives % succession->lcores;
	options.watch = watch;
	int code = tern_spawn(self, behaviour, NULL, &options, &succession->last);
	if (code != 0)
		put(&succession->code, code);
	else
		note(&succession->lives);
	return code;
}

static bool is_over(const struct succession *succession)
{
	return seen(&succession->code) || seen(&succession->ends) == succession->wanted;
}

TERN_HANDLER(static, heir_handle)
{
	(void)signal;
	spawn_next(self, state, true);
}

static void heir_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct succession *succession = state;
	if (event->kind != TERN_EVENT_ENDED)
		return;
	if (note(&succession->ends) + 1 < succession->wanted)
		spawn_next(self, succession, true);
}

static const struct tern_behaviour heir_behaviour = {
	.name = "heir", .handler = heir_handle, .on_event = heir_event};

static void open_for(struct world *world, bool polled, uint32_t max_agents)
{
	struct tern_config config;
	world_config(&config, polled);
	config.max_agents = max_agents;
	world_open(world, &config);
}

static void check(const struct succession *succession)
{
	if (succession->code)
		fail_msg("life %" PRIu64 " of kind %d: %s", succession->lives,
			 (int)(succession->kind - kinds), strerror(-succession->code));
	assert_int_equal(succession->lives, succession->wanted);
}

/* A step at a time: what takes long is not what has stopped. */
static void wait_for(struct world *world, const struct succession *succession)
{
	for (uint64_t end = 0; !is_over(succession); end += 1000)
		UNTIL(world, is_over(succession) || seen(&succession->ends) > end);
}

/* Two may live: the heir and one more. */
static void a_handler_replaces(bool polled, uint64_t lives)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct world world;
		open_for(&world, polled, 2);
		struct succession succession = {.kind = &kinds[kind],
						.lcores = tern_engine_lcores(world.engine),
						.wanted = lives};
		tern_address heir = spawn_on(world.self, 0, &heir_behaviour, &succession);
		assert_int_equal(send_number(world.self, heir, 0, 0), 0);
		wait_for(&world, &succession);
		check(&succession);
		world_close(&world);
	}
}

static void who_was_told_by_an_event_spawns_at_once(void **state)
{
	(void)state;
	a_handler_replaces(true, LIVES);
	a_handler_replaces(false, LIVES);
}

static void a_thread_waits(struct world *world, struct succession *succession)
{
	struct tern_ended ended;
	while (!is_over(succession) && spawn_next(world->self, succession, true) == 0) {
		assert_int_equal(tern_wait(world->self, succession->last, PATIENCE_NS, &ended), 0);
		succession->ends++;
	}
}

/* By what a lookup, a send or the state of an agent says. */
static void a_thread_looks(struct world *world, struct succession *succession)
{
	while (!is_over(succession) && spawn_next(world->self, succession, false) == 0) {
		struct patience patience = {0};
		for (int i = 1; tern_agent_alive(world->self, succession->last); i++)
			if (world->polled || i % 1024 == 0)
				world_wait(world, &patience, "an end", __LINE__);
		succession->ends++;
	}
}

static void with_one_agent(void (*body)(struct world *, struct succession *))
{
	for (int run = 0; run < 2 * KINDS; run++) {
		struct world world;
		open_for(&world, run < KINDS, 1);
		struct succession succession = {.kind = &kinds[run % KINDS],
						.lcores = tern_engine_lcores(world.engine),
						.wanted = FEWER};
		body(&world, &succession);
		check(&succession);
		world_close(&world);
	}
}

static void who_waited_spawns_at_once(void **state)
{
	(void)state;
	with_one_agent(a_thread_waits);
}

static void who_finds_it_dead_spawns_at_once(void **state)
{
	(void)state;
	with_one_agent(a_thread_looks);
}

/* A handler that holds its lcore until it is let go. */
struct holder {
	uint64_t holds;
	uint64_t over;
};

TERN_HANDLER(static, hold)
{
	struct holder *holder = state;
	(void)self;
	(void)signal;
	put(&holder->holds, 1);
	while (!seen(&holder->over))
		breathe();
}

static const struct tern_behaviour holder_behaviour = {.name = "holder", .handler = hold};

/* So many lives need more places and slots than there are, were they not used again. */
static void lives_go_on_beside_a_busy_lcore(void **state)
{
	struct tern_config config;
	(void)state;
	world_config(&config, false);
	if (config.lcore_count < 2)
		skip();
	for (int kind = 0; kind < KINDS; kind++) {
		struct world world;
		struct holder holder = {0};
		config.max_agents = 3;
		config.steal = false;
		world_open(&world, &config);
		struct succession succession = {
			.kind = &kinds[kind], .lcores = 1, .wanted = BESIDE};
		tern_address busy = spawn_on(world.self, 1, &holder_behaviour, &holder);
		assert_int_equal(send_number(world.self, busy, 0, 0), 0);
		UNTIL(&world, seen(&holder.holds));
		tern_address heir = spawn_on(world.self, 0, &heir_behaviour, &succession);
		assert_int_equal(send_number(world.self, heir, 0, 0), 0);
		wait_for(&world, &succession);
		put(&holder.over, 1);
		check(&succession);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_told_by_an_event_spawns_at_once),
		cmocka_unit_test(who_waited_spawns_at_once),
		cmocka_unit_test(who_finds_it_dead_spawns_at_once),
		cmocka_unit_test(lives_go_on_beside_a_busy_lcore),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
