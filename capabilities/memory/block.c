/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_block.h"

#include <errno.h>

#include "heap.h"

static _Thread_local int refusal;

int *tern_errno_location(void)
{
	return &refusal;
}

static struct tern_block *block_of(const void *pointer)
{
	return (struct tern_block *)(uintptr_t)pointer;
}

void tern_iso_drop(struct tern_heap *heap, tern_iso *iso)
{
	if (iso)
		tern_block_release(heap, block_of(iso));
}

void tern_val_drop(struct tern_heap *heap, const tern_val *val)
{
	if (val)
		tern_block_release(heap, block_of(val));
}

void tern_ref_drop(struct tern_heap *heap, tern_ref *ref)
{
	if (ref)
		tern_block_release(heap, block_of(ref));
}

const tern_val *tern_iso_freeze(tern_iso *iso)
{
	return (const tern_val *)(const void *)iso;
}

tern_ref *tern_iso_localize(tern_iso *iso)
{
	return (tern_ref *)(void *)iso;
}

tern_iso *tern_ref_recover(tern_ref *ref)
{
	return (tern_iso *)(void *)ref;
}

tern_iso *(tern_val_thaw)(const tern_val *val)
{
	/* Acquire: what the holders before did comes before the new owner's writes. */
	if (__atomic_load_n(&block_of(val)->count, __ATOMIC_ACQUIRE) != 1) {
		tern_errno = EBUSY;
		return NULL;
	}
	return (tern_iso *)(void *)block_of(val);
}

const tern_val *tern_val_share(const tern_val *val)
{
	/* Relaxed: the caller's own count keeps the block alive. */
	__atomic_fetch_add(&block_of(val)->count, 1, __ATOMIC_RELAXED);
	return val;
}

uint32_t tern_val_count(const tern_val *val)
{
	return tern_load(&block_of(val)->count);
}

size_t(tern_block_size)(const void *block)
{
	return block_of(block)->size;
}
