/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies around a Tern frame, looked at from the outside in. Called for each frame that came
 * from a port, on the lcore that took it.
 */
#include "frame.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "ethernet.h"
#include "nd.h"

/* Bytes that are left to be read, and what was found of where they come from. */
struct frame_rest {
	const uint8_t *at;
	uint32_t size;
	struct tern_endpoint from;
};

static void rest_skip(struct frame_rest *rest, size_t size)
{
	rest->at += size;
	rest->size -= (uint32_t)size;
}

static bool ip_checksum_fits(const struct rte_ipv4_hdr *ip, uint64_t flags)
{
	switch (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
	case RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN:
		return rte_raw_cksum(ip, sizeof(*ip)) == 0xFFFF;
	case RTE_MBUF_F_RX_IP_CKSUM_BAD:
		return false;
	default:
		return true;
	}
}

static bool udp_checksum_fits(const struct rte_udp_hdr *udp, uint32_t size, uint16_t pseudo,
			      uint64_t flags)
{
	uint32_t sum;
	switch (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
	case RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN:
		sum = (uint32_t)rte_raw_cksum(udp, size) + pseudo;
		return (sum & 0xFFFF) + (sum >> 16) == 0xFFFF;
	case RTE_MBUF_F_RX_L4_CKSUM_BAD:
		return false;
	default:
		return true;
	}
}

/* The datagram that `rest` is, all of it. `pseudo`: sum of the IP header's part. */
static enum tern_drop udp_read(const struct tern_endpoint *own, uint16_t pseudo, uint64_t flags,
			       struct frame_rest *rest)
{
	const struct rte_udp_hdr *udp = (const void *)rest->at;
	if (rest->size < sizeof(*udp))
		return TERN_DROP_SHORT;
	if (rte_be_to_cpu_16(udp->dgram_len) != rest->size)
		return TERN_DROP_LENGTH;
	if (udp->dgram_cksum == 0 && own->carrier == TERN_CARRIER_IPV6)
		return TERN_DROP_UDP_CHECKSUM;
	if (udp->dgram_cksum && !udp_checksum_fits(udp, rest->size, pseudo, flags))
		return TERN_DROP_UDP_CHECKSUM;
	if (rte_be_to_cpu_16(udp->dst_port) != own->udp_port)
		return TERN_DROP_UDP_PORT;
	rest->from.udp_port = rte_be_to_cpu_16(udp->src_port);
	rest_skip(rest, sizeof(*udp));
	return TERN_DROP_NONE;
}

static bool ipv4_is_host(rte_be32_t address)
{
	uint32_t first = rte_be_to_cpu_32(address) >> 24;
	return first != 0 && first < 224;
}

