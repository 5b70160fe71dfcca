/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGION_H
#define REGION_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Address space reserved once, to which memory is added from its start: what lies in it never
 * moves, and costs nothing before it is there.
 */
struct tern_region {
	unsigned char *base;
	size_t reserved;
	size_t size; /* of the memory at the start, zeroed when added */
	size_t huge; /* of it, in pages of 2 MiB */
	bool huge_wanted;
};

/**
 * Reserve address space.
 *
 * @param bytes        rounded up to 2 MiB
 * @param huge_wanted  whether to look for pages of 2 MiB
 * @return 0; -ENOMEM
 */
int tern_region_reserve(struct tern_region *region, size_t bytes, bool huge_wanted);

/**
 * Have memory up to `size` bytes, rounded up to a page; none is taken away. In whole pages of
 * 2 MiB, populated, where they are wanted, half used and to be had, else in 4 KiB pages.
 *
 * @return 0; -ENOMEM: more than is reserved, or the kernel has none
 */
int tern_region_extend(struct tern_region *region, size_t size);

/**
 * The size to extend to when one has become too small: a sixteenth more, so that little is unused;
 * in large pages, as soon as there is one's worth, by one.
 */
size_t tern_region_next(size_t size, bool huge_wanted);

/** Have the kernel give all pages now, not when each is touched. Where it cannot, they come then.
 */
void tern_region_populate(const struct tern_region *region);

/** Give all of it back. */
void tern_region_release(struct tern_region *region);

#endif
