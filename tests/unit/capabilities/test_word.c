/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a slip of the keyboard finds its word, and nonsense finds none.
 * Method: a table of mistyped words beside the word each must find.
 */
#include "tern_word.h"

#include <rte_common.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const words[] = {"spin", "pause", "backoff", "parallel"};

static void expect(const char *word, const char *nearest)
{
	const char *found = tern_word_nearest(word, words, RTE_DIM(words));

	if (!nearest)
		assert_null(found);
	else
		assert_string_equal(found ? found : "nothing", nearest);
}

static void test_slips(void **state)
{
	(void)state;
	expect("spin", "spin");
	expect("spinn", "spin");
	expect("sin", "spin");
	expect("spon", "spin");
	expect("sipn", "spin");
	expect("bakcoff", "backoff");
	expect("parralel", "parallel");
}

static void test_nonsense(void **state)
{
	(void)state;
	expect("", NULL);
	expect("x", NULL);
	expect("sleep", NULL);
	expect("paralyse", NULL);
	assert_null(tern_word_nearest("spin", words, 0));
}

static void test_first_of_equals(void **state)
{
	static const char *const near[] = {"data", "date", "dato"};

	(void)state;
	assert_string_equal(tern_word_nearest("datx", near, RTE_DIM(near)), "data");
}

static void test_long_words(void **state)
{
	static const char *const shorter[] = {"spin"};
	char longest[64], beyond[65];
	const char *const own[] = {beyond, longest};

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[63] = '\0';
	memset(beyond, 'a', sizeof(beyond));
	beyond[64] = '\0';
	assert_null(tern_word_nearest(beyond, own, RTE_DIM(own)));
	assert_ptr_equal(tern_word_nearest(longest, own, RTE_DIM(own)), longest);
	assert_null(tern_word_nearest(longest, shorter, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slips),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_first_of_equals),
		cmocka_unit_test(test_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
