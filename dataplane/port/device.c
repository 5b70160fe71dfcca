/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEVICE_BUFFER = 2048, DEVICE_WRAP = 26 }; /* Ethernet, two tags, CRC */

static bool device_is_pci_address(const char *text, char *full, size_t size)
{
	unsigned domain = 0, bus, slot, function;
	int end = 0;
	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4 ||
	    text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3 || text[end])
			return false;
	}
	snprintf(full, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}

/* Drivers through which DPDK reaches a device; and mlx, which share theirs with the kernel. */
static bool device_is_usable_driver(const char *driver)
{
	static const char *const usable[] = {"vfio-pci",  "uio_pci_generic", "igb_uio",
					     "mlx4_core", "mlx5_core",	     "uio_hv_generic"};
	for (size_t i = 0; i < sizeof(usable) / sizeof(usable[0]); i++)
		if (strcmp(driver, usable[i]) == 0)
			return true;
	return false;
}

static int device_read_pci(struct tern_device *device, struct tern_error *error)
{
	char path[128], target[256];
	const char *driver = "no driver";
	ssize_t length;
	device->kind = TERN_DEVICE_PCI;
	snprintf(device->args, sizeof(device->args), "%s", device->name);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device->name);
	if (access(path, F_OK) != 0)
		return tern_error_set(error, -ENODEV,
				      "port %s: there is no such PCI device; needed: an address "
				      "that `lspci -D` lists",
				      device->name);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", device->name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length > 0) {
		target[length] = '\0';
		driver = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	}
	if (!device_is_usable_driver(driver))
		return tern_error_set(error, -EBUSY,
				      "port %s: %s has it; needed: vfio-pci, which takes it away "
				      "from the kernel: dpdk-devbind.py --bind=vfio-pci %s",
				      device->name, driver, device->name);
	return 0;
}

/* The value of KEY=VALUE among a device's arguments. */
static bool device_argument(const struct tern_device *device, const char *key, char *value,
			    size_t size)
{
	size_t length = strlen(key);
	for (const char *at = strchr(device->args, ','); at; at = strchr(at + 1, ',')) {
		if (strncmp(at + 1, key, length) != 0 || at[1 + length] != '=')
			continue;
		at += length + 2;
		snprintf(value, size, "%.*s", (int)strcspn(at, ","), at);
		return true;
	}
	return false;
}

static bool device_argument_is(const struct tern_device *device, const char *key, const char *value)
{
	char found[128];
	return device_argument(device, key, found, sizeof(found)) && strcmp(found, value) == 0;
}

static void device_add(struct tern_device *device, const char *key, unsigned value)
{
	size_t at = strlen(device->args);
	char there[64];
	if (!device_argument(device, key, there, sizeof(there)))
		snprintf(device->args + at, sizeof(device->args) - at, ",%s=%u", key, value);
}

/*
 * A frame is kept in one of memif's buffers: drivers up to DPDK 26.03 may garble those that are
 * chained.
 */
static int device_fit_memif(struct tern_device *device, uint16_t mtu, struct tern_error *error)
{
	unsigned needed = (unsigned)mtu + DEVICE_WRAP, given = DEVICE_BUFFER;
	char value[16];
	if (device_argument(device, "bsize", value, sizeof(value)))
		given = (unsigned)strtoul(value, NULL, 10);
	else if (needed > DEVICE_BUFFER)
		device_add(device, "bsize", given = (needed + 63) / 64 * 64);
	if (needed > given || given > UINT16_MAX)
		return tern_error_set(error, -EMSGSIZE,
				      "port %s: an MTU of %u does not fit its buffers of %u bytes; "
				      "needed: bsize=%u, at most 65472, or a lower MTU",
				      device->name, mtu, given, (needed + 63) / 64 * 64);
	return 0;
}

