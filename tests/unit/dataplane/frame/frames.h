/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FRAMES_H
#define FRAMES_H

/* Random Tern frames of each kind, and the ends that they travel between. */
#include <string.h>

#include <rte_byteorder.h>

#include "dataplane/frame/crc32c.h"
#include "dataplane/frame/frame.h"
#include "tests/unit/dataplane/mbufs.h"
#include "tests/unit/support.h"

#define FRAMES_ROOM 2048u
#define FRAMES_FROM 7u
#define FRAMES_TO 300u

/** One frame as bytes: header.length of them. */
union frames_bytes {
	struct tern_wire_header header;
	unsigned char bytes[FRAMES_ROOM];
};

static inline const void *frames_body_of(const union frames_bytes *frame)
{
	return frame->bytes + sizeof(frame->header);
}

static inline void *frames_body(union frames_bytes *frame)
{
	return frame->bytes + sizeof(frame->header);
}

/** Make the check right. */
static inline void frames_seal(union frames_bytes *frame)
{
	frame->header.check = 0;
	frame->header.check =
		~tern_crc32c_add(TERN_CRC32C_START, frame->bytes, frame->header.length);
}

static inline void frames_fill(struct tern_rng *rng, void *bytes, size_t size)
{
	for (unsigned char *at = bytes; size; size--)
		*at++ = (unsigned char)tern_rng_next(rng);
}

/** A signal by value, a block of up to `largest` bytes, or a tag; with or without a key. */
static inline void frames_entry(struct tern_rng *rng, size_t largest, struct tern_wire_entry *fixed,
				uint64_t *key)
{
	static const uint32_t others[] = {TERN_KIND_ISO, TERN_KIND_VAL, TERN_KIND_TAG};
	*fixed = (struct tern_wire_entry){
		.to_slot = pick(rng, TERN_AGENTS_MAX),
		.to_generation = pick(rng, 1u << 24) & 0xFFFFFFu,
		.from_slot = pick(rng, TERN_AGENTS_MAX),
		.from_generation = pick(rng, 1u << 24) & 0xFFFFFFu,
		.flags = pick(rng, 2) ? TERN_WIRE_ENTRY_RETURNED : 0,
		.type = (uint16_t)tern_rng_next(rng),
	};
	*key = pick(rng, 3) ? 0 : tern_rng_next(rng) | 1;
	if (pick(rng, 2)) {
		fixed->length = (uint16_t)pick(rng, TERN_INLINE_MAX + 1);
		fixed->kind = fixed->length & 0xFFu;
	} else {
		fixed->kind = others[pick(rng, 3)] & 0xFFu;
		fixed->length = fixed->kind == TERN_KIND_TAG
					? 8
					: (uint16_t)pick(rng, (uint32_t)largest + 1);
	}
}

static inline unsigned char *frames_put_fragment(struct tern_rng *rng, unsigned char *at)
{
	unsigned char payload[400];
	struct tern_wire_entry fixed;
	uint64_t key;
	frames_entry(rng, 100, &fixed, &key);
	frames_fill(rng, payload, sizeof(payload));
	fixed.kind = pick(rng, 2) ? TERN_KIND_ISO : TERN_KIND_VAL;
	fixed.length = (uint16_t)(1 + pick(rng, sizeof(payload)));
	struct tern_wire_fragment fragment = {.size = TERN_BLOCK_SIZE_MAX - pick(rng, 1000)};
	fragment.offset = pick(rng, fragment.size - fixed.length + 1);
	return tern_entry_put(at, &fixed, key, &fragment, payload);
}

/** A DATA body of up to `count` entries, or of one fragment where that is 0. Returns its end. */
static inline unsigned char *frames_data(struct tern_rng *rng, union frames_bytes *frame,
					 uint16_t count)
{
	unsigned char payload[200];
	struct tern_wire_data *data = frames_body(frame);
	unsigned char *at = (unsigned char *)(data + 1);
	*data = (struct tern_wire_data){
		.flow_class = (uint8_t)pick(rng, TERN_WIRE_CLASSES),
		.count = count ? count : 1,
		.distance = pick(rng, 100) % (uint32_t)RTE_MIN(frame->header.position, 100u),
	};
	if (count == 0)
		return frames_put_fragment(rng, at);
	for (uint32_t i = 0; i < count; i++) {
		struct tern_wire_entry fixed;
		uint64_t key;
		frames_entry(rng, sizeof(payload), &fixed, &key);
		frames_fill(rng, payload, sizeof(payload));
		at = tern_entry_put(at, &fixed, key, NULL, payload);
	}
	return at;
}

