/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "capabilities/memory/arena.h"

static void cpu_model(char *model, size_t size)
{
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	snprintf(model, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || !colon)
			continue;
		snprintf(model, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

static bool is_guest(void)
{
	char line[4096];
	bool guest = false;
	FILE *file = fopen("/proc/cpuinfo", "re");
	while (file && fgets(line, sizeof(line), file))
		guest = guest || strstr(line, " hypervisor");
	if (file)
		fclose(file);
	return guest;
}

/* The number in a line of a file that starts with `key`; 0: there is none. */
static uint64_t read_number(const char *path, const char *key)
{
	char line[256];
	size_t length = strlen(key);
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, length) == 0 && sscanf(line + length, "%llu", &number) == 1)
			break;
	if (file)
		fclose(file);
	return number;
}

uint64_t bench_huge_bytes(void)
{
	return TERN_PAGE_2M *
	       read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "");
}

const char *bench_memory_lacks(struct bench *bench, uint64_t bytes)
{
	uint64_t available = read_number("/proc/meminfo", "MemAvailable:") << 10;
	uint64_t there = available + bench_huge_bytes();
	if (bytes <= there)
		return NULL;
	snprintf(bench->reason, sizeof(bench->reason),
		 "needs %llu MiB of memory, %llu MiB are available",
		 (unsigned long long)(bytes >> 20), (unsigned long long)(there >> 20));
	return bench->reason;
}

json_t *bench_machine(const struct bench *bench)
{
	char model[128];
	struct utsname name;
	struct tern_memory memory;
	cpu_model(model, sizeof(model));
	uname(&name);
	tern_engine_memory(bench->engine, &memory);
	return json_pack("{s:s, s:i, s:b, s:s, s:s, s:s, s:s, s:I, s:b, s:f}", "cpu", model, "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "virtual", is_guest(), "kernel",
			 name.release, "compiler", __VERSION__, "build", TERN_BUILD, "arch",
			 name.machine, "page_bytes", (json_int_t)memory.page_bytes,
			 "transparent_hugepages", memory.transparent, "tsc_ghz",
			 1000.0 / bench->ps_per_tick);
}
