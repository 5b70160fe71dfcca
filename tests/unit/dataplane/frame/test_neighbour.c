/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: two ends find each other's MAC, keep it fresh, follow one that moves, and answer strangers.
 * Method: both ends are tables that the test hands frames to, over IPv4 and IPv6, with and without
 * a VLAN, at times that it chooses.
 */
#include "pairs.h"

#include <errno.h>

static void meets(struct pair *pair)
{
	assert_null(tern_neighbours_mac(&pair->a.table, pair->a.other));
	pair_meet(pair);
	assert_known(&pair->a, pair->b.end.mac);
	assert_known(&pair->b, pair->a.end.mac);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_KNOWN);
	/* b was asked, and has asked nothing: it sees whether what it was told is right */
	assert_int_equal(pair->b.peers[0].state, TERN_NEIGHBOUR_STALE);
	struct tern_neighbour_news news;
	assert_drop(pair_hand(pair, &pair->a, &pair->b, pair_ask(pair, &pair->b), &news),
		    TERN_DROP_NONE);
	assert_true(news.is_answered && !news.is_changed);
	assert_int_equal(pair->b.peers[0].state, TERN_NEIGHBOUR_KNOWN);
	assert_null(pair_ask(pair, &pair->a));
	assert_null(pair_ask(pair, &pair->b));
	assert_false(tern_neighbours_is_due(&pair->a.table, pair->now_ns));
}

static void two_ends_find_each_other(void **state)
{
	pairs_each(state, meets);
}

static void backs_off(struct pair *pair)
{
	uint64_t last_ns = pair->now_ns, wait_ns = TERN_NEIGHBOUR_RETRY_NS_MIN;
	rte_pktmbuf_free(pair_ask(pair, &pair->a));
	for (unsigned tries = 0; tries < 400; tries++) {
		pair->now_ns = last_ns + wait_ns - 1;
		assert_null(pair_ask(pair, &pair->a));
		assert_int_equal(pair->a.table.due_ns, last_ns + wait_ns);
		last_ns = ++pair->now_ns;
		struct rte_mbuf *frame = pair_ask(pair, &pair->a);
		assert_non_null(frame);
		assert_true(*rte_pktmbuf_mtod(frame, uint8_t *) & RTE_ETHER_GROUP_ADDR);
		rte_pktmbuf_free(frame);
		wait_ns = RTE_MIN(2 * wait_ns, (uint64_t)TERN_NEIGHBOUR_RETRY_NS_MAX);
	}
}

static void questions_become_seldom(void **state)
{
	pairs_each(state, backs_off);
}

static void refreshes(struct pair *pair)
{
	struct tern_neighbour_news news;
	pair_meet(pair);
	pair->now_ns += TERN_NEIGHBOUR_KNOWN_NS - 1;
	assert_null(pair_ask(pair, &pair->a));
	pair->now_ns++;
	struct rte_mbuf *frame = pair_ask(pair, &pair->a);
	assert_non_null(frame);
	/* it asks the MAC itself, and goes on using it */
	assert_memory_equal(rte_pktmbuf_mtod(frame, void *), pair->b.end.mac, 6);
	assert_known(&pair->a, pair->b.end.mac);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_STALE);
	assert_drop(pair_hand(pair, &pair->b, &pair->a, frame, &news), TERN_DROP_NONE);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_KNOWN);
	assert_int_equal(pair->a.peers[0].due_ns, pair->now_ns + TERN_NEIGHBOUR_KNOWN_NS);
}

static void what_is_known_is_asked_again(void **state)
{
	pairs_each(state, refreshes);
}

static void falls_silent(struct pair *pair)
{
	pair_meet(pair);
	pair->now_ns += TERN_NEIGHBOUR_KNOWN_NS;
	for (unsigned tries = 0; tries < TERN_NEIGHBOUR_PROBES; tries++) {
		struct rte_mbuf *frame = pair_ask(pair, &pair->a);
		assert_non_null(frame);
		assert_memory_equal(rte_pktmbuf_mtod(frame, void *), pair->b.end.mac, 6);
		rte_pktmbuf_free(frame);
		assert_known(&pair->a, pair->b.end.mac);
		pair->now_ns = pair->a.peers[0].due_ns;
	}
	struct rte_mbuf *frame = pair_ask(pair, &pair->a);
	assert_non_null(frame);
	assert_true(*rte_pktmbuf_mtod(frame, uint8_t *) & RTE_ETHER_GROUP_ADDR);
	rte_pktmbuf_free(frame);
	assert_null(tern_neighbours_mac(&pair->a.table, pair->a.other));
	assert_int_equal(pair->a.peers[0].due_ns, pair->now_ns + TERN_NEIGHBOUR_RETRY_NS_MIN);
}

static void a_silent_mac_is_given_up(void **state)
{
	pairs_each(state, falls_silent);
}

