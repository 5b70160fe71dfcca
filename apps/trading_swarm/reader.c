/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "interruptible.h"

#include <errno.h>
#include <string.h>

static int open_generator(struct reader *reader, const struct options *options,
			  struct tern_error *error)
{
	const struct generator_options asked = {.seed = options->seed,
						.message_count = options->message_max,
						.symbol_count = options->symbol_count};
	int code = generator_create(&asked, &reader->generator);
	if (code < 0)
		return tern_error_set(error, code,
				      "not enough memory for %u symbols: choose fewer with "
				      "--symbols",
				      options->symbol_count);
	return 0;
}

static int open_file(struct reader *reader, const struct options *options, const sigset_t *signals,
		     struct tern_error *error)
{
	const char *path = options->feed_path;
	FILE *file = interruptible_open(path, signals);
	if (!file) {
		int code = -errno;
		return tern_error_set(error, code,
				      "%s: cannot be opened: %s: needs a readable file", path,
				      strerror(-code));
	}
	return feed_source_create(file, strcmp(path, "-") == 0 ? "standard input" : path,
				  options->port, &reader->source, error);
}

int reader_open(struct reader *reader, const struct options *options, const sigset_t *signals,
		struct tern_error *error)
{
	*reader = (struct reader){.left_count =
					  options->message_max ? options->message_max : UINT64_MAX};
	if (!options->feed_path)
		return open_generator(reader, options, error);
	return open_file(reader, options, signals, error);
}

static bool read_source(struct reader *reader, struct feed_record *record)
{
	struct feed_message message;
	if (reader->code < 0)
		return false;
	int got = feed_source_next(reader->source, &message, &reader->error);
	if (got <= 0) {
		reader->code = got;
		return false;
	}
	*record = (struct feed_record){.timestamp_ns = message.timestamp_ns,
				       .anomaly = (uint8_t)message.anomaly,
				       .restarted = message.restarted};
	if (message.anomaly == FEED_OK) {
		record->length = (uint8_t)message.length;
		memcpy(record->bytes, message.bytes, message.length);
	}
	return true;
}

static bool read_generator(struct reader *reader, struct feed_record *record)
{
	struct itch_message message;
	if (!generator_next(reader->generator, &message))
		return false;
	*record = (struct feed_record){.timestamp_ns = message.timestamp_ns, .anomaly = FEED_OK};
	record->length = (uint8_t)itch_encode(&message, record->bytes);
	return true;
}

uint32_t reader_fill(struct reader *reader, struct feed_block *block)
{
	block->count = 0;
	while (block->count < FEED_BLOCK_RECORDS && reader->left_count) {
		struct feed_record *record = &block->records[block->count];
		if (!(reader->source ? read_source(reader, record)
				     : read_generator(reader, record)))
			break;
		block->count++;
		reader->left_count--;
	}
	reader->message_count += block->count;
	return block->count;
}

void reader_close(struct reader *reader)
{
	feed_source_destroy(reader->source);
	generator_destroy(reader->generator);
	reader->source = NULL;
	reader->generator = NULL;
}
