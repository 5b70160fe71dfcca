/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_WORD_H
#define TERN_WORD_H

#include <stddef.h>

#include "tern_error.h"

/**
 * Find the word of a list that a mistyped word most likely stands for.
 *
 * Letters inserted, left out, changed or swapped with their neighbour count one each; a word
 * with more than one in four of them wrong stands for nothing.
 *
 * @param words  `count` strings
 * @return one of `words`, the first of the nearest; NULL: none is near
 *
 * Context: any thread. Borrows all arguments.
 * Source: the optimal string alignment distance (Damerau 1964, restricted).
 */
TERN_API const char *tern_word_nearest(const char *word, const char *const *words, size_t count);

#endif
