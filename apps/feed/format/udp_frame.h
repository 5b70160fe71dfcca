/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_UDP_FRAME_H
#define FEED_UDP_FRAME_H

#include "feed_anomaly.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the Ethernet, IPv4 and UDP headers that udp_frame_write() puts before a payload. */
#define UDP_FRAME_HEADER_LENGTH 42

/** The UDP payload of one captured Ethernet frame. */
struct udp_datagram {
	const uint8_t *payload; /* borrows from the frame */
	size_t length;
	uint16_t source_port;
	uint16_t destination_port;
	bool ip_checksum_wrong;	 /* 0 in the packet counts as "not computed", hence right */
	bool udp_checksum_wrong; /* likewise over IPv4 */
};

/**
 * Find the UDP payload in an Ethernet frame: up to two VLAN tags, IPv4 with options or IPv6 with
 * hop-by-hop, routing and destination options headers, UDP.
 *
 * @param frame        borrows; from the destination address on, without the check sequence
 * @param captured     bytes at `frame`
 * @param wire_length  bytes the frame had; more than `captured` if the capture cut it
 * @param datagram     written on FEED_OK only
 * @return FEED_OK; FEED_PACKET_SNAPPED if bytes that matter were not captured; FEED_FRAME_SHORT,
 *         _ETHERTYPE_OTHER, _IP_VERSION, _IP_HEADER_LENGTH, _IP_LENGTH, _IP_FRAGMENT,
 *         _PROTOCOL_OTHER or _UDP_LENGTH
 *
 * Context: any thread. Source: IEEE 802.3, 802.1Q; RFC 791, 8200, 768.
 */
enum feed_anomaly udp_frame_parse(const uint8_t *frame, size_t captured, size_t wire_length,
				  struct udp_datagram *datagram);

/** Where udp_frame_write() sends: IPv4 addresses and ports in host order. */
struct udp_endpoints {
	uint32_t source_address;
	uint32_t destination_address; /* a multicast group */
	uint16_t source_port;
	uint16_t destination_port;
};

/**
 * Write the headers before a UDP payload that already stands in the frame.
 *
 * @param frame           UDP_FRAME_HEADER_LENGTH bytes of room, then the payload
 * @param payload_length  0..65507
 * @param endpoints       borrows
 *
 * Checksums are computed. Context: any thread.
 */
void udp_frame_write(uint8_t *frame, size_t payload_length, const struct udp_endpoints *endpoints);

#endif
