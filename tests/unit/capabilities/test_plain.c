/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever bytes a text has, what is shown of it is printable UTF-8 that says nothing to a
 * terminal, and tells what the bytes were.
 * Method: one example of every class beside what must come out; every code point against the
 * C library's classes; random bytes, shown and read back by a reader of its own.
 */
#include "capability_test.h"
#include "capabilities/tern_plain.h"

#include <locale.h>
#include <stdbool.h>
#include <wctype.h>

#include <jansson.h>

struct example {
	const char *text;
	const char *shown; /* TERN_PLAIN_TEXT */
	const char *json;  /* TERN_PLAIN_JSON */
};

static const struct example examples[] = {
	{"", "", ""},
	{"risk-0 of \"x\"", "risk-0 of \"x\"", "risk-0 of \\\"x\\\""},
	{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6",
	 "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6"},
	{"e\xcc\x81", "e\xcc\x81", "e\xcc\x81"}, /* a combining accent */
	{"\\x1b", "\\\\x1b", "\\\\x1b"},	 /* no escape, but spelled as one */
	{"a\nb\r\t\x01", "a\\x0ab\\x0d\\x09\\x01", "a\\nb\\u000d\\u0009\\u0001"},
	{"\x1b[2J\x7f", "\\x1b[2J\\x7f", "\\u001b[2J\\u007f"},
	{"\x9b\x85", "\\x9b\\x85", "\\ufffd\\ufffd"}, /* C1 as bytes */
	{"\xc2\x80\xc2\x9b\xc2\x9f", "\\u{80}\\u{9b}\\u{9f}", "\\u0080\\u009b\\u009f"},
	{"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}", "\\u2028\\u2029"},
	{"\xe2\x80\xaa\xe2\x80\xae", "\\u{202a}\\u{202e}", "\\u202a\\u202e"},
	{"\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}", "\\u2066\\u2069"},
	{"\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf", "\\u{200b}\\u{200d}\\u{feff}",
	 "\\u200b\\u200d\\ufeff"},
	{"\xf3\xa0\x81\x81", "\\u{e0041}", "\\udb40\\udc41"}, /* a tag */
	{"\xef\xbf\xbf\xf4\x8f\xbf\xbf", "\\u{ffff}\\u{10ffff}", "\\uffff\\udbff\\udfff"},
	{"\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd"}, /* U+FFFD is a character */
	{"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80",
	 "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},      /* too long; a surrogate */
	{"\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd"}, /* cut */
	{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
};

static void show(enum tern_plain_form form, const char *text, size_t length, char *shown)
{
	while (length) {
		char next[TERN_PLAIN_CHAR_MAX];
		size_t taken = tern_plain_char(form, text, length, next);
		assert_in_range(taken, 1, RTE_MIN(length, 4u));
		assert_in_range(strlen(next), 1, sizeof(next) - 1);
		shown = stpcpy(shown, next);
		text += taken;
		length -= taken;
	}
	*shown = '\0';
}

static void test_classes(void **state)
{
	char shown[512];
	(void)state;
	for (size_t i = 0; i < RTE_DIM(examples); i++) {
		const struct example *example = &examples[i];
		tern_plain_text(shown, sizeof(shown), example->text);
		assert_string_equal(shown, example->shown);
		show(TERN_PLAIN_JSON, example->text, strlen(example->text), shown);
		assert_string_equal(shown, example->json);
	}
}

static void test_nul_is_a_control_character(void **state)
{
	char shown[64];
	(void)state;
	show(TERN_PLAIN_TEXT, "a\0b", 3, shown);
	assert_string_equal(shown, "a\\x00b");
	show(TERN_PLAIN_JSON, "a\0b", 3, shown);
	assert_string_equal(shown, "a\\u0000b");
}

static size_t utf8_put(char *to, uint32_t code)
{
	if (code < 0x80)
		return *to = (char)code, 1;
	size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(heads[length] | code);
	return length;
}

/* What the C library calls a control character is never shown; what it prints mostly is. */
static void test_every_code_point(void **state)
{
	char text[8], shown[64];
	uint32_t printed = 0, hidden = 0;
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (uint32_t code = 0; code < 0x110000; code++) {
		if (code >= 0xd800 && code < 0xe000)
			continue;
		size_t length = utf8_put(text, code);
		show(TERN_PLAIN_TEXT, text, length, shown);
		bool plain = strlen(shown) == length && !memcmp(shown, text, length);
		if (iswcntrl((wint_t)code))
			assert_false(plain);
		if (!iswprint((wint_t)code))
			continue;
		printed += plain;
		hidden += !plain;
	}
	setlocale(LC_CTYPE, "C");
	assert_in_range(hidden, 1, 600);
	assert_in_range(printed, 130000, 400000);
}

/* One character of UTF-8, which must be well-formed. */
static uint32_t utf8_get(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	size_t more = at[0] < 0x80 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	uint32_t code = more ? at[0] & (0x3fu >> more) : at[0];
	assert_false(at[0] >= 0x80 && at[0] < 0xc0);
	for (size_t i = 1; i <= more; i++) {
		assert_int_equal(at[i] & 0xc0, 0x80);
		code = code << 6 | (at[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	assert_in_range(code, least[more], 0x10ffff);
	*text += more + 1;
	return code;
}

/* The classes that its header names, but not its table. */
static void assert_harmless(const char *shown)
{
	while (*shown) {
		uint32_t code = utf8_get(&shown);
		assert_false(code < 0x20 || (code >= 0x7f && code < 0xa0));
		assert_false(code >= 0x200b && code <= 0x200f);
		assert_false(code >= 0x2028 && code <= 0x202e);
		assert_false(code >= 0x2060 && code <= 0x206f);
		assert_false(code == 0xfeff || code == 0xad || code == 0x61c);
		assert_false(code >= 0xd800 && code < 0xe000);
		assert_false(code >= 0xe0000 && code < 0xe1000);
	}
}

/* The bytes that a shown text stands for. */
static size_t read_back(const char *shown, char *bytes)
{
	size_t length = 0;
	while (*shown) {
		char *end;
		if (shown[0] != '\\') {
			bytes[length++] = *shown++;
		} else if (shown[1] == '\\') {
			bytes[length++] = '\\';
			shown += 2;
		} else if (shown[1] == 'x') {
			char digits[3] = {shown[2], shown[3]};
			bytes[length++] = (char)strtoul(digits, NULL, 16);
			shown += 4;
		} else {
			assert_memory_equal(shown, "\\u{", 3);
			length += utf8_put(bytes + length, (uint32_t)strtoul(shown + 3, &end, 16));
			assert_int_equal(*end, '}');
			shown = end + 1;
		}
	}
	return length;
}

/* Bytes of every kind, and sequences that are nearly right. */
static size_t text_draw(struct tern_rng *rng, char *text, size_t room)
{
	size_t length = 0;
	while (length + 4 < room) {
		uint32_t code = (uint32_t)draw(rng, draw(rng, 2) ? 0x3000 : 0x110000);
		switch (draw(rng, 4)) {
		case 0:
			text[length++] = (char)(1 + draw(rng, 255));
			break;
		case 1:
			text[length++] = (char)(0x20 + draw(rng, 0x60));
			break;
		default:
			length += utf8_put(text + length, code ? code : 1);
			length -= draw(rng, 8) == 0; /* cut; one byte is always left */
		}
	}
	text[length] = '\0';
	return length;
}

static void test_any_bytes(void **state)
{
	struct tern_rng rng = test_rng(1);
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[64], shown[TERN_PLAIN_MAX(sizeof(text))], bytes[sizeof(text)];
		size_t length = text_draw(&rng, text, 8 + draw(&rng, sizeof(text) - 8));
		assert_ptr_equal(tern_plain_text(shown, TERN_PLAIN_MAX(length), text), shown);
		assert_harmless(shown);
		assert_int_equal(read_back(shown, bytes), length);
		assert_memory_equal(bytes, text, length);
	}
}

/* What is UTF-8 comes back from a JSON parser as it was. */
static void test_any_bytes_in_json(void **state)
{
	struct tern_rng rng = test_rng(1);
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[64], quoted[2 + 6 * sizeof(text) + 1] = "\"";
		size_t length = text_draw(&rng, text, 8 + draw(&rng, sizeof(text) - 8));
		show(TERN_PLAIN_JSON, text, length, quoted + 1);
		strcat(quoted, "\"");
		assert_harmless(quoted);
		json_t *read = json_loads(quoted, JSON_DECODE_ANY, NULL), *was = json_string(text);
		assert_non_null(read);
		if (was)
			assert_string_equal(json_string_value(read), text);
		json_decref(read);
		json_decref(was);
	}
}

static void test_little_room(void **state)
{
	static const char text[] = "a\x1b\xc3\xa9\\\xe2\x80\xae";
	static const char whole[] = "a\\x1b\xc3\xa9\\\\\\u{202e}";
	static const size_t ends[] = {0, 1, 5, 7, 9, 17}; /* where something whole ends */
	(void)state;
	for (size_t size = 1; size < sizeof(whole) + 4; size++) {
		char shown[64];
		size_t fits = 0;
		memset(shown, '#', sizeof(shown));
		for (size_t i = 0; i < RTE_DIM(ends); i++)
			fits = ends[i] < size ? ends[i] : fits;
		tern_plain_text(shown, size, text);
		assert_int_equal(strlen(shown), fits);
		assert_memory_equal(shown, whole, fits);
		assert_int_equal(shown[fits + 1], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_nul_is_a_control_character),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_any_bytes_in_json),
		cmocka_unit_test(test_little_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
