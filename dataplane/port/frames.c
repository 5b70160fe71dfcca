/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

enum {
	FRAMES_MTU_MIN = 64,
	FRAMES_MTU_MAX = 65280,
	FRAMES_ROOM_MIN = 2048, /* AF_XDP takes no smaller ones */
	FRAMES_WRAP = RTE_ETHER_HDR_LEN + 2 * 4 /* tags */ + RTE_ETHER_CRC_LEN,
};

static unsigned frames_cache_size(uint32_t count)
{
	unsigned size = TERN_FRAMES_CACHE;
	while (size * 3 / 2 > count)
		size /= 2;
	return size;
}

int tern_frames_create(const char *name, uint32_t count, uint32_t mtu, uint16_t private_bytes,
		       int numa, struct rte_mempool **pool, struct tern_error *error)
{
	struct rte_mempool *created;
	uint32_t room = RTE_ALIGN_CEIL(mtu + FRAMES_WRAP, RTE_CACHE_LINE_SIZE);
	if (room < FRAMES_ROOM_MIN)
		room = FRAMES_ROOM_MIN;
	if (mtu < FRAMES_MTU_MIN || mtu > FRAMES_MTU_MAX)
		return tern_error_set(error, -EINVAL, "frames %s: an MTU of %u; needed: %d to %d",
				      name, mtu, FRAMES_MTU_MIN, FRAMES_MTU_MAX);
	created = rte_pktmbuf_pool_create(name, count, frames_cache_size(count), private_bytes,
					  (uint16_t)(room + RTE_PKTMBUF_HEADROOM), numa);
	if (created) {
		*pool = created;
		return 0;
	}
	if (rte_errno == EEXIST || rte_errno == EINVAL)
		return tern_error_set(error, -rte_errno, "frames %s: %s", name,
				      rte_errno == EEXIST ? "a pool of that name is there already"
							  : "a count, a size or a name that no "
							    "pool can have");
	return tern_error_set(
		error, -ENOMEM,
		"frames %s: %u frames of %u bytes take %u MiB, and EAL has less "
		"left (%s); give it more memory_mib with the first port, or ask for "
		"fewer frames",
		name, count, room + RTE_PKTMBUF_HEADROOM,
		(unsigned)((uint64_t)count * (room + RTE_PKTMBUF_HEADROOM + private_bytes +
					      sizeof(struct rte_mbuf)) >>
			   20) +
			1,
		rte_strerror(rte_errno));
}

int tern_frames_thread_enter(void)
{
	if (rte_lcore_id() != LCORE_ID_ANY)
		return 0;
	return rte_lcore_count() && rte_thread_register() == 0 ? 0 : -ENOTSUP;
}

void tern_frames_thread_leave(void)
{
	rte_thread_unregister();
}