/* Of what it does not know memif's driver says nothing, and forgets what it knows. */
static int device_check_memif(const struct tern_device *device, struct tern_error *error)
{
	static const char keys[] =
		" role id bsize rsize socket socket-abstract mac zero-copy secret ";
	for (const char *at = strchr(device->args, ','); at; at = strchr(at + 1, ',')) {
		char key[40];
		snprintf(key, sizeof(key), " %.*s ", (int)strcspn(at + 1, ",="), at + 1);
		if (!strstr(keys, key))
			return tern_error_set(error, -EINVAL,
					      "port %s:%sis no argument of memif; needed: one of%s",
					      device->name, key, keys);
	}
	return 0;
}

/*
 * A MAC of its own from the start: virtio_user's far side, which knows one, may come much later;
 * and DPDK draws memif's from a seed that a program's forked processes share.
 */
static void device_add_mac(struct tern_device *device)
{
	size_t at = strlen(device->args);
	unsigned char own[4] = {0};
	char there[32];
	if (device_argument(device, "mac", there, sizeof(there)) ||
	    getrandom(own, sizeof(own), 0) != sizeof(own))
		return;
	snprintf(device->args + at, sizeof(device->args) - at, ",mac=02:54:%02x:%02x:%02x:%02x",
		 own[0], own[1], own[2], own[3]);
}

static int device_read_memif(struct tern_device *device, uint16_t mtu, struct tern_error *error)
{
	bool is_server = device_argument_is(device, "role", "server") ||
			 device_argument_is(device, "role", "master");
	device->kind = is_server ? TERN_DEVICE_MEMIF_SERVER : TERN_DEVICE_MEMIF_CLIENT;
	device->may_wait = true;
	device->probes_at_once = true;
	if (is_server && device_argument_is(device, "socket-abstract", "no"))
		device_argument(device, "socket", device->socket, sizeof(device->socket));
	device_add_mac(device);
	if (device_check_memif(device, error) != 0)
		return -EINVAL;
	return device_fit_memif(device, mtu, error);
}

static int device_read_virtio(struct tern_device *device, uint16_t queues, struct tern_error *error)
{
	char path[128];
	if (!device_argument(device, "path", path, sizeof(path)))
		return tern_error_set(error, -EINVAL,
				      "port %s: no socket is named; needed: path=FILE, and "
				      "server=1 on one side of the pair",
				      device->name);
	device->kind = TERN_DEVICE_VIRTIO_USER;
	device->may_wait = true;
	device_add(device, "queues", queues);
	device_add_mac(device);
	if (device_argument_is(device, "server", "1"))
		device_argument(device, "path", device->socket, sizeof(device->socket));
	return 0;
}

static void device_read_vhost(struct tern_device *device, uint16_t queues)
{
	device->kind = TERN_DEVICE_VHOST;
	device_add(device, "queues", queues);
	if (!device_argument_is(device, "client", "1"))
		device_argument(device, "iface", device->socket, sizeof(device->socket));
}

static int device_read_vdev(struct tern_device *device, const char *text, uint16_t queues,
			    uint16_t mtu, struct tern_error *error)
{
	snprintf(device->args, sizeof(device->args), "%s", text);
	snprintf(device->name, sizeof(device->name), "%.*s", (int)strcspn(text, ","), text);
	device->kind = TERN_DEVICE_VDEV;
	if (strncmp(text, "net_memif", 9) == 0)
		return device_read_memif(device, mtu, error);
	if (strncmp(text, "net_virtio_user", 15) == 0)
		return device_read_virtio(device, queues, error);
	if (strncmp(text, "net_vhost", 9) == 0)
		device_read_vhost(device, queues);
	else if (strncmp(text, "net_ring", 8) == 0)
		device->kind = TERN_DEVICE_RING;
	else if (strncmp(text, "net_af_packet", 13) == 0 || strncmp(text, "net_af_xdp", 10) == 0)
		device_argument(device, "iface", device->interface, sizeof(device->interface));
	return 0;
}

