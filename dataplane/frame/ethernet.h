/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETHERNET_H
#define ETHERNET_H

#include <rte_mbuf.h>

#include "drop.h"
#include "frame.h"

/*
 * What frame_read.c and neighbour.c both read first: Ethernet and its tag. Private to this room.
 */

/** An Ethernet frame in one segment. Borrows the mbuf's bytes. */
struct tern_ethernet {
	const uint8_t *to; /* 6 bytes each */
	const uint8_t *from;
	const uint8_t *payload;
	uint32_t size; /* of the payload, padding included */
	uint16_t type; /* EtherType, in the host's order */
};

/**
 * Read the Ethernet header of a frame from a port, join its segments where that changes no bytes
 * that others hold, and see that it is of a VLAN. A tag that the port took off counts, too; one
 * that gives a priority alone is none.
 *
 * @param vlan      0: none
 * @param ethernet  filled in where the result is TERN_DROP_NONE
 */
enum tern_drop tern_ethernet_read(struct rte_mbuf *mbuf, uint16_t vlan,
				  struct tern_ethernet *ethernet);

/**
 * Append an Ethernet header from an endpoint's MAC, with its VLAN's tag, to an empty mbuf, and
 * room.
 *
 * @param to    MAC that it goes to
 * @param type  EtherType, in the host's order
 * @param size  bytes of the payload; all are set to 0
 * @return the payload; NULL where the mbuf has no room: it is as it was
 */
void *tern_ethernet_put(const struct tern_endpoint *own, const uint8_t *to, uint16_t type,
			uint16_t size, struct rte_mbuf *frame);

/** Write the header alone. Returns where the payload begins. */
uint8_t *tern_ethernet_write(const struct tern_endpoint *own, const uint8_t *to, uint16_t type,
			     uint8_t *at);

/** Whether a station can have this address: neither a group's nor 0. */
bool tern_mac_is_station(const uint8_t mac[6]);

#endif
