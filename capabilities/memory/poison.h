/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POISON_H
#define POISON_H

#include "capabilities/sanitizer.h"
#include "heap.h"

/*
 * What catches a touch of a block that is not yours. AddressSanitizer builds poison the payload
 * of a free block; debug_blocks builds also take a sent block's pages away. Other builds: nothing.
 */
#if TERN_ASAN
#include <sanitizer/asan_interface.h>
#define TERN_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define TERN_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define TERN_POISON(p, n) ((void)(p), (void)(n))
#define TERN_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

/** End the process: a program misused a block. Names the block and, where known, its sender. */
void tern_block_die(const struct tern_heap *heap, const struct tern_block *block, const char *how)
	__attribute__((noreturn));

void tern_quarantine_init(struct tern_heap *heap);
void tern_quarantine_fini(struct tern_heap *heap);

#endif
