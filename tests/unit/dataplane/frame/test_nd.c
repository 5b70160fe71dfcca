/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of neighbour discovery only what keeps its rules is believed. Method: right questions and
 * answers with one thing wrong, under a checksum that is right; and with every bit flipped.
 */
#include "pairs.h"

#include <rte_ip.h>

/* All but Ethernet's source, a tag's priority, class and flow is covered or looked at. */
static void flips(struct pair *pair)
{
	uint32_t ip = pair->a.end.vlan ? 18 : 14;
	struct rte_mbuf *frame = pair_ask(pair, &pair->a);
	unsigned char *at = rte_pktmbuf_mtod(frame, unsigned char *);
	for (uint32_t bit = 0; bit < rte_pktmbuf_data_len(frame) * 8u; bit++) {
		struct side b = pair->b;
		uint32_t byte = bit / 8;
		bool is_ethernet = byte < 12 || (pair->a.end.vlan && byte == 14);
		bool is_flow = byte >= ip && byte < ip + 4;
		at[byte] ^= (unsigned char)(1u << bit % 8);
		b.table.peers = b.peers;
		if (pair_judge(pair, &b, frame) == TERN_DROP_NONE && !is_ethernet && !is_flow)
			fail_msg("bit %u of byte %u is not seen", bit % 8, byte);
		at[byte] ^= (unsigned char)(1u << bit % 8);
	}
	rte_pktmbuf_free(frame);
}

static void each_flipped_bit_of_a_discovery_is_dropped(void **state)
{
	for (uint16_t vlan = 0; vlan < 2; vlan++) {
		struct pair pair;
		pair_open(&pair, *state, TERN_CARRIER_IPV6, vlan);
		flips(&pair);
	}
}

/* Set bytes of a discovery and make its checksum right. */
static void discovery_set(struct rte_mbuf *frame, uint32_t at, const void *bytes, size_t size)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv6_hdr *, 14);
	memcpy(rte_pktmbuf_mtod_offset(frame, void *, at), bytes, size);
	uint16_t *checksum = rte_pktmbuf_mtod_offset(frame, uint16_t *, 56);
	*checksum = 0;
	uint32_t sum = (uint32_t)rte_raw_cksum(ip + 1, rte_be_to_cpu_16(ip->payload_len)) +
		       rte_ipv6_phdr_cksum(ip, 0);
	*checksum = (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
}

static void discovery_has_rules(void **state)
{
	static const struct {
		const char *what;
		uint32_t at;
		uint16_t value;
		enum tern_drop why;
	} cases[] = {
		{"as it is", 0, 0x3333, TERN_DROP_NONE},
		{"to another MAC", 0, 0x0200, TERN_DROP_NOT_OURS},
		{"through a router", 20, 0x3AFE, TERN_DROP_IP_HEADER},
		{"no ICMPv6", 20, 0x11FF, TERN_DROP_PROTOCOL},
		{"IPv4", 14, 0x4000, TERN_DROP_IP_HEADER},
		{"longer than it is", 18, 33, TERN_DROP_SHORT},
		{"an option cut", 18, 31, TERN_DROP_RESOLUTION},
		{"no option", 18, 24, TERN_DROP_NONE},
		{"shorter than a question", 18, 23, TERN_DROP_LENGTH},
		{"from a group", 22, 0xFF02, TERN_DROP_SOURCE},
		{"to another", 52, 0x9999, TERN_DROP_NOT_OURS},
		{"another type", 54, 0x8500, TERN_DROP_RESOLUTION},
		{"a code", 54, 0x8701, TERN_DROP_RESOLUTION},
		{"for a group", 62, 0xFF02, TERN_DROP_RESOLUTION},
		{"an option of no length", 78, 0x0100, TERN_DROP_RESOLUTION},
		{"another option of no length", 78, 0x0E00, TERN_DROP_RESOLUTION},
		{"an option too long", 78, 0x0102, TERN_DROP_RESOLUTION},
		{"another option", 78, 0x0E01, TERN_DROP_NONE},
		{"a group's MAC", 80, 0x0300, TERN_DROP_RESOLUTION},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pair pair;
		pair_open(&pair, *state, TERN_CARRIER_IPV6, 0);
		struct rte_mbuf *frame = pair_ask(&pair, &pair.a);
		rte_be16_t value = rte_cpu_to_be_16(cases[i].value);
		assert_non_null(rte_pktmbuf_append(frame, cases[i].value == 33 ? 0 : 4));
		discovery_set(frame, cases[i].at, &value, sizeof(value));
		enum tern_drop why = pair_judge(&pair, &pair.b, frame);
		if (why != cases[i].why)
			fail_msg("%s: %s", cases[i].what, tern_drop_name(why));
		rte_pktmbuf_free(frame);
	}
}

