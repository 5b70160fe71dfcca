/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a Tern frame is read as it was written, and one that breaks any rule gets the reason's name
 * and leaves no trace. Method: random frames of each kind, right; cut at every length; with every
 * bit flipped; and with each rule broken by itself, under a check that is right.
 */
#include "frames.h"

#define ROUNDS 200

/* A result that a drop must not touch. */
static const struct tern_frame frame_untouched = {
	.header = (const void *)0x1234, .body.data = (const void *)0x5678, .from.vlan = 77};

static enum tern_drop frame_judge(const void *bytes, size_t size)
{
	struct tern_frame frame = frame_untouched;
	enum tern_drop why = tern_frame_check(bytes, size, FRAMES_TO, &frame);
	if (why == TERN_DROP_NONE)
		assert_ptr_equal(frame.header, bytes);
	else
		assert_memory_equal(&frame, &frame_untouched, sizeof(frame));
	return why;
}

static void assert_drop(enum tern_drop why, enum tern_drop expected)
{
	if (why != expected)
		fail_msg("dropped as %s, not as %s", tern_drop_name(why), tern_drop_name(expected));
}

static void each_kind_is_read_as_written(void **state)
{
	struct tern_rng rng = {test_seed(1)};
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
			union frames_bytes bytes;
			struct tern_frame frame;
			bool has_body = kind <= TERN_WIRE_WELCOME || kind == TERN_WIRE_DATA ||
					kind == TERN_WIRE_NAK || kind == TERN_WIRE_GONE;
			frames_make(&rng, kind, &bytes);
			/* what a NIC pads is not looked at */
			size_t size = bytes.header.length + pick(&rng, 20);
			assert_drop(tern_frame_check(&bytes, size, FRAMES_TO, &frame),
				    TERN_DROP_NONE);
			assert_ptr_equal(frame.header, &bytes);
			assert_ptr_equal(frame.body.data, has_body ? frames_body(&bytes) : NULL);
		}
	}
}

static void a_frame_lies_at_any_address(void **state)
{
	struct tern_rng rng = {test_seed(2)};
	unsigned char memory[FRAMES_ROOM + 8];
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		for (unsigned shift = 0; shift < 8; shift++) {
			union frames_bytes bytes;
			frames_make(&rng, kind, &bytes);
			memcpy(memory + shift, &bytes, sizeof(bytes));
			assert_drop(frame_judge(memory + shift, bytes.header.length),
				    TERN_DROP_NONE);
		}
	}
}

/* The bytes are copied to the end of memory of their own, so that a sanitizer sees one too many. */
static enum tern_drop frame_judge_exact(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	enum tern_drop why = frame_judge(copy, size);
	free(copy);
	return why;
}

static void each_truncation_is_dropped(void **state)
{
	struct tern_rng rng = {test_seed(3)};
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		union frames_bytes bytes;
		frames_make(&rng, kind, &bytes);
		uint16_t length = bytes.header.length;
		for (uint16_t size = 0; size < length; size++)
			assert_drop(frame_judge_exact(&bytes, size), TERN_DROP_SHORT);
		/* and where the length agrees with the cut, and the check with both */
		for (uint16_t size = sizeof(bytes.header); size < length; size++) {
			bytes.header.length = size;
			frames_seal(&bytes);
			enum tern_drop why = frame_judge_exact(&bytes, size);
			assert_true(why == TERN_DROP_LENGTH || why == TERN_DROP_ENTRY ||
				    why == TERN_DROP_COUNT);
		}
	}
}

static void each_flipped_bit_is_dropped(void **state)
{
	struct tern_rng rng = {test_seed(4)};
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		union frames_bytes bytes;
		frames_make(&rng, kind, &bytes);
		uint32_t bits = bytes.header.length * 8u;
		for (uint32_t bit = 0; bit < bits; bit++) {
			bytes.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
			enum tern_drop why = frame_judge(&bytes, FRAMES_ROOM);
			if (why != TERN_DROP_VERSION && why != TERN_DROP_LENGTH &&
			    why != TERN_DROP_SHORT)
				assert_drop(why, TERN_DROP_CHECK);
			bytes.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
		assert_drop(frame_judge(&bytes, FRAMES_ROOM), TERN_DROP_NONE);
	}
}

