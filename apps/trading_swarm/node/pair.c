/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

int pair_make(struct pair *pair)
{
	uint64_t drawn[2];
	if (getrandom(drawn, sizeof(drawn), 0) != sizeof(drawn))
		return -EIO;
	snprintf(pair->socket, sizeof(pair->socket), "trading_swarm.%016" PRIx64, drawn[0]);
	snprintf(pair->secret, sizeof(pair->secret), "%016" PRIx64, drawn[1]);
	return 0;
}

int pair_check(const struct tern_config *config, struct tern_error *error)
{
	if (config->node || config->device[0] || config->members[0] || config->address[0])
		return tern_error_set(error, -EINVAL,
				      "--nodes makes two nodes and the way between them: leave "
				      "out node.id, node.device, node.members and node.address");
	if (config->clock == TERN_CLOCK_VIRTUAL)
		return tern_error_set(error, -EINVAL,
				      "engine.clock is \"virtual\", which two processes cannot "
				      "share: needs tsc with --nodes");
	return 0;
}

/* Two lcores or more are halved: the queues of memif are as many on both sides. */
static void share_lcores(uint32_t node, struct tern_config *config)
{
	uint32_t count = config->lcore_count / 2;
	if (count == 0) {
		config->idle = TERN_IDLE_BACKOFF;
		return;
	}
	if (node == 2)
		memmove(config->lcores, config->lcores + count, count * sizeof(*config->lcores));
	config->lcore_count = count;
}

/* The MACs are known from the start, as a forked process would draw those of the first one. */
#define MAC(node) "02:00:00:00:00:0" node
#define LIST(first, second) "1 " first " mac=" MAC("1") "\n2 " second " mac=" MAC("2") "\n"

static int write_members(enum tern_carrier_kind carrier)
{
	static const char *const lists[] = {[TERN_OVER_ETHERNET] = LIST("", ""),
					    [TERN_OVER_IPV4] = LIST("10.0.0.1", "10.0.0.2"),
					    [TERN_OVER_IPV6] = LIST("fd00::1", "fd00::2")};
	const ssize_t length = (ssize_t)strlen(lists[carrier]);
	int fd = memfd_create("members", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, lists[carrier], (size_t)length) == length)
		return fd;
	int code = -errno;
	close(fd);
	return code;
}

int pair_configure(const struct pair *pair, uint32_t node, struct tern_config *config, int *members)
{
	int fd = write_members(config->carrier);
	if (fd < 0)
		return fd;
	share_lcores(node, config);
	config->node = node;
	snprintf(config->members, sizeof(config->members), "/proc/self/fd/%d", fd);
	snprintf(config->device, sizeof(config->device),
		 "net_memif0,role=%s,socket=%s,socket-abstract=yes,secret=%s,mac=%s",
		 node == 1 ? "server" : "client", pair->socket, pair->secret,
		 node == 1 ? MAC("1") : MAC("2"));
	*members = fd;
	return 0;
}
