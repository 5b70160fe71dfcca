/* SPDX-License-Identifier: Apache-2.0 */
#include "region.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "arena.h"
#include "capabilities/counter.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

int tern_region_reserve(struct tern_region *region, size_t bytes, bool huge_wanted)
{
	size_t size = round_up(bytes, TERN_PAGE_2M);
	/* One page more, to cut off what is not aligned. */
	unsigned char *map = mmap(NULL, size + TERN_PAGE_2M, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	size_t lead = (TERN_PAGE_2M - (uintptr_t)map % TERN_PAGE_2M) % TERN_PAGE_2M;
	if (lead)
		munmap(map, lead);
	munmap(map + lead + size, TERN_PAGE_2M - lead);
	*region = (struct tern_region){
		.base = map + lead, .reserved = size, .huge_wanted = huge_wanted};
	return 0;
}

/* Mapped elsewhere first: a mapping that fails in place would leave a hole for others. */
static bool add_huge(struct tern_region *region, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (map == MAP_FAILED)
		return false;
	unsigned char *place = region->base + region->size;
	if (madvise(map, bytes, MADV_POPULATE_WRITE) == 0 &&
	    mremap(map, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place) {
		tern_count(&region->size, bytes);
		tern_count(&region->huge, bytes);
		return true;
	}
	munmap(map, bytes);
	return false;
}

int tern_region_extend(struct tern_region *region, size_t size)
{
	if (size <= region->size)
		return 0;
	if (size > region->reserved)
		return -ENOMEM;
	size_t missing = round_up(size - region->size, TERN_PAGE_2M);
	/* Where most of the last page would be wasted, small ones. */
	bool fits = region->size % TERN_PAGE_2M == 0 && missing < 2 * (size - region->size) + 1;
	if (region->huge_wanted && fits && add_huge(region, missing))
		return 0;
	size_t bytes = round_up(size, TERN_PAGE_4K) - region->size;
	if (mprotect(region->base + region->size, bytes, PROT_READ | PROT_WRITE) != 0)
		return -ENOMEM;
	tern_count(&region->size, bytes);
	return 0;
}

size_t tern_region_next(size_t size, bool huge_wanted)
{
	size_t step = RTE_ALIGN_FLOOR(size / 16, TERN_PAGE_4K);
	if (huge_wanted && size >= TERN_PAGE_2M / 2)
		return RTE_ALIGN_FLOOR(size, TERN_PAGE_2M) + TERN_PAGE_2M;
	return size + RTE_MIN(RTE_MAX(step, TERN_PAGE_4K), TERN_PAGE_2M);
}

void tern_region_populate(const struct tern_region *region)
{
	madvise(region->base, tern_load(&region->size), MADV_POPULATE_WRITE);
}

void tern_region_release(struct tern_region *region)
{
	if (region->base)
		munmap(region->base, region->reserved);
	*region = (struct tern_region){0};
}
