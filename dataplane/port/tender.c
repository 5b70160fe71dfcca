/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tender: a thread of a port whose far side is another process. It opens the port when that
 * comes up and again when it has gone and come back. It sleeps in between.
 */
#include "ethdev_state.h"
#include "interrupts.h"
#include "listener.h"
#include "pipe_signal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_ethdev.h>

enum {
	TENDER_SOCKETS = 64,
	TENDER_TICK_MS = 10,
	TENDER_LET_TICKS = 100,	 /* the interrupt thread is let do its work at least so often */
	TENDER_LETS_MAX = 20,	 /* in a row, while there is more to be said */
	TENDER_GRACE_TICKS = 30, /* without a link, until it is opened again */
};

static void tender_next_tick(struct timespec *until)
{
	clock_gettime(CLOCK_REALTIME, until);
	until->tv_nsec += TENDER_TICK_MS * 1000000;
	if (until->tv_nsec >= 1000000000) {
		until->tv_nsec -= 1000000000;
		until->tv_sec++;
	}
}

/* Wait a tick, or until the port ends. Context: `lock` is held. */
static void tender_sleep(struct tern_ethdev *dev)
{
	struct timespec until;
	tender_next_tick(&until);
	if (!dev->is_ending)
		pthread_cond_timedwait(&dev->changed, &dev->lock, &until);
}

/* Whether a memif port's sockets have something to say. */
static bool tender_hears(const struct tern_ethdev *dev)
{
	int fds[TENDER_SOCKETS];
	struct pollfd polled[TENDER_SOCKETS];
	unsigned count = tern_listener_sockets(dev->device.args, fds, TENDER_SOCKETS);
	for (unsigned i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	return poll(polled, count, 0) > 0;
}

/* memif's news, which come by the interrupt thread. */
static void tender_hear(struct tern_ethdev *dev, unsigned *ticks)
{
	unsigned lets = 0;
	if (!dev->has_joined)
		return;
	while (lets < TENDER_LETS_MAX && tender_hears(dev)) {
		tern_interrupts_let();
		lets++;
	}
	if (!lets && ++*ticks >= TENDER_LET_TICKS)
		tern_interrupts_let();
	if (lets || *ticks >= TENDER_LET_TICKS)
		*ticks = 0;
}

/* Lcores may enter, or may not. */
static void tender_set_open(struct tern_ethdev *dev, bool is_open)
{
	if (dev->has_joined)
		tern_interrupts_set_open(dev, is_open);
	else if (is_open)
		tern_gates_open(dev);
	else
		tern_gates_close(dev);
}

/* Probing may wait for the far side: without the lock, so that others can ask meanwhile. */
static bool tender_attach(struct tern_ethdev *dev)
{
	struct tern_error trouble = {""};
	int code;
	pthread_mutex_unlock(&dev->lock);
	code = tern_ethdev_attach(dev, &trouble);
	pthread_mutex_lock(&dev->lock);
	if (code == 0)
		code = tern_ethdev_configure(dev, &trouble);
	if (code != 0) {
		tern_ethdev_detach(dev);
		if (dev->device.socket[0])
			tern_listener_close(dev->device.socket);
		dev->trouble = trouble;
	}
	return code == 0;
}

/* One look at the port. `ticks`: for how long it has had no link. */
static void tender_look(struct tern_ethdev *dev, unsigned *ticks)
{
	bool is_server = dev->device.kind == TERN_DEVICE_MEMIF_SERVER ||
			 (dev->device.kind == TERN_DEVICE_VIRTIO_USER && dev->device.socket[0]);
	if (!dev->is_attached && !tender_attach(dev))
		return;
	if (!dev->is_started) {
		*ticks = 0;
		if (tern_ethdev_start(dev, &dev->trouble) != 0)
			return;
		tender_set_open(dev, true);
		if (dev->has_joined)
			tern_interrupts_let(); /* which takes up the sockets that are new */
		return;
	}
	/* asking for the link is what lets a virtio_user server take a client that has come back */
	*ticks = tern_ethdev_has_link(dev) ? 0 : *ticks + 1;
	if (is_server || *ticks < TENDER_GRACE_TICKS)
		return;
	tender_set_open(dev, false);
	if (dev->device.probes_at_once) {
		rte_eth_dev_stop(dev->id);
		dev->is_started = false;
	} else {
		tern_ethdev_detach(dev);
	}
}

static void *tender_run(void *context)
{
	struct tern_ethdev *dev = context;
	unsigned ticks = 0, unheard_ticks = 0;
	sigset_t kept;
	tern_pipe_signal_block(&kept);
	pthread_mutex_lock(&dev->lock);
	while (!dev->is_ending) {
		tender_hear(dev, &unheard_ticks);
		tender_look(dev, &ticks);
		tender_sleep(dev);
	}
	pthread_mutex_unlock(&dev->lock);
	return NULL;
}

/* What the port says of itself before its device is there. */
static void tender_promise(struct tern_ethdev *dev)
{
	const char *mac = strstr(dev->device.args, ",mac=");
	unsigned byte[6] = {0};
	if (dev->is_attached)
		return;
	dev->port.queues = dev->queues_wanted;
	dev->port.frame_max = dev->mtu;
	dev->port.offloads = TERN_PORT_SEGMENTS;
	if (mac)
		sscanf(mac + 5, "%x:%x:%x:%x:%x:%x", byte, byte + 1, byte + 2, byte + 3, byte + 4,
		       byte + 5);
	for (int i = 0; i < 6; i++)
		dev->port.mac[i] = (uint8_t)byte[i];
}

int tern_tender_start(struct tern_ethdev *dev, struct tern_error *error)
{
	int code;
	tender_promise(dev);
	code = pthread_create(&dev->tender, NULL, tender_run, dev);
	if (code != 0)
		return tern_error_set(error, -code, "port %s: no thread to open it: %s",
				      dev->port.name, strerror(code));
	pthread_setname_np(dev->tender, "tern-port");
	dev->has_tender = true;
	return 0;
}

/* A virtio_user server waits in accept(): somebody who comes and leaves ends that. */
static void tender_rouse(struct tern_ethdev *dev)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;
	if (dev->device.kind != TERN_DEVICE_VIRTIO_USER || !dev->device.socket[0] ||
	    __atomic_load_n(&dev->is_open, __ATOMIC_RELAXED))
		return;
	memcpy(address.sun_path, dev->device.socket, sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
	}
}

void tern_tender_stop(struct tern_ethdev *dev)
{
	struct timespec until;
	if (!dev->has_tender)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->is_ending = true;
	pthread_cond_signal(&dev->changed);
	pthread_mutex_unlock(&dev->lock);
	do {
		tender_rouse(dev);
		tender_next_tick(&until);
	} while (pthread_timedjoin_np(dev->tender, NULL, &until) == ETIMEDOUT);
	dev->has_tender = false;
}
