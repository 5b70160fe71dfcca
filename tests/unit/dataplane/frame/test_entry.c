/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: entries are read as they were written, and one that cannot be gets the reason's name.
 * Method: random entries written and read again, and each rule broken by itself, under a check that
 * is right.
 */
#include "frames.h"

#define ROUNDS 2000

static enum tern_drop entry_judge(union frames_bytes *bytes)
{
	struct tern_frame frame;
	frames_seal(bytes);
	return tern_frame_check(bytes, bytes->header.length, FRAMES_TO, &frame);
}

static void assert_drop(enum tern_drop why, enum tern_drop expected)
{
	if (why != expected)
		fail_msg("dropped as %s, not as %s", tern_drop_name(why), tern_drop_name(expected));
}

/* What was written. */
struct written {
	struct tern_wire_entry fixed;
	uint64_t key;
	unsigned char payload[200];
};

/* A DATA frame of `count` entries, and what they were. */
static void entries_make(struct tern_rng *rng, union frames_bytes *bytes, struct written *written,
			 uint16_t count)
{
	frames_make(rng, TERN_WIRE_DATA, bytes);
	struct tern_wire_data *data = frames_body(bytes);
	unsigned char *at = (unsigned char *)(data + 1);
	data->count = count;
	for (unsigned i = 0; i < count; i++) {
		frames_entry(rng, sizeof(written->payload), &written[i].fixed, &written[i].key);
		frames_fill(rng, written[i].payload, sizeof(written->payload));
		unsigned char *end = tern_entry_put(at, &written[i].fixed, written[i].key, NULL,
						    written[i].payload);
		assert_int_equal(end - at, tern_entry_bytes(written[i].key != 0, false,
							    written[i].fixed.length));
		assert_int_equal((end - at) % 4, 0);
		at = end;
	}
	bytes->header.length = (uint16_t)(at - bytes->bytes);
	frames_seal(bytes);
}

static void assert_entry(const struct tern_entry *entry, const struct written *written)
{
	assert_int_equal(entry->fixed->to_slot, written->fixed.to_slot);
	assert_int_equal(entry->fixed->to_generation, written->fixed.to_generation);
	assert_int_equal(entry->fixed->from_slot, written->fixed.from_slot);
	assert_int_equal(entry->fixed->from_generation, written->fixed.from_generation);
	assert_int_equal(entry->fixed->kind, written->fixed.kind);
	assert_int_equal(entry->fixed->type, written->fixed.type);
	assert_int_equal(entry->fixed->length, written->fixed.length);
	assert_int_equal(entry->fixed->flags & TERN_WIRE_ENTRY_RETURNED, written->fixed.flags);
	assert_int_equal(entry->key, written->key);
	assert_null(entry->fragment);
	assert_memory_equal(entry->payload, written->payload, written->fixed.length);
}

static void entries_are_read_as_written(void **state)
{
	struct tern_rng rng = {test_seed(1)};
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct written written[6];
		struct tern_frame frame;
		struct tern_entry entry;
		uint16_t count = (uint16_t)(1 + pick(&rng, 6));
		entries_make(&rng, &bytes, written, count);
		assert_drop(tern_frame_check(&bytes, bytes.header.length, FRAMES_TO, &frame),
			    TERN_DROP_NONE);
		assert_int_equal(frame.body.data->count, count);
		tern_entry_first(&frame, &entry);
		for (unsigned i = 0; i < count; i++) {
			if (i > 0)
				tern_entry_next(&entry);
			assert_entry(&entry, &written[i]);
		}
		assert_ptr_equal(entry.next, bytes.bytes + bytes.header.length);
	}
}

static void a_wrong_count_is_dropped(void **state)
{
	struct tern_rng rng = {test_seed(2)};
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct written written[4];
		struct tern_wire_data *data = frames_body(&bytes);
		entries_make(&rng, &bytes, written, 4);
		data->count = (uint16_t)pick(&rng, 4);
		assert_drop(entry_judge(&bytes), TERN_DROP_COUNT);
		data->count = (uint16_t)(5 + pick(&rng, UINT16_MAX - 5));
		assert_drop(entry_judge(&bytes), TERN_DROP_COUNT);
	}
}

