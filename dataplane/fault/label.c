/* SPDX-License-Identifier: Apache-2.0 */
#include "label.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

enum { NO_TERN = 0 };

/* Bytes of a frame, at whatever address and in however many segments. false: it ends before. */
static bool label_copy_bytes(const struct rte_mbuf *frame, uint32_t at, void *to, uint32_t size)
{
	const void *from = rte_pktmbuf_read(frame, at, size, to);
	if (from && from != to)
		memcpy(to, from, size);
	return from != NULL;
}

/* The EtherType behind what tags there are; `at` goes to what follows it. */
static uint16_t label_ether_type(const struct rte_mbuf *frame, uint32_t *at)
{
	rte_be16_t type;
	*at = 2 * RTE_ETHER_ADDR_LEN;
	while (label_copy_bytes(frame, *at, &type, sizeof(type))) {
		bool is_tag = type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		*at += is_tag ? (uint32_t)sizeof(struct rte_vlan_hdr) : (uint32_t)sizeof(type);
		if (!is_tag)
			return rte_be_to_cpu_16(type);
	}
	return 0;
}

/* Where UDP's payload begins behind an IPv4 header at `at`. */
static uint32_t label_behind_ipv4(const struct rte_mbuf *frame, uint32_t at)
{
	struct rte_ipv4_hdr ip;
	if (!label_copy_bytes(frame, at, &ip, sizeof(ip)) || ip.next_proto_id != IPPROTO_UDP)
		return NO_TERN;
	return at + rte_ipv4_hdr_len(&ip) + (uint32_t)sizeof(struct rte_udp_hdr);
}

/* Where UDP's payload begins behind an IPv6 header at `at`. */
static uint32_t label_behind_ipv6(const struct rte_mbuf *frame, uint32_t at)
{
	struct rte_ipv6_hdr ip;
	if (!label_copy_bytes(frame, at, &ip, sizeof(ip)) || ip.proto != IPPROTO_UDP)
		return NO_TERN;
	return at + (uint32_t)(sizeof(ip) + sizeof(struct rte_udp_hdr));
}

/* Where a Tern header would begin. */
static uint32_t label_tern_at(const struct rte_mbuf *frame)
{
	uint32_t at;
	switch (label_ether_type(frame, &at)) {
	case TERN_WIRE_ETHERTYPE:
		return at;
	case RTE_ETHER_TYPE_IPV4:
		return label_behind_ipv4(frame, at);
	case RTE_ETHER_TYPE_IPV6:
		return label_behind_ipv6(frame, at);
	default:
		return NO_TERN;
	}
}

struct tern_label tern_label_of(const struct rte_mbuf *frame)
{
	const struct tern_label other = {.kind = TERN_LABEL_OTHER};
	struct tern_label label;
	struct tern_wire_header header;
	uint32_t at = label_tern_at(frame);
	if (at == NO_TERN || !label_copy_bytes(frame, at, &header, sizeof(header)) ||
	    header.version != TERN_WIRE_VERSION || header.kind == 0 ||
	    header.kind >= TERN_WIRE_KINDS)
		return other;
	label = (struct tern_label){
		.kind = header.kind, .from_node = header.from_node, .to_node = header.to_node};
	at += (uint32_t)(sizeof(header) + offsetof(struct tern_wire_data, flow_class));
	if (header.kind == TERN_WIRE_DATA)
		label_copy_bytes(frame, at, &label.flow_class, sizeof(label.flow_class));
	return label;
}
