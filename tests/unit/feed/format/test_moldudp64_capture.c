/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a written capture yields the same messages when it is read. Method: generated messages
 * through a file without a name and back.
 */
#include "format/moldudp64_capture.h"

#include "feed_source.h"
#include "tests/unit/feed/feed_test.h"
#include "generator/generator.h"

#include <errno.h>
#include <unistd.h>

static uint64_t seed;

static struct generator *make_generator(void)
{
	struct generator *generator;
	struct generator_options options = {seed, 3000, 3};
	assert_int_equal(generator_create(&options, &generator), 0);
	return generator;
}

static void write_capture(FILE *file)
{
	struct generator *generator = make_generator();
	struct moldudp64_capture *capture;
	struct itch_message message;
	uint8_t bytes[ITCH_LENGTH_MAX];
	assert_int_equal(moldudp64_capture_create(file, &capture, NULL), 0);
	while (generator_next(generator, &message)) {
		uint16_t length = (uint16_t)itch_encode(&message, bytes);
		assert_int_equal(
			moldudp64_capture_add(capture, bytes, length, message.timestamp_ns), 0);
	}
	assert_int_equal(moldudp64_capture_finish(capture), 0);
	moldudp64_capture_destroy(capture);
	generator_destroy(generator);
}

static void messages_come_back(void **state)
{
	(void)state;
	FILE *file = tmpfile();
	assert_non_null(file);
	write_capture(file);
	rewind(file);
	struct generator *generator = make_generator();
	struct feed_source *source;
	struct feed_message message;
	struct itch_message expected;
	struct tern_error error;
	assert_int_equal(feed_source_create(file, "sample", 0, &source, &error), 0);
	for (uint64_t sequence = 1; feed_source_next(source, &message, &error) == 1; sequence++) {
		uint8_t bytes[ITCH_LENGTH_MAX];
		assert_true(generator_next(generator, &expected));
		assert_int_equal(itch_encode(&expected, bytes), message.length);
		assert_memory_equal(bytes, message.bytes, message.length);
		assert_int_equal(message.sequence, sequence);
		assert_int_equal(message.timestamp_ns, expected.timestamp_ns);
	}
	assert_false(generator_next(generator, &expected));
	const struct feed_counters *counters = feed_source_counters(source);
	assert_false(feed_counters_faulty(counters));
	assert_int_equal(counters->count[FEED_SESSION_END], 1);
	assert_true(counters->count[FEED_HEARTBEAT] > 1);
	feed_source_destroy(source);
	generator_destroy(generator);
}

static void failures_show(void **state)
{
	(void)state;
	static const uint8_t message[2000];
	struct moldudp64_capture *capture;
	FILE *full = fopen("/dev/full", "wb");
	assert_non_null(full);
	int code = moldudp64_capture_create(full, &capture, NULL);
	if (code == 0) {
		assert_int_equal(moldudp64_capture_add(capture, message, 1379, 1), -EMSGSIZE);
		assert_int_equal(moldudp64_capture_add(capture, message, 1378, 1), 0);
		assert_int_equal(moldudp64_capture_finish(capture), -EIO);
		moldudp64_capture_destroy(capture);
	}
	fclose(full);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(failures_show),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("moldudp64_capture", tests, NULL, NULL);
}
