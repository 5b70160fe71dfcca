/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: taking signals by type keeps the others in their order and loses none, whatever is dropped,
 * conflated or returned in between; and of those passed over none is looked at again in one wait.
 * Method: a fiber that does what a list says, beside a model of its mailbox; signals changed behind
 * the place that the look has reached.
 */
#include "tests/unit/engine/asker.h"

#include "tests/unit/engine/actor.h"
#include "tests/unit/engine/runs.h"

#include "engine/lcore/fiber_state.h"

enum { TYPES = 6, MOST = 6000, ANY = 1000, LAST = 900 };

/* A fiber that takes by the types of a list, and keeps what it got. */
struct taker {
	struct actor actor; /* first */
	uint16_t wants[MOST];
	uint32_t count;
	uint64_t got[MOST];
	uint64_t taken;
	uint64_t dead_to; /* sends so many there first */
	uint64_t back;
};

static struct tern_signal *take(struct tern_agent *self, uint16_t type) TERN_OWNS(self)
{
	return type == ANY ? tern_recv(self, TERN_FOREVER)
			   : tern_recv_type(self, type, TERN_FOREVER);
}

TERN_FIBER(static, takes)
{
	struct taker *taker = state;
	for (uint64_t i = 0; i < taker->dead_to; i++)
		taker->actor.count += send_number(self, taker->actor.peer, 7, i) == 0;
	put(&taker->actor.step, 1);
	for (uint32_t i = 0; i < taker->count; i++) {
		const struct tern_signal *signal = take(self, taker->wants[i]);
		if (!signal)
			return -tern_errno;
		taker->got[i] = number_of(signal);
		note(&taker->taken);
	}
	return 0;
}

static void taker_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct taker *taker = state;
	(void)self;
	if (event->kind == TERN_EVENT_RETURNED)
		note(&taker->back);
}

static const struct tern_behaviour taker_behaviour = {.name = "taker",
						      .fiber = takes,
						      .on_start = probe_start,
						      .on_event = taker_event,
						      .on_stop = probe_stop};

/* What should wait: numbers carry their type. */
struct model {
	uint64_t numbers[MOST];
	uint32_t count;
};

static uint16_t type_of(uint64_t number)
{
	return (uint16_t)(number >> 32);
}

static void model_remove(struct model *model, uint32_t place)
{
	memmove(model->numbers + place, model->numbers + place + 1,
		(--model->count - place) * sizeof(uint64_t));
}

static uint64_t model_take(struct model *model, uint16_t type)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (type == ANY || type_of(model->numbers[i]) == type) {
			uint64_t number = model->numbers[i];
			model_remove(model, i);
			return number;
		}
	return 0;
}

static void model_put(struct model *model, uint64_t number,
		      const struct tern_spawn_options *options)
{
	for (uint32_t i = 0; options->policy == TERN_POLICY_CONFLATE && i < model->count; i++)
		if (type_of(model->numbers[i]) == type_of(number) &&
		    (uint8_t)model->numbers[i] == (uint8_t)number) {
			model->numbers[i] = number;
			return;
		}
	if (options->policy != TERN_POLICY_REFUSE && model->count == options->capacity)
		model_remove(model, 0);
	model->numbers[model->count++] = number;
}

/* The types that a model can answer, and what the answers are. */
static void plan(struct taker *taker, struct model *model, struct tern_rng *rng, uint64_t *answers)
{
	taker->count = 0;
	while (model->count) {
		uint16_t type = pick(rng, 5) ? type_of(model->numbers[pick(rng, model->count)])
					     : (uint16_t)ANY;
		taker->wants[taker->count] = type;
		answers[taker->count++] = model_take(model, type);
	}
}

/* A mailbox that is filled while the fiber waits for the last of all, then is emptied by type. */
static void takes_as_the_model(struct world *world, const struct tern_spawn_options *options,
			       uint32_t signals, struct tern_rng *rng)
{
	struct taker *taker = world_memory(world, sizeof(*taker));
	struct model *model = world_memory(world, sizeof(*model));
	uint64_t *answers = world_memory(world, MOST * sizeof(*answers));
	tern_address agent = spawn_with(world, &taker_behaviour, taker, options);
	pause_it(world, agent); /* before its first run */
	uint32_t keys = 1 + pick(rng, 200);
	for (uint32_t i = 0; i < signals; i++) {
		uint64_t number = (uint64_t)(1 + pick(rng, TYPES)) << 32 | (i << 8) |
				  (pick(rng, keys) & 0xFF);
		send_surely(world, agent, type_of(number), number);
		model_put(model, number, options);
	}
	world_settle(world);
	plan(taker, model, rng, answers);
	resume_it(world, agent);
	ASSERT_ENDED(world, &taker->actor, TERN_END_EXIT, 0);
	assert_int_equal(taker->taken, taker->count);
	assert_memory_equal(taker->got, answers, taker->count * sizeof(uint64_t));
}

static void others_keep_their_order(void **state)
{
	static const struct tern_spawn_options kinds[] = {
		{.capacity = 100000},
		{.capacity = 100000, .roaming = true},
		{.capacity = 5000, .exact = true},
		{.capacity = 50, .policy = TERN_POLICY_DROP_OLDEST},
		{.capacity = 50, .policy = TERN_POLICY_CONFLATE, .key_length = 1},
		{.capacity = 300, .policy = TERN_POLICY_CONFLATE, .key_length = 1},
	};
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(5)};
	for (uint32_t i = 0; i < 6 * sizeof(kinds) / sizeof(kinds[0]); i++)
		takes_as_the_model(world, &kinds[i / 6], i % 6 ? 20 * i : 3000, &rng);
}