static void moves(struct pair *pair)
{
	struct tern_neighbour_news news;
	pair_meet(pair);
	/* b comes up again with another MAC */
	struct tern_endpoint moved = pair->b.end;
	moved.mac[5] = 0x77;
	side_open(&pair->b, &moved, &pair->a.end);
	struct rte_mbuf *frame = pair_mbuf(pair);
	assert_true(tern_neighbours_announce(&pair->b.table, frame));
	assert_drop(pair_hand(pair, &pair->a, NULL, frame, &news), TERN_DROP_NONE);
	assert_true(news.is_changed && !news.is_answered);
	assert_int_equal(news.index, pair->a.other);
	assert_known(&pair->a, moved.mac);
	/* and is asked whether that is right */
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_STALE);
	frame = pair_ask(pair, &pair->a);
	assert_non_null(frame);
	assert_memory_equal(rte_pktmbuf_mtod(frame, void *), moved.mac, 6);
	assert_drop(pair_hand(pair, &pair->b, &pair->a, frame, &news), TERN_DROP_NONE);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_KNOWN);
}

static void a_peer_that_moved_is_followed(void **state)
{
	pairs_each(state, moves);
}

/* An answer to a question that was not asked is not believed as one that was. */
static void is_not_asked(struct pair *pair)
{
	struct side forger, asker;
	struct tern_neighbour_news news;
	struct tern_endpoint moved = pair->b.end;
	moved.mac[5] = 0x77;
	pair_meet(pair);
	side_open(&forger, &moved, &pair->a.end);
	side_open(&asker, &pair->a.end, &pair->b.end);
	struct rte_mbuf *asked = pair_ask(pair, &asker), *answer = pair_mbuf(pair);
	assert_drop(tern_neighbours_read(&forger.table, asked, pair->now_ns, answer, &news),
		    TERN_DROP_NONE);
	assert_true(news.is_answered);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_KNOWN);
	assert_drop(tern_neighbours_read(&pair->a.table, answer, pair->now_ns, NULL, &news),
		    TERN_DROP_NONE);
	assert_int_equal(pair->a.peers[0].state, TERN_NEIGHBOUR_STALE);
	assert_true(tern_neighbours_is_due(&pair->a.table, pair->now_ns));
	rte_pktmbuf_free(asked);
	rte_pktmbuf_free(answer);
}

static void an_answer_unasked_is_looked_into(void **state)
{
	pairs_each(state, is_not_asked);
}

static void stays(struct pair *pair)
{
	const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
	struct tern_neighbour_news news;
	uint32_t index;
	tern_neighbours_init(&pair->a.table, &pair->a.end, pair->a.peers, PAIR_PEERS);
	assert_int_equal(tern_neighbours_add(&pair->a.table, pair->b.end.address, mac, &index), 0);
	assert_null(pair_ask(pair, &pair->a));
	assert_known(&pair->a, mac);
	struct rte_mbuf *frame = pair_mbuf(pair);
	assert_true(tern_neighbours_announce(&pair->b.table, frame));
	assert_drop(pair_hand(pair, &pair->a, NULL, frame, &news), TERN_DROP_NONE);
	assert_false(news.is_changed);
	assert_drop(pair_hand(pair, &pair->a, &pair->b, pair_ask(pair, &pair->b), &news),
		    TERN_DROP_NONE);
	assert_true(news.is_answered && !news.is_changed);
	assert_known(&pair->a, mac);
	pair->now_ns += 1000 * PAIR_SECOND;
	assert_null(pair_ask(pair, &pair->a));
}

static void a_static_mac_stays(void **state)
{
	pairs_each(state, stays);
}

static void adds(struct pair *pair)
{
	const uint8_t group_mac[6] = {1}, no_mac[6] = {0};
	uint8_t address[16], none[16] = {0}, group[16] = {0xFF, 2, [15] = 1};
	uint32_t index = 77;
	memcpy(address, pair->b.end.address, sizeof(address));
	assert_int_equal(tern_neighbours_add(&pair->a.table, address, NULL, &index), -EEXIST);
	assert_int_equal(index, pair->a.other);
	index = 77;
	address[3] = address[15] = 9;
	assert_int_equal(tern_neighbours_add(&pair->a.table, address, group_mac, &index), -EINVAL);
	assert_int_equal(tern_neighbours_add(&pair->a.table, address, no_mac, &index), -EINVAL);
	assert_int_equal(tern_neighbours_add(&pair->a.table, none, NULL, &index), -EINVAL);
	assert_int_equal(tern_neighbours_add(&pair->a.table, group, NULL, &index), -EINVAL);
	assert_int_equal(tern_neighbours_add(&pair->a.table, pair->a.end.address, NULL, &index),
			 -EINVAL);
	assert_int_equal(index, 77);
	for (uint8_t i = 1; i < PAIR_PEERS; i++) {
		address[3] = address[15] = (uint8_t)(100 + i);
		assert_int_equal(tern_neighbours_add(&pair->a.table, address, NULL, &index), 0);
		assert_int_equal(index, i);
	}
	address[3] = address[15] = 200;
	assert_int_equal(tern_neighbours_add(&pair->a.table, address, NULL, &index), -ENOSPC);
	for (unsigned i = 0; i < PAIR_PEERS; i++)
		rte_pktmbuf_free(pair_ask(pair, &pair->a));
	assert_null(pair_ask(pair, &pair->a));
}

