/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_MOLDUDP64_H
#define FEED_MOLDUDP64_H

#include "feed_anomaly.h"

#include <stddef.h>
#include <stdint.h>

#define MOLDUDP64_HEADER_LENGTH 20
#define MOLDUDP64_SESSION_LENGTH 10
#define MOLDUDP64_BLOCK_HEADER_LENGTH 2
/** Message count that marks the end of session. */
#define MOLDUDP64_COUNT_END 0xFFFF

enum moldudp64_kind {
	MOLDUDP64_DATA,
	MOLDUDP64_HEARTBEAT,
	MOLDUDP64_END,	   /* end of session */
	MOLDUDP64_REQUEST, /* a listener asks for retransmission */
};

/** One packet, checked as a whole. */
struct moldudp64_packet {
	enum moldudp64_kind kind;
	uint16_t count; /* of messages; asked for in a request; 0 in heartbeat and end */
	char session[MOLDUDP64_SESSION_LENGTH]; /* letters, space padded */
	uint64_t sequence;	/* of the first message; the next expected in heartbeat and end */
	const uint8_t *blocks;	/* borrows from the datagram */
	size_t blocks_length;	/* exactly the `count` blocks of a data packet, else 0 */
	size_t trailing_length; /* bytes behind the last block */
};

/**
 * Parse the payload of one datagram. A data packet is accepted whole or not at all.
 *
 * @param bytes   borrows
 * @param length  any
 * @param packet  written on FEED_OK only
 * @return FEED_OK, FEED_MOLD_SHORT, _COUNT_PAST_END, _BLOCK_CUT, or _SEQUENCE_OVERFLOW
 *
 * 20 bytes with a count other than 0 and 0xFFFF are a request. Context: any thread.
 * Source: Nasdaq MoldUDP64 1.00.
 */
enum feed_anomaly moldudp64_parse(const uint8_t *bytes, size_t length,
				  struct moldudp64_packet *packet);

/**
 * Take the next message off a data packet's blocks.
 *
 * @param blocks         a cursor, at first packet->blocks; moved behind the message
 * @param message        out: borrows from the datagram
 * @return the message's length, 0 included
 *
 * Call it at most packet->count times on a packet that moldudp64_parse() accepted.
 * Context: any thread.
 */
uint16_t moldudp64_block_next(const uint8_t **blocks, const uint8_t **message);

/**
 * Write a packet header.
 *
 * @param packet  borrows; kind, count, session and sequence are used
 * @param bytes   room for MOLDUDP64_HEADER_LENGTH bytes
 *
 * Context: any thread.
 */
void moldudp64_header_write(const struct moldudp64_packet *packet, uint8_t *bytes);

#endif
