/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LABEL_H
#define LABEL_H

#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/frame/wire.h"

/** A frame that is none of Tern's: ARP, neighbour discovery, what is cut off, what is foreign. */
#define TERN_LABEL_OTHER TERN_WIRE_KINDS

/** What a fault rule may choose a frame by. */
struct tern_label {
	uint8_t kind;	    /* enum tern_wire_kind, or TERN_LABEL_OTHER and all else 0 */
	uint8_t flow_class; /* of DATA, else 0 */
	uint16_t from_node, to_node;
};

/**
 * Find what a frame is, whatever its wrap: with a VLAN tag or without, raw Ethernet, IPv4 or IPv6
 * with UDP of any port. Nothing is checked, and no frame is taken for wrong: this is not
 * tern_frame_read().
 *
 * Context: any thread. Borrows the frame, of any number of segments, and leaves it unchanged.
 */
struct tern_label tern_label_of(const struct rte_mbuf *frame);

#endif
