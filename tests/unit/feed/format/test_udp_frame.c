/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the UDP payload is found in every legal frame, and every other frame is refused by name.
 * Method: one good frame for each shape, then one field wrong at a time, and every possible cut, in
 * memory of exactly that size.
 */
#include "format/udp_frame.h"

#include "tests/unit/feed/feed_test.h"

#define PAYLOAD "some payload"
#define PAYLOAD_LENGTH 12

enum { AT_TYPE = 12, AT_IP = 14, AT_UDP = 34 };

static enum feed_anomaly parse_exact(const uint8_t *frame, size_t captured, size_t wire_length,
				     struct udp_datagram *datagram)
{
	uint8_t *exact = malloc(captured ? captured : 1);
	assert_non_null(exact);
	memcpy(exact, frame, captured);
	enum feed_anomaly anomaly = udp_frame_parse(exact, captured, wire_length, datagram);
	free(exact);
	return anomaly;
}

static size_t good_frame(uint8_t *frame)
{
	return make_frame(frame, (const uint8_t *)PAYLOAD, PAYLOAD_LENGTH);
}

static void assert_payload(const uint8_t *frame, size_t length)
{
	struct udp_datagram datagram;
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_OK);
	assert_int_equal(datagram.length, PAYLOAD_LENGTH);
	assert_memory_equal(datagram.payload, PAYLOAD, PAYLOAD_LENGTH);
	assert_int_equal(datagram.source_port, 1000);
	assert_int_equal(datagram.destination_port, 26477);
	assert_false(datagram.ip_checksum_wrong);
	assert_false(datagram.udp_checksum_wrong);
}

/* Put `length` bytes into the frame. */
static size_t insert(uint8_t *frame, size_t frame_length, size_t at, const void *bytes,
		     size_t length)
{
	memmove(frame + at + length, frame + at, frame_length - at);
	memcpy(frame + at, bytes, length);
	return frame_length + length;
}

static void written_frames_are_read(void **state)
{
	(void)state;
	uint8_t frame[200] = {0};
	size_t length = good_frame(frame);
	assert_payload(frame, length);
	assert_payload(frame, length + 6); /* Ethernet padding */
	length = insert(frame, length, AT_TYPE, "\x81\x00\x00\x8d", 4);
	assert_payload(frame, length);
	length = insert(frame, length, AT_TYPE, "\x88\xa8\x00\x01", 4);
	assert_payload(frame, length);
	length = insert(frame, length, AT_TYPE, "\x81\x00\x00\x02", 4);
	struct udp_datagram datagram;
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_ETHERTYPE_OTHER);
}

static void ipv4_options_are_skipped(void **state)
{
	(void)state;
	uint8_t frame[200];
	size_t length = good_frame(frame);
	length = insert(frame, length, AT_UDP, "\x01\x01\x01\x00", 4);
	frame[AT_IP] = 0x46;
	frame[AT_IP + 3] += 4;
	store_be16(frame + AT_IP + 10, 0); /* checksum not computed */
	assert_payload(frame, length);
}

/* The good frame over IPv6, with `extension` before UDP; the UDP checksum is made right. */
static size_t ipv6_frame(uint8_t *frame, uint8_t next, const char *extension,
			 size_t extension_length)
{
	uint8_t ipv4[200];
	size_t length = good_frame(ipv4);
	size_t udp_length = length - AT_UDP;
	memset(frame, 0, 54);
	store_be16(frame + AT_TYPE, 0x86DD);
	frame[AT_IP] = 0x60;
	store_be16(frame + AT_IP + 4, (uint16_t)(udp_length + extension_length));
	frame[AT_IP + 6] = next;
	memcpy(frame + 54, extension, extension_length);
	memcpy(frame + 54 + extension_length, ipv4 + AT_UDP, udp_length);
	uint8_t *udp = frame + 54 + extension_length;
	store_be16(udp + 6, 0);
	uint32_t sum = 17 + (uint32_t)udp_length; /* addresses are 0 */
	for (size_t i = 0; i < udp_length; i += 2)
		sum += load_be16(udp + i);
	store_be16(udp + 6, (uint16_t) ~((sum & 0xFFFF) + (sum >> 16)));
	return 54 + extension_length + udp_length;
}

