/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_ITCH_H
#define FEED_ITCH_H

#include "feed_anomaly.h"
#include "itch_layout.h"

#include <stddef.h>
#include <stdint.h>

/** Highest price of an order: 200,000.0000 dollar in 1/10000 dollar. */
#define ITCH_PRICE_MAX UINT32_C(0x77359400)

#define ITCH_MEMBER_C1(field) char field;
#define ITCH_MEMBER_A2(field) char field[2];
#define ITCH_MEMBER_A4(field) char field[4];
#define ITCH_MEMBER_A8(field) char field[8];
#define ITCH_MEMBER_U32(field) uint32_t field;
#define ITCH_MEMBER_U64(field) uint64_t field;
#define ITCH_MEMBER(kind, field, offset) ITCH_MEMBER_##kind(field)
#define ITCH_STRUCT(type, length, noun, name)   \
	struct itch_##noun {                    \
		ITCH_FIELDS_##noun(ITCH_MEMBER) \
	};
#define ITCH_UNION_MEMBER(type, length, noun, name) struct itch_##noun noun;

/* struct itch_add_order and so on: the members are the fields of itch_layout.h, letters without
 * a terminating zero, numbers in host order. */
ITCH_MESSAGES(ITCH_STRUCT)

/** One decoded message: the common header, and the member of the union that `type` names. */
struct itch_message {
	char type;
	uint16_t locate; /* stock locate: 1 and up, fixed for a day; 0 = bound to no stock */
	uint16_t tracking;
	uint64_t timestamp_ns; /* since midnight, below 2^48 */
	union {
		ITCH_MESSAGES(ITCH_UNION_MEMBER)
	};
};

/**
 * Length in bytes of a message type.
 *
 * @return 12..ITCH_LENGTH_MAX, or 0 for an unknown type
 *
 * Context: any thread.
 */
size_t itch_length(char type);

/** Name of a message type for a person; NULL for an unknown type. Context: any thread. */
const char *itch_name(char type);

/**
 * Say whether some bytes are an ITCH message, by type and length alone.
 *
 * @param bytes   borrows; may be NULL if `length` is 0
 * @param length  any
 * @return FEED_OK, FEED_TYPE_UNKNOWN, or FEED_LENGTH_WRONG (no bytes at all included)
 *
 * Context: any thread.
 */
enum feed_anomaly itch_check(const uint8_t *bytes, size_t length);

/**
 * Decode one message.
 *
 * @param bytes    borrows; the message from its type letter on, without a length prefix
 * @param length   any
 * @param message  written on FEED_OK only
 * @return as itch_check()
 *
 * The values of the fields are not judged. Context: any thread.
 * Source: Nasdaq TotalView-ITCH 5.0.
 */
enum feed_anomaly itch_decode(const uint8_t *bytes, size_t length, struct itch_message *message);

/**
 * Encode one message; the inverse of itch_decode().
 *
 * @param message  borrows
 * @param bytes    room for ITCH_LENGTH_MAX bytes
 * @return the length written, or 0 for an unknown type
 *
 * Context: any thread.
 */
size_t itch_encode(const struct itch_message *message, uint8_t *bytes);

#endif
