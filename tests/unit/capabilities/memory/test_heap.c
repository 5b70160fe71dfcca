/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a heap hands out blocks of the right class that nobody else holds, says so when it is
 * used up, recovers, and gets every block back from wherever it was freed.
 * Method: all sizes; a small pool driven to its end; random steps on several heaps beside a model
 * that knows each block's content and holders.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <errno.h>

#define POOL ((size_t)1 << 20)

static uint32_t expected_class(size_t size)
{
#if TERN_DEBUG_BLOCKS
	uint32_t class = 3; /* whole pages */
#else
	uint32_t class = 0;
#endif
	while (((size_t)512 << class) < size + TERN_BLOCK_OFFSET)
		class ++;
	return class;
}

static void test_all_sizes(void **state)
{
	struct heaps heaps;
	(void)state;
	heaps_init(&heaps, 1, POOL);
	for (size_t size = 0; size <= TERN_BLOCK_SIZE_MAX; size++) {
		tern_iso *iso = tern_iso_create(&heaps.heap[0], size);
		assert_non_null(iso);
		assert_int_equal(tern_block_size(iso), size);
		assert_int_equal(block_of_iso(iso)->class, expected_class(size));
		assert_int_equal((uintptr_t)tern_iso_data(iso) % 64, 0);
		assert_int_equal(heaps.heap[0].in_use, 1);
		memset(tern_iso_data(iso), (int)size, size);
		assert_ptr_equal(block_of_iso(iso)->home, &heaps.heap[0]);
		tern_iso_drop(&heaps.heap[0], iso);
		assert_int_equal(heaps.heap[0].in_use, 0);
	}
	heaps_fini(&heaps);
}

static void test_too_large(void **state)
{
	struct heaps heaps;
	(void)state;
	heaps_init(&heaps, 1, POOL);
	tern_errno = 0;
	assert_null(tern_iso_create(&heaps.heap[0], TERN_BLOCK_SIZE_MAX + 1));
	assert_int_equal(tern_errno, EMSGSIZE);
	tern_errno = 0;
	assert_null(tern_iso_create(&heaps.heap[0], SIZE_MAX));
	assert_int_equal(tern_errno, EMSGSIZE);
	assert_int_equal(heaps.heap[0].in_use, 0);
	heaps_fini(&heaps);
}

/* Fill a pool with blocks of one size; returns how many there were. */
static size_t exhaust(struct tern_heap *heap, size_t size, tern_iso **blocks)
{
	size_t count = 0;
	tern_iso *iso;
	tern_errno = 0;
	while ((iso = tern_iso_create(heap, size)) != NULL) {
		memset(tern_iso_data(iso), (int)count, size);
		blocks[count++] = iso;
	}
	assert_int_equal(tern_errno, ENOMEM);
	return count;
}

static void test_exhaustion(void **state)
{
	static const size_t sizes[] = {1, 256, 3000, 30000, TERN_BLOCK_SIZE_MAX};
	static tern_iso *blocks[POOL / 512];
	(void)state;
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		struct heaps heaps;
		heaps_init(&heaps, 1, POOL);
		struct tern_heap *heap = &heaps.heap[0];
		for (int round = 0; round < 3; round++) {
			size_t count = exhaust(heap, sizes[i], blocks);
			assert_int_equal(count, POOL / 512 >> expected_class(sizes[i]));
			assert_int_equal(heap->in_use, count);
			assert_null(tern_iso_create(heap, 0));
			for (size_t b = 0; b < count; b++) {
				const unsigned char *data = tern_iso_data(blocks[b]);
				assert_int_equal(data[0], (unsigned char)b);
				assert_int_equal(data[sizes[i] - 1], (unsigned char)b);
				tern_iso_drop(heap, blocks[b]);
			}
		}
		heaps_fini(&heaps);
	}
}

