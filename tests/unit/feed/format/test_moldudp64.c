/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a packet is accepted whole or refused by name. Method: each kind of packet once, and a data
 * packet cut at every byte, in memory of exactly that size so that a sanitizer sees any overrun.
 */
#include "format/moldudp64.h"

#include "tests/unit/feed/feed_test.h"

#define SESSION "SESSION001"

static enum feed_anomaly parse_exact(const uint8_t *bytes, size_t length,
				     struct moldudp64_packet *packet)
{
	uint8_t *exact = malloc(length ? length : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, length);
	enum feed_anomaly anomaly = moldudp64_parse(exact, length, packet);
	free(exact);
	return anomaly;
}

static void data_packet_yields_its_messages(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct moldudp64_packet packet;
	size_t length = make_mold(bytes, SESSION, 77, 3, 12, 'S');
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	assert_int_equal(packet.kind, MOLDUDP64_DATA);
	assert_int_equal(packet.count, 3);
	assert_int_equal(packet.sequence, 77);
	assert_memory_equal(packet.session, SESSION, 10);
	assert_int_equal(packet.trailing_length, 0);
	const uint8_t *blocks = packet.blocks;
	for (int i = 0; i < 3; i++) {
		const uint8_t *message;
		assert_int_equal(moldudp64_block_next(&blocks, &message), 12);
		assert_ptr_equal(message, bytes + 22 + 14 * i);
	}
	assert_ptr_equal(blocks, bytes + length);
}

static void empty_messages_are_legal(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct moldudp64_packet packet;
	size_t length = make_mold(bytes, SESSION, 1, 2, 0, 'S');
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	const uint8_t *blocks = packet.blocks;
	const uint8_t *message;
	assert_int_equal(moldudp64_block_next(&blocks, &message), 0);
	assert_int_equal(moldudp64_block_next(&blocks, &message), 0);
}

static void control_packets_are_told_apart(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct moldudp64_packet packet;
	size_t length = make_mold(bytes, SESSION, 9, 0, 0, 0);
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	assert_int_equal(packet.kind, MOLDUDP64_HEARTBEAT);
	store_be16(bytes + 18, MOLDUDP64_COUNT_END);
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	assert_int_equal(packet.kind, MOLDUDP64_END);
	assert_int_equal(packet.count, 0);
	store_be16(bytes + 18, 5);
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	assert_int_equal(packet.kind, MOLDUDP64_REQUEST);
	assert_int_equal(packet.count, 5);
	assert_int_equal(packet.sequence, 9);
}

static void every_cut_is_named(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct moldudp64_packet packet = {.sequence = 123};
	size_t whole = make_mold(bytes, SESSION, 77, 3, 12, 'S');
	for (size_t length = 0; length < whole; length++) {
		enum feed_anomaly expected = FEED_BLOCK_CUT;
		if (length < MOLDUDP64_HEADER_LENGTH)
			expected = FEED_MOLD_SHORT;
		else if (length == MOLDUDP64_HEADER_LENGTH)
			continue; /* a request */
		else if ((length - MOLDUDP64_HEADER_LENGTH) % 14 == 0)
			expected = FEED_COUNT_PAST_END;
		assert_int_equal(parse_exact(bytes, length, &packet), expected);
	}
	assert_int_equal(packet.sequence, 123);
}

static void bad_counts_and_numbers_are_named(void **state)
{
	(void)state;
	uint8_t bytes[200];
	struct moldudp64_packet packet;
	size_t length = make_mold(bytes, SESSION, 77, 3, 12, 'S');
	store_be16(bytes + 18, 0xFFFE);
	assert_int_equal(parse_exact(bytes, length, &packet), FEED_COUNT_PAST_END);
	store_be16(bytes + 18, 2);
	assert_int_equal(moldudp64_parse(bytes, length, &packet), FEED_OK);
	assert_int_equal(packet.trailing_length, 14);
	store_be64(bytes + 10, UINT64_MAX - 1);
	assert_int_equal(parse_exact(bytes, length, &packet), FEED_SEQUENCE_OVERFLOW);
	store_be64(bytes + 10, UINT64_MAX - 2);
	assert_int_equal(parse_exact(bytes, length, &packet), FEED_OK);
}

static void header_is_written_as_it_is_read(void **state)
{
	(void)state;
	static const enum moldudp64_kind kinds[] = {MOLDUDP64_HEARTBEAT, MOLDUDP64_END,
						    MOLDUDP64_REQUEST};
	for (size_t i = 0; i < 3; i++) {
		struct moldudp64_packet packet = {.kind = kinds[i], .count = 4, .sequence = 6};
		struct moldudp64_packet again;
		uint8_t bytes[MOLDUDP64_HEADER_LENGTH];
		memcpy(packet.session, SESSION, 10);
		moldudp64_header_write(&packet, bytes);
		assert_int_equal(moldudp64_parse(bytes, sizeof(bytes), &again), FEED_OK);
		assert_int_equal(again.kind, kinds[i]);
		assert_int_equal(again.sequence, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_packet_yields_its_messages),
		cmocka_unit_test(empty_messages_are_legal),
		cmocka_unit_test(control_packets_are_told_apart),
		cmocka_unit_test(every_cut_is_named),
		cmocka_unit_test(bad_counts_and_numbers_are_named),
		cmocka_unit_test(header_is_written_as_it_is_read),
	};
	return cmocka_run_group_tests_name("moldudp64", tests, NULL, NULL);
}
