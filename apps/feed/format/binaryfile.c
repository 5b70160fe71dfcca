/* SPDX-License-Identifier: Apache-2.0 */
#include "binaryfile.h"

#include "byte_order.h"

#include <errno.h>

void binaryfile_reader_init(struct binaryfile_reader *reader, FILE *file)
{
	reader->file = file;
	reader->offset = 0;
	reader->message_offset = 0;
	reader->ended = 0;
}

static size_t read_bytes(struct binaryfile_reader *reader, uint8_t *to, size_t length)
{
	size_t got = fread(to, 1, length, reader->file);
	reader->offset += got;
	return got;
}

static enum binaryfile_event end_with(struct binaryfile_reader *reader,
				      struct binaryfile_item *item, enum feed_anomaly anomaly)
{
	if (ferror(reader->file))
		return BINARYFILE_FAILED;
	reader->ended = 1;
	*item = (struct binaryfile_item){.anomaly = anomaly};
	return BINARYFILE_END;
}

enum binaryfile_event binaryfile_reader_next(struct binaryfile_reader *reader,
					     struct binaryfile_item *item)
{
	if (reader->ended)
		return end_with(reader, item, FEED_OK);
	uint8_t prefix[2];
	reader->message_offset = reader->offset;
	size_t got = read_bytes(reader, prefix, sizeof(prefix));
	if (got < sizeof(prefix))
		return end_with(reader, item, got ? FEED_FILE_CUT : FEED_END_MISSING);
	uint16_t length = load_be16(prefix);
	if (length == 0) {
		uint8_t beyond;
		size_t trailing = fread(&beyond, 1, 1, reader->file);
		return end_with(reader, item, trailing ? FEED_FILE_TRAILING : FEED_OK);
	}
	if (read_bytes(reader, reader->message, length) < length)
		return end_with(reader, item, FEED_FILE_CUT);
	*item = (struct binaryfile_item){.bytes = reader->message, .length = length};
	return BINARYFILE_MESSAGE;
}

int binaryfile_write(FILE *file, const uint8_t *bytes, uint16_t length)
{
	uint8_t prefix[2];
	store_be16(prefix, length);
	if (fwrite(prefix, 1, sizeof(prefix), file) != sizeof(prefix))
		return -EIO;
	if (length && fwrite(bytes, 1, length, file) != length)
		return -EIO;
	return 0;
}
