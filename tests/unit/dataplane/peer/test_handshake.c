/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: nothing old, late or made up ends a session or makes one, and every restart ends in one.
 * Method: two links, and frames that the test kept or forged (pair.h).
 */
#include "tests/unit/dataplane/peer/pair.h"

#include <errno.h>

static struct pair pair;

/* The frames that the wire carried, for playing them again. */
enum { KEPT_MAX = 256 };
static struct {
	unsigned char bytes[256];
	uint16_t size;
	uint8_t kind, from_node;
} kept[KEPT_MAX];
static uint32_t kept_count;

static bool keep_frame(void *context, const struct tern_wire_header *header)
{
	(void)context;
	if (kept_count < KEPT_MAX && header->length <= sizeof(kept[0].bytes)) {
		memcpy(kept[kept_count].bytes, header, header->length);
		kept[kept_count].size = header->length;
		kept[kept_count].kind = header->kind;
		kept[kept_count].from_node = (uint8_t)header->from_node;
		kept_count++;
	}
	return false;
}

static void begin(void)
{
	kept_count = 0;
	pair_init(&pair, 2000);
	pair.loses = keep_frame;
	pair_open(&pair);
}

static uint64_t session_of(int which)
{
	return pair_stats(&pair, which).session;
}

static void play_again(void)
{
	for (uint32_t i = 0; i < kept_count; i++) {
		(void)pair_input(&pair, 2 - kept[i].from_node, kept[i].bytes, kept[i].size);
		pair_run(&pair, 50000);
	}
}

static void test_replays_end_nothing(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pair_send(&pair, 0, 1, 5), 0);
	pair_run(&pair, PAIR_MS);
	/* A second session, so that what was kept is of one that is over. */
	pair_crash(&pair, 0);
	pair_begin(&pair, 0);
	pair.loses = NULL;
	pair_open(&pair);
	uint64_t session = session_of(0);
	uint32_t closed = pair.end[1].closed;
	for (int i = 0; i < 3; i++)
		play_again();
	assert_int_equal(pair.end[0].closed, 1);
	assert_int_equal(pair.end[1].closed, closed);
	assert_int_equal(session_of(0), session);
	assert_int_equal(session_of(1), session);
	assert_int_equal(pair.end[1].got_count, 1);
	assert_int_equal(pair_send(&pair, 0, 1, 6), 0);
	pair_run(&pair, PAIR_MS);
	assert_int_equal(pair.end[1].got_count, 2);
	pair_fini(&pair);
}

static void test_replays_within_a_session_end_nothing(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pair_send(&pair, 0, 1, 5), 0);
	pair_run(&pair, PAIR_MS);
	pair.loses = NULL;
	play_again();
	play_again();
	assert_int_equal(pair.end[0].closed + pair.end[1].closed, 0);
	assert_int_equal(pair.end[0].opened + pair.end[1].opened, 2);
	assert_int_equal(pair.end[1].got_count, 1);
	pair_fini(&pair);
}

static void test_either_restarts(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		begin();
		pair.loses = NULL;
		for (int i = 0; i < 2; i++)
			if (which == i || which == 2)
				pair_crash(&pair, i);
		pair_run(&pair, 100000);
		for (int i = 0; i < 2; i++)
			if (!pair.end[i].link)
				pair_begin(&pair, i);
		pair_open(&pair);
		assert_int_equal(session_of(0), session_of(1));
		assert_int_equal(pair_send(&pair, 0, 1, 5), 0);
		assert_int_equal(pair_send(&pair, 1, 1, 6), 0);
		pair_run(&pair, PAIR_MS);
		assert_int_equal(pair.end[0].got_count + pair.end[1].got_count, 2);
		pair_fini(&pair);
	}
}

/* A restarted asker is answered although the other has not noticed that it was gone. */
static bool lose_byes(void *context, const struct tern_wire_header *header)
{
	(void)context;
	return header->kind == TERN_WIRE_BYE;
}

static void test_a_crash_is_noticed_by_what_comes_after(void **state)
{
	(void)state;
	for (int which = 0; which < 2; which++) {
		pair_init(&pair, 2000);
		pair.loses = lose_byes;
		pair_open(&pair);
		assert_int_equal(pair_send(&pair, 1 - which, 1, 5), 0);
		pair_crash(&pair, which);
		tern_outlet_drop(&pair.end[which].outlet);
		pair_begin(&pair, which);
		pair_open(&pair);
		assert_int_equal(pair.end[1 - which].why, TERN_LINK_RESET);
		assert_int_equal(pair.end[1 - which].closed, 1);
		assert_int_equal(pair.end[1 - which].back, 1);
		assert_int_equal(session_of(0), session_of(1));
		pair_fini(&pair);
	}
}

static bool lose_some(void *context, const struct tern_wire_header *header)
{
	uint32_t *left = context;
	if (header->kind != TERN_WIRE_HELLO && header->kind != TERN_WIRE_WELCOME &&
	    header->kind != TERN_WIRE_HEARTBEAT)
		return false;
	if (*left == 0)
		return false;
	*left -= 1;
	return true;
}

