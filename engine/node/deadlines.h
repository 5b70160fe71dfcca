/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stdint.h>

/*
 * When each of a number of things is due: a binary heap in which a deadline may move both ways.
 * The first is found at once, so that a turn costs the same however many wait.
 */
struct tern_deadlines {
	uint64_t *at;	  /* by number, ns */
	uint32_t *heap;	  /* numbers, the earliest first */
	uint32_t *places; /* by number: in the heap, + 1; 0: not there */
	uint32_t count;	  /* in the heap */
	uint32_t room;	  /* numbers are below it */
};

/** Make room for numbers below `room`; those that wait stay. 0; -ENOMEM: nothing has changed. */
int tern_deadlines_grow(struct tern_deadlines *deadlines, uint32_t room);
void tern_deadlines_fini(struct tern_deadlines *deadlines);

/** Set or move when a number is due; UINT64_MAX: never. */
void tern_deadlines_set(struct tern_deadlines *deadlines, uint32_t number, uint64_t at);

/** When the first is due; UINT64_MAX: none waits. */
static inline uint64_t tern_deadlines_first(const struct tern_deadlines *deadlines)
{
	return deadlines->count ? deadlines->at[deadlines->heap[0]] : UINT64_MAX;
}

/** Take the first out, which there is. */
uint32_t tern_deadlines_pop(struct tern_deadlines *deadlines);

#endif
