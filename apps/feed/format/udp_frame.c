/* SPDX-License-Identifier: Apache-2.0 */
#include "udp_frame.h"

#include "byte_order.h"

#define ETHERNET_LENGTH 14
#define VLAN_LENGTH 4
#define VLAN_TAGS_MAX 2
#define IPV4_LENGTH_MIN 20
#define IPV6_LENGTH 40
#define UDP_LENGTH 8
#define IPV6_EXTENSIONS_MAX 8

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86DD,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_QINQ = 0x88A8
};
enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_DESTINATION = 60
};

/* What is left of a frame, and what to call it when that is too little. */
struct rest {
	const uint8_t *bytes;
	size_t length;
	size_t uncaptured; /* bytes of the frame that the capture left out behind `length` */
};

static enum feed_anomaly too_short(const struct rest *rest, enum feed_anomaly otherwise)
{
	return rest->uncaptured ? FEED_PACKET_SNAPPED : otherwise;
}

static void advance(struct rest *rest, size_t length)
{
	rest->bytes += length;
	rest->length -= length;
}

/* Cut the rest to the length that a header claims; what lies behind is padding. */
static enum feed_anomaly limit(struct rest *rest, size_t length)
{
	if (length > rest->length + rest->uncaptured)
		return FEED_IP_LENGTH;
	if (length > rest->length)
		return FEED_PACKET_SNAPPED;
	rest->length = length;
	rest->uncaptured = 0;
	return FEED_OK;
}

static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (; length > 1; length -= 2, bytes += 2)
		sum += load_be16(bytes);
	return length ? sum + (uint32_t)(bytes[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)~sum;
}

/* `addresses`: source and destination as they stand in the IP header. */
static uint16_t udp_checksum(const uint8_t *addresses, size_t addresses_length, const uint8_t *udp,
			     size_t length)
{
	uint32_t sum = sum_words(0, addresses, addresses_length);
	return fold(sum_words(sum + PROTOCOL_UDP + (uint32_t)length, udp, length));
}

static enum feed_anomaly parse_udp(struct rest rest, const uint8_t *addresses,
				   size_t addresses_length, struct udp_datagram *datagram)
{
	if (rest.length < UDP_LENGTH)
		return FEED_UDP_LENGTH;
	size_t length = load_be16(rest.bytes + 4);
	if (length < UDP_LENGTH || length > rest.length)
		return FEED_UDP_LENGTH;
	int computed = load_be16(rest.bytes + 6) != 0 || addresses_length == 32;
	datagram->source_port = load_be16(rest.bytes);
	datagram->destination_port = load_be16(rest.bytes + 2);
	datagram->payload = rest.bytes + UDP_LENGTH;
	datagram->length = length - UDP_LENGTH;
	datagram->udp_checksum_wrong =
		computed && udp_checksum(addresses, addresses_length, rest.bytes, length) != 0;
	return FEED_OK;
}

static enum feed_anomaly parse_ipv4(struct rest rest, struct udp_datagram *datagram)
{
	if (rest.length < IPV4_LENGTH_MIN)
		return too_short(&rest, FEED_FRAME_SHORT);
	const uint8_t *header = rest.bytes;
	size_t header_length = (size_t)(header[0] & 0x0F) * 4;
	if (header[0] >> 4 != 4)
		return FEED_IP_VERSION;
	if (header_length < IPV4_LENGTH_MIN)
		return FEED_IP_HEADER_LENGTH;
	enum feed_anomaly anomaly = limit(&rest, load_be16(header + 2));
	if (anomaly != FEED_OK)
		return anomaly;
	if (rest.length < header_length)
		return FEED_IP_HEADER_LENGTH;
	if (load_be16(header + 6) & 0x3FFF)
		return FEED_IP_FRAGMENT;
	if (header[9] != PROTOCOL_UDP)
		return FEED_PROTOCOL_OTHER;
	advance(&rest, header_length);
	struct udp_datagram found = {
		.ip_checksum_wrong = load_be16(header + 10) != 0 &&
				     fold(sum_words(0, header, header_length)) != 0,
	};
	anomaly = parse_udp(rest, header + 12, 8, &found);
	if (anomaly == FEED_OK)
		*datagram = found;
	return anomaly;
}

