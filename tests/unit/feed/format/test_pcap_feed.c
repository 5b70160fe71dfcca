/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: datagrams come out of pcap and pcapng files with their time stamps, and files that are no
 * Ethernet captures are refused with the reason. Method: captures built byte by byte in memory.
 */
#include "format/pcap_feed.h"

#include "tests/unit/feed/feed_test.h"

#include <errno.h>

static void put_sample(struct bytes *bytes)
{
	uint8_t frame[200];
	size_t length = make_frame(frame, (const uint8_t *)"payload", 7);
	put_pcap_packet(bytes, frame, length, length);
}

static struct pcap_feed *open_feed(struct bytes *bytes)
{
	struct pcap_feed *feed;
	struct tern_error error;
	assert_int_equal(pcap_feed_create(bytes_open(bytes), "sample", &feed, &error), 0);
	return feed;
}

static void check_pcap(uint32_t magic, uint64_t capture_ns)
{
	struct bytes bytes = {.length = 0};
	struct pcap_feed_packet packet;
	struct tern_error error;
	put_pcap_header(&bytes, magic, 1);
	put_sample(&bytes);
	put_sample(&bytes);
	struct pcap_feed *feed = open_feed(&bytes);
	for (uint64_t number = 1; number <= 2; number++) {
		assert_int_equal(pcap_feed_next(feed, &packet, &error), 1);
		assert_int_equal(packet.anomaly, FEED_OK);
		assert_int_equal(packet.number, number);
		assert_int_equal(packet.capture_ns, capture_ns);
		assert_memory_equal(packet.datagram.payload, "payload", 7);
	}
	assert_int_equal(pcap_feed_next(feed, &packet, &error), 0);
	pcap_feed_destroy(feed);
}

static void micro_and_nanoseconds_are_read(void **state)
{
	(void)state;
	check_pcap(PCAP_MICRO, UINT64_C(1000000500000));
	check_pcap(PCAP_NANO, UINT64_C(1000000000500));
}

/* Section header, interface with nanoseconds, one packet. */
static void pcapng_is_read(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	struct pcap_feed_packet packet;
	struct tern_error error;
	uint8_t frame[200];
	size_t length = make_frame(frame, (const uint8_t *)"payloads", 8);
	size_t padded = (length + 3) / 4 * 4;
	static const uint32_t
		start[] = {0x0A0D0D0A, 28, 0x1A2B3C4D, 0x00010000, UINT32_MAX, UINT32_MAX,
			   28,	       1,  32,	       1 << 16,	   0,	       9 << 16 | 1,
			   9 << 24,    0,  32}; /* nanoseconds: option 9 of 1 byte, 9 */
	for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++)
		put_u32(&bytes, start[i]);
	uint32_t block_length = (uint32_t)(32 + padded);
	const uint32_t block[] = {6, block_length, 0, 0, 777, (uint32_t)length, (uint32_t)length};
	for (size_t i = 0; i < sizeof(block) / sizeof(block[0]); i++)
		put_u32(&bytes, block[i]);
	memset(frame + length, 0, 4);
	put(&bytes, frame, padded);
	put_u32(&bytes, block_length);
	struct pcap_feed *feed = open_feed(&bytes);
	assert_int_equal(pcap_feed_next(feed, &packet, &error), 1);
	assert_int_equal(packet.anomaly, FEED_OK);
	assert_int_equal(packet.capture_ns, 777);
	assert_int_equal(packet.datagram.length, 8);
	assert_int_equal(pcap_feed_next(feed, &packet, &error), 0);
	pcap_feed_destroy(feed);
}

static void other_link_type_is_refused(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	struct pcap_feed *feed = NULL;
	struct tern_error error;
	put_pcap_header(&bytes, PCAP_MICRO, 113);
	assert_int_equal(pcap_feed_create(bytes_open(&bytes), "sample", &feed, &error),
			 -EPROTONOSUPPORT);
	assert_null(feed);
	assert_non_null(strstr(error.text, "sample: link type 113 (LINUX_SLL), needs Ethernet"));
}

static void every_cut_is_an_error(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	put_pcap_header(&bytes, PCAP_NANO, 1);
	size_t header_length = bytes.length;
	put_sample(&bytes);
	size_t whole = bytes.length;
	for (size_t length = 1; length < whole; length++) {
		struct pcap_feed *feed;
		struct pcap_feed_packet packet;
		struct tern_error error;
		bytes.length = length;
		int code = pcap_feed_create(bytes_open(&bytes), "sample", &feed, &error);
		assert_int_equal(code, length < header_length ? -EBADMSG : 0);
		if (code < 0)
			continue;
		code = pcap_feed_next(feed, &packet, &error);
		assert_int_equal(code, length == header_length ? 0 : -EBADMSG);
		pcap_feed_destroy(feed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(micro_and_nanoseconds_are_read),
		cmocka_unit_test(pcapng_is_read),
		cmocka_unit_test(other_link_type_is_refused),
		cmocka_unit_test(every_cut_is_an_error),
	};
	return cmocka_run_group_tests_name("pcap_feed", tests, NULL, NULL);
}
