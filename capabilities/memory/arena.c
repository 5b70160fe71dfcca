/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "poison.h"

#include <errno.h>
#include <hugetlbfs.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A single block can be made untouchable only where pages are no larger than it. */
#if TERN_DEBUG_BLOCKS
#define SMALL_PAGES_ONLY true
#else
#define SMALL_PAGES_ONLY false
#endif

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static long count_pages(size_t page_bytes, const char *which)
{
	char path[96];
	long count = 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/%s_hugepages",
		 page_bytes >> 10, which);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%ld", &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

/* Those that somebody has mapped and not touched yet still count as free, and are not. */
static long free_pages(size_t page_bytes)
{
	long left = count_pages(page_bytes, "free") - count_pages(page_bytes, "resv");
	return left > 0 ? left : 0;
}

/*
 * libhugetlbfs serves its default page size, strictly: it would otherwise hand out small pages
 * and not say so. Other sizes are asked of the kernel. Both are anonymous: nothing to clean up.
 */
static void *map_huge(size_t size, size_t page_bytes)
{
	if ((long)(size / page_bytes) > free_pages(page_bytes))
		return NULL;
	if (page_bytes == (size_t)gethugepagesize())
		return get_hugepage_region(size, GHR_STRICT);
	int log2 = __builtin_ctzl(page_bytes);
	void *base =
		mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | log2 << MAP_HUGE_SHIFT, -1, 0);
	return base == MAP_FAILED ? NULL : base;
}

static bool try_huge(struct tern_arena *arena, size_t size, size_t page_bytes)
{
	size = round_up(size, page_bytes);
	void *base = map_huge(size, page_bytes);
	if (!base)
		return false;
	if (madvise(base, size, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
		munmap(base, size);
		return false;
	}
	*arena = (struct tern_arena){.base = base, .size = size, .page_bytes = page_bytes};
	return true;
}

static int try_small(struct tern_arena *arena, const struct tern_arena_request *request,
		     struct tern_error *error)
{
	size_t size = round_up(request->size, TERN_PAGE_2M);
	/* Over-map by one hugepage to align, so that transparent hugepages can back all of it. */
	unsigned char *map = mmap(NULL, size + TERN_PAGE_2M, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return tern_error_set(error, -ENOMEM,
				      "memory: cannot map %zu MiB: %s; lower max_agents, block_mib "
				      "or mailbox_mib",
				      size >> 20, strerror(errno));
	size_t lead = (TERN_PAGE_2M - (uintptr_t)map % TERN_PAGE_2M) % TERN_PAGE_2M;
	if (lead)
		munmap(map, lead);
	munmap(map + lead + size, TERN_PAGE_2M - lead);
	*arena = (struct tern_arena){.base = map + lead, .size = size, .page_bytes = TERN_PAGE_4K};
	int advice = request->transparent ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
	arena->transparent = madvise(arena->base, size, advice) == 0 && request->transparent;
	return 0;
}

int tern_arena_map(struct tern_arena *arena, const struct tern_arena_request *request,
		   struct tern_error *error)
{
	static const size_t sizes[] = {TERN_PAGE_1G, TERN_PAGE_2M};
	if (SMALL_PAGES_ONLY && request->required)
		return tern_error_set(error, -ENOMEM,
				      "memory: pages_required, but this build has "
				      "-Ddebug_blocks=true, which needs 4 KiB pages; "
				      "build without it");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool asked = request->page_bytes_max >= sizes[i] && !SMALL_PAGES_ONLY;
		/* A 1 GiB page for a small arena would waste most of it, unless it was asked for.
		 */
		bool fits = request->required || sizes[i] / 2 <= request->size;
		if (asked && fits && try_huge(arena, request->size, sizes[i]))
			return 0;
		if (asked && request->required)
			return tern_error_set(
				error, -ENOMEM,
				"memory: pages_required needs %zu pages of %zu MiB, %ld are free; "
				"reserve them: echo %zu > "
				"/sys/kernel/mm/hugepages/hugepages-%zukB/nr_hugepages",
				round_up(request->size, sizes[i]) / sizes[i], sizes[i] >> 20,
				free_pages(sizes[i]), round_up(request->size, sizes[i]) / sizes[i],
				sizes[i] >> 10);
	}
	return try_small(arena, request, error);
}

void tern_arena_bind(const struct tern_arena *arena, const void *part, size_t size, int node)
{
	if (node < 0 || node >= 64)
		return;
	uintptr_t from = (uintptr_t)part & ~(uintptr_t)(arena->page_bytes - 1);
	/* The kernel binds whole pages of the mapping, and reads one bit less than it is told. */
	size_t length = round_up((uintptr_t)part + size - from, arena->page_bytes);
	unsigned long mask = 1ul << node;
	mbind((void *)from, length, MPOL_PREFERRED, &mask, 65, MPOL_MF_MOVE);
}

void tern_arena_unmap(struct tern_arena *arena)
{
	if (arena->base) {
		/* The sanitizer would go on refusing these addresses to whoever maps them next. */
		TERN_UNPOISON(arena->base, arena->size);
		munmap(arena->base, arena->size);
	}
	*arena = (struct tern_arena){0};
}
