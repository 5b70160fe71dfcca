/* SPDX-License-Identifier: Apache-2.0 */
#include "eal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "pipe_signal.h"

enum { EAL_MEMORY_MIB = 512, EAL_ARGUMENTS_MAX = 16, EAL_LINE_MAX = 200, EAL_CPUS_MAX = 4096 };

enum eal_state {
	EAL_OFF,
	EAL_OURS,
	EAL_OF_THE_PROGRAM,
	EAL_FAILED,
};

/* One a process, as EAL is. */
static struct {
	pthread_mutex_t lock;
	enum eal_state state;
	bool has_pci;
	uint32_t memory_mib;
	bool is_told;		 /* `line` is one; atomic */
	char line[EAL_LINE_MAX]; /* the first error since tern_eal_listen() */
	FILE *log;
} tern_eal = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Drivers call it from any thread, one at a time. What is told twice is told once. */
static ssize_t eal_log_write(void *cookie, const char *text, size_t size)
{
	size_t length = 0;
	(void)cookie;
	while (length < size && text[length] != '\n')
		length++;
	if (length && !__atomic_load_n(&tern_eal.is_told, __ATOMIC_ACQUIRE)) {
		snprintf(tern_eal.line, sizeof(tern_eal.line), "%.*s", (int)length, text);
		__atomic_store_n(&tern_eal.is_told, true, __ATOMIC_RELEASE);
	}
	return (ssize_t)size;
}

static void eal_hush(void)
{
	tern_eal.log = fopencookie(NULL, "w", (cookie_io_functions_t){.write = eal_log_write});
	if (!tern_eal.log)
		return;
	setvbuf(tern_eal.log, NULL, _IOLBF, BUFSIZ);
	rte_openlog_stream(tern_eal.log);
}

void tern_eal_listen(void)
{
	if (tern_eal.log)
		fflush(tern_eal.log);
	__atomic_store_n(&tern_eal.is_told, false, __ATOMIC_RELEASE);
}

void tern_eal_told(char *text, size_t size)
{
	if (tern_eal.log)
		fflush(tern_eal.log);
	snprintf(text, size, "%s",
		 __atomic_load_n(&tern_eal.is_told, __ATOMIC_ACQUIRE) ? tern_eal.line : "");
}

bool tern_eal_has_hugepages(void)
{
	return rte_eal_has_hugepages();
}

/* Free hugepages of the default size, MiB. */
static uint64_t eal_free_hugepages_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long free_pages = 0, kib = 0;
	char line[128];
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "HugePages_Free: %llu", &free_pages);
		sscanf(line, "Hugepagesize: %llu kB", &kib);
	}
	if (file)
		fclose(file);
	return free_pages * kib / 1024;
}

/* `0@(CPUS)`: one lcore of EAL's, which may run wherever this thread may. */
static void eal_write_lcores(const cpu_set_t *allowed, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "0@(");
	const char *between = "";
	for (size_t cpu = 0; cpu < CPU_SETSIZE && at + 8 < size; cpu++) {
		if (!CPU_ISSET(cpu, allowed))
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%zu", between, cpu);
		between = ",";
	}
	snprintf(text + at, size - at, ")");
}

static int eal_init(const struct tern_eal_needs *needs, uint32_t memory_mib)
{
	char lcores[EAL_CPUS_MAX], memory[16],
		name[] = "tern", in_memory[] = "--in-memory", single[] = "--single-file-segments",
		no_huge[] = "--no-huge", size[] = "-m", no_shconf[] = "--no-shconf",
		lcores_option[] = "--lcores", no_pci[] = "--no-pci", allow[] = "-a",
		no_telemetry[] = "--no-telemetry", level[] = "--log-level=error";
	char pci[32],
		*arguments[EAL_ARGUMENTS_MAX] = {name, lcores_option, lcores, no_telemetry, level};
	int count = needs->is_loud ? 4 : 5;
	bool has_huge = eal_free_hugepages_mib() >= memory_mib;
	cpu_set_t allowed;
	pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed);
	eal_write_lcores(&allowed, lcores, sizeof(lcores));
	snprintf(memory, sizeof(memory), "%u", memory_mib);
	snprintf(pci, sizeof(pci), "%s", needs->pci ? needs->pci : "");
	arguments[count++] = needs->pci ? allow : no_pci;
	if (needs->pci)
		arguments[count++] = pci;
	arguments[count++] = has_huge ? in_memory : no_huge;
	arguments[count++] = has_huge ? single : no_shconf;
	arguments[count++] = size;
	arguments[count++] = memory;
	return rte_eal_init(count, arguments) < 0 ? -rte_errno : 0;
}

static int eal_say_failed(int code, struct tern_error *error)
{
	char line[EAL_LINE_MAX];
	tern_eal_told(line, sizeof(line));
	return tern_error_set(error, code,
			      "EAL does not start: %s%s%s; the process has to be started again "
			      "once that is put right",
			      strerror(-code), line[0] ? ": " : "", line);
}

/* Whether what runs has what is needed. */
static int eal_check(const struct tern_eal_needs *needs, struct tern_error *error)
{
	if (tern_eal.state == EAL_FAILED)
		return tern_error_set(error, -EALREADY,
				      "EAL did not start before, and a process has one try; start "
				      "the program again");
	if (tern_eal.state == EAL_OF_THE_PROGRAM)
		return 0;
	if (needs->pci && !tern_eal.has_pci)
		return tern_error_set(error, -EBUSY,
				      "port %s: EAL runs without PCI (--no-pci) for an earlier "
				      "port, and a process starts it once; open the PCI port first",
				      needs->pci);
	if (needs->memory_mib > tern_eal.memory_mib)
		return tern_error_set(error, -EBUSY,
				      "EAL runs with memory_mib=%u for an earlier port, and a "
				      "process starts it once; needed: %u; ask for that with the "
				      "first port",
				      tern_eal.memory_mib, needs->memory_mib);
	return 0;
}

static int eal_start_locked(const struct tern_eal_needs *needs, struct tern_error *error)
{
	uint32_t memory_mib = needs->memory_mib ? needs->memory_mib : EAL_MEMORY_MIB;
	int code;
	if (tern_eal.state == EAL_OFF && rte_lcore_count() > 0)
		tern_eal.state = EAL_OF_THE_PROGRAM;
	if (tern_eal.state != EAL_OFF)
		return eal_check(needs, error);
	if (!needs->is_loud)
		eal_hush();
	code = eal_init(needs, memory_mib);
	tern_eal.state = code == 0 ? EAL_OURS : EAL_FAILED;
	tern_eal.has_pci = needs->pci != NULL;
	tern_eal.memory_mib = memory_mib;
	return code == 0 ? 0 : eal_say_failed(code, error);
}

int tern_eal_start(const struct tern_eal_needs *needs, struct tern_error *error)
{
	int code;
	sigset_t kept;
	tern_pipe_signal_block(&kept); /* EAL's threads inherit it */
	pthread_mutex_lock(&tern_eal.lock);
	code = eal_start_locked(needs, error);
	pthread_mutex_unlock(&tern_eal.lock);
	tern_pipe_signal_restore(&kept);
	return code;
}
