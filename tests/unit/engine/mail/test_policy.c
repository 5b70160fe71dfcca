/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a mailbox above its bound does what its policy says and nothing else: refuse with
 * hysteresis, drop the oldest, conflate, evict; what was accepted is handled, counted as
 * dropped, or comes back; others on the same lane do not notice.
 * Method: a slow agent makes signals wait; water marks are crossed one signal at a time.
 * Conflation is compared with a list over random signals.
 */
#include "tests/unit/engine/slow.h"

static void send_numbers(struct world *world, tern_address to, uint16_t type, uint64_t from,
			 uint64_t to_number)
{
	for (uint64_t i = from; i < to_number; i++)
		assert_int_equal(send_number(world->self, to, type, i), 0);
}

static tern_iso *block(struct world *world)
{
	tern_iso *iso = tern_iso_create(tern_heap(world->self), 100);
	assert_non_null(iso);
	return iso;
}

static void refuse_has_hysteresis(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10, .high_water = 8, .low_water = 2};
	struct tern_pressure pressure;
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	send_numbers(world, agent, 1, 0, 9); /* one in place, seven wait after the turn */
	slow_turn(world);
	assert_int_equal(slow_stats(world, agent).queued, 7);
	/* High water was reached on the way and low water was not: refused. */
	assert_int_equal(send_number(world->self, agent, 1, 99), -EAGAIN);
	tern_pressure(world->self, &pressure);
	assert_int_equal(pressure.source, TERN_PRESSURE_AGENT);
	assert_int_equal(pressure.culprit, agent);
	assert_int_equal(pressure.lcore, 1);
	assert_int_equal(pressure.queued, 7);
	tern_iso *iso = tern_signal_iso(world->self, agent, 1, block(world));
	assert_non_null(iso);
	assert_int_equal(tern_errno, EAGAIN);
	tern_iso_drop(tern_heap(world->self), iso);
	assert_int_equal(slow->probe.pressed, 1);
	for (uint32_t left = 6; left > 2; left--) {
		slow_turn(world);
		assert_int_equal(slow_stats(world, agent).queued, left);
		assert_int_equal(send_number(world->self, agent, 1, 99), -EAGAIN);
		assert_int_equal(slow->probe.released, 0);
	}
	slow_turn(world);
	assert_int_equal(slow_stats(world, agent).queued, 2);
	assert_int_equal(slow->probe.released, 1);
	assert_int_equal(send_number(world->self, agent, 1, 9), 0);
	world_settle(world);
	assert_int_equal(slow->count, 10);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(slow->numbers[i], i);
	assert_int_equal(slow_stats(world, agent).pressured, 1);
	assert_int_equal(slow_stats(world, agent).dropped, 0);
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, tern_lcore_index(world->self), &stats);
	assert_int_equal(stats.refused_agent, 6);
}

static void below_high_water_nothing_is_refused(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10, .high_water = 8, .low_water = 2};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	send_numbers(world, agent, 1, 0, 8);
	slow_turn(world);
	for (uint64_t i = 8; i < 100; i++) {
		assert_int_equal(send_number(world->self, agent, 1, i), 0);
		slow_turn(world);
	}
	world_settle(world);
	assert_int_equal(slow->count, 100);
	assert_int_equal(slow->probe.pressed, 0);
	assert_int_equal(slow->queued_max, 6);
}

/* What was on its way when high water was crossed is taken: the bound is capacity plus lanes. */
static void what_is_on_its_way_is_taken(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	send_numbers(world, agent, 1, 0, 500);
	world_settle(world);
	assert_int_equal(slow->count, 500);
	for (uint64_t i = 0; i < 500; i++)
		assert_int_equal(slow->numbers[i], i);
	assert_int_equal(slow_stats(world, agent).pressured, 1);
}

static void a_full_mailbox_stops_nobody_else(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.capacity = 10};
	struct sink *sink = world_memory(world, sizeof(*sink));
	struct slow *slow;
	tern_address other = spawn_on(world->self, 1, &sink_behaviour, sink);
	tern_address agent = slow_open(world, &options, &slow);
	send_numbers(world, agent, 1, 0, 100);
	send_numbers(world, other, 1, 0, 10);
	slow_turn(world);
	assert_int_equal(send_number(world->self, agent, 1, 0), -EAGAIN);
	for (uint64_t i = 10; i < 100; i++) {
		assert_int_equal(send_number(world->self, other, 1, i), 0);
		slow_turn(world);
		slow_turn(world);
		assert_int_equal(sink->expected, i + 1);
	}
	assert_true(slow->count < 100 + 1);
	assert_int_equal(sink->wrong, 0);
	world_settle(world);
	assert_int_equal(slow->count, 100);
}

