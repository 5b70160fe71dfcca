/* SPDX-License-Identifier: Apache-2.0 */
#include "deadlines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A copy with more room, zeroed behind. */
static void *array_grow(const void *old, size_t had, size_t room)
{
	void *array = calloc(1, room);
	if (array && had)
		memcpy(array, old, had);
	return array;
}

int tern_deadlines_grow(struct tern_deadlines *deadlines, uint32_t room)
{
	struct tern_deadlines grown = *deadlines;
	size_t had = deadlines->room;
	if (room <= deadlines->room)
		return 0;
	grown.at = array_grow(deadlines->at, had * sizeof(uint64_t), room * sizeof(uint64_t));
	grown.heap = array_grow(deadlines->heap, had * sizeof(uint32_t), room * sizeof(uint32_t));
	grown.places =
		array_grow(deadlines->places, had * sizeof(uint32_t), room * sizeof(uint32_t));
	grown.room = room;
	if (!grown.at || !grown.heap || !grown.places) {
		tern_deadlines_fini(&grown);
		return -ENOMEM;
	}
	tern_deadlines_fini(deadlines);
	*deadlines = grown;
	return 0;
}

void tern_deadlines_fini(struct tern_deadlines *deadlines)
{
	free(deadlines->at);
	free(deadlines->heap);
	free(deadlines->places);
	*deadlines = (struct tern_deadlines){0};
}

static void entry_place(struct tern_deadlines *deadlines, uint32_t place, uint32_t number)
{
	deadlines->heap[place] = number;
	deadlines->places[number] = place + 1;
}

/* Up or down from a place that `number` is to have, until the heap is one again. */
static void entry_sift(struct tern_deadlines *deadlines, uint32_t place, uint32_t number)
{
	const uint64_t *at = deadlines->at;
	for (; place; place = (place - 1) / 2) {
		uint32_t parent = deadlines->heap[(place - 1) / 2];
		if (at[parent] <= at[number])
			break;
		entry_place(deadlines, place, parent);
	}
	for (;;) {
		uint32_t child = 2 * place + 1;
		if (child + 1 < deadlines->count &&
		    at[deadlines->heap[child + 1]] < at[deadlines->heap[child]])
			child++;
		if (child >= deadlines->count || at[deadlines->heap[child]] >= at[number])
			break;
		entry_place(deadlines, place, deadlines->heap[child]);
		place = child;
	}
	entry_place(deadlines, place, number);
}

static void entry_remove(struct tern_deadlines *deadlines, uint32_t number)
{
	uint32_t place = deadlines->places[number] - 1;
	uint32_t last = deadlines->heap[--deadlines->count];
	deadlines->places[number] = 0;
	if (last != number)
		entry_sift(deadlines, place, last);
}

void tern_deadlines_set(struct tern_deadlines *deadlines, uint32_t number, uint64_t at)
{
	bool waits = deadlines->places[number] != 0;
	if (at == UINT64_MAX) {
		if (waits)
			entry_remove(deadlines, number);
		return;
	}
	deadlines->at[number] = at;
	entry_sift(deadlines, waits ? deadlines->places[number] - 1 : deadlines->count++, number);
}

uint32_t tern_deadlines_pop(struct tern_deadlines *deadlines)
{
	uint32_t first = deadlines->heap[0];
	entry_remove(deadlines, first);
	return first;
}
