/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Where an engine's log lines go. One object per engine; nothing is global. */
struct tern_log {
	FILE *file; /* borrowed, usually stderr */
	int level;  /* highest level written: 0 error, 1 warn, 2 info, 3 debug */
	bool json;  /* one JSON object a line instead of key=value */
};

/**
 * Write one structured line: time, level, event and the given fields.
 *
 * @param level   0 error .. 3 debug; a line above log->level costs one compare
 * @param event   what happened, in words a person can search for
 * @param format  `key=%s other=%u` pairs, or NULL; a value with blanks is quoted by the caller
 *                as key="%s", and needs no other escape: quotes, bytes that are no UTF-8, and
 *                all that is not plain (tern_plain.h) are escaped here as in JSON. A bare value
 *                that is a number, true, false or null is one in JSON too.
 *
 * The time is the wall clock's, in UTC. A line that cannot be written is lost.
 *
 * Context: any thread, never on the hot path: it allocates. A line is written with one write.
 * Borrows all arguments.
 */
void tern_log_write(const struct tern_log *log, int level, const char *event, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

#endif
