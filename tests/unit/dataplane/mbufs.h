/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MBUFS_H
#define MBUFS_H

#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

/* Frames for tests: EAL without hugepages, devices or privileges, and pools. */

/** Start EAL, once a process. */
static inline void mbufs_start(void)
{
	static char name[] = "test", no_huge[] = "--no-huge", memory[] = "-m", size[] = "256",
		    no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
		    no_shconf[] = "--no-shconf", log[] = "--log-level=error";
	char *arguments[] = {name,	   no_huge,   memory, size, no_pci,
			     no_telemetry, no_shconf, log,    NULL};
	if (rte_eal_init(8, arguments) < 0) {
		fprintf(stderr, "EAL does not start: %s\n", rte_strerror(rte_errno));
		abort();
	}
}

/** A pool of `count` frames with room for `size` bytes behind the headroom. */
static inline struct rte_mempool *mbufs_pool(const char *name, unsigned count, uint16_t size,
					     uint16_t private_bytes)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, count, 0, private_bytes, (uint16_t)(size + RTE_PKTMBUF_HEADROOM), 0);
	if (!pool) {
		fprintf(stderr, "no pool of frames: %s\n", rte_strerror(rte_errno));
		abort();
	}
	return pool;
}

#endif
