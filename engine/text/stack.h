/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STACK_H
#define STACK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capabilities/counter.h"
#include "capabilities/lock.h"

#define TERN_STACK_SIZE_MIN ((size_t)16 << 10)
#define TERN_STACK_SIZE_MAX ((size_t)1 << 20)
#define TERN_STACK_CLASSES 7

/**
 * Inaccessible bytes below each stack. They cost address space and no memory. 64 KiB is a whole
 * number of pages on every machine, and the distance at which arm64 compilers probe the stack; a
 * frame larger than that must be compiled with -fstack-clash-protection to be caught.
 */
#define TERN_STACK_GUARD ((size_t)64 << 10)

/** A fiber's stack; it grows down, towards its guard. All zero: none. */
struct tern_stack {
	unsigned char *base; /* lowest usable byte */
	size_t size;
};

/** Stacks of one size. */
struct tern_stack_class {
	alignas(TERN_LINE) ck_spinlock_t lock; /* over all that follows but the counters' reading */
	size_t size;
	unsigned char *free;  /* base of the stack last put back; each links to the one before */
	unsigned char *fresh; /* guard of the next stack never used */
	unsigned char *fresh_end;
	void *regions;	 /* mappings, newest first */
	uint64_t mapped; /* bytes; any thread reads */
	uint64_t used;	 /* stacks; any thread reads */
};

/**
 * A pool of stacks in guarded memory, by size in powers of two from 16 KiB to 1 MiB.
 *
 * Memory is mapped several stacks at a time, without reserve, and touched only as deep as a fiber
 * goes. The stack put back last is the next one taken, as its top is still in the cache.
 * A lock per class: stacks are taken and put back where agents start and end, not where signals
 * pass. Its holder makes two system calls at most.
 */
struct tern_stacks {
	struct tern_stack_class classes[TERN_STACK_CLASSES];
};

/** Start an empty pool in the caller's memory. */
void tern_stacks_init(struct tern_stacks *stacks);

/**
 * Unmap all stacks, those in use included.
 *
 * @return stacks that were still in use
 *
 * Context: nobody else uses the pool or runs on one of its stacks.
 */
uint64_t tern_stacks_fini(struct tern_stacks *stacks);

/**
 * Take a stack of at least `size` bytes. Its bytes have any value.
 *
 * @param stack  yielded; untouched on failure
 * @return 0; -EINVAL: 0 or more than TERN_STACK_SIZE_MAX; -ENOMEM: no memory, or too many mappings
 *         (vm.max_map_count: before Linux 6.13 each stack counts for two)
 *
 * Context: any thread.
 */
int tern_stacks_take(struct tern_stacks *stacks, size_t size, struct tern_stack *stack);

/**
 * Put a stack back: nothing on it is alive any more.
 *
 * Context: any thread, not on that stack.
 */
void tern_stacks_put(struct tern_stacks *stacks, const struct tern_stack *stack);

/** Address space mapped, guards included, in bytes. Context: any thread, any time. */
uint64_t tern_stacks_mapped(const struct tern_stacks *stacks);

/** Stacks taken and not yet put back. Context: any thread, any time. */
uint64_t tern_stacks_used(const struct tern_stacks *stacks);

/** Whether an address lies in the guard of a stack. */
static inline bool tern_stack_guards(const struct tern_stack *stack, const void *address)
{
	/* One comparison: an address above the base wraps round. */
	return stack->base && (uintptr_t)stack->base - 1 - (uintptr_t)address < TERN_STACK_GUARD;
}

/** Whether an address lies in the usable part of a stack. */
static inline bool tern_stack_holds(const struct tern_stack *stack, const void *address)
{
	return (uintptr_t)address - (uintptr_t)stack->base < stack->size;
}

#endif