static enum tern_drop ipv4_check(const struct rte_ipv4_hdr *ip, uint32_t size, uint64_t flags)
{
	if (size < sizeof(*ip))
		return TERN_DROP_SHORT;
	uint16_t length = rte_be_to_cpu_16(ip->total_length);
	uint16_t fragment = rte_be_to_cpu_16(ip->fragment_offset);
	if (ip->version_ihl != RTE_IPV4_VHL_DEF || ip->time_to_live == 0)
		return TERN_DROP_IP_HEADER;
	if (length < sizeof(*ip))
		return TERN_DROP_LENGTH;
	if (length > size)
		return TERN_DROP_SHORT;
	if (!ip_checksum_fits(ip, flags))
		return TERN_DROP_IP_CHECKSUM;
	if (fragment & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return TERN_DROP_IP_FRAGMENT;
	if (fragment & ~RTE_IPV4_HDR_DF_FLAG)
		return TERN_DROP_IP_HEADER;
	if (!ipv4_is_host(ip->src_addr))
		return TERN_DROP_SOURCE;
	return ip->next_proto_id == IPPROTO_UDP ? TERN_DROP_NONE : TERN_DROP_PROTOCOL;
}

static enum tern_drop ipv4_read(const struct tern_endpoint *own, uint64_t flags,
				struct frame_rest *rest)
{
	const struct rte_ipv4_hdr *ip = (const void *)rest->at;
	enum tern_drop why = ipv4_check(ip, rest->size, flags);
	if (why != TERN_DROP_NONE)
		return why;
	if (memcmp(&ip->dst_addr, own->address, sizeof(ip->dst_addr)) != 0)
		return TERN_DROP_NOT_OURS;
	memcpy(rest->from.address, &ip->src_addr, sizeof(ip->src_addr));
	rest->size = rte_be_to_cpu_16(ip->total_length);
	rest_skip(rest, sizeof(*ip));
	return udp_read(own, rte_ipv4_phdr_cksum(ip, 0), flags, rest);
}

static bool ipv6_is_host(const uint8_t address[16])
{
	static const uint8_t none[16];
	return address[0] != 0xFF && memcmp(address, none, sizeof(none)) != 0;
}

/* What an IPv6 header is followed by, if it is not UDP. */
static enum tern_drop ipv6_other(const struct rte_ipv6_hdr *ip)
{
	const uint8_t *type = (const uint8_t *)(ip + 1);
	if (ip->proto == IPPROTO_FRAGMENT)
		return TERN_DROP_IP_FRAGMENT;
	if (ip->proto == IPPROTO_ICMPV6 && ip->payload_len &&
	    (*type == TERN_ND_SOLICIT || *type == TERN_ND_ADVERT))
		return TERN_DROP_NEIGHBOUR;
	return TERN_DROP_PROTOCOL;
}

static enum tern_drop ipv6_read(const struct tern_endpoint *own, uint64_t flags,
				struct frame_rest *rest)
{
	const struct rte_ipv6_hdr *ip = (const void *)rest->at;
	if (rest->size < sizeof(*ip))
		return TERN_DROP_SHORT;
	if (*rest->at >> 4 != 6 || ip->hop_limits == 0)
		return TERN_DROP_IP_HEADER;
	rest_skip(rest, sizeof(*ip));
	uint16_t length = rte_be_to_cpu_16(ip->payload_len);
	if (length > rest->size)
		return TERN_DROP_SHORT;
	if (ip->proto != IPPROTO_UDP)
		return ipv6_other(ip);
	if (!ipv6_is_host(ip->src_addr))
		return TERN_DROP_SOURCE;
	if (memcmp(ip->dst_addr, own->address, sizeof(ip->dst_addr)) != 0)
		return TERN_DROP_NOT_OURS;
	memcpy(rest->from.address, ip->src_addr, sizeof(ip->src_addr));
	rest->size = length;
	return udp_read(own, rte_ipv6_phdr_cksum(ip, 0), flags, rest);
}

/* Which carrier an EtherType belongs to. False: none. */
static bool carrier_of(uint16_t type, enum tern_carrier *carrier)
{
	switch (type) {
	case TERN_WIRE_ETHERTYPE:
		*carrier = TERN_CARRIER_ETHERNET;
		return true;
	case RTE_ETHER_TYPE_IPV4:
	case RTE_ETHER_TYPE_ARP:
		*carrier = TERN_CARRIER_IPV4;
		return true;
	case RTE_ETHER_TYPE_IPV6:
		*carrier = TERN_CARRIER_IPV6;
		return true;
	default:
		return false;
	}
}

/* Over raw Ethernet nobody is asked for a MAC: a node that has not spoken yet is sent to so. */
static bool is_broadcast(const uint8_t mac[6])
{
	static const uint8_t all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
	return memcmp(mac, all, sizeof(all)) == 0;
}

static enum tern_drop wrap_read(const struct tern_endpoint *own, struct rte_mbuf *mbuf,
				struct frame_rest *rest)
{
	struct tern_ethernet ethernet;
	enum tern_carrier carrier;
	enum tern_drop why = tern_ethernet_read(mbuf, own->vlan, &ethernet);
	if (why != TERN_DROP_NONE)
		return why;
	if (!carrier_of(ethernet.type, &carrier))
		return TERN_DROP_ETHERTYPE;
	if (carrier != own->carrier)
		return TERN_DROP_CARRIER;
	bool is_ours = memcmp(ethernet.to, own->mac, sizeof(own->mac)) == 0 ||
		       (carrier == TERN_CARRIER_ETHERNET && is_broadcast(ethernet.to));
	if (!is_ours && !(*ethernet.to & RTE_ETHER_GROUP_ADDR))
		return TERN_DROP_NOT_OURS;
	if (ethernet.type == RTE_ETHER_TYPE_ARP)
		return TERN_DROP_NEIGHBOUR;
	*rest = (struct frame_rest){.at = ethernet.payload, .size = ethernet.size};
	rest->from.carrier = carrier;
	rest->from.vlan = own->vlan;
	memcpy(rest->from.mac, ethernet.from, sizeof(rest->from.mac));
	if (carrier == TERN_CARRIER_IPV4)
		why = ipv4_read(own, mbuf->ol_flags, rest);
	else if (carrier == TERN_CARRIER_IPV6)
		why = ipv6_read(own, mbuf->ol_flags, rest);
	/* Only address resolution is sent to groups. */
	return why == TERN_DROP_NONE && !is_ours ? TERN_DROP_NOT_OURS : why;
}

/* Cut the mbuf down to a frame within it. */
static void frame_cut(struct rte_mbuf *mbuf, const struct tern_wire_header *header)
{
	const char *begin = (const char *)header;
	rte_pktmbuf_adj(mbuf, (uint16_t)(begin - rte_pktmbuf_mtod(mbuf, const char *)));
	rte_pktmbuf_trim(mbuf, (uint16_t)(rte_pktmbuf_data_len(mbuf) - header->length));
}

enum tern_drop tern_frame_read(const struct tern_endpoint *own, uint16_t node,
			       struct rte_mbuf *mbuf, struct tern_frame *frame)
{
	struct frame_rest rest;
	enum tern_drop why = wrap_read(own, mbuf, &rest);
	if (why != TERN_DROP_NONE)
		return why;
	const struct tern_wire_header *header = (const void *)rest.at;
	if (own->carrier != TERN_CARRIER_ETHERNET && rest.size >= sizeof(*header) &&
	    header->length < rest.size)
		return TERN_DROP_LENGTH;
	why = tern_frame_check(rest.at, rest.size, node, frame);
	if (why != TERN_DROP_NONE)
		return why;
	frame->from = rest.from;
	if (rte_mbuf_refcnt_read(mbuf) == 1)
		frame_cut(mbuf, header);
	return TERN_DROP_NONE;
}
