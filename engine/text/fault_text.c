/* SPDX-License-Identifier: Apache-2.0 */

/* Called by fault.c when its handlers are installed; lookups run in signal handlers. */
#include "fault_text.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unwind.h>

#include "fault_names.h"

#define RANGES_MAX 512 /* parts of modules that are not an agent's: some 20 are usual */
#define NAME_BYTES 40
#define FUNCTION_BYTES_MAX 4096 /* of one that is looked through for jumps */

/* The ends of the two sections that the engine's objects are put into; the linker's names. */
extern const char __start_tern_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_tern_text[] __attribute__((weak, visibility("hidden")));
extern const char __start_tern_text_cold[] __attribute__((weak, visibility("hidden")));
extern const char __stop_tern_text_cold[] __attribute__((weak, visibility("hidden")));

struct range {
	uintptr_t start;
	uintptr_t end;
	uintptr_t begin; /* of the module */
	enum tern_code code;
	char module[NAME_BYTES];
};

struct tern_code_table {
	struct tern_code_table *next;
	bool known;
	uint32_t range_count;
	uint32_t function_count;
	uint32_t function_max;
	struct tern_known_function *functions; /* by start */
	struct range ranges[RANGES_MAX];
};

static void add_range(struct tern_code_table *table, const struct range *range)
{
	if (range->start != range->end && table->range_count < RANGES_MAX)
		table->ranges[table->range_count++] = *range;
}

static const char *file_of(const struct dl_phdr_info *info)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	return slash ? slash + 1 : info->dlpi_name;
}

static bool module_holds(const struct dl_phdr_info *info, uintptr_t address)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    address - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) <
			    info->dlpi_phdr[i].p_memsz)
			return true;
	return false;
}

/* By name; and whoever serves malloc() in the place of libc, unless it is the program itself. */
static enum tern_code code_of_module(const struct dl_phdr_info *info)
{
	const char *file = file_of(info);
	if (!*file)
		return TERN_CODE_OWN;
	for (const struct tern_known_module *known = tern_known_modules; known->begins; known++)
		if (strncmp(file, known->begins, strlen(known->begins)) == 0)
			return known->code;
	return module_holds(info, getauxval(AT_BASE)) ||
			       module_holds(info, (uintptr_t)dlsym(RTLD_DEFAULT, "malloc"))
		       ? TERN_CODE_FOREIGN
		       : TERN_CODE_OWN;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *context)
{
	struct range range = {.begin = info->dlpi_addr, .code = code_of_module(info)};
	(void)size;
	if (range.code == TERN_CODE_OWN)
		return 0;
	strncpy(range.module, file_of(info), NAME_BYTES - 1);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		range.start = info->dlpi_addr + part->p_vaddr;
		range.end = range.start + part->p_memsz;
		add_range(context, &range);
	}
	return 0;
}

static void add_engine(struct tern_code_table *table)
{
	struct range range = {.code = TERN_CODE_ENGINE, .module = "tern"};
	range.begin = range.start = (uintptr_t)__start_tern_text;
	range.end = (uintptr_t)__stop_tern_text;
	table->known = range.start && getauxval(AT_BASE);
	add_range(table, &range);
	range.begin = range.start = (uintptr_t)__start_tern_text_cold;
	range.end = (uintptr_t)__stop_tern_text_cold;
	add_range(table, &range);
}

static void add_function(struct tern_code_table *table, uintptr_t start, const char *name,
			 bool safe)
{
	enum tern_code code = tern_code_of(table, start);
	bool counts = start && code != TERN_CODE_OWN && code != TERN_CODE_ENGINE;
	if (counts && table->function_count < table->function_max)
		table->functions[table->function_count++] =
			(struct tern_known_function){start, name, safe};
}

static bool begins_at(uintptr_t start, uintptr_t inside)
{
	return (uintptr_t)_Unwind_FindEnclosingFunction((void *)(inside + 1)) == start;
}

#if defined(__x86_64__)

