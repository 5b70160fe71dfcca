/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_BLOCK_H
#define FEED_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "format/itch.h"
#include "tern_block.h"

/** One message as the feed carried it, with what its file says about it. One cache line. */
struct feed_record {
	_Alignas(64) uint64_t timestamp_ns; /* since midnight; 0: unknown */
	uint8_t anomaly;		    /* enum feed_anomaly; FEED_OK: it can be decoded */
	bool restarted;			    /* first of a new session */
	uint8_t length;
	uint8_t bytes[ITCH_LENGTH_MAX];
};
_Static_assert(sizeof(struct feed_record) == 64, "a record is one cache line");

#define FEED_BLOCK_RECORDS (TERN_BLOCK_SIZE_MAX / sizeof(struct feed_record) - 1)

/** What travels from the reader to the feed handler, as an iso block. */
struct feed_block {
	tern_iso *next; /* of the feed handler: the block behind this one */
	uint32_t count;
	struct feed_record records[FEED_BLOCK_RECORDS];
};
TERN_BLOCK_TYPE(feed_block, struct feed_block);

#endif
