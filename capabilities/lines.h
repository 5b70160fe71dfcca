/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINES_H
#define LINES_H

#include <stdlib.h>
#include <string.h>

#include "counter.h"

/** Zeroed memory of whole lines, so many bytes at least, for free(). NULL: there is none. */
static inline void *tern_lines_make(size_t bytes)
{
	bytes = (bytes + TERN_LINE - 1) / TERN_LINE * TERN_LINE;
	void *memory = aligned_alloc(TERN_LINE, bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

#endif
