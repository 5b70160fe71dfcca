/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one iterator yields the messages of any feed file and counts by name what it leaves out.
 * Method: small files in memory, one for each thing to count.
 */
#include "feed_source.h"

#include "format/binaryfile.h"
#include "tests/unit/feed/feed_test.h"
#include "format/itch.h"

#include <errno.h>

static struct feed_source *open_source(struct bytes *bytes, uint16_t port)
{
	struct feed_source *source;
	struct tern_error error;
	assert_int_equal(feed_source_create(bytes_open(bytes), "sample", port, &source, &error), 0);
	return source;
}

/* Read to the end; the number of messages. `code` gets the last result. */
static uint64_t read_all(struct feed_source *source, int *code)
{
	struct feed_message message;
	struct tern_error error;
	uint64_t count = 0;
	while ((*code = feed_source_next(source, &message, &error)) > 0)
		count++;
	assert_int_equal(feed_source_next(source, &message, &error), 0);
	return count;
}

static void assert_counted(struct bytes *bytes, uint64_t messages, enum feed_anomaly anomaly,
			   uint64_t count)
{
	int code;
	struct feed_source *source = open_source(bytes, 0);
	assert_int_equal(read_all(source, &code), messages);
	assert_int_equal(code, 0);
	assert_int_equal(feed_source_counters(source)->count[anomaly], count);
	feed_source_destroy(source);
}

static void put_message(struct bytes *bytes, char type, uint16_t length)
{
	uint8_t message[ITCH_LENGTH_MAX] = {(uint8_t)type, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2};
	put_u16(bytes, length);
	put(bytes, message, length);
}

static void binaryfile_is_read(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	struct feed_message message;
	struct tern_error error;
	put_message(&bytes, 'S', 12);
	put_message(&bytes, 'Z', 20);
	put_message(&bytes, 'D', 18);
	put_u16(&bytes, 0);
	struct feed_source *source = open_source(&bytes, 0);
	assert_int_equal(feed_source_format(source), FEED_BINARYFILE);
	assert_int_equal(feed_source_next(source, &message, &error), 1);
	assert_int_equal(message.anomaly, FEED_OK);
	assert_int_equal(message.sequence, 1);
	assert_int_equal(message.timestamp_ns, 258);
	assert_int_equal(feed_source_next(source, &message, &error), 1);
	assert_int_equal(message.anomaly, FEED_TYPE_UNKNOWN);
	assert_int_equal(message.place, 14);
	assert_int_equal(feed_source_next(source, &message, &error), 1);
	assert_int_equal(message.anomaly, FEED_LENGTH_WRONG);
	assert_int_equal(message.sequence, 3);
	assert_int_equal(feed_source_next(source, &message, &error), 0);
	assert_int_equal(feed_source_counters(source)->count[FEED_TYPE_UNKNOWN], 1);
	assert_int_equal(feed_source_counters(source)->first_place[FEED_LENGTH_WRONG], 36);
	assert_true(feed_counters_faulty(feed_source_counters(source)));
	feed_source_destroy(source);
}

static void incomplete_binaryfiles_are_told(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	int code;
	put_message(&bytes, 'S', 12);
	assert_counted(&bytes, 1, FEED_END_MISSING, 1);
	put_message(&bytes, 'S', 12);
	bytes.length--;
	struct feed_source *source = open_source(&bytes, 0);
	assert_int_equal(read_all(source, &code), 1);
	assert_int_equal(code, -EBADMSG);
	assert_int_equal(feed_source_counters(source)->count[FEED_FILE_CUT], 1);
	feed_source_destroy(source);
	bytes.length = 14;
	put_u16(&bytes, 0);
	put_message(&bytes, 'S', 12);
	source = open_source(&bytes, 0);
	assert_int_equal(read_all(source, &code), 1);
	assert_int_equal(code, -EBADMSG);
	assert_int_equal(feed_source_counters(source)->count[FEED_FILE_TRAILING], 1);
	feed_source_destroy(source);
}

static void capture_is_read(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	struct feed_message message;
	struct tern_error error;
	put_pcap_header(&bytes, PCAP_NANO, 1);
	put_mold(&bytes, "SESSION001", 1, 2);
	put_mold(&bytes, "SESSION001", 2, 2);
	put_mold(&bytes, "SESSION001", 4, 0);
	put_mold(&bytes, "SESSION002", 1, 1);
	put_mold(&bytes, "SESSION002", 2, MOLDUDP64_COUNT_END);
	struct feed_source *source = open_source(&bytes, 0);
	assert_int_equal(feed_source_format(source), FEED_MOLDUDP64);
	static const uint64_t sequences[] = {1, 2, 3, 1};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(feed_source_next(source, &message, &error), 1);
		assert_int_equal(message.sequence, sequences[i]);
		assert_int_equal(message.restarted, i == 3);
		assert_int_equal(message.capture_ns, UINT64_C(1000000000500));
		assert_int_equal(message.length, 12);
	}
	assert_int_equal(feed_source_next(source, &message, &error), 0);
	const struct feed_counters *counters = feed_source_counters(source);
	assert_int_equal(counters->count[FEED_PACKET_OVERLAP], 1);
	assert_int_equal(counters->count[FEED_HEARTBEAT], 1);
	assert_int_equal(counters->count[FEED_SESSION_RESTART], 1);
	assert_int_equal(counters->count[FEED_SESSION_END], 1);
	assert_false(feed_counters_faulty(counters));
	feed_source_destroy(source);
}

