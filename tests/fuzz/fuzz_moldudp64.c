/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no datagram breaks the packet parser or the stream tracker. Method: the input is datagrams,
 * each behind its u16 length; what the parser accepts must stay inside the datagram, and the
 * tracker must neither take more than a packet holds nor go back.
 */
#include "format/byte_order.h"
#include "format/moldudp64_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_blocks(const struct moldudp64_packet *packet)
{
	const uint8_t *blocks = packet->blocks;
	const uint8_t *end = packet->blocks + packet->blocks_length;
	for (uint16_t i = 0; packet->kind == MOLDUDP64_DATA && i < packet->count; i++) {
		const uint8_t *message;
		uint16_t length = moldudp64_block_next(&blocks, &message);
		if (message + length != blocks || blocks > end)
			abort();
	}
	if (blocks != end)
		abort();
}

static void feed_stream(struct moldudp64_stream *stream, const struct moldudp64_packet *packet)
{
	struct moldudp64_stream before = *stream;
	struct moldudp64_verdict verdict = moldudp64_stream_accept(stream, packet);
	uint32_t judged = (uint32_t)verdict.skip_count + verdict.take_count;
	if (judged != 0 && judged != packet->count)
		abort();
	if (!verdict.restarted && before.joined && stream->expected < before.expected)
		abort();
	if (packet->kind != MOLDUDP64_DATA && before.joined && !verdict.restarted &&
	    stream->expected != before.expected)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct moldudp64_stream stream = {0};
	while (size >= 2) {
		size_t length = load_be16(data);
		struct moldudp64_packet packet;
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		/* a copy of exactly that size, so that the sanitizer sees any overrun */
		uint8_t *datagram = malloc(length ? length : 1);
		if (!datagram)
			return 0;
		memcpy(datagram, data, length);
		if (moldudp64_parse(datagram, length, &packet) == FEED_OK) {
			check_blocks(&packet);
			feed_stream(&stream, &packet);
		}
		free(datagram);
		data += length;
		size -= length;
	}
	return 0;
}
