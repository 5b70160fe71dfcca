/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a lane hands every signal over once, whole and in order, and never more than it holds.
 * Method: random steps of both ends in one thread beside a queue of positions, at small depths
 * and over more laps than a sequence can count; two threads that check every byte.
 */
#include "capability_test.h"

#include <pthread.h>
#include <sched.h>

#include "capabilities/lane.h"

static struct tern_lane *make_lane(uint32_t depth)
{
	size_t bytes = RTE_ALIGN(tern_lane_bytes(depth), TERN_LINE);
	struct tern_lane *lane = aligned_alloc(TERN_LINE, bytes);
	assert_non_null(lane);
	memset(lane, 0, bytes);
	tern_lane_init(lane, depth);
	return lane;
}

/* What the slot of a position holds is derived from the position. */
static void fill(struct tern_signal *slot, uint64_t position)
{
	for (size_t i = 0; i < RTE_DIM(slot->payload.words); i++)
		slot->payload.words[i] = position * (2 * i + 1);
	slot->from = ~position;
}

static void push(struct tern_lane_out *out, uint64_t position)
{
	struct tern_signal *slot = tern_lane_slot(out);
	fill(slot, position);
	tern_lane_push(out, slot, (uint16_t)(position * 7), (uint32_t)(position * 11));
}

static bool holds(const struct tern_signal *slot, uint64_t position)
{
	for (size_t i = 0; i < RTE_DIM(slot->payload.words); i++)
		if (slot->payload.words[i] != position * (2 * i + 1))
			return false;
	return slot->from == ~position && slot->type == (uint16_t)(position * 7) &&
	       slot->stamp == (uint32_t)(position * 11);
}

/* The lane as it should be: positions below `pushed` are in it, below `read` taken out. */
struct model {
	struct tern_lane *lane;
	struct tern_lane_out out;
	struct tern_lane_in in;
	uint64_t depth, pushed, read, published;
};

static void step_push(struct model *model)
{
	bool room = model->pushed - model->published < model->depth;
	if (tern_lane_spent(&model->out)) {
		assert_int_equal(tern_lane_refresh(&model->out), room);
		assert_int_equal(tern_lane_spent(&model->out), !room);
	}
	assert_true(room || tern_lane_spent(&model->out));
	if (room)
		push(&model->out, model->pushed++);
}

static void step_read(struct model *model)
{
	const struct tern_signal *slot = tern_lane_peek(&model->in);
	if (model->read == model->pushed) {
		assert_null(slot);
		return;
	}
	assert_non_null(slot);
	assert_true(holds(slot, model->read));
	tern_lane_next(&model->in);
	model->read++;
}

static void step_publish(struct model *model)
{
	tern_lane_publish(&model->in);
	model->published = model->read;
	assert_int_equal(model->lane->head, (uint32_t)model->published);
}

/* Short of its depth, a credit holds back what was read; what was given stays given. */
static void step_publish_within(struct model *model, uint64_t credit)
{
	int64_t held = credit < model->depth ? (int64_t)(model->depth - credit) : 0;
	int64_t to = (int64_t)model->read - held;
	tern_lane_publish_within(&model->in, (uint32_t)credit);
	if (to > (int64_t)model->published)
		model->published = (uint64_t)to;
	assert_int_equal(model->lane->head, (uint32_t)model->published);
}

static void step(struct model *model, uint64_t choice)
{
	if (choice % 17 < 8)
		step_push(model);
	else if (choice % 17 < 14)
		step_read(model);
	else if (choice % 17 < 16)
		step_publish(model);
	else
		step_publish_within(model, 1 + choice / 17);
}

static void model_init(struct model *model, uint32_t depth)
{
	*model = (struct model){.lane = make_lane(depth), .depth = depth};
	tern_lane_open_out(model->lane, &model->out);
	tern_lane_open_in(model->lane, &model->in);
}

static void test_random_steps(void **state)
{
	static const uint32_t depths[] = {1, 2, 4, 8, 64, 512};
	struct tern_rng rng = test_rng(41);
	(void)state;
	for (size_t d = 0; d < RTE_DIM(depths); d++) {
		struct model model;
		model_init(&model, depths[d]);
		for (int i = 0; i < 200000; i++)
			step(&model, draw(&rng, 17 * (depths[d] + 1)));
		assert_true(model.read > 0);
		free(model.lane);
	}
}

