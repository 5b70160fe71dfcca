/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETHDEV_H
#define ETHDEV_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "port.h"
#include "tern_error.h"

/** What a port is opened with. All zero but `device`, `queues` and `frames` are the defaults. */
struct tern_ethdev_options {
	const char *device;   /* as tern_device_read() reads it */
	uint16_t queues;      /* pairs wanted, 1 .. 1024 */
	uint16_t queues_min;  /* fewer are an error; 0: 1 */
	uint16_t mtu;	      /* bytes after the Ethernet header; 0: 1,500 */
	uint16_t descriptors; /* of each queue, where the device lets choose; 0: 1,024 */
	struct rte_mempool *const *frames; /* of received ones: `queues` pools, which may be one */
	uint32_t memory_mib;		   /* of EAL, where this port starts it */
	bool is_loud;			   /* likewise */
};

/** What a port turned out to be. */
struct tern_ethdev_report {
	const char *driver;   /* of DPDK's; "" while the port waits for its far side to come up */
	int numa;	      /* node of the device; -1: none, or not known */
	uint16_t queues;      /* pairs that it has */
	uint16_t queues_most; /* pairs that the device has */
	uint16_t descriptors;
	bool has_rss;	   /* spreads UDP flows over its queues by a hash: steering.h */
	uint16_t id;	   /* DPDK's */
	char trouble[200]; /* why it is not open yet; "" where it is */
};

/**
 * Open a port.
 *
 * EAL is started where no port did so before. Checksum offloads, scattered reception and several
 * segments are used where the device offers them, MBUF_FAST_FREE is not. The device's own MAC is
 * what it receives, and multicast where it can; it is not made promiscuous.
 *
 * A port whose far side is another process (memif, virtio_user) opens whether that is up or not,
 * and again when it has come back. Until then it takes and gives nothing. A thread of the port
 * sees to that.
 *
 * A queue is one lcore's. Where there are fewer pairs than were wanted, who shares them sees to
 * it that they are not used at once.
 *
 * @param port  out: `queues`, `frame_max`, `offloads` and `mac` are what it got
 * @return 0; -EINVAL: the text of a device, a number or an argument; -ENODEV: no such device,
 *         interface or driver; -EBUSY: somebody has it; -EMSGSIZE: an MTU that it does not carry;
 *         -ENOSPC: fewer than queues_min; -EACCES, -EPERM: no privileges; -ENOMEM; else as
 *         tern_eal_start(). Then nothing is left behind
 *
 * Context: any thread that is no lcore's. Borrows `options`, keeps the pools, yields `*port`.
 */
int tern_ethdev_create(const struct tern_ethdev_options *options, struct tern_port **port,
		       struct tern_error *error);

/** Wait until a port is up. @return 0; -ETIMEDOUT. Context: any thread that is no lcore's. */
int tern_ethdev_wait(struct tern_port *port, uint32_t timeout_ms, struct tern_error *error);

/** What a port is now. Context: any thread that is no lcore's. */
void tern_ethdev_report(struct tern_port *port, struct tern_ethdev_report *report);

/**
 * Two ports of this process, each of which receives what the other sends: the sender's frames
 * themselves, of the sender's pool. Queue i of one sends to queue i of the other, `queues` pairs,
 * at most 16. Both carry what a frame of the pool has room for.
 *
 * @param name   1 to 12 characters, unique in the process
 * @param depth  a power of 2, 64 .. 65,536: one frame less may be under way in a queue
 * @param ports  out: two
 * @return 0; negative errno as tern_ethdev_create()
 *
 * Context: as tern_ethdev_create(). Frames under way at destroy are freed.
 */
int tern_ring_ports_create(const char *name, uint16_t queues, uint32_t depth,
			   struct rte_mempool *frames, struct tern_port *ports[2],
			   struct tern_error *error);

#endif
