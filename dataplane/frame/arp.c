/* SPDX-License-Identifier: Apache-2.0 */
/* ARP, for neighbour.c. Source: RFC 826, RFC 5227 */
#include "resolver.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#define ARP_ADDRESS 4u
#define GROUP_FIRST 224u

static const uint8_t arp_all[RTE_ETHER_ADDR_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static bool arp_is_host(const uint8_t *address)
{
	return address[0] != 0 && address[0] < GROUP_FIRST;
}

static bool arp_header_is_right(const struct rte_arp_hdr *arp)
{
	return arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
	       arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       arp->arp_hlen == RTE_ETHER_ADDR_LEN && arp->arp_plen == ARP_ADDRESS &&
	       (arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) ||
		arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY));
}

static enum tern_drop arp_read(const struct tern_endpoint *own,
			       const struct tern_ethernet *ethernet, struct tern_resolution *found)
{
	const struct rte_arp_hdr *arp = (const void *)ethernet->payload;
	if (ethernet->size < sizeof(*arp))
		return TERN_DROP_SHORT;
	if (!arp_header_is_right(arp))
		return TERN_DROP_RESOLUTION;
	struct tern_resolution said = {
		.is_request = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST),
		.is_override = true,
		.has_mac = true,
	};
	memcpy(said.address, &arp->arp_data.arp_sip, ARP_ADDRESS);
	memcpy(said.mac, &arp->arp_data.arp_sha, sizeof(said.mac));
	memcpy(said.target, &arp->arp_data.arp_tip, ARP_ADDRESS);
	memcpy(said.reply_to, said.mac, sizeof(said.mac));
	said.is_solicited = !said.is_request && memcmp(said.target, own->address, ARP_ADDRESS) == 0;
	/* Who asks before he takes an address has none yet. */
	bool is_probe = said.is_request && arp->arp_data.arp_sip == 0;
	if (!tern_mac_is_station(said.mac) || (!is_probe && !arp_is_host(said.address)))
		return TERN_DROP_RESOLUTION;
	*found = said;
	return TERN_DROP_NONE;
}

/* A frame from the own address, but for the parts about who is asked or answered. */
static struct rte_arp_hdr *arp_put(const struct tern_endpoint *own, const uint8_t *to,
				   uint16_t opcode, struct rte_mbuf *frame)
{
	struct rte_arp_hdr *arp =
		tern_ethernet_put(own, to, RTE_ETHER_TYPE_ARP, sizeof(*arp), frame);
	if (!arp)
		return NULL;
	*arp = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = ARP_ADDRESS,
		.arp_opcode = rte_cpu_to_be_16(opcode),
	};
	memcpy(&arp->arp_data.arp_sha, own->mac, sizeof(own->mac));
	memcpy(&arp->arp_data.arp_sip, own->address, ARP_ADDRESS);
	return arp;
}

static bool arp_ask(const struct tern_endpoint *own, const uint8_t *target, const uint8_t *to,
		    struct rte_mbuf *frame)
{
	struct rte_arp_hdr *arp = arp_put(own, to ? to : arp_all, RTE_ARP_OP_REQUEST, frame);
	if (!arp)
		return false;
	memcpy(&arp->arp_data.arp_tip, target, ARP_ADDRESS);
	return true;
}

static bool arp_answer(const struct tern_endpoint *own, const struct tern_resolution *asked,
		       struct rte_mbuf *frame)
{
	struct rte_arp_hdr *arp = arp_put(own, asked->reply_to, RTE_ARP_OP_REPLY, frame);
	if (!arp)
		return false;
	memcpy(&arp->arp_data.arp_tha, asked->reply_to, sizeof(asked->reply_to));
	memcpy(&arp->arp_data.arp_tip, asked->address, ARP_ADDRESS);
	return true;
}

static bool arp_announce(const struct tern_endpoint *own, struct rte_mbuf *frame)
{
	return arp_ask(own, own->address, NULL, frame);
}

const struct tern_resolver tern_arp = {
	.type = RTE_ETHER_TYPE_ARP,
	.address_size = ARP_ADDRESS,
	.is_host = arp_is_host,
	.read = arp_read,
	.ask = arp_ask,
	.answer = arp_answer,
	.announce = arp_announce,
};
