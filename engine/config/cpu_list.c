/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool cpu_read(const char **text, uint16_t *cpu)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	unsigned long number = strtoul(*text, &end, 10); /* ULONG_MAX where it does not fit */
	if (number > UINT16_MAX)
		return false;
	*text = end;
	*cpu = (uint16_t)number;
	return true;
}

static int cpu_append(uint16_t *cpus, uint32_t cpus_max, uint32_t *count, uint16_t cpu)
{
	for (uint32_t i = 0; i < *count; i++)
		if (cpus[i] == cpu)
			return -EEXIST;
	if (*count == cpus_max)
		return -E2BIG;
	cpus[(*count)++] = cpu;
	return 0;
}

int tern_cpu_list_read(const char *text, uint16_t *cpus, uint32_t cpus_max)
{
	uint32_t count = 0;

	for (;;) {
		uint16_t first, last;
		if (!cpu_read(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-' && (text++, !cpu_read(&text, &last)))
			return -EINVAL;
		if (last < first)
			return -EINVAL;
		for (uint32_t cpu = first; cpu <= last; cpu++) {
			int rc = cpu_append(cpus, cpus_max, &count, (uint16_t)cpu);
			if (rc < 0)
				return rc;
		}
		if (!*text)
			return (int)count;
		if (*text++ != ',')
			return -EINVAL;
	}
}

void tern_cpu_list_write(char *text, size_t size, const uint16_t *cpus, uint32_t count)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0, next; i < count; i = next) {
		char part[sizeof(",65535-65535")];
		for (next = i + 1; next < count && cpus[next] == cpus[next - 1] + 1; next++)
			;
		const char *comma = i ? "," : "";
		int length = next - i > 1 ? snprintf(part, sizeof(part), "%s%u-%u", comma, cpus[i],
						     cpus[next - 1])
					  : snprintf(part, sizeof(part), "%s%u", comma, cpus[i]);
		if (used + (size_t)length + sizeof(",...") > size) {
			snprintf(text + used, size - used, "%s...", comma);
			return;
		}
		memcpy(text + used, part, (size_t)length + 1);
		used += (size_t)length;
	}
}
