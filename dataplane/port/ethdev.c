/* SPDX-License-Identifier: Apache-2.0 */
#include "ethdev_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_ethdev.h>

#include "eal.h"
#include "interrupts.h"
#include "pipe_signal.h"

enum { ETHDEV_MTU = 1500, ETHDEV_DESCRIPTORS = 1024, ETHDEV_WAIT_NS = 1000000 };

static struct tern_ethdev *ethdev_of(struct tern_port *port)
{
	return (struct tern_ethdev *)port;
}

static uint16_t ethdev_rx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			  uint16_t count)
{
	return rte_eth_rx_burst(ethdev_of(port)->id, queue, frames, count);
}

static uint16_t ethdev_tx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			  uint16_t count)
{
	return rte_eth_tx_burst(ethdev_of(port)->id, queue, frames, count);
}

/* The fence between the store and the load behind it is in tern_gates_close(). */
static bool gate_enter(struct tern_ethdev *dev, struct tern_gate *gate)
{
	__atomic_store_n(&gate->is_inside, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return __builtin_expect(__atomic_load_n(&dev->is_open, __ATOMIC_ACQUIRE), 1);
}

static void gate_leave(struct tern_gate *gate)
{
	__atomic_store_n(&gate->is_inside, 0, __ATOMIC_RELEASE);
}

static uint16_t ethdev_gated_rx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
				uint16_t count)
{
	struct tern_ethdev *dev = ethdev_of(port);
	uint16_t taken = 0;
	if (gate_enter(dev, &dev->gates[queue]))
		taken = rte_eth_rx_burst(dev->id, queue, frames, count);
	gate_leave(&dev->gates[queue]);
	return taken;
}

static uint16_t ethdev_gated_tx(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
				uint16_t count)
{
	struct tern_ethdev *dev = ethdev_of(port);
	uint16_t taken = 0;
	if (gate_enter(dev, &dev->gates[queue]))
		taken = rte_eth_tx_burst(dev->id, queue, frames, count);
	gate_leave(&dev->gates[queue]);
	return taken;
}

static bool ethdev_is_up(struct tern_port *port)
{
	struct tern_ethdev *dev = ethdev_of(port);
	bool is_up;
	pthread_mutex_lock(&dev->lock);
	is_up = dev->is_started && tern_ethdev_has_link(dev);
	pthread_mutex_unlock(&dev->lock);
	return is_up;
}

static void ethdev_free(struct tern_ethdev *dev)
{
	pthread_mutex_destroy(&dev->lock);
	pthread_cond_destroy(&dev->changed);
	free(dev->gates);
	free(dev->frames);
	free(dev);
}

static void ethdev_destroy(struct tern_port *port)
{
	struct tern_ethdev *dev = ethdev_of(port);
	sigset_t kept;
	tern_tender_stop(dev);
	tern_pipe_signal_block(&kept);
	if (dev->has_joined)
		tern_interrupts_set_open(dev, false);
	else
		tern_gates_close(dev);
	tern_ethdev_detach(dev);
	tern_interrupts_leave(dev);
	tern_pipe_signal_restore(&kept);
	tern_ring_pair_release(dev->pair);
	ethdev_free(dev);
}

static const struct tern_port_ops ethdev_ops = {.rx_burst = ethdev_rx,
						.tx_burst = ethdev_tx,
						.is_up = ethdev_is_up,
						.destroy = ethdev_destroy};

/* Of ports that the tender closes and opens again. */
static const struct tern_port_ops ethdev_gated_ops = {.rx_burst = ethdev_gated_rx,
						      .tx_burst = ethdev_gated_tx,
						      .is_up = ethdev_is_up,
						      .destroy = ethdev_destroy};

static int ethdev_check_options(const struct tern_ethdev_options *options, struct tern_error *error)
{
	if (!options->queues || options->queues > RTE_MAX_QUEUES_PER_PORT)
		return tern_error_set(error, -EINVAL, "port %s: %u queues; needed: 1 to %d",
				      options->device, options->queues, RTE_MAX_QUEUES_PER_PORT);
	if (options->queues_min > options->queues)
		return tern_error_set(error, -EINVAL,
				      "port %s: at least %u queues, of %u wanted; needed: no more "
				      "than are wanted",
				      options->device, options->queues_min, options->queues);
	return 0;
}

static void *ethdev_array(size_t count, size_t size)
{
	void *array = NULL;
	if (posix_memalign(&array, 64, count * size) != 0)
		return NULL;
	return memset(array, 0, count * size);
}