/*
 * It waits for one type while others come and go: the oldest are dropped, the place that the look
 * has reached among them, and values are replaced where they wait.
 */
static void drops_meanwhile_lose_no_place(void **state)
{
	static const struct tern_spawn_options kinds[] = {
		{.capacity = 3, .policy = TERN_POLICY_DROP_OLDEST},
		{.capacity = 1, .policy = TERN_POLICY_DROP_OLDEST},
		{.capacity = 20, .policy = TERN_POLICY_DROP_OLDEST},
		{.capacity = 20, .policy = TERN_POLICY_CONFLATE, .key_length = 1}};
	struct world *world = *state;
	for (uint32_t i = 0; i < 4 * 2; i++) {
		const struct tern_spawn_options *options = &kinds[i / 2];
		struct taker *taker = world_memory(world, sizeof(*taker));
		struct model *model = world_memory(world, sizeof(*model));
		tern_address agent;
		uint64_t answer;
		taker->count = 200;
		for (uint32_t n = 0; n < 200; n++)
			taker->wants[n] = LAST;
		agent = spawn_with(world, &taker_behaviour, taker, options);
		UNTIL(world, seen(&taker->actor.step) == 1);
		for (uint64_t n = 0; n < 200; n++) {
			for (uint64_t k = 0; k < n % 23; k++) {
				uint64_t number = (1 + k % 3) << 32 | n << 8 | k;
				send_surely(world, agent, type_of(number), number);
				model_put(model, number, options);
				if (i % 2)
					world_settle(world);
			}
			uint64_t last = (uint64_t)LAST << 32 | n << 8;
			send_surely(world, agent, LAST, last);
			model_put(model, last, options);
			answer = model_take(model, LAST);
			UNTIL(world, taker->taken == n + 1);
			assert_int_equal(taker->got[n], answer);
		}
		ASSERT_ENDED(world, &taker->actor, TERN_END_EXIT, 0);
	}
}

/* What comes back is told, not taken, and does not disturb the order of the rest. */
static void returned_ones_are_passed_over(void **state)
{
	struct world *world = *state;
	for (uint32_t i = 0; i < 4; i++) {
		struct tern_spawn_options options = {.capacity = 1000, .roaming = i & 1};
		struct tern_spawn_options full = {.lcore = 1 % tern_engine_lcores(world->engine)};
		static const uint16_t types[] = {1, 2, 7, 2, 1, 2};
		static const uint16_t wants[] = {7, 2, 1, ANY, 2, ANY};
		static const uint64_t got[] = {2, 1, 0, 3, 5, 4};
		struct taker *taker = world_memory(world, sizeof(*taker));
		memcpy(taker->wants, wants, sizeof(wants));
		taker->count = 6;
		taker->dead_to = 150;
		taker->actor.peer = spawn_paused(world, world_probes(world, 1), &full);
		tern_address agent = spawn_with(world, &taker_behaviour, taker, &options);
		UNTIL(world, seen(&taker->actor.step) == 1);
		pause_it(world, agent);
		for (uint64_t n = 0; n < 2; n++)
			send_surely(world, agent, types[n], n);
		if (i & 2)
			world_settle(world);
		assert_int_equal(tern_agent_stop(world->self, taker->actor.peer), 0);
		world_settle(world);
		for (uint64_t n = 2; n < 6; n++)
			send_surely(world, agent, types[n], n);
		world_settle(world);
		resume_it(world, agent);
		ASSERT_ENDED(world, &taker->actor, TERN_END_EXIT, 0);
		assert_int_equal(taker->actor.count, 150);
		assert_memory_equal(taker->got, got, sizeof(got));
		assert_int_equal(taker->back, 150);
	}
}

static void roomy(struct tern_config *config)
{
	config->mailbox_mib = 32;
	config->data_depth = 4096;
}

/*
 * Among 100,000: each that comes costs a look at itself alone. One that was passed over is made to
 * be of the type, behind the place of the look: who looked again would take it.
 */
static void none_is_looked_at_again(void **state)
{
	enum { WAITING = 100000, MORE = 300 };
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 1u << 20};
	struct taker *taker = world_memory(world, sizeof(*taker));
	taker->wants[0] = taker->wants[1] = LAST;
	taker->count = 2;
	tern_address agent = spawn_with(world, &taker_behaviour, taker, &options);
	for (uint64_t i = 0; i < WAITING; i++)
		send_surely(world, agent, 1, i);
	world_settle(world);
	const struct tern_agent *self = agent_of(world, agent);
	const struct tern_fiber *fiber = self->extras->fiber;
	struct tern_signal *first =
		tern_cells_at(&world->engine->lcores[0].mail.cells, self->mailbox.head);
	assert_int_equal(self->mailbox.queued, WAITING);
	assert_int_equal(fiber->before, self->mailbox.tail);
	first->type = LAST;
	for (uint64_t i = 0; i < MORE; i++) {
		send_surely(world, agent, 1, i);
		world_settle(world);
		assert_int_equal(fiber->before, self->mailbox.tail);
		assert_int_equal(taker->taken, 0);
	}
	send_surely(world, agent, LAST, 77);
	UNTIL(world, taker->taken == 2); /* and the next wait begins at the oldest */
	assert_int_equal(taker->got[0], 77);
	assert_int_equal(taker->got[1], 0);
	ASSERT_ENDED(world, &taker->actor, TERN_END_EXIT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(others_keep_their_order),
		POLLED(drops_meanwhile_lose_no_place),
		POLLED(returned_ones_are_passed_over),
		SET_POLLED(none_is_looked_at_again, roomy),
	};
	return cmocka_run_group_tests_name("recv_type", tests, NULL, NULL);
}
