/* SPDX-License-Identifier: Apache-2.0 */

/*
 * remote_rtt_*, remote_call, remote_rate, remote_rate_64, remote_block, loss_50k_*, tail_loss: the
 * main process starts a near process for each, and takes what that has measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "party.h"

#define LOSS_SHARE 4 /* its rounds take a second each: so many times fewer */

static bool open_folder(struct party_plan *plan)
{
	const char *in = getenv("TMPDIR");
	char path[96];
	int length = snprintf(plan->folder, sizeof(plan->folder), "%s/tern-bench-XXXXXX",
			      in && *in ? in : "/tmp");
	if (length >= (int)sizeof(plan->folder))
		errno = ENAMETOOLONG;
	if (length >= (int)sizeof(plan->folder) || !mkdtemp(plan->folder))
		return false;
	snprintf(path, sizeof(path), "%s/members", plan->folder);
	FILE *file = fopen(path, "we");
	return file && fputs("1\n2\n", file) >= 0 && fclose(file) == 0;
}

static void remove_folder(const struct party_plan *plan)
{
	static const char *const names[] = {"members", "tern", "bare"};
	char path[96];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", plan->folder, names[i]);
		unlink(path);
	}
	rmdir(plan->folder);
}

static void take_cpus(struct party_plan *plan)
{
	cpu_set_t cpus;
	uint32_t found = 0;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			plan->cpus[found++] = cpu;
}

static uint64_t *read_report(int fd, struct party_report *report)
{
	FILE *file = fdopen(fd, "r");
	uint64_t *pairs = NULL;
	if (!file || fread(report, sizeof(*report), 1, file) != 1)
		goto close;
	pairs = calloc(report->count + 1, 2 * sizeof(*pairs));
	if (pairs && fread(pairs, 2 * sizeof(*pairs), report->count, file) != report->count) {
		free(pairs);
		pairs = NULL;
	}
close:
	if (file)
		fclose(file);
	return pairs;
}

/* Run a near process. NULL: it has failed, and said why, or there is no network for it. */
static uint64_t *run_near(const struct party_plan *plan, struct party_report *report)
{
	int fds[2], status = 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return NULL;
	const int child_fds[2] = {STDIN_FILENO, fds[1]};
	int pid = party_spawn(plan, 0, child_fds);
	close(fds[1]);
	uint64_t *pairs = read_report(fds[0], report);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == PARTY_EXIT_NO_NET)
		snprintf(report->reason, sizeof(report->reason),
			 "needs interfaces in a network namespace: unshare, ip");
	if (status == 0)
		return pairs;
	free(pairs);
	return NULL;
}

/* What a port needs that this machine may not have. NULL: nothing, or it will be seen. */
static const char *lacks(enum party_port port)
{
	if (port == PARTY_XDP && geteuid() != 0)
		return "needs root: AF_XDP";
	return NULL;
}

/* Run a plan; false: the benchmark is skipped. */
static bool run_plan(struct bench *bench, struct party_plan *plan, struct bench_result *result,
		     struct party_report *report)
{
	result->skipped = lacks(plan->port);
	if (result->skipped)
		return false;
	plan->smoke = bench->smoke;
	take_cpus(plan);
	*report = (struct party_report){0};
	if (!open_folder(plan))
		bench_die("cannot make a folder in TMPDIR: %s", strerror(errno));
	uint64_t *pairs = run_near(plan, report);
	remove_folder(plan);
	if (!pairs && !report->reason[0])
		bench_die("%s: the near process has failed", result->name);
	for (uint32_t i = 0; pairs && i < report->count; i++)
		bench_round(result, pairs[2 * i], pairs[2 * i + 1]);
	free(pairs);
	if (!report->reason[0])
		return true;
	snprintf(bench->reason, sizeof(bench->reason), "%.159s", report->reason);
	result->skipped = bench->reason;
	return false;
}

static void run_one(struct bench *bench, struct bench_result *result, enum party_port port,
		    enum party_task task)
{
	static struct party_report report;
	struct party_plan plan = {.port = port, .task = task, .rounds = bench->rounds};
	if (!run_plan(bench, &plan, result, &report))
		return;
	if (report.count == 0) {
		result->figure = report.figure;
		result->floor = report.floor;
	}
	if (report.frames > 0)
		result->beside = (struct bench_beside){"frames", report.frames};
}

static void rtt_ring(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_RING, PARTY_RTT);
}

static void rtt_memif(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_RTT);
}

static void rtt_vhost(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_VHOST, PARTY_RTT);
}

static void rtt_packet(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_PACKET, PARTY_RTT);
}

static void rtt_xdp(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_XDP, PARTY_RTT);
}

static void call(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_CALL);
}

static void rate(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_RATE);
}

static void rate_64(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_RATE_64);
}

static void block(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_BLOCK);
}

static void tail(struct bench *bench, struct bench_result *result)
{
	run_one(bench, result, PARTY_MEMIF, PARTY_TAIL);
}