static void drop_oldest_drops_the_oldest(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.policy = TERN_POLICY_DROP_OLDEST, .capacity = 10};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	send_numbers(world, agent, 1, 0, 25);
	world_settle(world);
	/* 0 in place; of 1 .. 24 the newest ten stay. */
	assert_int_equal(slow->count, 11);
	for (uint64_t i = 1; i < 11; i++)
		assert_int_equal(slow->numbers[i], 14 + i);
	assert_int_equal(slow_stats(world, agent).dropped, 14);
	assert_true(slow->queued_max <= 10);
	assert_int_equal(slow->probe.pressed, 1);
	assert_int_equal(slow->probe.released, 1);
	struct tern_lcore_stats stats;
	tern_lcore_stats(world->engine, 1, &stats);
	assert_int_equal(stats.dropped, 14);
}

static void drop_oldest_frees_blocks(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.policy = TERN_POLICY_DROP_OLDEST, .capacity = 5};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	const tern_val *val = tern_iso_freeze(block(world));
	for (int i = 0; i < 20; i++) {
		assert_null(tern_signal_iso(world->self, agent, 1, block(world)));
		assert_null(tern_signal_val(world->self, agent, 1, tern_val_share(val)));
	}
	world_settle(world);
	assert_int_equal(slow->count, 6);
	assert_int_equal(slow_stats(world, agent).dropped, 34);
	assert_int_equal(tern_val_count(val), 1);
	tern_val_drop(tern_heap(world->self), val);
}

static void conflate_keeps_the_turn_of_the_oldest(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {
		.policy = TERN_POLICY_CONFLATE, .capacity = 10, .key_length = 1};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	/* Key is the low byte; the first runs in place. */
	const uint64_t sent[] = {0x0, 0x10A, 0x10B, 0x20A, 0x10C, 0x20B, 0x30A};
	const uint64_t handled[] = {0x0, 0x30A, 0x20B, 0x10C};
	for (int i = 0; i < 7; i++)
		assert_int_equal(send_number(world->self, agent, 1, sent[i]), 0);
	assert_int_equal(send_number(world->self, agent, 2, 0x40A), 0);
	world_settle(world);
	assert_int_equal(slow->count, 5);
	assert_memory_equal(slow->numbers, handled, sizeof(handled));
	assert_int_equal(slow->numbers[4], 0x40A); /* another type is another thing */
	assert_int_equal(slow_stats(world, agent).dropped, 3);
}

static void what_has_no_key_is_not_conflated(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {
		.policy = TERN_POLICY_CONFLATE, .capacity = 100, .key_offset = 8, .key_length = 8};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send_number(world->self, agent, 1, 7), 0);
		assert_null(tern_signal_iso(world->self, agent, 1, block(world)));
		assert_int_equal(tern_signal_tag(world->self, agent, 1, tern_tag_make(agent)), 0);
	}
	world_settle(world);
	assert_int_equal(slow->count, 30);
	assert_int_equal(slow_stats(world, agent).dropped, 0);
}

/* The model: what waits, oldest first. */
struct model {
	uint64_t numbers[64];
	uint16_t types[64];
	uint32_t count;
};

static void model_add(struct model *model, uint16_t type, uint64_t number, uint32_t capacity)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model->types[i] == type && (uint16_t)model->numbers[i] == (uint16_t)number) {
			model->numbers[i] = number;
			return;
		}
	if (model->count == capacity) {
		model->count--;
		memmove(model->numbers, model->numbers + 1, model->count * sizeof(uint64_t));
		memmove(model->types, model->types + 1, model->count * sizeof(uint16_t));
	}
	model->numbers[model->count] = number;
	model->types[model->count++] = type;
}

static void conflate_agrees_with_a_list(void **state)
{
	enum { CAPACITY = 24, ROUNDS = 300 };
	struct world *world = *state;
	struct tern_rng rng = {.state = test_seed(7)};
	struct tern_spawn_options options = {
		.policy = TERN_POLICY_CONFLATE, .capacity = CAPACITY, .key_length = 2};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	for (int round = 0; round < ROUNDS; round++) {
		struct model model = {0};
		uint32_t keys = 1 + pick(&rng, 40), signals = 1 + pick(&rng, 100);
		slow->count = 0;
		assert_int_equal(send_number(world->self, agent, 9, 0), 0); /* in place */
		for (uint32_t i = 0; i < signals; i++) {
			uint64_t number = (uint64_t)(i + 1) << 16 | pick(&rng, keys);
			uint16_t type = (uint16_t)pick(&rng, 2);
			assert_int_equal(send_number(world->self, agent, type, number), 0);
			model_add(&model, type, number, CAPACITY);
		}
		world_settle(world);
		assert_int_equal(slow->count, model.count + 1);
		assert_memory_equal(slow->numbers + 1, model.numbers, model.count * 8);
		assert_memory_equal(slow->types + 1, model.types, model.count * 2);
	}
}

