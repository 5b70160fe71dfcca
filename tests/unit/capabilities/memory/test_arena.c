/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an arena is what it says it is: pages of the size reported, zeroed, aligned, gone after;
 * pages required and not to be had are refused with the counts and the remedy.
 * Method: what the kernel says of the mapping (smaps, mincore) beside what the arena says. Where
 * no hugepage is free only the refusal and the fall-back can be seen; the test says so.
 */
#include "tests/unit/capabilities/capability_test.h"

#include <errno.h>
#include <numaif.h>
#include <sys/mman.h>

static size_t free_hugepages(size_t page_bytes)
{
	char path[96];
	size_t count = 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/free_hugepages",
		 page_bytes >> 10);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%zu", &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

/* What the kernel says of the mapping at an address. */
struct mapping {
	bool found;
	size_t page_bytes;
	bool advised_huge, advised_small;
};

static struct mapping kernel_view(const void *address)
{
	struct mapping mapping = {0};
	char line[512], flags[256];
	bool here = false;
	unsigned long from, to;
	size_t kib;
	FILE *file = fopen("/proc/self/smaps", "re");
	if (!file)
		return mapping;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)address >= from && (uintptr_t)address < to;
		else if (here && sscanf(line, "KernelPageSize: %zu kB", &kib) == 1)
			mapping = (struct mapping){.found = true, .page_bytes = kib << 10};
		else if (here && sscanf(line, "VmFlags: %255[^\n]", flags) == 1) {
			mapping.advised_huge = strstr(flags, "hg");
			mapping.advised_small = strstr(flags, "nh");
		}
	}
	fclose(file);
	return mapping;
}

static bool is_mapped(const void *address)
{
	unsigned char resident;
	return mincore((void *)(uintptr_t)address, TERN_PAGE_4K, &resident) == 0;
}

static void check_arena(const struct tern_arena *arena, size_t size)
{
	assert_true(arena->size >= size);
	assert_int_equal((uintptr_t)arena->base % RTE_MAX(arena->page_bytes, TERN_PAGE_2M), 0);
	assert_int_equal(arena->size % arena->page_bytes, 0);
	for (size_t at = 0; at < arena->size; at += TERN_PAGE_4K / 2) {
		assert_int_equal(arena->base[at], 0);
		arena->base[at] = 1;
	}
	arena->base[arena->size - 1] = 1;
	struct mapping mapping = kernel_view(arena->base);
	if (!mapping.found) {
		print_message("no smaps here: page sizes are not checked\n");
		return;
	}
	assert_int_equal(mapping.page_bytes, arena->page_bytes);
	assert_int_equal(mapping.advised_huge, arena->transparent);
}

static void check_unmapped(struct tern_arena *arena)
{
	struct tern_arena before = *arena;
	tern_arena_unmap(arena);
	assert_null(arena->base);
	assert_int_equal(arena->size, 0);
	for (size_t at = 0; at < before.size; at += before.page_bytes)
		assert_false(is_mapped(before.base + at));
	tern_arena_unmap(arena); /* nothing happens */
}

/* Whatever the largest size asked for, the arena is had, and says what it is made of. */
static void test_fall_back(void **state)
{
	static const size_t sizes[] = {1, TERN_PAGE_4K, TERN_PAGE_2M - 1, 3 * TERN_PAGE_2M + 1};
	static const size_t pages[] = {TERN_PAGE_4K, TERN_PAGE_2M, TERN_PAGE_1G};
	(void)state;
	for (size_t i = 0; i < RTE_DIM(sizes) * RTE_DIM(pages) * 2; i++) {
		struct tern_arena_request request = {
			.size = sizes[i / 2 % RTE_DIM(sizes)],
			.page_bytes_max = pages[i / 2 / RTE_DIM(sizes)],
			.transparent = i % 2,
		};
		struct tern_arena arena;
		assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
		check_arena(&arena, request.size);
		assert_true(arena.page_bytes <= request.page_bytes_max);
		assert_false(arena.transparent && !request.transparent);
		assert_false(arena.transparent && arena.page_bytes > TERN_PAGE_4K);
		check_unmapped(&arena);
	}
}

