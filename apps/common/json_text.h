/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_JSON_TEXT_H
#define APP_JSON_TEXT_H

#include <jansson.h>

/**
 * Make a JSON string of any bytes: each byte that is no UTF-8 becomes U+FFFD.
 *
 * @param text  borrows
 * @return yields; NULL without memory
 *
 * Context: any thread.
 */
json_t *app_json_string(const char *text);

/**
 * Print a value to standard output; in its strings all that is not plain (tern_plain.h) is escaped
 * as \u0085, so that a terminal shows it and a parser reads what was there.
 *
 * @param value  consumes; NULL prints nothing and is no memory
 * @param flags  of json_dumps()
 * @return 0, -ENOMEM, or -EIO: a write failed
 *
 * Context: the main thread.
 */
int app_json_print(json_t *value, size_t flags);

#endif