/* Keeps what came back to the testing thread. */
struct returns {
	uint64_t count;
	uint64_t wrong;
	tern_address from;
};

static void returns_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct returns *returns = state;
	(void)self;
	for (uint32_t i = 0; event->kind == TERN_EVENT_RETURNED && i < event->returned.count; i++) {
		const struct tern_signal *signal = &event->returned.signals[i];
		if (tern_signal_from(signal) != returns->from)
			returns->wrong++;
		if (!tern_signal_has_iso(signal) && number_of(signal) != returns->count + 1)
			returns->wrong++;
		returns->count++;
	}
}

TERN_HANDLER(static, returns_handle)
{
	struct returns *returns = state;
	returns->wrong++;
}

static void evict_ends_the_agent_and_returns_its_signals(void **state)
{
	static const struct tern_behaviour behaviour = {
		.name = "returns", .handler = returns_handle, .on_event = returns_event};
	struct world *world = *state;
	struct tern_spawn_options options = {.policy = TERN_POLICY_EVICT, .capacity = 10};
	struct returns returns = {0};
	struct slow *slow;
	tern_address agent = slow_open(world, &options, &slow);
	struct tern_agent *sender = tern_thread_attach(world->engine, &behaviour, &returns);
	returns.from = agent;
	for (uint64_t i = 0; i < 11; i++)
		assert_int_equal(send_number(sender, agent, 1, i), 0);
	slow_turn(world);
	assert_true(tern_agent_alive(sender, agent)); /* at capacity, not beyond */
	assert_int_equal(slow->count, 2);
	world_settle(world);
	assert_int_equal(slow->count, 11);

	slow->count = 0;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(send_number(sender, agent, 1, i), 0);
	assert_null(tern_signal_iso(sender, agent, 1, tern_iso_create(tern_heap(sender), 100)));
	world_settle(world);
	while (tern_thread_poll(sender))
		;
	assert_false(tern_agent_alive(sender, agent));
	assert_int_equal(slow->count, 1);
	assert_int_equal(slow->probe.stopped, 1);
	assert_int_equal(slow->probe.why, TERN_END_EVICTED);
	assert_int_equal(returns.count, 20);
	assert_int_equal(returns.wrong, 0);
	tern_thread_detach(sender);
}

/* Critical agents' signals overtake other agents' data, never each other. */
struct track {
	uint64_t *clock; /* counts signals of all tracks */
	uint64_t first;
	struct sink sink;
};

TERN_HANDLER(static, track_handle)
{
	struct track *track = state;
	uint64_t now = ++*track->clock;
	if (track->sink.expected == 0)
		track->first = now;
	sink_handle(self, &track->sink, signal);
}

static void critical_agents_come_first(void **state)
{
	static const struct tern_behaviour behaviour = {.name = "track", .handler = track_handle};
	struct world *world = *state;
	struct tern_spawn_options options = {.lcore = 1, .priority = TERN_PRIORITY_CRITICAL};
	struct track *tracks = world_memory(world, 2 * sizeof(*tracks));
	uint64_t *clock = world_memory(world, sizeof(*clock));
	tern_address critical;
	tracks[0].clock = tracks[1].clock = clock;
	tern_address plain = spawn_on(world->self, 1, &behaviour, &tracks[0]);
	assert_int_equal(tern_spawn(world->self, &behaviour, &tracks[1], &options, &critical), 0);
	world_settle(world);
	send_numbers(world, plain, 1, 0, 100);
	send_numbers(world, critical, 1, 0, 100);
	world_settle(world);
	assert_int_equal(tracks[1].first, 1);
	assert_int_equal(tracks[0].first, 101);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tracks[i].sink.expected, 100);
		assert_int_equal(tracks[i].sink.wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLED(refuse_has_hysteresis),
		POLLED(below_high_water_nothing_is_refused),
		POLLED(what_is_on_its_way_is_taken),
		POLLED(a_full_mailbox_stops_nobody_else),
		POLLED(drop_oldest_drops_the_oldest),
		POLLED(drop_oldest_frees_blocks),
		POLLED(conflate_keeps_the_turn_of_the_oldest),
		POLLED(what_has_no_key_is_not_conflated),
		POLLED(conflate_agrees_with_a_list),
		POLLED(evict_ends_the_agent_and_returns_its_signals),
		POLLED(critical_agents_come_first),
	};
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
