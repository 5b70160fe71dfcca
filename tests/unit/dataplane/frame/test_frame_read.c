/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a frame that one end wraps is read by the other, over each carrier, with and without a
 * VLAN, and what lies around a frame is looked at as closely as the frame. Method: random frames of
 * each kind, wrapped and read; cut, flipped, padded; each rule broken by itself; and mbufs in
 * pieces and with several holders.
 */
#include "frames.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/port/port.h"

#define ROUNDS 300
#define SOURCE_PORT 50001u
#define POOL_FRAMES 511

/* A pool, and one path between two ends. */
struct path {
	struct rte_mempool *pool;
	struct tern_rng rng;
	struct tern_endpoint from, to;
	struct tern_wrap wrap;
};

static const struct tern_frame frame_untouched = {
	.header = (const void *)0x1234, .body.data = (const void *)0x5678, .from.vlan = 77};

static struct path path_make(struct rte_mempool *pool, uint64_t seed, enum tern_carrier carrier,
			     uint16_t vlan)
{
	struct path path = {
		.pool = pool,
		.rng = {seed},
		.from = frames_endpoint(carrier, vlan, 1),
		.to = frames_endpoint(carrier, vlan, 2),
	};
	tern_wrap_init(&path.wrap, &path.from, &path.to, SOURCE_PORT);
	return path;
}

/* Call a body with each carrier, without a VLAN and with one. */
static void paths_each(void **state, uint64_t otherwise, void (*body)(struct path *path))
{
	uint64_t seed = test_seed(otherwise);
	for (unsigned i = 0; i < 6; i++) {
		struct path path = path_make(*state, seed + i, i % 3, i < 3 ? 0 : 4094);
		body(&path);
		assert_int_equal(rte_mempool_avail_count(path.pool), POOL_FRAMES);
	}
}

/* A frame of a kind on its way. `first`: bytes in its first segment. */
static struct rte_mbuf *path_frame(struct path *path, enum tern_wire_kind kind, uint32_t first,
				   uint32_t offloads, union frames_bytes *bytes)
{
	frames_make(&path->rng, kind, bytes);
	struct rte_mbuf *mbuf =
		frames_mbuf(&path->rng, path->pool, bytes->bytes, bytes->header.length, first);
	tern_wrap_put(&path->wrap, mbuf, offloads);
	return mbuf;
}

static enum tern_drop path_read(const struct path *path, struct rte_mbuf *mbuf,
				struct tern_frame *frame)
{
	*frame = frame_untouched;
	enum tern_drop why = tern_frame_read(&path->to, FRAMES_TO, mbuf, frame);
	if (why != TERN_DROP_NONE)
		assert_memory_equal(frame, &frame_untouched, sizeof(*frame));
	return why;
}

static void assert_drop(enum tern_drop why, enum tern_drop expected)
{
	if (why != expected)
		fail_msg("dropped as %s, not as %s", tern_drop_name(why), tern_drop_name(expected));
}

static void assert_from(const struct path *path, const struct tern_endpoint *from)
{
	bool is_udp = path->from.carrier != TERN_CARRIER_ETHERNET;
	assert_int_equal(from->carrier, path->from.carrier);
	assert_int_equal(from->vlan, path->from.vlan);
	assert_int_equal(from->udp_port, is_udp ? SOURCE_PORT : 0);
	assert_memory_equal(from->mac, path->from.mac, sizeof(from->mac));
	if (is_udp)
		assert_memory_equal(from->address, path->from.address, sizeof(from->address));
}

static void round_trips(struct path *path)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		enum tern_wire_kind kind = 1 + pick(&path->rng, TERN_WIRE_KINDS - 1);
		struct rte_mbuf *mbuf =
			path_frame(path, kind, 40 + pick(&path->rng, 1500), 0, &bytes);
		assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
		assert_int_equal(mbuf->nb_segs, 1);
		assert_ptr_equal(frame.header, rte_pktmbuf_mtod(mbuf, void *));
		assert_int_equal(rte_pktmbuf_data_len(mbuf), bytes.header.length);
		assert_memory_equal(frame.header, bytes.bytes, bytes.header.length);
		assert_from(path, &frame.from);
		rte_pktmbuf_free(mbuf);
	}
}

