/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdint.h>

/**
 * Close the socket that a memif server listens at, which its driver (to DPDK 26.03) forgets: it
 * frees what the interrupt thread still calls when somebody connects. The descriptor's number must
 * stay open, since the interrupt thread panics over one that is not: an event that never comes
 * takes its place.
 *
 * @param args  of the device that is about to be closed, of DPDK's number `id`; where another
 *              port listens at the same socket, nothing happens
 *
 * Context: before rte_eth_dev_close(). Borrows `args`.
 */
void tern_listener_retire(const char *args, uint16_t id);

/**
 * Find the sockets of a memif port: that it listens at, and those to its far sides.
 *
 * @param fds  out: up to `max` descriptors
 * @return how many; those past `max` are left out
 *
 * Context: any thread that is no lcore's. Borrows `args`.
 */
unsigned tern_listener_sockets(const char *args, int *fds, unsigned max);

/**
 * Close what a virtio_user driver (to DPDK 26.03) leaves open when it has listened at a path, and
 * then did not come to be; and take the file away.
 *
 * Context: the driver is gone, or never came. Borrows `path`.
 */
void tern_listener_close(const char *path);

#endif
