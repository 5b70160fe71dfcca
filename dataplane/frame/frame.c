/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Tern frame itself: made complete, and looked at. Called by the link that sends it and by
 * frame_read.c for each frame that came, on their lcore.
 */
#include "frame.h"

#include <assert.h>

#include <rte_common.h>

#include "crc32c.h"
#include "entry.h"

/* How far the check's own bytes reach: from here on bytes are taken as they are. */
#define CHECK_END (offsetof(struct tern_wire_header, check) + sizeof(uint32_t))

static uint32_t frame_crc_begin(const struct tern_wire_header *header)
{
	struct tern_wire_header begin = *header;
	begin.check = 0;
	return tern_crc32c_add(TERN_CRC32C_START, &begin, CHECK_END);
}

void tern_frame_seal(struct rte_mbuf *frame)
{
	struct tern_wire_header *header = rte_pktmbuf_mtod(frame, struct tern_wire_header *);
	uint32_t crc = frame_crc_begin(header), at = CHECK_END, left = header->length - at;
	assert(rte_pktmbuf_data_len(frame) >= sizeof(*header) &&
	       header->length >= sizeof(*header) && header->length <= rte_pktmbuf_pkt_len(frame));
	for (const struct rte_mbuf *segment = frame; left; segment = segment->next, at = 0) {
		uint32_t size = RTE_MIN(rte_pktmbuf_data_len(segment) - at, left);
		crc = tern_crc32c_add(crc, rte_pktmbuf_mtod_offset(segment, char *, at), size);
		left -= size;
	}
	header->check = ~crc;
}

static bool frame_check_fits(const struct tern_wire_header *header)
{
	uint32_t crc = frame_crc_begin(header);
	crc = tern_crc32c_add(crc, (const char *)header + CHECK_END, header->length - CHECK_END);
	return header->check == ~crc;
}

static bool frame_node_is_one(uint16_t node)
{
	return node >= 1 && node <= TERN_WIRE_NODES_MAX;
}

/* Session, position and acknowledgement: 0 only where there is none. */
static bool frame_place_is_right(const struct tern_wire_header *header)
{
	bool is_hello = header->kind == TERN_WIRE_HELLO;
	return (header->session == 0) == is_hello && (header->position == 0) == is_hello &&
	       header->ack > 0;
}

/* The check comes before all that a newer version would keep: what follows was sent so. */
static enum tern_drop frame_header_check(const struct tern_wire_header *header, size_t size,
					 uint16_t node)
{
	if (size < sizeof(*header))
		return TERN_DROP_SHORT;
	if (header->version != TERN_WIRE_VERSION)
		return TERN_DROP_VERSION;
	if (header->length < sizeof(*header))
		return TERN_DROP_LENGTH;
	if (header->length > size)
		return TERN_DROP_SHORT;
	if (!frame_check_fits(header))
		return TERN_DROP_CHECK;
	if (header->kind < TERN_WIRE_HELLO || header->kind >= TERN_WIRE_KINDS)
		return TERN_DROP_KIND;
	if (!frame_node_is_one(header->from_node) || !frame_node_is_one(header->to_node) ||
	    header->from_node == header->to_node)
		return TERN_DROP_NODE;
	if (header->to_node != node)
		return TERN_DROP_NOT_OURS;
	return frame_place_is_right(header) ? TERN_DROP_NONE : TERN_DROP_POSITION;
}

static enum tern_drop frame_hello_check(const struct tern_wire_header *header,
					const struct tern_wire_hello *hello, size_t size)
{
	if (size != sizeof(*hello))
		return TERN_DROP_LENGTH;
	if (hello->reserved[0] | hello->reserved[1] | hello->reserved[2])
		return TERN_DROP_RESERVED;
	if (hello->nonce == 0 || (hello->your_nonce == 0) != (header->kind == TERN_WIRE_HELLO))
		return TERN_DROP_NONCE;
	if (hello->heartbeat_us == 0 || hello->dead_us < hello->heartbeat_us ||
	    hello->frame_max < TERN_WIRE_FRAME_MIN || hello->credit_max < TERN_WIRE_CREDIT_MIN ||
	    hello->credit_max > TERN_WIRE_CREDIT_MAX || hello->lcores == 0)
		return TERN_DROP_OFFER;
	return TERN_DROP_NONE;
}

static enum tern_drop frame_data_check(const struct tern_wire_header *header,
				       const struct tern_wire_data *data, size_t size)
{
	if (size < sizeof(*data))
		return TERN_DROP_LENGTH;
	if (data->reserved)
		return TERN_DROP_RESERVED;
	if (data->flow_class >= TERN_WIRE_CLASSES)
		return TERN_DROP_CLASS;
	if (data->distance >= header->position)
		return TERN_DROP_DISTANCE;
	return tern_entries_check(data, size);
}

static enum tern_drop frame_ranges_check(const struct tern_wire_ranges *ranges, size_t size)
{
	if (size < sizeof(*ranges))
		return TERN_DROP_LENGTH;
	if (ranges->reserved[0] | ranges->reserved[1] | ranges->reserved[2])
		return TERN_DROP_RESERVED;
	if (ranges->count == 0 || ranges->count > TERN_WIRE_RANGES_MAX ||
	    size != sizeof(*ranges) + ranges->count * sizeof(ranges->range[0]))
		return TERN_DROP_COUNT;
	uint64_t before = 0; /* one past the last range: a gap lies between, and 0 is no position */
	for (uint32_t i = 0; i < ranges->count; before = ranges->range[i++].to)
		if (ranges->range[i].from <= before || ranges->range[i].to <= ranges->range[i].from)
			return TERN_DROP_RANGES;
	return TERN_DROP_NONE;
}

static enum tern_drop frame_body_check(const struct tern_wire_header *header)
{
	size_t size = header->length - sizeof(*header);
	const void *body = header + 1;
	switch (header->kind) {
	case TERN_WIRE_HELLO:
	case TERN_WIRE_WELCOME:
		return frame_hello_check(header, body, size);
	case TERN_WIRE_DATA:
		return frame_data_check(header, body, size);
	case TERN_WIRE_NAK:
	case TERN_WIRE_GONE:
		return frame_ranges_check(body, size);
	default:
		return size == 0 ? TERN_DROP_NONE : TERN_DROP_LENGTH;
	}
}

static void frame_point(const struct tern_wire_header *header, struct tern_frame *frame)
{
	*frame = (struct tern_frame){.header = header};
	if (header->kind == TERN_WIRE_DATA)
		frame->body.data = (const void *)(header + 1);
	else if (header->kind == TERN_WIRE_HELLO || header->kind == TERN_WIRE_WELCOME)
		frame->body.hello = (const void *)(header + 1);
	else if (header->kind == TERN_WIRE_NAK || header->kind == TERN_WIRE_GONE)
		frame->body.ranges = (const void *)(header + 1);
}

enum tern_drop tern_frame_check(const void *bytes, size_t size, uint16_t node,
				struct tern_frame *frame)
{
	const struct tern_wire_header *header = bytes;
	enum tern_drop why = frame_header_check(header, size, node);
	if (why == TERN_DROP_NONE)
		why = frame_body_check(header);
	if (why == TERN_DROP_NONE)
		frame_point(header, frame);
	return why;
}
