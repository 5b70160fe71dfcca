/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the heap yields the least key first, equal keys in the order they came, also when the
 * counter that remembers this order runs over.
 * Method: small cases by hand; random keys, few of them different, against a table in which the
 * oldest of the least is searched for.
 */
#include "tests/unit/support.h"

#include "engine/queue/order.h"

enum { ROOM = 400, STEPS = 20000 };

struct item {
	uint64_t key;
	uint64_t came; /* 0: not in the heap */
};

struct model {
	struct tern_order order;
	struct tern_order_entry entries[ROOM];
	struct item items[ROOM]; /* by slot */
	uint64_t came;
	uint32_t count;
};

static void model_init(struct model *model, uint32_t sequence)
{
	memset(model, 0, sizeof(*model));
	model->order = (struct tern_order){.entries = model->entries, .sequence = sequence};
}

static void model_push(struct model *model, uint32_t slot, uint64_t key)
{
	if (model->items[slot].came)
		return;
	model->items[slot] = (struct item){.key = key, .came = ++model->came};
	model->count++;
	tern_order_push(&model->order, key, slot);
}

static bool is_before(const struct item *a, const struct item *b)
{
	return a->key != b->key ? a->key < b->key : a->came < b->came;
}

static uint32_t expected(const struct model *model)
{
	uint32_t best = ROOM;
	for (uint32_t slot = 0; slot < ROOM; slot++)
		if (model->items[slot].came &&
		    (best == ROOM || is_before(&model->items[slot], &model->items[best])))
			best = slot;
	return best;
}

static void model_pop(struct model *model)
{
	if (!model->count)
		return;
	uint32_t slot = expected(model);
	assert_true(tern_order_first(&model->order) == model->items[slot].key);
	assert_int_equal(tern_order_pop(&model->order), slot);
	model->items[slot].came = 0;
	model->count--;
	assert_int_equal(model->order.count, model->count);
}

static void the_least_key_leaves_first(void **state)
{
	static const uint64_t keys[] = {5, UINT64_MAX, 0, 7, 1ull << 63, 6, 3};
	static const uint32_t order[] = {2, 6, 0, 5, 3, 4, 1};
	struct model model;
	(void)state;
	model_init(&model, 0);
	for (uint32_t i = 0; i < 7; i++)
		tern_order_push(&model.order, keys[i], i);
	for (uint32_t i = 0; i < 7; i++) {
		assert_true(tern_order_first(&model.order) == keys[order[i]]);
		assert_int_equal(tern_order_pop(&model.order), order[i]);
	}
	assert_int_equal(model.order.count, 0);
}

/* The counter of arrivals runs over in the middle, at both of its ends. */
static void equal_keys_leave_as_they_came(void **state)
{
	static const uint32_t starts[] = {0, UINT32_MAX - 50, INT32_MAX - 50};
	struct model model;
	(void)state;
	for (int i = 0; i < 3; i++) {
		model_init(&model, starts[i]);
		for (uint32_t slot = 0; slot < 100; slot++)
			tern_order_push(&model.order, 42, 99 - slot);
		for (uint32_t slot = 0; slot < 100; slot++)
			assert_int_equal(tern_order_pop(&model.order), 99 - slot);
	}
}

static void run_model(uint64_t seed, uint32_t keys, uint32_t sequence)
{
	struct model model;
	struct tern_rng rng = {.state = seed};
	model_init(&model, sequence);
	for (int i = 0; i < STEPS; i++) {
		/* Now mostly in, now mostly out, so that it is full and empty by turns. */
		uint32_t in = i / 1000 % 2 ? 3 : 7;
		if (pick(&rng, 10) < in)
			model_push(&model, pick(&rng, ROOM), pick(&rng, keys));
		else
			model_pop(&model);
	}
	while (model.count)
		model_pop(&model);
}

static void it_agrees_with_a_search(void **state)
{
	uint64_t seed = test_seed(1);
	(void)state;
	run_model(seed, 3, 0);
	run_model(seed + 1, 50, UINT32_MAX - 1000);
	run_model(seed + 2, UINT32_MAX, INT32_MAX - 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_key_leaves_first),
		cmocka_unit_test(equal_keys_leave_as_they_came),
		cmocka_unit_test(it_agrees_with_a_search),
	};
	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
