/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#define LISTENER_DEFAULT "/run/memif.sock"

static void listener_name(const char *args, char *name, size_t size)
{
	const char *at = strstr(args, "socket=");
	while (at && at > args && at[-1] != ',')
		at = strstr(at + 1, "socket=");
	snprintf(name, size, "%.*s", at ? (int)strcspn(at + 7, ",") : (int)size - 1,
		 at ? at + 7 : LISTENER_DEFAULT);
}

/* Whether another memif port of this process listens there. */
static bool listener_is_shared(const char *name, uint16_t own)
{
	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
		struct rte_eth_dev_info info;
		char other[sizeof(((struct sockaddr_un *)0)->sun_path)];
		const struct rte_devargs *args;
		if (id == own || !rte_eth_dev_is_valid_port(id) ||
		    rte_eth_dev_info_get(id, &info) != 0 ||
		    strcmp(info.driver_name, "net_memif") != 0)
			continue;
		args = rte_dev_devargs(info.device);
		if (!args || !args->args || !strstr(args->args, "role=server"))
			continue;
		listener_name(args->args, other, sizeof(other));
		if (strcmp(name, other) == 0)
			return true;
	}
	return false;
}

static bool listener_has_name(const struct sockaddr_un *address, socklen_t size, const char *name)
{
	return address->sun_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path) &&
	       strncmp(address->sun_path + !address->sun_path[0], name,
		       sizeof(address->sun_path) - 1) == 0;
}

/* Whether a descriptor is a socket of that name, which listens or was accepted there. */
static bool listener_is(int fd, const char *name)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       listener_has_name(&address, size, name);
}

/* Or is connected to one. */
static bool listener_is_client(int fd, const char *name)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address);
	return getpeername(fd, (struct sockaddr *)&address, &size) == 0 &&
	       listener_has_name(&address, size, name);
}

static bool listener_listens(int fd)
{
	int listens = 0;
	socklen_t size = sizeof(listens);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

static void listener_silence(int fd)
{
	int silent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (silent < 0)
		return;
	dup2(silent, fd);
	close(silent);
}

/* Of the descriptors that are sockets of that name: silence those that listen, or close all. */
static void listener_each(const char *name, bool is_silencing)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	while (folder && (entry = readdir(folder)) != NULL) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] == '.' || !listener_is(fd, name))
			continue;
		if (!is_silencing)
			close(fd);
		else if (listener_listens(fd))
			listener_silence(fd);
	}
	if (folder)
		closedir(folder);
}

void tern_listener_retire(const char *args, uint16_t id)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	listener_name(args, name, sizeof(name));
	if (!listener_is_shared(name, id))
		listener_each(name, true);
}

void tern_listener_close(const char *path)
{
	listener_each(path, false);
	unlink(path);
}

unsigned tern_listener_sockets(const char *args, int *fds, unsigned max)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned count = 0;
	listener_name(args, name, sizeof(name));
	while (folder && count < max && (entry = readdir(folder)) != NULL) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] != '.' &&
		    (listener_is(fd, name) || listener_is_client(fd, name)))
			fds[count++] = fd;
	}
	if (folder)
		closedir(folder);
	return count;
}
