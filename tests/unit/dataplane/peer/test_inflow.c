/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: frames of a class are handed over in order, each once, however they come, and those of
 * other classes do not wait. Method: examples; then random orders beside the order of sending.
 */
#include "tests/unit/dataplane/peer/pieces.h"

#include "dataplane/peer/inflow.h"

enum { MAX = 64 };
static struct tern_inflow_frame memory[MAX];
static char frames[MAX + 1];
static uint32_t dropped;

static void count_drop(struct rte_mbuf *mbuf)
{
	assert_non_null(mbuf);
	dropped++;
}

static bool push(struct tern_inflow *inflow, uint8_t flow_class, uint64_t position,
		 uint32_t distance)
{
	struct tern_inflow_frame frame = {
		.mbuf = (void *)&frames[position], .position = position, .distance = distance};
	return tern_inflow_push(inflow, flow_class, &frame);
}

static void test_a_gap_holds_up_its_class_alone(void **state)
{
	struct tern_inflow inflow;
	(void)state;
	tern_inflow_init(&inflow, memory, MAX);
	assert_true(push(&inflow, 3, 4, 2)); /* behind 2, which has not come */
	assert_true(push(&inflow, 5, 3, 0));
	assert_null(tern_inflow_ready(&inflow, 3, 1));
	assert_non_null(tern_inflow_ready(&inflow, 5, 1));
	assert_ptr_equal(tern_inflow_pop(&inflow, 5), &frames[3]);
	assert_true(push(&inflow, 3, 2, 0));
	assert_int_equal(tern_inflow_ready(&inflow, 3, 1)->position, 2);
	assert_ptr_equal(tern_inflow_pop(&inflow, 3), &frames[2]);
	assert_int_equal(tern_inflow_ready(&inflow, 3, 1)->position, 4);
	assert_ptr_equal(tern_inflow_pop(&inflow, 3), &frames[4]);
	assert_int_equal(inflow.count, 0);
	assert_int_equal(inflow.classes, 0);
}

static void test_what_lies_below_the_base_has_come(void **state)
{
	struct tern_inflow inflow;
	(void)state;
	tern_inflow_init(&inflow, memory, MAX);
	assert_true(push(&inflow, 0, 40, 30));
	assert_null(tern_inflow_ready(&inflow, 0, 10));
	assert_non_null(tern_inflow_ready(&inflow, 0, 11));
}

static void test_random_orders(void **state)
{
	struct tern_rng rng = seeded(2);
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct tern_inflow inflow;
		uint64_t last[4] = {0}, handed[4] = {0};
		uint32_t distance[MAX + 1], order[MAX], count = 0;
		uint8_t class[MAX + 1];
		tern_inflow_init(&inflow, memory, MAX);
		for (uint32_t i = 1; i <= MAX; i++) {
			class[i] = (uint8_t)draw(&rng, 4);
			distance[i] = last[class[i]] ? (uint32_t)(i - last[class[i]]) : 0;
			last[class[i]] = i;
			order[i - 1] = i;
		}
		for (uint32_t i = MAX - 1; i > 0; i--) {
			uint32_t other = draw(&rng, i + 1), kept = order[i];
			order[i] = order[other];
			order[other] = kept;
		}
		for (uint32_t i = 0; i < MAX; i++) {
			uint8_t of = class[order[i]];
			assert_true(push(&inflow, of, order[i], distance[order[i]]));
			struct tern_inflow_frame *frame;
			while ((frame = tern_inflow_ready(&inflow, of, 1))) {
				uint64_t before =
					frame->distance ? frame->position - frame->distance : 0;
				assert_int_equal(before, handed[of]);
				handed[of] = frame->position;
				tern_inflow_pop(&inflow, of);
				count++;
			}
		}
		assert_int_equal(count, MAX);
	}
}

static void test_the_end_keeps_what_was_ready(void **state)
{
	struct tern_inflow inflow;
	(void)state;
	dropped = 0;
	tern_inflow_init(&inflow, memory, 4);
	assert_true(push(&inflow, 1, 5, 0));
	assert_true(push(&inflow, 1, 6, 1));
	assert_true(push(&inflow, 1, 9, 2)); /* 7 is missing */
	assert_true(push(&inflow, 2, 10, 2));
	assert_false(push(&inflow, 2, 11, 1));
	tern_inflow_end(&inflow, 5, count_drop);
	assert_int_equal(dropped, 2);
	assert_int_equal(inflow.count, 2);
	/* The next session's come behind them. */
	assert_true(push(&inflow, 1, 1, 0));
	assert_ptr_equal(tern_inflow_ready(&inflow, 1, 1)->mbuf, &frames[5]);
	assert_ptr_equal(tern_inflow_pop(&inflow, 1), &frames[5]);
	assert_ptr_equal(tern_inflow_pop(&inflow, 1), &frames[6]);
	assert_ptr_equal(tern_inflow_ready(&inflow, 1, 1)->mbuf, &frames[1]);
	assert_null(tern_inflow_ready(&inflow, 2, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_gap_holds_up_its_class_alone),
		cmocka_unit_test(test_what_lies_below_the_base_has_come),
		cmocka_unit_test(test_random_orders),
		cmocka_unit_test(test_the_end_keeps_what_was_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