/* Transparent pages are neither had unasked nor reported where the kernel has none. */
static void test_transparent(void **state)
{
	struct tern_arena_request request = {.size = TERN_PAGE_2M, .page_bytes_max = TERN_PAGE_4K};
	struct tern_arena arena;
	(void)state;
	assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
	assert_false(arena.transparent);
	struct mapping mapping = kernel_view(arena.base);
	bool known = access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
	if (mapping.found && known)
		assert_true(mapping.advised_small);
	tern_arena_unmap(&arena);
	request.transparent = true;
	assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
	assert_int_equal(arena.page_bytes, TERN_PAGE_4K);
	assert_int_equal(arena.transparent, known);
	tern_arena_unmap(&arena);
}

static void expect_refusal(size_t page_bytes)
{
	size_t count = free_hugepages(page_bytes) + 1;
	struct tern_arena_request request = {
		.size = count * page_bytes, .page_bytes_max = page_bytes, .required = true};
	struct tern_arena arena, untouched;
	struct tern_error error = {0};
	char part[128];
	memset(&arena, 0x5A, sizeof(arena));
	memset(&untouched, 0x5A, sizeof(untouched));
	assert_int_equal(tern_arena_map(&arena, &request, &error), -ENOMEM);
	assert_memory_equal(&arena, &untouched, sizeof(arena));
#if TERN_DEBUG_BLOCKS
	snprintf(part, sizeof(part), "-Ddebug_blocks=true");
#else
	snprintf(part, sizeof(part), "needs %zu pages of %zu MiB, %zu are free", count,
		 page_bytes >> 20, count - 1);
	assert_contains(error.text, part);
	snprintf(part, sizeof(part), "hugepages-%zukB/nr_hugepages", page_bytes >> 10);
#endif
	assert_contains(error.text, part);
	assert_int_equal(tern_arena_map(&arena, &request, NULL), -ENOMEM);
}

static void test_required_refused(void **state)
{
	(void)state;
	expect_refusal(TERN_PAGE_2M);
	expect_refusal(TERN_PAGE_1G);
}

/* The command that the message gives must lead to as many pages as are needed, not add to them. */
static void test_required_obtained(void **state)
{
	(void)state;
#if TERN_DEBUG_BLOCKS
	print_message("skipped: a build with -Ddebug_blocks=true takes no hugepages\n");
	skip();
#else
	bool any = false;
	for (size_t page = TERN_PAGE_2M; page <= TERN_PAGE_1G; page <<= 9) {
		struct tern_arena_request request = {
			.size = page - 5, .page_bytes_max = page, .required = true};
		struct tern_arena arena;
		if (free_hugepages(page) == 0) {
			print_message("no page of %zu MiB is free\n", page >> 20);
			continue;
		}
		any = true;
		assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
		assert_int_equal(arena.page_bytes, page);
		check_arena(&arena, request.size);
		check_unmapped(&arena);
	}
	if (!any) {
		print_message("skipped: needs free hugepages: "
			      "echo 8 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages\n");
		skip();
	}
#endif
}

static void test_too_much(void **state)
{
	struct tern_arena_request request = {.size = (size_t)1 << 60,
					     .page_bytes_max = TERN_PAGE_4K};
	struct tern_arena arena = {.size = 7};
	struct tern_error error = {0};
	(void)state;
	assert_int_equal(tern_arena_map(&arena, &request, &error), -ENOMEM);
	assert_int_equal(arena.size, 7);
	assert_contains(error.text, "cannot map 1099511627776 MiB");
	assert_contains(error.text, "lower max_agents");
}

/* An arena's neighbours in the address space stay what they are. */
static void test_trimmed(void **state)
{
	struct tern_arena_request request = {.size = TERN_PAGE_2M, .page_bytes_max = TERN_PAGE_4K};
	struct tern_arena arenas[8];
	(void)state;
	for (size_t i = 0; i < RTE_DIM(arenas); i++)
		assert_int_equal(tern_arena_map(&arenas[i], &request, NULL), 0);
	for (size_t i = 0; i < RTE_DIM(arenas); i++) {
		memset(arenas[i].base, (int)i, arenas[i].size);
		for (size_t j = 0; j < i; j++)
			assert_true(arenas[i].base + arenas[i].size <= arenas[j].base ||
				    arenas[j].base + arenas[j].size <= arenas[i].base);
	}
	for (size_t i = 0; i < RTE_DIM(arenas); i += 2)
		check_unmapped(&arenas[i]);
	for (size_t i = 1; i < RTE_DIM(arenas); i += 2) {
		assert_int_equal(arenas[i].base[arenas[i].size - 1], i);
		check_unmapped(&arenas[i]);
	}
}

