/* SPDX-License-Identifier: Apache-2.0 */
#include "ethdev_state.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "eal.h"
#include "listener.h"

enum {
	OPEN_TABLE_MAX = 512,
	OPEN_MTU_DEFAULT = 1500,
	OPEN_WRAP = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN
};

static const char *open_hint(const struct tern_ethdev *dev)
{
	switch (dev->device.kind) {
	case TERN_DEVICE_MEMIF_SERVER:
		return "needed: a socket name that no other process listens at, and a folder that "
		       "may be written to";
	case TERN_DEVICE_VIRTIO_USER:
	case TERN_DEVICE_VHOST:
		return "needed: a socket's path in a folder that may be written to, and the far "
		       "side up";
	case TERN_DEVICE_INTERFACE:
		return "needed: for AF_XDP root; for af_packet CAP_NET_RAW, as in `unshare -Urn`";
	default:
		return "needed: a device of DPDK's by its name, such as net_memif0, and arguments "
		       "that its driver knows";
	}
}

static int open_say_no_probe(struct tern_ethdev *dev, int code, struct tern_error *error)
{
	char line[160];
	tern_eal_told(line, sizeof(line));
	if (code == -EFAULT || code == -ENOTSUP)
		code = -ENODEV; /* no bus, or no driver, knows the name */
	else if (code == -1)
		code = dev->device.kind == TERN_DEVICE_MEMIF_SERVER ? -EBUSY : -EINVAL;
	return tern_error_set(error, code, "port %s: it cannot be opened%s%s; %s", dev->port.name,
			      line[0] ? ": " : "", line, open_hint(dev));
}

static int open_say_used(const struct tern_ethdev *dev, struct tern_error *error)
{
	return tern_error_set(error, -EBUSY,
			      "port %s: another port of this process has it; needed: a device of "
			      "its own, such as %.9s1",
			      dev->port.name, dev->port.name);
}

static int open_removal(uint16_t id, enum rte_eth_event_type event, void *context, void *result)
{
	struct tern_ethdev *dev = context;
	(void)id;
	(void)event;
	(void)result;
	__atomic_store_n(&dev->is_removed, 1, __ATOMIC_RELAXED);
	return 0;
}

static int open_own(struct tern_ethdev *dev, struct tern_error *error)
{
	struct rte_eth_dev_owner owner = {.name = "tern"};
	int code = rte_eth_dev_owner_new(&owner.id);
	if (code == 0)
		code = rte_eth_dev_owner_set(dev->id, &owner);
	if (code != 0)
		return open_say_used(dev, error);
	dev->owner = owner.id;
	dev->is_attached = true;
	rte_eth_dev_callback_register(dev->id, RTE_ETH_EVENT_INTR_RMV, open_removal, dev);
	return 0;
}

int tern_ethdev_attach(struct tern_ethdev *dev, struct tern_error *error)
{
	uint16_t id;
	int code = rte_eth_dev_get_port_by_name(dev->device.name, &id);
	if (code != 0) {
		tern_device_clear_socket(&dev->device);
		tern_eal_listen();
		code = rte_dev_probe(dev->device.args);
		if (code == 0)
			code = rte_eth_dev_get_port_by_name(dev->device.name, &id);
		if (code != 0)
			return open_say_no_probe(dev, code, error);
	}
	dev->id = id;
	return open_own(dev, error);
}

/* memif, rings and the kernel's interfaces carry what their buffers hold, whatever they say. */
static bool open_is_mtu_free(const struct tern_ethdev *dev)
{
	return dev->device.kind == TERN_DEVICE_MEMIF_CLIENT ||
	       dev->device.kind == TERN_DEVICE_MEMIF_SERVER ||
	       dev->device.kind == TERN_DEVICE_RING || dev->device.interface[0];
}

static int open_check_mtu(const struct tern_ethdev *dev, const struct rte_eth_dev_info *info,
			  struct tern_error *error)
{
	unsigned most = info->max_mtu;
	bool has_scatter = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (info->max_rx_pktlen > OPEN_WRAP && info->max_rx_pktlen - OPEN_WRAP < most)
		most = info->max_rx_pktlen - OPEN_WRAP;
	if (!open_is_mtu_free(dev) && (dev->mtu > most || dev->mtu < info->min_mtu))
		return tern_error_set(error, -EMSGSIZE,
				      "port %s: an MTU of %u is wanted; needed: %u to %u, which is "
				      "what %s carries",
				      dev->port.name, dev->mtu, info->min_mtu, most,
				      info->driver_name);
	for (uint16_t i = 0; i < dev->port.queues; i++) {
		unsigned room = rte_pktmbuf_data_room_size(dev->frames[i]) - RTE_PKTMBUF_HEADROOM;
		if (room < dev->mtu + (unsigned)OPEN_WRAP && !has_scatter)
			return tern_error_set(error, -EMSGSIZE,
					      "port %s: an MTU of %u is wanted, and frames of pool "
					      "%s hold %u bytes; needed: %u, as "
					      "tern_frames_create() makes them for that MTU",
					      dev->port.name, dev->mtu, dev->frames[i]->name, room,
					      dev->mtu + OPEN_WRAP);
	}
	return 0;
}