static void test_larger_class_is_split(void **state)
{
	static tern_iso *blocks[POOL / 512];
	struct heaps heaps;
	(void)state;
	heaps_init(&heaps, 1, POOL);
	struct tern_heap *heap = &heaps.heap[0];
	size_t large = exhaust(heap, TERN_BLOCK_SIZE_MAX, blocks);
	tern_iso_drop(heap, blocks[--large]);
	tern_iso **smalls = blocks + large;
	size_t small = exhaust(heap, 10, smalls);
	assert_int_equal(small, ((size_t)1 << 16) / 512 >> expected_class(10));
	for (size_t b = 0; b < small; b++) {
		assert_int_equal(tern_block_size(smalls[b]), 10);
		assert_int_equal(block_of_iso(smalls[b])->class, expected_class(10));
		tern_iso_drop(heap, smalls[b]);
	}
	blocks[large] = tern_iso_create(heap, TERN_BLOCK_SIZE_MAX);
	assert_non_null(blocks[large]);
	for (size_t b = 0; b <= large; b++)
		tern_iso_drop(heap, blocks[b]);
	heaps_fini(&heaps);
}

static void test_freed_elsewhere(void **state)
{
	enum { COUNT = 100 };
	static tern_iso *blocks[POOL / 512];
	struct heaps heaps;
	(void)state;
	heaps_init(&heaps, 3, POOL);
	for (uint32_t i = 0; i < COUNT; i++) {
		tern_iso *iso = tern_iso_create(&heaps.heap[0], 100);
		assert_non_null(iso);
		tern_iso_drop(&heaps.heap[1 + i % 2], iso);
	}
	assert_int_equal(heaps.heap[0].in_use, COUNT);
	assert_int_equal(heaps.heap[1].away_count, COUNT / 2);
	assert_int_equal(heaps.away[1][0].count, COUNT / 2);
	assert_int_equal(heaps.away[2][0].count, COUNT / 2);
	assert_null(heaps.away[1][0].last->next);
	heaps_hand_over(&heaps, 1, 0);
	assert_int_equal(heaps.heap[0].in_use, COUNT / 2);
	heaps_hand_over(&heaps, 2, 0);
	assert_int_equal(heaps.heap[0].in_use, 0);
	size_t all = exhaust(&heaps.heap[0], 100, blocks);
	assert_int_equal(all, POOL / 512 >> expected_class(100));
	while (all > 0)
		tern_iso_drop(&heaps.heap[0], blocks[--all]);
	heaps_fini(&heaps);
}

/* One block that the model holds; `holders` counts of it where it is a val. */
struct held {
	enum { ISO, VAL, REF } kind;
	tern_iso *iso;
	const tern_val *val;
	tern_ref *ref;
	size_t size;
	unsigned char content;
	uint32_t home;
	uint32_t holders;
};

#define HELD_MAX 300

struct model {
	struct heaps heaps;
	struct held held[HELD_MAX];
	uint32_t count;
	uint64_t made, refused;
};

static const unsigned char *held_data(const struct held *held)
{
	if (held->kind == ISO)
		return tern_iso_data(held->iso);
	return held->kind == VAL ? tern_val_data(held->val) : tern_ref_data(held->ref);
}

static size_t held_size(const struct held *held)
{
	if (held->kind == ISO)
		return tern_block_size(held->iso);
	return held->kind == VAL ? tern_block_size(held->val) : tern_block_size(held->ref);
}

static void check_content(const struct held *held)
{
	const unsigned char *data = held_data(held);
	assert_int_equal(held_size(held), held->size);
	for (size_t i = 0; i < held->size; i++)
		if (data[i] != held->content)
			fail_msg("byte %zu of %zu: met %u, needed %u", i, held->size, data[i],
				 held->content);
}

static void step_create(struct model *model, struct tern_rng *rng)
{
	uint32_t home = (uint32_t)draw(rng, HEAPS_MAX);
	size_t size = draw(rng, 4) ? draw(rng, 1000) : draw(rng, TERN_BLOCK_SIZE_MAX + 1);
	if (model->count == HELD_MAX)
		return;
	tern_iso *iso = tern_iso_create(&model->heaps.heap[home], size);
	if (!iso) {
		assert_int_equal(tern_errno, ENOMEM);
		model->refused++;
		return;
	}
	unsigned char content = (unsigned char)tern_rng_next(rng);
	memset(tern_iso_data(iso), content, size);
	model->held[model->count++] = (struct held){
		.iso = iso, .size = size, .content = content, .home = home, .holders = 1};
	model->made++;
}

