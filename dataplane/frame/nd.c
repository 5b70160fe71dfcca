/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery of IPv6, for neighbour.c. Source: RFC 4861, sections 4 and 7 */
#include "nd.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "resolver.h"

#define ND_ADDRESS 16u
#define ND_HOPS 255 /* what came through a router has less */
#define ND_FLAG_SOLICITED 0x40u
#define ND_FLAG_OVERRIDE 0x20u
#define ND_OPTION_SOURCE 1
#define ND_OPTION_TARGET 2
#define ND_OPTION_UNIT 8u /* its length counts these */

/** A question or an answer, behind its IPv6 header. */
struct nd_message {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint8_t flags;
	uint8_t reserved[3];
	uint8_t target[ND_ADDRESS];
} __attribute__((packed));

/** The option that tells a MAC. */
struct nd_option {
	uint8_t type;
	uint8_t units;
	uint8_t mac[6];
};

/** What Tern sends: a message with one option. */
struct nd_packet {
	struct rte_ipv6_hdr ip;
	struct nd_message message;
	struct nd_option option;
} __attribute__((packed));

static const uint8_t nd_none[ND_ADDRESS];
static const uint8_t nd_all_nodes[ND_ADDRESS] = {0xFF, 0x02, [15] = 1};

/* The group in which who has an address listens: the last three bytes are the address's. */
static void nd_group_of(const uint8_t *address, uint8_t group[ND_ADDRESS])
{
	static const uint8_t prefix[13] = {0xFF, 0x02, [11] = 1, 0xFF};
	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + sizeof(prefix), address + sizeof(prefix), ND_ADDRESS - sizeof(prefix));
}

static void nd_group_mac(const uint8_t group[ND_ADDRESS], uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + ND_ADDRESS - 4, 4);
}

static bool nd_is_group(const uint8_t *address)
{
	return address[0] == 0xFF;
}

static bool nd_is_host(const uint8_t *address)
{
	return !nd_is_group(address) && memcmp(address, nd_none, ND_ADDRESS) != 0;
}

static bool nd_checksum_fits(const struct rte_ipv6_hdr *ip)
{
	uint32_t sum = (uint32_t)rte_raw_cksum(ip + 1, rte_be_to_cpu_16(ip->payload_len)) +
		       rte_ipv6_phdr_cksum(ip, 0);
	return (sum & 0xFFFF) + (sum >> 16) == 0xFFFF;
}

/* Find a MAC among options. Returns false where they are not well formed, or it is none. */
static bool nd_options_read(const uint8_t *at, size_t size, uint8_t type,
			    struct tern_resolution *said)
{
	while (size) {
		size_t length = size >= 2 ? at[1] * ND_OPTION_UNIT : 0;
		if (length == 0 || length > size)
			return false;
		if (at[0] == type) {
			if (length != sizeof(struct nd_option))
				return false;
			memcpy(said->mac, at + 2, sizeof(said->mac));
			said->has_mac = true;
		}
		at += length;
		size -= length;
	}
	return !said->has_mac || tern_mac_is_station(said->mac);
}

static bool nd_is_to_us(const struct tern_endpoint *own, const uint8_t *to)
{
	uint8_t group[ND_ADDRESS];
	nd_group_of(own->address, group);
	return memcmp(to, own->address, ND_ADDRESS) == 0 || memcmp(to, group, ND_ADDRESS) == 0 ||
	       memcmp(to, nd_all_nodes, ND_ADDRESS) == 0;
}

static enum tern_drop nd_header_check(const struct tern_endpoint *own,
				      const struct tern_ethernet *ethernet)
{
	const struct rte_ipv6_hdr *ip = (const void *)ethernet->payload;
	const struct nd_message *message = (const void *)(ip + 1);
	if (ethernet->size < sizeof(*ip) + sizeof(*message) ||
	    ethernet->size < sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len))
		return TERN_DROP_SHORT;
	if (rte_be_to_cpu_16(ip->payload_len) < sizeof(*message))
		return TERN_DROP_LENGTH;
	if (ethernet->payload[0] >> 4 != 6 || ip->hop_limits != ND_HOPS)
		return TERN_DROP_IP_HEADER;
	if (ip->proto != IPPROTO_ICMPV6)
		return TERN_DROP_PROTOCOL;
	if (!nd_checksum_fits(ip))
		return TERN_DROP_RESOLUTION;
	if (nd_is_group(ip->src_addr))
		return TERN_DROP_SOURCE;
	return nd_is_to_us(own, ip->dst_addr) ? TERN_DROP_NONE : TERN_DROP_NOT_OURS;
}

/* A question. Who has no address yet asks a group, and tells no MAC. */
static bool nd_solicit_read(const struct rte_ipv6_hdr *ip, const struct nd_message *message,
			    size_t options, struct tern_resolution *said)
{
	said->is_request = true;
	memcpy(said->address, ip->src_addr, ND_ADDRESS);
	memcpy(said->target, message->target, ND_ADDRESS);
	if (!nd_options_read((const uint8_t *)(message + 1), options, ND_OPTION_SOURCE, said))
		return false;
	if (nd_is_host(ip->src_addr)) {
		if (said->has_mac)
			memcpy(said->reply_to, said->mac, sizeof(said->mac));
		return true;
	}
	return nd_is_group(ip->dst_addr) && !said->has_mac;
}