static void who_takes_an_ipv6_address_is_told_that_it_is_taken(void **state)
{
	const uint8_t none[16] = {0}, no_mac[6] = {0};
	struct tern_neighbour_news news;
	struct pair pair;
	pair_open(&pair, *state, TERN_CARRIER_IPV6, 0);
	/* from no address, with a MAC: against the rules */
	struct rte_mbuf *frame = pair_ask(&pair, &pair.a);
	discovery_set(frame, 22, none, sizeof(none));
	assert_drop(pair_judge(&pair, &pair.b, frame), TERN_DROP_RESOLUTION);
	/* another option in its place: a question of one who has no address yet */
	discovery_set(frame, 78, "\x0E\x01", 2);
	discovery_set(frame, 80, no_mac, sizeof(no_mac));
	struct rte_mbuf *answer = pair_mbuf(&pair);
	assert_drop(tern_neighbours_read(&pair.b.table, frame, 0, answer, &news), TERN_DROP_NONE);
	assert_true(news.is_answered && !news.is_changed);
	/* all are told */
	assert_memory_equal(rte_pktmbuf_mtod(answer, void *), "\x33\x33\0\0\0\1", 6);
	assert_drop(tern_neighbours_read(&pair.a.table, answer, 0, NULL, &news), TERN_DROP_NONE);
	assert_true(news.is_changed);
	assert_known(&pair.a, pair.b.end.mac);
	rte_pktmbuf_free(answer);
	rte_pktmbuf_free(frame);
}

/* To a group nobody answers what he was asked. */
static void a_group_gets_no_answer_that_it_asked_for(void **state)
{
	const uint8_t solicited = 0x60, override = 0x20;
	struct pair pair;
	pair_open(&pair, *state, TERN_CARRIER_IPV6, 0);
	struct rte_mbuf *frame = pair_mbuf(&pair);
	assert_true(tern_neighbours_announce(&pair.b.table, frame));
	discovery_set(frame, 58, &solicited, 1);
	assert_drop(pair_judge(&pair, &pair.a, frame), TERN_DROP_RESOLUTION);
	discovery_set(frame, 58, &override, 1);
	assert_drop(pair_judge(&pair, &pair.a, frame), TERN_DROP_NONE);
	rte_pktmbuf_free(frame);
}

/* An answer that does not replace: it makes the table look again. */
static void an_answer_without_override_makes_it_ask(void **state)
{
	const uint8_t other[6] = {2, 9, 9, 9, 9, 9}, flags = 0;
	struct tern_neighbour_news news;
	struct pair pair;
	pair_open(&pair, *state, TERN_CARRIER_IPV6, 0);
	pair_meet(&pair);
	struct rte_mbuf *frame = pair_mbuf(&pair);
	assert_true(tern_neighbours_announce(&pair.b.table, frame));
	discovery_set(frame, 58, &flags, 1);
	discovery_set(frame, 80, other, sizeof(other));
	assert_drop(tern_neighbours_read(&pair.a.table, frame, pair.now_ns, NULL, &news),
		    TERN_DROP_NONE);
	assert_false(news.is_changed);
	assert_known(&pair.a, pair.b.end.mac);
	assert_int_equal(pair.a.peers[0].state, TERN_NEIGHBOUR_STALE);
	rte_pktmbuf_free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flipped_bit_of_a_discovery_is_dropped),
		cmocka_unit_test(discovery_has_rules),
		cmocka_unit_test(who_takes_an_ipv6_address_is_told_that_it_is_taken),
		cmocka_unit_test(a_group_gets_no_answer_that_it_asked_for),
		cmocka_unit_test(an_answer_without_override_makes_it_ask),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, pair_pool_open, pair_pool_close);
}
