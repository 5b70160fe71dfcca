/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a link promises of losses, times and memory, to the number. Method: two links and a
 * wire from which the test takes frames out (pair.h). What holds whatever happens is in tests/sim.
 */
#include "tests/unit/dataplane/peer/pair.h"

#include <errno.h>

static struct pair pair;

/* Lose DATA frames of some positions, each the first time that it leaves. */
struct losses {
	bool of[PAIR_WINDOW + 1];
	uint32_t lost;
};

static bool lose_once(void *context, const struct tern_wire_header *header)
{
	struct losses *losses = context;
	if (header->kind != TERN_WIRE_DATA || !losses->of[header->position])
		return false;
	losses->of[header->position] = false;
	losses->lost++;
	return true;
}

/* One frame for each signal. */
static void send_each(uint32_t slot, uint32_t from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(pair_send(&pair, 0, slot, from + i), 0);
		pair_flush(&pair, 0);
	}
}

static void test_signals_arrive_and_are_settled(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	send_each(7, 0, 100);
	pair_run(&pair, 100000);
	assert_int_equal(pair.end[1].got_count, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(pair.end[1].got[i], i);
	assert_int_equal(pair.end[0].settled, 100);
	assert_int_equal(pair_stats(&pair, 0).under_way, 0);
	pair_fini(&pair);
}

static void test_a_hundred_gaps_cost_a_hundred_of_all(void **state)
{
	struct losses losses = {.lost = 0};
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	pair.loses = lose_once;
	pair.context = &losses;
	for (uint32_t i = 0; i < 100; i++)
		losses.of[2 + 2 * i] = true;
	send_each(7, 0, 250);
	pair_run(&pair, PAIR_MS);
	assert_int_equal(losses.lost, 100);
	assert_int_equal(pair.end[1].got_count, 250);
	for (uint32_t i = 0; i < 250; i++)
		assert_int_equal(pair.end[1].got[i], i);
	assert_true(pair_stats(&pair, 1).ranges_sent <= 200);
	assert_true(pair_stats(&pair, 0).retransmitted <= 200);
	assert_int_equal(pair_stats(&pair, 1).duplicates, 0);
	pair_fini(&pair);
}

/* A slot whose class is another one than that of `slot`: found by what a loss holds up. */
static void test_one_lost_frame_holds_up_its_class_alone(void **state)
{
	struct losses losses = {.lost = 0};
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	pair.loses = lose_once;
	pair.context = &losses;
	losses.of[1] = true;
	uint64_t sent_ns = pair.now_ns;
	for (uint32_t slot = 1; slot <= 40; slot++)
		send_each(slot, slot, 1);
	pair_run(&pair, PAIR_MS);
	assert_int_equal(pair.end[1].got_count, 40);
	uint32_t at_once = 0, first = 0;
	for (uint32_t i = 0; i < 40; i++) {
		at_once += pair.end[1].got_ns[i] <= sent_ns + 2000;
		first = pair.end[1].got[i] == 1 ? i : first;
	}
	/* 39 others in 16 classes: some share the class of the lost one, most do not. */
	assert_in_range(at_once, 30, 39);
	assert_true(first >= at_once);
	assert_true(pair.end[1].got_ns[first] <= sent_ns + 3 * 2000 + 1000);
	pair_fini(&pair);
}

static void test_a_lost_tail_is_found_soon(void **state)
{
	static const uint64_t latencies[] = {500, 2000, 10000, 50000, 400000};
	(void)state;
	for (size_t i = 0; i < RTE_DIM(latencies); i++) {
		struct losses losses = {.lost = 0};
		uint64_t rtt_ns = 2 * latencies[i];
		pair_init(&pair, latencies[i]);
		pair.end[0].config.heartbeat_ns = 10 * PAIR_MS;
		pair_open(&pair);
		for (uint32_t n = 0; n < 60; n++) { /* a round trip known, acknowledged at once */
			send_each(7, n, 1);
			pair_run(&pair, 4 * rtt_ns + 40000);
		}
		pair.loses = lose_once;
		pair.context = &losses;
		losses.of[61] = true;
		uint64_t naks = pair_stats(&pair, 1).naks_sent, sent_ns = pair.now_ns;
		send_each(7, 60, 1);
		while (pair_stats(&pair, 1).naks_sent == naks)
			pair_run(&pair, 500);
		/* An acknowledgement may have waited for 10 us: so much longer the link thinks. */
		assert_true(pair.now_ns - sent_ns <= 2 * rtt_ns + 20000 + 15000 + 500);
		pair_run(&pair, 2 * rtt_ns);
		assert_int_equal(pair.end[1].got_count, 61);
		if (latencies[i] <= 2000)
			assert_true(pair.end[1].got_ns[60] - sent_ns <= 60000);
		pair_fini(&pair);
	}
}

/* Lose frames of all kinds at random, three of ten, whichever time it is that they leave. */
static bool lose_often(void *context, const struct tern_wire_header *header)
{
	(void)header;
	return tern_rng_next(context) % 10 < 3;
}

/* What waits behind a hole was sent once, and is acknowledged when the hole is filled: no sample.
 */
static void test_losses_do_not_count_as_distance(void **state)
{
	struct tern_rng rng = test_rng(7);
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	pair.loses = lose_often;
	pair.context = &rng;
	for (uint32_t n = 0; n < 4000; n += 20) {
		send_each(7, n, 20);
		pair_run(&pair, PAIR_MS);
	}
	pair.loses = NULL;
	pair_run(&pair, PAIR_MS);
	assert_int_equal(pair.end[1].got_count, 4000);
	/* 4 us are the way there and back; an acknowledgement waits for 10, and may get lost. */
	assert_true(pair_stats(&pair, 0).srtt_ns < 60000);
	pair_fini(&pair);
}

static void test_an_idle_link_beats(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	uint64_t before[TERN_WIRE_KINDS];
	memcpy(before, pair.end[0].frames, sizeof(before));
	pair_run(&pair, 100 * PAIR_MS);
	uint64_t beats = pair.end[0].frames[TERN_WIRE_HEARTBEAT] - before[TERN_WIRE_HEARTBEAT] +
			 pair.end[0].frames[TERN_WIRE_ACK] - before[TERN_WIRE_ACK];
	assert_in_range(beats, 90, 210);
	for (int kind = 0; kind < TERN_WIRE_KINDS; kind++)
		if (kind != TERN_WIRE_HEARTBEAT && kind != TERN_WIRE_ACK)
			assert_int_equal(pair.end[0].frames[kind], before[kind]);
	assert_int_equal(pair.end[0].closed, 0);
	pair_fini(&pair);
}

static bool lose_all(void *context, const struct tern_wire_header *header)
{
	(void)context;
	(void)header;
	return true;
}

static void test_silence_ends_a_session_and_says_what_is_known(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	send_each(7, 0, 10);
	pair_run(&pair, PAIR_MS);
	pair.loses = lose_all;
	send_each(7, 10, 5);
	assert_int_equal(pair_send(&pair, 0, 7, 15), 0);
	pair_run(&pair, 25 * PAIR_MS);
	assert_int_equal(pair.end[0].closed, 1);
	assert_int_equal(pair.end[0].why, TERN_LINK_SILENT);
	assert_int_equal(pair.end[1].closed, 1);
	assert_int_equal(pair.end[0].settled, 10);
	assert_int_equal(pair.end[0].back, 6);
	assert_int_equal(pair_send(&pair, 0, 7, 0), -ENOTCONN);
	pair.loses = NULL;
	pair_run(&pair, 40 * PAIR_MS);
	assert_int_equal(pair.end[0].opened, 2);
	assert_int_equal(pair.end[0].relieved, 1);
	assert_int_equal(pair.end[1].got_count, 10);
	pair_fini(&pair);
}

static void test_what_never_left_is_said_so(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair.end[1].config.credit_max = 4;
	pair_crash(&pair, 1);
	pair_begin(&pair, 1);
	pair_open(&pair);
	pair.end[1].refuse = 1;
	int code = 0;
	uint32_t taken = 0;
	for (; code == 0; taken += code == 0) {
		code = pair_send(&pair, 0, 7, taken);
		pair_flush(&pair, 0);
	}
	assert_int_equal(code, -EAGAIN);
	assert_int_equal(taken, 4);
	assert_int_equal(pair.end[0].relieved, 0);
	pair_crash(&pair, 0);
	assert_int_equal(pair.end[0].back, 4);
	assert_int_equal(pair.end[0].not_sent, 0);
	pair_begin(&pair, 0);
	pair.end[1].refuse = 0;
	pair_open(&pair);
	assert_int_equal(pair_send(&pair, 0, 7, 9), 0);
	pair_crash(&pair, 0);
	assert_int_equal(pair.end[0].not_sent, 1);
	pair_fini(&pair);
}

static void test_blocks_of_all_sizes(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	pair_open(&pair);
	uint32_t sent = 0;
	for (uint32_t size = 4; size <= TERN_BLOCK_SIZE_MAX; size += 2176, sent++) {
		struct tern_signal signal = {.kind = TERN_KIND_ISO, .to_slot = 1};
		while (!(signal.payload.iso = tern_iso_create(&pair.heaps.heap[0], size)))
			pair_run(&pair, 10000);
		memcpy(tern_iso_data(signal.payload.iso), &sent, sizeof(sent));
		while (tern_link_send(pair.end[0].link, &signal, 0) != 0)
			pair_run(&pair, 10000);
	}
	pair_run(&pair, PAIR_MS);
	assert_int_equal(pair.end[1].got_count, sent);
	assert_int_equal(pair.end[0].settled, sent);
	assert_int_equal(pair.heaps.heap[0].in_use, 0);
	pair_fini(&pair);
}

static void test_memory_is_stated(void **state)
{
	(void)state;
	pair_init(&pair, 2000);
	assert_in_range(tern_link_bytes(&pair.end[0].config), 30000, 50000);
	pair.end[0].config.credit_max = 64;
	pair.end[0].config.window_max = 64;
	assert_in_range(tern_link_bytes(&pair.end[0].config), 4000, 12000);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_arrive_and_are_settled),
		cmocka_unit_test(test_a_hundred_gaps_cost_a_hundred_of_all),
		cmocka_unit_test(test_one_lost_frame_holds_up_its_class_alone),
		cmocka_unit_test(test_a_lost_tail_is_found_soon),
		cmocka_unit_test(test_losses_do_not_count_as_distance),
		cmocka_unit_test(test_an_idle_link_beats),
		cmocka_unit_test(test_silence_ends_a_session_and_says_what_is_known),
		cmocka_unit_test(test_what_never_left_is_said_so),
		cmocka_unit_test(test_blocks_of_all_sizes),
		cmocka_unit_test(test_memory_is_stated),
	};
	return cmocka_run_group_tests(tests, pair_start, NULL);
}
