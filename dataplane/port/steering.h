/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STEERING_H
#define STEERING_H

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

/*
 * Which queue of a port a flow arrives at. A receiver that knows can tell its senders which source
 * port leads to which of its lcores; where it does not, lcores hand frames over to each other.
 */

#define TERN_STEERING_KEY_MAX 64u
#define TERN_STEERING_TABLE_MAX 512u

enum tern_steering_kind {
	TERN_STEERING_SINGLE,  /* there is one queue */
	TERN_STEERING_RSS,     /* by a hash that is known: tern_steering_source_port() */
	TERN_STEERING_UNKNOWN, /* spread somehow, or all to queue 0: hand over */
};

/** How a port spreads UDP flows over its queues. */
struct tern_steering {
	enum tern_steering_kind kind;
	uint16_t key_size; /* bytes, a multiple of 4; 40 and more serve IPv6 */
	uint16_t table_size;
	uint8_t key[TERN_STEERING_KEY_MAX];
	uint16_t table[TERN_STEERING_TABLE_MAX]; /* queue, by hash % table_size */
};

/** A flow, as the receiver sees it. Addresses in the network's order, of IPv4 the first 4 bytes. */
struct tern_steering_flow {
	bool is_ipv6;
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port; /* in the host's order */
};

/**
 * Ask a port of tern_ethdev_create() how it steers. What it does not tell makes it
 * TERN_STEERING_UNKNOWN.
 *
 * Context: any thread that is no lcore's, after the port has come up. Borrows `port`.
 */
void tern_steering_probe(struct tern_port *port, struct tern_steering *steering);

/**
 * The hash of a flow.
 *
 * Context: any thread; pure. Source: Microsoft, "RSS hashing functions" (Toeplitz), over source
 * address, destination address, source port, destination port.
 */
uint32_t tern_steering_hash(const struct tern_steering *steering,
			    const struct tern_steering_flow *flow);

/** The queue that a flow arrives at. Context: of TERN_STEERING_RSS; any thread; pure. */
uint16_t tern_steering_queue(const struct tern_steering *steering,
			     const struct tern_steering_flow *flow);

/**
 * Find a UDP source port that leads a flow to a queue.
 *
 * @param flow   its source_port is where the search begins; it goes on upwards, and round, over
 *               the dynamic ports 49,152 .. 65,535
 * @return a port; 0: none leads there
 *
 * Context: of TERN_STEERING_RSS; any thread; pure. Up to 16,384 hashes, some 100 ns each.
 */
uint16_t tern_steering_source_port(const struct tern_steering *steering,
				   const struct tern_steering_flow *flow, uint16_t queue);

/** How a port steers, in words, for people. */
const char *tern_steering_text(enum tern_steering_kind kind);

#endif
