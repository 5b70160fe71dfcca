/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capabilities/memory/poison.h"
#include "capabilities/sanitizer.h"

#define REGION_BYTES ((size_t)4 << 20)
#define REGION_STACKS_MIN ((size_t)4)

/* Linux 6.13; glibc 2.36 does not know it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* At the start of a mapping, on a page of its own; then stacks, each above its guard. */
struct region {
	struct region *next;
	size_t size;
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Where a free stack keeps its link: at the top, which is the part that was touched. */
static unsigned char *link_of(const struct tern_stack_class *class, unsigned char *base)
{
	return base + class->size - sizeof(unsigned char *);
}

/* Before Linux 6.13, and on locked memory, a guard is a mapping of its own. */
static int guard_install(unsigned char *guard)
{
	if (madvise(guard, TERN_STACK_GUARD, MADV_GUARD_INSTALL) == 0 ||
	    mprotect(guard, TERN_STACK_GUARD, PROT_NONE) == 0)
		return 0;
	return -ENOMEM;
}

static int class_grow(struct tern_stack_class *class)
{
	size_t stride = TERN_STACK_GUARD + class->size;
	size_t count = REGION_BYTES / stride;
	if (count < REGION_STACKS_MIN)
		count = REGION_STACKS_MIN;
	size_t size = page_size() + count * stride;
	struct region *region =
		mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (region == MAP_FAILED)
		return -ENOMEM;
	*region = (struct region){.next = class->regions, .size = size};
	class->regions = region;
	class->fresh = (unsigned char *)region + page_size();
	class->fresh_end = (unsigned char *)region + size;
	tern_count(&class->mapped, size);
	return 0;
}

/* A stack never used before. */
static int class_carve(struct tern_stack_class *class, unsigned char **base)
{
	if (class->fresh == class->fresh_end) {
		int code = class_grow(class);
		if (code)
			return code;
	}
	int code = guard_install(class->fresh);
	if (code)
		return code;
	*base = class->fresh + TERN_STACK_GUARD;
	class->fresh = *base + class->size;
	return 0;
}

static int class_take(struct tern_stack_class *class, unsigned char **base)
{
	if (class->free) {
		*base = class->free;
		memcpy(&class->free, link_of(class, *base), sizeof(class->free));
	} else {
		int code = class_carve(class, base);
		if (code)
			return code;
	}
	tern_count(&class->used, 1);
	return 0;
}

static uint64_t class_fini(struct tern_stack_class *class)
{
	struct region *region = class->regions;
	while (region) {
		struct region *next = region->next;
		size_t size = region->size;
		/* Whoever is given these addresses next must not find our poison. */
		TERN_UNPOISON(region, size);
		munmap(region, size);
		region = next;
	}
	return class->used;
}

static struct tern_stack_class *class_of(struct tern_stacks *stacks, size_t size)
{
	struct tern_stack_class *class = stacks->classes;
	while (class->size < size)
		class ++;
	return class;
}

void tern_stacks_init(struct tern_stacks *stacks)
{
	size_t page = page_size();
	*stacks = (struct tern_stacks){0};
	for (size_t i = 0; i < TERN_STACK_CLASSES; i++) {
		size_t size = TERN_STACK_SIZE_MIN << i;
		ck_spinlock_init(&stacks->classes[i].lock);
		stacks->classes[i].size = size < page ? page : size;
	}
}

uint64_t tern_stacks_fini(struct tern_stacks *stacks)
{
	uint64_t used = 0;
	for (size_t i = 0; i < TERN_STACK_CLASSES; i++)
		used += class_fini(&stacks->classes[i]);
	*stacks = (struct tern_stacks){0};
	return used;
}

int tern_stacks_take(struct tern_stacks *stacks, size_t size, struct tern_stack *stack)
{
	unsigned char *base = NULL;
	if (size == 0 || size > TERN_STACK_SIZE_MAX)
		return -EINVAL;
	struct tern_stack_class *class = class_of(stacks, size);
	tern_lock(&class->lock);
	int code = class_take(class, &base);
	tern_unlock(&class->lock);
	if (code)
		return code;
	TERN_UNPOISON(base, class->size);
	*stack = (struct tern_stack){.base = base, .size = class->size};
	return 0;
}

void tern_stacks_put(struct tern_stacks *stacks, const struct tern_stack *stack)
{
	struct tern_stack_class *class = class_of(stacks, stack->size);
	unsigned char *link = link_of(class, stack->base);
	/* All but the link: what an abandoned frame left there goes, too. */
	TERN_UNPOISON(link, sizeof(class->free));
	TERN_POISON(stack->base, (size_t)(link - stack->base));
	tern_lock(&class->lock);
	assert(class->used > 0);
	memcpy(link, &class->free, sizeof(class->free));
	class->free = stack->base;
	tern_count(&class->used, (uint64_t)-1);
	tern_unlock(&class->lock);
}

uint64_t tern_stacks_mapped(const struct tern_stacks *stacks)
{
	uint64_t mapped = 0;
	for (size_t i = 0; i < TERN_STACK_CLASSES; i++)
		mapped += tern_load(&stacks->classes[i].mapped);
	return mapped;
}

uint64_t tern_stacks_used(const struct tern_stacks *stacks)
{
	uint64_t used = 0;
	for (size_t i = 0; i < TERN_STACK_CLASSES; i++)
		used += tern_load(&stacks->classes[i].used);
	return used;
}
