/* SPDX-License-Identifier: Apache-2.0 */
#include "itch.h"

#include "byte_order.h"

#define SIZE_C1 1
#define SIZE_A2 2
#define SIZE_A4 4
#define SIZE_A8 8
#define SIZE_U32 4
#define SIZE_U64 8
#define ADD_SIZE(kind, field, offset) +SIZE_##kind
#define FITS(kind, field, offset) +((offset) + SIZE_##kind > ITCH_LENGTH_MAX)
#define CHECK_LAYOUT(type, length, noun, name)                                      \
	_Static_assert(ITCH_HEADER_LENGTH ITCH_FIELDS_##noun(ADD_SIZE) == (length), \
		       "the fields of " name " cover its length");                  \
	_Static_assert((0 ITCH_FIELDS_##noun(FITS)) == 0, "the fields of " name " fit");

ITCH_MESSAGES(CHECK_LAYOUT)

/* F begins with the fields of A, and C with those of E: readers may use one for both. */
_Static_assert(offsetof(struct itch_add_order_mpid, price) ==
		       offsetof(struct itch_add_order, price),
	       "F begins like A");
_Static_assert(offsetof(struct itch_executed_price, match) == offsetof(struct itch_executed, match),
	       "C begins like E");

#define DECODE_C1(to, from) (to) = (char)*(from);
#define DECODE_A2(to, from) memcpy((to), (from), 2);
#define DECODE_A4(to, from) memcpy((to), (from), 4);
#define DECODE_A8(to, from) memcpy((to), (from), 8);
#define DECODE_U32(to, from) (to) = load_be32(from);
#define DECODE_U64(to, from) (to) = load_be64(from);
#define DECODE_FIELD(kind, field, offset) DECODE_##kind(body->field, bytes + (offset))

#define ENCODE_C1(to, from) *(to) = (uint8_t)(from);
#define ENCODE_A2(to, from) memcpy((to), (from), 2);
#define ENCODE_A4(to, from) memcpy((to), (from), 4);
#define ENCODE_A8(to, from) memcpy((to), (from), 8);
#define ENCODE_U32(to, from) store_be32((to), (from));
#define ENCODE_U64(to, from) store_be64((to), (from));
#define ENCODE_FIELD(kind, field, offset) ENCODE_##kind(bytes + (offset), body->field)

#define DEFINE_CODEC(type, length, noun, name)                                    \
	static void decode_##noun(const uint8_t *bytes, struct itch_##noun *body) \
	{                                                                         \
		ITCH_FIELDS_##noun(DECODE_FIELD)                                  \
	}                                                                         \
	static void encode_##noun(const struct itch_##noun *body, uint8_t *bytes) \
	{                                                                         \
		ITCH_FIELDS_##noun(ENCODE_FIELD)                                  \
	}

ITCH_MESSAGES(DEFINE_CODEC)

#define TYPE_ROW(type, length, noun, name) [type] = {length, name},

static const struct {
	uint8_t length;
	const char *name;
} types[256] = {ITCH_MESSAGES(TYPE_ROW)};

size_t itch_length(char type)
{
	return types[(uint8_t)type].length;
}

const char *itch_name(char type)
{
	return types[(uint8_t)type].name;
}

enum feed_anomaly itch_check(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return FEED_LENGTH_WRONG;
	if (types[bytes[0]].length == 0)
		return FEED_TYPE_UNKNOWN;
	return types[bytes[0]].length == length ? FEED_OK : FEED_LENGTH_WRONG;
}

#define DECODE_CASE(type, length, noun, name)         \
	case type:                                    \
		decode_##noun(bytes, &message->noun); \
		break;
#define ENCODE_CASE(type, length, noun, name)         \
	case type:                                    \
		encode_##noun(&message->noun, bytes); \
		break;

enum feed_anomaly itch_decode(const uint8_t *bytes, size_t length, struct itch_message *message)
{
	enum feed_anomaly anomaly = itch_check(bytes, length);
	if (anomaly != FEED_OK)
		return anomaly;
	message->type = (char)bytes[0];
	message->locate = load_be16(bytes + 1);
	message->tracking = load_be16(bytes + 3);
	message->timestamp_ns = load_be48(bytes + 5);
	switch (message->type) {
		ITCH_MESSAGES(DECODE_CASE)
	}
	return FEED_OK;
}

size_t itch_encode(const struct itch_message *message, uint8_t *bytes)
{
	size_t length = itch_length(message->type);
	if (length == 0)
		return 0;
	bytes[0] = (uint8_t)message->type;
	store_be16(bytes + 1, message->locate);
	store_be16(bytes + 3, message->tracking);
	store_be48(bytes + 5, message->timestamp_ns);
	switch (message->type) {
		ITCH_MESSAGES(ENCODE_CASE)
	}
	return length;
}
