/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAR_SIDE_H
#define FAR_SIDE_H

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "tests/unit/support.h"

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"
#include "leftovers.h"

/*
 * A port and its far side in a process of its own, which sends back each frame that it gets. The
 * test's program is started once more for it: `PROGRAM echo DEVICE`.
 */

enum { FAR_FRAMES = 4096, FAR_WAIT_MS = 20000 };

extern char **environ;

/** What is opened on this side: two queues are too many for some drivers, so one. */
static inline struct tern_port *far_open(const char *device, struct rte_mempool *pool)
{
	struct tern_ethdev_options options = {.device = device, .queues = 1, .frames = &pool};
	struct tern_port *port = NULL;
	struct tern_error error = {""};
	if (tern_ethdev_create(&options, &port, &error) != 0)
		fail_msg("%s", error.text);
	return port;
}

/** The far side: until it is killed, or its parent dies. */
static inline int far_echo(const char *device)
{
	const struct tern_eal_needs needs = {.memory_mib = 128};
	struct rte_mempool *pool;
	struct tern_ethdev_options options = {.device = device, .queues = 1, .frames = &pool};
	struct tern_port *port;
	struct tern_error error = {""};
	pid_t parent = getppid();
	if (tern_eal_start(&needs, &error) != 0 ||
	    tern_frames_create("echo", FAR_FRAMES, 1500, 0, -1, &pool, &error) != 0 ||
	    tern_ethdev_create(&options, &port, &error) != 0) {
		fprintf(stderr, "far side: %s\n", error.text);
		return 1;
	}
	while (getppid() == parent) {
		struct rte_mbuf *frames[32];
		uint16_t got = tern_port_rx(port, 0, frames, 32), sent = 0;
		for (uint16_t i = 0; i < got; i++)
			(*rte_pktmbuf_mtod_offset(frames[i], uint32_t *, 16))++;
		while (sent < got && getppid() == parent)
			sent = (uint16_t)(sent + tern_port_tx(port, 0, frames + sent,
							      (uint16_t)(got - sent)));
		if (!got)
			breathe();
	}
	return 0;
}

static inline pid_t far_start(const char *device)
{
	char program[] = "/proc/self/exe", what[] = "echo", which[256];
	char *arguments[] = {program, what, which, NULL};
	pid_t pid;
	snprintf(which, sizeof(which), "%s", device);
	assert_int_equal(posix_spawn(&pid, program, NULL, NULL, arguments, environ), 0);
	return pid;
}

static inline void far_kill(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/** Wait for a port to come up, or to go down. */
static inline void far_await(struct tern_port *port, bool is_up)
{
	struct patience patience = {0};
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (port->ops->is_up(port) != is_up) {
		struct tern_ethdev_report report;
		tern_ethdev_report(port, &report);
		if (patience_ns(&patience) > FAR_WAIT_MS * 1000000ull)
			fail_msg("the port does not %s: %s", is_up ? "come up" : "go down",
				 report.trouble);
		breathe();
	}
}

static inline struct rte_mbuf *far_frame(struct rte_mempool *pool, uint32_t number)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	unsigned char *bytes;
	if (!frame)
		fail_msg("no free frame");
	bytes = (unsigned char *)rte_pktmbuf_append(frame, 64);
	memset(bytes, 2, 64);
	memcpy(bytes + 16, &number, sizeof(number));
	return frame;
}

/** Receive one frame, unless it takes longer than `wait_ns`. */
static inline struct rte_mbuf *far_receive(struct tern_port *port, uint64_t wait_ns)
{
	struct patience patience = {0};
	struct rte_mbuf *frame;
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (!tern_port_rx(port, 0, &frame, 1)) {
		if (patience_ns(&patience) > wait_ns)
			return NULL;
		sched_yield();
	}
	return frame;
}

/** One frame there and back, unaltered but for the far side's mark. false: it got lost. */
static inline bool far_ping(struct tern_port *port, struct rte_mempool *pool, uint32_t number)
{
	struct rte_mbuf *frame = far_frame(pool, number);
	uint32_t got;
	if (!tern_port_tx(port, 0, &frame, 1)) {
		rte_pktmbuf_free(frame);
		return false;
	}
	do {
		frame = far_receive(port, 500000000u);
		if (!frame)
			return false;
		assert_int_equal(rte_pktmbuf_pkt_len(frame), 64);
		memcpy(&got, rte_pktmbuf_mtod_offset(frame, char *, 16), sizeof(got));
		rte_pktmbuf_free(frame);
	} while (got != number + 1);
	return true;
}

/** As many pings in a row as asked for; some may be lost while the far side settles. */
static inline void far_talk(struct tern_port *port, struct rte_mempool *pool, uint32_t count)
{
	struct patience patience = {0};
	uint32_t in_a_row = 0;
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	for (uint32_t number = 0; in_a_row < count; number += 2) {
		if (far_ping(port, pool, number)) {
			in_a_row++;
			continue;
		}
		in_a_row = 0;
		if (patience_ns(&patience) > FAR_WAIT_MS * 1000000ull)
			fail_msg("of %u frames no %u in a row came back", number / 2, count);
		breathe();
	}
}

/**
 * A port that is opened before its far side is there, which then comes, is killed and comes again;
 * then nothing is left.
 */
static inline void far_comes_and_goes(const char *here, const char *there, struct rte_mempool *pool,
				      int rounds)
{
	struct tern_port *port = far_open(here, pool);
	unsigned threads;
	struct rte_mbuf *frame = far_frame(pool, 0);
	/* the first port of a driver may start a thread of the driver's, for good */
	port->ops->destroy(port);
	threads = leftovers_threads();
	port = far_open(here, pool);
	assert_false(port->ops->is_up(port));
	assert_int_equal(tern_port_tx(port, 0, &frame, 1), 0);
	rte_pktmbuf_free(frame);
	assert_int_equal(tern_port_rx(port, 0, &frame, 1), 0);
	for (int i = 0; i < rounds; i++) {
		pid_t far = far_start(there);
		far_await(port, true);
		far_talk(port, pool, 50);
		far_kill(far);
		far_await(port, false);
		assert_null(far_receive(port, 0));
	}
	port->ops->destroy(port);
	assert_int_equal(leftovers_threads(), threads);
	assert_int_equal(rte_mempool_avail_count(pool), FAR_FRAMES);
}

static inline struct rte_mempool *far_pool(void)
{
	const struct tern_eal_needs needs = {.memory_mib = 256};
	struct rte_mempool *pool;
	struct tern_error error = {""};
	if (tern_eal_start(&needs, &error) == 0 &&
	    tern_frames_create("here", FAR_FRAMES, 1500, 0, -1, &pool, &error) == 0)
		return pool;
	fprintf(stderr, "%s\n", error.text);
	exit(1);
}

#endif
