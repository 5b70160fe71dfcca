/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: docs/wire.md says what the code does. Method: its table of reasons is compared with
 * drop.h, its sizes and numbers with wire.h, and its example with a frame that is made here.
 */
#include "frames.h"

#include <ctype.h>

#include "dataplane/port/port.h"

static char *page_read(void)
{
	FILE *file = fopen(WIRE_PAGE, "r");
	if (!file)
		fail_msg("%s is not there", WIRE_PAGE);
	char *text = calloc(1, 1u << 17);
	assert_non_null(text);
	size_t size = fread(text, 1, (1u << 17) - 1, file);
	assert_true(size > 0 && size < (1u << 17) - 1);
	fclose(file);
	return text;
}

static void each_reason_has_its_row(void **state)
{
	char *page = page_read(), *at = strstr(page, "\n| `NONE` |");
	(void)state;
	assert_non_null(at);
	for (unsigned why = 0; why < TERN_DROPS; why++) {
		char row[256];
		int size = snprintf(row, sizeof(row), "\n| `%s` | %s |", tern_drop_name(why),
				    tern_drop_text(why));
		if (strncmp(at, row, (size_t)size) != 0)
			fail_msg("docs/wire.md needs, in this place:%s\nand has: %.80s", row, at);
		at = strchr(at + size, '\n');
		assert_non_null(at);
	}
	/* and no row follows that is no reason */
	assert_int_not_equal(strncmp(at, "\n|", 2), 0);
	free(page);
}

static void no_other_number_is_a_reason(void **state)
{
	(void)state;
	assert_string_equal(tern_drop_name(TERN_DROPS), "?");
	assert_string_equal(tern_drop_text((enum tern_drop) - 1), "?");
	assert_string_equal(tern_drop_name(TERN_DROP_CHECK), "CHECK");
}

static void each_kind_has_its_row(void **state)
{
	static const char *const names[] = {
		[TERN_WIRE_HELLO] = "HELLO", [TERN_WIRE_WELCOME] = "WELCOME",
		[TERN_WIRE_RESET] = "RESET", [TERN_WIRE_DATA] = "DATA",
		[TERN_WIRE_ACK] = "ACK",     [TERN_WIRE_HEARTBEAT] = "HEARTBEAT",
		[TERN_WIRE_NAK] = "NAK",     [TERN_WIRE_GONE] = "GONE",
		[TERN_WIRE_BYE] = "BYE",
	};
	char *page = page_read();
	(void)state;
	_Static_assert(sizeof(names) / sizeof(*names) == TERN_WIRE_KINDS, "a name for each kind");
	for (unsigned kind = 1; kind < TERN_WIRE_KINDS; kind++) {
		char row[64];
		snprintf(row, sizeof(row), "\n| %u | `%s` |", kind, names[kind]);
		if (!strstr(page, row))
			fail_msg("docs/wire.md needs a row%s", row);
	}
	free(page);
}

static void each_limit_is_as_it_says(void **state)
{
	static const struct {
		const char *name;
		unsigned value;
	} limits[] = {
		{"TERN_WIRE_VERSION", TERN_WIRE_VERSION},
		{"TERN_WIRE_UDP_PORT", TERN_WIRE_UDP_PORT},
		{"TERN_WIRE_NODES_MAX", TERN_WIRE_NODES_MAX},
		{"TERN_WIRE_CLASSES", TERN_WIRE_CLASSES},
		{"TERN_WIRE_CREDIT_MIN", TERN_WIRE_CREDIT_MIN},
		{"TERN_WIRE_CREDIT_MAX", TERN_WIRE_CREDIT_MAX},
		{"TERN_WIRE_RANGES_MAX", TERN_WIRE_RANGES_MAX},
		{"TERN_WIRE_FRAME_MIN", TERN_WIRE_FRAME_MIN},
		{"TERN_WIRE_FRAME_MAX", TERN_WIRE_FRAME_MAX},
		{"TERN_BLOCK_SIZE_MAX", TERN_BLOCK_SIZE_MAX},
		{"TERN_INLINE_MAX", TERN_INLINE_MAX},
		{"TERN_WRAP_MAX", TERN_WRAP_MAX},
	};
	char *page = page_read();
	(void)state;
	for (unsigned i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		char row[64];
		snprintf(row, sizeof(row), "\n| `%s` | %u |", limits[i].name, limits[i].value);
		if (!strstr(page, row))
			fail_msg("docs/wire.md needs a row%s", row);
	}
	free(page);
}

