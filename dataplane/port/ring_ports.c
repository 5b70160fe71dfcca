/* SPDX-License-Identifier: Apache-2.0 */
#include "ethdev_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "eal.h"
#include "ring_ports.h"

enum { RING_NAME_MAX = 12, RING_DEPTH_MIN = 64, RING_DEPTH_MAX = 65536 };

struct tern_ring_pair {
	uint32_t ports; /* that hold it; atomic */
	uint16_t queues;
	struct rte_ring **rings[2]; /* those that each port receives from */
};

static void rings_free(struct rte_ring **rings, uint16_t count)
{
	for (uint16_t i = 0; rings && i < count; i++) {
		void *frame;
		while (rings[i] && rte_ring_dequeue(rings[i], &frame) == 0)
			rte_pktmbuf_free(frame);
		rte_ring_free(rings[i]);
	}
	free(rings);
}

void tern_ring_pair_release(struct tern_ring_pair *pair)
{
	/* Acquire and release: what either port did with the rings comes before they are freed. */
	if (!pair || __atomic_sub_fetch(&pair->ports, 1, __ATOMIC_ACQ_REL))
		return;
	rings_free(pair->rings[0], pair->queues);
	rings_free(pair->rings[1], pair->queues);
	free(pair);
}

static struct rte_ring **rings_create(const char *name, uint16_t count, uint32_t depth)
{
	struct rte_ring **rings = calloc(count, sizeof(*rings));
	char text[64];
	for (uint16_t i = 0; rings && i < count; i++) {
		snprintf(text, sizeof(text), "%s_%u", name, i);
		rings[i] =
			rte_ring_create(text, depth, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!rings[i]) {
			rings_free(rings, count);
			return NULL;
		}
	}
	return rings;
}

/* The port at one end of a pair. */
static int ring_port_create(const char *name, struct tern_ring_pair *pair, int end,
			    struct rte_mempool *frames, struct tern_port **port,
			    struct tern_error *error)
{
	struct tern_device device = {.kind = TERN_DEVICE_RING};
	struct rte_mempool **pools = calloc(pair->queues, sizeof(*pools));
	struct tern_ethdev_options options = {.queues = pair->queues, .frames = pools};
	struct tern_ethdev *dev;
	int code = pools ? 0 : -ENOMEM;
	for (uint16_t i = 0; pools && i < pair->queues; i++)
		pools[i] = frames;
	options.mtu = (uint16_t)(rte_pktmbuf_data_room_size(frames) - RTE_PKTMBUF_HEADROOM -
				 RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN);
	snprintf(device.name, sizeof(device.name), "net_ring_%s", name);
	if (code == 0 && rte_eth_from_rings(name, pair->rings[end], pair->queues,
					    pair->rings[1 - end], pair->queues, 0) < 0)
		code = -rte_errno;
	if (code != 0)
		code = tern_error_set(error, code, "port %s: no port of rings: %s", name,
				      strerror(-code));
	else
		code = tern_ethdev_create_on(&options, &device, &dev, error);
	free(pools);
	if (code != 0)
		return code;
	dev->pair = pair;
	*port = &dev->port;
	return 0;
}

static int ring_ports_check(const char *name, uint16_t queues, uint32_t depth,
			    struct tern_error *error)
{
	if (!name[0] || strlen(name) > RING_NAME_MAX)
		return tern_error_set(error, -EINVAL,
				      "ring ports %s: a name of 1 to %d characters "
				      "is needed",
				      name, RING_NAME_MAX);
	if (!queues || queues > RTE_PMD_RING_MAX_RX_RINGS)
		return tern_error_set(error, -EINVAL, "ring ports %s: %u queues; needed: 1 to %d",
				      name, queues, RTE_PMD_RING_MAX_RX_RINGS);
	if (depth < RING_DEPTH_MIN || depth > RING_DEPTH_MAX || (depth & (depth - 1)))
		return tern_error_set(error, -EINVAL,
				      "ring ports %s: a depth of %u; needed: a power of 2, %d to "
				      "%d",
				      name, depth, RING_DEPTH_MIN, RING_DEPTH_MAX);
	return 0;
}

static struct tern_ring_pair *ring_pair_create(const char *name, uint16_t queues, uint32_t depth)
{
	struct tern_ring_pair *pair = calloc(1, sizeof(*pair));
	char text[32];
	if (!pair)
		return NULL;
	*pair = (struct tern_ring_pair){.ports = 1, .queues = queues};
	for (int end = 0; end < 2; end++) {
		snprintf(text, sizeof(text), "%s%c", name, 'a' + end);
		pair->rings[end] = rings_create(text, queues, depth);
	}
	if (pair->rings[0] && pair->rings[1])
		return pair;
	tern_ring_pair_release(pair);
	return NULL;
}

/* The first of them counts as the pair's holder from the start. */
static int ring_ports_open(const char *name, struct tern_ring_pair *pair,
			   struct rte_mempool *frames, struct tern_port *ports[2],
			   struct tern_error *error)
{
	struct tern_port *opened[2];
	char text[32];
	int code;
	snprintf(text, sizeof(text), "%sa", name);
	code = ring_port_create(text, pair, 0, frames, &opened[0], error);
	if (code != 0) {
		tern_ring_pair_release(pair);
		return code;
	}
	snprintf(text, sizeof(text), "%sb", name);
	code = ring_port_create(text, pair, 1, frames, &opened[1], error);
	if (code != 0) {
		opened[0]->ops->destroy(opened[0]);
		return code;
	}
	pair->ports = 2;
	memcpy(ports, opened, sizeof(opened));
	return 0;
}

int tern_ring_ports_create(const char *name, uint16_t queues, uint32_t depth,
			   struct rte_mempool *frames, struct tern_port *ports[2],
			   struct tern_error *error)
{
	const struct tern_eal_needs needs = {0};
	struct tern_ring_pair *pair;
	int code = ring_ports_check(name, queues, depth, error);
	if (code == 0)
		code = tern_eal_start(&needs, error);
	if (code != 0)
		return code;
	pair = ring_pair_create(name, queues, depth);
	if (!pair)
		return tern_error_set(error, rte_errno == EEXIST ? -EEXIST : -ENOMEM,
				      "ring ports %s: no rings: %s", name, rte_strerror(rte_errno));
	return ring_ports_open(name, pair, frames, ports, error);
}
