/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every message is delivered at most once and in order, and every lost one is counted once.
 * Method: each rule by example, then a random network (loss, duplicates, reordering) against the
 * invariant delivered + missing + pending = sent.
 */
#include "format/moldudp64_stream.h"

#include "tests/unit/feed/feed_test.h"

static uint64_t seed;

static struct moldudp64_verdict give(struct moldudp64_stream *stream, enum moldudp64_kind kind,
				     char session, uint64_t sequence, uint16_t count)
{
	struct moldudp64_packet packet = {.kind = kind, .sequence = sequence, .count = count};
	memset(packet.session, session, sizeof(packet.session));
	return moldudp64_stream_accept(stream, &packet);
}

static struct moldudp64_verdict data(struct moldudp64_stream *stream, uint64_t sequence,
				     uint16_t count)
{
	return give(stream, MOLDUDP64_DATA, 'A', sequence, count);
}

static void gaps_duplicates_and_overlaps(void **state)
{
	(void)state;
	struct moldudp64_stream stream = {0};
	struct moldudp64_verdict verdict = data(&stream, 1, 3);
	assert_int_equal(verdict.take_count, 3);
	assert_false(verdict.joined_late);
	assert_int_equal(verdict.anomaly, FEED_OK);
	verdict = data(&stream, 1, 3);
	assert_int_equal(verdict.anomaly, FEED_PACKET_OBSOLETE);
	assert_int_equal(verdict.take_count, 0);
	verdict = data(&stream, 2, 5);
	assert_int_equal(verdict.anomaly, FEED_PACKET_OVERLAP);
	assert_int_equal(verdict.skip_count, 2);
	assert_int_equal(verdict.take_count, 3);
	verdict = data(&stream, 10, 1);
	assert_int_equal(verdict.missing_count, 3);
	assert_int_equal(verdict.take_count, 1);
	assert_int_equal(stream.expected, 11);
}

static void end_and_heartbeat_do_not_advance(void **state)
{
	(void)state;
	struct moldudp64_stream stream = {0};
	data(&stream, 1, 3);
	struct moldudp64_verdict verdict = give(&stream, MOLDUDP64_HEARTBEAT, 'A', 6, 0);
	assert_int_equal(verdict.anomaly, FEED_HEARTBEAT);
	assert_int_equal(stream.expected, 4);
	assert_int_equal(moldudp64_stream_pending(&stream), 2);
	verdict = give(&stream, MOLDUDP64_END, 'A', 8, 0);
	assert_int_equal(verdict.anomaly, FEED_SESSION_END);
	assert_true(stream.ended);
	assert_int_equal(stream.expected, 4);
	assert_int_equal(moldudp64_stream_pending(&stream), 4);
	verdict = data(&stream, 4, 4); /* retransmission still fills it */
	assert_int_equal(verdict.take_count, 4);
	assert_int_equal(verdict.missing_count, 0);
	assert_int_equal(moldudp64_stream_pending(&stream), 0);
}

static void late_join_is_told(void **state)
{
	(void)state;
	struct moldudp64_stream by_data = {0};
	struct moldudp64_stream by_heartbeat = {0};
	struct moldudp64_verdict verdict = data(&by_data, 1000, 1);
	assert_true(verdict.joined_late);
	assert_int_equal(verdict.missing_count, 0);
	verdict = give(&by_heartbeat, MOLDUDP64_HEARTBEAT, 'A', 50, 0);
	assert_true(verdict.joined_late);
	assert_int_equal(by_heartbeat.expected, 50);
}

static void session_change_starts_anew(void **state)
{
	(void)state;
	struct moldudp64_stream stream = {0};
	data(&stream, 1, 3);
	give(&stream, MOLDUDP64_END, 'A', 6, 0);
	struct moldudp64_verdict verdict = give(&stream, MOLDUDP64_DATA, 'B', 1, 2);
	assert_true(verdict.restarted);
	assert_false(verdict.joined_late);
	assert_int_equal(verdict.missing_count, 2);
	assert_int_equal(verdict.take_count, 2);
	assert_false(stream.ended);
	assert_int_equal(stream.expected, 3);
	verdict = data(&stream, 4, 1);
	assert_int_equal(verdict.anomaly, FEED_SESSION_STALE);
	assert_int_equal(verdict.take_count, 0);
	assert_int_equal(stream.expected, 3);
}

static void requests_and_zero_leave_the_stream_alone(void **state)
{
	(void)state;
	struct moldudp64_stream stream = {0};
	struct moldudp64_verdict verdict = give(&stream, MOLDUDP64_REQUEST, 'A', 1, 9);
	assert_int_equal(verdict.anomaly, FEED_REQUEST);
	assert_int_equal(verdict.take_count, 0);
	verdict = data(&stream, 0, 2);
	assert_int_equal(verdict.anomaly, FEED_SEQUENCE_ZERO);
	assert_int_equal(verdict.take_count, 2);
	assert_false(stream.joined);
}

/* Send 1..sent in packets; drop, double and delay some; count what arrives. */
static void run_network(struct generator_random *random)
{
	struct moldudp64_stream stream = {0};
	uint64_t delivered = data(&stream, 1, 1).take_count;
	uint64_t missing = 0;
	uint64_t last = 1;
	uint64_t next = 2;
	for (int round = 0; round < 200; round++) {
		uint64_t sequence = next;
		uint16_t count = (uint16_t)(1 + random_below(random, 9));
		uint32_t fate = random_below(random, 10);
		if (fate < 2 && next > 20)
			sequence = next - random_below(random, 20); /* old, or overlapping */
		else if (fate == 2)
			sequence = next += random_below(random, 20); /* lost ones before */
		struct moldudp64_verdict verdict = data(&stream, sequence, count);
		if (sequence + count > next)
			next = sequence + count;
		if (verdict.take_count)
			assert_true(sequence + verdict.skip_count > last);
		if (verdict.take_count)
			last = sequence + count - 1;
		delivered += verdict.take_count;
		missing += verdict.missing_count;
		if (fate == 9)
			give(&stream, MOLDUDP64_HEARTBEAT, 'A', next, 0);
		assert_int_equal(delivered + missing + moldudp64_stream_pending(&stream), next - 1);
	}
}

static void random_network(void **state)
{
	(void)state;
	struct generator_random random = {seed};
	for (int i = 0; i < 500; i++) {
		struct generator_random one = {random_next(&random)};
		run_network(&one);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_duplicates_and_overlaps),
		cmocka_unit_test(end_and_heartbeat_do_not_advance),
		cmocka_unit_test(late_join_is_told),
		cmocka_unit_test(session_change_starts_anew),
		cmocka_unit_test(requests_and_zero_leave_the_stream_alone),
		cmocka_unit_test(random_network),
	};
	seed = test_seed(argc, argv);
	return cmocka_run_group_tests_name("moldudp64_stream", tests, NULL, NULL);
}
