/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no sequence of ARP or neighbour discovery frames makes the table look at what is not there,
 * replace a MAC that was given by hand, take one that no station has, or answer in a wrong form.
 * Method: the first byte chooses carrier and VLAN; then records of a length, an order and bytes: a
 * frame (its ICMPv6 checksum put right first, or not), a question, or time that passes.
 */
#include <rte_ip.h>

#include "dataplane/frame/ethernet.h"
#include "dataplane/frame/neighbour.h"
#include "fuzz_mbuf.h"

#define FUZZ_PEERS 4u
#define FUZZ_ROOM 128u

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const uint8_t static_mac[6] = {0x02, 1, 1, 1, 1, 1};

/* The table and what must hold of it. */
struct fuzz_world {
	struct tern_neighbours table;
	struct tern_neighbour peers[FUZZ_PEERS];
	struct tern_endpoint own;
	uint32_t by_hand; /* the peer whose MAC stays */
	uint64_t now_ns;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void address_of(bool is_ipv6, uint8_t number, uint8_t address[16])
{
	const uint8_t ipv4[16] = {10, 0, 0, number}, ipv6[16] = {0xFD, [15] = number};
	memcpy(address, is_ipv6 ? ipv6 : ipv4, 16);
}

static void world_open(struct fuzz_world *world, uint8_t options)
{
	uint8_t address[16];
	bool is_ipv6 = options & 1;
	*world = (struct fuzz_world){
		.own = {.carrier = is_ipv6 ? TERN_CARRIER_IPV6 : TERN_CARRIER_IPV4,
			.vlan = options & 2 ? 5 : 0,
			.mac = {0x02, [5] = 1}}};
	address_of(is_ipv6, 1, world->own.address);
	tern_neighbours_init(&world->table, &world->own, world->peers, FUZZ_PEERS);
	for (uint8_t i = 0; i < FUZZ_PEERS; i++) {
		address_of(is_ipv6, (uint8_t)(2 + i), address);
		REQUIRE(tern_neighbours_add(&world->table, address, i ? NULL : static_mac,
					    &world->by_hand) == 0);
	}
	world->by_hand = 0;
}

static void world_check(const struct fuzz_world *world)
{
	const uint8_t *mac = tern_neighbours_mac(&world->table, world->by_hand);
	REQUIRE(mac && memcmp(mac, static_mac, sizeof(static_mac)) == 0);
	REQUIRE(world->table.count == FUZZ_PEERS);
	for (uint32_t i = 0; i < FUZZ_PEERS; i++) {
		mac = tern_neighbours_mac(&world->table, i);
		REQUIRE(!mac || tern_mac_is_station(mac));
		REQUIRE(world->table.due_ns <= world->peers[i].due_ns);
	}
}

/* What the table wrote is a frame from its own MAC, of one of the two sizes. */
static void frame_check(const struct fuzz_world *world, const struct rte_mbuf *frame)
{
	uint32_t size = world->own.carrier == TERN_CARRIER_IPV6 ? 86 : 42;
	REQUIRE(rte_pktmbuf_pkt_len(frame) == size + (world->own.vlan ? 4 : 0));
	REQUIRE(memcmp(rte_pktmbuf_mtod_offset(frame, char *, 6), world->own.mac, 6) == 0);
}

static void fix_checksum(const struct fuzz_world *world, struct rte_mbuf *mbuf)
{
	uint32_t at = world->own.vlan ? 18 : 14, size = rte_pktmbuf_data_len(mbuf);
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv6_hdr *, at);
	if (size < at + sizeof(*ip) + 4 || ip->proto != IPPROTO_ICMPV6 ||
	    size < at + sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len))
		return;
	char *checksum = (char *)(ip + 1) + 2;
	memset(checksum, 0, 2);
	uint32_t sum = (uint32_t)rte_raw_cksum(ip + 1, rte_be_to_cpu_16(ip->payload_len)) +
		       rte_ipv6_phdr_cksum(ip, 0);
	uint16_t value = (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
	memcpy(checksum, &value, sizeof(value));
}

static void world_read(struct fuzz_world *world, bool fixes, const uint8_t *data, size_t size)
{
	struct rte_mbuf mbuf, answer;
	struct tern_neighbour_news news;
	fuzz_mbuf_init(&mbuf, 0, (uint16_t)size);
	fuzz_mbuf_fill(&mbuf, data, size);
	fuzz_mbuf_init(&answer, 0, FUZZ_ROOM);
	if (fixes)
		fix_checksum(world, &mbuf);
	enum tern_drop why =
		tern_neighbours_read(&world->table, &mbuf, world->now_ns, &answer, &news);
	if (why == TERN_DROP_NONE && news.is_answered)
		frame_check(world, &answer);
	else
		REQUIRE(rte_pktmbuf_pkt_len(&answer) == 0);
	fuzz_mbuf_fini(&mbuf);
	fuzz_mbuf_fini(&answer);
}

static void world_ask(struct fuzz_world *world, uint16_t room)
{
	struct rte_mbuf frame;
	fuzz_mbuf_init(&frame, 0, room);
	if (tern_neighbours_ask(&world->table, world->now_ns, &frame))
		frame_check(world, &frame);
	else
		REQUIRE(rte_pktmbuf_pkt_len(&frame) == 0);
	fuzz_mbuf_fini(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_world world;
	if (size == 0 || size > 600)
		return 0;
	world_open(&world, data[0]);
	for (data++, size--; size >= 2;) {
		size_t length = data[0];
		uint8_t order = data[1];
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		if (order % 4 < 2)
			world_read(&world, order % 4 == 1, data, length);
		else if (order % 4 == 2)
			world_ask(&world, order < 128 ? FUZZ_ROOM : order - 128);
		else
			world.now_ns += UINT64_C(1) << order / 6;
		world_check(&world);
		data += length;
		size -= length;
	}
	return 0;
}
