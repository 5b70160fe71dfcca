/* SPDX-License-Identifier: Apache-2.0 */
#include "tern_word.h"

#include <stdint.h>
#include <string.h>

#include <rte_common.h>

#define WORD_LENGTH_MAX 63

/* Only the last two rows of the distance table are needed to compute the next one. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	uint8_t rows[3][WORD_LENGTH_MAX + 1];
	uint8_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		above[j] = (uint8_t)j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_length; j++) {
			int changed = a[i - 1] != b[j - 1];
			int best = RTE_MIN(above[j] + 1, row[j - 1] + 1);
			best = RTE_MIN(best, above[j - 1] + changed);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = RTE_MIN(best, before[j - 2] + 1);
			row[j] = (uint8_t)best;
		}
		uint8_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_length];
}

const char *tern_word_nearest(const char *word, const char *const *words, size_t count)
{
	size_t length = strlen(word);
	size_t least = RTE_MAX(length / 4, (size_t)1) + 1;
	const char *nearest = NULL;

	if (length > WORD_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(words[i]);
		if (other > WORD_LENGTH_MAX)
			continue;
		size_t wrong = distance(word, length, words[i], other);
		if (wrong < least) {
			least = wrong;
			nearest = words[i];
		}
	}
	return nearest;
}
