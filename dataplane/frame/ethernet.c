/* SPDX-License-Identifier: Apache-2.0 */
/* Called by frame_read.c, wrap.c, neighbour.c, arp.c and nd.c, on the lcore that has the frame. */
#include "ethernet.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#define VLAN_ID_MASK 0x0FFFu

bool tern_mac_is_station(const uint8_t mac[6])
{
	return !(mac[0] & RTE_ETHER_GROUP_ADDR) &&
	       (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

static bool ethernet_join(struct rte_mbuf *mbuf)
{
	if (rte_pktmbuf_is_contiguous(mbuf))
		return true;
	return RTE_MBUF_DIRECT(mbuf) && rte_mbuf_refcnt_read(mbuf) == 1 &&
	       rte_pktmbuf_linearize(mbuf) == 0;
}

static uint16_t ethernet_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* Take a tag off the payload. Returns its VLAN, 0 where it has none, -1 where there is no room. */
static int ethernet_untag(struct tern_ethernet *ethernet)
{
	if (ethernet->type != RTE_ETHER_TYPE_VLAN)
		return 0;
	if (ethernet->size < sizeof(struct rte_vlan_hdr))
		return -1;
	uint16_t tag = ethernet_u16(ethernet->payload);
	ethernet->type = ethernet_u16(ethernet->payload + sizeof(tag));
	ethernet->payload += sizeof(struct rte_vlan_hdr);
	ethernet->size -= (uint32_t)sizeof(struct rte_vlan_hdr);
	return tag & VLAN_ID_MASK;
}

enum tern_drop tern_ethernet_read(struct rte_mbuf *mbuf, uint16_t vlan,
				  struct tern_ethernet *ethernet)
{
	if (!ethernet_join(mbuf))
		return TERN_DROP_SEGMENTS;
	if (rte_pktmbuf_data_len(mbuf) < RTE_ETHER_HDR_LEN)
		return TERN_DROP_SHORT;
	const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct tern_ethernet found = {
		.to = bytes,
		.from = bytes + RTE_ETHER_ADDR_LEN,
		.payload = bytes + RTE_ETHER_HDR_LEN,
		.size = rte_pktmbuf_data_len(mbuf) - RTE_ETHER_HDR_LEN,
		.type = ethernet_u16(bytes + 2 * RTE_ETHER_ADDR_LEN),
	};
	uint16_t stripped = 0;
	if (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		stripped = mbuf->vlan_tci & VLAN_ID_MASK;
	int tagged = ethernet_untag(&found);
	if (tagged < 0)
		return TERN_DROP_SHORT;
	if (stripped && tagged)
		return TERN_DROP_VLAN;
	if ((stripped | tagged) != vlan)
		return TERN_DROP_VLAN;
	if (!tern_mac_is_station(found.from))
		return TERN_DROP_SOURCE;
	*ethernet = found;
	return TERN_DROP_NONE;
}

uint8_t *tern_ethernet_write(const struct tern_endpoint *own, const uint8_t *to, uint16_t type,
			     uint8_t *at)
{
	struct rte_ether_hdr *ethernet = (void *)at;
	memcpy(&ethernet->dst_addr, to, sizeof(ethernet->dst_addr));
	memcpy(&ethernet->src_addr, own->mac, sizeof(ethernet->src_addr));
	ethernet->ether_type = rte_cpu_to_be_16(type);
	at += sizeof(*ethernet);
	if (own->vlan) {
		struct rte_vlan_hdr *tag = (void *)at;
		tag->vlan_tci = rte_cpu_to_be_16(own->vlan);
		tag->eth_proto = ethernet->ether_type;
		ethernet->ether_type = RTE_BE16(RTE_ETHER_TYPE_VLAN);
		at += sizeof(*tag);
	}
	return at;
}

void *tern_ethernet_put(const struct tern_endpoint *own, const uint8_t *to, uint16_t type,
			uint16_t size, struct rte_mbuf *frame)
{
	size_t header =
		sizeof(struct rte_ether_hdr) + (own->vlan ? sizeof(struct rte_vlan_hdr) : 0);
	char *bytes = rte_pktmbuf_append(frame, (uint16_t)(header + size));
	if (!bytes)
		return NULL;
	return memset(tern_ethernet_write(own, to, type, (uint8_t *)bytes), 0, size);
}