static void each_kind_travels_over_each_carrier(void **state)
{
	paths_each(state, 1, round_trips);
}

static void pads(struct path *path)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		struct rte_mbuf *mbuf = path_frame(path, TERN_WIRE_ACK, 40, 0, &bytes);
		uint16_t padding = (uint16_t)pick(&path->rng, 30);
		frames_fill(&path->rng, rte_pktmbuf_append(mbuf, padding), padding);
		assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
		assert_int_equal(rte_pktmbuf_pkt_len(mbuf), bytes.header.length);
		rte_pktmbuf_free(mbuf);
	}
}

static void padding_is_cut_off(void **state)
{
	paths_each(state, 2, pads);
}

static void exceeds(struct path *path)
{
	bool is_udp = path->from.carrier != TERN_CARRIER_ETHERNET;
	for (uint16_t more = 1; more < 30; more++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		frames_make(&path->rng, TERN_WIRE_NAK, &bytes);
		struct rte_mbuf *mbuf = frames_mbuf(&path->rng, path->pool, bytes.bytes,
						    bytes.header.length, FRAMES_ROOM);
		frames_fill(&path->rng, rte_pktmbuf_append(mbuf, more), more);
		tern_wrap_put(&path->wrap, mbuf, 0);
		assert_drop(path_read(path, mbuf, &frame),
			    is_udp ? TERN_DROP_LENGTH : TERN_DROP_NONE);
		rte_pktmbuf_free(mbuf);
	}
}

static void a_datagram_has_nothing_but_its_frame(void **state)
{
	paths_each(state, 10, exceeds);
}

static void truncates(struct path *path)
{
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		struct rte_mbuf *mbuf = path_frame(path, kind, FRAMES_ROOM, 0, &bytes);
		while (rte_pktmbuf_data_len(mbuf)) {
			rte_pktmbuf_trim(mbuf, 1);
			assert_drop(path_read(path, mbuf, &frame), TERN_DROP_SHORT);
		}
		rte_pktmbuf_free(mbuf);
	}
}

static void each_truncation_is_short(void **state)
{
	paths_each(state, 3, truncates);
}

/* Bits of the wrap that nothing covers: priority of a tag, source MAC, IPv6 class and flow. */
static bool bit_is_uncovered(const struct path *path, uint32_t bit)
{
	uint32_t byte = bit / 8, ip = path->wrap.ip_at;
	bool is_tag = path->from.vlan && byte == 14 && bit % 8 >= 4;
	bool is_source = byte >= 6 && byte < 12;
	bool is_ipv6 = path->from.carrier == TERN_CARRIER_IPV6;
	bool is_flow = is_ipv6 && byte >= ip && byte < ip + 4 && (byte != ip || bit % 8 < 4);
	return is_tag || is_source || is_flow || (is_ipv6 && byte == ip + 7);
}

