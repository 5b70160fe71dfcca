/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of ARP only what keeps its rules is believed. Method: a right question with one thing
 * wrong.
 */
#include "pairs.h"

static void arp_has_rules(void **state)
{
	static const struct {
		const char *what;
		uint32_t at;
		uint16_t value;
		enum tern_drop why;
	} cases[] = {
		{"as it is", 0, 0xFFFF, TERN_DROP_NONE},
		{"to another MAC", 0, 0x0200, TERN_DROP_NOT_OURS},
		{"from a group", 6, 0x0100, TERN_DROP_SOURCE},
		{"no ARP", 12, 0x0800, TERN_DROP_ETHERTYPE},
		{"no Ethernet", 14, 6, TERN_DROP_RESOLUTION},
		{"no IPv4", 16, 0x86DD, TERN_DROP_RESOLUTION},
		{"lengths", 18, 0x0804, TERN_DROP_RESOLUTION},
		{"lengths", 18, 0x0610, TERN_DROP_RESOLUTION},
		{"no such question", 20, 0, TERN_DROP_RESOLUTION},
		{"no such question", 20, 3, TERN_DROP_RESOLUTION},
		{"a group's MAC", 22, 0x0300, TERN_DROP_RESOLUTION},
		{"from a group's address", 28, 0xE000, TERN_DROP_RESOLUTION},
		{"from 0.0.0.1", 28, 0, TERN_DROP_RESOLUTION},
		{"of another", 38, 0x0B00, TERN_DROP_NONE}, /* a peer tells of itself */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pair pair;
		pair_open(&pair, *state, TERN_CARRIER_IPV4, 0);
		struct rte_mbuf *frame = pair_ask(&pair, &pair.a);
		rte_be16_t value = rte_cpu_to_be_16(cases[i].value);
		memcpy(rte_pktmbuf_mtod_offset(frame, void *, cases[i].at), &value, sizeof(value));
		enum tern_drop why = pair_judge(&pair, &pair.b, frame);
		if (why != cases[i].why)
			fail_msg("%s: %s", cases[i].what, tern_drop_name(why));
		rte_pktmbuf_free(frame);
	}
}

/* Someone sees whether an address is free before he takes it. */
static void a_probe_for_the_own_address_is_answered(void **state)
{
	struct pair pair;
	struct tern_neighbour_news news;
	pair_open(&pair, *state, TERN_CARRIER_IPV4, 0);
	struct rte_mbuf *frame = pair_ask(&pair, &pair.a);
	memset(rte_pktmbuf_mtod_offset(frame, void *, 28), 0, 4);
	assert_drop(pair_hand(&pair, &pair.b, NULL, frame, &news), TERN_DROP_NONE);
	assert_true(news.is_answered && !news.is_changed);
	assert_null(tern_neighbours_mac(&pair.b.table, pair.b.other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_has_rules),
		cmocka_unit_test(a_probe_for_the_own_address_is_answered),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, pair_pool_open, pair_pool_close);
}
