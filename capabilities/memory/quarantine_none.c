/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "poison.h"

void tern_quarantine_init(struct tern_heap *heap)
{
	heap->quarantine = NULL;
}

void tern_quarantine_fini(struct tern_heap *heap)
{
	(void)heap;
}

void tern_heap_settle(struct tern_heap *heap)
{
	(void)heap;
}

struct tern_block *tern_block_depart(struct tern_heap *heap, struct tern_block *block,
				     const char *name, tern_address sender)
{
	(void)heap;
	(void)name;
	(void)sender;
	return block;
}

void tern_block_stay(struct tern_heap *heap, const struct tern_block *block,
		     struct tern_block *departed)
{
	(void)heap;
	(void)block;
	(void)departed;
}

bool tern_block_departed(const void *address)
{
	(void)address;
	return false;
}

void tern_block_die(const struct tern_heap *heap, const struct tern_block *block, const char *how)
{
	fprintf(stderr,
		"tern: block %p %s on lcore %u; a build with -Ddebug_blocks=true names its "
		"last sender\n",
		(const void *)block, how, heap->index);
	abort();
}