static void flips(struct path *path)
{
	for (unsigned kind = TERN_WIRE_HELLO; kind < TERN_WIRE_KINDS; kind++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		struct rte_mbuf *mbuf = path_frame(path, kind, FRAMES_ROOM, 0, &bytes);
		unsigned char *at = rte_pktmbuf_mtod(mbuf, unsigned char *);
		uint32_t bits = rte_pktmbuf_data_len(mbuf) * 8u;
		rte_mbuf_refcnt_update(mbuf, 1); /* so that it is not cut */
		for (uint32_t bit = 0; bit < bits; bit++) {
			at[bit / 8] ^= (unsigned char)(1u << bit % 8);
			enum tern_drop why = path_read(path, mbuf, &frame);
			if (why == TERN_DROP_NONE && !bit_is_uncovered(path, bit))
				fail_msg("kind %u: bit %u of byte %u is not seen", kind, bit % 8,
					 bit / 8);
			at[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
		assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
		rte_mbuf_refcnt_update(mbuf, -1);
		rte_pktmbuf_free(mbuf);
	}
}

static void each_flipped_bit_is_dropped(void **state)
{
	paths_each(state, 4, flips);
}

static void offloads(struct path *path)
{
	bool is_ipv4 = path->from.carrier == TERN_CARRIER_IPV4;
	bool is_ip = path->from.carrier != TERN_CARRIER_ETHERNET;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		uint32_t flags = TERN_PORT_IPV4_CHECKSUM | TERN_PORT_UDP_CHECKSUM;
		struct rte_mbuf *mbuf =
			path_frame(path, TERN_WIRE_DATA, 40 + pick(&path->rng, 200), flags, &bytes);
		uint64_t asked = mbuf->ol_flags;
		assert_int_equal(asked & RTE_MBUF_F_TX_IP_CKSUM,
				 is_ipv4 ? RTE_MBUF_F_TX_IP_CKSUM : 0);
		assert_int_equal(asked & RTE_MBUF_F_TX_L4_MASK,
				 is_ip ? RTE_MBUF_F_TX_UDP_CKSUM : 0);
		assert_int_equal(mbuf->l2_len, path->wrap.ip_at);
		assert_int_equal(mbuf->l3_len, is_ipv4 ? 20 : is_ip ? 40 : 0);
		/* the receiving port has looked: what is in the frame does not count */
		mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		rte_mbuf_refcnt_update(mbuf, 1);
		assert_drop(path_read(path, mbuf, &frame),
			    mbuf->nb_segs > 1 ? TERN_DROP_SEGMENTS : TERN_DROP_NONE);
		rte_mbuf_refcnt_update(mbuf, -1);
		if (is_ip) {
			mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
			assert_drop(path_read(path, mbuf, &frame), TERN_DROP_UDP_CHECKSUM);
			mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
			assert_drop(path_read(path, mbuf, &frame), TERN_DROP_UDP_CHECKSUM);
		}
		if (is_ipv4) {
			mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
			assert_drop(path_read(path, mbuf, &frame), TERN_DROP_IP_CHECKSUM);
			mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
			assert_drop(path_read(path, mbuf, &frame), TERN_DROP_IP_CHECKSUM);
		}
		rte_pktmbuf_free(mbuf);
	}
}

static void a_port_does_the_checksums_that_it_offers(void **state)
{
	paths_each(state, 5, offloads);
}

/* What a port that was left a checksum does: RFC 768, over all segments. */
static void finish_checksum(struct rte_mbuf *mbuf, uint32_t udp_at)
{
	unsigned char all[FRAMES_ROOM];
	uint32_t size = rte_pktmbuf_pkt_len(mbuf);
	const void *bytes = rte_pktmbuf_read(mbuf, 0, size, all);
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, udp_at);
	uint16_t sum = (uint16_t)~rte_raw_cksum((const char *)bytes + udp_at, size - udp_at);
	udp->dgram_cksum = sum ? sum : 0xFFFF;
}

static void finishes(struct path *path)
{
	uint32_t udp_at = path->wrap.size - (uint32_t)sizeof(struct rte_udp_hdr);
	if (path->from.carrier == TERN_CARRIER_ETHERNET)
		return;
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		struct rte_mbuf *mbuf = path_frame(path, TERN_WIRE_DATA, 40 + pick(&path->rng, 99),
						   TERN_PORT_UDP_CHECKSUM, &bytes);
		finish_checksum(mbuf, udp_at);
		assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
		rte_pktmbuf_free(mbuf);
	}
}

static void a_port_finds_the_sum_it_goes_on_from(void **state)
{
	paths_each(state, 6, finishes);
}

/* A datagram whose last two bytes are a word. Returns the checksum that it gets. */
static uint16_t checksum_with(struct path *path, uint16_t word)
{
	unsigned char bytes[64] = {1, 2, 3};
	memcpy(bytes + sizeof(bytes) - sizeof(word), &word, sizeof(word));
	struct rte_mbuf *mbuf =
		frames_mbuf(&path->rng, path->pool, bytes, sizeof(bytes), sizeof(bytes));
	tern_wrap_put(&path->wrap, mbuf, 0);
	uint32_t at = path->wrap.size - (uint32_t)sizeof(struct rte_udp_hdr);
	uint16_t checksum = rte_pktmbuf_mtod_offset(mbuf, struct rte_udp_hdr *, at)->dgram_cksum;
	rte_pktmbuf_free(mbuf);
	return checksum;
}