/* A right frame, then one member changed and the check made right again. */
#define BREAK(kind, member_type, offset, member, value, expected)                                \
	do {                                                                                     \
		union frames_bytes bytes;                                                        \
		frames_make(&rng, kind, &bytes);                                                 \
		((member_type *)(bytes.bytes + (offset)))->member = (value);                     \
		frames_seal(&bytes);                                                             \
		enum tern_drop why = frame_judge(&bytes, FRAMES_ROOM);                           \
		if (why != (expected))                                                           \
			fail_msg("%s %s = %s: dropped as %s, not as %s", #kind, #member, #value, \
				 tern_drop_name(why), tern_drop_name(expected));                 \
	} while (0)
#define BREAK_HEADER(kind, member, value, expected) \
	BREAK(kind, struct tern_wire_header, 0, member, value, expected)
#define BREAK_BODY(kind, type, member, value, expected) \
	BREAK(kind, type, sizeof(struct tern_wire_header), member, value, expected)

static void each_rule_of_the_header_has_its_reason(void **state)
{
	struct tern_rng rng = {test_seed(5)};
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		bool is_hello = kind == TERN_WIRE_HELLO;
		BREAK_HEADER(kind, version, 2, TERN_DROP_VERSION);
		BREAK_HEADER(kind, version, 0, TERN_DROP_VERSION);
		BREAK_HEADER(kind, kind, 0, TERN_DROP_KIND);
		BREAK_HEADER(kind, kind, TERN_WIRE_KINDS, TERN_DROP_KIND);
		BREAK_HEADER(kind, kind, 255, TERN_DROP_KIND);
		BREAK_HEADER(kind, from_node, 0, TERN_DROP_NODE);
		BREAK_HEADER(kind, from_node, TERN_WIRE_NODES_MAX + 1, TERN_DROP_NODE);
		BREAK_HEADER(kind, from_node, FRAMES_TO, TERN_DROP_NODE);
		BREAK_HEADER(kind, from_node, TERN_WIRE_NODES_MAX, TERN_DROP_NONE);
		BREAK_HEADER(kind, to_node, 0, TERN_DROP_NODE);
		BREAK_HEADER(kind, to_node, UINT16_MAX, TERN_DROP_NODE);
		BREAK_HEADER(kind, to_node, FRAMES_TO + 1, TERN_DROP_NOT_OURS);
		BREAK_HEADER(kind, session, is_hello ? 1 : 0, TERN_DROP_POSITION);
		BREAK_HEADER(kind, position, is_hello ? 1 : 0, TERN_DROP_POSITION);
		BREAK_HEADER(kind, ack, 0, TERN_DROP_POSITION);
		BREAK_HEADER(kind, credit, 0, TERN_DROP_NONE);
	}
}

static void a_length_below_the_header_is_dropped(void **state)
{
	struct tern_rng rng = {test_seed(6)};
	union frames_bytes bytes;
	(void)state;
	frames_make(&rng, TERN_WIRE_ACK, &bytes);
	for (uint16_t length = 0; length < sizeof(bytes.header); length++) {
		bytes.header.length = length;
		assert_drop(frame_judge(&bytes, FRAMES_ROOM), TERN_DROP_LENGTH);
	}
}

static void a_body_has_the_length_of_its_kind(void **state)
{
	struct tern_rng rng = {test_seed(7)};
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		union frames_bytes bytes;
		frames_make(&rng, kind, &bytes);
		bytes.header.length += 4;
		frames_seal(&bytes);
		enum tern_drop why = frame_judge(&bytes, FRAMES_ROOM);
		bool is_counted =
			kind == TERN_WIRE_DATA || kind == TERN_WIRE_NAK || kind == TERN_WIRE_GONE;
		assert_drop(why, is_counted ? TERN_DROP_COUNT : TERN_DROP_LENGTH);
	}
}

