/* SPDX-License-Identifier: Apache-2.0 */

/* A near or a far process, from its arguments to its end. */
#include "party.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tern_node.h"

#define PATIENCE_S 20

void party_wait(sem_t *sem, const char *what)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	int code;
	do
		code = sem_timedwait(sem, &until);
	while (code != 0 && errno == EINTR);
	if (code != 0)
		bench_die("after %d s: %s", PATIENCE_S, what);
}

static void wait_connected(struct party_side *near)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	for (uint32_t i = 0; i < PATIENCE_S * 1000; i++) {
		if (tern_node_connected(near->bench.engine, 2))
			return;
		nanosleep(&pause, NULL);
	}
	bench_die("after %d s: the nodes are not connected", PATIENCE_S);
}

static struct party_shared *map_shared(int fd)
{
	struct party_shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		bench_die("no memory to share: %s", strerror(errno));
	return shared;
}

static int make_shared(struct party_shared **shared)
{
	int fd = memfd_create("tern-bench", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, sizeof(**shared)) != 0)
		bench_die("no memory to share: %s", strerror(errno));
	*shared = map_shared(fd);
	if (sem_init(&(*shared)->ready, 1, 0) != 0 || sem_init(&(*shared)->begun, 1, 0) != 0 ||
	    sem_init(&(*shared)->ended, 1, 0) != 0)
		bench_die("no semaphore: %s", strerror(errno));
	return fd;
}

/* Until the near process closes the pipe, or is no more. */
static int run_far(const struct party_plan *plan)
{
	struct party_side far = {.plan = plan, .index = 1, .shared = map_shared(PARTY_FD)};
	struct tern_error error;
	char byte;
	bool is_open = party_side_open(&far, NULL, &error) == 0;
	if (is_open)
		party_agents_spawn(&far);
	else
		snprintf(far.shared->trouble, sizeof(far.shared->trouble), "%.199s", error.text);
	sem_post(&far.shared->ready);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	if (is_open)
		party_side_close(&far);
	return 0;
}

struct far_process {
	pid_t pid;
	int hold; /* it ends when this is closed */
};

static struct far_process start_far(const struct party_plan *plan, int shared_fd)
{
	struct far_process far;
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		bench_die("no pipe: %s", strerror(errno));
	const int fds[2] = {pipe_fds[0], shared_fd};
	far.pid = party_spawn(plan, 1, fds);
	if (far.pid < 0)
		bench_die("the far process cannot be started: %s", strerror(errno));
	close(pipe_fds[0]);
	far.hold = pipe_fds[1];
	return far;
}

static void end_far(struct far_process far)
{
	int status = 0;
	close(far.hold);
	if (waitpid(far.pid, &status, 0) != far.pid || status != 0)
		bench_die("the far process failed: status %d", status);
}

struct ping {
	struct party_side *near;
	struct tern_histogram *ps;
	uint32_t trips;
};

static void ping_bare(void *argument)
{
	struct ping *ping = argument;
	party_bare_ping(ping->near, ping->ps, ping->trips);
}

static void rtt_round(struct party_side *near, struct party_report *report)
{
	uint32_t trips = near->plan->smoke ? 1000 : 20000;
	struct ping ping = {.near = near, .ps = &report->floor, .trips = trips};
	const struct party_told told = {.count = trips};
	party_tell(near, near->shared->bare, PARTY_ECHO, told);
	bench_on_lcore(&near->bench, 0, ping_bare, &ping);
	party_wait(&near->shared->ended, "bare DPDK does not end");
	bench_ping(&near->bench, &report->figure, near->shared->pong, trips);
}

static void run_round(struct party_side *near, struct party_report *report, uint64_t pair[2])
{
	switch (near->plan->task) {
	case PARTY_RTT:
		rtt_round(near, report);
		break;
	case PARTY_CALL:
		bench_calls(&near->bench, &report->figure, &report->floor, near->shared->sinks[1]);
		break;
	case PARTY_LOSS:
		party_loss_round(near, report);
		break;
	case PARTY_TAIL:
		party_tail_round(near, report);
		break;
	default:
		party_rate_round(near, report, pair);
		report->count++;
	}
}

static void write_report(const struct party_report *report, const uint64_t *pairs)
{
	FILE *file = fdopen(PARTY_FD, "w");
	if (!file || fwrite(report, sizeof(*report), 1, file) != 1 ||
	    (report->count &&
	     fwrite(pairs, 2 * sizeof(*pairs), report->count, file) != report->count) ||
	    fclose(file) != 0)
		bench_die("cannot report: %s", strerror(errno));
}

static void measure(struct party_side *near, struct party_report *report)
{
	uint64_t *pairs = calloc(near->plan->rounds, 2 * sizeof(*pairs));
	if (!pairs)
		bench_die("no memory for %u rounds", near->plan->rounds);
	wait_connected(near);
	for (uint32_t i = 0; i < near->plan->rounds; i++)
		run_round(near, report, pairs + 2 * i);
	write_report(report, pairs);
	free(pairs);
}

static void refuse(struct party_report *report, const char *why)
{
	snprintf(report->reason, sizeof(report->reason), "%.199s", why);
	write_report(report, NULL);
}

/* Both sides of a ring are this process's. */
static void run_ring(const struct party_plan *plan, struct party_report *report)
{
	struct party_shared *shared;
	struct tern_error error;
	close(make_shared(&shared));
	struct party_side near = {.plan = plan, .shared = shared};
	struct party_side far = {.plan = plan, .shared = shared, .index = 1};
	if (party_side_open(&near, NULL, &error) != 0 ||
	    party_side_open(&far, &near, &error) != 0) {
		refuse(report, error.text);
		return;
	}
	party_agents_spawn(&far);
	measure(&near, report);
	party_side_close(&near);
	party_side_close(&far);
}

static void run_near(const struct party_plan *plan, struct party_report *report)
{
	struct party_shared *shared;
	struct tern_error error;
	struct far_process far = start_far(plan, make_shared(&shared));
	struct party_side near = {.plan = plan, .shared = shared};
	if (party_side_open(&near, NULL, &error) != 0) {
		refuse(report, error.text);
		return;
	}
	party_wait(&shared->ready, "the far process is not ready");
	if (shared->trouble[0]) {
		refuse(report, shared->trouble);
		return;
	}
	measure(&near, report);
	party_side_close(&near);
	end_far(far);
}

int bench_party_main(int argc, char **argv)
{
	static struct party_report report;
	struct party_plan plan;
	uint32_t side;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!party_plan_read(argc, argv, &plan, &side))
		return 2;
	if (side == 1)
		return run_far(&plan);
	if (plan.port == PARTY_RING)
		run_ring(&plan, &report);
	else
		run_near(&plan, &report);
	return 0;
}