static void test_each_frame_of_the_handshake_may_be_lost(void **state)
{
	(void)state;
	for (uint32_t lost = 1; lost < 8; lost++) {
		uint32_t left = lost;
		pair_init(&pair, 2000);
		pair.loses = lose_some;
		pair.context = &left;
		pair_run(&pair, 200 * PAIR_MS);
		assert_int_equal(pair.end[0].opened, 1);
		assert_int_equal(pair.end[1].opened, 1);
		assert_int_equal(session_of(0), session_of(1));
		pair_fini(&pair);
	}
}

static void test_another_cluster_is_refused(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair_crash(&pair, 1);
	pair.end[1].config.cluster = 2;
	pair_begin(&pair, 1);
	pair_run(&pair, 20 * PAIR_MS);
	assert_int_equal(pair.end[0].opened + pair.end[1].opened, 0);
	assert_true(pair_stats(&pair, 1).drops[TERN_DROP_CLUSTER] > 0);
	pair_fini(&pair);
}

/* A frame of the session, from node 1 to node 2. */
static struct tern_wire_header forge(uint8_t kind)
{
	return (struct tern_wire_header){.version = TERN_WIRE_VERSION,
					 .kind = kind,
					 .length = sizeof(struct tern_wire_header),
					 .from_node = 1,
					 .to_node = 2,
					 .session = session_of(1),
					 .position = 1,
					 .ack = 1};
}

static void lie(const void *bytes, size_t size, enum tern_drop wanted)
{
	struct tern_link_stats before = pair_stats(&pair, 1), after;
	assert_int_equal(pair_input(&pair, 1, bytes, size), wanted);
	after = pair_stats(&pair, 1);
	assert_int_equal(after.drops[wanted], before.drops[wanted] + 1);
	after.drops[wanted]--;
	after.naks_received = before.naks_received;
	assert_memory_equal(&after, &before, sizeof(after));
}

static void test_lies_change_nothing(void **state)
{
	struct {
		struct tern_wire_header header;
		uint16_t count, reserved[3]; /* struct tern_wire_ranges */
		struct tern_wire_range range;
	} nak;
	struct {
		struct tern_wire_header header;
		struct tern_wire_data data;
		struct tern_wire_entry entry;
	} data;
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	pair_send(&pair, 1, 1, 5);
	pair_run(&pair, PAIR_MS);
	struct tern_wire_header header = forge(TERN_WIRE_ACK);
	header.ack = 3; /* 1 has left */
	lie(&header, sizeof(header), TERN_DROP_ACK_LIE);
	header = forge(TERN_WIRE_ACK);
	header.credit = PAIR_WINDOW + 1;
	lie(&header, sizeof(header), TERN_DROP_CREDIT_LIE);
	header = forge(TERN_WIRE_HEARTBEAT);
	header.position = PAIR_WINDOW + 2;
	lie(&header, sizeof(header), TERN_DROP_OUT_OF_WINDOW);
	header = forge(TERN_WIRE_ACK);
	header.from_lcore = 3;
	lie(&header, sizeof(header), TERN_DROP_LCORE);
	header = forge(TERN_WIRE_RESET);
	header.session ^= 1;
	lie(&header, sizeof(header), TERN_DROP_STALE);
	memset(&nak, 0, sizeof(nak));
	nak.header = forge(TERN_WIRE_NAK);
	nak.header.length = sizeof(nak);
	nak.count = 1;
	nak.range = (struct tern_wire_range){2, 3};
	lie(&nak, sizeof(nak), TERN_DROP_NAK_LIE);
	memset(&data, 0, sizeof(data));
	data.header = forge(TERN_WIRE_DATA);
	data.header.length = sizeof(data);
	data.header.position = PAIR_WINDOW + 1;
	data.data.count = 1;
	lie(&data, sizeof(data), TERN_DROP_OUT_OF_WINDOW);
	pair_run(&pair, PAIR_MS);
	assert_int_equal(pair.end[1].closed, 0);
	assert_int_equal(pair.end[1].got_count, 0);
	pair_fini(&pair);
}

static void test_what_is_gone_ends_the_session(void **state)
{
	struct {
		struct tern_wire_header header;
		uint16_t count, reserved[3]; /* struct tern_wire_ranges */
		struct tern_wire_range range;
	} gone = {.count = 1, .range = {1, 2}};
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	gone.header = forge(TERN_WIRE_GONE);
	gone.header.length = sizeof(gone);
	assert_int_equal(pair_input(&pair, 1, &gone, sizeof(gone)), TERN_DROP_NONE);
	assert_int_equal(pair.end[1].closed, 0); /* it misses nothing */
	gone.header.position = 2;
	assert_int_equal(pair_input(&pair, 1, &gone, sizeof(gone)), TERN_DROP_NONE);
	assert_int_equal(pair.end[1].why, TERN_LINK_BROKEN);
	pair_open(&pair);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replays_end_nothing),
		cmocka_unit_test(test_replays_within_a_session_end_nothing),
		cmocka_unit_test(test_either_restarts),
		cmocka_unit_test(test_a_crash_is_noticed_by_what_comes_after),
		cmocka_unit_test(test_each_frame_of_the_handshake_may_be_lost),
		cmocka_unit_test(test_another_cluster_is_refused),
		cmocka_unit_test(test_lies_change_nothing),
		cmocka_unit_test(test_what_is_gone_ends_the_session),
	};
	return cmocka_run_group_tests(tests, pair_start, NULL);
}
