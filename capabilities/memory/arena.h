/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tern_error.h"

#define TERN_PAGE_1G ((size_t)1 << 30)
#define TERN_PAGE_2M ((size_t)1 << 21)
#define TERN_PAGE_4K ((size_t)1 << 12)

/** One mapping of zeroed memory, in the largest pages to be had; no file stays behind. */
struct tern_arena {
	unsigned char *base;
	size_t size;
	size_t page_bytes;
	bool transparent; /* 4 KiB pages, transparent hugepages asked for */
};

/** What to ask for. */
struct tern_arena_request {
	size_t size;
	size_t page_bytes_max; /* TERN_PAGE_1G, _2M or _4K */
	bool transparent;      /* ask for transparent hugepages where no hugepage is had */
	bool required;	       /* fail rather than take pages below page_bytes_max */
};

/**
 * Map memory: 1 GiB pages, then 2 MiB, then transparent, then 4 KiB.
 *
 * Hugepages are populated at once, so that a shortage shows here and not as a fault later.
 *
 * @return 0; -ENOMEM: no memory, or `required` pages are too few
 */
int tern_arena_map(struct tern_arena *arena, const struct tern_arena_request *request,
		   struct tern_error *error);

/** Bind part of an arena to a NUMA node before it is touched; a machine with one node ignores it.
 */
void tern_arena_bind(const struct tern_arena *arena, const void *part, size_t size, int node);

void tern_arena_unmap(struct tern_arena *arena);

/** A part of an arena that one thread carves from. */
struct tern_span {
	unsigned char *next;
	unsigned char *end;
};

/** Carve `size` bytes at a multiple of `align` (a power of two); NULL when the span is used up. */
static inline void *tern_span_take(struct tern_span *span, size_t size, size_t align)
{
	uintptr_t at = ((uintptr_t)span->next + align - 1) & ~(uintptr_t)(align - 1);
	if (at > (uintptr_t)span->end || size > (uintptr_t)span->end - at)
		return NULL;
	span->next = (unsigned char *)at + size;
	return (void *)at;
}

#endif
