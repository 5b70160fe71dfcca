/* SPDX-License-Identifier: Apache-2.0 */
#include "moldudp64.h"

#include "byte_order.h"

#define OFFSET_SEQUENCE 10
#define OFFSET_COUNT 18

static enum feed_anomaly walk_blocks(const uint8_t *bytes, size_t length, uint16_t count,
				     size_t *walked)
{
	size_t at = 0;
	for (uint16_t i = 0; i < count; i++) {
		if (at == length)
			return FEED_COUNT_PAST_END;
		if (length - at < MOLDUDP64_BLOCK_HEADER_LENGTH)
			return FEED_BLOCK_CUT;
		size_t block_length = load_be16(bytes + at);
		at += MOLDUDP64_BLOCK_HEADER_LENGTH;
		if (length - at < block_length)
			return FEED_BLOCK_CUT;
		at += block_length;
	}
	*walked = at;
	return FEED_OK;
}

static enum moldudp64_kind packet_kind(uint16_t count, size_t length)
{
	if (count == 0)
		return MOLDUDP64_HEARTBEAT;
	if (count == MOLDUDP64_COUNT_END)
		return MOLDUDP64_END;
	return length == MOLDUDP64_HEADER_LENGTH ? MOLDUDP64_REQUEST : MOLDUDP64_DATA;
}

enum feed_anomaly moldudp64_parse(const uint8_t *bytes, size_t length,
				  struct moldudp64_packet *packet)
{
	if (length < MOLDUDP64_HEADER_LENGTH)
		return FEED_MOLD_SHORT;
	struct moldudp64_packet parsed = {
		.sequence = load_be64(bytes + OFFSET_SEQUENCE),
		.count = load_be16(bytes + OFFSET_COUNT),
		.blocks = bytes + MOLDUDP64_HEADER_LENGTH,
	};
	memcpy(parsed.session, bytes, sizeof(parsed.session));
	parsed.kind = packet_kind(parsed.count, length);
	size_t rest = length - MOLDUDP64_HEADER_LENGTH;
	if (parsed.kind == MOLDUDP64_DATA) {
		enum feed_anomaly anomaly =
			walk_blocks(parsed.blocks, rest, parsed.count, &parsed.blocks_length);
		if (anomaly != FEED_OK)
			return anomaly;
		if (parsed.sequence > UINT64_MAX - parsed.count)
			return FEED_SEQUENCE_OVERFLOW;
	} else if (parsed.kind != MOLDUDP64_REQUEST) {
		parsed.count = 0;
	}
	parsed.trailing_length = rest - parsed.blocks_length;
	*packet = parsed;
	return FEED_OK;
}

uint16_t moldudp64_block_next(const uint8_t **blocks, const uint8_t **message)
{
	uint16_t length = load_be16(*blocks);
	*message = *blocks + MOLDUDP64_BLOCK_HEADER_LENGTH;
	*blocks = *message + length;
	return length;
}

void moldudp64_header_write(const struct moldudp64_packet *packet, uint8_t *bytes)
{
	uint16_t count = packet->count;
	if (packet->kind == MOLDUDP64_HEARTBEAT)
		count = 0;
	else if (packet->kind == MOLDUDP64_END)
		count = MOLDUDP64_COUNT_END;
	memcpy(bytes, packet->session, MOLDUDP64_SESSION_LENGTH);
	store_be64(bytes + OFFSET_SEQUENCE, packet->sequence);
	store_be16(bytes + OFFSET_COUNT, count);
}