#define BREAK_HELLO(kind, member, value, expected) \
	BREAK_BODY(kind, struct tern_wire_hello, member, value, expected)

static void each_rule_of_a_handshake_has_its_reason(void **state)
{
	struct tern_rng rng = {test_seed(8)};
	(void)state;
	for (unsigned kind = TERN_WIRE_HELLO; kind <= TERN_WIRE_WELCOME; kind++) {
		BREAK_HELLO(kind, nonce, 0, TERN_DROP_NONCE);
		BREAK_HELLO(kind, your_nonce, kind == TERN_WIRE_HELLO, TERN_DROP_NONCE);
		BREAK_HELLO(kind, reserved[0], 1, TERN_DROP_RESERVED);
		BREAK_HELLO(kind, reserved[1], 1, TERN_DROP_RESERVED);
		BREAK_HELLO(kind, reserved[2], 128, TERN_DROP_RESERVED);
		BREAK_HELLO(kind, heartbeat_us, 0, TERN_DROP_OFFER);
		BREAK_HELLO(kind, dead_us, 0, TERN_DROP_OFFER);
		BREAK_HELLO(kind, heartbeat_us, UINT32_MAX, TERN_DROP_OFFER);
		BREAK_HELLO(kind, frame_max, TERN_WIRE_FRAME_MIN - 1, TERN_DROP_OFFER);
		BREAK_HELLO(kind, frame_max, TERN_WIRE_FRAME_MIN, TERN_DROP_NONE);
		BREAK_HELLO(kind, credit_max, TERN_WIRE_CREDIT_MIN - 1, TERN_DROP_OFFER);
		BREAK_HELLO(kind, credit_max, TERN_WIRE_CREDIT_MAX, TERN_DROP_NONE);
		BREAK_HELLO(kind, credit_max, TERN_WIRE_CREDIT_MAX + 1, TERN_DROP_OFFER);
		BREAK_HELLO(kind, lcores, 0, TERN_DROP_OFFER);
	}
}

#define BREAK_RANGES(kind, member, value, expected) \
	BREAK_BODY(kind, struct tern_wire_ranges, member, value, expected)

static void each_rule_of_ranges_has_its_reason(void **state)
{
	struct tern_rng rng = {test_seed(9)};
	const enum tern_wire_kind kinds[] = {TERN_WIRE_NAK, TERN_WIRE_GONE};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		BREAK_RANGES(kinds[i], count, 0, TERN_DROP_COUNT);
		BREAK_RANGES(kinds[i], count, TERN_WIRE_RANGES_MAX + 1, TERN_DROP_COUNT);
		BREAK_RANGES(kinds[i], count, UINT16_MAX, TERN_DROP_COUNT);
		BREAK_RANGES(kinds[i], reserved[0], 1, TERN_DROP_RESERVED);
		BREAK_RANGES(kinds[i], reserved[1], 1, TERN_DROP_RESERVED);
		BREAK_RANGES(kinds[i], reserved[2], 1, TERN_DROP_RESERVED);
		BREAK_RANGES(kinds[i], range[0].from, 0, TERN_DROP_RANGES);
		BREAK_RANGES(kinds[i], range[0].from, UINT64_MAX, TERN_DROP_RANGES);
		BREAK_RANGES(kinds[i], range[0].to, 0, TERN_DROP_RANGES);
	}
}

