/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/*
 * A port: a device that takes and gives frames in bursts. rte_ethdev is one (ethdev.h), the
 * simulator's network another. A queue is one lcore's: nobody else touches it.
 */
struct tern_port;

/** What a port does by itself, when asked for by flags of a frame. */
enum tern_port_offload {
	TERN_PORT_IPV4_CHECKSUM = 1 << 0, /* of IPv4 headers, on sending */
	TERN_PORT_UDP_CHECKSUM = 1 << 1,  /* on sending */
	TERN_PORT_CHECKED = 1 << 2,	  /* received frames carry RTE_MBUF_F_RX_*_CKSUM_* */
	TERN_PORT_SEGMENTS = 1 << 3,	  /* sends frames of several segments */
};

struct tern_port_ops {
	/** As rte_eth_rx_burst(): up to `count` frames that the caller then owns. */
	uint16_t (*rx_burst)(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			     uint16_t count);
	/** As rte_eth_tx_burst(): takes the first n frames, and the caller's reference with them.
	 */
	uint16_t (*tx_burst)(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			     uint16_t count);
	/** Whether there is a link. Any thread; may ask the kernel: not on a signal's way. */
	bool (*is_up)(struct tern_port *port);
	void (*destroy)(struct tern_port *port);
};

/** Constant after the start; an implementation begins with it. */
struct tern_port {
	const struct tern_port_ops *ops;
	uint32_t offloads;  /* enum tern_port_offload */
	uint16_t queues;    /* pairs of a receive and a transmit queue */
	uint16_t frame_max; /* bytes after the Ethernet header that it carries: its MTU */
	uint8_t mac[6];	    /* its own */
	char name[64];	    /* as configured, for people */
};

static inline uint16_t tern_port_rx(struct tern_port *port, uint16_t queue,
				    struct rte_mbuf **frames, uint16_t count)
{
	return port->ops->rx_burst(port, queue, frames, count);
}

static inline uint16_t tern_port_tx(struct tern_port *port, uint16_t queue,
				    struct rte_mbuf **frames, uint16_t count)
{
	return port->ops->tx_burst(port, queue, frames, count);
}

/** Frames that an outlet holds for one burst. */
#define TERN_OUTLET_FRAMES 64u

/**
 * Frames on their way to one transmit queue. One lcore's. Control frames may fill it; data frames
 * leave TERN_OUTLET_RESERVE places to them. Start from all zero but port and queue.
 */
struct tern_outlet {
	struct tern_port *port;
	uint16_t queue;
	uint16_t count;
	uint64_t sent;	  /* frames that the port took */
	uint64_t refused; /* times it took less than it was given */
	struct rte_mbuf *frames[TERN_OUTLET_FRAMES];
};

#define TERN_OUTLET_RESERVE 8u

/** Hand all to the port that it takes; what it does not take stays, in order. Returns what is left.
 */
unsigned tern_outlet_flush(struct tern_outlet *outlet);

/**
 * Put a frame behind the others; a full outlet is flushed first.
 *
 * @param is_control  may take the reserved places
 * @return false: no place, the frame stays the caller's
 */
bool tern_outlet_push(struct tern_outlet *outlet, struct rte_mbuf *frame, bool is_control);

/** Free what no port took. */
void tern_outlet_drop(struct tern_outlet *outlet);

#endif
