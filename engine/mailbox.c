/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include <string.h>

#include "capabilities/counter.h"

void tern_chunks_init(struct tern_chunks *chunks, struct tern_chunk *base, uint32_t count)
{
	*chunks = (struct tern_chunks){.base = base, .free = TERN_CHUNK_NONE, .count = count};
}

static uint32_t take_chunk(struct tern_chunks *chunks)
{
	uint32_t chunk = chunks->free;
	if (chunk != TERN_CHUNK_NONE)
		chunks->free = chunks->base[chunk].next;
	else if (chunks->fresh < chunks->count)
		chunk = chunks->fresh++;
	else
		return TERN_CHUNK_NONE;
	chunks->base[chunk].next = TERN_CHUNK_NONE;
	chunks->used++;
	return chunk;
}

static void put_chunk(struct tern_chunks *chunks, uint32_t chunk)
{
	chunks->base[chunk].next = chunks->free;
	chunks->free = chunk;
	chunks->used--;
}

struct tern_signal *tern_mailbox_push(struct tern_chunks *chunks, struct tern_mailbox *mailbox,
				      const struct tern_signal *signal)
{
	if (mailbox->chunk_tail == TERN_CHUNK_NONE || mailbox->tail_index == TERN_CHUNK_SIGNALS) {
		uint32_t chunk = take_chunk(chunks);
		if (chunk == TERN_CHUNK_NONE)
			return NULL;
		if (mailbox->chunk_tail == TERN_CHUNK_NONE) {
			mailbox->chunk_head = chunk;
			mailbox->head_index = 0;
		} else {
			chunks->base[mailbox->chunk_tail].next = chunk;
		}
		mailbox->chunk_tail = chunk;
		mailbox->tail_index = 0;
	}
	struct tern_signal *slot =
		&chunks->base[mailbox->chunk_tail].signals[mailbox->tail_index++];
	memcpy(slot, signal, sizeof(*slot));
	tern_count(&mailbox->queued, 1);
	return slot;
}

struct tern_signal *tern_mailbox_front(const struct tern_chunks *chunks,
				       const struct tern_mailbox *mailbox)
{
	if (mailbox->queued == 0)
		return NULL;
	return &chunks->base[mailbox->chunk_head].signals[mailbox->head_index];
}

/* The slot after chunk and index, which move on to it. */
static struct tern_signal *step(const struct tern_chunks *chunks, uint32_t *chunk, uint32_t *index)
{
	if (*index == TERN_CHUNK_SIGNALS) {
		*chunk = chunks->base[*chunk].next;
		*index = 0;
	}
	return &chunks->base[*chunk].signals[(*index)++];
}

uint32_t tern_mailbox_oldest(const struct tern_chunks *chunks, const struct tern_mailbox *mailbox)
{
	uint32_t chunk = mailbox->chunk_head, index = mailbox->head_index, place = 0;
	while (place < mailbox->queued && step(chunks, &chunk, &index)->kind & TERN_KIND_RETURNED)
		place++;
	return place;
}

void tern_mailbox_pop(struct tern_chunks *chunks, struct tern_mailbox *mailbox)
{
	uint32_t chunk = mailbox->chunk_head;
	tern_count(&mailbox->queued, -1u);
	mailbox->head_index++;
	if (mailbox->queued == 0) {
		mailbox->chunk_head = mailbox->chunk_tail = TERN_CHUNK_NONE;
		put_chunk(chunks, chunk);
	} else if (mailbox->head_index == TERN_CHUNK_SIGNALS) {
		mailbox->chunk_head = chunks->base[chunk].next;
		mailbox->head_index = 0;
		put_chunk(chunks, chunk);
	}
}

uint32_t tern_mailbox_find(const struct tern_chunks *chunks, const struct tern_mailbox *mailbox,
			   uint16_t type, uint32_t from)
{
	uint32_t chunk = mailbox->chunk_head, index = mailbox->head_index;
	for (uint32_t place = 0; place < mailbox->queued; place++, index++) {
		if (index == TERN_CHUNK_SIGNALS) {
			chunk = chunks->base[chunk].next;
			index = 0;
		}
		const struct tern_signal *signal = &chunks->base[chunk].signals[index];
		if (place >= from && signal->type == type && !(signal->kind & TERN_KIND_RETURNED))
			return place;
	}
	return mailbox->queued;
}
