/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping lcores out of a driver while its device is stopped, closed or opened again.
 *
 * An lcore says that it is inside, then looks whether the port is open. The tender says that it is
 * not, then looks whether an lcore is inside. One of the two must see the other's store, which
 * needs a full fence on both sides. Bursts are many and closures few: membarrier() puts the
 * lcores' fence where the tender runs, and lcores only keep the compiler from changing the order.
 */
#include "ethdev_state.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int tern_gates_prepare(void)
{
	long code = syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	return code == 0 ? 0 : -errno;
}

void tern_gates_open(struct tern_ethdev *dev)
{
	/* Release: an lcore that sees the port open, by the acquire of its burst, sees its id. */
	__atomic_store_n(&dev->is_open, 1, __ATOMIC_RELEASE);
}

void tern_gates_close(struct tern_ethdev *dev)
{
	__atomic_store_n(&dev->is_open, 0, __ATOMIC_RELAXED);
	if (!dev->gates)
		return;
	syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	for (uint16_t i = 0; i < dev->port.queues; i++)
		/* Acquire: what the lcore did in the driver, before its release, is done. */
		while (__atomic_load_n(&dev->gates[i].is_inside, __ATOMIC_ACQUIRE))
			sched_yield();
}
