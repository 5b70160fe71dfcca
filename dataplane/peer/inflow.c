/* SPDX-License-Identifier: Apache-2.0 */

/* Frames that have come, by flow class. The link calls it, on the lcore that owns it. */
#include "inflow.h"

#include <stdbool.h>

void tern_inflow_init(struct tern_inflow *inflow, struct tern_inflow_frame *memory, uint32_t max)
{
	*inflow = (struct tern_inflow){.frames = memory, .max = max, .free = 1};
	for (uint32_t i = 0; i < max; i++)
		memory[i].next = i + 1 < max ? i + 2 : 0;
}

/* Where in its class a position belongs: index + 1 of the frame before it; 0: it is the first. */
static uint32_t find_before(const struct tern_inflow *inflow, const struct tern_inflow_class *class,
			    uint64_t position)
{
	if (class->last && inflow->frames[class->last - 1].position < position)
		return class->last;
	uint32_t before = 0;
	for (uint32_t at = class->first; at; at = inflow->frames[at - 1].next) {
		if (inflow->frames[at - 1].position > position)
			break;
		before = at;
	}
	return before;
}

bool tern_inflow_push(struct tern_inflow *inflow, uint8_t flow_class,
		      const struct tern_inflow_frame *frame)
{
	struct tern_inflow_class *class = &inflow->of[flow_class];
	uint32_t at = inflow->free;
	if (at == 0)
		return false;
	inflow->free = inflow->frames[at - 1].next;
	uint32_t before = find_before(inflow, class, frame->position);
	uint32_t *link = before ? &inflow->frames[before - 1].next : &class->first;
	inflow->frames[at - 1] = *frame;
	inflow->frames[at - 1].next = *link;
	*link = at;
	if (before == class->last)
		class->last = at;
	class->count++;
	inflow->count++;
	inflow->classes |= 1u << flow_class;
	return true;
}

static bool follows(const struct tern_inflow_frame *frame, uint64_t handed, uint64_t base)
{
	uint64_t before = frame->distance ? frame->position - frame->distance : 0;
	return before < base || before == handed;
}

struct tern_inflow_frame *tern_inflow_ready(const struct tern_inflow *inflow, uint8_t flow_class,
					    uint64_t base)
{
	const struct tern_inflow_class *class = &inflow->of[flow_class];
	if (class->first == 0)
		return NULL;
	struct tern_inflow_frame *frame = &inflow->frames[class->first - 1];
	return follows(frame, class->handed, base) ? frame : NULL;
}

static void free_frame(struct tern_inflow *inflow, struct tern_inflow_class *class, uint32_t at)
{
	inflow->frames[at - 1].next = inflow->free;
	inflow->free = at;
	inflow->count--;
	class->count--;
}

struct rte_mbuf *tern_inflow_pop(struct tern_inflow *inflow, uint8_t flow_class)
{
	struct tern_inflow_class *class = &inflow->of[flow_class];
	uint32_t at = class->first;
	struct tern_inflow_frame *frame = &inflow->frames[at - 1];
	class->handed = frame->position;
	class->first = frame->next;
	if (class->first == 0) {
		class->last = 0;
		inflow->classes &= ~(1u << flow_class);
	}
	free_frame(inflow, class, at);
	return frame->mbuf;
}

/* Keep those that follow each other from the last one handed over; drop the others. */
static void end_class(struct tern_inflow *inflow, struct tern_inflow_class *class, uint64_t base,
		      void (*drop)(struct rte_mbuf *))
{
	uint64_t handed = class->handed;
	uint32_t last = 0, at = class->first, next;
	for (; at && follows(&inflow->frames[at - 1], handed, base); at = next) {
		struct tern_inflow_frame *frame = &inflow->frames[at - 1];
		handed = frame->position;
		frame->position = 0;
		frame->distance = 0;
		last = at;
		next = frame->next;
	}
	*(last ? &inflow->frames[last - 1].next : &class->first) = 0;
	for (; at; at = next) {
		next = inflow->frames[at - 1].next;
		drop(inflow->frames[at - 1].mbuf);
		free_frame(inflow, class, at);
	}
	class->last = last;
	class->handed = 0;
}

void tern_inflow_end(struct tern_inflow *inflow, uint64_t base, void (*drop)(struct rte_mbuf *))
{
	for (uint32_t i = 0; i < TERN_WIRE_CLASSES; i++) {
		end_class(inflow, &inflow->of[i], base, drop);
		if (inflow->of[i].first == 0)
			inflow->classes &= ~(1u << i);
	}
}
