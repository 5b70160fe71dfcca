/* SPDX-License-Identifier: Apache-2.0 */

/* Signals out of frames, to the engine. link_input.c calls it for what came, link_turn.c for what
 * found no place before. */
#include "link_inside.h"

#include <string.h>

enum outcome { HANDED, REFUSED, BROKEN };

static enum outcome hand_over(struct tern_link *link, const struct tern_entry *entry,
			      tern_iso *block)
{
	const struct tern_wire_entry *fixed = entry->fixed;
	struct tern_signal signal = {
		.type = fixed->type,
		.to_slot = fixed->to_slot,
		.to_generation = fixed->to_generation,
		.kind = (uint8_t)(fixed->kind |
				  (fixed->flags & TERN_WIRE_ENTRY_RETURNED ? TERN_KIND_RETURNED
									   : 0)),
		.from = tern_address_make(link->config.peer, fixed->from_slot,
					  fixed->from_generation)};
	if (fixed->kind == TERN_KIND_VAL)
		signal.payload.val = tern_iso_freeze(block);
	else if (block)
		signal.payload.iso = block;
	else
		memcpy(signal.payload.bytes, entry->payload, fixed->length);
	if (!link->config.ops->deliver(link->config.owner, link, &signal, entry->key))
		return REFUSED;
	tern_count(&link->stats.signals_received, 1);
	return HANDED;
}

static enum outcome hand_over_block(struct tern_link *link, const struct tern_entry *entry)
{
	tern_iso *block = tern_iso_create(link->config.heap, entry->fixed->length);
	if (!block)
		return REFUSED;
	if (entry->fixed->length)
		memcpy(tern_iso_data(block), entry->payload, entry->fixed->length);
	enum outcome outcome = hand_over(link, entry, block);
	if (outcome == REFUSED)
		tern_iso_drop(link->config.heap, block);
	return outcome;
}

static void drop_part(struct tern_link *link, struct tern_intake *in)
{
	tern_iso_drop(link->config.heap, in->block);
	in->block = NULL;
	in->filled = 0;
}

/* The block is whole with the last fragment, which is looked at again where there was no place. */
static enum outcome hand_over_fragment(struct tern_link *link, struct tern_intake *in,
				       const struct tern_entry *entry)
{
	uint32_t offset = entry->fragment->offset, size = entry->fragment->size;
	uint32_t length = entry->fixed->length;
	if (!in->block) {
		if (offset != 0)
			return BROKEN;
		in->block = tern_iso_create(link->config.heap, size);
		if (!in->block)
			return REFUSED;
	}
	bool is_filled = in->filled == size && offset + length == size;
	if (tern_block_size(in->block) != size || (in->filled != offset && !is_filled))
		return BROKEN;
	if (!is_filled)
		memcpy((char *)tern_iso_data(in->block) + offset, entry->payload, length);
	in->filled = offset + length;
	if (in->filled < size)
		return HANDED;
	enum outcome outcome = hand_over(link, entry, in->block);
	if (outcome == HANDED) {
		in->block = NULL;
		in->filled = 0;
	}
	return outcome;
}

static enum outcome hand_over_entry(struct tern_link *link, struct tern_intake *in)
{
	const struct tern_entry *entry = &in->entry;
	uint32_t kind = entry->fixed->kind;
	if (entry->fragment)
		return hand_over_fragment(link, in, entry);
	if (in->block)
		return BROKEN;
	if (kind == TERN_KIND_ISO || kind == TERN_KIND_VAL)
		return hand_over_block(link, entry);
	return hand_over(link, entry, NULL);
}

static enum outcome hand_over_frame(struct tern_link *link, struct tern_intake *in,
				    const struct tern_inflow_frame *held)
{
	struct tern_frame frame = {.header = held->header,
				   .body.data = (const void *)(held->header + 1)};
	if (in->block && in->session != held->session)
		drop_part(link, in);
	in->session = held->session;
	if (in->left == 0) {
		in->left = frame.body.data->count;
		tern_entry_first(&frame, &in->entry);
	}
	for (;;) {
		enum outcome outcome = hand_over_entry(link, in);
		if (outcome != HANDED)
			return outcome;
		if (--in->left == 0)
			return HANDED;
		tern_entry_next(&in->entry);
	}
}

bool tern_link_deliver(struct tern_link *link, uint8_t flow_class)
{
	struct tern_intake *in = &link->in[flow_class];
	const struct tern_inflow_frame *held;
	link->refused &= ~(1u << flow_class);
	while ((held = tern_inflow_ready(&link->inflow, flow_class, tern_gaps_base(&link->gaps)))) {
		enum outcome outcome = hand_over_frame(link, in, held);
		if (outcome == REFUSED) {
			link->refused |= 1u << flow_class;
			link->retry_ns = link->now_ns + TERN_LINK_RETRY_NS;
			return true;
		}
		bool is_of_session = held->position != 0;
		in->left = 0;
		rte_pktmbuf_free(tern_inflow_pop(&link->inflow, flow_class));
		if (outcome == BROKEN && is_of_session)
			return false;
	}
	return true;
}

bool tern_link_deliver_all(struct tern_link *link, uint32_t classes)
{
	bool is_right = true;
	for (; classes; classes &= classes - 1)
		is_right &= tern_link_deliver(link, (uint8_t)__builtin_ctz(classes));
	return is_right;
}

void tern_link_drop_parts(struct tern_link *link)
{
	for (uint32_t i = 0; i < TERN_WIRE_CLASSES; i++)
		if (link->in[i].block && !(link->inflow.classes & 1u << i))
			drop_part(link, &link->in[i]);
}