static void sums_to_zero(struct path *path)
{
	if (path->from.carrier != TERN_CARRIER_ETHERNET)
		assert_int_equal(checksum_with(path, checksum_with(path, 0)), 0xFFFF);
}

static void a_checksum_is_never_sent_as_none(void **state)
{
	paths_each(state, 11, sums_to_zero);
}

static void holders(struct path *path)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		union frames_bytes bytes;
		struct tern_frame frame;
		unsigned char before[FRAMES_ROOM];
		struct rte_mbuf *mbuf = path_frame(path, TERN_WIRE_DATA, FRAMES_ROOM, 0, &bytes);
		uint32_t size = rte_pktmbuf_data_len(mbuf);
		memcpy(before, rte_pktmbuf_mtod(mbuf, void *), size);
		/* held twice: the mbuf is as it was */
		rte_mbuf_refcnt_update(mbuf, 1);
		assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
		assert_ptr_equal(frame.header,
				 rte_pktmbuf_mtod_offset(mbuf, void *, path->wrap.size));
		assert_int_equal(rte_pktmbuf_pkt_len(mbuf), size);
		rte_mbuf_refcnt_update(mbuf, -1);
		/* a clone is cut, what it is one of is not */
		struct rte_mbuf *clone = rte_pktmbuf_clone(mbuf, path->pool);
		assert_drop(path_read(path, clone, &frame), TERN_DROP_NONE);
		assert_int_equal(rte_pktmbuf_data_len(clone), bytes.header.length);
		assert_int_equal(rte_pktmbuf_data_len(mbuf), size);
		assert_memory_equal(rte_pktmbuf_mtod(mbuf, void *), before, size);
		rte_pktmbuf_free(clone);
		rte_pktmbuf_free(mbuf);
	}
}

static void what_others_hold_stays_as_it_is(void **state)
{
	paths_each(state, 7, holders);
}

static void joins(struct path *path)
{
	union frames_bytes bytes;
	struct tern_frame frame;
	unsigned char before[RTE_PKTMBUF_HEADROOM + FRAMES_ROOM];
	struct rte_mbuf *mbuf = path_frame(path, TERN_WIRE_DATA, 41, 0, &bytes);
	assert_int_equal(mbuf->buf_len, sizeof(before));
	uint16_t first = rte_pktmbuf_data_len(mbuf);
	memcpy(before, mbuf->buf_addr, mbuf->buf_len);
	struct rte_mbuf *clone = rte_pktmbuf_clone(mbuf, path->pool);
	/* to join would write into what both hold */
	assert_drop(path_read(path, clone, &frame), TERN_DROP_SEGMENTS);
	assert_drop(path_read(path, mbuf, &frame), TERN_DROP_SEGMENTS);
	assert_memory_equal(before, mbuf->buf_addr, mbuf->buf_len);
	assert_int_equal(rte_pktmbuf_data_len(mbuf), first);
	rte_pktmbuf_free(clone);
	assert_drop(path_read(path, mbuf, &frame), TERN_DROP_NONE);
	rte_pktmbuf_free(mbuf);
}

static void segments_are_joined_only_where_nobody_else_sees(void **state)
{
	paths_each(state, 8, joins);
}

static void segments_that_do_not_fit_are_dropped(void **state)
{
	struct path path = path_make(*state, test_seed(9), TERN_CARRIER_ETHERNET, 0);
	union frames_bytes bytes;
	struct tern_frame frame;
	struct rte_mbuf *mbuf = path_frame(&path, TERN_WIRE_ACK, 40, 0, &bytes);
	struct rte_mbuf *more = rte_pktmbuf_alloc(path.pool);
	memset(rte_pktmbuf_append(more, FRAMES_ROOM), 0, FRAMES_ROOM);
	assert_int_equal(rte_pktmbuf_chain(mbuf, more), 0);
	assert_drop(path_read(&path, mbuf, &frame), TERN_DROP_SEGMENTS);
	rte_pktmbuf_free(mbuf);
}