/* The frame of the example: one signal of five bytes, with a key, over IPv4. */
static struct rte_mbuf *example_make(struct rte_mempool *pool)
{
	const struct tern_endpoint from = frames_endpoint(TERN_CARRIER_IPV4, 0, 1);
	const struct tern_endpoint to = frames_endpoint(TERN_CARRIER_IPV4, 0, 2);
	const struct tern_wire_entry entry = {.to_slot = 17,
					      .to_generation = 1,
					      .kind = 5,
					      .from_slot = 33,
					      .from_generation = 2,
					      .type = 100,
					      .length = 5};
	union frames_bytes bytes = {.header = {.version = TERN_WIRE_VERSION,
					       .kind = TERN_WIRE_DATA,
					       .from_node = 1,
					       .to_node = 2,
					       .from_lcore = 0,
					       .to_lcore = 3,
					       .credit = 64,
					       .session = 0x1122334455667788,
					       .position = 5,
					       .ack = 9}};
	struct tern_wire_data *data = frames_body(&bytes);
	*data = (struct tern_wire_data){.flow_class = 3, .count = 1, .distance = 2};
	unsigned char *end = tern_entry_put((unsigned char *)(data + 1), &entry, 42, NULL, "hello");
	bytes.header.length = (uint16_t)(end - bytes.bytes);
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	assert_non_null(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, bytes.header.length), &bytes, bytes.header.length);
	tern_frame_seal(mbuf);
	struct tern_wrap wrap;
	tern_wrap_init(&wrap, &from, &to, 50000);
	tern_wrap_put(&wrap, mbuf, 0);
	return mbuf;
}

/* Lines of `offset  bytes in hex  what they are`. Returns how many bytes there are. */
static size_t example_read(const char *at, unsigned char *bytes, size_t room)
{
	size_t size = 0;
	while (*at && *at != '`') {
		const char *line_end = strchr(at, '\n');
		char *next;
		assert_int_equal(strtoul(at, &next, 10), size);
		for (at = next + 2; isxdigit(at[0]) && isxdigit(at[1]);
		     at += at[2] == ' ' ? 3 : 2) {
			const char digits[3] = {at[0], at[1], 0};
			assert_true(size < room);
			bytes[size++] = (unsigned char)strtoul(digits, NULL, 16);
		}
		at = line_end + 1;
	}
	return size;
}

static void the_example_is_a_frame(void **state)
{
	struct rte_mempool *pool = mbufs_pool("example", 7, FRAMES_ROOM, 0);
	struct rte_mbuf *mbuf = example_make(pool);
	const unsigned char *made = rte_pktmbuf_mtod(mbuf, unsigned char *);
	unsigned char read[FRAMES_ROOM];
	char *page = page_read(), *example = strstr(page, "```hex\n");
	(void)state;
	assert_non_null(example);
	size_t size = example_read(example + 7, read, sizeof(read));
	if (size != rte_pktmbuf_pkt_len(mbuf) || memcmp(read, made, size) != 0) {
		for (uint32_t i = 0; i < rte_pktmbuf_pkt_len(mbuf); i++)
			fprintf(stderr, "%02x ", made[i]);
		fail_msg("docs/wire.md needs the frame above as its example");
	}
	rte_pktmbuf_free(mbuf);
	rte_mempool_free(pool);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_row),
		cmocka_unit_test(no_other_number_is_a_reason),
		cmocka_unit_test(each_kind_has_its_row),
		cmocka_unit_test(each_limit_is_as_it_says),
		cmocka_unit_test(the_example_is_a_frame),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
