/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdint.h>

#include <rte_mempool.h>

#include "tern_error.h"

/** Frames that a thread keeps at most, times 1.5. A pool has to be larger by that for each thread.
 */
#define TERN_FRAMES_CACHE 256u

/**
 * Create a pool of frames.
 *
 * Frames come from it and go back to it on any thread. A thread that called
 * tern_frames_thread_enter() keeps some for itself; others go to the ring that all share. Measured
 * (two-CPU guest, 4 KiB pages): a frame taken and given back costs 9 ns with a store of the
 * thread's own and 30 ns without, in bursts of 32 it is 15 and 21 ns a frame.
 *
 * @param name           1 to 20 characters, unique in the process
 * @param count          frames, 1 or more
 * @param mtu            bytes after the Ethernet header that a frame has room for in one segment;
 *                       64 .. 65,280. All have room for 2,048, as some drivers want it
 * @param private_bytes  in front of each frame's data, for its owner; a multiple of 8
 * @param numa           node of its memory, -1: any
 * @param pool           out; rte_mempool_free() it when no frame is out
 * @return 0; -ENOMEM: too little memory of EAL's; -EEXIST: the name is taken; -EINVAL
 *
 * Context: any thread that is no lcore's, after tern_eal_start(). Yields `*pool`.
 */
int tern_frames_create(const char *name, uint32_t count, uint32_t mtu, uint16_t private_bytes,
		       int numa, struct rte_mempool **pool, struct tern_error *error);

/**
 * Let this thread keep frames for itself: it becomes one that DPDK knows, with a number of its
 * own. Nothing of Tern's depends on the number. It counts until the thread ends or leaves.
 *
 * @return 0; -ENOTSUP: EAL does not run, or there are RTE_MAX_LCORE such threads: frames still
 *         come and go, through the shared ring
 *
 * Context: a thread that polls ports, before it does.
 */
int tern_frames_thread_enter(void);

/** Give the number back. What the thread kept comes to its next owner. Context: that thread. */
void tern_frames_thread_leave(void);

#endif