/* One byte or word around the frame changed; checksums put right where `fixes` says so. */
struct breakage {
	const char *what;
	enum tern_carrier carrier;
	uint32_t at;	/* in the wrap, without a tag */
	uint16_t value; /* 16 bits in the network's order */
	bool fixes;	/* the IPv4 header's checksum */
	enum tern_drop why;
};

static enum tern_drop breakage_judge(void *pool, const struct breakage *breakage)
{
	struct path path = path_make(pool, 1, breakage->carrier, 0);
	union frames_bytes bytes;
	struct tern_frame frame;
	struct rte_mbuf *mbuf = path_frame(&path, TERN_WIRE_HEARTBEAT, FRAMES_ROOM, 0, &bytes);
	rte_be16_t value = rte_cpu_to_be_16(breakage->value);
	memcpy(rte_pktmbuf_mtod_offset(mbuf, void *, breakage->at), &value, sizeof(value));
	if (breakage->fixes) {
		struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(mbuf, struct rte_ipv4_hdr *, 14);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, sizeof(*ip));
	}
	enum tern_drop why = path_read(&path, mbuf, &frame);
	rte_pktmbuf_free(mbuf);
	return why;
}

/* A raw node that has not spoken yet is sent to by broadcast; over IP its MAC is asked for. */
static void broadcast_is_read_over_raw_ethernet_alone(void **state)
{
	const enum tern_carrier carriers[] = {TERN_CARRIER_ETHERNET, TERN_CARRIER_IPV4,
					      TERN_CARRIER_IPV6};
	for (int i = 0; i < 3; i++) {
		struct path path = path_make(*state, 1, carriers[i], 0);
		union frames_bytes bytes;
		struct tern_frame frame;
		struct rte_mbuf *mbuf =
			path_frame(&path, TERN_WIRE_HEARTBEAT, FRAMES_ROOM, 0, &bytes);
		memset(rte_pktmbuf_mtod(mbuf, void *), 0xFF, 6);
		assert_int_equal(path_read(&path, mbuf, &frame),
				 i == 0 ? TERN_DROP_NONE : TERN_DROP_NOT_OURS);
		rte_pktmbuf_free(mbuf);
	}
}

