/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every line is well formed, in both formats, whatever the values hold; a line is one
 * write; levels above the limit write nothing.
 * Method: lines written to memory and compared after their time; one write is seen as one
 * datagram of a socket pair.
 */
#include "capabilities/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME_PATTERN "dddd-dd-ddTdd:dd:dd.ddddddZ"

struct capture {
	struct tern_log log;
	char *text;
	size_t size;
};

static void capture_start(struct capture *capture, bool json)
{
	memset(capture, 0, sizeof(*capture));
	capture->log.file = open_memstream(&capture->text, &capture->size);
	capture->log.level = 3;
	capture->log.json = json;
	assert_non_null(capture->log.file);
}

static void assert_time(const char *text)
{
	for (const char *at = TIME_PATTERN; *at; at++, text++)
		if (*at == 'd')
			assert_in_range(*text, '0', '9');
		else
			assert_int_equal(*text, *at);
}

/* Compare what was captured, after its time, and end the capture. */
static void capture_expect(struct capture *capture, const char *rest)
{
	size_t start = capture->log.json ? strlen("{\"time\":\"") : 0;

	fclose(capture->log.file);
	assert_true(capture->size > start + strlen(TIME_PATTERN));
	assert_time(capture->text + start);
	assert_string_equal(capture->text + start + strlen(TIME_PATTERN), rest);
	free(capture->text);
}

static void test_text(void **state)
{
	struct capture capture;

	(void)state;
	capture_start(&capture, false);
	tern_log_write(&capture.log, 1, "huge pages missing", "wanted=%u got=\"%s\"", 12u, "4 KiB");
	capture_expect(&capture,
		       " level=warn event=\"huge pages missing\" wanted=12 got=\"4 KiB\"\n");
}

static void test_json(void **state)
{
	struct capture capture;

	(void)state;
	capture_start(&capture, true);
	tern_log_write(&capture.log, 0, "stopped", "agents=%u rate=%.2f clean=%s name=%s", 3u,
		       -0.25, "true", "a.b");
	capture_expect(&capture, "\",\"level\":\"error\",\"event\":\"stopped\",\"agents\":3,"
				 "\"rate\":-0.25,\"clean\":true,\"name\":\"a.b\"}\n");
}

static void test_no_fields(void **state)
{
	struct capture capture;

	(void)state;
	capture_start(&capture, false);
	tern_log_write(&capture.log, 2, "started", NULL);
	capture_expect(&capture, " level=info event=\"started\"\n");
	capture_start(&capture, true);
	tern_log_write(&capture.log, 3, "started", NULL);
	capture_expect(&capture, "\",\"level\":\"debug\",\"event\":\"started\"}\n");
}

static void test_numbers(void **state)
{
	static const char *const quoted[] = {"01",   "-",  "1.",  ".5",	 "1e",
					     "0x1f", "+1", "1-2", "NULL"};
	static const char *const bare[] = {
		"0", "-1", "1.5", "1e9", "2E-3", "18446744073709551615", "null"};
	struct capture capture;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
		capture_start(&capture, true);
		tern_log_write(&capture.log, 2, "e", "v=%s", quoted[i]);
		snprintf(line, sizeof(line),
			 "\",\"level\":\"info\",\"event\":\"e\",\"v\":\"%s\"}\n", quoted[i]);
		capture_expect(&capture, line);
	}
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		capture_start(&capture, true);
		tern_log_write(&capture.log, 2, "e", "v=%s w=\"%s\"", bare[i], bare[i]);
		snprintf(line, sizeof(line),
			 "\",\"level\":\"info\",\"event\":\"e\",\"v\":%s,\"w\":\"%s\"}\n", bare[i],
			 bare[i]);
		capture_expect(&capture, line);
	}
}

static void test_hostile_values(void **state)
{
	static const char value[] =
		"a\"b\\c\n\x1b[2J\xff\xc3\xa9\xed\xa0\x80\x7f\xc2\x9b\xe2\x80\xae";
	struct capture capture;

	(void)state;
	capture_start(&capture, true);
	tern_log_write(&capture.log, 2, value, "v=\"%s\" n=1", value);
#define ESCAPED \
	"\"a\\\"b\\\\c\\n\\u001b[2J\\ufffd\xc3\xa9\\ufffd\\ufffd\\ufffd\\u007f\\u009b\\u202e\""
	capture_expect(&capture,
		       "\",\"level\":\"info\",\"event\":" ESCAPED ",\"v\":" ESCAPED ",\"n\":1}\n");
	capture_start(&capture, false);
	tern_log_write(&capture.log, 2, value, "v=\"%s\" n=1", value);
	capture_expect(&capture, " level=info event=" ESCAPED " v=" ESCAPED " n=1\n");
#undef ESCAPED
}

static void test_awkward_fields(void **state)
{
	struct capture capture;

	(void)state;
	capture_start(&capture, true);
	tern_log_write(&capture.log, 2, "e", "odd words a= b=two words c=\"x \"y\" z\" d=\"open");
	capture_expect(&capture, "\",\"level\":\"info\",\"event\":\"e\",\"text\":\"odd words\","
				 "\"a\":\"\",\"b\":\"two words\",\"c\":\"x \\\"y\\\" z\","
				 "\"d\":\"open\"}\n");
	capture_start(&capture, false);
	tern_log_write(&capture.log, 2, "e", "odd words a= b=two words c=\"run x=1 y\" d=\"open");
	capture_expect(&capture,
		       " level=info event=\"e\" text=\"odd words\" a=\"\" b=\"two words\" "
		       "c=\"run x=1 y\" d=\"open\"\n");
}

static void test_levels(void **state)
{
	struct capture capture;

	(void)state;
	capture_start(&capture, false);
	capture.log.level = 1;
	tern_log_write(&capture.log, 2, "hidden", NULL);
	tern_log_write(&capture.log, 3, "hidden", NULL);
	tern_log_write(&capture.log, 1, "shown", NULL);
	capture_expect(&capture, " level=warn event=\"shown\"\n");
}

static void test_one_write(void **state)
{
	char value[2001], received[4096];
	int ends[2];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	struct tern_log log = {.file = fdopen(ends[0], "w"), .level = 3, .json = true};
	assert_non_null(log.file);
	for (int unbuffered = 0; unbuffered < 2; unbuffered++) {
		if (unbuffered)
			setvbuf(log.file, NULL, _IONBF, 0);
		tern_log_write(&log, 0, "long", "a=%s b=%s", value, "end");
		ssize_t size = recv(ends[1], received, sizeof(received), MSG_DONTWAIT);
		assert_true(size > 2000);
		assert_memory_equal(received + size - 4, "d\"}\n", 4);
		assert_int_equal(recv(ends[1], received, sizeof(received), MSG_DONTWAIT), -1);
	}
	fclose(log.file);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	       cmocka_unit_test(test_json),
		cmocka_unit_test(test_no_fields),      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_hostile_values), cmocka_unit_test(test_awkward_fields),
		cmocka_unit_test(test_levels),	       cmocka_unit_test(test_one_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
