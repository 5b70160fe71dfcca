/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tern_error.h"

/** How a device that a port is opened on is found, and what has to be known of its driver. */
enum tern_device_kind {
	TERN_DEVICE_PCI,
	TERN_DEVICE_VDEV,      /* of a driver without a row of its own below */
	TERN_DEVICE_INTERFACE, /* af_packet, af_xdp, by the kernel's interface */
	TERN_DEVICE_MEMIF_CLIENT,
	TERN_DEVICE_MEMIF_SERVER,
	TERN_DEVICE_VIRTIO_USER,
	TERN_DEVICE_VHOST,
	TERN_DEVICE_RING,
};

/** A device as EAL is asked for it. */
struct tern_device {
	enum tern_device_kind kind;
	char name[64];	     /* EAL's: a PCI address, or net_memif0 */
	char args[512];	     /* NAME,KEY=VALUE,...: what it is probed with */
	char interface[16];  /* of the kernel; "": none */
	char socket[108];    /* a path in the file system that it listens at; "": none */
	bool may_wait;	     /* its far side need not be up yet: probing or starting is repeated */
	bool probes_at_once; /* ... and only starting is */
};

/**
 * Read what a port is to be opened on, and look whether it can be there.
 *
 * @param text    `0000:3b:00.0` or `3b:00.0`: a PCI device;
 *                `net_memif0,role=client,socket=NAME`: a virtual device of DPDK's and its
 *                arguments;
 *                `eth0`: the kernel's interface, through af_packet; `xdp:eth0`: through AF_XDP
 * @param queues  wanted: named to drivers that want to know it before
 * @param mtu     wanted; likewise
 * @param device  out
 * @return 0; -EINVAL: no such text; -ENODEV: no such device or interface; -EBUSY: a PCI device
 *         that a kernel driver has; -EMSGSIZE: an MTU that it cannot carry; -E2BIG: too long
 *
 * Context: any thread that is no lcore's. Borrows all arguments.
 */
int tern_device_read(const char *text, uint16_t queues, uint16_t mtu, struct tern_device *device,
		     struct tern_error *error);

/** Whether a port on it needs EAL with PCI. */
static inline bool tern_device_is_pci(const struct tern_device *device)
{
	return device->kind == TERN_DEVICE_PCI;
}

/**
 * Take away the socket file that a process which was killed has left, so that it can be bound
 * again. One that somebody listens at stays.
 *
 * Context: as above. Borrows `device`.
 */
void tern_device_clear_socket(const struct tern_device *device);

#endif
