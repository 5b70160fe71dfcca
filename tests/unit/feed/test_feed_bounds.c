/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a bounds file is numbers in ascending order, one on each line, or is refused with the line.
 * Method: small files.
 */
#include "feed_bounds.h"

#include "app.h"
#include "tests/unit/feed/feed_test.h"

#include <errno.h>
#include <unistd.h>

static struct tern_error error;

static int load(const char *text, struct feed_bounds *bounds)
{
	char path[] = "/tmp/test_feed_bounds_XXXXXX";
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
	close(descriptor);
	int code = feed_bounds_load(bounds, path, &error);
	unlink(path);
	return code;
}

static void numbers_are_read(void **state)
{
	(void)state;
	struct feed_bounds bounds;
	assert_int_equal(load("0\n5\r\n5\n18446744073709551615", &bounds), 0);
	assert_int_equal(bounds.count, 4);
	assert_int_equal(bounds.counts[1], 5);
	assert_int_equal(bounds.counts[3], UINT64_MAX);
	feed_bounds_fini(&bounds);
}

static void other_lines_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"1\n\n",   "1\nx\n",   "1\n-1\n",
					    "1\n 2\n", "1\n2 3\n", "1\n18446744073709551616\n"};
	struct feed_bounds bounds;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(load(wrong[i], &bounds), -EINVAL);
		assert_non_null(strstr(error.text, "line 2 is"));
	}
	assert_int_equal(load("7\n6\n", &bounds), -EINVAL);
	assert_non_null(strstr(error.text, "line 2 is 6, needs 7 or more"));
	assert_int_equal(load("", &bounds), -ENODATA);
	assert_int_equal(feed_bounds_load(&bounds, "/nonexistent", &error), -ENOENT);
	assert_int_equal(feed_bounds_load(&bounds, "/", &error), -EISDIR);
}

static void numbers_have_limits(void **state)
{
	(void)state;
	uint64_t value = 7;
	assert_true(app_number_parse("12", 12, 12, &value));
	assert_int_equal(value, 12);
	assert_false(app_number_parse("11", 12, 12, &value));
	assert_false(app_number_parse("13", 12, 12, &value));
	assert_false(app_number_parse("", 0, 12, &value));
	assert_false(app_number_parse("+1", 0, 12, &value));
	assert_int_equal(value, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(other_lines_are_refused),
		cmocka_unit_test(numbers_have_limits),
	};
	return cmocka_run_group_tests_name("feed_bounds", tests, NULL, NULL);
}
