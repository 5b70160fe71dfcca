/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a run that is handed out is free, aligned and nobody else's; there is none only where no
 * free units lie together; all is one again when everything is back; the pool itself is not
 * touched. Method: random takes and puts beside a map of units, in pools of whole slabs and of odd
 * lengths. The pool is address space without access.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <sys/mman.h>

#include "capabilities/memory/buddy.h"

#define UNIT ((size_t)1 << TERN_UNIT_SHIFT)
#define SLAB ((size_t)1 << TERN_SLAB_SHIFT)
#define UNITS_MAX 2048

struct run {
	size_t at;
	uint32_t order;
};

struct model {
	struct tern_buddy buddy;
	unsigned char *pool;
	size_t units;
	bool taken[UNITS_MAX];
	struct run runs[UNITS_MAX];
	uint32_t count;
};

static void model_init(struct model *model, size_t units)
{
	*model = (struct model){.units = units};
	model->pool = mmap(NULL, UNITS_MAX * UNIT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(model->pool != MAP_FAILED);
	struct tern_span span = {.next = model->pool, .end = model->pool + units * UNIT + UNIT / 2};
	assert_int_equal(tern_buddy_init(&model->buddy, span, 64), 0);
}

static void model_fini(struct model *model)
{
	tern_buddy_fini(&model->buddy);
	munmap(model->pool, UNITS_MAX * UNIT);
}

static bool is_free(const struct model *model, size_t at, uint32_t order)
{
	for (size_t i = at; i < at + ((size_t)1 << order); i++)
		if (i >= model->units || model->taken[i])
			return false;
	return true;
}

static bool has_run(const struct model *model, uint32_t order)
{
	for (size_t at = 0; at < model->units; at += (size_t)1 << order)
		if (is_free(model, at, order))
			return true;
	return false;
}

static void set_taken(struct model *model, const struct run *run, bool taken)
{
	memset(model->taken + run->at, taken, (size_t)1 << run->order);
}

static bool step_take(struct model *model, uint32_t order)
{
	const unsigned char *memory = tern_buddy_take(&model->buddy, order);
	if (!memory) {
		assert_false(has_run(model, order));
		return false;
	}
	struct run run = {.at = (size_t)(memory - model->pool) / UNIT, .order = order};
	assert_int_equal((size_t)(memory - model->pool) % (UNIT << order), 0);
	assert_true(is_free(model, run.at, order));
	set_taken(model, &run, true);
	model->runs[model->count++] = run;
	return true;
}

/* Whole, or as its two halves. */
static void step_put(struct model *model, uint32_t which, bool halves)
{
	struct run run = model->runs[which];
	const unsigned char *memory = model->pool + run.at * UNIT;
	set_taken(model, &run, false);
	model->runs[which] = model->runs[--model->count];
	if (halves && run.order > 0) {
		uint32_t half = run.order - 1;
		tern_buddy_put(&model->buddy, memory + (UNIT << half), half);
		tern_buddy_put(&model->buddy, memory, half);
	} else {
		tern_buddy_put(&model->buddy, memory, run.order);
	}
}

/* Whatever went before: the same count of each order as in a new pool. */
static void check_whole(struct model *model)
{
	for (uint32_t order = 0; order < TERN_ORDERS; order++) {
		while (step_take(model, order))
			;
		assert_int_equal(model->count, model->units >> order);
		while (model->count > 0)
			step_put(model, 0, false);
	}
}

static void run_steps(struct tern_rng *rng, size_t units)
{
	static struct model model;
	model_init(&model, units);
	for (uint32_t i = 0; i < 4000; i++) {
		/* Waves, so that it is now nearly full and now nearly empty. */
		uint64_t puts = i / 500 % 2 ? 3 : 1;
		if (model.count == 0 || draw(rng, 4) >= puts)
			step_take(&model, (uint32_t)draw(rng, TERN_ORDERS));
		else
			step_put(&model, (uint32_t)draw(rng, model.count), draw(rng, 2));
	}
	while (model.count > 0)
		step_put(&model, (uint32_t)draw(rng, model.count), draw(rng, 2));
	check_whole(&model);
	model_fini(&model);
}

static void test_random_runs(void **state)
{
	struct tern_rng rng = test_rng(11);
	(void)state;
	for (int round = 0; round < 30; round++) {
		run_steps(&rng, UNITS_MAX);
		run_steps(&rng, 1 + draw(&rng, UNITS_MAX));
	}
}

static void test_new_pools(void **state)
{
	static struct model model;
	(void)state;
	for (size_t units = 0; units <= 3 * SLAB / UNIT; units++) {
		model_init(&model, units);
		check_whole(&model);
		model_fini(&model);
	}
}

/* What is used already serves before what never was, and a small run breaks no larger one. */
static void test_smallest_that_will_do(void **state)
{
	static struct model model;
	(void)state;
	model_init(&model, UNITS_MAX);
	const unsigned char *large = tern_buddy_take(&model.buddy, TERN_ORDERS - 1);
	unsigned char *small = tern_buddy_take(&model.buddy, 0);
	assert_ptr_equal(small, large + SLAB);
	tern_buddy_put(&model.buddy, large, TERN_ORDERS - 1);
	assert_ptr_equal(tern_buddy_take(&model.buddy, 0), small + UNIT);
	assert_ptr_equal(tern_buddy_take(&model.buddy, 0), small + 2 * UNIT);
	tern_buddy_put(&model.buddy, small, 0);
	assert_ptr_equal(tern_buddy_take(&model.buddy, 1), small + 4 * UNIT);
	assert_ptr_equal(tern_buddy_take(&model.buddy, TERN_ORDERS - 1), large);
	model_fini(&model);
}

static void test_start_is_aligned(void **state)
{
	struct tern_buddy buddy;
	unsigned char *pool = (unsigned char *)4096;
	(void)state;
	assert_int_equal(tern_buddy_init(&buddy, (struct tern_span){pool + 1, pool + SLAB}, 64), 0);
	assert_int_equal(buddy.units, SLAB / UNIT - 1);
	assert_ptr_equal(tern_buddy_take(&buddy, TERN_ORDERS - 2), pool + 64);
	tern_buddy_fini(&buddy);
	assert_int_equal(tern_buddy_init(&buddy, (struct tern_span){pool + 1, pool + 2}, 64), 0);
	assert_null(tern_buddy_take(&buddy, 0));
	tern_buddy_fini(&buddy);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_runs),
		cmocka_unit_test(test_new_pools),
		cmocka_unit_test(test_smallest_that_will_do),
		cmocka_unit_test(test_start_is_aligned),
	};
	if (argc > 1)
		setenv("TERN_SEED", argv[1], 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