static void ipv6_is_read(void **state)
{
	(void)state;
	static const char hop_by_hop[] = "\x11\x00\x01\x04\x00\x00\x00\x00";
	static const char fragment[] = "\x11\x00\x00\x01\x00\x00\x00\x00";
	uint8_t frame[200];
	struct udp_datagram datagram;
	size_t length = ipv6_frame(frame, 17, "", 0);
	assert_payload(frame, length);
	store_be16(frame + 60, 0); /* a checksum is a must here */
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_OK);
	assert_true(datagram.udp_checksum_wrong);
	length = ipv6_frame(frame, 0, hop_by_hop, 8);
	assert_payload(frame, length);
	frame[55] = 200; /* extension longer than the packet */
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_IP_HEADER_LENGTH);
	length = ipv6_frame(frame, 44, fragment, 8);
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_IP_FRAGMENT);
	length = ipv6_frame(frame, 6, "", 0);
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_PROTOCOL_OTHER);
	frame[AT_IP] = 0x40;
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_IP_VERSION);
}

static void assert_refused(size_t at, uint8_t value, enum feed_anomaly expected)
{
	uint8_t frame[200];
	struct udp_datagram datagram;
	size_t length = good_frame(frame);
	frame[at] = value;
	assert_int_equal(parse_exact(frame, length, length, &datagram), expected);
}

static void wrong_fields_are_named(void **state)
{
	(void)state;
	assert_refused(AT_TYPE + 1, 0x06, FEED_ETHERTYPE_OTHER);
	assert_refused(AT_IP, 0x65, FEED_IP_VERSION);
	assert_refused(AT_IP, 0x44, FEED_IP_HEADER_LENGTH);
	assert_refused(AT_IP, 0x4F, FEED_IP_HEADER_LENGTH);
	assert_refused(AT_IP + 3, 10, FEED_IP_HEADER_LENGTH);
	assert_refused(AT_IP + 3, 27, FEED_UDP_LENGTH);
	assert_refused(AT_IP + 2, 1, FEED_IP_LENGTH);
	assert_refused(AT_IP + 6, 0x20, FEED_IP_FRAGMENT);
	assert_refused(AT_IP + 7, 1, FEED_IP_FRAGMENT);
	assert_refused(AT_IP + 9, 6, FEED_PROTOCOL_OTHER);
	assert_refused(AT_UDP + 5, 7, FEED_UDP_LENGTH);
	assert_refused(AT_UDP + 5, 8 + PAYLOAD_LENGTH + 1, FEED_UDP_LENGTH);
}

static void wrong_checksums_are_told(void **state)
{
	(void)state;
	uint8_t frame[200];
	struct udp_datagram datagram;
	size_t length = good_frame(frame);
	frame[AT_IP + 8]++;
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_OK);
	assert_true(datagram.ip_checksum_wrong);
	assert_false(datagram.udp_checksum_wrong);
	frame[length - 1]++;
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_OK);
	assert_true(datagram.udp_checksum_wrong);
	store_be16(frame + AT_IP + 10, 0);
	store_be16(frame + AT_UDP + 6, 0);
	assert_int_equal(udp_frame_parse(frame, length, length, &datagram), FEED_OK);
	assert_false(datagram.ip_checksum_wrong);
	assert_false(datagram.udp_checksum_wrong);
}

static void every_cut_is_named(void **state)
{
	(void)state;
	uint8_t frame[200];
	struct udp_datagram datagram = {.length = 99};
	size_t whole = good_frame(frame);
	for (size_t length = 0; length < whole; length++) {
		enum feed_anomaly expected = length < AT_UDP ? FEED_FRAME_SHORT : FEED_IP_LENGTH;
		assert_int_equal(parse_exact(frame, length, whole, &datagram), FEED_PACKET_SNAPPED);
		assert_int_equal(parse_exact(frame, length, length, &datagram), expected);
	}
	assert_int_equal(datagram.length, 99);
	assert_int_equal(parse_exact(frame, whole, whole + 6, &datagram), FEED_OK);
	whole = ipv6_frame(frame, 17, "", 0);
	for (size_t length = 0; length < whole; length++)
		assert_int_equal(parse_exact(frame, length, whole, &datagram), FEED_PACKET_SNAPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_frames_are_read),
		cmocka_unit_test(ipv4_options_are_skipped),
		cmocka_unit_test(ipv6_is_read),
		cmocka_unit_test(wrong_fields_are_named),
		cmocka_unit_test(wrong_checksums_are_told),
		cmocka_unit_test(every_cut_is_named),
	};
	return cmocka_run_group_tests_name("udp_frame", tests, NULL, NULL);
}
