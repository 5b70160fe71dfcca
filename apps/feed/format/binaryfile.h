/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BINARYFILE_H
#define FEED_BINARYFILE_H

#include "feed_anomaly.h"

#include <stdint.h>
#include <stdio.h>

/** Longest message of a BinaryFILE: its length prefix has 16 bits. */
#define BINARYFILE_LENGTH_MAX 65535

/** Reads a BinaryFILE through a stdio stream; the caller's memory, see binaryfile_reader_init(). */
struct binaryfile_reader {
	FILE *file;
	uint64_t offset;	 /* bytes consumed from the file */
	uint64_t message_offset; /* of the length prefix that was read last */
	int ended;
	uint8_t message[BINARYFILE_LENGTH_MAX];
};

enum binaryfile_event {
	BINARYFILE_MESSAGE, /* one message */
	BINARYFILE_END,	    /* the file is over; `anomaly` says whether properly */
	BINARYFILE_FAILED,  /* the stream reported a read error: errno */
};

/** What binaryfile_reader_next() met. */
struct binaryfile_item {
	const uint8_t *bytes; /* borrows from the reader until its next call */
	uint16_t length;      /* 1.. */
	enum feed_anomaly
		anomaly; /* at the end: FEED_OK, _FILE_CUT, _FILE_TRAILING, _END_MISSING */
};

/**
 * Start reading at the stream's position, which counts as offset 0.
 *
 * @param file  keeps; open for reading; closing it stays the caller's duty
 *
 * Context: any one thread.
 */
void binaryfile_reader_init(struct binaryfile_reader *reader, FILE *file);

/**
 * Read the next message.
 *
 * @param item  written on BINARYFILE_MESSAGE and BINARYFILE_END
 * @return the event; after BINARYFILE_END every call is BINARYFILE_END
 *
 * Context: the thread that owns the reader; blocks on the file.
 * Source: Nasdaq BinaryFILE 1.00: u16 big-endian length and payload, length 0 ends the session.
 */
enum binaryfile_event binaryfile_reader_next(struct binaryfile_reader *reader,
					     struct binaryfile_item *item);

/**
 * Write one message, or with length 0 the end of session.
 *
 * @param file    borrows; open for writing
 * @param bytes   borrows; may be NULL if `length` is 0
 * @param length  0..BINARYFILE_LENGTH_MAX
 * @return 0, or -EIO if the stream refused; a full disk may show only when it is flushed
 *
 * Context: any one thread.
 */
int binaryfile_write(FILE *file, const uint8_t *bytes, uint16_t length);

#endif