static void a_fragment_is_read_as_written(void **state)
{
	struct tern_rng rng = {test_seed(3)};
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		struct tern_entry entry;
		frames_make(&rng, TERN_WIRE_DATA, &bytes);
		struct tern_rng again = rng;
		unsigned char *end = frames_data(&rng, &bytes, 0);
		bytes.header.length = (uint16_t)(end - bytes.bytes);
		assert_drop(entry_judge(&bytes), TERN_DROP_NONE);
		assert_drop(tern_frame_check(&bytes, FRAMES_ROOM, FRAMES_TO, &frame),
			    TERN_DROP_NONE);
		tern_entry_first(&frame, &entry);
		assert_non_null(entry.fragment);
		assert_int_equal(tern_entry_bytes(entry.key != 0, true, entry.fixed->length),
				 end - (const unsigned char *)(frame.body.data + 1));
		/* the same numbers give the same frame: what was read is what was written */
		union frames_bytes copy = bytes;
		frames_data(&again, &copy, 0);
		frames_seal(&copy);
		assert_memory_equal(&copy, &bytes, bytes.header.length);
	}
}

/* A frame of one entry, 12 bytes by value without a key, to be broken. */
static struct tern_wire_entry *entry_plain(struct tern_rng *rng, union frames_bytes *bytes)
{
	const struct tern_wire_entry fixed = {.kind = 12, .length = 12};
	frames_make(rng, TERN_WIRE_DATA, bytes);
	struct tern_wire_data *data = frames_body(bytes);
	data->count = 1;
	unsigned char *end =
		tern_entry_put((unsigned char *)(data + 1), &fixed, 0, NULL, "twelve bytes");
	bytes->header.length = (uint16_t)(end - bytes->bytes);
	return (struct tern_wire_entry *)(data + 1);
}

static void each_rule_of_an_entry_has_its_reason(void **state)
{
#define BREAK_ENTRY(member, value, expected)                                           \
	do {                                                                           \
		union frames_bytes bytes;                                              \
		entry_plain(&rng, &bytes)->member = (value);                           \
		enum tern_drop why = entry_judge(&bytes);                              \
		if (why != (expected))                                                 \
			fail_msg("%s = %s: %s", #member, #value, tern_drop_name(why)); \
	} while (0)
	struct tern_rng rng = {test_seed(4)};
	(void)state;
	BREAK_ENTRY(type, UINT16_MAX, TERN_DROP_NONE);
	BREAK_ENTRY(to_generation, 0, TERN_DROP_NONE);
	BREAK_ENTRY(to_slot, TERN_AGENTS_MAX - 1, TERN_DROP_NONE);
	BREAK_ENTRY(to_slot, TERN_AGENTS_MAX, TERN_DROP_ENTRY);
	BREAK_ENTRY(from_slot, UINT32_MAX, TERN_DROP_ENTRY);
	BREAK_ENTRY(flags, 8, TERN_DROP_RESERVED);
	BREAK_ENTRY(flags, 128, TERN_DROP_RESERVED);
	BREAK_ENTRY(flags, TERN_WIRE_ENTRY_RETURNED, TERN_DROP_NONE);
	BREAK_ENTRY(flags, TERN_WIRE_ENTRY_KEYED, TERN_DROP_ENTRY);
	BREAK_ENTRY(flags, TERN_WIRE_ENTRY_FRAGMENT, TERN_DROP_ENTRY);
	BREAK_ENTRY(length, UINT16_MAX, TERN_DROP_ENTRY);
	BREAK_ENTRY(length, 11, TERN_DROP_ENTRY);
	BREAK_ENTRY(kind, 12 | TERN_KIND_TRACED, TERN_DROP_ENTRY);
	BREAK_ENTRY(kind, 12 | TERN_KIND_RETURNED, TERN_DROP_ENTRY);
	BREAK_ENTRY(kind, TERN_KIND_TAG, TERN_DROP_ENTRY);
	BREAK_ENTRY(kind, TERN_KIND_ISO, TERN_DROP_NONE);
	BREAK_ENTRY(kind, TERN_KIND_VAL, TERN_DROP_NONE);
#undef BREAK_ENTRY
}

static void only_kinds_that_there_are_pass(void **state)
{
	struct tern_rng rng = {test_seed(5)};
	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		union frames_bytes bytes;
		struct tern_wire_entry *fixed = entry_plain(&rng, &bytes);
		bool is_right = kind == 12 || kind == TERN_KIND_ISO || kind == TERN_KIND_VAL;
		fixed->kind = kind & 0xFFu;
		assert_drop(entry_judge(&bytes), is_right ? TERN_DROP_NONE : TERN_DROP_ENTRY);
	}
}

