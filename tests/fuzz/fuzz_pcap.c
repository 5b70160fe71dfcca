/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no capture breaks the way from file to book, and no frame the UDP parser. Method: the input
 * is the file; then all of it is one frame, at several captured lengths.
 */
#include "fuzz_source.h"

#include "format/udp_frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_frame(const uint8_t *data, size_t captured, size_t wire_length)
{
	struct udp_datagram datagram;
	uint8_t *frame = malloc(captured ? captured : 1);
	if (!frame)
		return;
	memcpy(frame, data, captured);
	if (udp_frame_parse(frame, captured, wire_length, &datagram) == FEED_OK &&
	    (datagram.payload < frame || datagram.payload + datagram.length > frame + captured))
		abort();
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_source(data, size);
	parse_frame(data, size, size);
	parse_frame(data, size / 2, size);
	parse_frame(data, size, size / 2);
	return 0;
}