static void each_rule_around_a_frame_has_its_reason(void **state)
{
	const enum tern_carrier raw = TERN_CARRIER_ETHERNET, v4 = TERN_CARRIER_IPV4,
				v6 = TERN_CARRIER_IPV6;
	const struct breakage cases[] = {
		{"another's MAC", raw, 4, 0x0099, false, TERN_DROP_NOT_OURS},
		{"a group's MAC", raw, 0, 0x0300, false, TERN_DROP_NOT_OURS},
		{"a group's MAC", v4, 0, 0x0300, false, TERN_DROP_NOT_OURS},
		{"a group's MAC", v6, 0, 0x0300, false, TERN_DROP_NOT_OURS},
		{"from a group's MAC", raw, 6, 0x0300, false, TERN_DROP_SOURCE},
		{"no EtherType of ours", raw, 12, 0x88CC, false, TERN_DROP_ETHERTYPE},
		{"two tags", raw, 12, 0x88A8, false, TERN_DROP_ETHERTYPE},
		{"IPv4 to raw", raw, 12, 0x0800, false, TERN_DROP_CARRIER},
		{"IPv6 to IPv4", v4, 12, 0x86DD, false, TERN_DROP_CARRIER},
		{"raw to IPv4", v4, 12, 0x88B5, false, TERN_DROP_CARRIER},
		{"IPv4 to IPv6", v6, 12, 0x0800, false, TERN_DROP_CARRIER},
		{"ARP to raw", raw, 12, 0x0806, false, TERN_DROP_CARRIER},
		{"ARP to IPv4", v4, 12, 0x0806, false, TERN_DROP_NEIGHBOUR},
		{"IPv6 in IPv4", v4, 14, 0x6500, true, TERN_DROP_IP_HEADER},
		{"IPv4 options", v4, 14, 0x4600, true, TERN_DROP_IP_HEADER},
		{"short IPv4 header", v4, 14, 0x4400, true, TERN_DROP_IP_HEADER},
		{"IPv4 length beyond", v4, 16, 69, true, TERN_DROP_SHORT},
		{"IPv4 length below UDP's", v4, 16, 27, true, TERN_DROP_SHORT},
		{"IPv4 length below its header", v4, 16, 19, true, TERN_DROP_LENGTH},
		{"IPv4 length not UDP's", v4, 16, 67, true, TERN_DROP_LENGTH},
		{"more fragments", v4, 20, 0x2000, true, TERN_DROP_IP_FRAGMENT},
		{"a later fragment", v4, 20, 0x0001, true, TERN_DROP_IP_FRAGMENT},
		{"a reserved flag", v4, 20, 0x8000, true, TERN_DROP_IP_HEADER},
		{"may be cut", v4, 20, 0x0000, true, TERN_DROP_NONE},
		{"TTL 0", v4, 22, 17, true, TERN_DROP_IP_HEADER},
		{"TCP", v4, 22, 0x4006, true, TERN_DROP_PROTOCOL},
		{"a wrong header", v4, 24, 0x1234, false, TERN_DROP_IP_CHECKSUM},
		{"from a group", v4, 26, 0xE000, true, TERN_DROP_SOURCE},
		{"from nowhere", v4, 26, 0x0000, true, TERN_DROP_SOURCE},
		{"another's IPv4", v4, 32, 0x0009, true, TERN_DROP_NOT_OURS},
		{"another port", v4, 36, 0x0001, false, TERN_DROP_UDP_CHECKSUM},
		{"UDP length", v4, 38, 47, false, TERN_DROP_LENGTH},
		{"UDP length", v4, 38, 49, false, TERN_DROP_LENGTH},
		{"no checksum", v4, 40, 0, false, TERN_DROP_NONE},
		{"a wrong checksum", v4, 40, 0x1234, false, TERN_DROP_UDP_CHECKSUM},
		{"IPv4 in IPv6", v6, 14, 0x4000, false, TERN_DROP_IP_HEADER},
		{"IPv6 length beyond", v6, 18, 49, false, TERN_DROP_SHORT},
		{"IPv6 length below UDP's", v6, 18, 7, false, TERN_DROP_SHORT},
		{"IPv6 length not UDP's", v6, 18, 47, false, TERN_DROP_LENGTH},
		{"hop limit 0", v6, 20, 0x1100, false, TERN_DROP_IP_HEADER},
		{"TCP", v6, 20, 0x0640, false, TERN_DROP_PROTOCOL},
		{"options", v6, 20, 0x0040, false, TERN_DROP_PROTOCOL},
		{"a fragment", v6, 20, 0x2C40, false, TERN_DROP_IP_FRAGMENT},
		{"from a group", v6, 22, 0xFF02, false, TERN_DROP_SOURCE},
		{"another's IPv6", v6, 52, 0x9999, false, TERN_DROP_NOT_OURS},
		{"no checksum", v6, 60, 0, false, TERN_DROP_UDP_CHECKSUM},
		{"a wrong checksum", v6, 60, 0x1234, false, TERN_DROP_UDP_CHECKSUM},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum tern_drop why = breakage_judge(*state, &cases[i]);
		if (why != cases[i].why)
			fail_msg("%s (carrier %d): dropped as %s, not as %s", cases[i].what,
				 (int)cases[i].carrier, tern_drop_name(why),
				 tern_drop_name(cases[i].why));
	}
}

/* A frame between ends that agree on all but one thing. */
static enum tern_drop stranger_judge(void *pool, struct tern_endpoint from,
				     struct tern_endpoint own, uint16_t node)
{
	struct path path = path_make(pool, 1, from.carrier, from.vlan);
	union frames_bytes bytes;
	struct tern_frame frame = frame_untouched;
	struct rte_mbuf *mbuf = path_frame(&path, TERN_WIRE_BYE, FRAMES_ROOM, 0, &bytes);
	enum tern_drop why = tern_frame_read(&own, node, mbuf, &frame);
	rte_pktmbuf_free(mbuf);
	return why;
}

