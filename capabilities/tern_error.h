/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_ERROR_H
#define TERN_ERROR_H

#ifndef TERN_API
#define TERN_API __attribute__((visibility("default")))
#endif

/** A message for a person: what, where, the value met, the value needed, and the fix. */
struct tern_error {
	char text[480];
};

/**
 * Write a message and return its code, so that a failing function ends in one line.
 *
 * @param error  where the text goes; NULL drops it
 * @param code   a negative errno value
 * @return `code`
 *
 * Context: any thread. Borrows all arguments.
 */
TERN_API int tern_error_set(struct tern_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
