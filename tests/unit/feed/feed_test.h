/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_TEST_H
#define FEED_TEST_H

/* What several feed tests need: a growing byte string, capture files made of it, a seed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "generator/generator_random.h"
#include "format/moldudp64.h"
#include "format/udp_frame.h"

struct bytes {
	uint8_t data[1 << 18];
	size_t length;
};

static inline void put(struct bytes *bytes, const void *from, size_t length)
{
	assert_true(length <= sizeof(bytes->data) - bytes->length);
	if (length)
		memcpy(bytes->data + bytes->length, from, length);
	bytes->length += length;
}

static inline void put_u16(struct bytes *bytes, uint16_t value)
{
	uint8_t word[2];
	store_be16(word, value);
	put(bytes, word, sizeof(word));
}

static inline void put_u32(struct bytes *bytes, uint32_t value)
{
	uint8_t word[4];
	store_be32(word, value);
	put(bytes, word, sizeof(word));
}

/** A big-endian pcap file header. */
static inline void put_pcap_header(struct bytes *bytes, uint32_t magic, uint32_t link_type)
{
	put_u32(bytes, magic);
	put_u16(bytes, 2);
	put_u16(bytes, 4);
	put_u32(bytes, 0);
	put_u32(bytes, 0);
	put_u32(bytes, 65535);
	put_u32(bytes, link_type);
}

#define PCAP_MICRO 0xA1B2C3D4
#define PCAP_NANO 0xA1B23C4D

static inline void put_pcap_packet(struct bytes *bytes, const uint8_t *frame, size_t captured,
				   size_t wire_length)
{
	put_u32(bytes, 1000);
	put_u32(bytes, 500);
	put_u32(bytes, (uint32_t)captured);
	put_u32(bytes, (uint32_t)wire_length);
	put(bytes, frame, captured);
}

/** An Ethernet, IPv4 and UDP frame around a payload. Returns its length. */
static inline size_t make_frame(uint8_t *frame, const uint8_t *payload, size_t length)
{
	static const struct udp_endpoints endpoints = {0x0A000001, 0xE9FC0001, 1000, 26477};
	memcpy(frame + UDP_FRAME_HEADER_LENGTH, payload, length);
	udp_frame_write(frame, length, &endpoints);
	return UDP_FRAME_HEADER_LENGTH + length;
}

/** A MoldUDP64 payload of messages of `length` bytes of type `type`. Returns its length. */
static inline size_t make_mold(uint8_t *payload, const char *session, uint64_t sequence,
			       uint16_t count, uint16_t length, char type)
{
	struct moldudp64_packet packet = {
		.kind = MOLDUDP64_DATA, .count = count, .sequence = sequence};
	memcpy(packet.session, session, sizeof(packet.session));
	moldudp64_header_write(&packet, payload);
	size_t at = MOLDUDP64_HEADER_LENGTH;
	for (uint16_t i = 0; i < count && count != MOLDUDP64_COUNT_END; i++) {
		store_be16(payload + at, length);
		memset(payload + at + 2, 0, length);
		if (length)
			payload[at + 2] = (uint8_t)type;
		at += 2 + (size_t)length;
	}
	return at;
}

static inline void put_mold(struct bytes *bytes, const char *session, uint64_t sequence,
			    uint16_t count)
{
	uint8_t payload[1400];
	uint8_t frame[1500];
	size_t length = make_mold(payload, session, sequence, count, 12, 'S');
	length = make_frame(frame, payload, length);
	put_pcap_packet(bytes, frame, length, length);
}

static inline FILE *bytes_open(struct bytes *bytes)
{
	FILE *file = bytes->length ? fmemopen(bytes->data, bytes->length, "rb")
				   : fopen("/dev/null", "rb");
	assert_non_null(file);
	return file;
}

/** The seed of a random test: argv[1], else TERN_SEED, else 1; printed. */
static inline uint64_t test_seed(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("TERN_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

#endif