static void losses_are_counted(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	put_pcap_header(&bytes, PCAP_NANO, 1);
	put_mold(&bytes, "SESSION001", 5, 1);
	assert_counted(&bytes, 1, FEED_LATE_JOIN, 1);
	put_mold(&bytes, "SESSION001", 9, 2);
	assert_counted(&bytes, 3, FEED_GAP, 1);
	assert_counted(&bytes, 3, FEED_MESSAGE_MISSING, 3);
	put_mold(&bytes, "SESSION001", 21, MOLDUDP64_COUNT_END);
	assert_counted(&bytes, 3, FEED_GAP, 2);
	assert_counted(&bytes, 3, FEED_MESSAGE_MISSING, 13);
}

static void bad_packets_are_counted(void **state)
{
	(void)state;
	uint8_t payload[200];
	uint8_t frame[300];
	struct bytes bytes = {.length = 0};
	put_pcap_header(&bytes, PCAP_NANO, 1);
	put_mold(&bytes, "SESSION001", 1, 1);
	size_t whole = make_mold(payload, "SESSION001", 2, 3, 12, 'S');
	size_t length = make_frame(frame, payload, whole - 14);
	put_pcap_packet(&bytes, frame, length, length);
	assert_counted(&bytes, 1, FEED_COUNT_PAST_END, 1);
	length = make_frame(frame, payload, whole - 3);
	put_pcap_packet(&bytes, frame, length, length);
	assert_counted(&bytes, 1, FEED_BLOCK_CUT, 1);
	length = make_frame(frame, payload, whole);
	put_pcap_packet(&bytes, frame, length - 1, length);
	assert_counted(&bytes, 1, FEED_PACKET_SNAPPED, 1);
	length = make_frame(frame, payload, 5);
	put_pcap_packet(&bytes, frame, length, length);
	assert_counted(&bytes, 1, FEED_MOLD_SHORT, 1);
	put_mold(&bytes, "SESSION001", 2, 3);
	assert_counted(&bytes, 4, FEED_GAP, 0);
}

static void port_chooses_datagrams(void **state)
{
	(void)state;
	struct bytes bytes = {.length = 0};
	int code;
	put_pcap_header(&bytes, PCAP_NANO, 1);
	put_mold(&bytes, "SESSION001", 1, 1);
	struct feed_source *source = open_source(&bytes, 26477);
	assert_int_equal(read_all(source, &code), 1);
	feed_source_destroy(source);
	source = open_source(&bytes, 26478);
	assert_int_equal(read_all(source, &code), 0);
	assert_int_equal(feed_source_counters(source)->count[FEED_PORT_OTHER], 1);
	feed_source_destroy(source);
}

static void assert_no_feed(const char *start, size_t length, int code, const char *text)
{
	struct bytes bytes = {.length = 0};
	struct feed_source *source = NULL;
	struct tern_error error;
	put(&bytes, start, length);
	assert_int_equal(feed_source_create(bytes_open(&bytes), "sample", 0, &source, &error),
			 code);
	assert_null(source);
	assert_non_null(strstr(error.text, text));
}

static void other_files_are_refused(void **state)
{
	(void)state;
	struct feed_source *source;
	struct tern_error error;
	assert_no_feed("", 0, -ENODATA, "sample: empty (0 bytes)");
	assert_no_feed("# some text", 11, -EBADMSG, "starts with bytes 23 20 73");
	assert_no_feed("\x00\x0c\x01\x00", 4, -EBADMSG, "no feed");
	assert_no_feed("\xfd"
		       "7zXZ",
		       5, -EBADMSG, "xz -dk sample");
	assert_no_feed("\xa1\xb2\xc3\xd4", 4, -EBADMSG, "no readable pcap");
	assert_int_equal(feed_source_open("/nonexistent", 0, &source, &error), -ENOENT);
	assert_int_equal(feed_source_open("/", 0, &source, &error), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binaryfile_is_read),
		cmocka_unit_test(incomplete_binaryfiles_are_told),
		cmocka_unit_test(capture_is_read),
		cmocka_unit_test(losses_are_counted),
		cmocka_unit_test(bad_packets_are_counted),
		cmocka_unit_test(port_chooses_datagrams),
		cmocka_unit_test(other_files_are_refused),
	};
	return cmocka_run_group_tests_name("feed_source", tests, NULL, NULL);
}