static void ranges_rise_and_lie_apart(void **state)
{
	static const struct {
		uint64_t from, to, second_from, second_to;
		enum tern_drop why;
	} cases[] = {
		{1, 2, 3, 4, TERN_DROP_NONE},	{1, 2, 2, 3, TERN_DROP_RANGES},
		{5, 6, 3, 4, TERN_DROP_RANGES}, {1, 9, 3, 4, TERN_DROP_RANGES},
		{1, 2, 4, 4, TERN_DROP_RANGES}, {1, UINT64_MAX, 4, 5, TERN_DROP_RANGES},
		{3, 4, 3, 4, TERN_DROP_RANGES}, {2, 1, 3, 4, TERN_DROP_RANGES},
	};
	struct tern_rng rng = {test_seed(10)};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union frames_bytes bytes;
		struct tern_wire_ranges *ranges = frames_body(&bytes);
		frames_make(&rng, TERN_WIRE_NAK, &bytes);
		ranges->count = 2;
		ranges->range[0] = (struct tern_wire_range){cases[i].from, cases[i].to};
		ranges->range[1] =
			(struct tern_wire_range){cases[i].second_from, cases[i].second_to};
		bytes.header.length =
			sizeof(bytes.header) + sizeof(*ranges) + 2 * sizeof(struct tern_wire_range);
		frames_seal(&bytes);
		assert_drop(frame_judge(&bytes, FRAMES_ROOM), cases[i].why);
	}
}

#define BREAK_DATA(member, value, expected) \
	BREAK_BODY(TERN_WIRE_DATA, struct tern_wire_data, member, value, expected)

static void each_rule_of_data_has_its_reason(void **state)
{
	struct tern_rng rng = {test_seed(11)};
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		BREAK_DATA(flow_class, TERN_WIRE_CLASSES, TERN_DROP_CLASS);
		BREAK_DATA(flow_class, 255, TERN_DROP_CLASS);
		BREAK_DATA(reserved, 1, TERN_DROP_RESERVED);
		BREAK_DATA(count, 0, TERN_DROP_COUNT);
		BREAK_DATA(distance, 0, TERN_DROP_NONE);
	}
}

static void a_distance_leads_to_a_frame_of_the_session(void **state)
{
	struct tern_rng rng = {test_seed(12)};
	(void)state;
	for (uint32_t position = 1; position < 50; position++) {
		for (uint32_t distance = 0; distance < 60; distance++) {
			union frames_bytes bytes;
			frames_make(&rng, TERN_WIRE_DATA, &bytes);
			bytes.header.position = position;
			((struct tern_wire_data *)frames_body(&bytes))->distance = distance;
			frames_seal(&bytes);
			assert_drop(frame_judge(&bytes, FRAMES_ROOM),
				    distance < position ? TERN_DROP_NONE : TERN_DROP_DISTANCE);
		}
	}
}

static void a_check_covers_all_segments(void **state)
{
	struct tern_rng rng = {test_seed(13)};
	struct rte_mempool *pool = mbufs_pool("pieces", 511, FRAMES_ROOM, 0);
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes, sealed;
		frames_make(&rng, 1 + pick(&rng, TERN_WIRE_KINDS - 1), &bytes);
		uint32_t check = bytes.header.check;
		bytes.header.check = (uint32_t)tern_rng_next(&rng);
		struct rte_mbuf *mbuf = frames_mbuf(&rng, pool, bytes.bytes, bytes.header.length,
						    40 + pick(&rng, 100));
		tern_frame_seal(mbuf);
		const unsigned char *all =
			rte_pktmbuf_read(mbuf, 0, bytes.header.length, sealed.bytes);
		assert_int_equal(((const struct tern_wire_header *)all)->check, check);
		assert_drop(frame_judge(all, bytes.header.length), TERN_DROP_NONE);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(rte_mempool_avail_count(pool), 511);
	rte_mempool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_read_as_written),
		cmocka_unit_test(a_frame_lies_at_any_address),
		cmocka_unit_test(each_truncation_is_dropped),
		cmocka_unit_test(each_flipped_bit_is_dropped),
		cmocka_unit_test(each_rule_of_the_header_has_its_reason),
		cmocka_unit_test(a_length_below_the_header_is_dropped),
		cmocka_unit_test(a_body_has_the_length_of_its_kind),
		cmocka_unit_test(each_rule_of_a_handshake_has_its_reason),
		cmocka_unit_test(each_rule_of_ranges_has_its_reason),
		cmocka_unit_test(ranges_rise_and_lie_apart),
		cmocka_unit_test(each_rule_of_data_has_its_reason),
		cmocka_unit_test(a_distance_leads_to_a_frame_of_the_session),
		cmocka_unit_test(a_check_covers_all_segments),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
