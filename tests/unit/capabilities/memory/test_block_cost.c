/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a change of capability checks nothing at run time.
 * Method: blocks in memory that cannot be read, so that a look into one would end the program; and
 * the instructions of each change, beside those of a function that returns its argument.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <sys/mman.h>

#include "tests/unit/counted.h"

#define PAGE ((size_t)4096)

/* In the form of the library's functions; not seen through, as they are not. */
static __attribute__((noinline)) tern_iso *return_it(tern_iso *iso)
{
	__asm__("" : "+r"(iso));
	return iso;
}

/* A block. A number that may change, because compilers find that it has several owners here. */
static volatile uintptr_t place;

static void map_block(void)
{
	void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	place = (uintptr_t)page;
}

static void nobody_looks_into_a_block_that_changes(void **state)
{
	(void)state;
	map_block();
	assert_int_equal((uintptr_t)tern_iso_freeze((tern_iso *)place), place);
	assert_int_equal((uintptr_t)tern_iso_localize((tern_iso *)place), place);
	assert_int_equal((uintptr_t)tern_ref_recover((tern_ref *)place), place);
	uintptr_t payload = place + TERN_BLOCK_OFFSET;
	assert_int_equal((uintptr_t)tern_iso_data((tern_iso *)place), payload);
	assert_int_equal((uintptr_t)tern_val_data((const tern_val *)place), payload);
	assert_int_equal((uintptr_t)tern_ref_data((tern_ref *)place), payload);
	assert_int_equal(munmap((void *)place, PAGE), 0);
}

/* Twice: the first call of a function of a shared library looks it up. */
static void change_each(void *context)
{
	void *volatile changed;
	(void)context;
	for (int i = 0; i < 2; i++) {
		COUNTED_BEGIN();
		changed = (void *)return_it((tern_iso *)place);
		COUNTED_END();
		COUNTED_BEGIN();
		changed = (void *)(uintptr_t)tern_iso_freeze((tern_iso *)place);
		COUNTED_END();
		COUNTED_BEGIN();
		changed = (void *)tern_iso_localize((tern_iso *)place);
		COUNTED_END();
		COUNTED_BEGIN();
		changed = (void *)tern_ref_recover((tern_ref *)place);
		COUNTED_END();
	}
	(void)changed;
}

static void a_change_is_as_many_instructions_as_none(void **state)
{
	static struct counts counts;
	(void)state;
	map_block();
	count_passages(change_each, NULL, &counts);
	assert_int_equal(counts.count, 8);
	const struct counted *passages = &counts.passages[4];
	for (int change = 1; change < 4; change++)
		assert_int_equal(passages[change].instructions, passages[0].instructions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_looks_into_a_block_that_changes),
		cmocka_unit_test(a_change_is_as_many_instructions_as_none),
	};
	return cmocka_run_group_tests_name("block: cost", tests, NULL, NULL);
}