/*
 * Some functions end in a jump to where the work is: strtol() does at once, strspn() for some
 * strings. That function counts as the same one. A jump is told from other bytes by where it leads:
 * exactly to where a function begins.
 */
static void add_jumps(struct tern_code_table *table, uintptr_t start, const char *name)
{
	enum { JUMP_BYTES = 5, LOOK_EVERY = 16 };
	for (size_t i = 0; i < FUNCTION_BYTES_MAX; i++) {
		const unsigned char *at = (const unsigned char *)start + i;
		int32_t offset;
		if (i % LOOK_EVERY == 0 && !begins_at(start, start + i))
			return;
		if (*at != 0xe9)
			continue;
		memcpy(&offset, at + 1, sizeof(offset));
		uintptr_t to = start + i + JUMP_BYTES + (uintptr_t)(intptr_t)offset;
		if (tern_code_of(table, to) == TERN_CODE_LIBC && begins_at(to, to))
			add_function(table, to, name, true);
	}
}

#else

static void add_jumps(struct tern_code_table *table, uintptr_t start, const char *name)
{
	(void)table, (void)start, (void)name, (void)begins_at;
}

#endif

/* The address of an indirect function is that of the variant chosen for this machine. */
static void add_functions(struct tern_code_table *table, const char *const *names, bool safe)
{
	for (; *names; names++) {
		uintptr_t start = (uintptr_t)dlsym(RTLD_DEFAULT, *names);
		add_function(table, start, *names, safe);
		if (safe && tern_code_of(table, start) == TERN_CODE_LIBC)
			add_jumps(table, start, *names);
	}
}

/* Of two at one place the unsafe one comes first: several names may stand for one function. */
static int compare_names(const void *a, const void *b)
{
	const struct tern_known_function *left = a, *right = b;
	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (int)left->safe - (int)right->safe;
}

static uint32_t count_names(const char *const *names)
{
	uint32_t count = 0;
	while (names[count])
		count++;
	return count;
}

struct tern_code_table *tern_code_table_make(struct tern_code_table *next)
{
	struct tern_code_table *table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	/* As much again, and more, for what they jump to. */
	table->function_max =
		4 * (count_names(tern_safe_functions) + count_names(tern_unsafe_functions));
	table->functions = calloc(table->function_max, sizeof(*table->functions));
	if (!table->functions) {
		free(table);
		return NULL;
	}
	table->next = next;
	add_engine(table);
	dl_iterate_phdr(add_module, table);
	add_functions(table, tern_safe_functions, true);
	add_functions(table, tern_unsafe_functions, false);
	qsort(table->functions, table->function_count, sizeof(*table->functions), compare_names);
	return table;
}

void tern_code_table_free(struct tern_code_table *table)
{
	while (table) {
		struct tern_code_table *next = table->next;
		free(table->functions);
		free(table);
		table = next;
	}
}

static const struct range *range_of(const struct tern_code_table *table, uintptr_t pc)
{
	for (uint32_t i = 0; i < table->range_count; i++)
		if (pc - table->ranges[i].start < table->ranges[i].end - table->ranges[i].start)
			return &table->ranges[i];
	return NULL;
}

enum tern_code tern_code_of(const struct tern_code_table *table, uintptr_t pc)
{
	const struct range *range = range_of(table, pc);
	return range ? range->code : TERN_CODE_OWN;
}

bool tern_code_is_known(const struct tern_code_table *table)
{
	return table->known;
}

const char *tern_code_module(const struct tern_code_table *table, uintptr_t pc, uintptr_t *begin)
{
	const struct range *range = table ? range_of(table, pc) : NULL;
	if (!range)
		return NULL;
	*begin = range->begin;
	return range->module;
}

const struct tern_known_function *tern_code_function(const struct tern_code_table *table,
						     uintptr_t start)
{
	uint32_t low = 0, high = table->function_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (table->functions[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < table->function_count && table->functions[low].start == start;
	return found ? &table->functions[low] : NULL;
}
