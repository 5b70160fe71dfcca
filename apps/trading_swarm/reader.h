/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_H
#define READER_H

#include "agent/feed_block.h"
#include "feed_source.h"
#include "generator/generator.h"
#include "options.h"

#include <signal.h>

/** Where messages come from: a file or the generator. The blocking side of the feed. */
struct reader {
	struct feed_source *source; /* NULL: the generator */
	struct generator *generator;
	uint64_t left_count;	 /* messages to yield at most */
	uint64_t message_count;	 /* yielded */
	int code;		 /* 0, or why the source ended: a negative errno */
	struct tern_error error; /* the message, where `code` is negative */
};

/**
 * Open the source that the options name.
 *
 * @param signals  borrows; blocked ones that end a read which waits for data
 * @param reader   out: end it with reader_close()
 * @return 0, or what feed_source_open() and generator_create() return
 *
 * Context: any one thread, as all functions here; the file may block.
 */
int reader_open(struct reader *reader, const struct options *options, const sigset_t *signals,
		struct tern_error *error);

/** Fill a block with the next messages. Returns their number; 0: there are none. */
uint32_t reader_fill(struct reader *reader, struct feed_block *block);

/** Close the source. */
void reader_close(struct reader *reader);

#endif