static void frames_for_others_are_dropped(void **state)
{
	for (unsigned carrier = 0; carrier < 3; carrier++) {
		struct tern_endpoint plain = frames_endpoint(carrier, 0, 2);
		struct tern_endpoint tagged = frames_endpoint(carrier, 5, 2);
		struct tern_endpoint other = frames_endpoint(carrier, 6, 2);
		assert_drop(stranger_judge(*state, plain, plain, FRAMES_TO), TERN_DROP_NONE);
		assert_drop(stranger_judge(*state, plain, plain, FRAMES_TO + 1),
			    TERN_DROP_NOT_OURS);
		assert_drop(stranger_judge(*state, plain, tagged, FRAMES_TO), TERN_DROP_VLAN);
		assert_drop(stranger_judge(*state, tagged, plain, FRAMES_TO), TERN_DROP_VLAN);
		assert_drop(stranger_judge(*state, tagged, other, FRAMES_TO), TERN_DROP_VLAN);
		other = plain;
		other.udp_port++;
		assert_drop(stranger_judge(*state, plain, other, FRAMES_TO),
			    carrier ? TERN_DROP_UDP_PORT : TERN_DROP_NONE);
		other = plain;
		other.carrier = (carrier + 1) % 3;
		assert_drop(stranger_judge(*state, plain, other, FRAMES_TO), TERN_DROP_CARRIER);
	}
}

static enum tern_drop stripped_judge(void *pool, uint16_t sent, uint16_t tci, uint16_t own)
{
	struct path path = path_make(pool, 1, TERN_CARRIER_IPV4, sent);
	union frames_bytes bytes;
	struct tern_frame frame;
	struct rte_mbuf *mbuf = path_frame(&path, TERN_WIRE_BYE, FRAMES_ROOM, 0, &bytes);
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbuf->vlan_tci = tci;
	path.to.vlan = own;
	enum tern_drop why = path_read(&path, mbuf, &frame);
	rte_pktmbuf_free(mbuf);
	return why;
}

static void a_tag_that_the_port_took_off_counts(void **state)
{
	assert_drop(stripped_judge(*state, 0, 5, 5), TERN_DROP_NONE);
	assert_drop(stripped_judge(*state, 0, 0xE000 | 5, 5), TERN_DROP_NONE);
	assert_drop(stripped_judge(*state, 0, 0xE000, 0), TERN_DROP_NONE);
	assert_drop(stripped_judge(*state, 0, 5, 0), TERN_DROP_VLAN);
	assert_drop(stripped_judge(*state, 0, 5, 6), TERN_DROP_VLAN);
	assert_drop(stripped_judge(*state, 5, 5, 5), TERN_DROP_VLAN);
}

static int pool_open(void **state)
{
	*state = mbufs_pool("path", POOL_FRAMES, FRAMES_ROOM, 0);
	return 0;
}

static int pool_close(void **state)
{
	assert_int_equal(rte_mempool_avail_count(*state), POOL_FRAMES);
	rte_mempool_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_travels_over_each_carrier),
		cmocka_unit_test(padding_is_cut_off),
		cmocka_unit_test(a_datagram_has_nothing_but_its_frame),
		cmocka_unit_test(each_truncation_is_short),
		cmocka_unit_test(each_flipped_bit_is_dropped),
		cmocka_unit_test(a_port_does_the_checksums_that_it_offers),
		cmocka_unit_test(a_port_finds_the_sum_it_goes_on_from),
		cmocka_unit_test(a_checksum_is_never_sent_as_none),
		cmocka_unit_test(what_others_hold_stays_as_it_is),
		cmocka_unit_test(segments_are_joined_only_where_nobody_else_sees),
		cmocka_unit_test(segments_that_do_not_fit_are_dropped),
		cmocka_unit_test(broadcast_is_read_over_raw_ethernet_alone),
		cmocka_unit_test(each_rule_around_a_frame_has_its_reason),
		cmocka_unit_test(frames_for_others_are_dropped),
		cmocka_unit_test(a_tag_that_the_port_took_off_counts),
	};
	mbufs_start();
	return cmocka_run_group_tests(tests, pool_open, pool_close);
}