static int open_take_queues(struct tern_ethdev *dev, const struct rte_eth_dev_info *info,
			    struct tern_error *error)
{
	uint16_t most = info->max_rx_queues < info->max_tx_queues ? info->max_rx_queues
								  : info->max_tx_queues;
	uint16_t queues = most < dev->queues_wanted ? most : dev->queues_wanted;
	dev->report.queues_most = most;
	if (queues < dev->queues_min)
		return tern_error_set(error, -ENOSPC,
				      "port %s: %s has %u pairs of queues; needed: %u; take fewer "
				      "lcores, or a device with more queues",
				      dev->port.name, info->driver_name, most, dev->queues_min);
	if (dev->port.queues && dev->port.queues > queues)
		return tern_error_set(error, -ENOSPC,
				      "port %s: its far side grants %u pairs of queues; needed: "
				      "%u, as it was opened with: give it queues=%u",
				      dev->port.name, most, dev->port.queues, dev->port.queues);
	dev->port.queues = dev->port.queues ? dev->port.queues : queues;
	return 0;
}

/*
 * Between vhost and virtio_user a checksum may be left out altogether, as within one machine it
 * has nothing to protect: a frame that a receiver reads has none then.
 */
static uint64_t open_tx_offloads(const struct tern_ethdev *dev, const struct rte_eth_dev_info *info)
{
	uint64_t wanted = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (dev->device.kind != TERN_DEVICE_VIRTIO_USER && dev->device.kind != TERN_DEVICE_VHOST)
		wanted |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	return wanted & info->tx_offload_capa;
}

static uint64_t open_rx_offloads(const struct tern_ethdev *dev, const struct rte_eth_dev_info *info)
{
	uint64_t sums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	uint64_t offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	bool is_of_vm = dev->device.kind == TERN_DEVICE_VIRTIO_USER ||
			dev->device.kind == TERN_DEVICE_VHOST;
	return (info->rx_offload_capa & sums) == sums && !is_of_vm ? offloads | sums : offloads;
}

static uint32_t open_port_offloads(uint64_t tx, uint64_t rx)
{
	return (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM ? TERN_PORT_IPV4_CHECKSUM : 0u) |
	       (tx & RTE_ETH_TX_OFFLOAD_UDP_CKSUM ? TERN_PORT_UDP_CHECKSUM : 0u) |
	       (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS ? TERN_PORT_SEGMENTS : 0u) |
	       (rx & RTE_ETH_RX_OFFLOAD_UDP_CKSUM ? TERN_PORT_CHECKED : 0u);
}

static int open_say_refused(const struct tern_ethdev *dev, const char *what, int code,
			    struct tern_error *error)
{
	char line[160];
	tern_eal_told(line, sizeof(line));
	return tern_error_set(error, code, "port %s: %s: %s%s%s", dev->port.name, what,
			      strerror(-code), line[0] ? ": " : "", line);
}

static int open_set_queues(struct tern_ethdev *dev, const struct rte_eth_dev_info *info,
			   const struct rte_eth_conf *conf, struct tern_error *error)
{
	uint16_t rx = dev->descriptors, tx = dev->descriptors, queues = dev->port.queues;
	struct rte_eth_txconf tx_conf = info->default_txconf;
	struct rte_eth_rxconf rx_conf = info->default_rxconf;
	int code = rte_eth_dev_configure(dev->id, queues, queues, conf);
	if (code == 0)
		code = rte_eth_dev_adjust_nb_rx_tx_desc(dev->id, &rx, &tx);
	tx_conf.offloads = conf->txmode.offloads;
	rx_conf.offloads = conf->rxmode.offloads;
	dev->report.descriptors = rx < tx ? rx : tx;
	for (uint16_t i = 0; code == 0 && i < queues; i++) {
		unsigned numa = (unsigned)rte_eth_dev_socket_id(dev->id);
		code = rte_eth_rx_queue_setup(dev->id, i, rx, numa, &rx_conf, dev->frames[i]);
		if (code == 0)
			code = rte_eth_tx_queue_setup(dev->id, i, tx, numa, &tx_conf);
	}
	return code == 0 ? 0 : open_say_refused(dev, "its queues cannot be set up", code, error);
}