static bool nd_advert_read(const struct rte_ipv6_hdr *ip, const struct nd_message *message,
			   size_t options, struct tern_resolution *said)
{
	said->is_solicited = message->flags & ND_FLAG_SOLICITED;
	said->is_override = message->flags & ND_FLAG_OVERRIDE;
	memcpy(said->address, message->target, ND_ADDRESS);
	return nd_is_host(ip->src_addr) && !(said->is_solicited && nd_is_group(ip->dst_addr)) &&
	       nd_options_read((const uint8_t *)(message + 1), options, ND_OPTION_TARGET, said);
}

static enum tern_drop nd_read(const struct tern_endpoint *own, const struct tern_ethernet *ethernet,
			      struct tern_resolution *found)
{
	const struct rte_ipv6_hdr *ip = (const void *)ethernet->payload;
	const struct nd_message *message = (const void *)(ip + 1);
	struct tern_resolution said = {.is_request = false};
	enum tern_drop why = nd_header_check(own, ethernet);
	if (why != TERN_DROP_NONE)
		return why;
	size_t options = rte_be_to_cpu_16(ip->payload_len) - sizeof(*message);
	memcpy(said.reply_to, ethernet->from, sizeof(said.reply_to));
	bool is_right = message->code == 0 && nd_is_host(message->target);
	if (message->type == TERN_ND_SOLICIT)
		is_right = is_right && nd_solicit_read(ip, message, options, &said);
	else
		is_right = is_right && message->type == TERN_ND_ADVERT &&
			   nd_advert_read(ip, message, options, &said);
	if (!is_right)
		return TERN_DROP_RESOLUTION;
	*found = said;
	return TERN_DROP_NONE;
}

/* Where a packet goes to, and what it says. */
struct nd_saying {
	const uint8_t *to;     /* address */
	const uint8_t *to_mac; /* NULL: the group's */
	const uint8_t *target;
	uint8_t type;
	uint8_t flags;
};

static bool nd_put(const struct tern_endpoint *own, const struct nd_saying *saying,
		   struct rte_mbuf *frame)
{
	uint8_t mac[6];
	nd_group_mac(saying->to, mac);
	struct nd_packet *packet = tern_ethernet_put(own, saying->to_mac ? saying->to_mac : mac,
						     RTE_ETHER_TYPE_IPV6, sizeof(*packet), frame);
	if (!packet)
		return false;
	*packet = (struct nd_packet){
		.ip = {.vtc_flow = RTE_BE32(6u << 28),
		       .payload_len = RTE_BE16(sizeof(*packet) - sizeof(packet->ip)),
		       .proto = IPPROTO_ICMPV6,
		       .hop_limits = ND_HOPS},
		.message = {.type = saying->type, .flags = saying->flags},
		.option = {.type = saying->type == TERN_ND_SOLICIT ? ND_OPTION_SOURCE
								   : ND_OPTION_TARGET,
			   .units = sizeof(struct nd_option) / ND_OPTION_UNIT},
	};
	memcpy(packet->ip.src_addr, own->address, ND_ADDRESS);
	memcpy(packet->ip.dst_addr, saying->to, ND_ADDRESS);
	memcpy(packet->message.target, saying->target, ND_ADDRESS);
	memcpy(packet->option.mac, own->mac, sizeof(own->mac));
	uint32_t sum =
		(uint32_t)rte_raw_cksum(&packet->message, sizeof(*packet) - sizeof(packet->ip)) +
		rte_ipv6_phdr_cksum(&packet->ip, 0);
	packet->message.checksum = (uint16_t) ~((sum & 0xFFFF) + (sum >> 16));
	return true;
}

static bool nd_ask(const struct tern_endpoint *own, const uint8_t *target, const uint8_t *to,
		   struct rte_mbuf *frame)
{
	uint8_t group[ND_ADDRESS];
	nd_group_of(target, group);
	return nd_put(own,
		      &(struct nd_saying){.to = to ? target : group,
					  .to_mac = to,
					  .target = target,
					  .type = TERN_ND_SOLICIT},
		      frame);
}

static bool nd_answer(const struct tern_endpoint *own, const struct tern_resolution *asked,
		      struct rte_mbuf *frame)
{
	struct nd_saying saying = {.to = asked->address,
				   .to_mac = asked->reply_to,
				   .target = own->address,
				   .type = TERN_ND_ADVERT,
				   .flags = ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE};
	if (!nd_is_host(asked->address)) {
		saying.to = nd_all_nodes;
		saying.to_mac = NULL;
		saying.flags = ND_FLAG_OVERRIDE;
	}
	return nd_put(own, &saying, frame);
}

static bool nd_announce(const struct tern_endpoint *own, struct rte_mbuf *frame)
{
	return nd_answer(own, &(struct tern_resolution){.is_request = true}, frame);
}

const struct tern_resolver tern_nd = {
	.type = RTE_ETHER_TYPE_IPV6,
	.address_size = ND_ADDRESS,
	.is_host = nd_is_host,
	.read = nd_read,
	.ask = nd_ask,
	.answer = nd_answer,
	.announce = nd_announce,
};
