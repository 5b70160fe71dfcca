/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in signal handlers, too: no stdio, no locale. */
#include "tern_plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Of Unicode 15.0: what shows nothing, and is no blank. In ascending order. */
static const struct range {
	uint32_t first, last;
} hidden[] = {
	{0x00, 0x1f},	    /* C0 */
	{0x7f, 0x9f},	    /* DEL, C1 */
	{0xad, 0xad},	    /* soft hyphen */
	{0x34f, 0x34f},	    /* combining grapheme joiner */
	{0x600, 0x605},	    /* Arabic number signs */
	{0x61c, 0x61c},	    /* Arabic letter mark: direction */
	{0x6dd, 0x6dd},	    /* Arabic end of ayah */
	{0x70f, 0x70f},	    /* Syriac abbreviation mark */
	{0x890, 0x891},	    /* Arabic currency marks */
	{0x8e2, 0x8e2},	    /* Arabic disputed end of ayah */
	{0x115f, 0x1160},   /* Hangul fillers */
	{0x17b4, 0x17b5},   /* Khmer inherent vowels */
	{0x180b, 0x180f},   /* Mongolian selectors and separator */
	{0x200b, 0x200f},   /* without width, and marks of direction */
	{0x2028, 0x202e},   /* line, paragraph; embeddings and overrides of direction */
	{0x2060, 0x206f},   /* joiners, invisible operators, isolates of direction */
	{0x3164, 0x3164},   /* Hangul filler */
	{0xfdd0, 0xfdef},   /* noncharacters */
	{0xfe00, 0xfe0f},   /* variation selectors */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xffa0, 0xffa0},   /* halfwidth Hangul filler */
	{0xfff0, 0xfffb},   /* interlinear annotation */
	{0x110bd, 0x110bd}, /* Kaithi number sign */
	{0x110cd, 0x110cd}, /* Kaithi number sign above */
	{0x13430, 0x1343f}, /* Egyptian format controls */
	{0x1bca0, 0x1bca3}, /* shorthand format controls */
	{0x1d173, 0x1d17a}, /* musical format controls */
	{0xe0000, 0xe0fff}, /* tags, more variation selectors */
};

static bool code_is_plain(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return false; /* the last two of each plane are noncharacters */
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return false;
	return true;
}

/* Bytes of the well-formed UTF-8 sequence at `at`, 0 if there is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	size_t length = at[0] < 0x80   ? 1
			: at[0] < 0xc2 ? 0
			: at[0] < 0xe0 ? 2
			: at[0] < 0xf0 ? 3
			: at[0] < 0xf5 ? 4
				       : 0;

	if (!length || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool surrogate = at[0] == 0xed && at[1] > 0x9f;
	bool beyond = at[0] == 0xf4 && at[1] > 0x8f;
	return overlong || surrogate || beyond ? 0 : length;
}

static uint32_t utf8_code(const unsigned char *at, size_t length)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = at[0] & masks[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3f);
	return code;
}

/* `digits` at least, more where the number has more. */
static char *hex_put(char *to, uint32_t number, int digits)
{
	while (digits < 8 && number >> (4 * digits))
		digits++;
	while (digits--)
		*to++ = "0123456789abcdef"[number >> (4 * digits) & 15];
	return to;
}

static char *escape_put(char *to, const char *introduction, uint32_t number, int digits)
{
	return hex_put(stpcpy(to, introduction), number, digits);
}

static void text_escape(char *to, uint32_t code, bool is_byte)
{
	if (is_byte || code < 0x80) {
		*escape_put(to, "\\x", code, 2) = '\0';
		return;
	}
	to = escape_put(to, "\\u{", code, 1);
	strcpy(to, "}");
}

static void json_escape(char *to, uint32_t code, bool is_byte)
{
	if (is_byte)
		code = 0xfffd;
	if (code == '\n') {
		strcpy(to, "\\n");
	} else if (code < 0x10000) {
		*escape_put(to, "\\u", code, 4) = '\0';
	} else {
		to = escape_put(to, "\\u", 0xd800 + ((code - 0x10000) >> 10), 4);
		*escape_put(to, "\\u", 0xdc00 + (code & 0x3ff), 4) = '\0';
	}
}

size_t tern_plain_char(enum tern_plain_form form, const char *text, size_t length,
		       char shown[TERN_PLAIN_CHAR_MAX])
{
	const unsigned char *at = (const unsigned char *)text;
	size_t taken = utf8_length(at, length);
	uint32_t code = taken ? utf8_code(at, taken) : at[0];
	char *to = shown;

	if (taken && code_is_plain(code)) {
		if (code == '\\' || (code == '"' && form == TERN_PLAIN_JSON))
			*to++ = '\\';
		memcpy(to, text, taken);
		to[taken] = '\0';
	} else if (form == TERN_PLAIN_JSON) {
		json_escape(to, code, !taken);
	} else {
		text_escape(to, code, !taken);
	}
	return taken ? taken : 1;
}

char *tern_plain_text(char *shown, size_t size, const char *text)
{
	size_t left = strlen(text), used = 0;
	char next[TERN_PLAIN_CHAR_MAX];

	while (left) {
		size_t taken = tern_plain_char(TERN_PLAIN_TEXT, text, left, next);
		size_t length = strlen(next);
		if (used + length >= size)
			break;
		memcpy(shown + used, next, length);
		used += length;
		text += taken;
		left -= taken;
	}
	shown[used] = '\0';
	return shown;
}
