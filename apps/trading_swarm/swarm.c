/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include "tern_spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STOP_NS UINT64_C(10000000000) /* longer than node.dead_us */

TERN_HANDLER(static, swarm_handler)
{
	struct swarm *swarm = state;
	if (tern_signal_type(signal) == SWARM_FED)
		swarm->fed = true;
	else if (tern_signal_type(signal) == SWARM_DONE)
		swarm->done_count++;
}

static const struct tern_behaviour swarm_behaviour = {.name = "swarm", .handler = swarm_handler};

/* Zeroed, on cache lines of its own. */
static void *allocate(size_t count, size_t size)
{
	size_t bytes = (count * size + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

static bool allocate_states(struct swarm *swarm)
{
	const struct options *options = swarm->options;
	swarm->member_count = 3 + options->book_count + options->strategy_count;
	swarm->members = calloc(swarm->member_count, sizeof(*swarm->members));
	swarm->feed = allocate(1, sizeof(*swarm->feed));
	swarm->books = allocate(options->book_count, sizeof(*swarm->books));
	swarm->strategies = allocate(options->strategy_count, sizeof(*swarm->strategies));
	swarm->risk = allocate(1, sizeof(*swarm->risk));
	swarm->executor = allocate(1, sizeof(*swarm->executor));
	return swarm->members && swarm->feed && swarm->books && swarm->strategies && swarm->risk &&
	       swarm->executor;
}

static int init_states(struct swarm *swarm)
{
	const struct options *options = swarm->options;
	const uint32_t working_max = options->strategy_count * SWARM_WORKING_MAX;
	if (!allocate_states(swarm) || feed_agent_init(swarm->feed) < 0 ||
	    risk_agent_init(swarm->risk, working_max) < 0 ||
	    executor_agent_init(swarm->executor, working_max) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < options->book_count; i++)
		if (book_agent_init(&swarm->books[i], working_max) < 0)
			return -ENOMEM;
	for (uint32_t i = 0; i < options->strategy_count; i++)
		if (strategy_agent_init(&swarm->strategies[i]) < 0)
			return -ENOMEM;
	return 0;
}

static void fini_states(struct swarm *swarm)
{
	const struct options *options = swarm->options;
	if (swarm->feed)
		feed_agent_fini(swarm->feed);
	if (swarm->risk)
		risk_agent_fini(swarm->risk);
	if (swarm->executor)
		executor_agent_fini(swarm->executor);
	for (uint32_t i = 0; swarm->books && i < options->book_count; i++)
		book_agent_fini(&swarm->books[i]);
	for (uint32_t i = 0; swarm->strategies && i < options->strategy_count; i++)
		strategy_agent_fini(&swarm->strategies[i]);
	free(swarm->feed);
	free(swarm->risk);
	free(swarm->executor);
	free(swarm->books);
	free(swarm->strategies);
	free(swarm->members);
}

/*
 * Where agents live. The feed handler has lcore 0; risk and executor share it while there are
 * three lcores or fewer, else they have the last one; books and strategies share the others.
 * Of two nodes the second has books and strategies, on all its lcores; the executor is with the
 * feed, as it reads the feed's clock.
 */
static uint32_t gate_node(const struct swarm *swarm)
{
	return swarm->partner ? 1 : 0;
}

static uint32_t crew_node(const struct swarm *swarm)
{
	return swarm->partner ? 2 : 0;
}

static uint32_t gate_lcore(const struct swarm *swarm)
{
	uint32_t lcores = tern_engine_lcores(swarm->engine);
	return lcores > 3 || swarm->partner ? lcores - 1 : 0;
}

static uint32_t crew_lcore(const struct swarm *swarm, uint32_t index)
{
	uint32_t lcores = tern_engine_lcores(swarm->engine);
	if (swarm->partner)
		return index % lcores;
	if (lcores == 1)
		return 0;
	uint32_t crew = lcores > 3 ? lcores - 2 : lcores - 1;
	return 1 + index % crew;
}

struct role {
	const struct tern_behaviour *behaviour;
	enum tern_priority priority;
	enum tern_policy policy;
	uint32_t capacity;
};

static const struct role feed_role = {.behaviour = &feed_agent_behaviour};
static const struct role book_role = {.behaviour = &book_agent_behaviour};
static const struct role strategy_role = {.behaviour = &strategy_agent_behaviour,
					  .policy = TERN_POLICY_CONFLATE,
					  .capacity = TERN_CONFLATE_MAX};
static const struct role risk_role = {.behaviour = &risk_agent_behaviour,
				      .priority = TERN_PRIORITY_CRITICAL};
static const struct role executor_role = {.behaviour = &executor_agent_behaviour,
					  .priority = TERN_PRIORITY_CRITICAL};

_Static_assert(SWARM_FOLLOWED_MAX + SWARM_WORKING_MAX + SWARM_BOOKS_MAX + 1 <= TERN_CONFLATE_MAX,
	       "a strategy's mailbox has a place for every top, report and end, so drops nothing");

/* Where the member lives in the other process, this is done there. */
static int spawn(struct swarm *swarm, struct swarm_member *member, const struct role *role,
		 void *state)
{
	if (swarm->partner && member->node != swarm->partner->node)
		return 0;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	options.name = member->name;
	options.lcore = member->lcore;
	options.priority = role->priority;
	options.policy = role->policy;
	options.capacity = role->capacity;
	options.key_length = role->policy == TERN_POLICY_CONFLATE ? sizeof(uint64_t) : 0;
	return tern_spawn(swarm->self, role->behaviour, state, &options, &member->address);
}

/* The members in the order of a message's way: feed, books, strategies, risk, executor. */
static int spawn_members(struct swarm *swarm)
{
	const uint32_t gate = gate_node(swarm), crew = crew_node(swarm);
	struct swarm_member *member = swarm->members;
	*member = (struct swarm_member){.name = "feed", .node = gate};
	int code = spawn(swarm, member++, &feed_role, swarm->feed);
	for (uint32_t i = 0; code == 0 && i < swarm->options->book_count; i++) {
		*member = (struct swarm_member){.node = crew, .lcore = crew_lcore(swarm, i)};
		snprintf(member->name, sizeof(member->name), "book-%u", i);
		code = spawn(swarm, member++, &book_role, &swarm->books[i]);
	}
	for (uint32_t i = 0; code == 0 && i < swarm->options->strategy_count; i++) {
		*member = (struct swarm_member){.node = crew, .lcore = crew_lcore(swarm, i)};
		snprintf(member->name, sizeof(member->name), "strategy-%u", i);
		code = spawn(swarm, member++, &strategy_role, &swarm->strategies[i]);
	}
	if (code < 0)
		return code;
	*member = (struct swarm_member){.name = "risk", .node = gate, .lcore = gate_lcore(swarm)};
	code = spawn(swarm, member++, &risk_role, swarm->risk);
	if (code < 0)
		return code;
	*member =
		(struct swarm_member){.name = "executor", .node = gate, .lcore = gate_lcore(swarm)};
	return spawn(swarm, member, &executor_role, swarm->executor);
}

static void copy_addresses(tern_address *to, const struct swarm_member *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = from[i].address;
}

/* Who knows whom. Nothing was sent yet, so no agent reads this while it is written. */
static void introduce(struct swarm *swarm)
{
	const struct options *options = swarm->options;
	const uint32_t books = options->book_count, strategies = options->strategy_count;
	const struct swarm_member *first_book = swarm->members + 1;
	const struct swarm_member *first_strategy = first_book + books;
	const tern_address risk = first_strategy[strategies].address;
	const tern_address executor = first_strategy[strategies + 1].address;
	const tern_address reader = swarm->reader;
	swarm->feed->pace = options->pace;
	swarm->feed->reader = reader;
	swarm->feed->book_count = books;
	copy_addresses(swarm->feed->books, first_book, books);
	for (uint32_t i = 0; i < books; i++) {
		struct book_agent *book = &swarm->books[i];
		book->risk = risk;
		book->executor = executor;
		book->strategy_count = strategies;
		copy_addresses(book->strategies, first_strategy, strategies);
	}
	for (uint32_t i = 0; i < strategies; i++) {
		struct strategy_agent *strategy = &swarm->strategies[i];
		strategy->index = i;
		strategy->strategy_count = strategies;
		strategy->book_count = books;
		strategy->risk = risk;
		strategy->reader = reader;
	}
	swarm->risk->limits = options->limits;
	swarm->risk->executor = executor;
	swarm->risk->strategy_count = strategies;
	copy_addresses(swarm->risk->strategies, first_strategy, strategies);
	swarm->executor->risk = risk;
	swarm->executor->book_count = books;
	copy_addresses(swarm->executor->books, first_book, books);
}

static int start_here(struct swarm *swarm, struct tern_error *error)
{
	int code = tern_engine_start(&swarm->engine, &swarm->config, error);
	if (code < 0)
		return code;
	swarm->self = tern_thread_attach(swarm->engine, &swarm_behaviour, swarm);
	if (!swarm->self)
		return tern_error_set(error, -tern_errno, "the feed reader has no way in: %s",
				      strerror(tern_errno));
	swarm->reader = tern_self(swarm->self);
	code = spawn_members(swarm);
	if (code < 0)
		return tern_error_set(error, code == -EAGAIN ? -EINVAL : code,
				      "%u agents cannot be made: %s: needs engine.max_agents and "
				      "memory.block_mib large enough",
				      swarm->member_count, strerror(-code));
	return 0;
}

static int fail_meeting(const struct swarm *swarm, int code, struct tern_error *error)
{
	const uint32_t other = 3 - swarm->partner->node;
	if (code == -EPIPE)
		return tern_error_set(error, code, "node %u ended while it started", other);
	return tern_error_set(error, code,
			      "node %u is not connected: %s: needs a way for frames between the "
			      "two processes (node.fault may have closed it) and CPUs for both",
			      other, strerror(-code));
}

/* Node 2 begins when node 1 is there: what is refused is refused, and told, once. */
static int start(struct swarm *swarm, struct tern_error *error)
{
	struct partner *partner = swarm->partner;
	if (init_states(swarm) < 0)
		return tern_error_set(error, -ENOMEM,
				      "not enough memory for the agents: choose "
				      "fewer with --books and --strategies");
	int code = partner && partner->node == 2 ? swarm_await_word(swarm, PARTNER_MEET) : 0;
	if (code < 0)
		return fail_meeting(swarm, code, error);
	code = start_here(swarm, error);
	if (code < 0)
		return code;
	code = partner ? swarm_meet(swarm) : 0;
	introduce(swarm);
	if (code == 0 && partner)
		code = swarm_connect(swarm);
	return code < 0 ? fail_meeting(swarm, code, error) : 0;
}

int swarm_create(const struct options *options, const struct tern_config *config,
		 const sigset_t *signals, struct partner *partner, struct swarm **swarm,
		 struct tern_error *error)
{
	struct swarm *made = calloc(1, sizeof(*made));
	if (!made)
		return tern_error_set(error, -ENOMEM, "not enough memory to start");
	made->options = options;
	made->config = *config;
	made->signals = *signals;
	made->partner = partner;
	int code = start(made, error);
	if (code < 0) {
		swarm_destroy(made);
		return code;
	}
	*swarm = made;
	return 0;
}

int swarm_stop(struct swarm *swarm, struct tern_stop_report *report)
{
	struct tern_engine *engine = swarm->engine;
	if (!engine)
		return 0;
	swarm->engine = NULL;
	if (swarm->self)
		tern_thread_detach(swarm->self);
	swarm->self = NULL;
	return tern_engine_stop(engine, swarm->lost ? 0 : STOP_NS, report);
}

void swarm_destroy(struct swarm *swarm)
{
	if (!swarm)
		return;
	swarm_stop(swarm, NULL);
	fini_states(swarm);
	free(swarm);
}