/* The 16 bits of a lap run over twice. */
static void test_lap_wrap(void **state)
{
	struct tern_rng rng = test_rng(42);
	(void)state;
	for (uint32_t depth = 1; depth <= 4; depth *= 2) {
		struct model model;
		model_init(&model, depth);
		while (model.read < 2ull * depth * 65536 + 10 * depth) {
			for (uint64_t n = draw(&rng, depth + 1); n > 0; n--)
				step_push(&model);
			for (uint64_t n = draw(&rng, depth + 2); n > 0; n--)
				step_read(&model);
			step_publish(&model);
		}
		free(model.lane);
	}
}

static void test_full_and_spent(void **state)
{
	struct tern_lane *lane = make_lane(4);
	struct tern_lane_out out;
	struct tern_lane_in in;
	(void)state;
	tern_lane_open_out(lane, &out);
	tern_lane_open_in(lane, &in);
	for (uint64_t i = 0; i < 4; i++) {
		assert_false(tern_lane_spent(&out));
		push(&out, i);
	}
	assert_true(tern_lane_spent(&out));
	assert_false(tern_lane_refresh(&out));
	tern_lane_next(&in);
	assert_false(tern_lane_refresh(&out)); /* read, but not given back */
	tern_lane_publish(&in);
	assert_true(tern_lane_spent(&out)); /* nobody looked yet */
	assert_true(tern_lane_refresh(&out));
	assert_false(tern_lane_spent(&out));
	push(&out, 4);
	assert_true(tern_lane_spent(&out));
	free(lane);
}

static void test_no_lane_yet(void **state)
{
	struct tern_lane_out out = {0};
	(void)state;
	assert_true(tern_lane_spent(&out));
	assert_false(tern_lane_refresh(&out));
}

/* When all is read, a credit is how many can be pushed; more of it is given at once. */
static void test_credit(void **state)
{
	enum { DEPTH = 64 };
	struct model model;
	(void)state;
	model_init(&model, DEPTH);
	for (uint64_t credit = 1; credit <= DEPTH; credit++) {
		for (int round = 0; round < 3; round++) {
			while (model.pushed - model.published < DEPTH)
				step_push(&model);
			while (model.read < model.pushed)
				step_read(&model);
			step_publish_within(&model, credit);
			assert_int_equal(DEPTH - (model.pushed - model.published), credit);
		}
		step_publish(&model);
		assert_int_equal(model.published, model.pushed);
	}
	free(model.lane);
}

struct traffic {
	struct tern_lane *lane;
	uint64_t count;
};

static void *produce(void *argument)
{
	const struct traffic *traffic = argument;
	struct tern_lane_out out;
	tern_lane_open_out(traffic->lane, &out);
	for (uint64_t i = 0; i < traffic->count; i++) {
		while (tern_lane_spent(&out) && !tern_lane_refresh(&out))
			sched_yield();
		push(&out, i);
	}
	return NULL;
}

static void consume(const struct traffic *traffic, struct tern_rng *rng)
{
	struct tern_lane_in in;
	tern_lane_open_in(traffic->lane, &in);
	for (uint64_t i = 0; i < traffic->count;) {
		uint64_t batch = 1 + draw(rng, 2 * traffic->lane->depth);
		const struct tern_signal *slot;
		for (; batch > 0 && (slot = tern_lane_peek(&in)) != NULL; batch--) {
			assert_true(holds(slot, i));
			tern_lane_next(&in);
			i++;
		}
		tern_lane_publish(&in);
		if (batch > 0)
			sched_yield();
	}
	assert_null(tern_lane_peek(&in));
}

static void test_two_threads(void **state)
{
	static const struct {
		uint32_t depth;
		uint64_t count;
	} runs[] = {{1, 20000}, {2, 50000}, {8, 200000}, {1024, 500000}};
	struct tern_rng rng = test_rng(43);
	(void)state;
	for (size_t i = 0; i < RTE_DIM(runs); i++) {
		struct traffic traffic = {make_lane(runs[i].depth), runs[i].count};
		pthread_t producer;
		assert_int_equal(pthread_create(&producer, NULL, produce, &traffic), 0);
		consume(&traffic, &rng);
		pthread_join(producer, NULL);
		free(traffic.lane);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),   cmocka_unit_test(test_lap_wrap),
		cmocka_unit_test(test_full_and_spent), cmocka_unit_test(test_no_lane_yet),
		cmocka_unit_test(test_credit),	       cmocka_unit_test(test_two_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
