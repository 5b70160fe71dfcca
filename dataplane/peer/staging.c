/* SPDX-License-Identifier: Apache-2.0 */

/* Signals into frames. link_send.c calls it for each signal, on the lcore that owns the link. */
#include "staging.h"

#include <string.h>

static struct tern_block *block_of(const struct tern_signal *signal)
{
	return (struct tern_block *)(uintptr_t)signal->payload.iso;
}

void tern_parcel_make(struct tern_parcel *parcel, const struct tern_signal *signal, uint64_t key)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	*parcel = (struct tern_parcel){.key = key, .payload = signal->payload.bytes, .size = kind};
	if (kind == TERN_KIND_ISO || kind == TERN_KIND_VAL) {
		parcel->block = block_of(signal);
		parcel->payload = (const unsigned char *)parcel->block + TERN_BLOCK_OFFSET;
		parcel->size = parcel->block->size;
	} else if (kind == TERN_KIND_TAG) {
		parcel->size = sizeof(signal->payload.tag);
	}
	parcel->fixed = (struct tern_wire_entry){
		.to_slot = signal->to_slot,
		.to_generation = signal->to_generation & TERN_ADDRESS_GENERATION_MASK,
		.kind = kind & TERN_KIND_MASK,
		.from_slot = tern_address_slot(signal->from),
		.from_generation =
			tern_address_generation(signal->from) & TERN_ADDRESS_GENERATION_MASK,
		.flags = signal->kind & TERN_KIND_RETURNED ? TERN_WIRE_ENTRY_RETURNED : 0,
		.type = signal->type,
		.length = (uint16_t)parcel->size};
}

void tern_parcel_undo(struct tern_signal *signal, const struct tern_wire_entry *fixed,
		      const void *payload, struct tern_block *block)
{
	*signal = (struct tern_signal){
		.type = fixed->type,
		.to_slot = fixed->to_slot,
		.to_generation = fixed->to_generation,
		.kind = (uint8_t)(fixed->kind |
				  (fixed->flags & TERN_WIRE_ENTRY_RETURNED ? TERN_KIND_RETURNED
									   : 0)),
		.from = tern_address_make(0, fixed->from_slot, fixed->from_generation)};
	if (block)
		signal->payload.iso = (tern_iso *)(void *)block;
	else
		memcpy(signal->payload.bytes, payload, fixed->length);
}

void tern_stage_open(struct tern_stage *stage, struct rte_mbuf *mbuf, uint32_t frame_max)
{
	tern_stage_private(mbuf)->count = 0;
	*stage =
		(struct tern_stage){.mbuf = mbuf,
				    .at = rte_pktmbuf_mtod(mbuf, unsigned char *) + TERN_STAGE_HEAD,
				    .left = frame_max - (uint32_t)TERN_STAGE_HEAD};
}

bool tern_stage_takes(const struct tern_stage *stage, const struct tern_parcel *parcel)
{
	return tern_entry_bytes(parcel->key, false, parcel->size) <= stage->left &&
	       (!parcel->block || tern_stage_private(stage->mbuf)->count < TERN_STAGE_BLOCKS);
}

static void write_entry(struct tern_stage *stage, const struct tern_parcel *parcel,
			const struct tern_wire_entry *fixed,
			const struct tern_wire_fragment *fragment)
{
	const unsigned char *payload = parcel->payload;
	unsigned char *end = tern_entry_put(stage->at, fixed, parcel->key, fragment,
					    payload + (fragment ? fragment->offset : 0));
	stage->left -= (uint32_t)(end - stage->at);
	stage->at = end;
	stage->count++;
}

static void keep_block(struct tern_stage *stage, const struct tern_parcel *parcel)
{
	struct tern_stage_private *private = tern_stage_private(stage->mbuf);
	stage->signals++;
	if (parcel->block)
	private->blocks[private->count++] = parcel->block;
}

void tern_stage_put(struct tern_stage *stage, const struct tern_parcel *parcel)
{
	write_entry(stage, parcel, &parcel->fixed, NULL);
	keep_block(stage, parcel);
}

/* The payload is copied at its longest, which a signal has room for, and this frame. */
bool tern_stage_put_value(struct tern_stage *stage, const struct tern_signal *signal)
{
	const uint32_t longest = sizeof(struct tern_wire_entry) + TERN_INLINE_MAX;
	uint32_t size = signal->kind, padding = -size & 3u;
	unsigned char *payload = stage->at + sizeof(struct tern_wire_entry);
	if (stage->left < longest)
		return false;
	*(struct tern_wire_entry *)stage->at = (struct tern_wire_entry){
		.to_slot = signal->to_slot,
		.to_generation = signal->to_generation & TERN_ADDRESS_GENERATION_MASK,
		.kind = size & TERN_KIND_MASK,
		.from_slot = tern_address_slot(signal->from),
		.from_generation =
			tern_address_generation(signal->from) & TERN_ADDRESS_GENERATION_MASK,
		.type = signal->type,
		.length = (uint16_t)size};
	memcpy(payload, signal->payload.bytes, TERN_INLINE_MAX);
	memset(payload + size, 0, padding);
	stage->at = payload + size + padding;
	stage->left -= (uint32_t)sizeof(struct tern_wire_entry) + size + padding;
	stage->count++;
	stage->signals++;
	return true;
}

uint32_t tern_stage_put_fragment(struct tern_stage *stage, const struct tern_parcel *parcel,
				 uint32_t offset)
{
	struct tern_wire_fragment fragment = {.offset = offset, .size = parcel->size};
	struct tern_wire_entry fixed = parcel->fixed;
	uint32_t head = (uint32_t)tern_entry_bytes(parcel->key, true, 0);
	uint32_t length = RTE_MIN((stage->left - head) & ~3u, parcel->size - offset);
	fixed.length = (uint16_t)length;
	write_entry(stage, parcel, &fixed, &fragment);
	if (offset + length == parcel->size)
		keep_block(stage, parcel);
	return offset + length;
}

struct rte_mbuf *tern_stage_close(struct tern_stage *stage, uint8_t flow_class)
{
	struct rte_mbuf *mbuf = stage->mbuf;
	struct tern_wire_header *header = rte_pktmbuf_mtod(mbuf, struct tern_wire_header *);
	struct tern_wire_data *data = (void *)(header + 1);
	uint16_t length = (uint16_t)(stage->at - (unsigned char *)header);
	*data = (struct tern_wire_data){.flow_class = flow_class, .count = stage->count};
	header->length = length;
	mbuf->data_len = length;
	mbuf->pkt_len = length;
	*stage = (struct tern_stage){0};
	return mbuf;
}
