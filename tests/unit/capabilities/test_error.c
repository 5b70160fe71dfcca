/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an error message is always a terminated string of bounded length, its code comes back, and
 * nothing in it commands a terminal.
 * Method: messages shorter than, just as long as and longer than the room, guarded by bytes behind.
 */
#include "capability_test.h"

#define ROOM sizeof(((struct tern_error *)0)->text)

static void test_code_and_text(void **state)
{
	struct tern_error error;
	(void)state;
	assert_int_equal(tern_error_set(&error, -22, "met %d, needed %s", 7, "8"), -22);
	assert_string_equal(error.text, "met 7, needed 8");
	assert_int_equal(tern_error_set(&error, -12, "%s", ""), -12);
	assert_string_equal(error.text, "");
}

static void test_text_from_outside(void **state)
{
	struct tern_error error;
	(void)state;
	assert_int_equal(tern_error_set(&error, -2, "%s: \xc3\xa9", "a\n\x1b[2J\xc2\x9b\xff\\"),
			 -2);
	assert_string_equal(error.text, "a\\x0a\\x1b[2J\\u{9b}\\xff\\\\: \xc3\xa9");
}

static void test_nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(tern_error_set(NULL, -5, "met %d", 7), -5);
}

static void test_truncation(void **state)
{
	struct {
		struct tern_error error;
		char guard[64];
	} memory;
	char text[2 * ROOM];
	(void)state;
	for (size_t length = ROOM - 2; length < sizeof(text); length++) {
		memset(text, 'x', length);
		text[length] = '\0';
		memset(&memory, '#', sizeof(memory));
		assert_int_equal(tern_error_set(&memory.error, -1, "%s", text), -1);
		assert_int_equal(strlen(memory.error.text), RTE_MIN(length, ROOM - 1));
		for (size_t i = 0; i < sizeof(memory.guard); i++)
			assert_int_equal(memory.guard[i], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_and_text),
		cmocka_unit_test(test_text_from_outside),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_truncation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
