/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_TALLY_H
#define FEED_TALLY_H

#include "book/book.h"
#include "feed_source.h"

/** What `tern feed stat` counts. Start with all zeros but `books`. */
struct feed_tally {
	struct book_set *books; /* borrows */
	uint64_t total;		/* messages of any kind */
	uint64_t types[256];	/* messages by type letter, if known and of the right length */
	uint64_t first_ns;	/* since midnight, of the first and the last of these */
	uint64_t last_ns;
};

/**
 * Count one message and apply it to the books.
 *
 * @param message   borrows
 * @param counters  borrows; gets what the books found wrong
 *
 * Context: the thread that owns the tally, as all functions here.
 */
void feed_tally_add(struct feed_tally *tally, const struct feed_message *message,
		    struct feed_counters *counters);

/** Print the tally to standard output, for a person. Borrows all arguments. */
void feed_tally_print(const struct feed_tally *tally, const char *path, struct feed_source *source);

/** Print the tally to standard output as JSON. Returns 0, or -EIO for want of memory or room. */
int feed_tally_print_json(const struct feed_tally *tally, const char *path,
			  struct feed_source *source);

#endif
