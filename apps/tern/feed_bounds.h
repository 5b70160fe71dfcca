/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BOUNDS_H
#define FEED_BOUNDS_H

#include "tern_error.h"

#include <stddef.h>
#include <stdint.h>

/** Numbers of messages at which to look at a book, ascending (equal neighbours are fine). */
struct feed_bounds {
	uint64_t *counts;
	size_t count; /* 1 or more */
};

/**
 * Read a bounds file: one decimal number on each line.
 *
 * @param bounds  out: end it with feed_bounds_fini()
 * @param path    borrows
 * @return 0; a negative errno of opening and reading; -ENODATA if it has no line; -EINVAL if a line
 *         is no number or smaller than the one before; -ENOMEM
 *
 * Context: any one thread.
 */
int feed_bounds_load(struct feed_bounds *bounds, const char *path, struct tern_error *error);

/** Free the numbers. */
void feed_bounds_fini(struct feed_bounds *bounds);

#endif