static struct tern_ethdev *ethdev_alloc(const struct tern_ethdev_options *options,
					const struct tern_device *device)
{
	struct tern_ethdev *dev = ethdev_array(1, sizeof(*dev));
	if (!dev)
		return NULL;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_cond_init(&dev->changed, NULL);
	dev->device = *device;
	dev->queues_wanted = options->queues;
	dev->queues_min = options->queues_min ? options->queues_min : 1;
	dev->mtu = options->mtu ? options->mtu : ETHDEV_MTU;
	dev->descriptors = options->descriptors ? options->descriptors : ETHDEV_DESCRIPTORS;
	dev->report.numa = -1;
	dev->port.ops = device->may_wait ? &ethdev_gated_ops : &ethdev_ops;
	snprintf(dev->port.name, sizeof(dev->port.name), "%s", device->name);
	dev->frames = calloc(options->queues, sizeof(*dev->frames));
	if (device->may_wait)
		dev->gates = ethdev_array(options->queues, sizeof(*dev->gates));
	if (!dev->frames || (device->may_wait && !dev->gates)) {
		ethdev_free(dev);
		return NULL;
	}
	memcpy(dev->frames, options->frames, options->queues * sizeof(*dev->frames));
	return dev;
}

/* Open what can be opened now; the tender does the rest. */
static int ethdev_open(struct tern_ethdev *dev, struct tern_error *error)
{
	int code;
	sigset_t kept;
	if (dev->device.may_wait && !dev->device.probes_at_once)
		return tern_tender_start(dev, error);
	tern_pipe_signal_block(&kept); /* threads that a driver starts inherit it */
	code = dev->device.probes_at_once ? tern_interrupts_join(dev, error) : 0;
	if (code == 0)
		code = tern_ethdev_attach(dev, error);
	if (code == 0)
		code = tern_ethdev_configure(dev, error);
	if (code == 0)
		code = dev->device.may_wait ? tern_tender_start(dev, error)
					    : tern_ethdev_start(dev, error);
	if (code == 0 && !dev->device.may_wait)
		tern_gates_open(dev);
	tern_pipe_signal_restore(&kept);
	return code;
}

int tern_ethdev_create_on(const struct tern_ethdev_options *options,
			  const struct tern_device *device, struct tern_ethdev **created,
			  struct tern_error *error)
{
	struct tern_ethdev *dev = ethdev_alloc(options, device);
	int code = dev ? 0 : tern_error_set(error, -ENOMEM, "port %s: no memory", device->name);
	if (code == 0)
		code = ethdev_open(dev, error);
	if (code == 0)
		*created = dev;
	else if (dev)
		ethdev_destroy(&dev->port);
	return code;
}

int tern_ethdev_create(const struct tern_ethdev_options *options, struct tern_port **port,
		       struct tern_error *error)
{
	struct tern_device device;
	struct tern_eal_needs needs = {.memory_mib = options->memory_mib,
				       .is_loud = options->is_loud};
	struct tern_ethdev *dev = NULL;
	int code = ethdev_check_options(options, error);
	if (code == 0)
		code = tern_device_read(options->device, options->queues,
					options->mtu ? options->mtu : ETHDEV_MTU, &device, error);
	if (code != 0)
		return code;
	needs.pci = tern_device_is_pci(&device) ? device.name : NULL;
	code = tern_eal_start(&needs, error);
	if (code == 0 && device.may_wait && tern_gates_prepare() != 0)
		code = tern_error_set(error, -ENOSYS,
				      "port %s: the kernel has no membarrier(); needed: Linux 4.14",
				      device.name);
	if (code == 0)
		code = tern_ethdev_create_on(options, &device, &dev, error);
	if (code == 0)
		*port = &dev->port;
	return code;
}

int tern_ethdev_wait(struct tern_port *port, uint32_t timeout_ms, struct tern_error *error)
{
	struct tern_ethdev_report report;
	for (uint32_t waited_ms = 0; !port->ops->is_up(port); waited_ms++) {
		if (waited_ms >= timeout_ms) {
			tern_ethdev_report(port, &report);
			return tern_error_set(error, -ETIMEDOUT,
					      "port %s: no link after %u ms%s%s; needed: the far "
					      "side up",
					      port->name, timeout_ms, report.trouble[0] ? ": " : "",
					      report.trouble);
		}
		nanosleep(&(struct timespec){.tv_nsec = ETHDEV_WAIT_NS}, NULL);
	}
	return 0;
}

void tern_ethdev_report(struct tern_port *port, struct tern_ethdev_report *report)
{
	struct tern_ethdev *dev = ethdev_of(port);
	pthread_mutex_lock(&dev->lock);
	*report = dev->report;
	report->queues = port->queues;
	report->id = dev->id;
	if (!report->driver)
		report->driver = "";
	snprintf(report->trouble, sizeof(report->trouble), "%.*s", (int)sizeof(report->trouble) - 1,
		 dev->is_started ? "" : dev->trouble.text);
	pthread_mutex_unlock(&dev->lock);
}
