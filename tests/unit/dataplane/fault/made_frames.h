/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MADE_FRAMES_H
#define MADE_FRAMES_H

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/frame/wire.h"
#include "tests/unit/dataplane/mbufs.h"

/* Frames as bytes, made by hand: not by the code under test, nor by that of frame/. */

enum made_wrap { MADE_ETHERNET, MADE_IPV4, MADE_IPV6, MADE_WRAPS };

static inline unsigned char *made_ether(unsigned char *at, uint16_t type, bool has_vlan)
{
	memset(at, 2, 12);
	at += 12;
	if (has_vlan) {
		memcpy(at, (unsigned char[]){0x81, 0x00, 0x00, 0x07}, 4);
		at += 4;
	}
	*at++ = (unsigned char)(type >> 8);
	*at++ = (unsigned char)type;
	return at;
}

/** Bytes before a Tern frame. Returns how many. */
static inline size_t made_wrap_put(unsigned char *bytes, enum made_wrap wrap, bool has_vlan)
{
	unsigned char *at = bytes;
	struct rte_ipv4_hdr v4 = {.version_ihl = 0x45, .next_proto_id = 17};
	struct rte_ipv6_hdr v6 = {.proto = 17};
	if (wrap == MADE_ETHERNET)
		return (size_t)(made_ether(at, 0x88B5, has_vlan) - bytes);
	at = made_ether(at, wrap == MADE_IPV4 ? 0x0800 : 0x86DD, has_vlan);
	if (wrap == MADE_IPV4)
		memcpy(at, &v4, sizeof(v4));
	else
		memcpy(at, &v6, sizeof(v6));
	at += wrap == MADE_IPV4 ? sizeof(v4) : sizeof(v6);
	memset(at, 9, sizeof(struct rte_udp_hdr));
	return (size_t)(at - bytes) + sizeof(struct rte_udp_hdr);
}

/** A whole frame: a Tern header, the fixed part of a DATA body, a number. Returns its size. */
static inline size_t made_bytes(unsigned char *bytes, enum made_wrap wrap, bool has_vlan,
				uint8_t kind, uint8_t flow_class, uint64_t number)
{
	struct tern_wire_header header = {
		.version = TERN_WIRE_VERSION, .kind = kind, .from_node = 11, .to_node = 22};
	struct tern_wire_data data = {.flow_class = flow_class, .count = 1};
	size_t at = made_wrap_put(bytes, wrap, has_vlan);
	memcpy(bytes + at, &header, sizeof(header));
	memcpy(bytes + at + sizeof(header), &data, sizeof(data));
	memcpy(bytes + at + sizeof(header) + sizeof(data), &number, sizeof(number));
	return at + sizeof(header) + sizeof(data) + sizeof(number);
}

/** The same in an mbuf of one segment. */
static inline struct rte_mbuf *made_frame(struct rte_mempool *pool, uint8_t kind,
					  uint8_t flow_class, uint64_t number)
{
	unsigned char bytes[256];
	size_t size = made_bytes(bytes, MADE_ETHERNET, false, kind, flow_class, number);
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	if (!frame) {
		fprintf(stderr, "a test's pool is empty\n");
		abort();
	}
	memcpy(rte_pktmbuf_append(frame, (uint16_t)size), bytes, size);
	return frame;
}

/** The number in such a frame. */
static inline uint64_t made_number(const struct rte_mbuf *frame)
{
	uint64_t number;
	memcpy(&number,
	       rte_pktmbuf_mtod_offset(frame, const char *,
				       rte_pktmbuf_pkt_len(frame) - sizeof(number)),
	       sizeof(number));
	return number;
}

#endif