/* Faults are the configuration's, so each rate has processes of its own in each round. */
static bool run_lossy(struct bench *bench, struct bench_result *result, enum party_port port,
		      const char *rate_text, struct tern_histogram *latency)
{
	static struct party_report report;
	struct party_plan plan = {
		.port = port, .task = PARTY_LOSS, .rounds = 1, .seed = result->rounds.count + 1};
	snprintf(plan.fault, sizeof(plan.fault), "loss=%s,way=out", rate_text);
	if (!run_plan(bench, &plan, result, &report))
		return false;
	*latency = report.figure;
	return true;
}

/* What is compared is p99, round by round. */
static void loss(struct bench *bench, struct bench_result *result, enum party_port port,
		 const char *rate_text)
{
	static struct tern_histogram with, without;
	uint32_t rounds = (bench->rounds + LOSS_SHARE - 1) / LOSS_SHARE;
	for (uint32_t i = 0; i < rounds; i++) {
		if (!run_lossy(bench, result, port, "0%", &without) ||
		    !run_lossy(bench, result, port, rate_text, &with))
			return;
		bench_round(result, tern_histogram_percentile(&without, 99),
			    tern_histogram_percentile(&with, 99));
		tern_histogram_merge(&result->figure, &with);
		tern_histogram_merge(&result->floor, &without);
	}
	result->beside = (struct bench_beside){
		"p50_without_loss", bench_percentile(&result->floor, 50, BENCH_PS_PER_NS)};
}

static void loss_0_1(struct bench *bench, struct bench_result *result)
{
	loss(bench, result, PARTY_MEMIF, "0.1%");
}

static void loss_1(struct bench *bench, struct bench_result *result)
{
	loss(bench, result, PARTY_MEMIF, "1%");
}

static void loss_5(struct bench *bench, struct bench_result *result)
{
	loss(bench, result, PARTY_MEMIF, "5%");
}

static void loss_packet_5(struct bench *bench, struct bench_result *result)
{
	loss(bench, result, PARTY_PACKET, "5%");
}

#define RTT_CASE(port_name, runs, where)                                                 \
	{                                                                                \
		.name = "remote_rtt_" port_name, .unit = "ns",                           \
		.floor_name = "bare DPDK, 64-byte frames there and back, same threads, " \
			      "a port of the same kind",                                 \
		.note = "agent to agent on another node and back, " where                \
			"; dependent; each trip timed; budget is 1.25x the floor",       \
		.budget = -1.25, .needs_two = true, .run = runs                          \
	}

#define RATE_CASE(case_name, case_unit, what, runs)                                             \
	{                                                                                       \
		.name = case_name, .unit = case_unit,                                           \
		.floor_name = "bare DPDK, frames of the size that those of the same round had", \
		.note = what, .budget = -0.8, .needs_two = true, .run = runs                    \
	}

#define LOSS_CASE(case_name, where, rate, runs)                                                \
	{                                                                                      \
		.name = case_name, .unit = "ns", .floor_name = "p99 of the same without loss", \
		.note = "p99 of 50,000 signals a second from the time each was to be sent, "   \
			"" where ", " rate " of frames lost both ways; median of rounds",      \
		.budget_beyond = 60000, .ratio = 60, .needs_two = true, .run = runs            \
	}

const struct bench_case bench_remote_cases[] = {
	RTT_CASE("ring", rtt_ring, "ports of rings in one process"),
	RTT_CASE("memif", rtt_memif, "memif between two processes"),
	RTT_CASE("vhost", rtt_vhost, "virtio_user and vhost between two processes"),
	RTT_CASE("packet", rtt_packet, "af_packet on a veth pair, two processes"),
	RTT_CASE("xdp", rtt_xdp, "AF_XDP on a veth pair, two processes"),
	{.name = "remote_call",
	 .unit = "ns",
	 .floor_name = "fenced clock pair, subtracted from the figure",
	 .note = "one call to an agent of another node, beyond the clock pair; independent calls",
	 .budget = 60,
	 .ratio = 6,
	 .needs_two = true,
	 .run = call},
	RATE_CASE("remote_rate", "signals/s",
		  "one agent to one of another node, 40 bytes by value, memif; the floor counts "
		  "as many signals a frame",
		  rate),
	RATE_CASE("remote_rate_64", "signals/s",
		  "64 agents to 64 of another node, one each, 40 bytes by value, memif", rate_64),
	RATE_CASE("remote_block", "bytes/s",
		  "blocks of 60 KiB to an agent of another node, memif, MTU 1500; the floor "
		  "counts whole frames",
		  block),
	LOSS_CASE("loss_50k_0_1", "memif", "0.1 %", loss_0_1),
	LOSS_CASE("loss_50k_1", "memif", "1 %", loss_1),
	LOSS_CASE("loss_50k_5", "memif", "5 %", loss_5),
	LOSS_CASE("loss_50k_packet_5", "af_packet", "5 %", loss_packet_5),
	{.name = "tail_loss",
	 .unit = "ns",
	 .floor_name = "the same, not lost",
	 .note = "a lone signal to another node whose frame is lost once, until it is delivered, "
		 "memif",
	 .budget = 100000,
	 .budget_p99 = 100000,
	 .ratio = 100,
	 .needs_two = true,
	 .run = tail},
	{0},
};
