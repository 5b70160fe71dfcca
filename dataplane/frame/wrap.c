/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies before a Tern frame. tern_wrap_init() is called when a link is made, or its peer's MAC
 * becomes known; tern_wrap_put() for each frame, on the link's lcore.
 */
#include "frame.h"

#include <assert.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/port/port.h"
#include "ethernet.h"

#define WRAP_TTL 64

static const uint16_t wrap_types[] = {
	[TERN_CARRIER_ETHERNET] = TERN_WIRE_ETHERTYPE,
	[TERN_CARRIER_IPV4] = RTE_ETHER_TYPE_IPV4,
	[TERN_CARRIER_IPV6] = RTE_ETHER_TYPE_IPV6,
};

static uint8_t *wrap_ipv4(uint8_t *at, const struct tern_endpoint *from,
			  const struct tern_endpoint *to)
{
	struct rte_ipv4_hdr *ip = (void *)at;
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	ip->time_to_live = WRAP_TTL;
	ip->next_proto_id = IPPROTO_UDP;
	memcpy(&ip->src_addr, from->address, sizeof(ip->src_addr));
	memcpy(&ip->dst_addr, to->address, sizeof(ip->dst_addr));
	return at + sizeof(*ip);
}

static uint8_t *wrap_ipv6(uint8_t *at, const struct tern_endpoint *from,
			  const struct tern_endpoint *to)
{
	struct rte_ipv6_hdr *ip = (void *)at;
	ip->vtc_flow = RTE_BE32(6u << 28);
	ip->proto = IPPROTO_UDP;
	ip->hop_limits = WRAP_TTL;
	memcpy(ip->src_addr, from->address, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, to->address, sizeof(ip->dst_addr));
	return at + sizeof(*ip);
}

void tern_wrap_init(struct tern_wrap *wrap, const struct tern_endpoint *from,
		    const struct tern_endpoint *to, uint16_t source_port)
{
	*wrap = (struct tern_wrap){.carrier = from->carrier};
	uint8_t *at = tern_ethernet_write(from, to->mac, wrap_types[from->carrier], wrap->bytes);
	if (from->carrier != TERN_CARRIER_ETHERNET) {
		wrap->ip_at = (uint8_t)(at - wrap->bytes);
		at = from->carrier == TERN_CARRIER_IPV4 ? wrap_ipv4(at, from, to)
							: wrap_ipv6(at, from, to);
		struct rte_udp_hdr *udp = (void *)at;
		udp->src_port = rte_cpu_to_be_16(source_port);
		udp->dst_port = rte_cpu_to_be_16(to->udp_port);
		at += sizeof(*udp);
	}
	wrap->size = (uint8_t)(at - wrap->bytes);
}

/*
 * Sum of all bytes from `at` of the first segment. rte_raw_cksum_mbuf() is not used: that of
 * 22.11 loses carries of a segment that begins at an odd byte.
 */
static uint16_t wrap_sum(const struct rte_mbuf *frame, uint32_t at)
{
	uint32_t sum = 0;
	bool is_odd = false;
	for (const struct rte_mbuf *segment = frame; segment; segment = segment->next, at = 0) {
		uint32_t size = rte_pktmbuf_data_len(segment) - at;
		uint16_t part = rte_raw_cksum(rte_pktmbuf_mtod_offset(segment, char *, at), size);
		sum += is_odd ? rte_bswap16(part) : part;
		is_odd ^= size & 1;
	}
	sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)((sum & 0xFFFF) + (sum >> 16));
}

/* What the datagram's checksum is to be; `pseudo`: sum of the IP header's part. */
static uint16_t wrap_udp_checksum(const struct rte_mbuf *frame, uint32_t udp_at, uint16_t pseudo)
{
	uint32_t sum = (uint32_t)wrap_sum(frame, udp_at) + pseudo;
	uint16_t checksum = (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
	return checksum ? checksum : 0xFFFF;
}

static void wrap_put_udp(struct rte_mbuf *frame, struct rte_udp_hdr *udp, uint32_t udp_at,
			 uint16_t pseudo, uint32_t offloads)
{
	if (offloads & TERN_PORT_UDP_CHECKSUM) {
		udp->dgram_cksum = pseudo;
		frame->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	} else {
		udp->dgram_cksum = wrap_udp_checksum(frame, udp_at, pseudo);
	}
}

static void wrap_put_ipv4(const struct tern_wrap *wrap, struct rte_mbuf *frame, uint32_t offloads)
{
	uint32_t at = wrap->ip_at, size = rte_pktmbuf_pkt_len(frame) - at;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv4_hdr *, at);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	assert(size <= UINT16_MAX);
	ip->total_length = rte_cpu_to_be_16((uint16_t)size);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(size - sizeof(*ip)));
	frame->l3_len = sizeof(*ip);
	frame->ol_flags |= RTE_MBUF_F_TX_IPV4;
	if (offloads & TERN_PORT_IPV4_CHECKSUM)
		frame->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	else
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	wrap_put_udp(frame, udp, at + (uint32_t)sizeof(*ip), rte_ipv4_phdr_cksum(ip, 0), offloads);
}

static void wrap_put_ipv6(const struct tern_wrap *wrap, struct rte_mbuf *frame, uint32_t offloads)
{
	uint32_t at = wrap->ip_at;
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(frame, struct rte_ipv6_hdr *, at);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	at += (uint32_t)sizeof(*ip);
	assert(rte_pktmbuf_pkt_len(frame) - at <= UINT16_MAX);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(rte_pktmbuf_pkt_len(frame) - at));
	udp->dgram_len = ip->payload_len;
	frame->l3_len = sizeof(*ip);
	frame->ol_flags |= RTE_MBUF_F_TX_IPV6;
	wrap_put_udp(frame, udp, at, rte_ipv6_phdr_cksum(ip, 0), offloads);
}

void tern_wrap_put(const struct tern_wrap *wrap, struct rte_mbuf *frame, uint32_t offloads)
{
	char *front = rte_pktmbuf_prepend(frame, wrap->size);
	assert(front); /* the caller left headroom */
	memcpy(front, wrap->bytes, wrap->size);
	if (wrap->carrier == TERN_CARRIER_ETHERNET)
		return;
	frame->l2_len = wrap->ip_at & 0x7Fu;
	if (wrap->carrier == TERN_CARRIER_IPV4)
		wrap_put_ipv4(wrap, frame, offloads);
	else
		wrap_put_ipv6(wrap, frame, offloads);
}
