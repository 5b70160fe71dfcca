/* SPDX-License-Identifier: Apache-2.0 */

/*
 * EAL, for the peers that need its heaps: started when first asked for, without devices, huge
 * pages, files or output of its own. It can be started once in a process.
 */
#include <libgen.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "bench.h"

static unsigned int first_cpu(const cpu_set_t *cpus)
{
	unsigned int cpu = 0;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, cpus))
		cpu++;
	return cpu;
}

/* Empty, for nothing is shared: it would be all that is left behind. */
static void remove_runtime_folder(void)
{
	char folder[4096];
	snprintf(folder, sizeof(folder), "%s", rte_eal_get_runtime_dir());
	rmdir(folder);
	rmdir(dirname(folder));
}

/* EAL pins the thread that starts it. */
static bool start(unsigned int cpu)
{
	char lcores[32], prefix[48];
	snprintf(lcores, sizeof(lcores), "--lcores=0@%u", cpu);
	snprintf(prefix, sizeof(prefix), "--file-prefix=tern-bench-%d", (int)getpid());
	char program[] = "tern-bench", no_huge[] = "--no-huge", no_files[] = "--no-shconf",
	     no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry", quiet[] = "--log-level=1";
	char *arguments[] = {program,	   no_huge, no_files, no_pci,
			     no_telemetry, quiet,   lcores,   prefix};
	bool started = rte_eal_init(sizeof(arguments) / sizeof(arguments[0]), arguments) >= 0;
	remove_runtime_folder();
	return started;
}

const char *bench_eal_start(struct bench *bench)
{
	cpu_set_t cpus;
	if (bench->eal == BENCH_EAL_RUNS)
		return NULL;
	if (bench->eal == BENCH_EAL_REFUSED)
		return "EAL, whose heaps rte_hash needs, does not start";
	pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	bool started = start(first_cpu(&cpus));
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	bench->eal = started ? BENCH_EAL_RUNS : BENCH_EAL_REFUSED;
	if (started)
		return NULL;
	snprintf(bench->reason, sizeof(bench->reason),
		 "EAL, whose heaps rte_hash needs, does not start: %s", rte_strerror(rte_errno));
	return bench->reason;
}

void bench_eal_stop(struct bench *bench)
{
	if (bench->eal == BENCH_EAL_RUNS)
		rte_eal_cleanup();
}
