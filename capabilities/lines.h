/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINES_H
#define LINES_H

#include <stdlib.h>
#include <string.h>

#include "counter.h"

/** Zeroed memory that begins a line, for free(). NULL: there is none. */
static inline void *tern_lines_make(size_t bytes)
{
	void *memory = aligned_alloc(TERN_LINE, bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

#endif