static void a_table_is_bounded_and_takes_stations_only(void **state)
{
	pairs_each(state, adds);
}

static void strangers(struct pair *pair)
{
	struct side c;
	struct tern_neighbour_news news;
	struct tern_endpoint end = frames_endpoint(pair->a.end.carrier, pair->a.end.vlan, 3);
	struct tern_neighbours before;
	/* a stranger is answered, and not learnt of */
	side_open(&c, &end, &pair->a.end);
	before = pair->a.table;
	assert_drop(pair_hand(pair, &pair->a, &c, pair_ask(pair, &c), &news), TERN_DROP_NONE);
	assert_true(news.is_answered && !news.is_changed);
	assert_known(&c, pair->a.end.mac);
	assert_memory_equal(&before, &pair->a.table, sizeof(before));
	/* what strangers tell of themselves is of no use */
	struct rte_mbuf *frame = pair_mbuf(pair);
	assert_true(tern_neighbours_announce(&c.table, frame));
	assert_drop(pair_hand(pair, &pair->a, NULL, frame, &news), TERN_DROP_STRANGER);
	/* one who has the own address is a conflict */
	end = pair->a.end;
	end.mac[5] = 99;
	side_open(&c, &end, &pair->b.end);
	frame = pair_mbuf(pair);
	assert_true(tern_neighbours_announce(&c.table, frame));
	assert_drop(pair_hand(pair, &pair->a, NULL, frame, &news), TERN_DROP_CONFLICT);
	assert_memory_equal(&before, &pair->a.table, sizeof(before));
}

static void strangers_are_answered_only(void **state)
{
	pairs_each(state, strangers);
}

static void no_room(struct pair *pair)
{
	struct rte_mbuf *full = pair_mbuf(pair);
	uint16_t size = rte_pktmbuf_tailroom(full);
	assert_non_null(rte_pktmbuf_append(full, size));
	assert_false(tern_neighbours_ask(&pair->a.table, pair->now_ns, full));
	assert_false(tern_neighbours_announce(&pair->a.table, full));
	assert_int_equal(rte_pktmbuf_pkt_len(full), size);
	/* nothing was asked, so it still is due */
	struct rte_mbuf *frame = NULL;
	for (unsigned i = 0; i < 2 && !frame; i++)
		frame = pair_ask(pair, &pair->a);
	assert_non_null(frame);
	struct tern_neighbour_news news;
	assert_drop(tern_neighbours_read(&pair->b.table, frame, pair->now_ns, full, &news),
		    TERN_DROP_NONE);
	assert_true(news.is_changed && !news.is_answered);
	assert_drop(tern_neighbours_read(&pair->b.table, frame, pair->now_ns, NULL, &news),
		    TERN_DROP_NONE);
	assert_true(!news.is_changed && !news.is_answered);
	rte_pktmbuf_free(frame);
	rte_pktmbuf_free(full);
}

static void without_room_nothing_is_lost(void **state)
{
	pairs_each(state, no_room);
}

static void truncates(struct pair *pair)
{
	struct rte_mbuf *frame = pair_ask(pair, &pair->a);
	while (rte_pktmbuf_data_len(frame)) {
		rte_pktmbuf_trim(frame, 1);
		assert_drop(pair_judge(pair, &pair->b, frame), TERN_DROP_SHORT);
	}
	rte_pktmbuf_free(frame);
}

static void each_truncation_is_short(void **state)
{
	pairs_each(state, truncates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_ends_find_each_other),
		cmocka_unit_test(questions_become_seldom),
		cmocka_unit_test(what_is_known_is_asked_again),
		cmocka_unit_test(a_silent_mac_is_given_up),
		cmocka_unit_test(a_peer_that_moved_is_followed),
		cmocka_unit_test(an_answer_unasked_is_looked_into),
		cmocka_unit_test(a_static_mac_stays),
		cmocka_unit_test(a_table_is_bounded_and_takes_stations_only),
		cmocka_unit_test(strangers_are_answered_only),
		cmocka_unit_test(without_room_nothing_is_lost),
		cmocka_unit_test(each_truncation_is_short),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, pair_pool_open, pair_pool_close);
}