static void padding_is_zero(void **state)
{
	struct tern_rng rng = {test_seed(6)};
	(void)state;
	for (uint16_t length = 1; length <= TERN_INLINE_MAX; length++) {
		for (uint16_t at = length; at % 4; at++) {
			union frames_bytes bytes;
			struct tern_wire_entry *fixed = entry_plain(&rng, &bytes);
			unsigned char *payload = (unsigned char *)(fixed + 1);
			memset(payload, 0, TERN_INLINE_MAX);
			fixed->kind = length & 0xFFu;
			fixed->length = length;
			bytes.header.length =
				(uint16_t)(payload + (length + 3) / 4 * 4 - bytes.bytes);
			assert_drop(entry_judge(&bytes), TERN_DROP_NONE);
			payload[at] = 1;
			assert_drop(entry_judge(&bytes), TERN_DROP_RESERVED);
		}
	}
}

static void a_key_is_not_zero(void **state)
{
	struct tern_rng rng = {test_seed(7)};
	union frames_bytes bytes;
	(void)state;
	struct tern_wire_entry *fixed = entry_plain(&rng, &bytes);
	fixed->flags = TERN_WIRE_ENTRY_KEYED; /* the first 8 of 12 bytes: the key */
	fixed->kind = 4;
	fixed->length = 4;
	assert_drop(entry_judge(&bytes), TERN_DROP_NONE);
	memset(fixed + 1, 0, sizeof(struct tern_wire_key));
	assert_drop(entry_judge(&bytes), TERN_DROP_ENTRY);
}

static void a_fragment_lies_within_its_block(void **state)
{
	static const struct {
		uint32_t kind, offset, size;
		uint16_t length, count;
		enum tern_drop why;
	} cases[] = {
		{TERN_KIND_ISO, 0, 100, 40, 1, TERN_DROP_NONE},
		{TERN_KIND_VAL, 60, 100, 40, 1, TERN_DROP_NONE},
		{TERN_KIND_VAL, 61, 100, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 100, 100, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, UINT32_MAX - 10, 100, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, 0, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, 39, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, 100, 0, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, TERN_BLOCK_SIZE_MAX, 40, 1, TERN_DROP_NONE},
		{TERN_KIND_ISO, 0, TERN_BLOCK_SIZE_MAX + 1, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, UINT32_MAX, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_TAG, 0, 100, 8, 1, TERN_DROP_FRAGMENT},
		{40, 0, 100, 40, 1, TERN_DROP_FRAGMENT},
		{TERN_KIND_ISO, 0, 100, 40, 2, TERN_DROP_FRAGMENT},
	};
	struct tern_rng rng = {test_seed(8)};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union frames_bytes bytes;
		unsigned char payload[40] = "a part of something";
		struct tern_wire_entry fixed = {.kind = cases[i].kind & 0xFFu,
						.length = cases[i].length};
		struct tern_wire_fragment fragment = {cases[i].offset, cases[i].size};
		struct tern_wire_data *data = frames_body(&bytes);
		frames_make(&rng, TERN_WIRE_DATA, &bytes);
		unsigned char *end = (unsigned char *)(data + 1);
		for (unsigned k = 0; k < cases[i].count; k++)
			end = tern_entry_put(end, &fixed, 0, &fragment, payload);
		data->count = cases[i].count;
		bytes.header.length = (uint16_t)(end - bytes.bytes);
		enum tern_drop why = entry_judge(&bytes);
		if (why != cases[i].why)
			fail_msg("case %u: %s", i, tern_drop_name(why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read_as_written),
		cmocka_unit_test(a_wrong_count_is_dropped),
		cmocka_unit_test(a_fragment_is_read_as_written),
		cmocka_unit_test(each_rule_of_an_entry_has_its_reason),
		cmocka_unit_test(only_kinds_that_there_are_pass),
		cmocka_unit_test(padding_is_zero),
		cmocka_unit_test(a_key_is_not_zero),
		cmocka_unit_test(a_fragment_lies_within_its_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
