/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ETHDEV_STATE_H
#define ETHDEV_STATE_H

/* Private to the port room. */

#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>

#include "device.h"
#include "ethdev.h"
#include "ring_ports.h"

/** Whether the lcore of a queue is inside the driver. A line, written by that lcore alone. */
struct tern_gate {
	alignas(64) uint32_t is_inside;
};

struct tern_ethdev {
	struct tern_port port;
	/* read by lcores at each burst, written by the tender */
	alignas(64) uint32_t is_open; /* bursts may enter the driver */
	uint16_t id;		      /* DPDK's; while is_attached */
	/* constant after the start */
	alignas(64) struct tern_device device;
	struct tern_gate *gates; /* one a queue; NULL: the port is never closed before its end */
	struct rte_mempool **frames;
	struct tern_ring_pair *pair; /* of tern_ring_ports_create(); else NULL */
	uint16_t queues_wanted, queues_min, mtu, descriptors;
	/* under the lock of interrupts.c, of memif's */
	struct tern_ethdev *next;
	bool has_joined, is_wanted_open;
	/* under `lock` */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_attached; /* the device is there and configured */
	bool is_started;
	bool is_ending;
	bool has_tender;
	uint32_t is_removed; /* atomic: the device was pulled out */
	uint64_t owner;	     /* of DPDK's device */
	pthread_t tender;
	struct tern_ethdev_report report;
	struct tern_error trouble;
};

/** A port on a device that was read, or made, before. EAL runs. Yields `*created`. */
int tern_ethdev_create_on(const struct tern_ethdev_options *options,
			  const struct tern_device *device, struct tern_ethdev **created,
			  struct tern_error *error);

/** Find the device, probing it where it is not there, and make it this port's. */
int tern_ethdev_attach(struct tern_ethdev *dev, struct tern_error *error);

/** Set queues, offloads and MTU. What the port says of itself is filled in. */
int tern_ethdev_configure(struct tern_ethdev *dev, struct tern_error *error);

/** Start it: frames may go. */
int tern_ethdev_start(struct tern_ethdev *dev, struct tern_error *error);

/** Stop and close the device, and take it out of EAL. */
void tern_ethdev_detach(struct tern_ethdev *dev);

/** Whether the device, which is attached, has a link. */
bool tern_ethdev_has_link(struct tern_ethdev *dev);

/** Let lcores in, or keep them out; returns when none is in the driver any more. */
void tern_gates_open(struct tern_ethdev *dev);
void tern_gates_close(struct tern_ethdev *dev);

/** Prepare the process for tern_gates_close(). @return 0; negative errno */
int tern_gates_prepare(void);

/** Start the thread that opens the port again and again; end it. */
int tern_tender_start(struct tern_ethdev *dev, struct tern_error *error);
void tern_tender_stop(struct tern_ethdev *dev);

#endif
