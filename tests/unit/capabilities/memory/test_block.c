/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a block keeps its content under every capability, a shared one lives until its last
 * holder is gone and not longer, and only a lone holder may write again.
 * Method: each transition alone; then threads that read, share, drop and thaw the same blocks, so
 * that a sanitizer sees every access.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <errno.h>
#include <pthread.h>

#define POOL ((size_t)2 << 20)

struct quote {
	uint64_t price;
	uint64_t quantity;
};
TERN_BLOCK_TYPE(quote, struct quote);

static struct heaps heaps;

static int setup(void **state)
{
	(void)state;
	heaps_init(&heaps, HEAPS_MAX, POOL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	heaps_fini(&heaps);
	return 0;
}

static void test_transitions(void **state)
{
	struct tern_heap *heap = &heaps.heap[0];
	(void)state;
	tern_iso *iso = quote_create(heap);
	assert_non_null(iso);
	assert_int_equal(tern_block_size(iso), sizeof(struct quote));
	*quote_iso(iso) = (struct quote){.price = 7, .quantity = 8};
	tern_ref *ref = tern_iso_localize(iso);
	assert_int_equal(quote_ref(ref)->price++, 7);
	iso = tern_ref_recover(ref);
	assert_int_equal(quote_iso(iso)->price, 8);
	const tern_val *val = tern_iso_freeze(iso);
	assert_int_equal(quote_val(val)->price, 8);
	assert_int_equal(tern_val_count(val), 1);
	iso = tern_val_thaw(val);
	assert_non_null(iso);
	assert_int_equal(quote_iso(iso)->quantity, 8);
	tern_iso_drop(heap, iso);
	assert_int_equal(heap->in_use, 0);
}

static void test_counts(void **state)
{
	struct tern_heap *heap = &heaps.heap[0];
	(void)state;
	tern_iso *iso = quote_create(heap);
	assert_non_null(iso);
	const tern_val *val = tern_iso_freeze(iso);
	const tern_val *more[10];
	for (uint32_t i = 0; i < RTE_DIM(more); i++) {
		more[i] = tern_val_share(val);
		assert_ptr_equal(more[i], val);
		assert_int_equal(tern_val_count(val), i + 2);
	}
	tern_errno = 0;
	assert_null(tern_val_thaw(val));
	assert_int_equal(tern_errno, EBUSY);
	for (uint32_t i = 0; i < RTE_DIM(more); i++) {
		assert_int_equal(heap->in_use, 1);
		tern_val_drop(heap, more[i]);
	}
	assert_int_equal(tern_val_count(val), 1);
	tern_val_drop(heap, val);
	assert_int_equal(heap->in_use, 0);
}

static void test_nothing_to_drop(void **state)
{
	struct tern_heap *heap = &heaps.heap[0];
	(void)state;
	tern_iso_drop(heap, NULL);
	tern_val_drop(heap, NULL);
	tern_ref_drop(heap, NULL);
	assert_int_equal(heap->in_use, 0);
}

static void test_tags(void **state)
{
	tern_address address = tern_address_make(16383, TERN_AGENTS_MAX - 1, 0xFFFFFF);
	(void)state;
	assert_true(tern_tag_address(tern_tag_make(address)) == address);
	assert_true(tern_address_node(address) == 16383);
	assert_true(tern_address_slot(address) == TERN_AGENTS_MAX - 1);
	assert_true(tern_address_generation(address) == 0xFFFFFF);
	assert_null(tern_tag_make(TERN_ADDRESS_NONE));
}

static void *other_thread(void *argument)
{
	tern_errno = 0;
	assert_null(tern_iso_create(argument, SIZE_MAX));
	assert_int_equal(tern_errno, EMSGSIZE);
	return NULL;
}

static void test_errno_is_the_threads_own(void **state)
{
	pthread_t thread;
	(void)state;
	tern_errno = EBUSY;
	assert_int_equal(pthread_create(&thread, NULL, other_thread, &heaps.heap[1]), 0);
	pthread_join(thread, NULL);
	assert_int_equal(tern_errno, EBUSY);
}

#define SHARED 64
#define ROUNDS 100

/* Blocks that all threads hold one count of. */
static const tern_val *shared[SHARED];
static pthread_barrier_t barrier;

struct reader {
	uint32_t index;
	struct tern_rng rng;
	uint64_t thawed;
	bool failed;
};

static bool is_intact(const tern_val *val, uint64_t expected)
{
	const uint64_t *words = tern_val_data(val);
	for (size_t i = 0; i < tern_block_size(val) / sizeof(*words); i++)
		if (words[i] != expected)
			return false;
	return true;
}

/* Consumes one count, as the last holder through an iso that it scribbles over. */
static void use(struct reader *reader, const tern_val *val, uint64_t expected)
{
	struct tern_heap *heap = &heaps.heap[reader->index];
	reader->failed |= !is_intact(val, expected);
	for (uint64_t n = draw(&reader->rng, 3); n > 0; n--) {
		const tern_val *own = tern_val_share(val);
		reader->failed |= !is_intact(own, expected);
		tern_val_drop(heap, own);
	}
	tern_iso *iso = tern_val_thaw(val);
	if (!iso) {
		tern_val_drop(heap, val);
		return;
	}
	memset(tern_iso_data(iso), 0xEE, tern_block_size(iso));
	tern_iso_drop(heap, iso);
	reader->thawed++;
}

static void make_shared(struct tern_rng *rng, uint64_t round)
{
	for (uint64_t i = 0; i < SHARED; i++) {
		tern_iso *iso = tern_iso_create(&heaps.heap[0], draw(rng, 300));
		assert_non_null(iso);
		uint64_t *words = tern_iso_data(iso);
		for (size_t w = 0; w < tern_block_size(iso) / sizeof(*words); w++)
			words[w] = round + i;
		shared[i] = tern_iso_freeze(iso);
		for (uint32_t n = 1; n < HEAPS_MAX; n++)
			shared[i] = tern_val_share(shared[i]);
	}
}

static void *read_shared(void *argument)
{
	struct reader *reader = argument;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		if (reader->index == 0) {
			heaps_collect(&heaps);
			make_shared(&reader->rng, round);
		}
		pthread_barrier_wait(&barrier);
		for (uint64_t i = 0; i < SHARED; i++)
			use(reader, shared[i], round + i);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void test_shared_by_threads(void **state)
{
	struct tern_rng rng = test_rng(61);
	struct reader readers[HEAPS_MAX];
	pthread_t threads[HEAPS_MAX];
	uint64_t thawed = 0;
	(void)state;
	pthread_barrier_init(&barrier, NULL, HEAPS_MAX);
	for (uint32_t i = 0; i < HEAPS_MAX; i++) {
		readers[i] = (struct reader){.index = i, .rng.state = tern_rng_next(&rng)};
		assert_int_equal(pthread_create(&threads[i], NULL, read_shared, &readers[i]), 0);
	}
	for (uint32_t i = 0; i < HEAPS_MAX; i++) {
		pthread_join(threads[i], NULL);
		assert_false(readers[i].failed);
		thawed += readers[i].thawed;
	}
	pthread_barrier_destroy(&barrier);
	print_message("%llu of %u thawed by their last holder\n", (unsigned long long)thawed,
		      ROUNDS * SHARED);
	assert_true(thawed <= ROUNDS * SHARED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_transitions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_drop, setup, teardown),
		cmocka_unit_test(test_tags),
		cmocka_unit_test_setup_teardown(test_errno_is_the_threads_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_by_threads, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
