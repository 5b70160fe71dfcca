/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <rte_mbuf.h>

#include "ethernet.h"
#include "frame.h"

/*
 * What ARP and neighbour discovery have in common: private to neighbour.c, arp.c and nd.c. Neither
 * keeps state.
 */

/** What a frame of either says. Addresses are as in struct tern_endpoint, all 0 where none. */
struct tern_resolution {
	bool is_request;   /* asks for `target` */
	bool is_solicited; /* an answer to a question of ours */
	bool is_override;  /* an answer that replaces what was known */
	bool has_mac;
	uint8_t address[16]; /* whose MAC it tells */
	uint8_t mac[6];	     /* 0 where it tells none */
	uint8_t target[16];
	uint8_t reply_to[6]; /* request: the MAC to be answered */
};

struct tern_resolver {
	uint16_t type; /* EtherType */
	uint8_t address_size;
	/** Whether a station can have an address. */
	bool (*is_host)(const uint8_t *address);
	/** Look at all of a frame. @param found  filled in where the result is TERN_DROP_NONE */
	enum tern_drop (*read)(const struct tern_endpoint *own,
			       const struct tern_ethernet *ethernet, struct tern_resolution *found);
	/* Writers return false where the frame has no room; it is as it was then. */
	/** @param to  the MAC that is asked; NULL: all are */
	bool (*ask)(const struct tern_endpoint *own, const uint8_t *target, const uint8_t *to,
		    struct rte_mbuf *frame);
	bool (*answer)(const struct tern_endpoint *own, const struct tern_resolution *asked,
		       struct rte_mbuf *frame);
	bool (*announce)(const struct tern_endpoint *own, struct rte_mbuf *frame);
};

extern const struct tern_resolver tern_arp;
extern const struct tern_resolver tern_nd;

#endif
