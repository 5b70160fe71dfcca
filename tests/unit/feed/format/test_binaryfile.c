/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a BinaryFILE is read back as written, and every way to be incomplete has its name. Method:
 * a small file in memory, whole and cut at every byte.
 */
#include "format/binaryfile.h"

#include "tests/unit/feed/feed_test.h"

#include <errno.h>

static struct binaryfile_reader reader;

static void write_sample(struct bytes *bytes, int with_end)
{
	char *data;
	size_t length;
	FILE *file = open_memstream(&data, &length);
	assert_int_equal(binaryfile_write(file, (const uint8_t *)"hello", 5), 0);
	assert_int_equal(binaryfile_write(file, (const uint8_t *)"you", 3), 0);
	if (with_end)
		assert_int_equal(binaryfile_write(file, NULL, 0), 0);
	fclose(file);
	bytes->length = 0;
	put(bytes, data, length);
	free(data);
}

/* Read all messages; their number and the way it ended. */
static int read_all(struct bytes *bytes, enum feed_anomaly *anomaly)
{
	struct binaryfile_item item;
	int count = 0;
	FILE *file = bytes_open(bytes);
	binaryfile_reader_init(&reader, file);
	while (binaryfile_reader_next(&reader, &item) == BINARYFILE_MESSAGE)
		count++;
	*anomaly = item.anomaly;
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_END);
	fclose(file);
	return count;
}

static void messages_come_back(void **state)
{
	(void)state;
	struct bytes bytes;
	struct binaryfile_item item;
	write_sample(&bytes, 1);
	FILE *file = bytes_open(&bytes);
	binaryfile_reader_init(&reader, file);
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_MESSAGE);
	assert_int_equal(item.length, 5);
	assert_memory_equal(item.bytes, "hello", 5);
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_MESSAGE);
	assert_int_equal(item.length, 3);
	assert_memory_equal(item.bytes, "you", 3);
	assert_int_equal(reader.message_offset, 7);
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_END);
	assert_int_equal(item.anomaly, FEED_OK);
	fclose(file);
}

static void every_cut_is_named(void **state)
{
	(void)state;
	struct bytes bytes;
	enum feed_anomaly anomaly;
	write_sample(&bytes, 1);
	size_t whole = bytes.length;
	for (size_t length = 0; length < whole; length++) {
		bytes.length = length;
		int between = length == 0 || length == 7 || length == 12;
		assert_int_equal(read_all(&bytes, &anomaly), length < 7 ? 0 : length < 12 ? 1 : 2);
		assert_int_equal(anomaly, between ? FEED_END_MISSING : FEED_FILE_CUT);
	}
}

static void bytes_behind_the_end_are_named(void **state)
{
	(void)state;
	struct bytes bytes;
	enum feed_anomaly anomaly;
	write_sample(&bytes, 1);
	put(&bytes, "x", 1);
	assert_int_equal(read_all(&bytes, &anomaly), 2);
	assert_int_equal(anomaly, FEED_FILE_TRAILING);
	memset(bytes.data, 0, 100);
	bytes.length = 100;
	assert_int_equal(read_all(&bytes, &anomaly), 0);
	assert_int_equal(anomaly, FEED_FILE_TRAILING);
}

static void longest_message_fits(void **state)
{
	(void)state;
	static uint8_t message[BINARYFILE_LENGTH_MAX];
	struct bytes bytes = {.length = 0};
	struct binaryfile_item item;
	memset(message, 7, sizeof(message));
	put_u16(&bytes, BINARYFILE_LENGTH_MAX);
	put(&bytes, message, sizeof(message));
	FILE *file = bytes_open(&bytes);
	binaryfile_reader_init(&reader, file);
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_MESSAGE);
	assert_int_equal(item.length, BINARYFILE_LENGTH_MAX);
	assert_memory_equal(item.bytes, message, sizeof(message));
	fclose(file);
}

static void failures_of_the_stream_show(void **state)
{
	(void)state;
	struct binaryfile_item item;
	FILE *folder = fopen("/", "rb");
	assert_non_null(folder);
	binaryfile_reader_init(&reader, folder);
	assert_int_equal(binaryfile_reader_next(&reader, &item), BINARYFILE_FAILED);
	fclose(folder);
	FILE *full = fopen("/dev/full", "wb");
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(binaryfile_write(full, (const uint8_t *)"x", 1), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(every_cut_is_named),
		cmocka_unit_test(bytes_behind_the_end_are_named),
		cmocka_unit_test(longest_message_fits),
		cmocka_unit_test(failures_of_the_stream_show),
	};
	return cmocka_run_group_tests_name("binaryfile", tests, NULL, NULL);
}