static int device_check_interface(struct tern_device *device, uint16_t mtu,
				  struct tern_error *error)
{
	struct ifreq request = {0};
	int fd, code;
	if (!if_nametoindex(device->interface))
		return tern_error_set(error, -ENODEV,
				      "port %s: there is no such interface; needed: one that `ip "
				      "link` lists, a PCI address, or a device such as "
				      "net_memif0,role=client",
				      device->interface);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return tern_error_set(error, -errno,
				      "port %s: a packet socket is refused (%s); needed: "
				      "CAP_NET_RAW in the network's namespace: run as root, or in "
				      "`unshare -Urn`",
				      device->interface, strerror(errno));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device->interface);
	code = ioctl(fd, SIOCGIFMTU, &request);
	close(fd);
	if (code == 0 && mtu > request.ifr_mtu)
		return tern_error_set(error, -EMSGSIZE,
				      "port %s: an MTU of %u is wanted, and the interface has %d; "
				      "ip link set dev %s mtu %u",
				      device->interface, mtu, request.ifr_mtu, device->interface,
				      mtu);
	return 0;
}

/*
 * af_packet's slots hold a frame and 32 bytes before it, and want to be no larger than the frames
 * of a pool for that MTU. Its blocks are whole pages, and whole slots: 128 of them.
 */
static void device_interface_args(struct tern_device *device, bool is_xdp, uint16_t queues,
				  uint16_t mtu)
{
	unsigned slot = ((unsigned)mtu + DEVICE_WRAP + 63) / 64 * 64 + 32;
	snprintf(device->name, sizeof(device->name), "net_af_%s_%s", is_xdp ? "xdp" : "packet",
		 device->interface);
	if (is_xdp)
		snprintf(device->args, sizeof(device->args), "%s,iface=%s,queue_count=%u",
			 device->name, device->interface, queues);
	else
		snprintf(device->args, sizeof(device->args),
			 "%s,iface=%s,qpairs=%u,framesz=%u,blocksz=%u,framecnt=512", device->name,
			 device->interface, queues, slot, slot / 32 * 4096);
}

static int device_read_interface(struct tern_device *device, const char *text, uint16_t queues,
				 uint16_t mtu, struct tern_error *error)
{
	bool is_xdp = strncmp(text, "xdp:", 4) == 0;
	const char *name = is_xdp ? text + 4 : text;
	if (strlen(name) >= sizeof(device->interface))
		return tern_error_set(error, -EINVAL,
				      "port %s: neither a PCI address, nor an interface of the "
				      "kernel, nor a device such as net_memif0,role=client",
				      text);
	strcpy(device->interface, name);
	device->kind = TERN_DEVICE_INTERFACE;
	device_interface_args(device, is_xdp, queues, mtu);
	return device_check_interface(device, mtu, error);
}

int tern_device_read(const char *text, uint16_t queues, uint16_t mtu, struct tern_device *device,
		     struct tern_error *error)
{
	struct tern_device read = {0};
	int code;
	if (strlen(text) > sizeof(read.args) - 128)
		return tern_error_set(error, -E2BIG,
				      "port %.40s...: %zu characters; needed: below %zu", text,
				      strlen(text), sizeof(read.args) - 127);
	if (device_is_pci_address(text, read.name, sizeof(read.name)))
		code = device_read_pci(&read, error);
	else if (strncmp(text, "net_", 4) == 0)
		code = device_read_vdev(&read, text, queues, mtu, error);
	else
		code = device_read_interface(&read, text, queues, mtu, error);
	if (code == 0 && read.kind != TERN_DEVICE_INTERFACE && read.interface[0])
		code = device_check_interface(&read, mtu, error);
	if (code == 0)
		*device = read;
	return code;
}

/*
 * Of another type than those who listen have, so that the kernel says whether somebody does, and
 * nobody is connected to: memif's server may panic of a client that has gone at once.
 */
void tern_device_clear_socket(const struct tern_device *device)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat found;
	int fd;
	if (!device->socket[0] || stat(device->socket, &found) != 0 || !S_ISSOCK(found.st_mode))
		return;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", device->socket);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED)
		unlink(device->socket);
	close(fd);
}