static void step_drop(struct model *model, struct held *held, struct tern_heap *heap)
{
	check_content(held);
	if (held->kind == ISO)
		tern_iso_drop(heap, held->iso);
	else if (held->kind == VAL)
		tern_val_drop(heap, held->val);
	else
		tern_ref_drop(heap, held->ref);
	if (--held->holders == 0)
		*held = model->held[--model->count];
}

static void step_share_or_thaw(struct held *held, bool share)
{
	assert_int_equal(tern_val_count(held->val), held->holders);
	if (share) {
		held->val = tern_val_share(held->val);
		held->holders++;
		return;
	}
	tern_errno = 0;
	tern_iso *iso = tern_val_thaw(held->val);
	assert_int_equal(iso != NULL, held->holders == 1);
	assert_int_equal(tern_errno, iso ? 0 : EBUSY);
	if (iso) {
		held->iso = iso;
		held->kind = ISO;
	}
}

/* Another capability for the same block, and new content where it may be written. */
static void step_change(struct held *held, struct tern_rng *rng)
{
	if (held->kind == VAL) {
		step_share_or_thaw(held, draw(rng, 2));
	} else if (held->kind == REF) {
		held->content++;
		memset(tern_ref_data(held->ref), held->content, held->size);
		held->iso = tern_ref_recover(held->ref);
		held->kind = ISO;
	} else if (draw(rng, 2)) {
		held->ref = tern_iso_localize(held->iso);
		held->kind = REF;
	} else {
		held->val = tern_iso_freeze(held->iso);
		held->kind = VAL;
	}
	check_content(held);
}

static void check_counts(const struct model *model)
{
	const struct heaps *heaps = &model->heaps;
	for (uint32_t home = 0; home < HEAPS_MAX; home++) {
		uint64_t out = 0, away = 0;
		for (uint32_t i = 0; i < model->count; i++)
			out += model->held[i].home == home;
		for (uint32_t i = 0; i < HEAPS_MAX; i++) {
			out += heaps->away[i][home].count;
			away += heaps->away[home][i].count;
		}
		assert_int_equal(heaps->heap[home].in_use, out);
		assert_int_equal(heaps->heap[home].away_count, away);
	}
}

static void step(struct model *model, struct tern_rng *rng)
{
	uint64_t choice = draw(rng, 16);
	struct held *held = model->count ? &model->held[draw(rng, model->count)] : NULL;
	if (choice < 7 || !held)
		step_create(model, rng);
	else if (choice < 13)
		step_drop(model, held, &model->heaps.heap[draw(rng, HEAPS_MAX)]);
	else if (choice < 15)
		step_change(held, rng);
	else
		heaps_hand_over(&model->heaps, (uint32_t)draw(rng, HEAPS_MAX),
				(uint32_t)draw(rng, HEAPS_MAX));
}

static void test_random_steps(void **state)
{
	struct model *model = calloc(1, sizeof(*model));
	struct tern_rng rng = test_rng(51);
	(void)state;
	assert_non_null(model);
	heaps_init(&model->heaps, HEAPS_MAX, POOL);
	for (int i = 0; i < 50000; i++) {
		step(model, &rng);
		if (i % 64 == 0)
			check_counts(model);
	}
	print_message("%llu blocks made, %llu refused\n", (unsigned long long)model->made,
		      (unsigned long long)model->refused);
	while (model->count > 0)
		step_drop(model, &model->held[0], &model->heaps.heap[draw(&rng, HEAPS_MAX)]);
	heaps_fini(&model->heaps);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sizes),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_larger_class_is_split),
		cmocka_unit_test(test_freed_elsewhere),
		cmocka_unit_test(test_random_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