/* Step over the extension headers to UDP. */
static enum feed_anomaly skip_extensions(struct rest *rest, uint8_t protocol)
{
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		if (protocol == PROTOCOL_UDP)
			return FEED_OK;
		if (protocol == PROTOCOL_FRAGMENT)
			return FEED_IP_FRAGMENT;
		if (protocol != PROTOCOL_HOP_BY_HOP && protocol != PROTOCOL_ROUTING &&
		    protocol != PROTOCOL_DESTINATION)
			return FEED_PROTOCOL_OTHER;
		if (rest->length < 8)
			return FEED_IP_HEADER_LENGTH;
		size_t length = ((size_t)rest->bytes[1] + 1) * 8;
		if (rest->length < length)
			return FEED_IP_HEADER_LENGTH;
		protocol = rest->bytes[0];
		advance(rest, length);
	}
	return FEED_IP_HEADER_LENGTH;
}

static enum feed_anomaly parse_ipv6(struct rest rest, struct udp_datagram *datagram)
{
	if (rest.length < IPV6_LENGTH)
		return too_short(&rest, FEED_FRAME_SHORT);
	const uint8_t *header = rest.bytes;
	if (header[0] >> 4 != 6)
		return FEED_IP_VERSION;
	advance(&rest, IPV6_LENGTH);
	enum feed_anomaly anomaly = limit(&rest, load_be16(header + 4));
	if (anomaly == FEED_OK)
		anomaly = skip_extensions(&rest, header[6]);
	if (anomaly != FEED_OK)
		return anomaly;
	struct udp_datagram found = {.ip_checksum_wrong = false};
	anomaly = parse_udp(rest, header + 8, 32, &found);
	if (anomaly == FEED_OK)
		*datagram = found;
	return anomaly;
}

enum feed_anomaly udp_frame_parse(const uint8_t *frame, size_t captured, size_t wire_length,
				  struct udp_datagram *datagram)
{
	struct rest rest = {frame, captured, wire_length > captured ? wire_length - captured : 0};
	if (rest.length < ETHERNET_LENGTH)
		return too_short(&rest, FEED_FRAME_SHORT);
	uint16_t type = load_be16(frame + 12);
	advance(&rest, ETHERNET_LENGTH);
	for (int tags = 0; type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ; tags++) {
		if (tags == VLAN_TAGS_MAX)
			return FEED_ETHERTYPE_OTHER;
		if (rest.length < VLAN_LENGTH)
			return too_short(&rest, FEED_FRAME_SHORT);
		type = load_be16(rest.bytes + 2);
		advance(&rest, VLAN_LENGTH);
	}
	if (type == ETHERTYPE_IPV4)
		return parse_ipv4(rest, datagram);
	if (type == ETHERTYPE_IPV6)
		return parse_ipv6(rest, datagram);
	return FEED_ETHERTYPE_OTHER;
}

static void write_ethernet(uint8_t *to, const struct udp_endpoints *endpoints)
{
	static const uint8_t source[6] = {0x02, 0, 0, 0, 0, 0x01};
	uint32_t group = endpoints->destination_address & 0x7FFFFF;
	store_be16(to, 0x0100);
	store_be32(to + 2, 0x5E000000 | group);
	memcpy(to + 6, source, sizeof(source));
	store_be16(to + 12, ETHERTYPE_IPV4);
}

void udp_frame_write(uint8_t *frame, size_t payload_length, const struct udp_endpoints *endpoints)
{
	uint8_t *ip = frame + ETHERNET_LENGTH;
	uint8_t *udp = ip + IPV4_LENGTH_MIN;
	size_t udp_length = UDP_LENGTH + payload_length;
	write_ethernet(frame, endpoints);
	memset(ip, 0, IPV4_LENGTH_MIN + UDP_LENGTH);
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(IPV4_LENGTH_MIN + udp_length));
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 16;   /* hops */
	ip[9] = PROTOCOL_UDP;
	store_be32(ip + 12, endpoints->source_address);
	store_be32(ip + 16, endpoints->destination_address);
	store_be16(ip + 10, fold(sum_words(0, ip, IPV4_LENGTH_MIN)));
	store_be16(udp, endpoints->source_port);
	store_be16(udp + 2, endpoints->destination_port);
	store_be16(udp + 4, (uint16_t)udp_length);
	uint16_t checksum = udp_checksum(ip + 12, 8, udp, udp_length);
	store_be16(udp + 6, checksum ? checksum : 0xFFFF);
}
