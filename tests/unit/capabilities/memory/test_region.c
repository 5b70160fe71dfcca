/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: memory added to a region is zeroed, stays where it is, and is never more than was reserved.
 * Method: regions that grow in odd steps, with and without hugepages asked for, beside a copy of
 * what was written; one that is too small.
 */
#include "tests/unit/support.h"

#include "capabilities/memory/arena.h"
#include "capabilities/memory/region.h"

static void check(const unsigned char *memory, size_t from, size_t to, unsigned char value)
{
	for (size_t at = from; at < to; at += 509)
		assert_int_equal(memory[at], value);
}

static void it_grows_in_place(void **state)
{
	(void)state;
	for (int huge = 0; huge < 2; huge++) {
		struct tern_region region;
		assert_int_equal(tern_region_reserve(&region, 20 * TERN_PAGE_2M, huge), 0);
		assert_int_equal((uintptr_t)region.base % TERN_PAGE_2M, 0);
		const unsigned char *base = region.base;
		size_t before = 0;
		for (size_t size = 100; size < region.reserved; size = size * 5 / 2) {
			assert_int_equal(tern_region_extend(&region, size), 0);
			assert_ptr_equal(region.base, base);
			assert_true(region.size >= size && region.size <= region.reserved);
			assert_true(region.huge <= region.size);
			check(region.base, 0, before, 7);
			check(region.base, before, region.size, 0);
			memset(region.base, 7, region.size);
			before = region.size;
		}
		size_t held = region.size;
		assert_int_equal(tern_region_extend(&region, 1), 0);
		assert_int_equal(region.size, held);
		tern_region_release(&region);
		assert_null(region.base);
	}
}

static void it_is_no_larger_than_reserved(void **state)
{
	struct tern_region region;
	(void)state;
	assert_int_equal(tern_region_reserve(&region, TERN_PAGE_2M, false), 0);
	assert_int_equal(tern_region_extend(&region, TERN_PAGE_2M + 1), -ENOMEM);
	assert_int_equal(region.size, 0);
	assert_int_equal(tern_region_extend(&region, TERN_PAGE_2M), 0);
	tern_region_release(&region);
	assert_int_equal(tern_region_reserve(&region, SIZE_MAX / 2, false), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_in_place),
		cmocka_unit_test(it_is_no_larger_than_reserved),
	};
	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