static inline unsigned char *frames_ranges(struct tern_rng *rng, union frames_bytes *frame,
					   uint16_t count)
{
	struct tern_wire_ranges *ranges = frames_body(frame);
	uint64_t position = 0;
	*ranges = (struct tern_wire_ranges){.count = count};
	for (uint32_t i = 0; i < count; i++) {
		ranges->range[i].from = position += 1 + pick(rng, 50);
		ranges->range[i].to = position += 1 + pick(rng, 50);
	}
	return (unsigned char *)&ranges->range[count];
}

static inline unsigned char *frames_hello(struct tern_rng *rng, union frames_bytes *frame)
{
	struct tern_wire_hello *hello = frames_body(frame);
	*hello = (struct tern_wire_hello){
		.nonce = tern_rng_next(rng) | 1,
		.your_nonce = frame->header.kind == TERN_WIRE_HELLO ? 0 : tern_rng_next(rng) | 1,
		.incarnation = tern_rng_next(rng),
		.cluster = tern_rng_next(rng),
		.heartbeat_us = 1 + pick(rng, 1000),
		.dead_us = 1000 + pick(rng, 100000),
		.frame_max = (uint16_t)(TERN_WIRE_FRAME_MIN + pick(rng, 60000)),
		.credit_max = (uint16_t)(TERN_WIRE_CREDIT_MIN + pick(rng, 4000)),
		.lcores = (uint8_t)(1 + pick(rng, 255)),
	};
	return (unsigned char *)(hello + 1);
}

/** A right frame of a kind, from FRAMES_FROM to FRAMES_TO. Its check is right, too. */
static inline void frames_make(struct tern_rng *rng, enum tern_wire_kind kind,
			       union frames_bytes *frame)
{
	bool is_hello = kind == TERN_WIRE_HELLO;
	memset(frame, 0, sizeof(*frame));
	frame->header = (struct tern_wire_header){
		.version = TERN_WIRE_VERSION,
		.kind = (uint8_t)kind,
		.from_node = FRAMES_FROM,
		.to_node = FRAMES_TO,
		.from_lcore = (uint8_t)tern_rng_next(rng),
		.to_lcore = (uint8_t)tern_rng_next(rng),
		.credit = (uint16_t)tern_rng_next(rng),
		.session = is_hello ? 0 : tern_rng_next(rng) | 1,
		.position = is_hello ? 0 : 1 + (tern_rng_next(rng) >> pick(rng, 64)) / 2,
		.ack = 1 + tern_rng_next(rng) / 2,
	};
	unsigned char *end = frames_body(frame);
	if (kind == TERN_WIRE_DATA)
		end = frames_data(rng, frame, (uint16_t)pick(rng, 6));
	else if (kind == TERN_WIRE_NAK || kind == TERN_WIRE_GONE)
		end = frames_ranges(rng, frame, (uint16_t)(1 + pick(rng, TERN_WIRE_RANGES_MAX)));
	else if (is_hello || kind == TERN_WIRE_WELCOME)
		end = frames_hello(rng, frame);
	frame->header.length = (uint16_t)(end - frame->bytes);
	frames_seal(frame);
}

/** An mbuf with these bytes, the first `first` of them in its first segment, the rest in pieces. */
static inline struct rte_mbuf *frames_mbuf(struct tern_rng *rng, struct rte_mempool *pool,
					   const unsigned char *bytes, uint32_t size,
					   uint32_t first)
{
	struct rte_mbuf *head = NULL;
	for (uint32_t part = RTE_MIN(first, size); head == NULL || size;
	     part = RTE_MIN(1 + pick(rng, 200), size)) {
		struct rte_mbuf *segment = rte_pktmbuf_alloc(pool);
		assert_non_null(segment);
		memcpy(rte_pktmbuf_append(segment, (uint16_t)part), bytes, part);
		if (head)
			assert_int_equal(rte_pktmbuf_chain(head, segment), 0);
		else
			head = segment;
		bytes += part;
		size -= part;
	}
	return head;
}

/** The two ends of a path: of node FRAMES_FROM and of FRAMES_TO. */
static inline struct tern_endpoint frames_endpoint(enum tern_carrier carrier, uint16_t vlan,
						   uint8_t number)
{
	struct tern_endpoint end = {
		.carrier = carrier,
		.vlan = vlan,
		.udp_port = (uint16_t)(TERN_WIRE_UDP_PORT + number),
		.mac = {0x02, 0, 0, 0, 0, number},
		.address = {10, 0, 0, number},
	};
	if (carrier == TERN_CARRIER_IPV6)
		memcpy(end.address,
		       (uint8_t[16]){0xFD,
				     1, [13] = number, [14] = (uint8_t)~number, [15] = number},
		       sizeof(end.address));
	return end;
}

#endif
