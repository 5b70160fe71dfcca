/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_PLAIN_H
#define TERN_PLAIN_H

#include <stddef.h>

#include "tern_error.h"

/*
 * Text from outside (a name, a path, a line of a file) on a terminal, in a log, in JSON.
 *
 * Plain is a character that is well-formed UTF-8, shows something or is a blank, and changes
 * nothing else on the screen. Not plain are control characters (C0, DEL, C1), line and paragraph
 * separators, characters that turn the direction of writing, characters without a width that
 * Unicode calls format characters or ignorable, noncharacters, and all bytes that are no UTF-8.
 * Combining accents are plain.
 */

enum tern_plain_form {
	TERN_PLAIN_TEXT, /* \u{85} for a character, \x85 for a byte; a backslash is \\ */
	TERN_PLAIN_JSON, /* inside a JSON string: \u0085, and \ufffd for a byte that is no UTF-8 */
};

/** Room for one character in either form, with its NUL. */
#define TERN_PLAIN_CHAR_MAX 13

/** Room for a text of `length` bytes in the form TERN_PLAIN_TEXT, with its NUL. */
#define TERN_PLAIN_MAX(length) (4 * (length) + 1)

/**
 * Show the next character of a text: itself if it is plain, else its escape.
 *
 * In TERN_PLAIN_TEXT, C0 and DEL are \x1b, as bytes that are no UTF-8 are, each for itself. What
 * comes out tells what went in: a backslash of the text is doubled. In TERN_PLAIN_JSON a quote and
 * a backslash are escaped too, and characters above U+FFFF are a pair of escapes.
 *
 * @param text    `length` bytes, 1 or more; a NUL among them is a control character
 * @param shown   out: a string of printable UTF-8
 * @return bytes of the text that were taken, 1 to 4
 *
 * Context: any thread, signal handlers too. Borrows all arguments.
 * Source: RFC 3629, section 4; RFC 8259, section 7; Unicode 15.0, general category Cf and property
 * Default_Ignorable_Code_Point.
 */
TERN_API size_t tern_plain_char(enum tern_plain_form form, const char *text, size_t length,
				char shown[TERN_PLAIN_CHAR_MAX]);

/**
 * Show a text in the form TERN_PLAIN_TEXT.
 *
 * Apply it once: a second time doubles the backslashes of the first. The text of a tern_error is
 * plain already.
 *
 * @param shown  out: `size` bytes, 1 or more; TERN_PLAIN_MAX(strlen(text)) hold every text. What is
 *               longer is cut in front of the first character, or escape, that does not fit.
 * @param text   a string, of any bytes
 * @return `shown`
 *
 * Context: any thread, signal handlers too. Borrows all arguments.
 */
TERN_API char *tern_plain_text(char *shown, size_t size, const char *text);

#endif
