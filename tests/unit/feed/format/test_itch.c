/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: all 23 messages are decoded as the specification lays them out. Method: the table against
 * a list written by hand; random bytes must survive decode and encode, which shows that every byte
 * has exactly one field; a few messages byte by byte; all wrong lengths and types.
 */
#include "format/itch.h"

#include "tests/unit/feed/feed_test.h"

static const struct {
	char type;
	size_t length;
} expected[] = {{'S', 12}, {'R', 39}, {'H', 25}, {'Y', 20}, {'L', 26}, {'V', 35},
		{'W', 12}, {'K', 28}, {'J', 35}, {'h', 21}, {'A', 36}, {'F', 40},
		{'E', 31}, {'C', 36}, {'X', 23}, {'D', 19}, {'U', 35}, {'P', 44},
		{'Q', 40}, {'B', 19}, {'I', 50}, {'N', 20}, {'O', 48}};

static uint64_t seed;

static void table_has_23_types(void **state)
{
	(void)state;
	size_t known = 0;
	for (int type = 0; type < 256; type++) {
		known += itch_length((char)type) != 0;
		assert_int_equal(itch_length((char)type) != 0, itch_name((char)type) != NULL);
	}
	assert_int_equal(known, 23);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(itch_length(expected[i].type), expected[i].length);
}

static void random_bytes_survive(void **state)
{
	(void)state;
	struct generator_random random = {seed};
	for (int round = 0; round < 2300; round++) {
		uint8_t bytes[ITCH_LENGTH_MAX];
		uint8_t again[ITCH_LENGTH_MAX] = {0};
		struct itch_message message;
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&random);
		bytes[0] = (uint8_t)expected[round % 23].type;
		size_t length = expected[round % 23].length;
		assert_int_equal(itch_decode(bytes, length, &message), FEED_OK);
		assert_int_equal(itch_encode(&message, again), length);
		assert_memory_equal(bytes, again, length);
	}
}

static void fields_are_where_they_belong(void **state)
{
	(void)state;
	static const uint8_t add[] = "F\x00\x0e\x00\x07\x1f\x1a\xcf\x1a\xa7\x18"
				     "\x01\x02\x03\x04\x05\x06\x07\x08"
				     "S\x00\x00\x00\x64"
				     "AAPL    \x00\x59\xab\x14"
				     "TERN";
	static const uint8_t replace[] = "U\x00\x01\x00\x00\x00\x00\x00\x00\x00\x09"
					 "\x00\x00\x00\x00\x00\x00\x00\x0a"
					 "\x00\x00\x00\x00\x00\x00\x00\x0b"
					 "\x00\x00\x00\x0c\x00\x00\x00\x0d";
	struct itch_message message;
	assert_int_equal(itch_decode(add, 40, &message), FEED_OK);
	assert_int_equal(message.type, 'F');
	assert_int_equal(message.locate, 14);
	assert_int_equal(message.tracking, 7);
	assert_int_equal(message.timestamp_ns, 0x1f1acf1aa718);
	assert_int_equal(message.add_order_mpid.reference, 0x0102030405060708);
	assert_int_equal(message.add_order_mpid.side, 'S');
	assert_int_equal(message.add_order_mpid.shares, 100);
	assert_memory_equal(message.add_order_mpid.stock, "AAPL    ", 8);
	assert_int_equal(message.add_order_mpid.price, 5876500);
	assert_memory_equal(message.add_order_mpid.attribution, "TERN", 4);
	assert_int_equal(itch_decode(replace, 35, &message), FEED_OK);
	assert_int_equal(message.replace.reference, 10);
	assert_int_equal(message.replace.new_reference, 11);
	assert_int_equal(message.replace.shares, 12);
	assert_int_equal(message.replace.price, 13);
}

static void wrong_messages_are_named(void **state)
{
	(void)state;
	uint8_t bytes[ITCH_LENGTH_MAX + 1] = {0};
	struct itch_message message = {.type = '?'};
	assert_int_equal(itch_check(NULL, 0), FEED_LENGTH_WRONG);
	for (int type = 0; type < 256; type++) {
		bytes[0] = (uint8_t)type;
		for (size_t length = 1; length <= sizeof(bytes); length++) {
			enum feed_anomaly right = FEED_LENGTH_WRONG;
			if (itch_length((char)type) == 0)
				right = FEED_TYPE_UNKNOWN;
			else if (itch_length((char)type) == length)
				continue;
			assert_int_equal(itch_decode(bytes, length, &message), right);
		}
	}
	assert_int_equal(message.type, '?');
	assert_int_equal(itch_encode(&message, bytes), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_23_types),
		cmocka_unit_test(random_bytes_survive),
		cmocka_unit_test(fields_are_where_they_belong),
		cmocka_unit_test(wrong_messages_are_named),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("itch", tests, NULL, NULL);
}
