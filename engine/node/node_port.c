/* SPDX-License-Identifier: Apache-2.0 */

/* The port of a node, and the frames that its lcores fill and receive in. */
#include "node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/port/device.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"

/* Names of pools are the process's: those of several engines differ. */
static int make_pool(struct tern_node *node, uint32_t lcore, struct tern_error *error)
{
	static uint32_t pools_made;
	const struct tern_config *config = &node->engine->config;
	char name[RTE_MEMPOOL_NAMESIZE];
	uint32_t number = __atomic_fetch_add(&pools_made, 1, __ATOMIC_RELAXED);
	uint32_t mtu = node->port ? node->port->frame_max : config->mtu;
	snprintf(name, sizeof(name), "tern%u", number);
	return tern_frames_create(name, config->frames, mtu, TERN_LINK_PRIVATE, -1,
				  &node->pools[lcore], error);
}

static int make_pools(struct tern_node *node, struct tern_error *error)
{
	uint32_t count = node->engine->lcore_count;
	node->pools = calloc(count, sizeof(struct rte_mempool *));
	int code = node->pools ? 0 : -ENOMEM;
	for (uint32_t i = 0; code == 0 && i < count; i++)
		code = make_pool(node, i, error);
	return code;
}

static int start_eal(const struct tern_config *config, struct tern_error *error)
{
	struct tern_device device;
	int code = tern_device_read(config->device, (uint16_t)config->lcore_count,
				    (uint16_t)config->mtu, &device, error);
	if (code != 0)
		return code;
	/* Room for the frames of all lcores, and for what drivers and rings need beside. */
	uint64_t bytes = (uint64_t)config->frames * config->lcore_count * (config->mtu + 768ull);
	const struct tern_eal_needs needs = {.pci = tern_device_is_pci(&device) ? device.name
										: NULL,
					     .memory_mib = 256 + (uint32_t)(bytes >> 20)};
	return tern_eal_start(&needs, error);
}

static int open_device(struct tern_node *node, struct tern_error *error)
{
	const struct tern_config *config = &node->engine->config;
	int code = start_eal(config, error);
	if (code == 0)
		code = make_pools(node, error);
	if (code != 0)
		return code;
	const struct tern_ethdev_options options = {.device = config->device,
						    .queues = (uint16_t)config->lcore_count,
						    .mtu = (uint16_t)config->mtu,
						    .frames = node->pools};
	code = tern_ethdev_create(&options, &node->port, error);
	node->owns_port = code == 0;
	return code;
}

int tern_node_open_port(struct tern_node *node, struct tern_error *error)
{
	uint32_t lcores = node->engine->lcore_count;
	node->port = node->engine->config.port;
	int code = node->port ? make_pools(node, error) : open_device(node, error);
	if (code == 0 && node->port->queues < lcores)
		code = tern_error_set(
			error, -ENOSPC,
			"node.device: %s has %u pairs of queues and %u lcores need one "
			"each; name %u CPUs in engine.lcores",
			node->port->name, node->port->queues, lcores, node->port->queues);
	return code;
}

/* A pool of which somebody still holds frames stays: they would be given back to nothing. */
void tern_node_close_port(struct tern_node *node)
{
	if (node->owns_port && node->port)
		node->port->ops->destroy(node->port);
	node->port = NULL;
	for (uint32_t i = 0; node->pools && i < node->engine->lcore_count; i++)
		if (node->pools[i] && rte_mempool_in_use_count(node->pools[i]) == 0)
			rte_mempool_free(node->pools[i]);
	free(node->pools);
	node->pools = NULL;
}

void tern_node_enter(struct tern_node_lcore *net)
{
	net->keeps_frames = tern_frames_thread_enter() == 0;
}

void tern_node_leave(struct tern_node_lcore *net)
{
	if (net->keeps_frames)
		tern_frames_thread_leave();
	net->keeps_frames = false;
}