static size_t mapped_pages(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%zu", &pages), 1);
	fclose(file);
	return pages;
}

/* Neither the arena nor what was mapped to align it; some slack for what a sanitizer maps. */
static void test_nothing_left(void **state)
{
	struct tern_arena_request request = {.size = 1, .page_bytes_max = TERN_PAGE_2M};
	size_t before = mapped_pages();
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct tern_arena arena;
		assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
		tern_arena_unmap(&arena);
	}
	assert_true(mapped_pages() < before + 20 * (TERN_PAGE_2M / TERN_PAGE_4K));
}

/* A sanitizer that still thinks of these addresses as freed blocks would stop the second user. */
static void test_reuse_of_addresses(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct heaps heaps;
		heaps_init(&heaps, 1, TERN_PAGE_2M);
		memset(heaps.arena.base, i, heaps.arena.size);
		memset(heaps.arena.base, 0, heaps.arena.size);
		for (size_t size = 0; size < 20000; size += 1000)
			tern_iso_drop(&heaps.heap[0], tern_iso_create(&heaps.heap[0], size));
		heaps_fini(&heaps);
	}
}

static void test_bind(void **state)
{
	struct tern_arena_request request = {.size = 4 * TERN_PAGE_2M,
					     .page_bytes_max = TERN_PAGE_4K};
	struct tern_arena arena;
	int mode = -1;
	(void)state;
	assert_int_equal(tern_arena_map(&arena, &request, NULL), 0);
	unsigned char *part = arena.base + TERN_PAGE_2M + 100;
	tern_arena_bind(&arena, part, TERN_PAGE_2M, -1);
	tern_arena_bind(&arena, part, TERN_PAGE_2M, 64);
	tern_arena_bind(&arena, part, TERN_PAGE_2M, 63); /* no such node: nothing changes */
	tern_arena_bind(&arena, part, TERN_PAGE_2M, 0);
	if (get_mempolicy(&mode, NULL, 0, part + TERN_PAGE_2M - 1, MPOL_F_ADDR) != 0)
		print_message("no memory policies here: %s\n", strerror(errno));
	else
		assert_int_equal(mode, MPOL_PREFERRED);
	if (mode != -1) {
		get_mempolicy(&mode, NULL, 0, arena.base, MPOL_F_ADDR);
		assert_int_equal(mode, MPOL_DEFAULT);
	}
	check_arena(&arena, request.size);
	check_unmapped(&arena);
}

static void test_span(void **state)
{
	static alignas(4096) unsigned char memory[1 << 16];
	struct tern_rng rng = test_rng(71);
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct tern_span span = {.next = memory, .end = memory + sizeof(memory)};
		unsigned char *before = memory, *part;
		size_t size, align;
		for (;;) {
			size = draw(&rng, 5000);
			align = (size_t)1 << draw(&rng, 13);
			struct tern_span old = span;
			part = tern_span_take(&span, size, align);
			if (!part) {
				assert_memory_equal(&span, &old, sizeof(span));
				break;
			}
			assert_int_equal((uintptr_t)part % align, 0);
			assert_true(part >= before && (size_t)(part - before) < align);
			assert_true(part + size <= memory + sizeof(memory));
			before = part + size;
		}
		uintptr_t next = RTE_ALIGN((uintptr_t)before, align);
		assert_true(next + size > (uintptr_t)(memory + sizeof(memory)));
		assert_null(tern_span_take(&span, SIZE_MAX, 1));
		assert_null(tern_span_take(&span, SIZE_MAX - 4096, 4096));
		assert_ptr_equal(tern_span_take(&span, 0, 1), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fall_back),
		cmocka_unit_test(test_transparent),
		cmocka_unit_test(test_required_refused),
		cmocka_unit_test(test_required_obtained),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_trimmed),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_reuse_of_addresses),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_span),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
