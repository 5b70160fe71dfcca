/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_SOURCE_H
#define FUZZ_SOURCE_H

#include "book/book.h"
#include "feed_source.h"

/* Read a whole feed file from memory, as `tern feed stat` does. */
static inline void fuzz_source(const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	struct feed_source *source;
	struct feed_message message;
	struct itch_message itch;
	struct tern_error error;
	struct book_set *set;
	if (!file || feed_source_create(file, "input", 0, &source, &error) < 0)
		return;
	if (book_set_create(0, &set) == 0) {
		while (feed_source_next(source, &message, &error) > 0) {
			if (message.restarted)
				book_set_clear(set);
			if (itch_decode(message.bytes, message.length, &itch) == FEED_OK)
				book_set_apply(set, &itch);
		}
		book_set_destroy(set);
	}
	feed_source_destroy(source);
}

#endif