/* A device without an address of its own, such as a ring, gets one. */
static void open_take_mac(struct tern_ethdev *dev)
{
	struct rte_ether_addr mac;
	if (rte_eth_macaddr_get(dev->id, &mac) != 0 || rte_is_zero_ether_addr(&mac))
		rte_eth_random_addr(mac.addr_bytes);
	memcpy(dev->port.mac, mac.addr_bytes, sizeof(dev->port.mac));
}

int tern_ethdev_configure(struct tern_ethdev *dev, struct tern_error *error)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	int code;
	tern_eal_listen();
	code = rte_eth_dev_info_get(dev->id, &info);
	if (code != 0)
		return open_say_refused(dev, "it does not say what it is", code, error);
	code = open_take_queues(dev, &info, error);
	if (code == 0)
		code = open_check_mtu(dev, &info, error);
	if (code != 0)
		return code;
	conf.txmode.offloads = open_tx_offloads(dev, &info);
	conf.rxmode.offloads = open_rx_offloads(dev, &info);
	conf.rxmode.mtu = open_is_mtu_free(dev) || dev->mtu == OPEN_MTU_DEFAULT ? 0 : dev->mtu;
	conf.intr_conf.rmv = (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	dev->report.has_rss = dev->port.queues > 1 &&
			      (info.flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_UDP);
	if (dev->report.has_rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads &
			(RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP);
	}
	code = open_set_queues(dev, &info, &conf, error);
	if (code != 0)
		return code;
	dev->port.offloads = open_port_offloads(conf.txmode.offloads, conf.rxmode.offloads);
	dev->port.frame_max = dev->mtu;
	dev->report.driver = info.driver_name;
	dev->report.numa = rte_eth_dev_socket_id(dev->id);
	open_take_mac(dev);
	return 0;
}

/* Flows go to all queues alike. Most drivers have it so from the start; some only when told. */
static void open_spread(const struct tern_ethdev *dev)
{
	struct rte_eth_rss_reta_entry64 groups[OPEN_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;
	if (!dev->report.has_rss || rte_eth_dev_info_get(dev->id, &info) != 0 ||
	    info.reta_size > OPEN_TABLE_MAX)
		return;
	for (uint16_t i = 0; i < info.reta_size; i++) {
		groups[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			i % dev->port.queues;
	}
	rte_eth_dev_rss_reta_update(dev->id, groups, info.reta_size);
}

int tern_ethdev_start(struct tern_ethdev *dev, struct tern_error *error)
{
	int code;
	tern_eal_listen();
	code = rte_eth_dev_start(dev->id);
	if (code != 0)
		return open_say_refused(dev, "it does not start", code, error);
	/* for neighbour discovery; memif, which cannot, receives all there is */
	rte_eth_allmulticast_enable(dev->id);
	open_spread(dev);
	dev->is_started = true;
	return 0;
}

void tern_ethdev_detach(struct tern_ethdev *dev)
{
	struct rte_eth_dev_info info;
	if (!dev->is_attached)
		return;
	rte_eth_dev_callback_unregister(dev->id, RTE_ETH_EVENT_INTR_RMV, open_removal, dev);
	if (dev->is_started)
		rte_eth_dev_stop(dev->id);
	if (dev->device.kind == TERN_DEVICE_MEMIF_SERVER)
		tern_listener_retire(dev->device.args, dev->id);
	if (rte_eth_dev_info_get(dev->id, &info) == 0) {
		rte_eth_dev_close(dev->id);
		rte_dev_remove(info.device);
	}
	rte_eth_dev_owner_delete(dev->owner);
	dev->is_started = false;
	dev->is_attached = false;
}

/* af_packet and AF_XDP have a link whatever the interface has. */
static bool open_interface_runs(const char *interface)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code;
	if (fd < 0)
		return false;
	memcpy(request.ifr_name, interface, sizeof(request.ifr_name));
	code = ioctl(fd, SIOCGIFFLAGS, &request);
	close(fd);
	return code == 0 && (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
}

bool tern_ethdev_has_link(struct tern_ethdev *dev)
{
	struct rte_eth_link link = {0};
	if (!dev->is_attached || __atomic_load_n(&dev->is_removed, __ATOMIC_RELAXED) ||
	    rte_eth_link_get_nowait(dev->id, &link) != 0 || !link.link_status)
		return false;
	return !dev->device.interface[0] || open_interface_runs(dev->device.interface);
}
