/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_SOURCE_H
#define FEED_SOURCE_H

#include "format/feed_anomaly.h"

#include "tern_error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** The messages of one feed file, whatever its format. */
struct feed_source;

enum feed_format {
	FEED_BINARYFILE, /* places are byte offsets of length prefixes */
	FEED_MOLDUDP64,	 /* in pcap or pcapng; places are packet numbers from 1 */
};

/** One message of a feed. */
struct feed_message {
	const uint8_t *bytes;	   /* borrows until the next call */
	uint16_t length;	   /* 0 is possible */
	bool restarted;		   /* first message of a new session: start all books anew */
	enum feed_anomaly anomaly; /* of itch_check(); FEED_OK: it can be decoded */
	uint64_t sequence;     /* MoldUDP64: its number, 0 if unknown; BinaryFILE: counted from 1 */
	uint64_t capture_ns;   /* since 1970-01-01 UTC; 0 if the format does not say */
	uint64_t timestamp_ns; /* of ITCH, since midnight; 0 if it cannot be decoded */
	uint64_t place;
};

/**
 * Open a feed file; its first bytes tell the format.
 *
 * @param path     borrows; "-" is standard input
 * @param port     UDP destination port to follow in a capture; 0 follows every port
 * @param created  out: owned by the caller, who ends it with feed_source_destroy()
 * @return 0; a negative errno of opening and reading; -ENODATA if the file is empty, -EBADMSG if it
 *         is no feed, -EPROTONOSUPPORT for a capture that is not Ethernet, -ENOMEM
 *
 * Context: any one thread; blocks on the file. Borrows `error`, which gets the message.
 */
int feed_source_open(const char *path, uint16_t port, struct feed_source **created,
		     struct tern_error *error);

/**
 * Same as feed_source_open() for a stream that is already open.
 *
 * @param file  consumes, on failure too; open for reading at its start; may be a pipe
 * @param name  borrows; for messages
 */
int feed_source_create(FILE *file, const char *name, uint16_t port, struct feed_source **created,
		       struct tern_error *error);

/**
 * Yield the next message. Whatever is left out is counted by name.
 *
 * @param message  written if 1 is returned
 * @return 1; 0 at the end; -EBADMSG where the file is cut, corrupt, or goes on behind its end; or
 *         the negative errno of a read error. After 0 or an error every call returns 0.
 *
 * Context: the thread that owns the source; blocks on the file.
 */
int feed_source_next(struct feed_source *source, struct feed_message *message,
		     struct tern_error *error);

/** The source's counters; those of books may be added to them. Yields, valid until destroy. */
struct feed_counters *feed_source_counters(struct feed_source *source);

enum feed_format feed_source_format(const struct feed_source *source);

/** Name of a format: "binaryfile" or "moldudp64". */
const char *feed_format_name(enum feed_format format);

/** What the places of a format count, for messages: "byte" or "packet". */
const char *feed_format_place(enum feed_format format);

/** Close the file and free the source; NULL is fine. Context: the owning thread. Consumes. */
void feed_source_destroy(struct feed_source *source);

#endif
