/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a frame of Tern's is known for what it is under every wrap and however it is cut into
 * segments; every other one is not taken for one, and none is read past its end.
 * Method: frames made by hand, cut at every byte, truncated to every length, and random bytes.
 */
#include "tests/unit/support.h"

#include "dataplane/fault/label.h"
#include "made_frames.h"

static struct rte_mempool *pool;

/* The bytes in two segments, cut at `cut`; in one where that is 0. */
static struct rte_mbuf *frame_of(const unsigned char *bytes, size_t size, size_t cut)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(pool), *second;
	assert_non_null(first);
	if (cut) {
		memcpy(rte_pktmbuf_append(first, (uint16_t)cut), bytes, cut);
		second = rte_pktmbuf_alloc(pool);
		assert_non_null(second);
		memcpy(rte_pktmbuf_append(second, (uint16_t)(size - cut)), bytes + cut, size - cut);
		assert_int_equal(rte_pktmbuf_chain(first, second), 0);
	} else if (size) {
		memcpy(rte_pktmbuf_append(first, (uint16_t)size), bytes, size);
	}
	return first;
}

static struct tern_label label_of(const unsigned char *bytes, size_t size, size_t cut)
{
	struct rte_mbuf *frame = frame_of(bytes, size, cut);
	struct tern_label label = tern_label_of(frame);
	rte_pktmbuf_free(frame);
	return label;
}

static void check_cuts(const unsigned char *bytes, size_t size, uint8_t kind)
{
	for (size_t cut = 0; cut < size; cut++) {
		struct tern_label label = label_of(bytes, size, cut);
		assert_int_equal(label.kind, kind);
		assert_int_equal(label.flow_class, kind == TERN_WIRE_DATA ? 5 : 0);
		assert_int_equal(label.from_node, 11);
		assert_int_equal(label.to_node, 22);
	}
}

static void every_kind_is_known_under_every_wrap_and_cut(void **state)
{
	unsigned char bytes[256];
	(void)state;
	for (enum made_wrap wrap = 0; wrap < MADE_WRAPS; wrap++)
		for (uint8_t kind = 1; kind < TERN_WIRE_KINDS; kind++)
			for (int vlan = 0; vlan < 2; vlan++) {
				size_t size = made_bytes(bytes, wrap, vlan, kind, 5, 1);
				check_cuts(bytes, size, kind);
			}
}

static void two_tags_and_ip_options_are_passed_over(void **state)
{
	unsigned char plain[256], bytes[300];
	size_t size = made_bytes(plain, MADE_IPV4, true, TERN_WIRE_NAK, 0, 1);
	(void)state;
	/* the tag once more, then 8 bytes of options behind the IP header */
	memcpy(bytes, plain, 16);
	memcpy(bytes + 16, plain + 12, 2 + 2 + 2 + 20);
	bytes[22] = 0x47;
	memset(bytes + 42, 1, 8);
	memcpy(bytes + 50, plain + 38, size - 38);
	assert_int_equal(label_of(bytes, size + 12, 0).kind, TERN_WIRE_NAK);
}

static void what_ends_before_a_header_does_is_other(void **state)
{
	unsigned char bytes[256];
	(void)state;
	for (enum made_wrap wrap = 0; wrap < MADE_WRAPS; wrap++) {
		size_t size = made_bytes(bytes, wrap, true, TERN_WIRE_DATA, 5, 1) - 8;
		for (size_t cut = 0; cut < size - sizeof(struct tern_wire_data); cut++)
			assert_int_equal(label_of(bytes, cut, 0).kind, TERN_LABEL_OTHER);
		assert_int_equal(label_of(bytes, size, 0).kind, TERN_WIRE_DATA);
	}
}

static void foreign_frames_are_other(void **state)
{
	unsigned char bytes[256];
	size_t size = made_bytes(bytes, MADE_ETHERNET, false, TERN_WIRE_ACK, 0, 1);
	(void)state;
	bytes[14] = TERN_WIRE_VERSION + 1;
	assert_int_equal(label_of(bytes, size, 0).kind, TERN_LABEL_OTHER);
	bytes[14] = TERN_WIRE_VERSION;
	bytes[15] = TERN_WIRE_KINDS;
	assert_int_equal(label_of(bytes, size, 0).kind, TERN_LABEL_OTHER);
	bytes[15] = 0;
	assert_int_equal(label_of(bytes, size, 0).kind, TERN_LABEL_OTHER);
	bytes[15] = TERN_WIRE_ACK;
	memcpy(bytes + 12, (unsigned char[]){0x08, 0x06}, 2); /* ARP */
	assert_int_equal(label_of(bytes, size, 0).kind, TERN_LABEL_OTHER);
	size = made_bytes(bytes, MADE_IPV4, false, TERN_WIRE_ACK, 0, 1);
	bytes[14 + 9] = 6; /* TCP */
	assert_int_equal(label_of(bytes, size, 0).kind, TERN_LABEL_OTHER);
}

/* Random bytes behind a right beginning: nothing to find but that no byte past the end is read,
 * and that a label is in its range. */
static void random_bytes_do_no_harm(void **state)
{
	struct tern_rng rng = {.state = test_seed(7)};
	unsigned char bytes[256];
	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t size = made_bytes(bytes, pick(&rng, MADE_WRAPS), pick(&rng, 2),
					 TERN_WIRE_DATA, 5, 1);
		for (int n = 0; n < 4; n++)
			bytes[pick(&rng, (uint32_t)size)] = (unsigned char)pick(&rng, 256);
		size = pick(&rng, (uint32_t)size) + 1;
		assert_in_range(label_of(bytes, size, pick(&rng, (uint32_t)size)).kind, 1,
				TERN_LABEL_OTHER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_known_under_every_wrap_and_cut),
		cmocka_unit_test(two_tags_and_ip_options_are_passed_over),
		cmocka_unit_test(what_ends_before_a_header_does_is_other),
		cmocka_unit_test(foreign_frames_are_other),
		cmocka_unit_test(random_bytes_do_no_harm),
	};
	mbufs_start();
	pool = mbufs_pool("label", 64, 512, 0);
	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
