/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_ERROR_H
#define TERN_ERROR_H

#include <stdarg.h>

#ifndef TERN_API
#define TERN_API __attribute__((visibility("default")))
#endif

/**
 * A message for a person: what, where, the value met, the value needed, and the fix. The text is
 * plain (tern_plain.h): what it has from outside cannot command a terminal or begin a line.
 */
struct tern_error {
	char text[480];
};

/**
 * Write a message and return its code, so that a failing function ends in one line.
 *
 * The whole message is made plain, the format as well as what it takes in; what does not fit is
 * cut.
 *
 * @param error  where the text goes; NULL drops it
 * @param code   a negative errno value
 * @return `code`
 *
 * Context: any thread. Borrows all arguments.
 */
TERN_API int tern_error_set(struct tern_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The same with a va_list, which it uses up. */
TERN_API int tern_error_vset(struct tern_error *error, int code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
